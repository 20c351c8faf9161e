//! Unlabelled texts to predict on, with the rows they stand in. Labels are neither needed nor minded.

use std::path::Path;

use crate::config::{DataConfig, Format, extension};
use crate::error::{DataError, Location};

use super::rows::{Fields, Row, Rows, Skips};
use super::{delimited, fasttext, jsonl, lines, open_source, read_parquet};

/// What sort of file a [`Table`] was read from, and so how it is written back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// One text a line.
    Lines,
    /// Fields with a delimiter between them.
    Delimited {
        /// The byte between two fields.
        delimiter: u8,
        /// Whether a field may be quoted.
        quoted: bool,
    },
    /// One JSON object a line.
    JsonLines,
}

/// Unlabelled texts with the rows they come from, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What sort of file it was.
    pub kind: TableKind,
    /// The names of the columns, if the file has them.
    pub header: Option<Vec<String>>,
    /// All of its rows.
    pub rows: TableRows,
}

/// Some rows of a [`Table`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableRows {
    /// The fields of each row; for [`TableKind::JsonLines`] the line as the only field; empty for [`TableKind::Lines`].
    pub fields: Vec<Vec<String>>,
    /// The text of each row, or the first of its two.
    pub texts: Vec<String>,
    /// The second text of each row if `data.text` names two columns.
    pub seconds: Option<Vec<String>>,
    /// The line each row begins on, counted from 1.
    pub lines: Vec<u64>,
}

/// Reads texts to predict on; a label column is neither needed nor minded.
///
/// The extension says how the file is read: .csv, .tsv, .jsonl and .ndjson by their columns, .txt as one text a line
/// (blank lines are empty texts; labels of fastText lines are left out), .ft as fastText, .parquet by its columns, each
/// also packed as .gz or .zst. Any other file is read as `config.format` says, with "auto" as one text a line. Where
/// `data.text` names two columns, a line is `first<TAB>second`.
///
/// # Errors
/// The file is missing, unreadable, empty, a folder, or not what its format says; a line is not a pair.
pub fn load_texts(path: &Path, config: &DataConfig) -> Result<Table, DataError> {
    let mut rows = TableRows::empty(config);
    let (kind, header) = read_texts(path, config, usize::MAX, &mut |all| rows = all)?;
    Ok(Table { kind, header, rows })
}

/// As [`load_texts`], but hands over `at_once` rows as soon as they are read, and at last those that are left. Gives the kind
/// of the file and the names of its columns.
///
/// # Errors
/// As [`load_texts`], perhaps after some rows.
pub fn read_texts(
    path: &Path,
    config: &DataConfig,
    at_once: usize,
    take: &mut dyn FnMut(TableRows),
) -> Result<(TableKind, Option<Vec<String>>), DataError> {
    let mut format = match (extension(path).as_str(), config.format) {
        ("csv", _) => Format::Csv,
        ("tsv" | "tab", _) => Format::Tsv,
        ("jsonl" | "ndjson", _) => Format::Jsonl,
        ("ft", _) | ("txt", Format::Fasttext) => Format::Fasttext,
        ("parquet", _) => Format::Parquet,
        ("txt", _) => Format::Auto,
        (_, format) => format,
    };
    let mut pieces = Pieces { read: TableRows::empty(config), config, at_once, take };
    let mut keep = |row: &Row<'_>, _: &dyn Fn() -> Location| {
        match row.fields {
            Fields::Delimited(record) => pieces.read.fields.push(record.fields().map(str::to_owned).collect()),
            Fields::Json(line) => pieces.read.fields.push(vec![line.to_owned()]),
            Fields::None => {}
        }
        pieces.push(row.line, row.text.to_owned(), row.second.map(str::to_owned));
        Ok(())
    };
    let (mut kind, mut header) = (TableKind::Lines, None);
    // Every text needs its prediction, so that no row may be left out.
    let rows = &mut Rows { keep: &mut keep, skips: &mut Skips::new(0), first: &mut None };
    if format == Format::Parquet {
        read_parquet(path, config, false, rows)?;
        pieces.finish();
        return Ok((kind, header));
    }
    let mut source = open_source(path, config)?;
    if config.format == Format::Auto && extension(path) == "txt" && source.begins_with(fasttext::PREFIX)? {
        format = Format::Fasttext;
    }
    match format {
        Format::Csv | Format::Tsv => {
            let shape = delimited::read(&mut source, config, format, false, rows)?;
            header = shape.header;
            kind = TableKind::Delimited { delimiter: shape.delimiter, quoted: shape.quoted };
        }
        Format::Jsonl => {
            jsonl::read(&mut source, config, false, rows)?;
            kind = TableKind::JsonLines;
        }
        Format::Fasttext => fasttext::read(&mut source, config, false, rows)?,
        Format::Auto | Format::Folder | Format::Parquet => {
            let (mut line, mut is_empty) = (String::new(), true);
            while let Some((text, second)) = lines::read(&mut source, &mut line, config.text.is_pair())? {
                pieces.push(source.line(), text, second);
                is_empty = false;
            }
            if is_empty {
                return Err(DataError::Empty { path: path.to_owned() });
            }
        }
    }
    pieces.finish();
    Ok((kind, header))
}

/// Rows on their way to who takes them.
struct Pieces<'a> {
    read: TableRows,
    config: &'a DataConfig,
    at_once: usize,
    take: &'a mut dyn FnMut(TableRows),
}

impl Pieces<'_> {
    fn push(&mut self, line: u64, text: String, second: Option<String>) {
        self.read.lines.push(line);
        self.read.texts.push(text);
        if let (Some(seconds), Some(second)) = (&mut self.read.seconds, second) {
            seconds.push(second);
        }
        if self.read.texts.len() >= self.at_once {
            (self.take)(std::mem::replace(&mut self.read, TableRows::empty(self.config)));
        }
    }

    fn finish(self) {
        if !self.read.texts.is_empty() {
            (self.take)(self.read);
        }
    }
}

impl TableRows {
    fn empty(config: &DataConfig) -> Self {
        Self { seconds: config.text.is_pair().then(Vec::new), ..Self::default() }
    }
}
