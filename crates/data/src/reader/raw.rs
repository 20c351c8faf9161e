//! What a file of labelled examples holds before its label values have been given a meaning.

use std::path::PathBuf;

use crate::error::Location;
use crate::texts::TextsBuilder;

/// Texts and label values as they stand in a file or folder.
#[derive(Debug, Default)]
pub(crate) struct RawExamples {
    pub(crate) texts: TextsBuilder,
    /// The second text of each example if the examples are pairs.
    pub(crate) seconds: Option<TextsBuilder>,
    pub(crate) labels: RawLabels,
    /// The group of each example if `data.group` names a column; empty where an example has none.
    pub(crate) groups: Option<TextsBuilder>,
    /// Where the texts come from: one file, or one per text.
    pub(crate) files: Vec<PathBuf>,
    /// Per text, the index of its file and its line in it, 0 if the text is the whole file.
    pub(crate) places: Vec<(u32, u32)>,
    /// Hexadecimal SHA-256 of the file's bytes; of a folder, of the names and digests of its files in order.
    pub(crate) sha256: String,
    pub(crate) is_folder: bool,
}

impl RawExamples {
    /// Where example `index` stands.
    pub(crate) fn location(&self, index: usize) -> Location {
        let (file, line) = self.places[index];
        Location { path: self.files[file as usize].clone(), line: (line > 0).then_some(u64::from(line)) }
    }
}

/// The label values of each example, trimmed of white space, not yet mapped: one of each unless `data.multi_label` is
/// set.
#[derive(Debug, Default)]
pub(crate) struct RawLabels {
    values: Vec<String>,
    /// Per example, the end of its part of `values`.
    ends: Vec<usize>,
}

impl RawLabels {
    /// Appends the values of one example.
    pub(super) fn push(&mut self, values: impl Iterator<Item = String>) {
        self.values.extend(values);
        self.ends.push(self.values.len());
    }

    /// The values of each example in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[String]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.values[start..end])
    }
}
