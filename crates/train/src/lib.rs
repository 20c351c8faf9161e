//! From a config to a run directory: the training loop, optimizers, checkpoints, metrics, evaluation and prediction.
//!
//! The life cycle of a run is [`NewRun`], [`Run`] and [`StoppedRun`]; what it trained is a [`Predictor`]. This crate prints nothing, reads
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
mod manifest;
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
mod job;

mod examine;
mod windows;

mod batching;

mod loader;

mod evaluate;

mod baseline;
mod initial;

mod imported;
mod learner;
mod predictor;
mod trainer;

mod lifecycle;

mod folds;
mod verify;

#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;

pub use checkpoint::{Change, Difference, Origin};
pub use config::{
    Config, ConfigError, EarlyStoppingConfig, InvalidConfig, Monitor, Place, Problem, Threshold, TrainConfig, reference,
};
pub use error::{CheckpointError, Damage, TrainError};
pub use event::Event;
pub use examine::examine;
pub use folds::{ExistingFolds, FoldFigure, FoldRuns, FoldSummary, fold_figures};
pub use format::{Precision, read_safetensors, write_safetensors};
pub use hashed::{read_hashed, sha256};
pub use imported::Imported;
pub use job::{Callbacks, Outcome, Report, Request};
pub use lifecycle::{Machine, NewRun, Preparing, Run, StoppedRun};
pub use loss::{ClassWeights, CrossEntropyConfig, FocalConfig, LossConfig};
pub use manifest::{FileEntry, parse_manifest};
pub use metrics::{Average, Baseline, BaselineFigures, ConfusionCount, Intervals, LabelMetrics, Metrics};
pub use optimizer::{
    AdagradConfig, AdamConfig, AdamwConfig, LionConfig, Optimizer, OptimizerConfig, RmspropConfig, SgdConfig,
};
pub use optimizer_state::OptimizerState;
pub use predictor::{Parts, Prediction, Predictor, summary};
pub use prepare::{Coverage, EncodedInputs, EncodedSplit, Held, Prepared, SplitAccount, limit, prepare};
pub use recovery::SetAside;
pub use run::RunDir;
pub use schedule::ScheduleConfig;
pub use staging::{RemovedOutputs, StagedDirectory, StagedFile, StagingError, remove_unfinished};
pub use start::{Source, Start, StartAccount, WeightInit};
pub use verify::{FileFinding, Replay, Replayed, verify_files};

/// The most weights that an embedding may have: 2³², 16 GiB in f32. A config above it is a slip.
const MAX_PARAMETERS: u128 = 1 << 32;

#[cfg(test)]
mod keras_golden;
