//! What is wrong with one row, and what the user can do about it. The other rows can be read all the same.

use super::excerpt::{excerpt, quoted};
use super::location::Location;
use super::nearest::did_you_mean;

/// A row that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {fault}", self.place())]
pub struct RowError {
    /// The row, or the place in it; of a file that is read as one text, the file.
    pub at: Location,
    /// What is wrong with it.
    pub fault: RowFault,
}

/// What is wrong with a row.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowFault {
    /// A row is wider or narrower than the first line.
    #[error("the row has {found} field{}, the first line has {expected}: `{row}`", if *found == 1 { "" } else { "s" })]
    FieldCount {
        /// Fields in the first line.
        expected: usize,
        /// Fields in this row.
        found: usize,
        /// The beginning of the row.
        row: String,
    },
    /// A NUL character, which no text holds.
    #[error("the text holds a NUL character")]
    Nul,
    /// Bytes that the encoding cannot hold.
    #[error("{bytes} is not valid {encoding}")]
    Undecodable {
        /// The bytes, as `byte 0xE9` or `bytes 0xE9 0x20`.
        bytes: String,
        /// The encoding that the file was read as.
        encoding: String,
    },
    /// More bytes between two line ends (or two quotes) than the config allows.
    #[error("the line, field or text is longer than {limit} bytes")]
    TooLong {
        /// `max_line_bytes`.
        limit: usize,
    },
    /// A quote that nothing closes.
    #[error("a quote opens here and is never closed: `{row}`")]
    UnclosedQuote {
        /// The beginning of the row.
        row: String,
    },
    /// Text between a closing quote and the next delimiter.
    #[error("text follows a closing quote: `{row}`")]
    AfterQuote {
        /// The beginning of what follows.
        row: String,
    },
    /// A line, or an element of an array, that is not a JSON object.
    #[error("invalid JSON: {reason}: `{row}`")]
    Json {
        /// The byte column, counted from 1.
        column: usize,
        /// What the parser said.
        reason: String,
        /// The beginning of the line.
        row: String,
    },
    /// A JSON object without a key that the config names.
    #[error("the object has no key `{key}`: its keys are {}", quoted(keys))]
    NoKey {
        /// The key that the config names.
        key: String,
        /// The keys that the object has.
        keys: Vec<String>,
    },
    /// A value of a type that a text or a label cannot have.
    #[error("`{key}` is {found}, not {expected}")]
    JsonType {
        /// The key.
        key: String,
        /// The type that is needed.
        expected: &'static str,
        /// The type that is there.
        found: &'static str,
    },
    /// A line that should hold two texts with a tab between them.
    #[error("the line has {found} tabs, but a pair of texts has one between them")]
    PairLine {
        /// How many tabs the line has.
        found: usize,
    },
    /// A row of a format without columns where examples are pairs of texts.
    #[error("the row holds one text, but `data.text` names two")]
    OneText,
    /// A JSON array as the label where an example has exactly one.
    #[error("`{key}` is an array, not a string or an integer")]
    LabelList {
        /// The key.
        key: String,
    },
    /// A fastText line without a label.
    #[error("the line does not begin with a label: `{row}`")]
    NoLabelAtFront {
        /// The beginning of the line.
        row: String,
    },
    /// A fastText line with several labels where an example has exactly one.
    #[error("the line has {found} labels: `{row}`")]
    SeveralLabels {
        /// How many labels there are.
        found: usize,
        /// The beginning of the line.
        row: String,
    },
    /// A word of a fastText line that looks like a label and stands behind text.
    #[error("the label `{}` stands behind text", excerpt(label))]
    LabelInText {
        /// The word.
        label: String,
    },
    /// A list of labels with nothing between two separators.
    #[error("one of the labels in `{}` is empty", excerpt(value))]
    EmptyInList {
        /// The labels, joined by the separator.
        value: String,
    },
    /// A row without a label.
    #[error("the label is empty")]
    EmptyLabel,
    /// A label that the config's `labels` table does not name.
    #[error("`data.labels` does not name the label `{}`: it names {}", excerpt(value), quoted(known))]
    UnmappedLabel {
        /// The value in the file.
        value: String,
        /// The values that the table names.
        known: Vec<String>,
    },
}

impl RowError {
    /// The place as the message begins with it.
    pub(crate) fn place(&self) -> String {
        match self.fault {
            RowFault::Json { column, .. } => self.at.column(column).to_string(),
            _ => self.at.to_string(),
        }
    }

    /// What the user can do about it.
    pub(super) fn hint(&self) -> Option<String> {
        let hint = match &self.fault {
            RowFault::NoKey { key, keys } => return did_you_mean(key, keys),
            RowFault::NoLabelAtFront { .. } => {
                "write `__label__NAME` and a space before the text; if an example can have no label, set `data.multi_label = true`"
            }
            RowFault::SeveralLabels { .. } | RowFault::LabelList { .. } => {
                "if an example can have several labels, set `data.multi_label = true`"
            }
            RowFault::LabelInText { .. } => "move it to the front of the line, where all labels stand, or remove it",
            RowFault::FieldCount { .. } => {
                "look for a delimiter inside a field, or a row that is cut short; a TSV whose fields are quoted needs `data.quoting = true`"
            }
            RowFault::Nul => {
                "no text holds it: take it out; if the file is full of them, it may be UTF-16: set `data.encoding = \"utf-16le\"`"
            }
            RowFault::Undecodable { encoding, .. } if encoding == "UTF-8" => {
                "set `data.encoding` to the encoding of the file, for example \"windows-1252\" for western European text"
            }
            RowFault::Undecodable { .. } => "set `data.encoding` to the encoding of the file, for example \"utf-8\"",
            RowFault::TooLong { .. } => {
                "look for a quote that is never closed; if the text is really that long, raise `data.max_line_bytes`"
            }
            RowFault::UnclosedQuote { .. } => {
                "close the quote; a TSV whose quotes are part of the text needs `data.quoting = false`"
            }
            RowFault::AfterQuote { .. } => {
                "a quote inside a quoted field is written twice; a TSV whose quotes are part of the text needs `data.quoting = false`"
            }
            RowFault::Json { .. } if self.at.element.is_some() => {
                "every element of the array has to be one JSON object"
            }
            RowFault::Json { row, .. } if row.trim_start().starts_with('[') => {
                "a JSONL file has one JSON object on each line; for one array of objects set `data.format = \"json\"`"
            }
            RowFault::Json { .. } => "a JSONL file has one JSON object on each line",
            RowFault::PairLine { .. } => {
                "write `first<TAB>second` on each line; texts that hold tabs need a csv or jsonl file, and a table the extension .tsv"
            }
            RowFault::OneText => "name a csv, tsv or jsonl file, which has columns",
            RowFault::EmptyInList { .. } => "remove the separator that nothing follows or goes before",
            RowFault::EmptyLabel => "give the row a label or remove it",
            RowFault::UnmappedLabel { .. } => "add the value to `data.labels`, or remove the rows that have it",
            RowFault::JsonType { .. } => "check `data.text` and `data.label`",
        };
        Some(hint.to_owned())
    }
}
