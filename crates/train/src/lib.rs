//! From a config to a run directory: the training loop, optimizers, checkpoints, metrics, evaluation and prediction.
//!
//! The life cycle of a run is [`PreparedRun`], [`Run`] and [`StoppedRun`]; what it trained is a [`Predictor`]. This crate prints nothing, reads
//! no argument, and names no backend: it is handed a [`burn::tensor::Device`] and tells an observer what happens.
//!
//! Here, as in each group, a module imports only modules above it. What a group makes public is in its `mod.rs`. Whoever
//! is new reads `trainer` first.
#![recursion_limit = "256"] // the GPU backend's types nest deeply

mod config;
mod origin;
mod error;
mod storage;
mod metrics;
mod step;
mod checkpoint;
mod run;
mod preparation;
mod batches;
mod evaluation;
mod training;
mod trainer;
mod lifecycle;

#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;

pub use attentive_linear::Rows as LinearRows;
pub use config::*;
pub use error::{CheckpointError, Damage, TrainError};
pub use evaluation::*;
pub use lifecycle::*;
pub use metrics::*;
pub use origin::{Change, Difference, Origin};
pub use preparation::*;
pub use run::*;
pub use step::*;
pub use storage::*;
pub use training::*;

#[cfg(test)]
mod keras_golden;
