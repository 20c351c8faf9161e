//! How a file is read: one choice for training, evaluation and prediction. The config's `data.format` decides, else the
//! extension, and of a .txt or .json file its beginning.

use std::io::Read;
use std::str::FromStr;

use super::delimited_row::first_fields;
use super::formats::delimited::dialect;
use super::formats::{fasttext, json_array};
use super::origin::DataOrigin;
use super::source::TextReader;
use crate::config::{Column, DataConfig, Format, extension};
use crate::error::{DataError, markup};

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
        match name.parse() {
            Ok(Format::Folder) => Err("a folder holds examples, not texts to predict on".to_owned()),
            Ok(format) => Ok(Self::Like(format)),
            Err(error) => Err(error.replace("one of ", "one of `lines`, ")),
        }
    }
}

/// Which rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowsWanted {
    /// Examples with their labels.
    Examples,
    /// Texts alone, laid out as given, or as can be found out.
    Texts(Option<TextFormat>),
}

/// What is known of a file before anything of it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormatChoice {
    Known(TextFormat),
    /// The beginning of a .txt or .json file decides.
    Beginning,
    /// Nothing says how the texts are laid out: one a line, unless the first row is a header.
    Unknown,
}

/// Chooses by the config and the name.
pub(super) fn choose(from: DataOrigin<'_>, config: &DataConfig, wanted: RowsWanted) -> Result<FormatChoice, DataError> {
    let format = match wanted {
        RowsWanted::Texts(Some(TextFormat::Lines)) => return Ok(FormatChoice::Known(TextFormat::Lines)),
        RowsWanted::Texts(Some(TextFormat::Like(format))) => format,
        // The folder that a run was trained on holds no file to predict on, and texts to predict on have no label in front.
        RowsWanted::Texts(None) if matches!(config.format, Format::Folder | Format::LabelText) => Format::Auto,
        _ => config.format,
    };
    let by_name = format.by_name(from.named(config));
    Ok(match (by_name, wanted) {
        (Some(_), _) if format == Format::Auto && matches!(extension(from.named(config)).as_str(), "txt" | "json") => {
            FormatChoice::Beginning
        }
        (Some(Format::Folder), _) => return Err(DataError::NotFolder { path: from.path().to_owned() }),
        (Some(format), _) => FormatChoice::Known(TextFormat::Like(format)),
        (None, RowsWanted::Texts(_)) => FormatChoice::Unknown,
        (None, RowsWanted::Examples) => {
            let path = from.path().to_owned();
            return Err(match markup(&extension(from.named(config)), "") {
                Some(content) => DataError::Markup { path, content },
                None => DataError::UnknownFormat { path },
            });
        }
    })
}

/// Chooses by the beginning of a .txt or .json file. A .json file may hold an object a line. A .txt file is fastText if it begins
/// with a label; else examples are a table, and texts are one where the first row names their columns, or holds tabs and the
/// run was trained on such a file.
pub(super) fn by_beginning<R: Read>(
    source: &mut TextReader<R>,
    from: DataOrigin<'_>,
    config: &DataConfig,
    wanted: RowsWanted,
) -> TextFormat {
    if extension(from.named(config)) == "json" {
        let beginning = source.beginning(|text| !text.trim_start().is_empty());
        let is_array = beginning.trim_start().starts_with(json_array::OPEN);
        return TextFormat::Like(if is_array { Format::Json } else { Format::Jsonl });
    }
    let fields = first_row(source, config, Format::Tsv);
    if source.beginning(|_| true).trim_start().starts_with(fasttext::PREFIX) {
        return TextFormat::Like(Format::Fasttext);
    }
    let trained_on_one = config.train.as_written().first().is_some_and(|path| extension(path) == "txt");
    let is_table = wanted == RowsWanted::Examples
        || has_columns(&fields, config)
        || trained_on_one && config.format == Format::Auto && fields.len() > 1;
    if is_table { TextFormat::Like(Format::Tsv) } else { TextFormat::Lines }
}

/// Lines, for texts of which nothing says how they are laid out.
///
/// # Errors
/// The first row names the columns of the text: then it is the header of a table.
pub(super) fn lines_without_header<R: Read>(
    source: &mut TextReader<R>,
    from: DataOrigin<'_>,
    config: &DataConfig,
) -> Result<TextFormat, DataError> {
    let mut columns = config.text.iter();
    let by_name = config.header && columns.all(|column| matches!(column, Column::Name(_)));
    if by_name
        && [Format::Csv, Format::Tsv].iter().any(|&format| has_columns(&first_row(source, config, format), config))
    {
        return Err(DataError::HeaderOfUnknown { path: from.path().to_owned() });
    }
    Ok(TextFormat::Lines)
}

/// The fields of the first row, were the file of this format. What cannot be decoded is told when it is read.
fn first_row<R: Read>(source: &mut TextReader<R>, config: &DataConfig, format: Format) -> Vec<String> {
    let (delimiter, quoted) = dialect(config, format);
    let beginning = source.beginning(|text| first_fields(text, delimiter, quoted, false).is_some());
    let mut fields = first_fields(beginning, delimiter, quoted, true).unwrap_or_default();
    fields.iter_mut().for_each(|field| *field = field.trim().to_owned());
    fields
}

/// Whether a row names the columns of the text, or without a header has several fields and these among them.
fn has_columns(fields: &[String], config: &DataConfig) -> bool {
    config.text.iter().all(|column| match column {
        Column::Name(name) => config.header && fields.contains(name),
        Column::Number(number) => fields.len() > 1 && *number < fields.len(),
    })
}
