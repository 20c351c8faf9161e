//! A trained classifier, loaded from its run: text in, labels and probabilities out.

use std::path::Path;

use attentive_data::{Examples, Labels, TextEncoder, Texts, UNWATCHED};
use attentive_linear::Rows;
use attentive_model::{Classifier, Initializer, LayerSummary, Sizes, Summary, Weight, WeightsError};
use burn::tensor::Device;

use crate::checkpoint::{Newest, Store};
use crate::config::Config;
use crate::error::{CheckpointError, TrainError};
use crate::evaluation::chosen::Chosen;
use crate::evaluation::evaluate::{Evaluator, Logits, task};
use crate::metrics::{Balance, Decision, Metrics};
use crate::origin::{Difference, keys};
use crate::preparation::linear::{LINEAR, LinearPart, scaled};
use crate::preparation::preflight::check_scores;
use crate::preparation::prepare::{EncodedInputs, Prepared, encode, encode_texts, sizes};
use crate::preparation::start::Source;
use crate::run::RunDir;
use crate::storage::format::read_safetensors;
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
    network: Option<Classifier>,
    linear: Option<LinearPart>,
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
    /// The weights, by name: those of the network, and of the linear part if there is one.
    pub weights: Vec<Weight>,
    /// The n-grams that the linear part reads, as `ngrams.json` holds them.
    pub ngrams: Option<Vec<u8>>,
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
        loop {
            let of_weights = if run.config()?.train.refit { run.of_weights()? } else { run.clone() };
            let store = Store::new(of_weights.checkpoints());
            let steps = store.steps()?;
            match Self::load_at_once(run, &of_weights, &store) {
                // A run that trains removes older checkpoints when it has newer ones, perhaps while they are read.
                Err(TrainError::Checkpoint(_)) if store.steps()? != steps => {}
                result => return result,
            }
        }
    }

    fn load_at_once(run: &RunDir, of_weights: &RunDir, store: &Store) -> Result<Self, TrainError> {
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
        let shapes = if config.has_network() { shapes } else { Vec::new() };
        let linear = match &newest.origin.linear {
            Some(expected) => Some(read_linear(of_weights, expected)?),
            None => None,
        };
        let chosen = Chosen::load(store, newest, labels.len(), &config, &shapes)?;
        let Chosen { mut weights, linear_scale, thresholds, step, .. } = chosen;
        let ngrams = linear.map(|(ngrams, of_linear)| {
            weights.extend(scaled(of_linear, linear_scale));
            ngrams
        });
        Ok(Self { config, labels, encoder, weights, ngrams, thresholds, step })
    }

    /// Its weights to start another training from.
    pub fn into_source(self) -> Source {
        let of_network = self.weights.into_iter().filter(|weight| !weight.name.starts_with(LINEAR)).collect();
        Source::new(of_network, self.encoder, self.labels, self.config.features)
    }
}

/// The n-grams and the weights of a run's linear part, if they are what its checkpoints were trained beside.
fn read_linear(run: &RunDir, expected: &str) -> Result<(Vec<u8>, Vec<Weight>), TrainError> {
    let damaged = |reason: String| CheckpointError::Damaged { path: run.path().join("linear.safetensors"), reason };
    let files = run.linear()?.ok_or_else(|| damaged("it is not there".to_string()))?;
    if files.sha256() != expected {
        return Err(damaged("it, or `ngrams.json`, is not what the checkpoint was trained beside".to_string()).into());
    }
    let weights = read_safetensors(&files.weights).map_err(damaged)?;
    Ok((files.ngrams, weights))
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
        let Parts { config, labels, encoder, mut weights, ngrams, thresholds, step } = parts;
        let sizes = sizes(&config, &encoder, &labels)?;
        let outputs = sizes.head.outputs(sizes.n_labels);
        let linear = match (ngrams, &config.features.linear) {
            (Some(ngrams), Some(_)) => Some(LinearPart::from_saved(&ngrams, &mut weights, outputs)),
            (None, Some(_)) => Some(Err("the n-grams of the linear part are missing".to_string())),
            (_, None) => None,
        };
        let linear = linear.transpose().map_err(|reason| TrainError::LinearPart { reason })?;
        let shapes = if config.has_network() { config.model.weight_shapes(&sizes) } else { Vec::new() };
        for (name, expected) in shapes {
            match weights.iter().find(|weight| weight.name == name) {
                None => return Err(WeightsError::Missing { name }.into()),
                Some(weight) if weight.shape != expected => {
                    return Err(WeightsError::Shape { name, expected, found: weight.shape.clone() }.into());
                }
                Some(_) => {}
            }
        }
        let network = match (config.has_network(), weights.pop()) {
            (false, None) => None,
            (false, Some(weight)) => return Err(WeightsError::Unknown { name: weight.name }.into()),
            (true, last) => {
                weights.extend(last);
                Some(config.model.init(&sizes, &mut Initializer::zeros(device)).with_weights(weights)?)
            }
        };
        let evaluator = Evaluator::new(&config, sizes.head, labels.names(), encoder.pad_id(), device);
        let decision = Decision { task: task(&config), thresholds };
        Ok(Self { labels, encoder, sizes, evaluator, decision, network, linear, step, config })
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

    /// The network; `None` where a linear part is the whole classifier.
    pub fn network(&self) -> Option<&Classifier> {
        self.network.as_ref()
    }

    /// Whether there is a linear part.
    pub fn has_linear(&self) -> bool {
        self.linear.is_some()
    }

    /// All weights: those of the network in the order of its fields, and of the linear part.
    ///
    /// # Errors
    /// When the device fails.
    pub fn weights(&self) -> Result<Vec<Weight>, TrainError> {
        let mut weights = self.network.as_ref().map_or(Ok(Vec::new()), Classifier::weights)?;
        weights.extend(self.linear.iter().flat_map(LinearPart::weights));
        Ok(weights)
    }

    /// The n-grams that the linear part reads, as `ngrams.json` holds them.
    pub fn ngrams(&self) -> Option<Vec<u8>> {
        self.linear.as_ref().map(LinearPart::ngrams)
    }

    /// How many n-grams the linear part reads; `None` where there is none.
    pub fn n_ngrams(&self) -> Option<usize> {
        self.linear.as_ref().map(LinearPart::n_ngrams)
    }

    /// The n-grams that the linear part finds in texts, and what each weighs; `None` where there is none.
    ///
    /// # Errors
    /// None that a caller can bring about.
    pub fn linear_rows(&self, texts: &Texts) -> Result<Option<Rows>, TrainError> {
        Ok(self.linear.as_ref().map(|linear| linear.rows(texts, &|| false)).transpose()?)
    }

    /// What the data decided about the model.
    pub fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// The model layer by layer.
    pub fn summary(&self) -> Summary {
        summarise(&self.config, self.network.as_ref(), self.n_ngrams(), &self.sizes)
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
        let (texts, seconds) = (texts.iter().collect(), seconds.map(|seconds| seconds.iter().collect()));
        let inputs = encode_texts(&self.encoder, &self.config, &texts, seconds.as_ref(), UNWATCHED)?;
        let probabilities = self.logits(&texts, &inputs)?.probabilities();
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
        let scores = self.evaluator.scores(self.logits(&split.texts, &split.inputs)?, &split);
        Ok(self.evaluator.final_metrics(&scores, &self.decision))
    }

    fn logits(&self, texts: &Texts, inputs: &EncodedInputs) -> Result<Logits, TrainError> {
        let linear = self.linear.as_ref().map(|linear| linear.logits(texts, &|| false)).transpose()?;
        Ok(self.evaluator.logits(self.network.as_ref(), inputs)?.balanced(Balance::PLAIN, linear.as_deref()))
    }
}

/// The summary of a model that a config describes, without training it.
pub fn summary(config: &Config, prepared: &Prepared, device: &Device) -> Summary {
    let sizes = &prepared.sizes;
    let network = config.has_network().then(|| config.model.init(sizes, &mut Initializer::new(0, device)));
    let n_ngrams = prepared.account.linear.map(|linear| linear.ngrams);
    summarise(config, network.as_ref(), n_ngrams, sizes)
}

fn summarise(config: &Config, network: Option<&Classifier>, n_ngrams: Option<usize>, sizes: &Sizes) -> Summary {
    let empty = Summary { layers: Vec::new(), parameters: 0 };
    let mut summary = network.map_or(empty, |network| network.summary(&config.model, sizes));
    if let Some(n_ngrams) = n_ngrams {
        let outputs = sizes.head.outputs(sizes.n_labels);
        let kind = match network {
            Some(_) => "Linear part, added to it",
            None => "Linear part alone",
        };
        let parameters = (n_ngrams + 1) * outputs;
        let output = vec![None, Some(outputs)];
        summary.layers.push(LayerSummary { name: "linear".to_string(), kind: kind.to_string(), output, parameters });
        summary.parameters += parameters;
    }
    summary
}
