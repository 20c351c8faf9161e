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
    /// Nobody said which column to read, and no column has a name that tells it.
    #[error("cannot tell which column of `{}` holds the {which}: its columns are {}", path.display(), exemplified(columns))]
    UnclearColumn {
        /// The file.
        path: PathBuf,
        /// `text` or `label`.
        which: &'static str,
        /// The names, or numbers, of the columns, with the beginning of a value of each.
        columns: Vec<(String, String)>,
    },
    /// A column of labels that holds something else.
    #[error("the column `{column}` of `{}` holds {labels} different values in {examples} examples, which are no labels", path.display())]
    ManyLabels {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// How many different values it holds.
        labels: usize,
        /// How many examples there are.
        examples: usize,
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
    /// Two settings that need different columns name the same one.
    #[error("`{}`: `{first}` and `{second}` are the same column", path.display())]
    SameColumn {
        /// The file.
        path: PathBuf,
        /// The column as one setting names it.
        first: String,
        /// The column as the other setting names it.
        second: String,
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
    /// A JSON array as the label where an example has exactly one.
    #[error("{at}: `{key}` is an array, not a string or an integer")]
    LabelList {
        /// The line.
        at: Location,
        /// The key.
        key: String,
    },
    /// A line that should hold two texts with a tab between them.
    #[error("{at}: the line has {found} tabs, but a pair of texts has one between them")]
    PairLine {
        /// The line.
        at: Location,
        /// How many tabs the line has.
        found: usize,
    },
    /// A folder of texts where examples need more than one text or label.
    #[error("`{}` is a folder, which cannot hold {needs}", path.display())]
    PlainFolder {
        /// The folder.
        path: PathBuf,
        /// The setting that asks for more, such as `data.multi_label`.
        setting: &'static str,
        /// What it asks for.
        needs: &'static str,
    },
    /// A list of labels with nothing between two separators.
    #[error("{at}: one of the labels in `{}` is empty", excerpt(value))]
    EmptyInList {
        /// The row.
        at: Location,
        /// The labels, joined by the separator.
        value: String,
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
    /// No training example has any label.
    #[error("no example of `{}` has a label", path.display())]
    NoLabels {
        /// The training file.
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
    /// N-grams of characters for a tokenizer that does not know the letters of its words.
    #[error("the tokenizer has no words to take n-grams of characters from")]
    NoWords,
    /// A file of pretrained vectors that is no text.
    #[error("{at}: not a text file of vectors: {reason}")]
    VectorsText {
        /// The line.
        at: Location,
        /// What is wrong.
        reason: String,
    },
    /// Vectors of another length than the model's embeddings.
    #[error("the vectors of `{}` have {found} values, but `model.embedding.dim` is {dim}", path.display())]
    VectorsDim {
        /// The file.
        path: PathBuf,
        /// Values per vector in the file.
        found: usize,
        /// Values per embedding in the model.
        dim: usize,
    },
    /// A line with more or fewer values than a vector has.
    #[error("{at}: the vector has {found} values, not {expected}")]
    VectorLength {
        /// The line.
        at: Location,
        /// Values per vector.
        expected: usize,
        /// Values on this line.
        found: usize,
    },
    /// A value of a vector that is no number, or infinite.
    #[error("{at}: `{}` is not a finite number", excerpt(value))]
    VectorValue {
        /// The line.
        at: Location,
        /// The value.
        value: String,
    },
    /// The first line of a vector file announces another number of vectors than there are.
    #[error("`{}` announces {announced} vectors and holds {found}", path.display())]
    VectorCount {
        /// The file.
        path: PathBuf,
        /// The number on the first line.
        announced: usize,
        /// The number of vectors.
        found: usize,
    },
    /// Not one of the vectors is for a token of the vocabulary.
    #[error("none of the {in_file} vectors of `{}` is for a token of the vocabulary", path.display())]
    NoVectors {
        /// The file.
        path: PathBuf,
        /// How many vectors the file holds.
        in_file: usize,
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

/// At most 20 columns with a value each.
fn exemplified(columns: &[(String, String)]) -> String {
    let list = columns.iter().take(20).map(|(name, value)| format!("`{}` (such as `{value}`)", excerpt(name)));
    list.collect::<Vec<_>>().join(", ")
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
