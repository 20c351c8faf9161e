//! Files to texts and labels: finds the format, opens the files, hands their rows on.
//!
//! Everything is read forwards, once, in bounded pieces. Every format has a file of its own.

mod columns;
mod delimited;
mod fasttext;
mod folder;
mod input;
mod json_keys;
mod jsonl;
mod lines;
#[cfg(feature = "parquet")]
mod parquet;
mod raw;
mod rows;
mod source;
mod table;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::config::{DataConfig, Format, extension};
use crate::error::{DataError, Location};
use crate::files_config::Files;
pub(crate) use input::Input;
pub use lines::{TextLines, read_texts_lines};
use raw::Builder;
pub(crate) use raw::RawExamples;
use rows::{Row, Rows, Skips};
pub(crate) use source::hex;
pub(crate) use source::{Source, trim_line_end};
pub use table::{Table, TableKind, TableRows, load_texts, read_texts};

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
        let mut keep = |row: &Row<'_>, at: &dyn Fn() -> Location| builder.keep(row, at);
        let mut rows = Rows { keep: &mut keep, skips: &mut skips, first: &mut first };
        let sha256 = read_file(path, config, &mut rows)?;
        builder.end_file(path.clone(), sha256, &skips);
    }
    builder.finish(skips, is_training)
}

/// Reads one file of labelled texts; returns its SHA-256.
fn read_file(path: &Path, config: &DataConfig, rows: &mut Rows<'_>) -> Result<String, DataError> {
    if stat(path)?.is_dir() {
        return Err(DataError::IsFolder { path: path.to_owned() });
    }
    let mut format = match config.format_by_name(path) {
        Some(Format::Folder) => return Err(DataError::NotFolder { path: path.to_owned() }),
        Some(Format::Parquet) => return read_parquet(path, config, true, rows),
        Some(format) => format,
        None => return Err(DataError::UnknownFormat { path: path.to_owned() }),
    };
    let mut source = open_source(path, config)?;
    if config.format == Format::Auto && extension(path) == "txt" && source.begins_with(fasttext::PREFIX)? {
        format = Format::Fasttext;
    }
    match format {
        Format::Jsonl => jsonl::read(&mut source, config, true, rows)?,
        Format::Fasttext => fasttext::read(&mut source, config, true, rows)?,
        _ => {
            delimited::read(&mut source, config, format, true, rows)?;
        }
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

/// The whole of a small file that the program itself wrote or was pointed to, such as `labels.json`.
pub(crate) fn read_small(path: &Path, limit: usize) -> Result<Vec<u8>, DataError> {
    let failed = |source| DataError::Read { path: path.to_owned(), source };
    // A pipe that nobody writes to would be waited for.
    let metadata = stat(path)?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe or a device, not a file")));
    }
    let too_long = || DataError::TooLong { at: Location { path: path.to_owned(), line: None }, limit };
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

fn open_source(path: &Path, config: &DataConfig) -> Result<Source<Input>, DataError> {
    let input = Input::new(open(path)?, path, config);
    Ok(Source::new(input, path.to_owned(), config.encoding()?, config.max_line_bytes))
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
