//! The rows of one file, by the reader of its format.

use std::path::Path;

use super::choice::{FormatChoice, RowsWanted, TextFormat, by_beginning, choose, lines_without_header};
use super::formats::{delimited, fasttext, json_array, jsonl, label_text, lines};
use super::open::stat;
use super::origin::DataOrigin;
use super::rows::RowSink;
use super::source::TextReader;
use crate::config::{DataConfig, Format};
use crate::error::DataError;

/// Hands every row of a file to `rows`; returns the SHA-256 of the file as it is stored.
pub(super) fn read_rows(from: DataOrigin<'_>, wanted: RowsWanted, rows: &mut RowSink<'_>) -> Result<String, DataError> {
    if let DataOrigin::File(path) = from
        && stat(path)?.is_dir()
    {
        return Err(DataError::IsFolder { path: path.to_owned() });
    }
    let config = rows.config;
    let choice = choose(from, config, wanted)?;
    let whole_file = |format| match from {
        DataOrigin::File(path) => Ok(path),
        DataOrigin::Stdin => Err(DataError::NotFromStdin { format }),
    };
    match choice {
        FormatChoice::Known(TextFormat::Like(Format::Parquet)) => return read_parquet(whole_file("Parquet")?, rows),
        FormatChoice::Known(TextFormat::Like(Format::Xlsx)) => return read_xlsx(whole_file("Excel")?, rows),
        _ => {}
    }
    let mut source = TextReader::open(from, config)?;
    let format = match choice {
        FormatChoice::Known(format) => format,
        FormatChoice::Beginning => by_beginning(&mut source, from, config, wanted),
        FormatChoice::Unknown => lines_without_header(&mut source, from, config)?,
    };
    match format {
        TextFormat::Lines => lines::read(&mut source, rows)?,
        TextFormat::Like(Format::Json) => json_array::read(&mut source, rows)?,
        TextFormat::Like(Format::Jsonl) => jsonl::read(&mut source, rows)?,
        TextFormat::Like(Format::Fasttext) => fasttext::read(&mut source, rows)?,
        TextFormat::Like(Format::LabelText) => label_text::read(&mut source, rows)?,
        TextFormat::Like(format) => delimited::read(&mut source, format, rows)?,
    }
    source.sha256()
}

#[cfg(feature = "parquet")]
use super::formats::parquet::read as read_parquet;

/// Stands in for the reader of Parquet files where the program is built without it.
#[cfg(not(feature = "parquet"))]
fn read_parquet(path: &Path, _: &mut RowSink<'_>) -> Result<String, DataError> {
    super::open::open(path)?;
    Err(DataError::NoParquet { path: path.to_owned() })
}

#[cfg(feature = "xlsx")]
use super::formats::xlsx::read as read_xlsx;

/// Stands in for the reader of Excel files where the program is built without it.
#[cfg(not(feature = "xlsx"))]
fn read_xlsx(path: &Path, _: &mut RowSink<'_>) -> Result<String, DataError> {
    super::open::open(path)?;
    Err(DataError::NoXlsx { path: path.to_owned() })
}

/// The cells of the first rows of an Excel file, at most `n`.
pub(crate) fn first_rows_of_sheet(path: &Path, config: &DataConfig, n: usize) -> Result<Vec<Vec<String>>, DataError> {
    #[cfg(feature = "xlsx")]
    return super::formats::xlsx::first_rows(path, config, n);
    #[cfg(not(feature = "xlsx"))]
    {
        let _ = (config, n);
        super::open::open(path)?;
        Err(DataError::NoXlsx { path: path.to_owned() })
    }
}
