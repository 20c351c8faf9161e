//! What the readers share that read files by libraries of their own, not from front to end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::config::DataConfig;
use crate::error::{DataError, RowFault};
use crate::reader::input::UnpackedReader;
use crate::reader::open::open;

/// Runs a piece of a library's work; the error is what it said. It works on what the file says of itself, so that a panic
/// is taken for damage.
pub(super) fn caught<T, E: ToString>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("invalid data".to_owned()),
    }
}

/// A text, unless it is none, or longer than the config allows.
pub(super) fn checked<'a>(text: &'a str, config: &DataConfig) -> Result<&'a str, RowFault> {
    if text.contains('\0') {
        return Err(RowFault::Nul);
    }
    if text.len() > config.max_line_bytes {
        return Err(RowFault::TooLong { limit: config.max_line_bytes });
    }
    Ok(text)
}

/// Hexadecimal SHA-256 of a file as it is stored.
pub(super) fn file_sha256(path: &Path) -> Result<String, DataError> {
    let sha256 = UnpackedReader::plain(open(path)?).sha256();
    sha256.map_err(|source| DataError::Read { path: path.to_owned(), source })
}
