//! Bytes on the disk and what they hold: files written whole or not at all, hashes, tensors in their formats. Knows no run
//! and no checkpoint.

pub(crate) mod staging;
pub(crate) mod hashed;
mod int8;
pub(crate) mod format;
pub(crate) mod encoded;
pub(crate) mod manifest;

pub use format::{Precision, read_safetensors, write_safetensors};
pub use hashed::{read_hashed, sha256};
pub use manifest::{FileEntry, parse_manifest};
pub use staging::{RemovedOutputs, StagedDirectory, StagedFile, StagingError, remove_unfinished};
