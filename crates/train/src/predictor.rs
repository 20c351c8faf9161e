//! A trained classifier, loaded from its run: text in, labels and probabilities out.

use attentive_data::{Examples, Labels, TextEncoder};
use attentive_model::{Classifier, Initializer};
use burn::tensor::Device;

use crate::checkpoint::{self, Checkpoint};
use crate::config::Config;
use crate::error::{CheckpointError, TrainError};
use crate::evaluate::{Batching, evaluate, logits};
use crate::metrics::{Metrics, decide};
use crate::prepare::encode;
use crate::run::RunDir;

/// A trained classifier on a device.
#[derive(Debug)]
pub struct Predictor {
    config: Config,
    labels: Labels,
    encoder: TextEncoder,
    batching: Batching,
    model: Classifier,
    device: Device,
    step: u64,
}

/// What the classifier says of one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The id of the label it decides for.
    pub label: u32,
    /// The probability of each label, in order; they sum to 1.
    pub probabilities: Vec<f32>,
}

impl Prediction {
    /// The probability of the label decided for.
    pub fn probability(&self) -> f32 {
        self.probabilities.get(self.label as usize).copied().unwrap_or(f32::NAN)
    }
}

impl Predictor {
    /// Loads the best weights of a run, or the newest when the run has no validation split.
    ///
    /// # Errors
    /// When the directory is no run, has no intact checkpoint, or a file does not fit the others. An older checkpoint is
    /// never taken for a damaged best one.
    pub fn load(run: &RunDir, backends: &[&str], device: &Device) -> Result<Self, TrainError> {
        let config = run.config(backends)?;
        let checkpoint = best_checkpoint(run)?;
        let (labels, encoder) = (run.labels()?, run.encoder()?);
        for (what, text, expected) in [
            ("labels.json", labels.to_json(), &checkpoint.fingerprints.labels),
            ("tokenizer.json", encoder.to_json(), &checkpoint.fingerprints.tokenizer),
        ] {
            if checkpoint::sha256(text.as_bytes()) != *expected {
                let reason = "it is not the file the checkpoint was trained with".to_string();
                return Err(CheckpointError::Damaged { path: run.path().join(what), reason }.into());
            }
        }
        let model = config.model.init(encoder.vocab_size(), labels.len(), &mut Initializer::new(0, device));
        let model = model.with_weights(checkpoint.weights()?)?;
        let batching = Batching::new(&config.model, encoder.pad_id());
        Ok(Self { config, labels, encoder, batching, model, device: device.clone(), step: checkpoint.state.step })
    }

    /// The config of the run.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The labels in order.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The tokenizer.
    pub fn encoder(&self) -> &TextEncoder {
        &self.encoder
    }

    /// The model.
    pub fn model(&self) -> &Classifier {
        &self.model
    }

    /// The step after which the weights were saved.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Classifies texts; the predictions are in the order of the texts.
    ///
    /// # Errors
    /// When the tokenizer refuses a text or the device fails.
    pub fn predict(&self, texts: &[String]) -> Result<Vec<Prediction>, TrainError> {
        let encoded = self.encoder.encode(texts, self.config.model.max_length)?;
        let batch_size = self.config.train.evaluation_batch_size;
        let logits = logits(&self.model, &encoded, &self.batching, batch_size, &self.device)?;
        let probabilities = logits.probabilities();
        let rows = probabilities.chunks_exact(self.labels.len());
        Ok(rows.map(|row| Prediction { label: decide(row), probabilities: row.to_vec() }).collect())
    }

    /// Measures the classifier on labelled examples.
    ///
    /// # Errors
    /// When the tokenizer refuses a text or the device fails.
    pub fn evaluate(&self, examples: Examples) -> Result<Metrics, TrainError> {
        let split = encode(&self.encoder, examples, self.config.model.max_length)?;
        evaluate(&self.model, &split, &self.config, self.labels.names(), &self.batching, &self.device)
    }
}

/// The best checkpoint, which is known from the newest one: a damaged newest one may hide a better epoch.
fn best_checkpoint(run: &RunDir) -> Result<Checkpoint, TrainError> {
    let (newest, damaged) = checkpoint::newest(run.path(), &run.checkpoints())?;
    if !damaged.is_empty() {
        return Err(CheckpointError::NewestDamaged { damaged }.into());
    }
    match newest.state.best {
        Some(best) if best.step != newest.state.step => {
            Ok(checkpoint::load(&run.checkpoints().join(checkpoint::directory_name(best.step)))?)
        }
        _ => Ok(newest),
    }
}

/// The summary of a model that a config describes, without training it; `vocab_size` and `n_labels` come from the data.
pub fn summary(config: &Config, vocab_size: usize, n_labels: usize, device: &Device) -> attentive_model::Summary {
    config.model.init(vocab_size, n_labels, &mut Initializer::new(0, device)).summary(&config.model)
}
