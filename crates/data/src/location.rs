//! A place in the data, for messages. Opens nothing.

use std::fmt;
use std::path::PathBuf;

/// A place in the data: a file, and a line of it where that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file as the config or the command line named it.
    pub path: PathBuf,
    /// The line, counted from 1; `None` when the whole file is one text.
    pub line: Option<u64>,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.path.display()),
            None => write!(f, "{}", self.path.display()),
        }
    }
}
