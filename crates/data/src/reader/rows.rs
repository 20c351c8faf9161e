//! What the readers of all formats have in common: a row, who takes it, and what happens to one that cannot be read.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;

use super::delimited_row::DelimitedRow;
use super::layout::TableLayout;
use crate::config::{Column, DataConfig};
use crate::error::{DataError, Location};
use crate::examples::SkippedRow;

/// What one row holds, borrowed for the time of a callback.
pub(super) struct ParsedRow<'a> {
    pub(super) line: u64,
    /// Which element of a JSON array it is.
    pub(super) element: Option<u64>,
    pub(super) text: &'a str,
    /// The other text of a pair.
    pub(super) second: Option<&'a str>,
    /// An empty field where no label was asked for.
    pub(super) label: LabelValue<'a>,
    /// What `data.group` names, if it was asked for.
    pub(super) group: Option<&'a str>,
    pub(super) fields: Fields<'a>,
}

/// What a label of a typed value may be.
pub(super) const LABEL_TYPES: &str = "a string or an integer";

/// The label of a row as it stands in the file.
#[derive(Clone, Copy)]
pub(super) enum LabelValue<'a> {
    /// One value; several labels in it are not yet split.
    Field(&'a str),
    /// A list of values.
    List(&'a [Cow<'a, str>]),
}

/// The whole row, for those who write it back.
#[derive(Clone, Copy)]
pub(super) enum Fields<'a> {
    Delimited(&'a DelimitedRow),
    /// A JSON object: that of the file, or one made of what the row holds.
    Json(&'a str),
    /// The cells of a sheet, one for each column.
    #[cfg(feature = "xlsx")]
    Cells(&'a [String]),
    /// Nothing but the text.
    None,
}

/// Takes the rows of a file in order.
pub(super) trait RowConsumer {
    /// Learns how the file is laid out, before its first row.
    fn layout(&mut self, _layout: TableLayout) {}

    /// Takes a row; the function gives its place, for errors. An error is the row's own fault.
    fn row(&mut self, row: &ParsedRow<'_>, at: &dyn Fn() -> Location) -> Result<(), DataError>;

    /// Learns of a row that cannot be used; of one that is a JSON object all the same, also the object. An error ends the
    /// reading.
    fn bad(&mut self, error: DataError, object: Option<&str>) -> Result<(), DataError>;
}

/// Where a reader puts its rows.
pub(super) struct RowSink<'a> {
    pub(super) config: &'a DataConfig,
    /// Whether the labels are asked for.
    pub(super) with_label: bool,
    pub(super) consumer: &'a mut dyn RowConsumer,
    /// The first file of the split that has columns, and these.
    pub(super) first: &'a mut Option<(PathBuf, Vec<String>)>,
}

impl RowSink<'_> {
    /// Tells how the file is laid out, before its first row.
    pub(super) fn layout(&mut self, layout: TableLayout) {
        self.consumer.layout(layout);
    }

    /// Hands a row on, its texts without escapes. An error is one that ends the reading.
    pub(super) fn row(&mut self, row: &ParsedRow<'_>, at: impl Fn() -> Location) -> Result<(), DataError> {
        let text = self.config.unescaped(row.text);
        let second = row.second.map(|second| self.config.unescaped(second));
        let row = ParsedRow { text: &text, second: second.as_deref(), ..*row };
        match self.consumer.row(&row, &at) {
            Ok(()) => Ok(()),
            Err(error) => self.bad(error),
        }
    }

    /// Fails if the columns of a file are not those of the first: by name in any order, by number in the same.
    pub(super) fn check_columns(&mut self, path: &Path, found: Vec<String>) -> Result<(), DataError> {
        let config = self.config;
        let Some((first, expected)) = &*self.first else {
            *self.first = Some((path.to_owned(), found));
            return Ok(());
        };
        let sorted = |columns: &[String]| {
            let mut columns = columns.to_vec();
            columns.sort();
            columns
        };
        let by_number = config
            .text
            .iter()
            .chain([&config.label])
            .chain(&config.group)
            .any(|column| matches!(column, Column::Number(_)));
        if *expected == found || !by_number && sorted(expected) == sorted(&found) {
            return Ok(());
        }
        let (first, path, expected) = (first.clone(), path.to_owned(), expected.clone());
        Err(DataError::OtherColumns { first, path, expected, found })
    }

    /// Leaves out a row that cannot be read, if that is allowed.
    pub(super) fn bad(&mut self, error: DataError) -> Result<(), DataError> {
        self.consumer.bad(error, None)
    }

    /// As [`RowSink::bad`], for what should be a JSON object, and may be one that does not hold what is asked for, or holds a
    /// string that is no text.
    pub(super) fn bad_object(&mut self, error: DataError, object: &str) -> Result<(), DataError> {
        let is_object = object.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(object).is_ok();
        self.consumer.bad(error, is_object.then_some(object))
    }
}

/// The rows that were left out because they cannot be read.
#[derive(Debug, Default)]
pub(super) struct Skips {
    allowed: usize,
    skipped: Vec<SkippedRow>,
    first: Option<DataError>,
}

impl Skips {
    pub(super) fn new(allowed: usize) -> Self {
        Self { allowed, ..Self::default() }
    }

    pub(super) fn skipped(&self) -> &[SkippedRow] {
        &self.skipped
    }

    pub(super) fn into_skipped(self) -> Vec<SkippedRow> {
        self.skipped
    }

    pub(super) fn skip(&mut self, error: DataError) -> Result<(), DataError> {
        let Some(row) = error.bad_row() else { return Err(error) };
        let skipped = SkippedRow { place: row.place(), reason: row.fault.to_string() };
        if self.skipped.len() == self.allowed {
            return Err(match self.first.take() {
                None => error,
                Some(first) => DataError::TooManyBadRows { first: Box::new(first), allowed: self.allowed },
            });
        }
        self.skipped.push(skipped);
        self.first.get_or_insert(error);
        Ok(())
    }
}
