//! The one error type of the crate: what is wrong with the data, where, and what the user can do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// A place in the data: a file, and a line of it where that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file as the config or the command line named it.
    pub path: PathBuf,
    /// The line, counted from 1; `None` when the whole file is one text.
    pub line: Option<u64>,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.path.display()),
            None => write!(f, "{}", self.path.display()),
        }
    }
}

/// What sort of failure a [`DataError`] is; each sort has its own exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataErrorKind {
    /// An input that was named is not there (exit code 66).
    Missing,
    /// The data, or a file of a run, is not what it should be (exit code 65).
    Bad,
    /// The operating system failed to read or write (exit code 74).
    Io,
}

/// Why a text file, a label set or a tokenizer cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The path names nothing.
    #[error("`{}` does not exist", path.display())]
    Missing {
        /// The path that was named.
        path: PathBuf,
    },
    /// A folder where a file is needed.
    #[error("`{}` is a folder, not a file", path.display())]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A file where a folder is needed.
    #[error("`{}` is a file, not a folder", path.display())]
    NotFolder {
        /// The file.
        path: PathBuf,
    },
    /// The operating system failed to read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The operating system failed to write.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The extension does not say how to read the file.
    #[error("`{}` has no extension that names a format", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// No encoding has this name.
    #[error("unknown encoding `{encoding}`")]
    UnknownEncoding {
        /// The name in the config.
        encoding: String,
    },
    /// Not one byte, or nothing but blank lines.
    #[error("`{}` is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A header line and nothing below it.
    #[error("`{}` has a header and no rows", path.display())]
    HeaderOnly {
        /// The file.
        path: PathBuf,
    },
    /// The header lacks a column that the config names.
    #[error("`{}` has no column `{column}`: its columns are {}", path.display(), quoted(columns))]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// The column that the config names.
        column: String,
        /// The columns that the header names.
        columns: Vec<String>,
    },
    /// The first line has fewer columns than the config counts.
    #[error("{at}: there is no column {column}: the line has {columns} columns, counted from 0")]
    NoColumnNumber {
        /// The first line of the file.
        at: Location,
        /// The column number in the config.
        column: usize,
        /// How many columns the line has.
        columns: usize,
    },
    /// The header names a column twice that the config uses.
    #[error("`{}` has {count} columns called `{column}`", path.display())]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The name that is there more than once.
        column: String,
        /// How often it is there.
        count: usize,
    },
    /// A row is wider or narrower than the first line.
    #[error("{at}: the row has {found} fields, the first line has {expected}")]
    FieldCount {
        /// Where the row begins.
        at: Location,
        /// Fields in the first line.
        expected: usize,
        /// Fields in this row.
        found: usize,
    },
    /// A NUL character, which no text holds.
    #[error("{at}: the text holds a NUL character")]
    Nul {
        /// The line.
        at: Location,
    },
    /// Bytes that the encoding cannot hold.
    #[error("{at}: {bytes} is not valid {encoding}")]
    Undecodable {
        /// The line.
        at: Location,
        /// The bytes, as `byte 0xE9` or `bytes 0xE9 0x20`.
        bytes: String,
        /// The encoding that the file was read as.
        encoding: String,
    },
    /// More bytes between two line ends (or two quotes) than the config allows.
    #[error("{at}: the line, field or text is longer than {limit} bytes")]
    TooLong {
        /// Where the line or field begins.
        at: Location,
        /// `max_line_bytes`.
        limit: usize,
    },
    /// A quote that nothing closes.
    #[error("{at}: a quote opens here and is never closed")]
    UnclosedQuote {
        /// Where the quote opens.
        at: Location,
    },
    /// Text between a closing quote and the next delimiter.
    #[error("{at}: text follows a closing quote")]
    AfterQuote {
        /// The line of the closing quote.
        at: Location,
    },
    /// A line that is not a JSON object.
    #[error("{at}:{column}: invalid JSON: {reason}")]
    Json {
        /// The line.
        at: Location,
        /// The byte column, counted from 1.
        column: usize,
        /// What the parser said.
        reason: String,
    },
    /// A JSON object without a key that the config names.
    #[error("{at}: the object has no key `{key}`: its keys are {}", quoted(keys))]
    NoKey {
        /// The line.
        at: Location,
        /// The key that the config names.
        key: String,
        /// The keys that the object has.
        keys: Vec<String>,
    },
    /// A JSON value of a type that a text or a label cannot have.
    #[error("{at}: `{key}` is {found}, not {expected}")]
    JsonType {
        /// The line.
        at: Location,
        /// The key.
        key: String,
        /// The type that is needed.
        expected: &'static str,
        /// The type that is there.
        found: &'static str,
    },
    /// A row without a label.
    #[error("{at}: the label is empty")]
    EmptyLabel {
        /// The row.
        at: Location,
    },
    /// A label that the config's `labels` table does not name.
    #[error("{at}: `data.labels` does not name the label `{value}`: it names {}", quoted(known))]
    UnmappedLabel {
        /// The row.
        at: Location,
        /// The value in the file.
        value: String,
        /// The values that the table names.
        known: Vec<String>,
    },
    /// A label that no training example has.
    #[error("{at}: unknown label `{label}`: the labels are {}", quoted(known))]
    UnknownLabel {
        /// The row.
        at: Location,
        /// The label.
        label: String,
        /// The labels of the training split.
        known: Vec<String>,
    },
    /// Every training example has the same label.
    #[error("every example of `{}` has the label `{label}`: a classifier needs at least two labels", path.display())]
    OneLabel {
        /// The training file or folder.
        path: PathBuf,
        /// The only label.
        label: String,
    },
    /// The fraction of the training examples is less than one example.
    #[error("`data.validation.fraction = {fraction}` of {examples} examples leaves the validation split empty")]
    EmptyCut {
        /// The fraction in the config.
        fraction: f64,
        /// How many examples there are to divide.
        examples: usize,
    },
    /// A folder without one folder per label.
    #[error("`{}` holds no folders: a folder of texts needs one folder per label", path.display())]
    NoLabelFolders {
        /// The folder.
        path: PathBuf,
    },
    /// A label's folder without texts.
    #[error("`{}` holds no .txt files", path.display())]
    NoTexts {
        /// The label's folder.
        path: PathBuf,
    },
    /// `labels.json` is not a list of distinct names.
    #[error("`{}` is not a list of label names: {reason}", path.display())]
    LabelsFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A `tokenizer.json` that is damaged, or holds what is not accepted.
    #[error("{origin} cannot be used: {reason}")]
    Tokenizer {
        /// The file in backticks, or `this tokenizer.json`.
        origin: String,
        /// What is wrong.
        reason: String,
    },
    /// The tokenizer failed on a text.
    #[error("the tokenizer failed on the text `{excerpt}`: {reason}")]
    Encode {
        /// The beginning of the text.
        excerpt: String,
        /// What the tokenizer said.
        reason: String,
    },
}

impl DataError {
    /// The sort of failure, which decides the exit code.
    pub fn kind(&self) -> DataErrorKind {
        match self {
            Self::Missing { .. } => DataErrorKind::Missing,
            Self::Read { .. } | Self::Write { .. } => DataErrorKind::Io,
            _ => DataErrorKind::Bad,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { .. } => "paths are relative to the directory the command runs in".to_owned(),
            Self::IsFolder { .. } => {
                "name a file; a folder is read only with `format = \"folder\"` or \"auto\", one folder of .txt files per label"
                    .to_owned()
            }
            Self::NotFolder { .. } => "set `data.format` to \"csv\", \"tsv\" or \"jsonl\"".to_owned(),
            Self::UnknownFormat { .. } => {
                "set `data.format` to \"csv\", \"tsv\" or \"jsonl\"; compressed files have to be unpacked first".to_owned()
            }
            Self::UnknownEncoding { .. } => "common encodings are \"utf-8\", \"windows-1252\" and \"gb18030\"".to_owned(),
            Self::HeaderOnly { .. } => "if the first line is data, set `data.header = false`".to_owned(),
            Self::NoColumn { column, columns, .. } => return no_column_hint(column, columns),
            Self::NoColumnNumber { columns: 1, .. } => {
                "the line has one column: check `data.format` and `data.delimiter`".to_owned()
            }
            Self::NoColumnNumber { .. } => "correct `data.text` or `data.label`".to_owned(),
            Self::DuplicateColumn { .. } => "give the column by its number, counted from 0".to_owned(),
            Self::FieldCount { .. } => {
                "look for a delimiter inside a field, or a row that is cut short; a TSV whose fields are quoted needs `data.quoting = true`"
                    .to_owned()
            }
            Self::Nul { .. } => {
                "the file is not plain text; if it is UTF-16, set `data.encoding = \"utf-16le\"`".to_owned()
            }
            Self::Undecodable { encoding, .. } if encoding == "UTF-8" => {
                "set `data.encoding` to the encoding of the file, for example \"windows-1252\" for western European text"
                    .to_owned()
            }
            Self::Undecodable { .. } => "set `data.encoding` to the encoding of the file, for example \"utf-8\"".to_owned(),
            Self::TooLong { .. } => {
                "look for a quote that is never closed; if the text is really that long, raise `data.max_line_bytes`".to_owned()
            }
            Self::UnclosedQuote { .. } => {
                "close the quote; a TSV whose quotes are part of the text needs `data.quoting = false`".to_owned()
            }
            Self::AfterQuote { .. } => {
                "a quote inside a quoted field is written twice; a TSV whose quotes are part of the text needs `data.quoting = false`"
                    .to_owned()
            }
            Self::Json { .. } => "a JSONL file has one JSON object on each line".to_owned(),
            Self::NoKey { key, keys, .. } => return nearest(key, keys).map(|name| format!("did you mean `{name}`?")),
            Self::EmptyLabel { .. } => "give the row a label or remove it".to_owned(),
            Self::UnmappedLabel { .. } => "add the value to `data.labels`, or remove the rows that have it".to_owned(),
            Self::UnknownLabel { label, known, .. } => match nearest(label, known) {
                Some(name) => format!("did you mean `{name}`?"),
                None => "the label set comes from the training split: add examples of this label to it, or remove the row".to_owned(),
            },
            Self::OneLabel { .. } => "check `data.label`: it should name the column that holds the labels".to_owned(),
            Self::EmptyCut { .. } => "raise the fraction, add examples, or name a validation file".to_owned(),
            Self::NoLabelFolders { .. } => "lay the folder out as `LABEL/NAME.txt`, or name a file".to_owned(),
            Self::NoTexts { .. } => "remove the folder, or put the label's texts into it, one .txt file each".to_owned(),
            Self::Tokenizer { .. } => "a tokenizer.json comes from the Hugging Face `tokenizers` library".to_owned(),
            Self::JsonType { .. } => "check `data.text` and `data.label`".to_owned(),
            Self::Read { .. } | Self::Write { .. } | Self::Empty { .. } | Self::LabelsFile { .. } | Self::Encode { .. } => {
                return None;
            }
        })
    }
}

fn no_column_hint(column: &str, columns: &[String]) -> Option<String> {
    if let [only] = columns
        && let Some(delimiter) = [';', '\t', '|', ','].into_iter().find(|&d| only.contains(d))
    {
        return Some(match delimiter {
            '\t' => "the columns look separated by tabs: set `data.format = \"tsv\"`".to_owned(),
            ',' => "the columns look separated by commas: set `data.format = \"csv\"`".to_owned(),
            other => format!(
                "the columns look separated by `{other}`: set `data.format = \"csv\"` and `data.delimiter = \"{other}\"`"
            ),
        });
    }
    Some(match nearest(column, columns) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "set `data.text` and `data.label`; if the first line is data, set `data.header = false` and give columns by number"
            .to_owned(),
    })
}

/// The name most like `name`, if any is like it at all.
pub(crate) fn nearest<'a>(name: &str, names: &'a [String]) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    names
        .iter()
        .map(|candidate| (strsim::jaro_winkler(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|&(similarity, _)| similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.as_str())
}

/// At most 20 names in backticks.
pub(crate) fn quoted(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut list: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{}`", excerpt(name))).collect();
    if names.len() > SHOWN {
        list.push(format!("and {} more", names.len() - SHOWN));
    }
    list.join(", ")
}

/// The first 60 characters of a text, on one line.
pub(crate) fn excerpt(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut short: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}
