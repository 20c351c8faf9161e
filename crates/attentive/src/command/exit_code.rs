//! Exit codes, and which of them an error of a library has.

use std::io;

use attentive_bundle::BundleError;
use attentive_data::{DataError, DataErrorKind};
use attentive_export::ExportError;
use attentive_train::{CheckpointError, ConfigError, StagingError, TrainError};

// Beside 0; documented in the README.
pub(crate) const CONFIG: u8 = 2;
pub(crate) const DIVERGED: u8 = 4;
pub(crate) const BAD_DATA: u8 = 65;
pub(crate) const NO_INPUT: u8 = 66;
pub(crate) const NO_DEVICE: u8 = 69;
pub(crate) const INTERNAL: u8 = 70;
pub(crate) const RUN_TAKEN: u8 = 73;
pub(crate) const IO: u8 = 74;
pub(crate) const DEVICE_LOST: u8 = 75;

pub(crate) fn train(error: &TrainError) -> u8 {
    match error {
        TrainError::Config(ConfigError::Read { source, .. })
            if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::IsADirectory) =>
        {
            NO_INPUT
        }
        TrainError::Config(ConfigError::Read { .. }) => IO,
        TrainError::Config(_)
        | TrainError::NoSplit { .. }
        | TrainError::TooLarge { .. }
        | TrainError::NoMemory { .. }
        | TrainError::Head { .. }
        | TrainError::Threshold { .. }
        | TrainError::ClassWeight { .. } => CONFIG,
        TrainError::Data(error) => data(error),
        TrainError::Checkpoint(CheckpointError::None { .. })
        | TrainError::NotARun { .. }
        | TrainError::NoStart { .. }
        | TrainError::NothingLogged { .. } => NO_INPUT,
        TrainError::Checkpoint(CheckpointError::Io { .. } | CheckpointError::Encode { .. }) => IO,
        TrainError::Checkpoint(CheckpointError::NotFinite { .. })
        | TrainError::Diverged { .. }
        | TrainError::NoWayBack { .. } => DIVERGED,
        TrainError::Checkpoint(_)
        | TrainError::Weights(_)
        | TrainError::Linear(_)
        | TrainError::LinearPart { .. }
        | TrainError::Changed { .. }
        | TrainError::Start { .. } => BAD_DATA,
        TrainError::RunExists { .. }
        | TrainError::FoldsExist { .. }
        | TrainError::RunLocked { .. }
        | TrainError::Occupied { .. } => RUN_TAKEN,
        TrainError::Io { .. } | TrainError::NoRoom { .. } | TrainError::Gone { .. } => IO,
        TrainError::Device { .. } => DEVICE_LOST,
    }
}

pub(crate) fn export(error: &ExportError) -> u8 {
    match error {
        ExportError::Train(error) => train(error),
        ExportError::Bundle(error) => bundle(error),
        ExportError::Output(error) => staging(error),
        ExportError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => NO_INPUT,
        ExportError::Unreadable { .. } | ExportError::NoEqual { .. } => BAD_DATA,
        ExportError::NoTokenizer { .. }
        | ExportError::TwoTokenizers { .. }
        | ExportError::NoData { .. }
        | ExportError::FewRows { .. }
        | ExportError::Outputs { .. }
        | ExportError::Classes { .. } => CONFIG,
        ExportError::Unsupported { .. } | ExportError::Unprunable | ExportError::TooLarge { .. } => CONFIG,
        ExportError::Rerun { .. } => INTERNAL,
        ExportError::Read { .. } | ExportError::Encode { .. } => IO,
    }
}

pub(crate) fn bundle(error: &BundleError) -> u8 {
    match error {
        BundleError::Train(error) => train(error),
        BundleError::Output(error) => staging(error),
        BundleError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => NO_INPUT,
        BundleError::Damaged { .. } | BundleError::Differs { .. } => BAD_DATA,
        _ => IO,
    }
}

pub(crate) fn staging(error: &StagingError) -> u8 {
    match error {
        StagingError::Exists { .. } | StagingError::Place { .. } => RUN_TAKEN,
        StagingError::Io { .. } => IO,
    }
}

pub(crate) fn data(error: &DataError) -> u8 {
    match error.kind() {
        DataErrorKind::Missing => NO_INPUT,
        DataErrorKind::Bad => BAD_DATA,
        // An interruption is told as a failure of its own; here it could only come from a stopped observer.
        DataErrorKind::Io | DataErrorKind::Interrupted => IO,
    }
}
