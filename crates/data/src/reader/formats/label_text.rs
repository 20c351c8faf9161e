//! Lines of a label and a text: `spam the text`. The first word of a line is its label, the rest the text. Blank lines are
//! skipped, but empty texts where no labels are asked for.

use std::borrow::Cow;
use std::io::Read;

use super::fasttext::as_object;
use super::lines::each_line;
use crate::error::DataError;
use crate::reader::layout::TableKind;
use crate::reader::rows::{Fields, LabelValue, ParsedRow, RowSink};
use crate::reader::source::TextReader;

/// Hands every line's text and label to `rows`.
pub(in crate::reader) fn read<R: Read>(source: &mut TextReader<R>, rows: &mut RowSink<'_>) -> Result<(), DataError> {
    let (config, with_label) = (rows.config, rows.with_label);
    let mut object = String::new();
    let any = each_line(source, TableKind::Objects, rows, |line, source, rows| {
        if with_label && line.trim().is_empty() {
            return Ok(false);
        }
        let ((label, text), number) = (split(line), source.line());
        let fields = match with_label {
            true => Fields::None,
            false => Fields::Json(as_object(text, &[Cow::Borrowed(label)], config, &mut object)),
        };
        let label = LabelValue::Field(label);
        let row = ParsedRow { line: number, element: None, text, second: None, label, group: None, fields };
        rows.row(&row, || source.at(number))?;
        Ok(true)
    })?;
    if any { Ok(()) } else { Err(DataError::Empty { path: source.path().to_owned() }) }
}

/// The first word of a line and what follows it.
pub(crate) fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    line.split_once(char::is_whitespace).map_or((line, ""), |(label, text)| (label, text.trim_start()))
}
