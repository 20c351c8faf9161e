//! One row of delimited text and its fields. Quoted fields follow RFC 4180 and may span lines; unquoted ones are split at
//! the delimiter and nothing else.

use std::io::{self, Read};
use std::ops::Range;
use std::path::PathBuf;

use encoding_rs::UTF_8;

use super::source::{TextReader, trim_line_end};
use crate::error::{DataError, RowError, RowFault, beginning};

/// One row; its buffers are used again for the next.
#[derive(Debug, Default)]
pub(super) struct DelimitedRow {
    /// The row as it stands in the file.
    pub(super) raw: String,
    /// The fields that hold doubled quotes, with single ones.
    unescaped: String,
    fields: Vec<Field>,
    /// The line the row begins on.
    pub(super) line: u64,
}

/// Where a field stands.
#[derive(Debug)]
enum Field {
    Raw(Range<usize>),
    Unescaped(Range<usize>),
}

impl DelimitedRow {
    /// The row as it stands in the file, without its line end.
    pub(super) fn row(&self) -> &str {
        trim_line_end(&self.raw)
    }

    /// How many fields the row has.
    pub(super) fn width(&self) -> usize {
        self.fields.len()
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        (0..self.fields.len()).map(|index| self.field(index))
    }

    pub(super) fn field(&self, index: usize) -> &str {
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
    pub(super) fn read<R: Read>(
        &mut self,
        source: &mut TextReader<R>,
        delimiter: u8,
        quoted: bool,
    ) -> Result<bool, DataError> {
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
    fn split<R: Read>(&mut self, source: &mut TextReader<R>, delimiter: u8, quoted: bool) -> Result<(), DataError> {
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

    fn split_quoted<R: Read>(&mut self, source: &mut TextReader<R>, delimiter: u8) -> Result<(), DataError> {
        let mut position = 0;
        loop {
            if self.raw.as_bytes().get(position) == Some(&b'"') {
                position = self.quoted_field(source, position + 1)?;
                let rest = trim_line_end(&self.raw[position..]);
                if !rest.is_empty() && rest.as_bytes()[0] != delimiter {
                    return Err(RowFault::AfterQuote { row: beginning(rest) }.at(source.at(source.line())));
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
    fn quoted_field<R: Read>(&mut self, source: &mut TextReader<R>, mut position: usize) -> Result<usize, DataError> {
        let opened = source.line();
        // Where the part of the field begins that is not in `unescaped` yet.
        let mut start = position;
        let unescaped = self.unescaped.len();
        loop {
            let Some(length) = memchr::memchr(b'"', &self.raw.as_bytes()[position..]) else {
                position = self.raw.len();
                if !source.read_line(&mut self.raw)? {
                    return Err(RowFault::UnclosedQuote { row: beginning(self.first_line()) }.at(source.at(opened)));
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

    pub(super) fn first_line(&self) -> &str {
        trim_line_end(self.raw.split_inclusive('\n').next().unwrap_or_default())
    }

    /// Goes on behind a row that cannot be read. A quote that is not closed has taken lines that are rows of their own;
    /// they are read again.
    pub(super) fn recover<R: Read>(&self, source: &mut TextReader<R>, swallowed: bool) -> Result<(), DataError> {
        match self.raw.split_once('\n') {
            Some((_, rest)) if swallowed => {
                source.take_back(rest, self.line);
                Ok(())
            }
            _ => source.finish_line(),
        }
    }
}

/// The fields of the rows that [`TextInput::read`](crate::TextInput::read) gives.
pub struct FieldSplitter {
    record: DelimitedRow,
    /// Nothing more to read: a row is whole.
    nothing: TextReader<io::Empty>,
    delimiter: u8,
    quoted: bool,
}

impl FieldSplitter {
    /// For rows of [`TableKind::Delimited`](crate::TableKind::Delimited) with this delimiter and quoting.
    pub fn new(delimiter: u8, quoted: bool) -> Self {
        let nothing = TextReader::new(io::empty(), PathBuf::new(), UTF_8, usize::MAX);
        Self { record: DelimitedRow::default(), nothing, delimiter, quoted }
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
    let mut source = TextReader::new(text.as_bytes(), PathBuf::new(), UTF_8, usize::MAX);
    let mut record = DelimitedRow::default();
    let read = record.read(&mut source, delimiter, quoted);
    let has_end = record.raw.ends_with('\n')
        && !matches!(read, Err(DataError::Row(RowError { fault: RowFault::UnclosedQuote { .. }, .. })));
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
