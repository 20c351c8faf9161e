//! The weights and thresholds that a run is evaluated and predicts with: those of its best epoch, or the mean of its
//! best, each as trained or as its moving average.

use std::path::Path;

use attentive_model::{Classifier, Weight};

use crate::average::{self, mean, shaped};
use crate::checkpoint::{self, Checkpoint, State};
use crate::config::Config;
use crate::error::{CheckpointError, TrainError};

/// The weights that a run is evaluated and predicts with.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// The weights, by name.
    pub weights: Vec<Weight>,
    /// Above which probability each label is decided for; empty for one half.
    pub thresholds: Vec<f32>,
    /// The step of the best checkpoint among them.
    pub step: u64,
    /// The epoch of that checkpoint.
    pub epoch: u64,
}

impl Chosen {
    /// Those of the newest checkpoint's selection: the best epoch, or the mean of the best; without a validation split,
    /// the newest. `model` has the shapes of the weights.
    ///
    /// # Errors
    /// When one of the checkpoints is missing or damaged: another is never taken in its place.
    pub(crate) fn load(
        checkpoints: &Path,
        newest: &State,
        config: &Config,
        model: &Classifier,
    ) -> Result<Self, TrainError> {
        let steps = match newest.selection.steps() {
            steps if steps.is_empty() => vec![newest.step],
            steps => steps,
        };
        if steps.len() > config.train.average_best {
            let newest = checkpoints.join(checkpoint::directory_name(newest.step)).join(checkpoint::STATE);
            let reason = format!("it names {} best epochs, the config {}", steps.len(), config.train.average_best);
            return Err(CheckpointError::Damaged { path: newest, reason }.into());
        }
        let of_step = |step: &u64| checkpoint::load(&checkpoints.join(checkpoint::directory_name(*step)));
        let loaded: Vec<Checkpoint> = steps.iter().map(of_step).collect::<Result<_, _>>()?;
        for other in &loaded {
            if other.fingerprints != loaded[0].fingerprints {
                let reason = "it is of another run than the other checkpoints".to_string();
                return Err(CheckpointError::Damaged { path: other.path.clone(), reason }.into());
            }
        }
        let (step, epoch) = loaded.first().map_or((0, 0), |best| (best.state.step, best.state.epoch));
        let thresholds = mean_thresholds(&loaded);
        let weights = loaded.iter().map(|checkpoint| weights(checkpoint, config, model));
        Ok(Self { weights: mean(weights.collect::<Result<_, _>>()?), thresholds, step, epoch })
    }
}

/// The weights of one checkpoint, or their moving average if the config asks for one.
fn weights(checkpoint: &Checkpoint, config: &Config, model: &Classifier) -> Result<Vec<Weight>, CheckpointError> {
    if config.train.ema.is_none() {
        return checkpoint.weights();
    }
    let (_, averages) = average::split_saved(checkpoint.moments()?);
    shaped(averages, model)
}

fn mean_thresholds(checkpoints: &[Checkpoint]) -> Vec<f32> {
    let n = checkpoints.len() as f64;
    let all: Vec<&[f32]> = checkpoints.iter().map(|checkpoint| checkpoint.state.thresholds.as_slice()).collect();
    let labels = all.iter().map(|thresholds| thresholds.len()).min().unwrap_or(0);
    (0..labels).map(|k| (all.iter().map(|thresholds| f64::from(thresholds[k])).sum::<f64>() / n) as f32).collect()
}
