//! What files of labelled examples hold, row by row: texts, labels by their names, places, and what was left out.

use std::borrow::Cow;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::label_values::{LabelValues, Meaning};
use super::rows::{Fields, LabelValue, ParsedRow, RowConsumer, Skips};
use crate::config::DataConfig;
use crate::error::{DataError, Location, RowFault};
use crate::examples::{All, FileRecord, FilesRecord, Targets};
use crate::fingerprint::hex;
use crate::storage::TextsBuilder;

/// Texts and labels of the files of a split, or of a folder.
#[derive(Debug, Default)]
pub(crate) struct RawExamples {
    pub(crate) texts: TextsBuilder,
    /// The second text of each example if the examples are pairs.
    pub(crate) seconds: Option<TextsBuilder>,
    /// The group of each example if `data.group` names a column; empty where an example has none.
    pub(crate) groups: Option<TextsBuilder>,
    /// The distinct label names in the order in which they were met; some may have no example.
    pub(crate) names: Vec<String>,
    /// Per example, indices of `names`: exactly one unless `data.multi_label` is set.
    pub(crate) labels: Targets,
    pub(crate) places: All,
    pub(crate) record: FilesRecord,
    pub(crate) is_folder: bool,
}

impl RawExamples {
    /// Where example `index` stands.
    pub(crate) fn location(&self, index: usize) -> Location {
        self.places.get(index).expect("every example has a place")
    }
}

/// Examples that are texts with their labels in memory, each as a line of the file that `config.train` names.
pub(crate) fn raw_in_memory(examples: &[(String, String)], config: &DataConfig) -> Result<RawExamples, DataError> {
    let path = PathBuf::from(config.train.to_string());
    let (mut builder, mut hash) = (RawExamplesBuilder::new(config), Sha256::new());
    builder.raw.places.begin(path.clone());
    for ((text, label), line) in examples.iter().zip(1..) {
        for part in [text, label] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let at = || Location { path: path.clone(), line: Some(line), element: None };
        let label = LabelValue::Field(label);
        let text = &config.unescaped(text);
        let row = ParsedRow { text, second: None, label, group: None, fields: Fields::None, line, element: None };
        builder.keep(&row, &at)?;
    }
    builder.end_file(path, hex(&hash.finalize()));
    builder.finish(true)
}

/// Examples that grow row by row.
pub(super) struct RawExamplesBuilder<'a> {
    config: &'a DataConfig,
    values: LabelValues<'a>,
    pub(super) raw: RawExamples,
    /// How many examples are gone because their label is.
    left_out: usize,
    /// The rows of the files before the one that is read, the left out ones included.
    rows: usize,
    ids: Vec<u32>,
    skips: Skips,
}

impl<'a> RawExamplesBuilder<'a> {
    pub(super) fn new(config: &'a DataConfig) -> Self {
        let seconds = config.text.is_pair().then(TextsBuilder::default);
        let groups = config.group.is_some().then(TextsBuilder::default);
        let skips = Skips::new(config.skip_bad_rows);
        let raw = RawExamples { seconds, groups, ..RawExamples::default() };
        Self { config, values: LabelValues::new(config), raw, left_out: 0, rows: 0, ids: Vec::new(), skips }
    }

    /// Keeps a row, unless its label is to be left out. An error is the row's own fault, and nothing of it is kept.
    fn keep(&mut self, row: &ParsedRow<'_>, at: &dyn Fn() -> Location) -> Result<(), DataError> {
        if self.labels(&row.label, at)? {
            self.raw.record.dropped += 1;
            if !self.config.multi_label {
                self.left_out += 1;
                return Ok(());
            }
        }
        self.raw.labels.push(&self.ids);
        self.raw.texts.push(row.text);
        if let (Some(seconds), Some(second)) = (&mut self.raw.seconds, row.second) {
            seconds.push(second);
        }
        if let Some(groups) = &mut self.raw.groups {
            groups.push(row.group.unwrap_or_default().trim());
        }
        self.raw.places.push(row.line, row.element);
        Ok(())
    }

    /// Puts the labels of a row into `ids`; tells whether one of them is to be left out.
    fn labels(&mut self, label: &LabelValue<'_>, at: &dyn Fn() -> Location) -> Result<bool, DataError> {
        self.ids.clear();
        let mut dropped = false;
        let mut add = |value: &str| {
            match self.values.meaning(value.trim()) {
                Meaning::Name(id) => self.ids.push(id),
                Meaning::Dropped => dropped = true,
                Meaning::Empty => return Err(empty(self.config, label).at(at())),
                Meaning::Unmapped => {
                    let known = self.config.labels.keys().cloned().collect();
                    return Err(RowFault::UnmappedLabel { value: value.trim().to_owned(), known }.at(at()));
                }
            }
            Ok(())
        };
        match label {
            LabelValue::Field(value) if self.config.multi_label && value.trim().is_empty() => {}
            LabelValue::Field(value) if self.config.multi_label => {
                value.split(&self.config.label_separator).try_for_each(add)?;
            }
            LabelValue::Field(value) => add(value)?,
            LabelValue::List(values) => values.iter().try_for_each(|value| add(value))?,
        }
        Ok(dropped)
    }

    /// Notes that the examples that follow stand in this file.
    pub(super) fn begin_file(&mut self, path: PathBuf) {
        self.raw.places.begin(path);
    }

    /// Notes a file that has been read to its end.
    pub(super) fn end_file(&mut self, path: PathBuf, sha256: String) {
        let rows = self.raw.texts.len() + self.left_out + self.skips.skipped().len();
        self.raw.record.files.push(FileRecord { path, sha256, rows: rows - self.rows });
        self.rows = rows;
    }

    /// The examples. With `all_met`, every label that the config renames or drops must have been met.
    pub(super) fn finish(mut self, all_met: bool) -> Result<RawExamples, DataError> {
        if self.raw.texts.is_empty() {
            return Err(DataError::NoRows {
                files: self.raw.record.files.first().map(|file| file.path.display().to_string()).unwrap_or_default(),
                skipped: self.skips.skipped().len(),
                dropped: self.left_out,
            });
        }
        if all_met {
            self.values.check_all_met()?;
        }
        self.raw.record.skipped = self.skips.into_skipped();
        self.raw.names = self.values.into_names();
        Ok(self.raw)
    }
}

/// Keeps the rows that can be used and counts the others.
impl RowConsumer for RawExamplesBuilder<'_> {
    fn row(&mut self, row: &ParsedRow<'_>, at: &dyn Fn() -> Location) -> Result<(), DataError> {
        self.keep(row, at)
    }

    fn bad(&mut self, error: DataError, _object: Option<&str>) -> Result<(), DataError> {
        self.skips.skip(error)
    }
}

/// The error for an empty label.
fn empty(config: &DataConfig, label: &LabelValue<'_>) -> RowFault {
    if !config.multi_label {
        return RowFault::EmptyLabel;
    }
    let values: Vec<Cow<'_, str>> = match label {
        LabelValue::Field(value) => value.split(&config.label_separator).map(Cow::Borrowed).collect(),
        LabelValue::List(values) => values.to_vec(),
    };
    let values: Vec<&str> = values.iter().map(|value| value.trim()).collect();
    RowFault::EmptyInList { value: values.join(&config.label_separator) }
}
