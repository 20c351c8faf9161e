//! The `[train]` section of a config: how the classifier is trained.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::optimizer::OptimizerConfig;
use crate::schedule::ScheduleConfig;

/// How the classifier is trained. The loss follows from the number of labels: binary cross-entropy on a sigmoid for
/// two, cross-entropy on a softmax for more.
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
    /// In how many parts a batch is computed, to save memory; the update is that of the whole batch. Default 1.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub accumulation_steps: usize,
    /// Examples computed at once outside training, where there are no gradients to keep. Default 256.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub evaluation_batch_size: usize,
    /// The rule by which gradients change weights. Default: `adam` as Keras has it.
    pub optimizer: OptimizerConfig,
    /// How the learning rate changes from step to step. Default: `constant`.
    pub schedule: ScheduleConfig,
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
    /// Steps between two lines in `metrics.jsonl`. Default 50.
    #[schemars(range(min = 1))]
    pub log_every: u64,
    /// Steps between two checkpoints within an epoch; there is one at the end of every epoch in any case. Default:
    /// none within an epoch.
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_every: Option<u64>,
    /// How many of the newest checkpoints to keep; the best is kept besides. Default 2: one may be damaged.
    #[schemars(range(min = 1, max = 1000))]
    pub keep_checkpoints: usize,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 5,
            batch_size: 32,
            accumulation_steps: 1,
            evaluation_batch_size: 256,
            optimizer: OptimizerConfig::default(),
            schedule: ScheduleConfig::default(),
            max_grad_norm: None,
            monitor: Monitor::Accuracy,
            early_stopping: None,
            log_every: 50,
            checkpoint_every: None,
            keep_checkpoints: 2,
        }
    }
}

/// A validation metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// The share of examples decided right; higher is better.
    Accuracy,
    /// The mean over the labels of their F1; higher is better. For labels of unequal size.
    MacroF1,
    /// The mean loss; lower is better.
    Loss,
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
    /// What is wrong between options that are each in range: (key below `[train]`, what to change).
    pub(crate) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = self.schedule.problems();
        if self.accumulation_steps > self.batch_size {
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
