//! A run imported from another framework: its weights and the state of its optimizer, as the checkpoint before the first step.

use std::path::PathBuf;

use attentive_model::Weight;

use crate::checkpoint::{State, Store};
use crate::error::{CheckpointError, TrainError};
use crate::evaluation::evaluate::Evaluator;
use crate::preparation::prepare::Prepared;
use crate::preparation::start::{StartAccount, WeightInit};
use crate::run::LockedRun;
use crate::run::OptimizerState;
use crate::storage::encoded::sha256_of;
use crate::training::job::Job;
use crate::training::learner::Learner;

/// What another program trained.
#[derive(Debug)]
pub struct Imported {
    /// The file that it was read from.
    pub path: PathBuf,
    /// All weights of the model.
    pub weights: Vec<Weight>,
    /// The state of its optimizer; without it the optimizer starts anew.
    pub optimizer: Option<OptimizerState>,
    /// What the file has and is not taken.
    pub unused: Vec<String>,
}

impl Prepared {
    /// Notes that the run begins with what another program trained.
    ///
    /// # Errors
    /// When the weights cannot be written.
    pub fn note_imported(&mut self, trained: &Imported) -> Result<(), TrainError> {
        let encode = |reason| CheckpointError::Encode { file: "model.safetensors", reason };
        self.account.start = Some(StartAccount {
            path: trained.path.clone(),
            weights_sha256: sha256_of(&trained.weights).map_err(encode)?,
            weights: trained.weights.iter().map(|weight| (weight.name.clone(), WeightInit::Whole)).collect(),
            unused: trained.unused.clone(),
        });
        Ok(())
    }
}

impl LockedRun {
    /// Saves what another program trained as the checkpoint that the run goes on from, before its first step.
    ///
    /// # Errors
    /// When the weights or moments do not fit the model, or the disk or the device fails.
    pub fn begin_imported(&self, job: &Job, trained: Imported) -> Result<(), TrainError> {
        let Job { config, prepared, origin, device, .. } = *job;
        let (labels, pad_id) = (prepared.labels.names(), prepared.encoder.pad_id());
        let evaluator = Evaluator::new(config, prepared.sizes.head, labels, pad_id, device);
        let mut learner = Learner::with_weights(config, prepared, trained.weights, device)?;
        let updates = trained.optimizer.as_ref().map_or(0, |state| state.updates);
        let moments = match trained.optimizer {
            Some(OptimizerState { moments, .. }) => {
                let weight = |(name, values): (String, Vec<f32>)| Weight { name, shape: vec![values.len()], values };
                moments.into_iter().map(weight).collect()
            }
            None => config.train.optimizer.first_moments(&learner.model),
        };
        learner.optimizer = config.train.optimizer.init().with_moments(moments, &learner.model, device)?;
        let state = State {
            updates_before: updates,
            thresholds: evaluator.decision(config, None).thresholds,
            // A run that diverges goes back to it.
            last_scheduled: Some(0),
            last_good: Some(0),
            ..State::default()
        };
        let store = Store::new(self.checkpoints());
        store.sweep()?;
        store.save(&state, origin, &learner.snapshot(&evaluator)?)?;
        Ok(())
    }
}
