//! What a training run tells whoever watches it. Observers receive a `&Event`; they hold no trainer and change nothing.

use std::path::PathBuf;

use attentive_data::Split;

use crate::metrics::Metrics;
use crate::origin::Change;
use crate::training::recovery::SetAside;

/// Something that happened in a run.
#[derive(Debug, Clone)]
pub enum Event {
    /// Training begins or goes on.
    Start {
        /// Steps already taken.
        step: u64,
        /// Steps in all.
        total_steps: u64,
    },
    /// Everything is chosen; training begins once more, on the training and validation examples together.
    Refitting {
        /// How many there are.
        examples: usize,
    },
    /// One optimizer update is done.
    Step {
        /// Steps taken, this one included.
        step: u64,
        /// The epoch, counted from 1.
        epoch: u64,
        /// Examples in the step.
        examples: usize,
        /// The mean loss over the examples of this epoch so far.
        loss: f64,
        /// The share of examples of this epoch so far that were decided right.
        accuracy: f64,
        /// The learning rate of the step.
        lr: f64,
    },
    /// A split was evaluated.
    Evaluated {
        /// Which split.
        split: Split,
        /// The epoch after which, counted from 1.
        epoch: u64,
        /// The result.
        metrics: Metrics,
    },
    /// An epoch is over.
    EpochEnd {
        /// The epoch, counted from 1.
        epoch: u64,
        /// The mean loss over its examples, while the weights moved, as Keras' `fit` reports it.
        loss: f64,
        /// Likewise the accuracy.
        accuracy: f64,
        /// The validation metrics, if there is a validation split.
        validation: Option<Metrics>,
        /// Whether these are the best so far.
        is_best: bool,
        /// The SHA-256 of the weights as safetensors.
        weights_sha256: String,
        /// Wall time of the epoch in seconds.
        seconds: f64,
    },
    /// A checkpoint is committed.
    Saved {
        /// Steps taken.
        step: u64,
        /// Where it is.
        path: PathBuf,
        /// Whether the config asked for it, not a signal or the clock.
        is_scheduled: bool,
    },
    /// A checkpoint, or the log of steps, was damaged and is not used.
    SetAside(SetAside),
    /// What the run was made from is not what it was, and that was allowed.
    Changed(Change),
    /// A step changed nothing, because a number was not finite.
    Skipped {
        /// Steps taken, this one included.
        step: u64,
        /// What held it.
        tensor: String,
    },
    /// A checkpoint that was asked for by a signal or the clock was not saved, because a number is not finite.
    NotSaved {
        /// Steps taken.
        step: u64,
        /// What holds it.
        tensor: String,
    },
    /// The run went back to an earlier checkpoint.
    RolledBack {
        /// Steps taken until then.
        from: u64,
        /// Where it goes on.
        to: u64,
        /// By what the learning rate is multiplied from there on.
        scale: f64,
    },
    /// The validation metric stopped improving and training ends early.
    StoppedEarly {
        /// The last epoch, counted from 1.
        epoch: u64,
        /// How many epochs brought no improvement.
        patience: u64,
    },
}
