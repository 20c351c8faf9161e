//! Which fields of a row the columns of the config are, and how several become one text.

use std::path::Path;

use super::rows::RowSink;
use crate::config::Column;
use crate::error::{DataError, Location};

/// Where the columns of the config are in a row.
pub(super) struct ColumnPositions {
    /// One column, or several to join.
    pub(super) text: Vec<usize>,
    pub(super) second: Option<usize>,
    pub(super) label: Option<usize>,
    pub(super) group: Option<usize>,
}

/// Finds the columns of the config, given the header if there is one and the width of the first line.
pub(super) fn positions(
    rows: &RowSink<'_>,
    path: &Path,
    header: Option<&[String]>,
    at: &Location,
    width: usize,
) -> Result<ColumnPositions, DataError> {
    let mut found: Vec<(usize, &Column)> = Vec::new();
    let mut find = |column| {
        let index = position(column, path, header, at, width)?;
        // A name and a number can mean the same column, which the config alone does not show.
        if let Some((_, other)) = found.iter().find(|(other, _)| *other == index) {
            let (first, second) = (other.to_string(), column.to_string());
            return Err(DataError::SameColumn { path: path.to_owned(), first, second });
        }
        found.push((index, column));
        Ok(index)
    };
    let RowSink { config, with_label, .. } = *rows;
    let text = config.text.first().iter().map(&mut find).collect::<Result<_, _>>()?;
    let second = config.text.second().map(&mut find).transpose()?;
    let label = with_label.then(|| find(&config.label)).transpose()?;
    let group = config.group.as_ref().filter(|_| with_label).map(&mut find).transpose()?;
    Ok(ColumnPositions { text, second, label, group })
}

/// The index of one column; a name must be in the header exactly once.
fn position(
    column: &Column,
    path: &Path,
    header: Option<&[String]>,
    at: &Location,
    width: usize,
) -> Result<usize, DataError> {
    match (column, header) {
        (Column::Number(number), _) if *number < width => Ok(*number),
        (Column::Number(number), _) => {
            Err(DataError::NoColumnNumber { at: at.clone(), column: *number, columns: width })
        }
        (Column::Name(name), header) => {
            let columns = header.unwrap_or_default();
            let count = columns.iter().filter(|column| *column == name).count();
            match columns.iter().position(|column| column == name) {
                Some(position) if count == 1 => Ok(position),
                Some(_) => Err(DataError::DuplicateColumn { path: path.to_owned(), column: name.clone(), count }),
                None => {
                    Err(DataError::NoColumn { path: path.to_owned(), column: name.clone(), columns: columns.to_vec() })
                }
            }
        }
    }
}

/// One text of several, without those that are empty. A single one is returned as it is; `buffer` holds several.
pub(super) fn join<'a>(
    mut parts: impl ExactSizeIterator<Item = &'a str>,
    separator: &str,
    buffer: &'a mut String,
) -> &'a str {
    if parts.len() == 1 {
        return parts.next().unwrap_or_default();
    }
    buffer.clear();
    for part in parts.filter(|part| !part.trim().is_empty()) {
        if !buffer.is_empty() {
            buffer.push_str(separator);
        }
        buffer.push_str(part);
    }
    buffer
}
