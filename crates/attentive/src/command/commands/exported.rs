//! What an export is made from.

use std::path::{Path, PathBuf};

use attentive::SavedClassifier;
use attentive_train::{Config, Machine, Predictor};

use crate::failure::Failure;

/// A classifier that is loaded to be exported.
pub(super) struct Exported {
    pub(super) predictor: Predictor,
    pub(super) machine: Machine,
    pub(super) from: SavedClassifier,
}

impl Exported {
    /// Loads the classifier of a run or bundle.
    pub(super) fn load(path: &Path, backend: Option<&str>) -> Result<Self, Failure> {
        let from = SavedClassifier::open(path)?;
        let (predictor, machine) = from.load(backend)?;
        Ok(Self { predictor, machine, from })
    }

    /// The config of the run.
    pub(super) fn config(&self) -> &Config {
        self.predictor.config()
    }
}

/// The size of an export on disk in bytes: that of a file, or of the files in a directory.
pub(super) fn size(path: &PathBuf) -> u64 {
    let length = |path: &PathBuf| std::fs::symlink_metadata(path).map_or(0, |metadata| metadata.len());
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| length(&entry.path())).sum(),
        Err(_) => length(path),
    }
}
