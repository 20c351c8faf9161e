//! The config of a run: one strict TOML file, composed of the sections of the crates it configures. Reading it touches
//! no data and creates nothing; every problem is reported at once, with its place. What a section does is not known here.

mod problem;
mod nearest;
mod shape;
mod document;
mod diagnose;
mod reference;
mod loss;
mod schedule;
mod optimizer;
mod train;
mod sections;
mod between;
mod read;

#[cfg(test)]
mod tests;

pub(crate) use between::unknown_class_weight;
pub use loss::{ClassWeights, CrossEntropyConfig, FocalConfig, LossConfig};
pub use optimizer::{AdagradConfig, AdamConfig, AdamwConfig, LionConfig, OptimizerConfig, RmspropConfig, SgdConfig};
pub use problem::{ConfigError, InvalidConfig, Place, Problem};
pub use reference::reference;
pub use schedule::ScheduleConfig;
#[cfg(test)]
pub(crate) use schedule::{ConstantConfig, CosineConfig, InverseSqrtConfig, LinearConfig, PolynomialConfig};
pub(crate) use schedule::{OneCycleConfig, PlateauConfig};
pub use sections::Config;
pub(crate) use sections::MAX_PARAMETERS;
pub use train::{EarlyStoppingConfig, Monitor, Threshold, TrainConfig};
