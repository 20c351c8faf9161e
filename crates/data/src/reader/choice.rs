//! How a file is read: one choice for training, evaluation and prediction. The config's `data.format` decides, else the
//! extension, and of a .txt or .json file its beginning.

use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::value::{Error, StrDeserializer};

use crate::column::Column;
use crate::config::{DataConfig, Format, extension};
use crate::error::DataError;

use super::delimited::{FieldSplitter, dialect};
use super::source::{Source, trim_line_end};
use super::{fasttext, json_array};

/// How texts to predict on are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// One text a line, or for pairs two with a tab between them.
    Lines,
    /// As examples of this format are; with [`Format::Auto`] as the extension says.
    Like(Format),
}

impl FromStr for TextFormat {
    type Err = String;

    /// "lines", or the name of a [`Format`].
    fn from_str(name: &str) -> Result<Self, String> {
        if name == "lines" {
            return Ok(Self::Lines);
        }
        let format: Result<Format, Error> = Format::deserialize(StrDeserializer::new(name));
        match format {
            Ok(Format::Folder) => Err("a folder holds examples, not texts to predict on".to_owned()),
            Ok(format) => Ok(Self::Like(format)),
            Err(error) => Err(error.to_string().replace("one of ", "one of `lines`, ")),
        }
    }
}

/// Where rows are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataOrigin<'a> {
    /// A file.
    File(&'a Path),
    /// The standard input, which is laid out like the file to train on.
    Stdin,
}

impl<'a> DataOrigin<'a> {
    /// What stands in messages.
    pub(super) fn path(self) -> &'a Path {
        match self {
            Self::File(path) => path,
            Self::Stdin => Path::new("stdin"),
        }
    }

    /// The path whose extension counts.
    fn named(self, config: &'a DataConfig) -> &'a Path {
        match self {
            Self::File(path) => path,
            Self::Stdin => config.train.as_written().first().map_or(Path::new(""), |path| path.as_path()),
        }
    }
}

/// Which rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Examples with their labels.
    Examples,
    /// Texts alone, laid out as given, or as can be found out.
    Texts(Option<TextFormat>),
}

/// What is known of a file before anything of it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Known(TextFormat),
    /// The beginning of a .txt or .json file decides.
    Beginning,
}

/// Chooses by the config and the name.
pub(super) fn choose(from: DataOrigin<'_>, config: &DataConfig, wanted: Wanted) -> Result<Choice, DataError> {
    let format = match wanted {
        Wanted::Texts(Some(TextFormat::Lines)) => return Ok(Choice::Known(TextFormat::Lines)),
        Wanted::Texts(Some(TextFormat::Like(format))) => format,
        // The folder that a run was trained on holds no file to predict on.
        Wanted::Texts(None) if config.format == Format::Folder => Format::Auto,
        _ => config.format,
    };
    let by_name = DataConfig { format, ..DataConfig::default() }.format_by_name(from.named(config));
    Ok(match (by_name, wanted) {
        (Some(_), _) if format == Format::Auto && matches!(extension(from.named(config)).as_str(), "txt" | "json") => {
            Choice::Beginning
        }
        (Some(Format::Folder), _) => return Err(DataError::NotFolder { path: from.path().to_owned() }),
        (Some(format), _) => Choice::Known(TextFormat::Like(format)),
        (None, Wanted::Texts(_)) => Choice::Known(TextFormat::Lines),
        (None, Wanted::Examples) => return Err(DataError::UnknownFormat { path: from.path().to_owned() }),
    })
}

/// Chooses by the beginning of a .txt or .json file. A .json file may hold an object a line. A .txt file is fastText if it begins
/// with a label; else examples are a table, and texts are one where the first line names their columns, or holds tabs and the
/// run was trained on such a file.
pub(super) fn by_beginning<R: Read>(
    source: &mut Source<R>,
    from: DataOrigin<'_>,
    config: &DataConfig,
    wanted: Wanted,
) -> TextFormat {
    // What cannot be decoded is told when it is read.
    let beginning = source.beginning();
    if extension(from.named(config)) == "json" {
        let is_array = beginning.trim_start().starts_with(json_array::OPEN);
        return TextFormat::Like(if is_array { Format::Json } else { Format::Jsonl });
    }
    if beginning.trim_start().starts_with(fasttext::PREFIX) {
        return TextFormat::Like(Format::Fasttext);
    }
    if wanted == Wanted::Examples {
        return TextFormat::Like(Format::Tsv);
    }
    let mut lines = beginning.split_inclusive('\n').map(trim_line_end);
    let first = lines.find(|line| !line.is_empty()).unwrap_or_default();
    let trained_on_one = config.train.as_written().first().is_some_and(|path| extension(path) == "txt");
    let is_table =
        has_columns(first, config) || trained_on_one && config.format == Format::Auto && first.contains('\t');
    if is_table { TextFormat::Like(Format::Tsv) } else { TextFormat::Lines }
}

/// Whether a line names the columns of the text, or without a header has several fields and these among them.
fn has_columns(line: &str, config: &DataConfig) -> bool {
    let (delimiter, quoted) = dialect(config, Format::Tsv);
    let mut splitter = FieldSplitter::new(delimiter, quoted);
    let Ok(fields) = splitter.fields(line) else { return false };
    let names: Vec<&str> = fields.map(str::trim).collect();
    config.text.iter().all(|column| match column {
        Column::Name(name) => config.header && names.contains(&name.as_str()),
        Column::Number(number) => names.len() > 1 && *number < names.len(),
    })
}
