//! From a config to a run directory: the training loop, optimizers, checkpoints, metrics, evaluation and prediction.
//!
//! The three public verbs are [`fit`], [`Predictor::evaluate`] and [`Predictor::predict`]. This crate prints nothing, reads
//! no argument, and names no backend: it is handed a [`burn::tensor::Device`] and tells an observer what happens.
//!
//! The modules are listed in the order of their imports: each uses only those above it, but for `error`, which all use
//! and which names the errors of `config`.
#![recursion_limit = "256"] // the GPU backend's types nest deeply

mod checkpoint;
mod config;
mod error;
mod evaluate;
mod event;
mod format;
mod gradients;
mod loss;
mod metrics;
mod optimizer;
mod predictor;
mod prepare;
mod run;
mod schedule;
mod seed;
mod trainer;

pub use checkpoint::Fingerprints;
pub use config::{
    Config, ConfigError, EarlyStoppingConfig, InvalidConfig, Monitor, Place, Problem, TrainConfig, reference,
};
pub use error::{CheckpointError, TrainError};
pub use evaluate::Logits;
pub use event::Event;
pub use metrics::{Average, Baseline, LabelMetrics, Metrics};
pub use optimizer::{AdamConfig, AdamwConfig, Optimizer, OptimizerConfig, SgdConfig};
pub use predictor::{Prediction, Predictor, summary};
pub use prepare::{EncodedSplit, Prepared, SplitAccount, prepare};
pub use run::{LockedRun, RunDir};
pub use schedule::ScheduleConfig;
pub use trainer::{Outcome, Report, Watch, fit};

/// The most weights that an embedding may have: 2³², 16 GiB in f32. A config above it is a slip.
const MAX_PARAMETERS: u128 = 1 << 32;

#[cfg(test)]
mod keras_golden;
