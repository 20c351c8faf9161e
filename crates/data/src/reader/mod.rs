//! Files to texts and labels: finds the format, opens the files, hands their rows on.
//!
//! Everything is read forwards, once, in bounded pieces. Every format has a file of its own.

mod choice;
mod columns;
mod delimited;
mod fasttext;
mod folder;
mod input;
mod json_array;
mod json_keys;
mod jsonl;
mod layout;
mod lines;
#[cfg(feature = "parquet")]
mod parquet;
mod raw;
mod rows;
mod source;
mod table;
#[cfg(feature = "xlsx")]
mod xlsx;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::config::{DataConfig, Format};
use crate::error::{DataError, Location};
use crate::files_config::Files;
use choice::{Choice, Wanted, by_beginning, choose, lines_without_header};
pub use choice::{DataOrigin, TextFormat};
pub use delimited::FieldSplitter;
pub(crate) use input::Input;
pub(crate) use json_array::whole_elements;
pub use layout::{Header, TableKind, TableLayout};
pub use lines::{TextLines, read_texts_lines};
use raw::{Builder, Labelled};
pub(crate) use raw::{RawExamples, raw_in_memory};
use rows::{Rows, Skips};
pub(crate) use source::hex;
pub(crate) use source::{Source, trim_line_end};
pub use table::{BadRow, Table, TablePart, TableRows, TextInput, load_texts};

/// Reads the labelled texts of a split: of a folder, or of files one after the other. Where they are those to train on,
/// every label that `data.rename` and `data.drop` name must be among them.
pub(crate) fn read_labelled(files: &Files, config: &DataConfig, is_training: bool) -> Result<RawExamples, DataError> {
    let paths = files.expand()?;
    let mut builder = Builder::new(config);
    let mut skips = Skips::new(config.skip_bad_rows);
    if let [path] = paths.as_slice()
        && stat(path)?.is_dir()
    {
        if !matches!(config.format, Format::Auto | Format::Folder) {
            return Err(DataError::IsFolder { path: path.clone() });
        }
        folder::read(path, config, &mut builder, &mut skips)?;
        return builder.finish(skips, is_training);
    }
    let mut first = None;
    for path in &paths {
        builder.raw.places.begin(path.clone());
        let mut taker = Labelled { builder: &mut builder, skips: &mut skips };
        let mut rows = Rows { taker: &mut taker, first: &mut first };
        let sha256 = read_rows(DataOrigin::File(path), config, Wanted::Examples, &mut rows)?;
        builder.end_file(path.clone(), sha256, &skips);
    }
    builder.finish(skips, is_training)
}

/// Reads the labelled texts that stand on the standard input, laid out like the file to train on.
pub(crate) fn read_labelled_stdin(config: &DataConfig) -> Result<RawExamples, DataError> {
    let mut builder = Builder::new(config);
    let mut skips = Skips::new(config.skip_bad_rows);
    let from = DataOrigin::Stdin;
    builder.raw.places.begin(from.path().to_owned());
    let mut taker = Labelled { builder: &mut builder, skips: &mut skips };
    let mut rows = Rows { taker: &mut taker, first: &mut None };
    let sha256 = read_rows(from, config, Wanted::Examples, &mut rows)?;
    builder.end_file(from.path().to_owned(), sha256, &skips);
    builder.finish(skips, false)
}

/// Hands every row of a file to `rows`; returns the SHA-256 of the file as it is stored.
fn read_rows(
    from: DataOrigin<'_>,
    config: &DataConfig,
    wanted: Wanted,
    rows: &mut Rows<'_>,
) -> Result<String, DataError> {
    if let DataOrigin::File(path) = from
        && stat(path)?.is_dir()
    {
        return Err(DataError::IsFolder { path: path.to_owned() });
    }
    let with_label = wanted == Wanted::Examples;
    let choice = choose(from, config, wanted)?;
    let whole_file = |format| match from {
        DataOrigin::File(path) => Ok(path),
        DataOrigin::Stdin => Err(DataError::NotFromStdin { format }),
    };
    match choice {
        Choice::Known(TextFormat::Like(Format::Parquet)) => {
            return read_parquet(whole_file("Parquet")?, config, with_label, rows);
        }
        Choice::Known(TextFormat::Like(Format::Xlsx)) => {
            return read_xlsx(whole_file("Excel")?, config, with_label, rows);
        }
        _ => {}
    }
    let mut source = open_source(from, config)?;
    let format = match choice {
        Choice::Known(format) => format,
        Choice::Beginning => by_beginning(&mut source, from, config, wanted),
        Choice::Unknown => lines_without_header(&mut source, from, config)?,
    };
    match format {
        TextFormat::Lines => lines::read_all(&mut source, config, rows)?,
        TextFormat::Like(Format::Json) => json_array::read(&mut source, config, with_label, rows)?,
        TextFormat::Like(Format::Jsonl) => jsonl::read(&mut source, config, with_label, rows)?,
        TextFormat::Like(Format::Fasttext) => fasttext::read(&mut source, config, with_label, rows)?,
        TextFormat::Like(format) => delimited::read(&mut source, config, format, with_label, rows)?,
    }
    source.sha256()
}

#[cfg(feature = "parquet")]
use parquet::read as read_parquet;

/// Stands in for the reader of Parquet files where the program is built without it.
#[cfg(not(feature = "parquet"))]
fn read_parquet(path: &Path, _: &DataConfig, _: bool, _: &mut Rows<'_>) -> Result<String, DataError> {
    open(path)?;
    Err(DataError::NoParquet { path: path.to_owned() })
}

#[cfg(feature = "xlsx")]
use xlsx::read as read_xlsx;

/// Stands in for the reader of Excel files where the program is built without it.
#[cfg(not(feature = "xlsx"))]
fn read_xlsx(path: &Path, _: &DataConfig, _: bool, _: &mut Rows<'_>) -> Result<String, DataError> {
    open(path)?;
    Err(DataError::NoXlsx { path: path.to_owned() })
}

/// The cells of the first rows of an Excel file, at most `n`.
pub(crate) fn first_rows_of_sheet(path: &Path, config: &DataConfig, n: usize) -> Result<Vec<Vec<String>>, DataError> {
    #[cfg(feature = "xlsx")]
    return xlsx::first_rows(path, config, n);
    #[cfg(not(feature = "xlsx"))]
    {
        let _ = (config, n);
        open(path)?;
        Err(DataError::NoXlsx { path: path.to_owned() })
    }
}

/// The whole of a small file that the program itself wrote or was pointed to, such as `labels.json`.
pub(crate) fn read_small(path: &Path, limit: usize) -> Result<Vec<u8>, DataError> {
    let failed = |source| DataError::Read { path: path.to_owned(), source };
    // A pipe that nobody writes to would be waited for.
    let metadata = stat(path)?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe or a device, not a file")));
    }
    let too_long = || DataError::TooLong { at: Location { path: path.to_owned(), ..Location::default() }, limit };
    if metadata.is_file() && metadata.len() > limit as u64 {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > limit { Err(too_long()) } else { Ok(bytes) }
}

/// Opens a file of vectors, which is in UTF-8 whatever the encoding of the examples.
pub(crate) fn open_vectors(path: &Path, max_line_bytes: usize) -> Result<Source<Input>, DataError> {
    Ok(Source::new(Input::plain(open(path)?), path.to_owned(), encoding_rs::UTF_8, max_line_bytes))
}

/// The bytes of a file of examples, unpacked if it is packed.
pub(crate) fn open_unpacked(path: &Path) -> Result<Input, DataError> {
    Ok(Input::new(open(path)?, path, &DataConfig::default()))
}

/// What a failed read of those bytes means.
pub(crate) fn read_failure(error: io::Error, path: &Path) -> DataError {
    input::failure(error, path, 0)
}

fn open_source(from: DataOrigin<'_>, config: &DataConfig) -> Result<Source<Input>, DataError> {
    let input = match from {
        DataOrigin::File(path) => Input::new(open(path)?, path, config),
        DataOrigin::Stdin => Input::plain(io::stdin()),
    };
    Ok(Source::new(input, from.path().to_owned(), config.encoding()?, config.max_line_bytes))
}

/// Opens a file or pipe, no folder.
fn open(path: &Path) -> Result<File, DataError> {
    if stat(path)?.is_dir() {
        return Err(DataError::IsFolder { path: path.to_owned() });
    }
    File::open(path).map_err(|source| DataError::Read { path: path.to_owned(), source })
}

fn stat(path: &Path) -> Result<fs::Metadata, DataError> {
    fs::metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => DataError::Missing { path: path.to_owned() },
        _ => DataError::Read { path: path.to_owned(), source },
    })
}
