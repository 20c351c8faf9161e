//! What can go wrong between a config and a run directory.

use std::fmt;
use std::io;
use std::path::PathBuf;

use attentive_data::DataError;
use attentive_model::WeightsError;

use crate::checkpoint::Difference;
use crate::config::{ConfigError, InvalidConfig};

/// A training, evaluation or prediction that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The config could not be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data could not be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A checkpoint could not be written or used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Weights could not be read from the device, or do not fit the model.
    #[error("the weights could not be used")]
    Weights(#[from] WeightsError),
    /// The directory of a new run is there already.
    #[error("the run directory `{path}` already exists", path = path.display())]
    RunExists {
        /// The directory.
        path: PathBuf,
    },
    /// The run directory was removed, renamed or replaced while it was written to.
    #[error("cannot write to the run: `{path}` was removed or replaced while it was in use", path = path.display())]
    Gone {
        /// The directory.
        path: PathBuf,
    },
    /// Another process writes to the run directory.
    #[error("the run directory `{path}` is in use by {owner}", path = path.display())]
    RunLocked {
        /// The directory.
        path: PathBuf,
        /// Process, host and start time, as the lock file tells.
        owner: String,
    },
    /// The path is not a run directory.
    #[error("`{path}` is not a run directory: {reason}", path = path.display())]
    NotARun {
        /// The path.
        path: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// The directory of a new run holds files of someone else.
    #[error("`{path}` holds files that are not a run's, and attentive does not overwrite them", path = path.display())]
    Occupied {
        /// The directory.
        path: PathBuf,
    },
    /// The run in the directory was made from something else.
    #[error("what the run in `{path}` was made from has changed{}", lines(.differences), path = path.display())]
    Changed {
        /// The run directory.
        path: PathBuf,
        /// What differs.
        differences: Vec<Difference>,
    },
    /// Numbers that are not finite come again and again.
    #[error(
        "training diverged at step {step} (epoch {epoch}): {tensor} is not finite, after going back {rollbacks} times with \
         a lower learning rate\n  the examples of the step: {examples}"
    )]
    Diverged {
        /// The step, counted from 1.
        step: u64,
        /// The epoch, counted from 1.
        epoch: u64,
        /// What holds the first number that is not finite.
        tensor: String,
        /// How often the run went back.
        rollbacks: u32,
        /// Where the examples of the step stand.
        examples: String,
    },
    /// Numbers that are not finite came before there was a checkpoint to go back to, and what the run started from is no
    /// longer at hand.
    #[error(
        "training diverged, and the run cannot go back to its start: `{path}`, which it started from, is no longer at hand",
        path = path.display()
    )]
    NoWayBack {
        /// What `model.embedding.vectors` or `train.init_from` names.
        path: PathBuf,
    },
    /// The disk has no room for checkpoints.
    #[error(
        "there is no room for the checkpoints of the run: {} needed, {} free where `{path}` is", bytes(*.needed),
        bytes(*.free), path = path.display()
    )]
    NoRoom {
        /// The run directory.
        path: PathBuf,
        /// Bytes of the checkpoints that there are at once.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// There is not enough memory.
    #[error("there is not enough memory: {} needed, {} available", bytes(*.needed), bytes(*.available))]
    NoMemory {
        /// Bytes of gradients, moments, averages, a checkpoint, and the scores of the largest split.
        needed: u64,
        /// Bytes that are available.
        available: u64,
    },
    /// The log of a run has nothing to compare a replay with.
    #[error("`{path}` has no line of the first steps to compare with", path = path.display())]
    NothingLogged {
        /// The log.
        path: PathBuf,
        /// The step of its first line, if it has one.
        first: Option<u64>,
    },
    /// There is nothing where the weights to start from should be.
    #[error("there is nothing to start from at `{path}`", path = path.display())]
    NoStart {
        /// What `train.init_from` names.
        path: PathBuf,
    },
    /// The weights to start from cannot be used.
    #[error("cannot start from `{path}`: {reason}", path = path.display())]
    Start {
        /// What `train.init_from` names.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The split that was asked for is not in the config.
    #[error("the config of this run names no {split} data")]
    NoSplit {
        /// The split.
        split: attentive_data::Split,
    },
    /// The head that the config asks for does not fit the labels.
    #[error("`model.head` is `sigmoid`, which decides between two labels, but the data has {n_labels}")]
    Head {
        /// How many labels there are.
        n_labels: usize,
    },
    /// A threshold is asked for where the most probable label wins.
    #[error("`train.threshold` is for sigmoids, but this data has {n_labels} labels, of which the most probable wins")]
    Threshold {
        /// How many labels there are.
        n_labels: usize,
    },
    /// A weight is given for a label that is not there.
    #[error("{}", crate::config::unknown_class_weight(.name, .known))]
    ClassWeight {
        /// The name.
        name: String,
        /// The labels there are.
        known: Vec<String>,
    },
    /// The model would not fit in any memory.
    #[error("the model would have {parameters} weights, which is more than the {limit} that attentive allows")]
    TooLarge {
        /// How many weights.
        parameters: u128,
        /// The limit.
        limit: u128,
    },
    /// A file could not be read or written.
    #[error("cannot {action} `{path}`", path = path.display())]
    Io {
        /// What was attempted, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The device failed while computing.
    #[error("the device failed: {reason}")]
    Device {
        /// What it said.
        reason: String,
    },
}

impl TrainError {
    /// A failure of the device, told in its own words.
    pub(crate) fn device(error: impl std::fmt::Display) -> Self {
        Self::Device { reason: error.to_string() }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.hint(),
            Self::Data(error) => error.hint(),
            Self::Checkpoint(error) => error.hint(),
            Self::Weights(_) => Some("the config of the run was changed after it was trained; restore it".to_string()),
            Self::RunExists { path } => Some(format!(
                "go on with it by `--resume`, replace it by `--overwrite`, or choose another place by `--run-dir`; \
                 `attentive evaluate {}` shows what it holds",
                path.display()
            )),
            Self::Gone { .. } => {
                Some("put it back and resume, or train again; nothing was written to its place".to_string())
            }
            Self::RunLocked { .. } => Some("wait for it to end, or choose another place".to_string()),
            Self::NotARun { .. } => Some("a run directory is what `attentive train CONFIG` makes".to_string()),
            Self::Occupied { .. } => Some("name a new or empty directory by `--run-dir`".to_string()),
            Self::Changed { differences, .. } => {
                let allow: Vec<String> =
                    differences.iter().map(|difference| format!("--allow-changed {}", difference.field)).collect();
                Some(format!(
                    "restore what changed; or go on all the same by `{}`, which is recorded in the run; or start a new run \
                     by `--run-dir` or `--overwrite`",
                    allow.join(" ")
                ))
            }
            Self::Diverged { .. } => Some(
                "look at the examples, lower the learning rate, set `train.max_grad_norm = 1.0`, or add `warmup_steps` to \
                 the schedule; checkpoints saved before are intact"
                    .to_string(),
            ),
            Self::NoWayBack { .. } => Some(
                "train it again with `--overwrite`, with a lower learning rate or `train.max_grad_norm = 1.0`".to_string(),
            ),
            Self::NoRoom { .. } => {
                Some("free some space, or choose another disk by `--run-dir`; nothing was trained yet".to_string())
            }
            Self::NoMemory { .. } => Some(
                "lower the `vocab_size` of the tokenizer, `features.buckets`, `model.embedding.dim` or the number of \
                 labels, end other programs, or raise the limit on memory of the process (`ulimit -v`) or its container"
                    .to_string(),
            ),
            Self::NothingLogged { first: Some(first), .. } => {
                Some(format!("the first line is of step {first}: give at least that many by `--steps`"))
            }
            Self::NothingLogged { first: None, .. } => Some(
                "`attentive resume` goes on with the run; it logs a line every `train.log_every` steps".to_string(),
            ),
            Self::NoStart { .. } => Some(
                "`train.init_from` names a run, a bundle or a .safetensors file, relative to the directory the command runs in"
                    .to_string(),
            ),
            Self::Start { .. } => Some(
                "`train.init_from` takes a run, a bundle or a .safetensors file whose weights have the names and shapes of \
                 this model's, which `attentive inspect` shows; `train.init_names` tells other names"
                    .to_string(),
            ),
            Self::NoSplit { split } => Some(match split {
                attentive_data::Split::Validation => {
                    "evaluate `--split test`, or a file with `--data FILE`".to_string()
                }
                _ => "add it under `[data]`, or evaluate a file with `--data FILE`".to_string(),
            }),
            Self::Head { .. } => Some(
                "set `model.head = \"auto\"`, or `data.multi_label = true` if a text may have several labels"
                    .to_string(),
            ),
            Self::Threshold { .. } => {
                Some("leave `train.threshold` out; `train.class_weights` shifts decisions between labels".to_string())
            }
            Self::ClassWeight { .. } => Some("correct the name, or leave it out: it then counts 1".to_string()),
            Self::TooLarge { .. } => {
                Some("lower the `vocab_size` of the tokenizer, `features.buckets` or `model.embedding.dim`".to_string())
            }
            Self::Io { source, .. } => Some(io_hint(source)),
            Self::Device { .. } => Some(
                "resume from the last checkpoint, if there is one; if the device ran out of memory, lower `train.batch_size` or raise \
                 `train.accumulation_steps`"
                    .to_string(),
            ),
        }
    }
}

impl From<InvalidConfig> for TrainError {
    fn from(error: InvalidConfig) -> Self {
        Self::Config(ConfigError::Invalid(error))
    }
}

/// A checkpoint that is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Its step.
    pub step: u64,
    /// What is wrong with it; names the file.
    pub reason: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// A checkpoint that could not be written or used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// There is none.
    #[error("the run `{path}` has no checkpoint yet", path = path.display())]
    None {
        /// The run directory.
        path: PathBuf,
    },
    /// Every checkpoint of the run is damaged.
    #[error("no checkpoint of the run is intact{}{}", lines(.damaged), lines_of_paths(.aside))]
    AllDamaged {
        /// Each one and what is wrong with it.
        damaged: Vec<Damage>,
        /// Those that were set aside earlier.
        aside: Vec<PathBuf>,
    },
    /// Newer checkpoints than the newest intact one are damaged, so which one is best is not known.
    #[error("the newest checkpoint of the run is damaged{}", lines(.damaged))]
    NewestDamaged {
        /// Each damaged one and what is wrong with it.
        damaged: Vec<Damage>,
    },
    /// A file is not what the manifest says.
    #[error("`{path}` is damaged: {reason}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A moment of the optimizer is missing, superfluous or of another size.
    #[error("the optimizer's `{name}` does not fit the model")]
    Moments {
        /// The moment, named as its weight and what it is.
        name: String,
    },
    /// A weight is not a finite number, so nothing was saved.
    #[error("the weight `{name}` holds a value that is not a finite number; nothing was saved")]
    NotFinite {
        /// The weight.
        name: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} `{path}`", path = path.display())]
    Io {
        /// What was attempted, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A part could not be put into its file format.
    #[error("cannot write `{file}`: {reason}")]
    Encode {
        /// The file of the checkpoint.
        file: &'static str,
        /// What the format's library said.
        reason: String,
    },
}

impl CheckpointError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::None { .. } => Some("let `attentive train` or `attentive resume` finish a first epoch".to_string()),
            Self::NewestDamaged { .. } => Some(
                "`attentive resume RUN` trains again from the newest intact checkpoint; or restore the file from a backup"
                    .to_string(),
            ),
            Self::AllDamaged { .. } | Self::Damaged { .. } | Self::Moments { .. } => {
                Some("restore the file from a backup, or train again with `--overwrite`".to_string())
            }
            Self::NotFinite { .. } => Some("lower the learning rate; the checkpoint before is intact".to_string()),
            Self::Io { source, .. } => Some(io_hint(source)),
            Self::Encode { .. } => None,
        }
    }
}

/// One line each.
fn lines(items: &[impl fmt::Display]) -> String {
    items.iter().map(|item| format!("\n  {item}")).collect()
}

fn lines_of_paths(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("\n  `{}` was set aside earlier", path.display())).collect()
}

/// Bytes as `9.5 MB`, in the units that are written on disks.
fn bytes(count: u64) -> String {
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    match units.into_iter().find(|(size, _)| count as f64 >= *size) {
        Some((size, unit)) => format!("{:.1} {unit}", count as f64 / size),
        None => format!("{count} bytes"),
    }
}

/// What the user can do about what the system said of a file of a run.
fn io_hint(source: &io::Error) -> String {
    use io::ErrorKind::{
        FileTooLarge, InvalidFilename, NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem,
        StorageFull,
    };
    let hint = match source.kind() {
        StorageFull | QuotaExceeded => "free some space and resume; checkpoints saved before are intact",
        FileTooLarge => {
            "raise the limit on the size of a file (`ulimit -f`) and resume; checkpoints saved before are intact"
        }
        ReadOnlyFilesystem => {
            "choose a place that can be written to by `--run-dir`, or make this one writable and resume"
        }
        PermissionDenied => "check who may read and write there",
        NotADirectory => "a file stands where a directory is needed; choose another place by `--run-dir`",
        InvalidFilename => "choose a shorter name by `--run-dir`",
        NotFound => "a part of the run was removed or renamed: put it back and resume, or train again",
        _ => "look after the disk, then resume; checkpoints saved before are intact",
    };
    hint.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk may be full, and a run diverge, before anything was saved.
    #[test]
    fn no_hint_speaks_of_a_checkpoint_that_need_not_be_there() {
        use io::ErrorKind::{FileTooLarge, Other, PermissionDenied, QuotaExceeded, StorageFull};
        let hints =
            [StorageFull, QuotaExceeded, FileTooLarge, PermissionDenied, Other].map(|kind| io_hint(&kind.into()));
        for hint in &hints {
            assert!(!hint.contains("the last checkpoint"), "{hint}");
        }
        assert_eq!(hints[0], "free some space and resume; checkpoints saved before are intact");
    }
}
