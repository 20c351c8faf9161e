//! From a config to a run directory: the training loop, optimizers, checkpoints, metrics, evaluation and prediction.
//!
//! The three public verbs are [`fit`], [`Predictor::evaluate`] and [`Predictor::predict`]. This crate prints nothing, reads
//! no argument, and names no backend: it is handed a [`burn::tensor::Device`] and tells an observer what happens.
//!
//! The modules are listed in the order of their imports: each uses only those above it, but for `error`, which all use
//! and which names the errors of `config`.
#![recursion_limit = "256"] // the GPU backend's types nest deeply

mod error;

mod int8;
mod staging;

mod format;
mod hashed;
mod loss;
mod memory;
mod metrics;
mod rows;
mod schedule;
mod seed;

mod encoded;
mod gradients;
mod optimizer;

mod config;
mod selection;

mod checkpoint;
mod run;

mod average;
mod chosen;
mod metrics_log;
mod optimizer_state;
mod preflight;
mod start;

mod prepare;
mod recovery;

mod event;
mod sitting;

mod examine;
mod windows;

mod batching;

mod loader;

mod evaluate;
mod initial;

mod elsewhere;
mod learner;
mod predictor;
mod trainer;

mod verify;

#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;

pub use checkpoint::{Change, Difference, Origin};
pub use config::{
    Config, ConfigError, EarlyStoppingConfig, InvalidConfig, Monitor, Place, Problem, Threshold, TrainConfig, reference,
};
pub use elsewhere::Elsewhere;
pub use error::{CheckpointError, Damage, TrainError};
pub use event::Event;
pub use examine::examine;
pub use format::{Precision, read_safetensors, write_safetensors};
pub use hashed::{read_hashed, sha256};
pub use loss::{ClassWeights, CrossEntropyConfig, FocalConfig, LossConfig};
pub use metrics::{Average, Baseline, ConfusionCount, Intervals, LabelMetrics, Metrics};
pub use optimizer::{
    AdagradConfig, AdamConfig, AdamwConfig, LionConfig, Optimizer, OptimizerConfig, RmspropConfig, SgdConfig,
};
pub use optimizer_state::OptimizerState;
pub use predictor::{Parts, Prediction, Predictor, summary};
pub use prepare::{Coverage, EncodedInputs, EncodedSplit, Held, Prepared, SplitAccount, limit, prepare, prepare_with};
pub use recovery::{Recovered, SetAside};
pub use run::{LockedRun, RunDir};
pub use schedule::ScheduleConfig;
pub use sitting::{Job, Outcome, Report, Request, Watch};
pub use staging::{RemovedOutputs, StagedDirectory, StagedFile, StagingError, remove_unfinished};
pub use start::{Source, Start, StartAccount, Started};
pub use trainer::fit;
pub use verify::{Finding, Replayed, first_config, logged, replay, verify_files};

/// The most weights that an embedding may have: 2³², 16 GiB in f32. A config above it is a slip.
const MAX_PARAMETERS: u128 = 1 << 32;

#[cfg(test)]
mod keras_golden;
