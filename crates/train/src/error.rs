//! What can go wrong between a config and a run directory.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use attentive_data::DataError;
use attentive_linear::LinearError;
use attentive_model::WeightsError;

use crate::config::{ConfigError, InvalidConfig};
use crate::origin::Difference;

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
    /// The directory already holds folds of a cross-validation.
    #[error("`{path}` already holds folds of a cross-validation", path = path.display())]
    FoldsExist {
        /// The directory.
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
    /// The linear part could not be solved.
    #[error("the linear part could not be solved")]
    Linear(#[from] LinearError),
    /// The files of a linear part do not fit each other.
    #[error("the linear part could not be used: {reason}")]
    LinearPart {
        /// What is wrong with it.
        reason: String,
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

/// That a file could not be read or written.
pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TrainError {
    let path = path.to_path_buf();
    move |source| TrainError::Io { action, path, source }
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
