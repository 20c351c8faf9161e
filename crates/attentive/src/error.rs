//! What can go wrong.

use attentive_backend::BackendError;
use attentive_bundle::BundleError;
use attentive_data::DataError;
use attentive_train::{ConfigError, StagingError, TrainError};

/// A training, or a use of what was trained, that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A run that could not be trained or read, or a config that is wrong.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A bundle that could not be used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A device that could not be opened.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// A file that could not be written.
    #[error(transparent)]
    Output(#[from] StagingError),
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Train(error.into())
    }
}

impl From<DataError> for Error {
    fn from(error: DataError) -> Self {
        Self::Train(error.into())
    }
}
