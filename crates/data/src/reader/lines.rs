//! One text a line, or two with a tab between them: plain files without columns, and streams such as stdin. A blank line is
//! an empty text.

use std::io::Read;
use std::path::PathBuf;

use crate::config::DataConfig;
use crate::error::DataError;

use super::layout::TableKind;
use super::rows::{Fields, LabelValue, Row, Rows};
use super::source::{Source, trim_line_end};

/// Hands every line to `rows`.
pub(super) fn read_all<R: Read>(
    source: &mut Source<R>,
    config: &DataConfig,
    rows: &mut Rows<'_>,
) -> Result<(), DataError> {
    let mut line = String::new();
    let mut begun = false;
    loop {
        let read = read(source, &mut line, config.text.is_pair());
        if !std::mem::replace(&mut begun, true) {
            rows.layout(source.layout(TableKind::Lines));
        }
        let number = source.line();
        match read {
            Ok(None) => return Ok(()),
            Ok(Some((text, second))) => {
                let (label, fields) = (LabelValue::Field(""), Fields::None);
                let row = Row { line: number, element: None, text, second, label, group: None, fields };
                rows.row(&row, || source.at(number))?;
            }
            Err(error) => {
                rows.bad(error)?;
                source.finish_line()?;
            }
        }
    }
}

/// Reads the next line as one text, or as the two of a pair; `None` at the end. `line` is only a buffer.
fn read<'a, R: Read>(
    source: &mut Source<R>,
    line: &'a mut String,
    pair: bool,
) -> Result<Option<(&'a str, Option<&'a str>)>, DataError> {
    line.clear();
    if !source.read_line(line)? {
        return Ok(None);
    }
    let text = trim_line_end(line);
    if !pair {
        return Ok(Some((text, None)));
    }
    match text.split_once('\t') {
        Some((first, second)) if !second.contains('\t') => Ok(Some((first, Some(second)))),
        _ => {
            let found = text.matches('\t').count();
            Err(DataError::PairLine { at: source.at(source.line()), found })
        }
    }
}

/// The lines of a stream such as stdin, in UTF-8; see [`read_texts_lines`].
pub struct TextLines<R> {
    source: Source<R>,
    line: String,
    pair: bool,
}

/// Reads a stream line by line, as the lines arrive. A line is one text, or with `pair` two with a tab between them,
/// the second of which is then given as well. `name` stands in error messages; a line of more than `max_line_bytes`
/// bytes, or one that is not a pair, is an error. After an error the iterator should not be used.
pub fn read_texts_lines<R: Read>(reader: R, name: &str, max_line_bytes: usize, pair: bool) -> TextLines<R> {
    TextLines {
        source: Source::new(reader, PathBuf::from(name), encoding_rs::UTF_8, max_line_bytes),
        line: String::new(),
        pair,
    }
}

impl<R: Read> Iterator for TextLines<R> {
    type Item = Result<(String, Option<String>), DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let owned = |(text, second): (&str, Option<&str>)| (text.to_owned(), second.map(str::to_owned));
        read(&mut self.source, &mut self.line, self.pair).map(|texts| texts.map(owned)).transpose()
    }
}
