//! Where rows are read from.

use std::path::Path;

use crate::config::DataConfig;

/// Where rows are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataOrigin<'a> {
    /// A file.
    File(&'a Path),
    /// The standard input, which is laid out like the file to train on.
    Stdin,
}

impl<'a> DataOrigin<'a> {
    /// What stands in messages.
    pub(super) fn path(self) -> &'a Path {
        match self {
            Self::File(path) => path,
            Self::Stdin => Path::new("stdin"),
        }
    }

    /// The path whose extension counts.
    pub(super) fn named(self, config: &'a DataConfig) -> &'a Path {
        match self {
            Self::File(path) => path,
            Self::Stdin => config.train.as_written().first().map_or(Path::new(""), |path| path.as_path()),
        }
    }
}
