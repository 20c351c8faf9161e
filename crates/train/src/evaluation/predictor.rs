//! A trained classifier, loaded from its run: text in, labels and probabilities out.

use std::path::Path;

use attentive_data::{Examples, Labels, TextEncoder, UNWATCHED};
use attentive_model::{Classifier, Initializer, Sizes, Summary, Weight, WeightsError};
use burn::tensor::Device;

use crate::checkpoint::{Newest, Store};
use crate::config::Config;
use crate::error::{CheckpointError, TrainError};
use crate::evaluation::chosen::Chosen;
use crate::evaluation::evaluate::{Evaluator, task};
use crate::metrics::{Decision, Metrics};
use crate::origin::{Difference, keys};
use crate::preparation::preflight::check_scores;
use crate::preparation::prepare::{Prepared, encode, encode_texts, sizes};
use crate::preparation::start::Source;
use crate::run::RunDir;
use crate::storage::hashed::sha256;

/// A trained classifier on a device.
#[derive(Debug)]
pub struct Predictor {
    config: Config,
    labels: Labels,
    encoder: TextEncoder,
    sizes: Sizes,
    evaluator: Evaluator,
    decision: Decision,
    model: Classifier,
    step: u64,
}

/// What a classifier is made of, wherever it was kept.
#[derive(Debug)]
pub struct Parts {
    /// The config of its run.
    pub config: Config,
    /// The labels in order.
    pub labels: Labels,
    /// The tokenizer.
    pub encoder: TextEncoder,
    /// The weights, by name.
    pub weights: Vec<Weight>,
    /// Above which probability each label is decided for, see [`Predictor::thresholds`].
    pub thresholds: Vec<f32>,
    /// The step after which the weights were saved.
    pub step: u64,
}

/// What a classifier says of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction<'a> {
    names: &'a [String],
    /// The ids of the labels that are decided for, ascending: exactly one, unless a text may have several.
    pub ids: Vec<u32>,
    /// The probability of every label, in the order of the labels; with one label a text they sum to 1.
    pub probabilities: Vec<f32>,
}

impl<'a> Prediction<'a> {
    /// The label; `None` where a text may have several and has none. Of several it is the first.
    pub fn label(&self) -> Option<&'a str> {
        self.labels().next()
    }

    /// The labels that are decided for.
    pub fn labels(&self) -> impl Iterator<Item = &'a str> {
        let names = self.names;
        self.ids.iter().filter_map(move |&id| names.get(id as usize).map(String::as_str))
    }

    /// The probability of the label with this id, 0 where there is none.
    pub fn probability(&self, id: u32) -> f32 {
        self.probabilities.get(id as usize).copied().unwrap_or(0.0)
    }

    /// Every label with its probability.
    pub fn named(&self) -> impl Iterator<Item = (&'a str, f32)> {
        self.names.iter().map(String::as_str).zip(self.probabilities.iter().copied())
    }
}

impl Parts {
    /// Reads what a run chose: the weights of its best epoch, or the mean of its best, or the newest when it has no
    /// validation split. The run may be training meanwhile.
    ///
    /// # Errors
    /// When the directory is no run, has no intact checkpoint, or a file does not fit the others. An older checkpoint is
    /// never taken for a damaged best one.
    pub fn of_run(run: &RunDir) -> Result<Self, TrainError> {
        let store = Store::new(run.checkpoints());
        loop {
            let steps = store.steps()?;
            match Self::load_at_once(run, &store) {
                // A run that trains removes older checkpoints when it has newer ones, perhaps while they are read.
                Err(TrainError::Checkpoint(_)) if store.steps()? != steps => {}
                result => return result,
            }
        }
    }

    fn load_at_once(run: &RunDir, store: &Store) -> Result<Self, TrainError> {
        let config = run.config()?;
        let Newest { checkpoint, damaged } = store.newest_at_a_glance()?;
        if !damaged.is_empty() {
            // A damaged newest one may hide a better epoch.
            return Err(CheckpointError::NewestDamaged { damaged }.into());
        }
        let newest = checkpoint.ok_or_else(|| CheckpointError::None { path: run.path().to_path_buf() })?;
        let differences = newest.origin.config_differences(&keys(&config));
        if !differences.is_empty() && !differences.iter().all(Difference::is_free) {
            return Err(TrainError::Changed { path: run.path().to_path_buf(), differences });
        }
        let (labels, encoder) = (run.labels()?, run.encoder()?);
        for (what, text, expected) in [
            ("labels.json", labels.to_json(), &newest.origin.labels),
            ("tokenizer.json", encoder.to_json(), &newest.origin.tokenizer),
        ] {
            if sha256(text.as_bytes()) != *expected {
                let reason = "it is not the file the checkpoint was trained with".to_string();
                return Err(CheckpointError::Damaged { path: run.path().join(what), reason }.into());
            }
        }
        let shapes = config.model.weight_shapes(&sizes(&config, &encoder, &labels)?);
        let Chosen { weights, thresholds, step, .. } = Chosen::load(store, newest, labels.len(), &config, &shapes)?;
        Ok(Self { config, labels, encoder, weights, thresholds, step })
    }

    /// Its weights to start another training from.
    pub fn into_source(self) -> Source {
        Source::new(self.weights, self.encoder, self.labels, self.config.features)
    }
}

impl Source {
    /// The weights of a run, or of a .safetensors file.
    ///
    /// # Errors
    /// When it is neither, or cannot be read.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        if path.is_dir() { Ok(Parts::of_run(&RunDir::open(path)?)?.into_source()) } else { Self::of_file(path) }
    }
}

impl Predictor {
    /// Loads what a run chose, see [`Parts::of_run`].
    ///
    /// # Errors
    /// As [`Parts::of_run`] and [`Predictor::new`].
    pub fn load(run: &RunDir, device: &Device) -> Result<Self, TrainError> {
        Self::new(Parts::of_run(run)?, device)
    }

    /// Puts a classifier together on a device. Nothing is allocated for weights that the parts do not hold.
    ///
    /// # Errors
    /// When the parts do not fit each other, or the device fails.
    pub fn new(parts: Parts, device: &Device) -> Result<Self, TrainError> {
        let Parts { config, labels, encoder, weights, thresholds, step } = parts;
        let sizes = sizes(&config, &encoder, &labels)?;
        for (name, expected) in config.model.weight_shapes(&sizes) {
            match weights.iter().find(|weight| weight.name == name) {
                None => return Err(WeightsError::Missing { name }.into()),
                Some(weight) if weight.shape != expected => {
                    return Err(WeightsError::Shape { name, expected, found: weight.shape.clone() }.into());
                }
                Some(_) => {}
            }
        }
        let model = config.model.init(&sizes, &mut Initializer::zeros(device)).with_weights(weights)?;
        let evaluator = Evaluator::new(&config, sizes.head, labels.names(), encoder.pad_id(), device);
        let decision = Decision { task: task(&config), thresholds };
        Ok(Self { labels, encoder, sizes, evaluator, decision, model, step, config })
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

    /// What the data decided about the model.
    pub fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// The model layer by layer.
    pub fn summary(&self) -> Summary {
        self.model.summary(&self.config.model, &self.sizes)
    }

    /// Above which probability each label is decided for, where the run does not take one half: one for each label
    /// with several labels per text, one for the second of two labels.
    pub fn thresholds(&self) -> &[f32] {
        &self.decision.thresholds
    }

    /// The step after which the weights were saved; of averaged ones, that of the best.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Classifies texts, or pairs if the config names two text columns; the predictions are in the order of the texts.
    ///
    /// # Errors
    /// When the tokenizer refuses a text or the device fails.
    pub fn predict(&self, texts: &[String], seconds: Option<&[String]>) -> Result<Vec<Prediction<'_>>, TrainError> {
        let seconds = seconds.map(|seconds| seconds.iter().collect());
        let inputs = encode_texts(&self.encoder, &self.config, &texts.iter().collect(), seconds.as_ref(), UNWATCHED)?;
        let probabilities = self.evaluator.logits(&self.model, &inputs)?.probabilities();
        let rows = probabilities.chunks_exact(self.labels.len());
        let names = self.labels.names();
        Ok(rows.map(|row| Prediction { names, ids: self.decision.decide(row), probabilities: row.to_vec() }).collect())
    }

    /// Measures the classifier on labelled examples, with intervals for the headline metrics.
    ///
    /// # Errors
    /// When there is no memory for a probability of each label for each example, the tokenizer refuses a text or the device
    /// fails.
    pub fn evaluate(&self, examples: Examples) -> Result<Metrics, TrainError> {
        check_scores(&self.sizes, examples.len())?;
        let split = encode(&self.encoder, &self.config, examples, UNWATCHED)?;
        let scores = self.evaluator.scores(&self.model, &split)?;
        Ok(self.evaluator.final_metrics(&scores, &self.decision))
    }
}

/// The summary of a model that a config describes, without training it.
pub fn summary(config: &Config, prepared: &Prepared, device: &Device) -> Summary {
    let sizes = &prepared.sizes;
    config.model.init(sizes, &mut Initializer::new(0, device)).summary(&config.model, sizes)
}
