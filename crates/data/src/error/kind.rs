//! The sort of failure that a [`DataError`] is, and whether a row is at fault.

use super::data::DataError;
use super::row::RowError;

/// What sort of failure a [`DataError`] is; each sort has its own exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataErrorKind {
    /// An input that was named is not there (exit code 66).
    Missing,
    /// The data, or a file of a run, is not what it should be (exit code 65).
    Bad,
    /// The operating system failed to read or write (exit code 74).
    Io,
    /// The work was stopped from outside (exit code 130 or 143).
    Interrupted,
}

impl DataError {
    /// The sort of failure, which decides the exit code.
    pub fn kind(&self) -> DataErrorKind {
        match self {
            Self::Missing { .. } | Self::NoMatch { .. } => DataErrorKind::Missing,
            Self::Read { .. } | Self::Write { .. } | Self::Cache { .. } => DataErrorKind::Io,
            Self::Interrupted { .. } => DataErrorKind::Interrupted,
            _ => DataErrorKind::Bad,
        }
    }

    /// What is wrong with a row, if one is at fault; `None` if the rows behind it cannot be read, or read otherwise.
    pub(crate) fn bad_row(&self) -> Option<&RowError> {
        if let Self::Row(error) = self { Some(error) } else { None }
    }
}
