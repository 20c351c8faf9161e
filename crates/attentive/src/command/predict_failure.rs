//! Why predictions cannot be made or written as they were asked for, and what to do about it.

use std::path::PathBuf;

/// What is in the way of a prediction.
#[derive(Debug)]
pub(crate) enum PredictFailure {
    /// The extension of `--output` is none that is written.
    Extension { output: PathBuf },
    /// `--json`, and an output of another format.
    JsonOutput { output: PathBuf },
    /// `--output` is the file that is read.
    SameFile { input: PathBuf, output: PathBuf },
    /// `--probabilities` without columns to put them in.
    NoColumns,
    /// `--text` names another number of columns than the classifier takes.
    TextColumns { expected: usize, found: usize },
    /// The input has a column that is to be added.
    ColumnTaken { column: String },
    /// Two columns have one name, which cannot be two keys.
    ColumnTwice { column: String },
    /// A label that the output cannot hold.
    Label { label: String, why: Unrepresentable },
    /// A row that the output cannot hold.
    Row { place: String, why: Unrepresentable },
}

/// What an output cannot hold so that it is read back as the same.
#[derive(Debug)]
pub(crate) enum Unrepresentable {
    /// The delimiter, in a field that may not be quoted.
    Delimiter,
    /// A line break, in a field that may not be quoted.
    LineBreak,
    /// The separator of labels, in a label.
    Separator { separator: String },
    /// A character that the encoding does not have.
    Character { character: char, encoding: &'static str },
    /// A key that the first object does not have, and so no column.
    NewKey { key: String },
    /// A key that is to be added.
    KeyTaken { key: String },
    /// A string that is no text: half of a surrogate pair.
    NoText { key: String },
}

impl Unrepresentable {
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Delimiter => "it holds the delimiter, and fields without quotes cannot".to_string(),
            Self::LineBreak => "it holds a line break, and fields without quotes cannot".to_string(),
            Self::Separator { separator } => {
                format!("a label holds `{separator}`, which stands between the labels of one field")
            }
            Self::Character { character, encoding } => {
                format!("it holds the character `{character}`, which {encoding} does not have")
            }
            Self::NewKey { key } => format!("it has the key `{key}`, which the first object does not have"),
            Self::KeyTaken { key } => format!("it already has the key `{key}`, which the output adds"),
            Self::NoText { key } => format!("the string of `{key}` is no text: it holds half of a surrogate pair"),
        }
    }
}

impl PredictFailure {
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Extension { output } => {
                format!(
                    "predictions cannot be written to `{}`: its extension names no format for them",
                    output.display()
                )
            }
            Self::JsonOutput { output } => {
                format!("`--json` writes JSON Lines, and `{}` is a file of another format", output.display())
            }
            Self::SameFile { input, output } => {
                format!("`{}` and `{}` are one file: the input would be replaced", input.display(), output.display())
            }
            Self::NoColumns => {
                "`--probabilities` adds columns, and lines of label and probability have none".to_string()
            }
            Self::TextColumns { expected, found } => {
                let columns = if *found == 1 { "column" } else { "columns" };
                format!("`--text` names {found} {columns}, and the classifier takes {expected}")
            }
            Self::ColumnTaken { column } => format!("the input already has a column `{column}`, which the output adds"),
            Self::ColumnTwice { column } => {
                format!("two columns of the input have the name `{column}`, and an object has one key of a name")
            }
            Self::Label { label, why: Unrepresentable::Separator { separator } } => {
                format!("the label `{label}` holds `{separator}`, which stands between the labels of one field")
            }
            Self::Label { label, why } => format!("the label `{label}` cannot be written: {}", why.message()),
            Self::Row { place, why } => format!("{place}: the row cannot be written: {}", why.message()),
        }
    }

    pub(crate) fn hint(&self) -> String {
        let json = "write a .jsonl file, or to stdout with `--json`";
        match self {
            Self::Extension { .. } => {
                ".csv, .tsv, .jsonl, .json and .txt are written, each also with .gz or .zst behind it".to_string()
            }
            Self::JsonOutput { .. } => "leave out `--json`, or name a .jsonl file".to_string(),
            Self::SameFile { .. } => "name another file with `--output`".to_string(),
            Self::NoColumns => "write a .csv or .tsv file, or JSON, which always has them".to_string(),
            Self::TextColumns { expected: 1, .. } => "name the one column that holds the text".to_string(),
            Self::TextColumns { .. } => "name both columns of a pair: `--text first,second`".to_string(),
            Self::ColumnTaken { column } => {
                format!("rename it in the input first, for example to `{column}_before`, or leave it out")
            }
            Self::ColumnTwice { .. } => "rename one of them, or write a .csv or .tsv file".to_string(),
            Self::Label { why: Unrepresentable::Separator { .. }, .. } => format!("{json}: JSON has lists of labels"),
            Self::Label { .. } => format!("{json}, or a .csv file"),
            Self::Row { why, .. } => {
                let remedy = match why {
                    Unrepresentable::Delimiter | Unrepresentable::LineBreak => "write a .csv or .jsonl file",
                    Unrepresentable::KeyTaken { .. } => "rename the key in the input first",
                    Unrepresentable::NoText { .. }
                    | Unrepresentable::NewKey { .. }
                    | Unrepresentable::Character { .. }
                    | Unrepresentable::Separator { .. } => "write a .jsonl file",
                };
                format!("{remedy}; `--on-error skip` puts an error in the place of such rows")
            }
        }
    }

    /// Whether the data is at fault; else it is what was asked for.
    pub(crate) fn is_of_data(&self) -> bool {
        matches!(self, Self::Row { .. } | Self::ColumnTaken { .. } | Self::ColumnTwice { .. })
    }
}
