//! Labelled examples in memory, with the files and lines they come from. Reads no file.

mod targets;
mod places;
mod records;
mod labelled;

pub use labelled::{Examples, Split};
pub(crate) use places::All;
pub use records::{FileRecord, FilesRecord, SkippedRow, UnknownLabelCounts};
pub use targets::Targets;
