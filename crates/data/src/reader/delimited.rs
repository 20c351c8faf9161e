//! Csv and tsv: rows of fields. Quoted fields follow RFC 4180 and may span lines; unquoted ones are split at the
//! delimiter and nothing else. Blank lines are skipped.

use std::io::Read;

use crate::config::{DataConfig, Format};
use crate::error::DataError;

use super::source::{Source, trim_line_end};
use super::{Fields, Keep, LabelValue, Row, positions};

/// One row; its buffers are used again for the next.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The row as it stands in the file.
    raw: String,
    /// The fields without their quotes, one after the other.
    text: String,
    ends: Vec<usize>,
    /// The line the row begins on.
    line: u64,
}

impl Record {
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|index| self.field(index))
    }

    fn field(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }

    fn end_field(&mut self) {
        self.ends.push(self.text.len());
    }

    /// Reads the next row that is not a blank line; `false` at the end.
    fn read<R: Read>(&mut self, source: &mut Source<R>, delimiter: u8, quoted: bool) -> Result<bool, DataError> {
        loop {
            self.raw.clear();
            self.text.clear();
            self.ends.clear();
            if !source.read_line(&mut self.raw)? {
                return Ok(false);
            }
            if !trim_line_end(&self.raw).is_empty() {
                break;
            }
        }
        self.line = source.line();
        let delimiter = char::from(delimiter);
        if quoted {
            self.split_quoted(source, delimiter)?;
        } else {
            for field in trim_line_end(&self.raw).split(delimiter) {
                self.text.push_str(field);
                self.ends.push(self.text.len());
            }
        }
        Ok(true)
    }

    fn split_quoted<R: Read>(&mut self, source: &mut Source<R>, delimiter: char) -> Result<(), DataError> {
        let mut position = 0;
        loop {
            if self.raw[position..].starts_with('"') {
                position = self.unquote(source, position + 1)?;
                let rest = trim_line_end(&self.raw[position..]);
                if !rest.is_empty() && !rest.starts_with(delimiter) {
                    return Err(DataError::AfterQuote { at: source.at(source.line()) });
                }
            } else {
                let rest = trim_line_end(&self.raw[position..]);
                let field = rest.split(delimiter).next().unwrap_or_default();
                self.text.push_str(field);
                position += field.len();
            }
            self.end_field();
            if trim_line_end(&self.raw[position..]).is_empty() {
                return Ok(());
            }
            position += 1; // The delimiter, one byte.
        }
    }

    /// Copies a quoted field that begins at `position`, reading on while it spans lines; returns the position behind
    /// the closing quote.
    fn unquote<R: Read>(&mut self, source: &mut Source<R>, mut position: usize) -> Result<usize, DataError> {
        let opened = source.line();
        loop {
            let Some(length) = self.raw[position..].find('"') else {
                self.text.push_str(&self.raw[position..]);
                position = self.raw.len();
                if !source.read_line(&mut self.raw)? {
                    return Err(DataError::UnclosedQuote { at: source.at(opened) });
                }
                continue;
            };
            self.text.push_str(&self.raw[position..position + length]);
            position += length + 1;
            if !self.raw[position..].starts_with('"') {
                return Ok(position);
            }
            self.text.push('"');
            position += 1;
        }
    }
}

/// Hands every row to `keep`. Returns the header, the delimiter and whether fields may be quoted.
pub(super) fn read<R: Read>(
    source: &mut Source<R>,
    config: &DataConfig,
    format: Format,
    with_label: bool,
    keep: &mut Keep<'_>,
) -> Result<(Option<Vec<String>>, u8, bool), DataError> {
    let (delimiter, quoted) = match format {
        Format::Tsv => (b'\t', config.quoting),
        _ => (config.delimiter(), true),
    };
    let mut record = Record::default();
    if !record.read(source, delimiter, quoted)? {
        return Err(DataError::Empty { path: source.path().to_owned() });
    }
    let width = record.ends.len();
    let header: Option<Vec<String>> =
        config.header.then(|| record.fields().map(|name| name.trim().to_owned()).collect());
    let columns = positions(config, with_label, source.path(), header.as_deref(), &source.at(record.line), width)?;

    let mut more = header.is_none() || record.read(source, delimiter, quoted)?;
    if !more {
        return Err(DataError::HeaderOnly { path: source.path().to_owned() });
    }
    while more {
        let found = record.ends.len();
        if found != width {
            return Err(DataError::FieldCount { at: source.at(record.line), expected: width, found });
        }
        keep(&Row {
            line: record.line,
            text: record.field(columns.text),
            second: columns.second.map(|second| record.field(second)),
            label: LabelValue::Field(columns.label.map_or("", |label| record.field(label))),
            group: columns.group.map(|group| record.field(group)),
            fields: Fields::Delimited(&record),
        });
        more = record.read(source, delimiter, quoted)?;
    }
    Ok((header, delimiter, quoted))
}
