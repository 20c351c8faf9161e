//! Unlabelled texts to predict on, with the rows they stand in. Labels are neither needed nor minded.

use std::num::NonZeroU64;
use std::path::Path;

use super::choice::{RowsWanted, TextFormat};
use super::file::read_rows;
use super::layout::{TableKind, TableLayout};
use super::origin::DataOrigin;
use super::rows::{Fields, ParsedRow, RowConsumer, RowSink};
use crate::config::DataConfig;
use crate::error::{DataError, Location, RowFault};

/// Rows are handed over when they come to so many bytes, however few they are.
const BYTES_AT_ONCE: usize = 1 << 20;

/// Texts to predict on, and how they are to be read.
#[derive(Debug, Clone, Copy)]
pub struct TextInput<'a> {
    /// Where they are.
    pub from: DataOrigin<'a>,
    /// How they are laid out; `None` as the examples of `config` are, and as the extension says.
    pub format: Option<TextFormat>,
    /// The columns, and how the files are read. No row may be left out, whatever it says of bad rows.
    pub config: &'a DataConfig,
    /// How many rows are handed over at once; fewer if they are long.
    pub at_once: usize,
    /// Whether a row that cannot be used is handed over as one, instead of ending the reading.
    pub keep_bad: bool,
}

/// A part of the texts, in order.
#[derive(Debug)]
pub enum TablePart {
    /// How the file is laid out; comes first.
    Layout(TableLayout),
    /// Some rows, at least one.
    Rows(TableRows),
}

/// Some rows of texts to predict on.
#[derive(Debug, Default)]
pub struct TableRows {
    /// Each row as it stands in the file, without its line end: its fields with what is between them, or its JSON object, which may
    /// stand on several lines. Empty for [`TableKind::Lines`].
    pub rows: Vec<String>,
    /// The text of each row, or the first of its two.
    pub texts: Vec<String>,
    /// The second text of each row if `data.text` names two columns.
    pub seconds: Option<Vec<String>>,
    /// The line each row begins on, counted from 1.
    pub lines: Vec<u64>,
    /// The element of a JSON array that each row is; empty for any other file.
    pub elements: Vec<NonZeroU64>,
    /// The rows that cannot be used, in order; they are counted in none of the above.
    pub bad: Vec<BadRow>,
}

impl TableRows {
    /// Where the row at `index` stands in the file that is called `path`.
    pub fn location(&self, index: usize, path: &str) -> Location {
        let (line, element) = (self.lines.get(index).copied(), self.elements.get(index).copied());
        Location { path: path.into(), line, element }
    }

    /// Makes the row at `index` one that cannot be used; `object` is the row, where it is a JSON object.
    pub fn reject(&mut self, index: usize, object: Option<String>, error: DataError) {
        fn take<T>(all: &mut Vec<T>, index: usize) {
            if index < all.len() {
                all.remove(index);
            }
        }
        take(&mut self.rows, index);
        take(&mut self.texts, index);
        take(&mut self.lines, index);
        take(&mut self.elements, index);
        self.seconds.iter_mut().for_each(|seconds| take(seconds, index));
        let next = self.bad.partition_point(|bad| bad.before <= index);
        self.bad[next..].iter_mut().for_each(|bad| bad.before -= 1);
        self.bad.insert(next, BadRow { before: index, object, error });
    }
}

/// A row that cannot be used.
#[derive(Debug)]
pub struct BadRow {
    /// How many of the rows handed over with it stand before it.
    pub before: usize,
    /// The row, where it is a JSON object all the same.
    pub object: Option<String>,
    /// What is wrong with it.
    pub error: DataError,
}

/// All texts of a file.
#[derive(Debug)]
pub struct TextTable {
    /// How it is laid out.
    pub layout: TableLayout,
    /// All of its rows.
    pub rows: TableRows,
}

/// Reads a file of texts to predict on as a whole; a label column is neither needed nor minded.
///
/// # Errors
/// The file is missing, unreadable, empty, a folder, or not what its format says; a line is not a pair.
pub fn load_texts(path: &Path, config: &DataConfig) -> Result<TextTable, DataError> {
    let mut table = TextTable { layout: TableLayout::plain(TableKind::Lines), rows: TableRows::empty(config) };
    let from = DataOrigin::File(path);
    TextInput { from, format: None, config, at_once: usize::MAX, keep_bad: false }.read(&mut |part| {
        match part {
            TablePart::Layout(layout) => table.layout = layout,
            TablePart::Rows(rows) => table.rows.append(rows),
        }
        true
    })?;
    Ok(table)
}

impl TextInput<'_> {
    /// Hands the rows to `take` as they are read, until it says `false`.
    ///
    /// A file is read as training and evaluation read it: as `data.format` says, else by its extension. A .txt file is fastText
    /// if it begins with a label, a table if its first row names the columns of the text (or holds tabs, where the run
    /// was trained on such a table), else one text a line. So are files of other extensions, if `data.format` is "auto" and
    /// the first row does not name the columns.
    ///
    /// # Errors
    /// As [`load_texts`], perhaps after some rows; [`DataError::Interrupted`] when `take` says `false`.
    pub fn read(&self, take: &mut dyn FnMut(TablePart) -> bool) -> Result<(), DataError> {
        let Self { from, format, config, .. } = *self;
        let mut pieces =
            Pieces { input: self, read: TableRows::empty(config), bytes: 0, take, any: false, stopped: false };
        let mut rows = RowSink { config, with_label: false, consumer: &mut pieces, first: &mut None };
        read_rows(from, RowsWanted::Texts(format), &mut rows)?;
        pieces.hand_over()?;
        match (pieces.any, from) {
            (false, DataOrigin::File(path)) => Err(DataError::Empty { path: path.to_owned() }),
            _ => Ok(()),
        }
    }
}

/// Rows on their way to who takes them.
struct Pieces<'a> {
    input: &'a TextInput<'a>,
    read: TableRows,
    /// About how many bytes have been read since some were handed over.
    bytes: usize,
    take: &'a mut dyn FnMut(TablePart) -> bool,
    any: bool,
    stopped: bool,
}

impl RowConsumer for Pieces<'_> {
    fn layout(&mut self, layout: TableLayout) {
        self.stopped |= !(self.take)(TablePart::Layout(layout));
    }

    fn row(&mut self, row: &ParsedRow<'_>, at: &dyn Fn() -> Location) -> Result<(), DataError> {
        if self.input.config.text.is_pair() != row.second.is_some() {
            return Err(RowFault::OneText.at(at()));
        }
        let read = &mut self.read;
        let stored = match row.fields {
            Fields::Delimited(record) => Some(record.row().to_owned()),
            Fields::Json(object) => Some(object.to_owned()),
            #[cfg(feature = "xlsx")]
            Fields::Cells(cells) => Some(super::delimited_row::as_row(cells)),
            Fields::None => None,
        };
        let stored_bytes = stored.as_ref().map_or(0, String::len);
        read.rows.extend(stored);
        read.lines.push(row.line);
        read.elements.extend(row.element.and_then(NonZeroU64::new));
        read.texts.push(row.text.to_owned());
        if let (Some(seconds), Some(second)) = (&mut read.seconds, row.second) {
            seconds.push(second.to_owned());
        }
        self.bytes += row.text.len() + row.second.map_or(0, str::len) + stored_bytes;
        self.full()
    }

    fn bad(&mut self, error: DataError, object: Option<&str>) -> Result<(), DataError> {
        if !self.input.keep_bad || error.bad_row().is_none() {
            return Err(error);
        }
        let object = object.map(str::to_owned);
        self.bytes += object.as_ref().map_or(0, String::len);
        self.read.bad.push(BadRow { before: self.read.texts.len(), object, error });
        self.full()
    }
}

impl Pieces<'_> {
    /// Hands the rows over if they are enough.
    fn full(&mut self) -> Result<(), DataError> {
        let n = self.read.texts.len() + self.read.bad.len();
        if n >= self.input.at_once || self.bytes >= BYTES_AT_ONCE { self.hand_over() } else { Ok(()) }
    }

    fn hand_over(&mut self) -> Result<(), DataError> {
        self.bytes = 0;
        let read = std::mem::replace(&mut self.read, TableRows::empty(self.input.config));
        let is_empty = read.texts.is_empty() && read.bad.is_empty();
        if !self.stopped && !is_empty {
            self.any = true;
            self.stopped = !(self.take)(TablePart::Rows(read));
        }
        if self.stopped { Err(DataError::Interrupted { kept: false }) } else { Ok(()) }
    }
}

impl TableRows {
    fn empty(config: &DataConfig) -> Self {
        Self { seconds: config.text.is_pair().then(Vec::new), ..Self::default() }
    }

    fn append(&mut self, more: Self) {
        let before = self.texts.len();
        self.bad.extend(more.bad.into_iter().map(|bad| BadRow { before: bad.before + before, ..bad }));
        self.rows.extend(more.rows);
        self.texts.extend(more.texts);
        self.lines.extend(more.lines);
        self.elements.extend(more.elements);
        if let (Some(seconds), Some(more)) = (&mut self.seconds, more.seconds) {
            seconds.extend(more);
        }
    }
}
