//! A place in the data, for messages. Opens nothing.

use std::fmt;
use std::num::NonZeroU64;
use std::path::PathBuf;

/// A place in the data: a file, and a line or an element of it where that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// The file as the config or the command line named it.
    pub path: PathBuf,
    /// The line, counted from 1; `None` when the whole file is one text.
    pub line: Option<u64>,
    /// The element of a JSON array, counted from 1, whatever lines it is on; `None` in any other file.
    pub element: Option<NonZeroU64>,
}

impl Location {
    /// The place with a byte column of its line, counted from 1.
    pub(crate) fn column(&self, column: usize) -> impl fmt::Display {
        fmt::from_fn(move |f| self.write(f, Some(column)))
    }

    /// Whether the place is a whole file.
    pub(crate) fn is_file(&self) -> bool {
        self.line.is_none() && self.element.is_none()
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, column: Option<usize>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        for number in [self.line, column.map(|column| column as u64)].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        self.element.map_or(Ok(()), |element| write!(f, ", element {element}"))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, None)
    }
}
