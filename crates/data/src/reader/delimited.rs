//! Csv and tsv: rows of fields. Quoted fields follow RFC 4180 and may span lines; unquoted ones are split at the
//! delimiter and nothing else. Blank lines are skipped.

use std::io::{self, Read};
use std::ops::Range;
use std::path::PathBuf;

use encoding_rs::UTF_8;

use crate::config::{DataConfig, Format};
use crate::error::{DataError, beginning};

use super::columns::{join, positions};
use super::layout::{Header, TableKind, TableLayout};
use super::rows::{Fields, LabelValue, Row, Rows};
use super::source::{Source, trim_line_end};

/// One row; its buffers are used again for the next.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The row as it stands in the file.
    raw: String,
    /// The fields that hold doubled quotes, with single ones.
    unescaped: String,
    fields: Vec<Field>,
    /// The line the row begins on.
    line: u64,
}

/// Where a field stands.
#[derive(Debug)]
enum Field {
    Raw(Range<usize>),
    Unescaped(Range<usize>),
}

impl Record {
    /// The row as it stands in the file, without its line end.
    pub(super) fn row(&self) -> &str {
        trim_line_end(&self.raw)
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        (0..self.fields.len()).map(|index| self.field(index))
    }

    fn field(&self, index: usize) -> &str {
        match &self.fields[index] {
            Field::Raw(range) => &self.raw[range.clone()],
            Field::Unescaped(range) => &self.unescaped[range.clone()],
        }
    }

    fn clear(&mut self) {
        self.raw.clear();
        self.unescaped.clear();
        self.fields.clear();
    }

    /// Reads the next row that is not a blank line; `false` at the end.
    fn read<R: Read>(&mut self, source: &mut Source<R>, delimiter: u8, quoted: bool) -> Result<bool, DataError> {
        loop {
            self.clear();
            self.line = source.line() + 1;
            if !source.read_line(&mut self.raw)? {
                return Ok(false);
            }
            if !trim_line_end(&self.raw).is_empty() {
                break;
            }
        }
        self.split(source, delimiter, quoted)?;
        Ok(true)
    }

    /// Finds the fields of the row that begins in `raw`, reading on while it spans lines.
    fn split<R: Read>(&mut self, source: &mut Source<R>, delimiter: u8, quoted: bool) -> Result<(), DataError> {
        if quoted && self.raw.contains('"') {
            return self.split_quoted(source, delimiter);
        }
        let (mut start, line) = (0, trim_line_end(&self.raw));
        for end in memchr::memchr_iter(delimiter, line.as_bytes()).chain([line.len()]) {
            self.fields.push(Field::Raw(start..end));
            start = end + 1;
        }
        Ok(())
    }

    fn split_quoted<R: Read>(&mut self, source: &mut Source<R>, delimiter: u8) -> Result<(), DataError> {
        let mut position = 0;
        loop {
            if self.raw.as_bytes().get(position) == Some(&b'"') {
                position = self.quoted_field(source, position + 1)?;
                let rest = trim_line_end(&self.raw[position..]);
                if !rest.is_empty() && rest.as_bytes()[0] != delimiter {
                    return Err(DataError::AfterQuote { at: source.at(source.line()), row: beginning(rest) });
                }
            } else {
                let rest = trim_line_end(&self.raw[position..]);
                let length = memchr::memchr(delimiter, rest.as_bytes()).unwrap_or(rest.len());
                self.fields.push(Field::Raw(position..position + length));
                position += length;
            }
            if trim_line_end(&self.raw[position..]).is_empty() {
                return Ok(());
            }
            position += 1; // The delimiter, one byte.
        }
    }

    /// Takes a quoted field that begins at `position`, reading on while it spans lines; returns the position behind
    /// the closing quote.
    fn quoted_field<R: Read>(&mut self, source: &mut Source<R>, mut position: usize) -> Result<usize, DataError> {
        let opened = source.line();
        // Where the part of the field begins that is not in `unescaped` yet.
        let mut start = position;
        let unescaped = self.unescaped.len();
        loop {
            let Some(length) = memchr::memchr(b'"', &self.raw.as_bytes()[position..]) else {
                position = self.raw.len();
                if !source.read_line(&mut self.raw)? {
                    return Err(DataError::UnclosedQuote { at: source.at(opened), row: beginning(self.first_line()) });
                }
                continue;
            };
            position += length + 1;
            if self.raw.as_bytes().get(position) == Some(&b'"') {
                self.unescaped.push_str(&self.raw[start..position]);
                position += 1;
                start = position;
                continue;
            }
            if self.unescaped.len() == unescaped {
                self.fields.push(Field::Raw(start..position - 1));
            } else {
                self.unescaped.push_str(&self.raw[start..position - 1]);
                self.fields.push(Field::Unescaped(unescaped..self.unescaped.len()));
            }
            return Ok(position);
        }
    }

    fn first_line(&self) -> &str {
        trim_line_end(self.raw.split_inclusive('\n').next().unwrap_or_default())
    }

    /// Goes on behind a row that cannot be read. A quote that is not closed has taken lines that are rows of their own;
    /// they are read again.
    fn recover<R: Read>(&self, source: &mut Source<R>, swallowed: bool) -> Result<(), DataError> {
        match self.raw.split_once('\n') {
            Some((_, rest)) if swallowed => {
                source.take_back(rest, self.line);
                Ok(())
            }
            _ => source.finish_line(),
        }
    }
}

/// The fields of the rows that [`TextInput::read`](super::TextInput::read) gives.
pub struct FieldSplitter {
    record: Record,
    /// Nothing more to read: a row is whole.
    nothing: Source<io::Empty>,
    delimiter: u8,
    quoted: bool,
}

impl FieldSplitter {
    /// For rows of [`TableKind::Delimited`] with this delimiter and quoting.
    pub fn new(delimiter: u8, quoted: bool) -> Self {
        let nothing = Source::new(io::empty(), PathBuf::new(), UTF_8, usize::MAX);
        Self { record: Record::default(), nothing, delimiter, quoted }
    }

    /// The fields of a row, without quotes.
    ///
    /// # Errors
    /// It is no row of a file that was read.
    pub fn fields(&mut self, row: &str) -> Result<impl Iterator<Item = &str>, DataError> {
        self.record.clear();
        self.record.raw.push_str(row);
        self.record.split(&mut self.nothing, self.delimiter, self.quoted)?;
        Ok(self.record.fields())
    }
}

/// The fields of the first row of a text of which there may be more; of one that is no row, those of its first line split at
/// the delimiter. `None` while it has no end.
pub(super) fn first_fields(text: &str, delimiter: u8, quoted: bool, is_whole: bool) -> Option<Vec<String>> {
    let mut source = Source::new(text.as_bytes(), PathBuf::new(), UTF_8, usize::MAX);
    let mut record = Record::default();
    let read = record.read(&mut source, delimiter, quoted);
    let has_end = record.raw.ends_with('\n') && !matches!(read, Err(DataError::UnclosedQuote { .. }));
    if !has_end && !is_whole {
        return None;
    }
    Some(match read {
        Ok(_) => record.fields().map(str::to_owned).collect(),
        Err(_) => record.first_line().split(char::from(delimiter)).map(str::to_owned).collect(),
    })
}

/// Cells as a row of a csv file.
#[cfg(feature = "xlsx")]
pub(super) fn as_row(cells: &[String]) -> String {
    let quoted = |cell: &String| match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.clone(),
    };
    cells.iter().map(quoted).collect::<Vec<_>>().join(",")
}

/// The delimiter of a csv or tsv file, and whether its fields may be quoted.
pub(super) fn dialect(config: &DataConfig, format: Format) -> (u8, bool) {
    match format {
        Format::Tsv => (b'\t', config.quoting),
        _ => (config.delimiter(), true),
    }
}

/// Hands every row to `rows`.
pub(super) fn read<R: Read>(
    source: &mut Source<R>,
    config: &DataConfig,
    format: Format,
    with_label: bool,
    rows: &mut Rows<'_>,
) -> Result<(), DataError> {
    let (delimiter, quoted) = dialect(config, format);
    let mut record = Record::default();
    if !record.read(source, delimiter, quoted)? {
        return Err(DataError::Empty { path: source.path().to_owned() });
    }
    let width = record.fields.len();
    let header: Option<Vec<String>> =
        config.header.then(|| record.fields().map(|name| name.trim().to_owned()).collect());
    // Columns without names have their numbers.
    let names = header.clone().unwrap_or_else(|| (0..width).map(|number| number.to_string()).collect());
    rows.check_columns(source.path(), names, config)?;
    let columns = positions(config, with_label, source.path(), header.as_deref(), &source.at(record.line), width)?;
    rows.layout(TableLayout {
        has_crlf: record.raw.ends_with("\r\n"),
        header: header.as_ref().map(|names| Header { row: record.row().to_owned(), names: names.clone() }),
        ..source.layout(TableKind::Delimited { delimiter, quoted })
    });

    let mut joined = String::new();
    let mut any = false;
    let mut first = header.is_none();
    loop {
        let more = if std::mem::take(&mut first) { Ok(true) } else { record.read(source, delimiter, quoted) };
        match more {
            Ok(false) => break,
            Ok(true) => any = true,
            Err(error) => {
                any = true;
                let swallowed = matches!(error, DataError::UnclosedQuote { .. } | DataError::TooLong { .. });
                rows.bad(error)?;
                record.recover(source, swallowed)?;
                continue;
            }
        }
        let found = record.fields.len();
        if found != width {
            let row = beginning(record.first_line());
            rows.bad(DataError::FieldCount { at: source.at(record.line), expected: width, found, row })?;
            continue;
        }
        let parts = columns.text.iter().map(|&part| record.field(part));
        let row = Row {
            line: record.line,
            element: None,
            text: join(parts, config.text.separator(), &mut joined),
            second: columns.second.map(|second| record.field(second)),
            label: LabelValue::Field(columns.label.map_or("", |label| record.field(label))),
            group: columns.group.map(|group| record.field(group)),
            fields: Fields::Delimited(&record),
        };
        rows.row(&row, || source.at(record.line))?;
    }
    if !any {
        return Err(DataError::HeaderOnly { path: source.path().to_owned() });
    }
    Ok(())
}
