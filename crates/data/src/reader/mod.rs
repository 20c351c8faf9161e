//! Files to texts and raw label values: finds the format, opens the file, picks the columns.
//!
//! Everything is read forwards, once, in bounded pieces; what a label value means is decided in `corpus`.

mod delimited;
mod folder;
mod jsonl;
mod source;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::config::{Column, DataConfig, Format, extension};
use crate::error::{DataError, Location};
use delimited::Record;
pub(crate) use source::hex;
use source::{Source, trim_line_end};

/// What one row holds, borrowed for the time of a callback.
struct Row<'a> {
    line: u64,
    text: &'a str,
    /// Empty where no label was asked for.
    label: &'a str,
    fields: Fields<'a>,
}

/// The whole row, for those who write it back.
enum Fields<'a> {
    Delimited(&'a Record),
    Json(&'a str),
}

/// Texts and label values as they stand in a file or folder.
#[derive(Debug, Default)]
pub(crate) struct RawExamples {
    pub(crate) texts: Vec<String>,
    /// The label values, trimmed of white space, not yet mapped.
    pub(crate) labels: Vec<String>,
    /// Where the texts come from: one file, or one per text.
    pub(crate) files: Vec<PathBuf>,
    /// Per text, the index of its file and its line in it, 0 if the text is the whole file.
    pub(crate) places: Vec<(u32, u32)>,
    /// Hexadecimal SHA-256 of the file's bytes; of a folder, of the names and digests of its files in order.
    pub(crate) sha256: String,
    pub(crate) is_folder: bool,
}

/// Reads labelled texts.
pub(crate) fn read_labelled(path: &Path, config: &DataConfig) -> Result<RawExamples, DataError> {
    let is_folder = stat(path)?.is_dir();
    if is_folder {
        return match config.format {
            Format::Auto | Format::Folder => folder::read(path, config),
            _ => Err(DataError::IsFolder { path: path.to_owned() }),
        };
    }
    let format = match config.format_by_name(path) {
        Some(Format::Folder) => return Err(DataError::NotFolder { path: path.to_owned() }),
        Some(format) => format,
        None => return Err(DataError::UnknownFormat { path: path.to_owned() }),
    };
    let mut raw = RawExamples { files: vec![path.to_owned()], ..RawExamples::default() };
    let mut keep = |row: &Row<'_>| {
        raw.texts.push(row.text.to_owned());
        raw.labels.push(row.label.trim().to_owned());
        raw.places.push((0, u32::try_from(row.line).unwrap_or(u32::MAX)));
    };
    let mut source = open_source(path, config)?;
    if format == Format::Jsonl {
        jsonl::read(&mut source, config, true, &mut keep)?;
    } else {
        delimited::read(&mut source, config, format, true, &mut keep)?;
    }
    raw.sha256 = source.sha256();
    Ok(raw)
}

/// What sort of file a [`Table`] was read from, and so how it is written back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// One text a line.
    Lines,
    /// Fields with a delimiter between them.
    Delimited {
        /// The byte between two fields.
        delimiter: u8,
        /// Whether a field may be quoted.
        quoted: bool,
    },
    /// One JSON object a line.
    JsonLines,
}

/// Unlabelled texts with the rows they come from, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What sort of file it was.
    pub kind: TableKind,
    /// The names of the columns, if the file has them.
    pub header: Option<Vec<String>>,
    /// The fields of each row; for [`TableKind::JsonLines`] the line as the only field; empty for [`TableKind::Lines`].
    pub rows: Vec<Vec<String>>,
    /// The text of each row.
    pub texts: Vec<String>,
    /// The line each row begins on, counted from 1.
    pub lines: Vec<u64>,
}

/// Reads texts to predict on; a label column is neither needed nor minded.
///
/// The extension says how the file is read: .csv, .tsv, .jsonl and .ndjson by their columns, .txt as one text a line
/// (blank lines are empty texts). Any other file is read as `config.format` says, with "auto" as one text a line.
///
/// # Errors
/// The file is missing, unreadable, empty, a folder, or not what its format says.
pub fn load_texts(path: &Path, config: &DataConfig) -> Result<Table, DataError> {
    let format = match (extension(path).as_str(), config.format) {
        ("csv", _) => Format::Csv,
        ("tsv" | "tab", _) => Format::Tsv,
        ("jsonl" | "ndjson", _) => Format::Jsonl,
        ("txt", _) => Format::Auto,
        (_, format) => format,
    };
    let mut source = open_source(path, config)?;
    let mut table =
        Table { kind: TableKind::Lines, header: None, rows: Vec::new(), texts: Vec::new(), lines: Vec::new() };
    let mut keep = |row: &Row<'_>| {
        table.texts.push(row.text.to_owned());
        table.lines.push(row.line);
        table.rows.push(match row.fields {
            Fields::Delimited(record) => record.fields().map(str::to_owned).collect(),
            Fields::Json(line) => vec![line.to_owned()],
        });
    };
    match format {
        Format::Csv | Format::Tsv => {
            let (header, delimiter, quoted) = delimited::read(&mut source, config, format, false, &mut keep)?;
            table.header = header;
            table.kind = TableKind::Delimited { delimiter, quoted };
        }
        Format::Jsonl => {
            jsonl::read(&mut source, config, false, &mut keep)?;
            table.kind = TableKind::JsonLines;
        }
        Format::Auto | Format::Folder => {
            let mut line = String::new();
            while source.read_line(&mut line)? {
                table.texts.push(trim_line_end(&line).to_owned());
                table.lines.push(source.line());
                line.clear();
            }
            if table.texts.is_empty() {
                return Err(DataError::Empty { path: path.to_owned() });
            }
        }
    }
    Ok(table)
}

/// One text a line from a stream such as stdin, in UTF-8; see [`read_texts_lines`].
pub struct TextLines<R> {
    source: Source<R>,
    line: String,
}

/// Reads one text a line from a stream, as the lines arrive. `name` stands in error messages; a line of more than
/// `max_line_bytes` bytes is an error. After an error the iterator should not be used.
pub fn read_texts_lines<R: Read>(reader: R, name: &str, max_line_bytes: usize) -> TextLines<R> {
    TextLines {
        source: Source::new(reader, PathBuf::from(name), encoding_rs::UTF_8, max_line_bytes),
        line: String::new(),
    }
}

impl<R: Read> Iterator for TextLines<R> {
    type Item = Result<String, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.line.clear();
        match self.source.read_line(&mut self.line) {
            Ok(true) => Some(Ok(trim_line_end(&self.line).to_owned())),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// The whole of a small file that the program itself wrote or was pointed to, such as `labels.json`.
pub(crate) fn read_small(path: &Path, limit: usize) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    open(path)?
        .take(limit as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| DataError::Read { path: path.to_owned(), source })?;
    if bytes.len() > limit {
        return Err(DataError::TooLong { at: Location { path: path.to_owned(), line: None }, limit });
    }
    Ok(bytes)
}

fn open_source(path: &Path, config: &DataConfig) -> Result<Source<File>, DataError> {
    Ok(Source::new(open(path)?, path.to_owned(), config.encoding()?, config.max_line_bytes))
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

/// The position of a column, given the header if there is one and the width of the first line.
fn position(
    column: &Column,
    path: &Path,
    header: Option<&[String]>,
    at: Location,
    width: usize,
) -> Result<usize, DataError> {
    match (column, header) {
        (Column::Number(number), _) if *number < width => Ok(*number),
        (Column::Number(number), _) => Err(DataError::NoColumnNumber { at, column: *number, columns: width }),
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
