//! What is told of the files of a split: names, fingerprints, rows, and the rows that were left out. Reads no file.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{quoted, thousands};

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

/// The labels of a split that no training example has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UnknownLabelCounts {
    /// How many examples have such a label.
    pub examples: usize,
    /// How many examples have each of them.
    pub labels: BTreeMap<String, usize>,
}

impl UnknownLabelCounts {
    /// Whether there is no such label.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

/// `12 examples have 3 such labels: `a`, `b`, `c``, the most frequent first.
impl fmt::Display for UnknownLabelCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n, labels) = (self.examples, self.labels.len());
        let mut names: Vec<&String> = self.labels.keys().collect();
        names.sort_by_key(|name| Reverse(self.labels[*name]));
        let names: Vec<String> = names.into_iter().cloned().collect();
        let (examples, labels_word) =
            (if n == 1 { "example has" } else { "examples have" }, if labels == 1 { "label" } else { "labels" });
        write!(
            f,
            "{} {examples} {} such {labels_word}: {}",
            thousands(n as u64),
            thousands(labels as u64),
            quoted(&names)
        )
    }
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
    /// The labels that no training example has, which `data.unknown_labels` left out.
    #[serde(default, skip_serializing_if = "UnknownLabelCounts::is_empty")]
    pub unknown: UnknownLabelCounts,
    /// The rows that `data.skip_bad_rows` left out.
    #[serde(default)]
    pub skipped: Vec<SkippedRow>,
}
