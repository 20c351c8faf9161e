//! Which optimizer, with which options: what a config says. Knows no rule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The rule by which gradients change weights. One rule, named by its key: `optimizer.adam = {}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerConfig {
    /// Adam in Keras' form: θ −= α·m / (√v + ε) with α = learning_rate·√(1 − β₂ᵗ) / (1 − β₁ᵗ), the "ε̂" form of
    /// Kingma & Ba 2015, end of §2.
    Adam(AdamConfig),
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019), in Keras' form: θ −= learning_rate·weight_decay·θ
    /// before Adam's step.
    Adamw(AdamwConfig),
    /// Stochastic gradient descent, with momentum if asked for, in Keras' form.
    Sgd(SgdConfig),
    /// Each gradient over the root of its mean square (Hinton 2012, lecture 6e), in Keras' form: ε under the root.
    Rmsprop(RmspropConfig),
    /// Each gradient over the root of the sum of all its squares so far (Duchi et al. 2011), in Keras' form: ε under
    /// the root. Steps only shrink: suited to sparse features, not to long runs.
    Adagrad(AdagradConfig),
    /// The sign of a mean of gradients (Chen et al. 2023): every weight moves by the same amount, and one moment is
    /// kept instead of Adam's two. Learning rates are 3 to 10 times smaller than Adam's.
    Lion(LionConfig),
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::Adam(AdamConfig::default())
    }
}

/// Options of `optimizer.adam`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdamConfig {
    /// The highest learning rate; the schedule scales it. Default 0.001, as Keras.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// How slowly the mean of the gradients forgets. Default 0.9, as Keras.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta_1: f64,
    /// How slowly the mean of the squared gradients forgets. Default 0.999, as Keras.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta_2: f64,
    /// Keeps the step finite where gradients vanish. Default 1e-7, as Keras.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub epsilon: f64,
    /// Leave the rows of an embedding table whose tokens are not in the step's examples alone, moments too ("lazy"
    /// Adam): fast for large vocabularies. Default false, as Keras, where their moments fade and still move them.
    pub sparse: bool,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, sparse: false }
    }
}

/// Options of `optimizer.adamw`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdamwConfig {
    /// The highest learning rate; the schedule scales it. Default 0.001, as Keras.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// How slowly the mean of the gradients forgets. Default 0.9, as Keras.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta_1: f64,
    /// How slowly the mean of the squared gradients forgets. Default 0.999, as Keras.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta_2: f64,
    /// Keeps the step finite where gradients vanish. Default 1e-7, as Keras.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub epsilon: f64,
    /// The share of every weight removed by a step at learning rate 1. Default 0.004, as Keras.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub weight_decay: f64,
    /// Leave the rows of an embedding table whose tokens are not in the step's examples alone, moments too, and
    /// without decay: fast for large vocabularies. Default false, as Keras, where all rows move in every step.
    pub sparse: bool,
}

impl Default for AdamwConfig {
    fn default() -> Self {
        let AdamConfig { learning_rate, beta_1, beta_2, epsilon, sparse } = AdamConfig::default();
        Self { learning_rate, beta_1, beta_2, epsilon, weight_decay: 0.004, sparse }
    }
}

/// Options of `optimizer.sgd`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SgdConfig {
    /// The highest learning rate; the schedule scales it. Default 0.01, as Keras.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// The share of the last step that the next one keeps. Default 0, as Keras.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub momentum: f64,
    /// Look ahead along the momentum (Sutskever et al. 2013). Default false, as Keras.
    pub nesterov: bool,
    /// Leave the rows of an embedding table whose tokens are not in the step's examples alone, momentum too: fast for
    /// large vocabularies, and without momentum the same as with all rows. Default false, as Keras.
    pub sparse: bool,
}

impl Default for SgdConfig {
    fn default() -> Self {
        Self { learning_rate: 0.01, momentum: 0.0, nesterov: false, sparse: false }
    }
}

/// Options of `optimizer.rmsprop`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RmspropConfig {
    /// The highest learning rate; the schedule scales it. Default 0.001, as Keras.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// How slowly the mean of the squared gradients forgets. Default 0.9, as Keras.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub rho: f64,
    /// The share of the last step that the next one keeps. Default 0, as Keras: none is kept.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub momentum: f64,
    /// Keeps the step finite where gradients vanish. Default 1e-7, as Keras.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub epsilon: f64,
    /// Divide by the variance of the gradients, not by their mean square (Graves 2013, §4.2). Default false, as Keras:
    /// it costs a moment more, and gradients that hardly vary need a larger `epsilon`.
    pub centered: bool,
    /// Leave the rows of an embedding table whose tokens are not in the step's examples alone, moments too: fast for
    /// large vocabularies. Default false, as Keras, where their moments fade.
    pub sparse: bool,
}

impl Default for RmspropConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-3, rho: 0.9, momentum: 0.0, epsilon: 1e-7, centered: false, sparse: false }
    }
}

/// Options of `optimizer.adagrad`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdagradConfig {
    /// The highest learning rate; the schedule scales it. Default 0.001, as Keras, though Adagrad wants more: 0.01 to
    /// 1.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// The sum of squares at the start: keeps the first steps small. Default 0.1, as Keras.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub initial_accumulator_value: f64,
    /// Keeps the step finite where gradients vanish. Default 1e-7, as Keras.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub epsilon: f64,
    /// Compute only the rows of an embedding table whose tokens are in the step's examples: fast for large
    /// vocabularies, and the same as with all rows, since Adagrad forgets nothing. Default false, as Keras.
    pub sparse: bool,
}

impl Default for AdagradConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-3, initial_accumulator_value: 0.1, epsilon: 1e-7, sparse: false }
    }
}

/// Options of `optimizer.lion`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LionConfig {
    /// The highest learning rate, by which every weight moves; the schedule scales it. Default 0.001, as Keras.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// The share of the momentum, against the gradient, in the sum whose sign is the step. Default 0.9, as Keras.
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub beta_1: f64,
    /// How slowly the momentum forgets. Default 0.99, as Keras.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta_2: f64,
    /// The share of every weight removed by a step at learning rate 1, before the step. Default 0, as Keras; the paper
    /// uses 3 to 10 times AdamW's.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub weight_decay: f64,
}

impl Default for LionConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta_1: 0.9, beta_2: 0.99, weight_decay: 0.0 }
    }
}

impl OptimizerConfig {
    /// The learning rate that a schedule scales.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Adam(config) => config.learning_rate,
            Self::Adamw(config) => config.learning_rate,
            Self::Sgd(config) => config.learning_rate,
            Self::Rmsprop(config) => config.learning_rate,
            Self::Adagrad(config) => config.learning_rate,
            Self::Lion(config) => config.learning_rate,
        }
    }

    /// Whether rows of a table without a token in the step's examples are left alone.
    pub fn is_sparse(&self) -> bool {
        match self {
            Self::Adam(config) => config.sparse,
            Self::Adamw(config) => config.sparse,
            Self::Sgd(config) => config.sparse,
            Self::Rmsprop(config) => config.sparse,
            Self::Adagrad(config) => config.sparse,
            Self::Lion(_) => false,
        }
    }

    /// How many moments it keeps for each weight: each takes as much memory as the weight.
    pub fn n_moments(&self) -> u64 {
        self.moments().len() as u64
    }

    /// The names of the moments it keeps for each weight, in the order in which the rules take them.
    pub(crate) fn moments(&self) -> &'static [&'static str] {
        match self {
            Self::Adam(_) | Self::Adamw(_) => &["momentum", "velocity"],
            Self::Sgd(config) if config.momentum > 0.0 => &["momentum"],
            Self::Sgd(_) => &[],
            Self::Rmsprop(config) => match (config.momentum > 0.0, config.centered) {
                (false, false) => &["velocity"],
                (true, false) => &["velocity", "momentum"],
                (false, true) => &["velocity", "average_gradient"],
                (true, true) => &["velocity", "momentum", "average_gradient"],
            },
            Self::Adagrad(_) => &["accumulator"],
            Self::Lion(_) => &["momentum"],
        }
    }

    /// The value of all moments before the first step.
    pub(crate) fn initial_moment(&self) -> f32 {
        match self {
            Self::Adagrad(config) => config.initial_accumulator_value as f32,
            _ => 0.0,
        }
    }
}
