//! The weights and thresholds that a run is evaluated and predicts with: those of its best epoch, or the mean of its
//! best, each as trained or as its moving average.

use attentive_model::Weight;

use crate::checkpoint::{Glance, MOMENTS, STATE, Store, WEIGHTS};
use crate::config::Config;
use crate::error::{CheckpointError, TrainError};
use crate::metrics::Balance;
use crate::preparation::start::HEAD;
use crate::step::average::{self, mean, shaped};

/// The weights that a run is evaluated and predicts with.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// The weights of the network, by name; those of its head times what its logits count.
    pub weights: Vec<Weight>,
    /// By what the logits of the linear part are multiplied.
    pub linear_scale: f32,
    /// The factors of both parts, where they do not stay as they are.
    pub balance: Option<Balance>,
    /// Above which probability each label is decided for; empty for one half.
    pub thresholds: Vec<f32>,
    /// The step of the best checkpoint among them.
    pub step: u64,
    /// The epoch of that checkpoint.
    pub epoch: u64,
}

impl Chosen {
    /// Those of the newest checkpoint's selection: the best epoch, or the mean of the best; without a validation split,
    /// the newest. `shapes` are those of the model's weights.
    ///
    /// # Errors
    /// When one of the checkpoints is missing or damaged: another is never taken in its place.
    pub(crate) fn load(
        store: &Store,
        newest: Glance,
        n_labels: usize,
        config: &Config,
        shapes: &[(String, Vec<usize>)],
    ) -> Result<Self, TrainError> {
        let best = &newest.state.selection.best;
        if best.len() > config.train.average_best {
            let reason = format!("it names {} best epochs for the mean of {}", best.len(), config.train.average_best);
            return Err(newest.damaged(STATE, reason).into());
        }
        let mut loaded = Vec::new();
        for best in best {
            let checkpoint = store.glance(best.step)?;
            if checkpoint.weights_sha256 != best.weights_sha256 {
                return Err(checkpoint.damaged(WEIGHTS, "it is not the one that the run found best").into());
            }
            if (&checkpoint.origin.tokenizer, &checkpoint.origin.labels)
                != (&newest.origin.tokenizer, &newest.origin.labels)
            {
                let reason = "it was trained with another tokenizer or other labels than the newest";
                return Err(checkpoint.damaged(WEIGHTS, reason).into());
            }
            loaded.push(checkpoint);
        }
        if loaded.is_empty() {
            loaded.push(newest);
        }
        loaded.iter().try_for_each(|checkpoint| checkpoint.check_labels(n_labels))?;
        let (step, epoch) = loaded.first().map_or((0, 0), |best| (best.state.step, best.state.epoch));
        let thresholds = mean_thresholds(&loaded);
        let balances = loaded.iter().all(|checkpoint| checkpoint.state.balance.is_some());
        let balance = mean_balance(&loaded);
        let weights = loaded.iter().map(|checkpoint| weights(store, checkpoint, config, shapes));
        let mut weights = mean(weights.collect::<Result<_, _>>()?);
        for weight in weights.iter_mut().filter(|weight| weight.name.starts_with(HEAD)) {
            weight.values.iter_mut().for_each(|value| *value *= balance.network);
        }
        Ok(Self {
            weights,
            linear_scale: balance.linear,
            balance: balances.then_some(balance),
            thresholds,
            step,
            epoch,
        })
    }
}

/// The weights of one checkpoint, or their moving average if the config asks for one.
fn weights(
    store: &Store,
    checkpoint: &Glance,
    config: &Config,
    shapes: &[(String, Vec<usize>)],
) -> Result<Vec<Weight>, CheckpointError> {
    if config.train.ema.is_none() {
        return store.weights(checkpoint);
    }
    let (_, averages) = average::split_saved(store.moments(checkpoint)?);
    shaped(averages, shapes).map_err(|error| checkpoint.damaged(MOMENTS, error.to_string()))
}

fn mean_balance(checkpoints: &[Glance]) -> Balance {
    let found = || checkpoints.iter().map(|checkpoint| checkpoint.state.balance.unwrap_or(Balance::PLAIN));
    let mean = |factor: fn(Balance) -> f32| {
        (found().map(|balance| f64::from(factor(balance))).sum::<f64>() / checkpoints.len() as f64) as f32
    };
    Balance { network: mean(|balance| balance.network), linear: mean(|balance| balance.linear) }
}

fn mean_thresholds(checkpoints: &[Glance]) -> Vec<f32> {
    let n = checkpoints.len() as f64;
    let all: Vec<&[f32]> = checkpoints.iter().map(|checkpoint| checkpoint.state.thresholds.as_slice()).collect();
    let labels = all.iter().map(|thresholds| thresholds.len()).min().unwrap_or(0);
    (0..labels).map(|k| (all.iter().map(|thresholds| f64::from(thresholds[k])).sum::<f64>() / n) as f32).collect()
}
