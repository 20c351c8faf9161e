//! What is told of the files of a split: names, fingerprints, rows, and the rows that were left out. Reads no file.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A file or folder that examples came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// The path, as the config names it or as a pattern matched it.
    pub path: PathBuf,
    /// Hexadecimal SHA-256 of the file's bytes as they are stored, compressed or not; of a folder, of the names and
    /// digests of its files in order.
    pub sha256: String,
    /// How many rows (of a folder: texts) it holds, those left out included.
    pub rows: usize,
}

/// A row that cannot be read and was left out, as `data.skip_bad_rows` allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedRow {
    /// `file:line`.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What came from the files of a split, and what was left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FilesRecord {
    /// The files in the order in which they were read, or the one folder.
    #[serde(default)]
    pub files: Vec<FileRecord>,
    /// How many examples `data.drop` left out; with `data.multi_label`, from how many it took a label.
    #[serde(default)]
    pub dropped: usize,
    /// The rows that `data.skip_bad_rows` left out.
    #[serde(default)]
    pub skipped: Vec<SkippedRow>,
}
