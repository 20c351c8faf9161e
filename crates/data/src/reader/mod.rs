//! Files to texts and raw label values: finds the format, opens the file, picks the columns.
//!
//! Everything is read forwards, once, in bounded pieces; what a label value means is decided in `corpus`.

mod delimited;
mod folder;
mod jsonl;
mod lines;
mod raw;
mod source;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::column::Column;
use crate::config::{DataConfig, Format, extension};
use crate::error::{DataError, Location};
use crate::texts::TextsBuilder;
use delimited::Record;
pub use lines::{TextLines, read_texts_lines};
pub(crate) use raw::{RawExamples, RawLabels};
pub(crate) use source::hex;
pub(crate) use source::{Source, trim_line_end};

/// What one row holds, borrowed for the time of a callback.
struct Row<'a> {
    line: u64,
    text: &'a str,
    /// The other text of a pair.
    second: Option<&'a str>,
    /// An empty field where no label was asked for.
    label: LabelValue<'a>,
    /// What `data.group` names, if it was asked for.
    group: Option<&'a str>,
    fields: Fields<'a>,
}

/// The label of a row as it stands in the file.
enum LabelValue<'a> {
    /// One value; several labels in it are not yet split.
    Field(&'a str),
    /// A JSON array.
    List(&'a [String]),
}

/// Takes one row after the other.
type Keep<'a> = dyn FnMut(&Row<'_>) + 'a;

/// The whole row, for those who write it back.
enum Fields<'a> {
    Delimited(&'a Record),
    Json(&'a str),
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
    raw.seconds = config.text.is_pair().then(TextsBuilder::default);
    raw.groups = config.group.is_some().then(TextsBuilder::default);
    let mut keep = |row: &Row<'_>| {
        raw.texts.push(row.text);
        if let (Some(seconds), Some(second)) = (&mut raw.seconds, row.second) {
            seconds.push(second);
        }
        if let (Some(groups), Some(group)) = (&mut raw.groups, row.group) {
            groups.push(group.trim());
        }
        match row.label {
            LabelValue::Field(value) if config.multi_label && value.trim().is_empty() => {
                raw.labels.push(std::iter::empty());
            }
            LabelValue::Field(value) if config.multi_label => {
                raw.labels.push(value.split(&config.label_separator).map(|label| label.trim().to_owned()));
            }
            LabelValue::Field(value) => raw.labels.push(std::iter::once(value.trim().to_owned())),
            LabelValue::List(values) => raw.labels.push(values.iter().map(|label| label.trim().to_owned())),
        }
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
    /// The text of each row, or the first of its two.
    pub texts: Vec<String>,
    /// The second text of each row if `data.text` names two columns.
    pub seconds: Option<Vec<String>>,
    /// The line each row begins on, counted from 1.
    pub lines: Vec<u64>,
}

/// Reads texts to predict on; a label column is neither needed nor minded.
///
/// The extension says how the file is read: .csv, .tsv, .jsonl and .ndjson by their columns, .txt as one text a line
/// (blank lines are empty texts). Any other file is read as `config.format` says, with "auto" as one text a line. Where
/// `data.text` names two columns, a line is `first<TAB>second`.
///
/// # Errors
/// The file is missing, unreadable, empty, a folder, or not what its format says; a line is not a pair.
pub fn load_texts(path: &Path, config: &DataConfig) -> Result<Table, DataError> {
    let format = match (extension(path).as_str(), config.format) {
        ("csv", _) => Format::Csv,
        ("tsv" | "tab", _) => Format::Tsv,
        ("jsonl" | "ndjson", _) => Format::Jsonl,
        ("txt", _) => Format::Auto,
        (_, format) => format,
    };
    let mut source = open_source(path, config)?;
    let mut table = Table {
        kind: TableKind::Lines,
        header: None,
        rows: Vec::new(),
        texts: Vec::new(),
        seconds: config.text.is_pair().then(Vec::new),
        lines: Vec::new(),
    };
    let mut keep = |row: &Row<'_>| {
        table.texts.push(row.text.to_owned());
        if let (Some(seconds), Some(second)) = (&mut table.seconds, row.second) {
            seconds.push(second.to_owned());
        }
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
            while let Some((text, second)) = lines::read(&mut source, &mut line, config.text.is_pair())? {
                table.texts.push(text);
                if let (Some(seconds), Some(second)) = (&mut table.seconds, second) {
                    seconds.push(second);
                }
                table.lines.push(source.line());
            }
            if table.texts.is_empty() {
                return Err(DataError::Empty { path: path.to_owned() });
            }
        }
    }
    Ok(table)
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

/// Opens a file of vectors, which is in UTF-8 whatever the encoding of the examples.
pub(crate) fn open_vectors(path: &Path, max_line_bytes: usize) -> Result<Source<File>, DataError> {
    Ok(Source::new(open(path)?, path.to_owned(), encoding_rs::UTF_8, max_line_bytes))
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

/// Where the columns of the config are in a row.
struct Positions {
    text: usize,
    second: Option<usize>,
    label: Option<usize>,
    group: Option<usize>,
}

/// Finds the columns, given the header if there is one and the width of the first line.
fn positions(
    config: &DataConfig,
    with_label: bool,
    path: &Path,
    header: Option<&[String]>,
    at: &Location,
    width: usize,
) -> Result<Positions, DataError> {
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
    let text = find(config.text.first())?;
    let second = config.text.second().map(&mut find).transpose()?;
    let label = with_label.then(|| find(&config.label)).transpose()?;
    let group = config.group.as_ref().filter(|_| with_label).map(&mut find).transpose()?;
    Ok(Positions { text, second, label, group })
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
