//! What goes into a call of [`Run::fit`](crate::Run::fit) and what comes out: the job, who watches, how it ended, and the report.

use std::collections::BTreeMap;

use attentive_data::Split;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::metrics::{Balance, BaselineFigures, Metrics};
use crate::origin::{Change, Origin};
use crate::preparation::prepare::Prepared;
use crate::training::event::Event;

/// Who watches a run and who may ask something of it.
pub struct Callbacks<'a> {
    /// Told of everything that happens.
    pub on_event: &'a mut dyn FnMut(&Event),
    /// Asked after every step and every epoch.
    pub request: &'a dyn Fn() -> Option<Request>,
}

/// What a watcher may ask of a run between two steps. Neither changes what is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Save a checkpoint and go on.
    Save,
    /// Save a checkpoint and return.
    Stop,
}

/// What is to be trained, on what, and where.
#[derive(Debug)]
pub struct Job<'a> {
    /// The config of the run.
    pub config: &'a Config,
    /// Its data.
    pub prepared: &'a Prepared,
    /// What it is made from, which is kept in every checkpoint.
    pub origin: &'a Origin,
    /// What computes, without gradients.
    pub device: &'a Device,
    /// What is chosen already, where the run is trained once more on everything.
    pub settled: Option<&'a Settled>,
}

/// What a training on everything takes from the one before it, which had a validation split to choose by.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The epochs whose weights are taken, or averaged.
    pub epochs: Vec<u64>,
    /// Above which probability each label is decided for; empty for one half.
    pub thresholds: Vec<f32>,
    /// By what the logits of the network and of the linear part are multiplied.
    pub balance: Option<Balance>,
}

/// How far, on average, a stated probability is from the share that turns out true: the expected calibration error (Guo et al.
/// 2017), from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibrated {
    /// The split that it was measured on: test, or without one validation, by which the factor was found.
    pub split: Split,
    /// By the logits as they were trained.
    pub before: f64,
    /// By the logits times their factor.
    pub after: f64,
}

/// What is known of a training on everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refitted {
    /// Training and validation examples together.
    pub examples: u64,
    /// The step of it whose weights predict.
    pub step: u64,
}

/// How a call of [`Run::fit`](crate::Run::fit) ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// All epochs are done, or early stopping ended them.
    Finished(Report),
    /// The run was asked to stop.
    Interrupted {
        /// The step of its newest checkpoint; `None` where there is none.
        step: Option<u64>,
    },
}

/// What `report.json` holds: the final metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The epoch whose weights were evaluated, counted from 1: the best on validation, or the last without validation.
    pub epoch: u64,
    /// The step after which.
    pub step: u64,
    /// Epochs trained in all.
    pub epochs_trained: u64,
    /// Whether early stopping ended the run.
    pub stopped_early: bool,
    /// Steps that changed nothing, because a loss or gradient was not a finite number.
    #[serde(default)]
    pub skipped_steps: u64,
    /// How often the run went back to an earlier checkpoint with a lower learning rate.
    #[serde(default)]
    pub rollbacks: u32,
    /// What was allowed to change on the way; more epochs need no permission.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// By what the logits of the network and of the linear part are multiplied; `None` where both stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Balance>,
    /// What calibration came to, see `train.calibrate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibrated>,
    /// That the weights come from a second training, on the training and validation examples together. The figures of the
    /// validation split are those from before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refit: Option<Refitted>,
    /// What a plain linear model reaches on each split, see `train.baseline`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub baseline: BTreeMap<Split, BaselineFigures>,
    /// The SHA-256 of the evaluated weights as safetensors.
    pub weights_sha256: String,
    /// The metrics of each split there is.
    pub splits: BTreeMap<Split, Metrics>,
}
