//! Which schedule, with which options: what a config says. The learning rates are in the module above.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the learning rate moves between the first step and the last.
///
/// With `warmup_steps = w` the first `w` steps rise in a straight line: `learning_rate / w` in the
/// first step, twice that in the second, the full `learning_rate` in the `w`-th. With 0 the first
/// step already has the full rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleConfig {
    /// The full learning rate until the end, as Keras does by default.
    Constant(ConstantConfig),
    /// A straight line from the full learning rate down to `final_ratio` of it in the last step.
    Linear(LinearConfig),
    /// Half a cosine wave from the full learning rate down to `final_ratio` of it in the last step
    /// (Loshchilov and Hutter 2017, without restarts): slow at both ends, fast in the middle.
    Cosine(CosineConfig),
    /// Up to the full learning rate and down far below the first one, each as half a cosine wave
    /// (Smith and Topin 2019), as PyTorch's `OneCycleLR` in two phases; momentum stays as it is.
    OneCycle(OneCycleConfig),
    /// A power of the share of steps left, from the full learning rate down to `final_ratio` of it
    /// in the last step: fast first, then ever slower.
    Polynomial(PolynomialConfig),
    /// Up in a straight line, then down as 1/√step (Vaswani et al. 2017, §5.3): the only falling
    /// schedule that does not depend on the length of the run.
    InverseSqrt(InverseSqrtConfig),
    /// The full learning rate, multiplied by `factor` whenever the monitored metric has not
    /// improved for `patience` epochs, as Keras' `ReduceLROnPlateau`. Needs validation.
    Plateau(PlateauConfig),
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self::Constant(ConstantConfig::default())
    }
}

/// The full learning rate until the end.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConstantConfig {
    /// Steps of linear warm-up, 0 or more. Default 0: the reference model trains without.
    pub warmup_steps: u64,
}

/// A straight line down.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinearConfig {
    /// Steps of linear warm-up, 0 or more, out of all the steps of the run. Default 0: small models
    /// need none.
    pub warmup_steps: u64,
    /// The learning rate of the last step as a share of the full one, 0 to 1. Default 0: the
    /// weights come to rest.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub final_ratio: f64,
}

/// Half a cosine wave down.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CosineConfig {
    /// Steps of linear warm-up, 0 or more, out of all the steps of the run. Default 0: small models
    /// need none.
    pub warmup_steps: u64,
    /// The learning rate of the last step as a share of the full one, 0 to 1. Default 0: the
    /// weights come to rest.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub final_ratio: f64,
}

/// Half a cosine wave up, half a cosine wave down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OneCycleConfig {
    /// The share of all steps in which the learning rate rises, 0 to 1. Default 0.3, as PyTorch.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub pct_start: f64,
    /// The full learning rate over that of the first step, 1 or more. Default 25, as PyTorch.
    #[schemars(range(min = 1.0, max = 1e9))]
    pub div_factor: f64,
    /// The learning rate of the first step over that of the last, 1 or more. Default 10,000, as
    /// PyTorch: the weights come to rest.
    #[schemars(range(min = 1.0, max = 1e9))]
    pub final_div_factor: f64,
}

impl Default for OneCycleConfig {
    fn default() -> Self {
        Self { pct_start: 0.3, div_factor: 25.0, final_div_factor: 1e4 }
    }
}

/// A power of the share of steps left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PolynomialConfig {
    /// Steps of linear warm-up, 0 or more, out of all the steps of the run. Default 0: small models
    /// need none.
    pub warmup_steps: u64,
    /// The power, above 0: 1 is `linear`, more falls faster at first. Default 2: a line is to be had
    /// as `linear`.
    #[schemars(range(max = 100.0), extend("exclusiveMinimum" = 0.0))]
    pub power: f64,
    /// The learning rate of the last step as a share of the full one, 0 to 1. Default 0: the
    /// weights come to rest.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub final_ratio: f64,
}

impl Default for PolynomialConfig {
    fn default() -> Self {
        Self { warmup_steps: 0, power: 2.0, final_ratio: 0.0 }
    }
}

/// A straight line up, then down as 1/√step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InverseSqrtConfig {
    /// Steps of linear warm-up, 1 or more; step `t`, counted from 1, then has √(warmup_steps / t) of
    /// the full rate. Default 100: the paper's 4,000 are for runs of 100,000 steps.
    #[schemars(range(min = 1))]
    pub warmup_steps: u64,
}

impl Default for InverseSqrtConfig {
    fn default() -> Self {
        Self { warmup_steps: 100 }
    }
}

/// Down by a factor when the monitored metric stops improving.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlateauConfig {
    /// Steps of linear warm-up, 0 or more. Default 0: small models need none.
    pub warmup_steps: u64,
    /// What the learning rate is multiplied by on a plateau, between 0 and 1. Default 0.5: Keras' 0.1 would all but end
    /// a run of few epochs.
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub factor: f64,
    /// Epochs without improvement that make a plateau, 1 or more. Default 1: with Keras' 10 a run of few epochs would
    /// never see one.
    #[schemars(range(min = 1))]
    pub patience: u64,
    /// By how much the metric must be better than its best for an improvement, 0 or more. Default 0.0001, as Keras.
    #[schemars(range(min = 0.0, max = 1e6))]
    pub min_delta: f64,
    /// Epochs after a reduction in which lack of improvement does not count, 0 or more. Default 0, as Keras.
    pub cooldown: u64,
    /// The lowest learning rate as a share of the full one, 0 to 1. Default 0, as Keras.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_ratio: f64,
}

impl Default for PlateauConfig {
    fn default() -> Self {
        Self { warmup_steps: 0, factor: 0.5, patience: 1, min_delta: 1e-4, cooldown: 0, min_ratio: 0.0 }
    }
}
