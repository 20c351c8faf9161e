//! The one error type of the crate: what is wrong with the data, and where. What the user can do about it is in `hint`.

use std::io;
use std::path::PathBuf;

use super::column::ColumnSummary;
use super::division::DivisionError;
use super::excerpt::{excerpt, quoted, thousands};
use super::location::Location;
use super::row::{RowError, RowFault};
use super::vectors::VectorsError;

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
    /// A pattern that no file's name matches.
    #[error("no file matches `{}`", pattern.display())]
    NoMatch {
        /// The pattern in the config.
        pattern: PathBuf,
    },
    /// A pattern that is none.
    #[error("`{}` is not a pattern: {reason}", pattern.display())]
    Pattern {
        /// The text in the config.
        pattern: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// One file twice in a split, which would count its examples twice.
    #[error("`{}` is named twice in one split", path.display())]
    NamedTwice {
        /// The file.
        path: PathBuf,
    },
    /// A file whose columns are not those of the first file of the split.
    #[error("`{}` and `{}` have different columns: {} and {}", first.display(), path.display(), quoted(expected), quoted(found))]
    OtherColumns {
        /// The first file.
        first: PathBuf,
        /// The other file.
        path: PathBuf,
        /// The columns of the first file.
        expected: Vec<String>,
        /// The columns of the other file.
        found: Vec<String>,
    },
    /// A file that begins like one of a format that its name does not tell.
    #[error("`{}` is {content}, not text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// What it is, such as `a gzip file`.
        content: &'static str,
    },
    /// A packed file that is damaged or cut short.
    #[error("{at}: the packed data is damaged or cut short behind this place: {reason}")]
    Packed {
        /// The last line that could be unpacked, if any.
        at: Location,
        /// What the decoder said.
        reason: String,
    },
    /// A packed file that unpacks to more than it may.
    #[error("`{}` unpacks to more than {times} times its size", path.display())]
    Expansion {
        /// The file.
        path: PathBuf,
        /// `max_expansion`.
        times: u64,
    },
    /// A Parquet file for a program that cannot read any.
    #[error("`{}` is a Parquet file, which this build of the program cannot read", path.display())]
    NoParquet {
        /// The file.
        path: PathBuf,
    },
    /// A Parquet file that is damaged, or uses what is not supported.
    #[error("`{}` is not a readable Parquet file: {reason}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the library said.
        reason: String,
    },
    /// A file that is not read from front to end, on the standard input.
    #[error("{format} cannot be read from stdin")]
    NotFromStdin {
        /// The format.
        format: &'static str,
    },
    /// An Excel file for a program that cannot read any.
    #[error("`{}` is an Excel file, which this build of the program cannot read", path.display())]
    NoXlsx {
        /// The file.
        path: PathBuf,
    },
    /// An Excel file that is damaged, encrypted, or none.
    #[error("`{}` is not a readable Excel file: {reason}", path.display())]
    Xlsx {
        /// The file.
        path: PathBuf,
        /// What the library said.
        reason: String,
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
    /// There is more text than is kept in memory, and no place for it on the disk.
    #[error("cannot use the cache directory `{}` for texts that do not fit in memory", path.display())]
    Cache {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Whoever watched asked to stop.
    #[error("interrupted before training began")]
    Interrupted {
        /// Whether what was done is kept for the next time.
        kept: bool,
    },
    /// A file whose tags alone say what is a text and a label.
    #[error("`{}` is {content}, which cannot be read", path.display())]
    Markup {
        /// The file.
        path: PathBuf,
        /// `XML`, `SGML` or `HTML`.
        content: &'static str,
    },
    /// The extension does not say how to read the file.
    #[error("`{}` has no extension that names a format", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The extension does not say how to read the texts, and the first line is a header.
    #[error("`{}` has no extension that names a format, and begins with the columns of a table", path.display())]
    HeaderOfUnknown {
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
    /// Nobody said which column to read, and neither names nor values tell it.
    #[error("cannot tell which column of `{}` holds the {which}", path.display())]
    UnclearColumn {
        /// The file.
        path: PathBuf,
        /// `text`, `label`, or both.
        which: &'static str,
        /// The columns of the file.
        columns: Vec<ColumnSummary>,
    },
    /// A file that is laid out in no way that is known.
    #[error("`{}` {}", path.display(), if beginning.is_empty() { "is empty".to_owned() } else { format!("begins with `{beginning}`, which is no layout that can be read") })]
    UnknownLayout {
        /// The file.
        path: PathBuf,
        /// Its first characters; empty if there is none that can be seen.
        beginning: String,
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
    /// A file that is not one JSON array.
    #[error("{}: not a JSON array: {reason}", at.column(*column))]
    JsonArray {
        /// The line.
        at: Location,
        /// The byte column, counted from 1.
        column: usize,
        /// What is wrong.
        reason: &'static str,
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
    /// A setting names a label that no training example has.
    #[error("`{setting}` names the label `{label}`, which no training example has: they have {}", quoted(known))]
    LabelNotMet {
        /// `data.rename` or `data.drop`.
        setting: &'static str,
        /// The label.
        label: String,
        /// The values, or names, that there are.
        known: Vec<String>,
    },
    /// More rows that cannot be read than `data.skip_bad_rows` allows.
    #[error("{first}")]
    TooManyBadRows {
        /// The first of them.
        first: Box<DataError>,
        /// `data.skip_bad_rows`.
        allowed: usize,
    },
    /// Every row was left out.
    #[error("no row of `{files}` is left: {skipped} cannot be read, {dropped} have labels that `data.drop` leaves out")]
    NoRows {
        /// The files.
        files: String,
        /// How many rows `data.skip_bad_rows` left out.
        skipped: usize,
        /// How many rows `data.drop` left out.
        dropped: usize,
    },
    /// A label that no training example has.
    #[error("{at}: unknown label `{}`: the labels are {}{more}", excerpt(label), quoted(known))]
    UnknownLabel {
        /// The row.
        at: Location,
        /// The label.
        label: Box<str>,
        /// The labels of the training split.
        known: Vec<String>,
        /// What to say of more such labels and examples; empty if this is the only one.
        more: Box<str>,
    },
    /// Every example was left out because of its label.
    #[error("no example of `{files}` has a label that a training example has")]
    NoKnownLabels {
        /// The files.
        files: String,
    },
    /// Every training example has the same label.
    #[error("every example of `{files}` has the label `{}`: a classifier needs at least two labels", excerpt(label))]
    OneLabel {
        /// The training files or folder.
        files: String,
        /// The only label.
        label: String,
    },
    /// A row cannot be used.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The examples cannot be divided into splits as the config asks.
    #[error(transparent)]
    Division(#[from] DivisionError),
    /// A folder without one folder per label.
    #[error("`{}` holds no folders: a folder of texts needs one folder per label", path.display())]
    NoLabelFolders {
        /// The folder.
        path: PathBuf,
    },
    /// A label's folder without texts.
    #[error("`{}` holds no {}", path.display(), if *any_txt { ".txt files" } else { "texts" })]
    NoTexts {
        /// The label's folder.
        path: PathBuf,
        /// Whether another label's folder holds .txt files, so that only these are texts.
        any_txt: bool,
        /// Whether it holds folders.
        has_folders: bool,
    },
    /// No training example has any label.
    #[error("no example of `{files}` has a label")]
    NoLabels {
        /// The training files.
        files: String,
    },
    /// Label names so many and long that no run could be read back.
    #[error(
        "the names of the labels take {} bytes in `labels.json`, which holds at most {}",
        thousands(*bytes as u64), thousands(*limit as u64)
    )]
    LongLabels {
        /// The bytes of the file.
        bytes: usize,
        /// The most that are read.
        limit: usize,
    },
    /// A tokenizer so large that no run could be read back.
    #[error(
        "the tokenizer takes {} bytes in `tokenizer.json`, which holds at most {}",
        thousands(*bytes as u64), thousands(*limit as u64)
    )]
    LargeTokenizer {
        /// The bytes of the file.
        bytes: usize,
        /// The most that are read.
        limit: usize,
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
    /// A tokenizer could not be made from the texts.
    #[error("the {kind} tokenizer cannot be trained: {reason}")]
    TokenizerTraining {
        /// `bpe`, `wordpiece` or `unigram`.
        kind: &'static str,
        /// What the tokenizer library said.
        reason: String,
    },
    /// The tokenizer failed on a text.
    #[error("{}the tokenizer failed on the text `{excerpt}`: {reason}", .at.as_ref().map_or(String::new(), |at| format!("{at}: ")))]
    Encode {
        /// The row of the text, where it is known.
        at: Option<Location>,
        /// The beginning of the text.
        excerpt: String,
        /// What the tokenizer said.
        reason: String,
    },
    /// N-grams of characters for a tokenizer that does not know the letters of its words.
    #[error("the tokenizer has no words to take n-grams of characters from")]
    NoWords,
    /// A file of pretrained vectors cannot be used.
    #[error(transparent)]
    Vectors(#[from] VectorsError),
}

impl RowFault {
    /// The error for the row that stands there.
    pub fn at(self, at: Location) -> DataError {
        RowError { at, fault: self }.into()
    }
}
