//! One text a line, or two with a tab between them: plain files without columns, and streams such as stdin. A blank line is
//! an empty text.

use std::io::Read;
use std::path::PathBuf;

use crate::error::{DataError, RowFault};
use crate::reader::layout::TableKind;
use crate::reader::rows::{Fields, LabelValue, ParsedRow, RowSink};
use crate::reader::source::{TextReader, trim_line_end};

/// Hands every line's texts to `rows`.
pub(in crate::reader) fn read<R: Read>(source: &mut TextReader<R>, rows: &mut RowSink<'_>) -> Result<(), DataError> {
    each_line(source, TableKind::Lines, rows, |line, source, rows| {
        let number = source.line();
        match texts(line, rows.config.text.is_pair(), source) {
            Ok((text, second)) => {
                let (label, fields) = (LabelValue::Field(""), Fields::None);
                let row = ParsedRow { line: number, element: None, text, second, label, group: None, fields };
                rows.row(&row, || source.at(number))?;
            }
            Err(error) => rows.bad(error)?,
        }
        Ok(true)
    })?;
    Ok(())
}

/// Hands every line, without its end, to `take`, which says whether it is a row; lines that cannot be read are bad rows.
/// Tells whether there was any row.
pub(super) fn each_line<R: Read>(
    source: &mut TextReader<R>,
    kind: TableKind,
    rows: &mut RowSink<'_>,
    mut take: impl FnMut(&str, &TextReader<R>, &mut RowSink<'_>) -> Result<bool, DataError>,
) -> Result<bool, DataError> {
    let mut line = String::new();
    let mut any = false;
    let mut begun = false;
    loop {
        line.clear();
        let read = source.read_line(&mut line);
        if !std::mem::replace(&mut begun, true) {
            rows.layout(source.layout(kind));
        }
        match read {
            Ok(true) => any |= take(trim_line_end(&line), source, rows)?,
            Ok(false) => return Ok(any),
            Err(error) => {
                any = true;
                rows.bad(error)?;
                source.finish_line()?;
            }
        }
    }
}

/// A line as one text, or as the two of a pair.
fn texts<'a, R: Read>(
    line: &'a str,
    pair: bool,
    source: &TextReader<R>,
) -> Result<(&'a str, Option<&'a str>), DataError> {
    if !pair {
        return Ok((line, None));
    }
    match line.split_once('\t') {
        Some((first, second)) if !second.contains('\t') => Ok((first, Some(second))),
        _ => {
            let found = line.matches('\t').count();
            Err(RowFault::PairLine { found }.at(source.at(source.line())))
        }
    }
}

/// The lines of a stream such as stdin, in UTF-8; see [`read_texts_lines`].
pub struct TextLines<R> {
    source: TextReader<R>,
    line: String,
    pair: bool,
}

/// Reads a stream line by line, as the lines arrive. A line is one text, or with `pair` two with a tab between them,
/// the second of which is then given as well. `name` stands in error messages; a line of more than `max_line_bytes`
/// bytes, or one that is not a pair, is an error. After an error the iterator should not be used.
pub fn read_texts_lines<R: Read>(reader: R, name: &str, max_line_bytes: usize, pair: bool) -> TextLines<R> {
    TextLines {
        source: TextReader::new(reader, PathBuf::from(name), encoding_rs::UTF_8, max_line_bytes),
        line: String::new(),
        pair,
    }
}

impl<R: Read> Iterator for TextLines<R> {
    type Item = Result<(String, Option<String>), DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.line.clear();
        match self.source.read_line(&mut self.line) {
            Err(error) => Some(Err(error)),
            Ok(false) => None,
            Ok(true) => {
                let owned = |(text, second): (&str, Option<&str>)| (text.to_owned(), second.map(str::to_owned));
                Some(texts(trim_line_end(&self.line), self.pair, &self.source).map(owned))
            }
        }
    }
}
