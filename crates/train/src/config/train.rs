//! The `[train]` section of a config: how the classifier is trained.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use attentive_data::{BatchSize, PlanSettings};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::loss::{ClassWeights, LossConfig};
use super::optimizer::OptimizerConfig;
use super::schedule::ScheduleConfig;

/// How the classifier is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// How often to go through the training examples. Default 5, as the reference model.
    #[schemars(range(min = 1, max = 100_000))]
    pub epochs: u64,
    /// Examples in a step, that is, in one update of the weights. The last step of an epoch takes what is left.
    /// Default 32, as Keras.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub batch_size: usize,
    /// Instead of `batch_size`: the most tokens in a step, padding included, so that steps on short texts take more
    /// examples. A step has at least one example. Best together with `bucket_batches`. Default: none.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_tokens: Option<usize>,
    /// Among the shuffled examples of so many batches, those of like length go into a batch together, which saves
    /// padding; the batches are then shuffled. Default 1: batches are as the shuffle made them. 50 saves most of the
    /// padding there is and keeps the batches of an epoch unlike each other.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub bucket_batches: usize,
    /// In how many parts a batch is computed, to save memory; the update is that of the whole batch. Default 1.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub accumulation_steps: usize,
    /// Examples computed at once outside training, where there are no gradients to keep; of a text in windows, each window
    /// counts. Default 256.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub evaluation_batch_size: usize,
    /// Weights to start from: a run, a bundle, or a .safetensors file. Those of the same name and shape are taken; rows of
    /// the embedding by their token where the tokenizers differ, and positions as far as both reach; the head only where
    /// the labels are the same. What was taken and what was not is printed and kept in `split.json`. The optimizer starts
    /// anew. Default: none. Relative to the directory the command runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_from: Option<PathBuf>,
    /// What weights are called in `init_from` where they have other names there: a weight of this model = its name there, as
    /// in `{ "embedding.weight" = "embeddings.word_embeddings.weight" }`. Each that is named must be there, and of the
    /// same shape. Default: none, all have the names of this model's, which `attentive inspect` shows.
    pub init_names: BTreeMap<String, String>,
    /// The rule by which gradients change weights. Default: `adam` as Keras has it.
    pub optimizer: OptimizerConfig,
    /// Learning rates of their own for parts of the model, by the first name of their weights: `embedding`,
    /// `positions`, `attention`, `pooling`, `ngrams` or `head`. The schedule scales them alike. Default: none, all parts
    /// have the optimizer's.
    #[schemars(extend("additionalProperties" = { "type": "number", "exclusiveMinimum": 0.0 }))]
    pub learning_rates: BTreeMap<String, f64>,
    /// How the learning rate changes from step to step. Default: `constant`.
    pub schedule: ScheduleConfig,
    /// What is minimised. Default: `cross_entropy`, as the reference model.
    pub loss: LossConfig,
    /// The share of certainty taken from each target: 0.1 asks for 0.95 on a sigmoid, and on a softmax spreads 0.1 over
    /// all labels. Default 0. It keeps a model from being too sure of itself.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub label_smoothing: f64,
    /// How much each label counts in the training loss: `"balanced"`, or numbers by label such as `{ spam = 2.0 }`. With
    /// several labels per text a number weighs the texts that have the label. Default: all count the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<ClassWeights>,
    /// Above which probability a label is decided for, where sigmoids decide: a number, or `"tuned"` to choose it on the
    /// validation split: with several labels per text one for each label, best for the label's F1, or for micro F1 if
    /// that is the `monitor`; with two labels one that is best for `monitor`. With several labels per text, `"shared"`
    /// chooses one for all of them, which is best for micro F1 where probabilities are calibrated (Lipton et al. 2014), and
    /// fits chance less than one for each. Default 0.5, as Keras.
    pub threshold: Threshold,
    /// Multiply the logits by the one factor that makes the labels of the validation split most likely (temperature scaling: Guo
    /// et al. 2017), so that of the texts that get 80 % four in five are right. It changes no decision but those of thresholds,
    /// and is part of the weights of the head in every export. Default false; beside a linear part it is done in any case.
    pub calibrate: bool,
    /// Train once more when all epochs are done, on the training and validation examples together: from the same seed, for as many
    /// epochs as were best, with the thresholds and factors that were chosen. The figures of the validation split stay those
    /// from before; those of the test split are of the second training. Default false.
    pub refit: bool,
    /// Evaluate and predict with an exponential moving average of the weights instead of the last ones: the share that
    /// the average keeps at each step, such as 0.999. It grows from 0.1 during the first steps, so that the initial
    /// weights are soon forgotten. Default: none.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    /// Evaluate and predict with the mean of the weights of this many best epochs (Izmailov et al. 2018, with a
    /// validation split to choose by). Default 1: the best epoch alone.
    #[schemars(range(min = 1, max = 100))]
    pub average_best: usize,
    /// Gradients whose norm, taken over all weights together, is larger are scaled down to it. Default: none; 1.0
    /// steadies transformers.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_grad_norm: Option<f64>,
    /// The validation metric that decides which epoch is best; the best epoch's weights are evaluated and used for
    /// prediction. Default `accuracy`.
    pub monitor: Monitor,
    /// End training when the monitored metric stops improving. Default: train all epochs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStoppingConfig>,
    /// Whether to measure beside the classifier what a plain linear model reaches on the same splits: words, pairs of words and
    /// n-grams of characters, by TF-IDF and a linear SVM. It is left out where it would take longer than seconds, for more than
    /// 8 MiB of training texts or 300 labels, and for pairs of texts. Default true: whoever does no better needs no training.
    pub baseline: bool,
    /// Steps between two lines in `metrics.jsonl`. Default 50.
    #[schemars(range(min = 1))]
    pub log_every: u64,
    /// Steps between two checkpoints within an epoch; there is one at the end of every epoch in any case. Default:
    /// none within an epoch.
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_every: Option<u64>,
    /// Minutes after which there is a checkpoint at the latest, so that a crash does not cost more. It changes nothing of
    /// what is learned. Default 10.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub checkpoint_minutes: f64,
    /// How many of the newest checkpoints to keep; the best is kept besides. Default 2: one may be damaged.
    #[schemars(range(min = 1, max = 1000))]
    pub keep_checkpoints: usize,
    /// Keep besides, for good, the checkpoints whose step is a multiple of this. Default: none.
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_every: Option<u64>,
    /// A step whose loss or gradient is not a finite number changes nothing and is counted. After so many in a row the
    /// run goes back to its last checkpoint and half the learning rate, twice at most; then it ends. Default 5.
    #[schemars(range(min = 1))]
    pub max_skipped: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 5,
            batch_size: 32,
            batch_tokens: None,
            bucket_batches: 1,
            accumulation_steps: 1,
            evaluation_batch_size: 256,
            init_from: None,
            init_names: BTreeMap::new(),
            optimizer: OptimizerConfig::default(),
            learning_rates: BTreeMap::new(),
            loss: LossConfig::default(),
            label_smoothing: 0.0,
            class_weights: None,
            threshold: Threshold::default(),
            calibrate: false,
            refit: false,
            ema: None,
            average_best: 1,
            schedule: ScheduleConfig::default(),
            max_grad_norm: None,
            monitor: Monitor::Accuracy,
            early_stopping: None,
            baseline: true,
            log_every: 50,
            checkpoint_every: None,
            checkpoint_minutes: 10.0,
            keep_checkpoints: 2,
            keep_every: None,
            max_skipped: 5,
        }
    }
}

/// A validation metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// The share of examples decided right, with several labels per text those where every label is; higher is better.
    Accuracy,
    /// The mean over the labels of their F1; higher is better. For labels of unequal size.
    MacroF1,
    /// F1 over all decisions pooled; higher is better. For several labels per text; with one label it is the accuracy.
    MicroF1,
    /// The mean loss; lower is better.
    Loss,
}

/// Where a label is decided for: `0.5`, `"tuned"` or `"shared"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// Above this probability.
    At(f32),
    /// Where it is best on the validation split.
    Tuned,
    /// Where one threshold for all labels is best for micro F1 on the validation split.
    Shared,
}

impl Default for Threshold {
    fn default() -> Self {
        Self::At(0.5)
    }
}

const TUNED: &str = "tuned";
const SHARED: &str = "shared";

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // The shortest decimal that is the same f32.
            Self::At(value) => value.to_string().parse::<f64>().unwrap_or(f64::from(*value)).serialize(serializer),
            Self::Tuned => serializer.serialize_str(TUNED),
            Self::Shared => serializer.serialize_str(SHARED),
        }
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ThresholdVisitor;

        impl Visitor<'_> for ThresholdVisitor {
            type Value = Threshold;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number between 0 and 1, `\"tuned\"` or `\"shared\"`")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Threshold, E> {
                let narrow = value as f32; // what rounds to 0 or 1 could not be read again
                match narrow > 0.0 && narrow < 1.0 {
                    true => Ok(Threshold::At(narrow)),
                    false => Err(E::invalid_value(de::Unexpected::Float(value), &self)),
                }
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Threshold, E> {
                Err(E::invalid_value(de::Unexpected::Signed(value), &self))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Threshold, E> {
                Err(E::invalid_value(de::Unexpected::Unsigned(value), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Threshold, E> {
                match text {
                    TUNED => Ok(Threshold::Tuned),
                    SHARED => Ok(Threshold::Shared),
                    other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
                }
            }
        }

        deserializer.deserialize_any(ThresholdVisitor)
    }
}

impl JsonSchema for Threshold {
    fn schema_name() -> Cow<'static, str> {
        "Threshold".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where a label is decided for.",
            "oneOf": [
                { "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "description": "Above this probability." },
                { "const": TUNED, "description": "Where it is best on the validation split." },
                { "const": SHARED, "description": "One for all labels, where micro F1 is best on the validation split." }
            ]
        })
    }
}

/// When to end training before its last epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EarlyStoppingConfig {
    /// Epochs without improvement that are tolerated. Default 3.
    #[schemars(range(min = 1))]
    pub patience: u64,
    /// By how much the metric must improve to count. Default 0.
    #[schemars(range(min = 0.0))]
    pub min_delta: f64,
}

impl Default for EarlyStoppingConfig {
    fn default() -> Self {
        Self { patience: 3, min_delta: 0.0 }
    }
}

impl TrainConfig {
    /// How an epoch is cut into batches.
    pub(crate) fn plan(&self) -> PlanSettings {
        let size = self.batch_tokens.map_or(BatchSize::Examples(self.batch_size), BatchSize::Tokens);
        PlanSettings { size, bucket_batches: self.bucket_batches }
    }

    /// What is wrong between options that are each in range: (key below `[train]`, what to change).
    pub(crate) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if self.batch_tokens.is_none() && self.accumulation_steps > self.batch_size {
            problems.push((
                "accumulation_steps",
                format!(
                    "a batch of {} examples cannot be computed in {} parts",
                    self.batch_size, self.accumulation_steps
                ),
            ));
        }
        problems
    }
}
