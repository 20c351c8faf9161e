//! Checkpoints: one directory each, with one commit point. A checkpoint is either whole or not there.
//!
//! It is written under a temporary name, every file synced, the manifest with sizes and SHA-256 last, then renamed,
//! the parent directory synced, and read back. There is no pointer to the latest: the newest directory whose manifest
//! verifies is the latest. Nothing is parsed before its hash is verified.

pub(crate) mod selection;
mod disk;
mod manifest;
mod store;

#[cfg(test)]
mod crashes;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use attentive_model::Weight;
use serde::{Deserialize, Serialize};

pub(crate) use self::disk::{Disk, OsDisk};
#[cfg(fuzzing)]
pub(crate) use self::manifest::SCHEMA;
use self::selection::Selection;
pub(crate) use self::store::{Glance, Newest, Store, directory_name};
use crate::error::CheckpointError;
use crate::metrics::Balance;
use crate::origin::{Change, Origin};
use crate::step::schedule::PlateauState;
use crate::storage::encoded::{Encoded, NamedTensor};
use crate::storage::format;

/// The weights of the model, as safetensors.
pub(crate) const WEIGHTS: &str = "model.safetensors";
/// The optimizer's moments and the moving averages of weights, as burnpack.
pub(crate) const MOMENTS: &str = "optimizer.bpk";
/// The loop's state.
pub(crate) const STATE: &str = "state.json";

/// Where the loop stands: everything that is neither weight nor moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    /// Steps taken, skipped ones included.
    pub step: u64,
    /// Updates that another program made before the first step.
    #[serde(default, skip_serializing_if = "is_none")]
    pub updates_before: u64,
    /// Epochs done.
    pub epoch: u64,
    /// Steps done in the epoch under way.
    pub step_in_epoch: u64,
    /// What the epoch under way has summed up.
    pub running: Running,
    /// The best evaluations so far.
    pub selection: Selection,
    /// Above which probability each label is decided for, as the last evaluation found; empty for one half.
    pub thresholds: Vec<f32>,
    /// By what the logits of the network and of the linear part are multiplied, as the last evaluation found; `None` where both
    /// stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Balance>,
    /// Where a schedule that waits for improvement stands.
    pub plateau: PlateauState,
    /// Whether early stopping ended the run.
    pub stopped_early: bool,
    /// What came out as no finite number, and what was done about it.
    #[serde(rename = "trouble")]
    pub non_finite: NonFinite,
    /// The step of the newest checkpoint that the config asked for, if its last step was not skipped.
    #[serde(rename = "planned")]
    pub last_scheduled: Option<u64>,
    /// Of the newest such one from which the next step was a good one. It is where a run that diverges goes back to, so
    /// nothing depends on the checkpoints that a signal or a clock asks for.
    #[serde(rename = "proven")]
    pub last_good: Option<u64>,
    /// What was allowed to change on the way.
    pub changes: Vec<Change>,
    /// The length of `metrics.jsonl` in bytes; what is behind belongs to steps that a resumed run repeats.
    pub metrics_bytes: u64,
    /// The SHA-256 of those bytes.
    pub metrics_sha256: String,
}

impl State {
    /// Updates that the optimizer has made.
    pub(crate) fn updates(&self) -> u64 {
        self.updates_before.saturating_add(self.step - self.non_finite.skipped)
    }

    /// Whether a state that was read can be one that was written.
    ///
    /// # Errors
    /// What it cannot hold.
    fn check(&self) -> Result<(), String> {
        let of_best = self.selection.best.iter().map(|best| best.value);
        let reasons = [
            (self.step_in_epoch <= self.step, "more steps in the epoch than in all"),
            (self.running.loss.is_finite() && self.running.loss >= 0.0, "a loss that is negative or not finite"),
            (self.running.correct <= self.running.examples, "more right decisions than examples"),
            (self.epoch <= self.step, "more epochs than steps"),
            (self.thresholds.iter().all(|threshold| (0.0..=1.0).contains(threshold)), "a threshold beyond 0 and 1"),
            (self.balance.is_none_or(Balance::is_valid), "a factor of logits that is negative or not finite"),
            (of_best.into_iter().all(f64::is_finite), "a best value that is not finite"),
            (self.selection.best.iter().all(|best| best.step <= self.step), "a best step that is yet to come"),
            (self.plateau.scale > 0.0 && self.plateau.scale <= 1.0, "a scale of the learning rate beyond 0 and 1"),
            (self.non_finite.skipped <= self.step, "more steps skipped than taken"),
            (
                [self.last_scheduled, self.last_good].iter().flatten().all(|step| *step <= self.step),
                "a checkpoint that is yet to come",
            ),
        ];
        match reasons.into_iter().find(|(holds, _)| !holds) {
            Some((_, reason)) => Err(format!("it holds {reason}")),
            None => Ok(()),
        }
    }
}

/// Whether there are none.
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Account of losses and gradients that were no finite numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NonFinite {
    /// Steps that changed nothing, because their loss or a gradient was not finite.
    pub skipped: u64,
    /// How many of them were the last ones.
    pub in_a_row: u64,
    /// How often the run went back to a checkpoint with a lower learning rate.
    pub rollbacks: u32,
}

/// Sums over the examples of the epoch under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Running {
    /// The losses.
    pub loss: f64,
    /// The right decisions.
    pub correct: u64,
    /// The examples.
    pub examples: u64,
}

impl std::ops::AddAssign for Running {
    fn add_assign(&mut self, other: Self) {
        self.loss += other.loss;
        self.correct += other.correct;
        self.examples += other.examples;
    }
}

impl Running {
    /// The mean loss; 0 before the first example.
    pub(crate) fn mean_loss(&self) -> f64 {
        self.loss / self.examples.max(1) as f64
    }

    /// The share of right decisions; 0 before the first example.
    pub(crate) fn accuracy(&self) -> f64 {
        self.correct as f64 / self.examples.max(1) as f64
    }
}

/// A model and its optimizer as the files of a checkpoint, before they are written.
#[derive(Debug)]
pub(crate) struct Snapshot<'a> {
    weights: Encoded<'a>,
    moments: Encoded<'a>,
    /// The SHA-256 of the file of the weights.
    pub weights_sha256: String,
    moments_sha256: String,
}

impl<'a> Snapshot<'a> {
    /// Puts weights and moments into their formats.
    ///
    /// # Errors
    /// [`CheckpointError::Encode`] when a format refuses them.
    pub(crate) fn new(weights: Vec<NamedTensor<'a>>, moments: Vec<NamedTensor<'a>>) -> Result<Self, CheckpointError> {
        let refused = |file| move |reason| CheckpointError::Encode { file, reason };
        let weights = Encoded::safetensors(weights).map_err(refused(WEIGHTS))?;
        let moments = Encoded::burnpack(moments).map_err(refused(MOMENTS))?;
        let (weights_sha256, moments_sha256) = rayon::join(|| weights.sha256(), || moments.sha256());
        Ok(Self { weights, moments, weights_sha256, moments_sha256 })
    }
}

#[cfg(test)]
impl Snapshot<'static> {
    /// Any bytes with their hashes.
    fn of(weights: Vec<u8>, moments: Vec<u8>) -> Self {
        use crate::storage::hashed::sha256;
        let (weights_sha256, moments_sha256) = (sha256(&weights), sha256(&moments));
        Self { weights: weights.into(), moments: moments.into(), weights_sha256, moments_sha256 }
    }
}

#[cfg(test)]
impl PartialEq for Snapshot<'_> {
    fn eq(&self, other: &Self) -> bool {
        let bytes = |snapshot: &Self| (snapshot.weights.to_bytes(), snapshot.moments.to_bytes());
        bytes(self) == bytes(other)
            && self.weights_sha256 == other.weights_sha256
            && self.moments_sha256 == other.moments_sha256
    }
}

/// A verified checkpoint in memory.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    /// Its directory.
    pub path: PathBuf,
    /// Where the loop stood.
    pub state: State,
    /// What the run was made from.
    pub origin: Origin,
    /// The SHA-256 of the file of the weights.
    pub weights_sha256: String,
    moments_sha256: String,
    /// The bytes of [`WEIGHTS`].
    weights: Vec<u8>,
    /// The bytes of [`MOMENTS`].
    moments: Vec<u8>,
}

impl Checkpoint {
    /// What it was made from.
    pub(crate) fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            weights: Encoded::from(self.weights.as_slice()),
            moments: Encoded::from(self.moments.as_slice()),
            weights_sha256: self.weights_sha256.clone(),
            moments_sha256: self.moments_sha256.clone(),
        }
    }

    /// The weights of the model.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`] when the file, although it is the one that was written, is not safetensors.
    pub(crate) fn weights(&self) -> Result<Vec<Weight>, CheckpointError> {
        guarded(|| format::from_safetensors(&self.weights)).map_err(|reason| self.damaged(WEIGHTS, reason))
    }

    /// The moments of the optimizer, and the moving averages if there are any.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`] when the file, although it is the one that was written, is not burnpack.
    pub(crate) fn moments(&self) -> Result<Vec<Weight>, CheckpointError> {
        guarded(|| format::from_burnpack(&self.moments)).map_err(|reason| self.damaged(MOMENTS, reason))
    }

    /// That a file is the one that was written and yet cannot be what it should be.
    pub(crate) fn damaged(&self, file: &str, reason: impl Into<String>) -> CheckpointError {
        CheckpointError::Damaged { path: self.path.join(file), reason: reason.into() }
    }
}

/// What a parser makes of a file. If it panics, that is the file's fault.
fn guarded<T>(parse: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(parse)).unwrap_or_else(|_| Err("its parser gave up on it".to_string()))
}
