//! Files by their paths: what is there, opened, or read as a whole where it is small.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::error::{DataError, Location, RowFault};

/// Opens a file or pipe, no folder.
pub(super) fn open(path: &Path) -> Result<File, DataError> {
    if stat(path)?.is_dir() {
        return Err(DataError::IsFolder { path: path.to_owned() });
    }
    File::open(path).map_err(|source| DataError::Read { path: path.to_owned(), source })
}

pub(super) fn stat(path: &Path) -> Result<fs::Metadata, DataError> {
    fs::metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => DataError::Missing { path: path.to_owned() },
        _ => DataError::Read { path: path.to_owned(), source },
    })
}

/// The whole of a small file that the program itself wrote or was pointed to, such as `labels.json`.
pub(crate) fn read_small(path: &Path, limit: usize) -> Result<Vec<u8>, DataError> {
    let failed = |source| DataError::Read { path: path.to_owned(), source };
    // A pipe that nobody writes to would be waited for.
    let metadata = stat(path)?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe or a device, not a file")));
    }
    let too_long = || RowFault::TooLong { limit }.at(Location { path: path.to_owned(), ..Location::default() });
    if metadata.is_file() && metadata.len() > limit as u64 {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > limit { Err(too_long()) } else { Ok(bytes) }
}
