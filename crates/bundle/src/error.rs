//! What can go wrong with a bundle.

use std::io;
use std::path::{Path, PathBuf};

use attentive_train::{StagingError, TrainError};

/// A bundle that was not written, or could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The classifier could not be put together or run.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The bundle could not be written.
    #[error(transparent)]
    Output(#[from] StagingError),
    /// A file could not be read.
    #[error("cannot read `{path}`", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file is not what was written.
    #[error("`{path}` is damaged: {reason}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The examples do not come out as where the bundle was made.
    #[error(
        "`{path}` does not compute here what it computed where it was made: {differing} of {n} examples differ by more than \
         {tolerance:e}, by up to {largest:.1e}", path = path.display()
    )]
    Differs {
        /// The bundle.
        path: PathBuf,
        /// How many examples differ.
        differing: usize,
        /// How many there are.
        n: usize,
        /// By how much a probability may differ.
        tolerance: f32,
        /// By how much one does.
        largest: f32,
    },
    /// A weight does not fit into the numbers that were asked for.
    #[error("cannot write `{file}`: {reason}")]
    Encode {
        /// The file of the bundle.
        file: &'static str,
        /// What does not fit.
        reason: String,
    },
}

/// Names the file that could not be read.
pub(crate) fn read_error(path: &Path) -> impl FnOnce(io::Error) -> BundleError {
    let path = path.to_path_buf();
    move |source| BundleError::Read { path, source }
}
