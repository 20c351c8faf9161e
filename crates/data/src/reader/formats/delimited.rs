//! Csv and tsv: rows of fields. Blank lines are skipped.

use std::io::Read;

use crate::config::{DataConfig, Format};
use crate::error::{DataError, RowFault, beginning};
use crate::reader::columns::{join, positions};
use crate::reader::delimited_row::DelimitedRow;
use crate::reader::layout::{Header, TableKind, TableLayout};
use crate::reader::rows::{Fields, LabelValue, ParsedRow, RowSink};
use crate::reader::source::TextReader;

/// The delimiter of a csv or tsv file, and whether its fields may be quoted.
pub(in crate::reader) fn dialect(config: &DataConfig, format: Format) -> (u8, bool) {
    match format {
        Format::Tsv => (b'\t', config.quoting),
        _ => (config.delimiter(), true),
    }
}

/// Hands every row to `rows`.
pub(in crate::reader) fn read<R: Read>(
    source: &mut TextReader<R>,
    format: Format,
    rows: &mut RowSink<'_>,
) -> Result<(), DataError> {
    let config = rows.config;
    let (delimiter, quoted) = dialect(config, format);
    let mut record = DelimitedRow::default();
    if !record.read(source, delimiter, quoted)? {
        return Err(DataError::Empty { path: source.path().to_owned() });
    }
    let width = record.width();
    let header: Option<Vec<String>> =
        config.header.then(|| record.fields().map(|name| name.trim().to_owned()).collect());
    // Columns without names have their numbers.
    let names = header.clone().unwrap_or_else(|| (0..width).map(|number| number.to_string()).collect());
    rows.check_columns(source.path(), names)?;
    let columns = positions(rows, source.path(), header.as_deref(), &source.at(record.line), width)?;
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
                let fault = error.bad_row().map(|row| &row.fault);
                let swallowed = matches!(fault, Some(RowFault::UnclosedQuote { .. } | RowFault::TooLong { .. }));
                rows.bad(error)?;
                record.recover(source, swallowed)?;
                continue;
            }
        }
        let found = record.width();
        if found != width {
            let row = beginning(record.first_line());
            rows.bad(RowFault::FieldCount { expected: width, found, row }.at(source.at(record.line)))?;
            continue;
        }
        let parts = columns.text.iter().map(|&part| record.field(part));
        let row = ParsedRow {
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
