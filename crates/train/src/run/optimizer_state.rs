//! The state of the optimizer that belongs to the weights a run chose, for programs that train on elsewhere.

use std::collections::BTreeMap;

use crate::checkpoint::{Newest, Store};
use crate::error::{CheckpointError, TrainError};
use crate::run::RunDir;

/// What an optimizer keeps from step to step.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimizerState {
    /// The moments, named as their weight, a dot, and the moment: `head.bias.momentum`.
    pub moments: BTreeMap<String, Vec<f32>>,
    /// How many updates it made: the steps, without those that were skipped.
    pub updates: u64,
}

impl OptimizerState {
    /// That of the checkpoint whose weights the run evaluates and predicts with; `None` where these are an average, or have a
    /// factor in their head, which no optimizer stepped to.
    ///
    /// # Errors
    /// When the run has no intact checkpoint.
    pub fn of_run(run: &RunDir) -> Result<Option<Self>, TrainError> {
        let config = run.config()?;
        if config.train.ema.is_some() || config.train.average_best > 1 {
            return Ok(None);
        }
        let run = if config.train.refit { run.of_weights()? } else { run.clone() };
        let store = Store::new(run.checkpoints());
        let Newest { checkpoint, damaged } = store.newest_at_a_glance()?;
        if !damaged.is_empty() {
            return Err(CheckpointError::NewestDamaged { damaged }.into());
        }
        let newest = checkpoint.ok_or_else(|| CheckpointError::None { path: run.path().to_path_buf() })?;
        let chosen = match newest.state.selection.best.first() {
            Some(best) => store.glance(best.step)?,
            None => newest,
        };
        if chosen.state.balance.is_some() {
            return Ok(None);
        }
        let moments = store.moments(&chosen)?.into_iter().map(|moment| (moment.name, moment.values)).collect();
        Ok(Some(Self { moments, updates: chosen.state.updates() }))
    }
}
