//! The `[data]` and `[tokenizer]` sections of the config and what can be checked in them without touching a file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::DataError;

/// Where the examples are and how the files are to be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// The training examples: a file, or a folder with one folder of .txt files per label. Required.
    /// Relative to the directory the command runs in.
    pub train: PathBuf,
    /// The examples to measure on after each epoch: a file or folder, or `{ fraction = 0.1 }` to cut that share from
    /// `train`, stratified by label and drawn from the seed. Default: none.
    pub validation: Option<Validation>,
    /// The examples for the final figure, never looked at while training: a file or folder. Default: none.
    pub test: Option<PathBuf>,
    /// The column that holds the text: a name of the header (or JSON key), or a number counted from 0. Default: "text".
    pub text: Column,
    /// The column that holds the label: a name of the header (or JSON key), or a number counted from 0. Default: "label".
    pub label: Column,
    /// How the files are laid out. Default: "auto", by the file's extension.
    pub format: Format,
    /// Whether the first line of a csv or tsv file names the columns. Default: true.
    pub header: bool,
    /// Whether a field of a tsv file may be quoted. Default: false, because most tsv files use quotes as plain
    /// characters. Csv files are always quoted.
    pub quoting: bool,
    /// The character between the fields of a csv file, one ASCII character. Default: ",".
    #[schemars(length(min = 1, max = 1))]
    pub delimiter: Option<String>,
    /// The encoding of the files: any name of the web's encoding standard, such as "windows-1252" or "gb18030".
    /// A byte order mark wins over it and is removed. Default: "utf-8".
    pub encoding: String,
    /// Names for the labels as they stand in the files, such as `{ "0" = "negative", "1" = "positive" }`. If there are
    /// any, every label in the files must be among them. Default: none, the files' own labels are the names.
    pub labels: BTreeMap<String, String>,
    /// The longest line, field or text, in bytes of UTF-8, at least 64. Longer ones are an error: they are nearly always
    /// a quote that is never closed, or not text at all. Default: 1,048,576 (1 MiB).
    #[schemars(range(min = 64))]
    pub max_line_bytes: usize,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            train: PathBuf::new(),
            validation: None,
            test: None,
            text: Column::Name("text".to_owned()),
            label: Column::Name("label".to_owned()),
            format: Format::Auto,
            header: true,
            quoting: false,
            delimiter: None,
            encoding: "utf-8".to_owned(),
            labels: BTreeMap::new(),
            max_line_bytes: 1 << 20,
        }
    }
}

impl DataConfig {
    /// What is wrong with the section, as (key below `[data]`, message). No file is touched.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if self.train.as_os_str().is_empty() {
            problems.push(("train", "is missing: name the file or folder that holds the training examples".to_owned()));
        }
        match &self.validation {
            Some(Validation::Fraction(fraction)) if !(*fraction > 0.0 && *fraction < 1.0) => {
                problems
                    .push(("validation", format!("has a `fraction` that must be above 0 and below 1, not {fraction}")));
            }
            Some(Validation::Path(path)) if path.as_os_str().is_empty() => {
                problems.push(("validation", "is an empty path".to_owned()));
            }
            _ => {}
        }
        if self.test.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            problems.push(("test", "is an empty path".to_owned()));
        }
        if let (Some(test), Some(Validation::Path(validation))) = (&self.test, &self.validation)
            && test == validation
            && !test.as_os_str().is_empty()
        {
            problems.push(("test", "is the same file as `validation`".to_owned()));
        }
        if self.encoding().is_err() {
            problems.push(("encoding", format!("names an unknown encoding, `{}`", self.encoding)));
        }
        let format = self.format_by_name(&self.train);
        let delimited = matches!(format, Some(Format::Csv | Format::Tsv));
        for (key, column) in [("text", &self.text), ("label", &self.label)] {
            match column {
                Column::Name(name) if delimited && !self.header => problems.push((
                    key,
                    format!("must be a column number, counted from 0, because `header = false`, not `{name}`"),
                )),
                Column::Number(number) if format == Some(Format::Jsonl) => {
                    problems.push((key, format!("must be the name of a key in a jsonl file, not {number}")));
                }
                _ => {}
            }
        }
        if self.text == self.label && format != Some(Format::Folder) {
            problems.push(("label", "is the same column as `text`".to_owned()));
        }
        if let Some(delimiter) = &self.delimiter {
            match delimiter.as_bytes() {
                [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => {}
                _ => problems.push((
                    "delimiter",
                    format!("must be one ASCII character, no quote or line end, not `{delimiter}`"),
                )),
            }
            if !matches!(format, Some(Format::Csv) | None) {
                problems.push(("delimiter", "is only for csv files".to_owned()));
            }
        }
        if self.labels.values().any(|name| name.trim().is_empty()) {
            problems.push(("labels", "gives a label an empty name".to_owned()));
        }
        if self.max_line_bytes < 64 {
            problems.push(("max_line_bytes", format!("must be at least 64, not {}", self.max_line_bytes)));
        }
        problems
    }

    /// The encoding by its name.
    pub(crate) fn encoding(&self) -> Result<&'static encoding_rs::Encoding, DataError> {
        encoding_rs::Encoding::for_label(self.encoding.as_bytes())
            .ok_or_else(|| DataError::UnknownEncoding { encoding: self.encoding.clone() })
    }

    /// The byte between the fields of a csv file.
    pub(crate) fn delimiter(&self) -> u8 {
        self.delimiter.as_ref().and_then(|text| text.bytes().next()).unwrap_or(b',')
    }

    /// The format that the config or the extension names; `None` if neither does.
    pub(crate) fn format_by_name(&self, path: &Path) -> Option<Format> {
        match self.format {
            Format::Auto => match extension(path).as_str() {
                "csv" => Some(Format::Csv),
                "tsv" | "txt" | "tab" => Some(Format::Tsv),
                "jsonl" | "ndjson" => Some(Format::Jsonl),
                _ => None,
            },
            format => Some(format),
        }
    }
}

/// The extension in lower case, empty if there is none.
pub(crate) fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// How a file of examples is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// By the extension: .csv, .tsv and .txt (tab-separated), .jsonl and .ndjson; a folder is a folder.
    #[default]
    Auto,
    /// Comma-separated with quotes, as RFC 4180 says.
    Csv,
    /// Tab-separated.
    Tsv,
    /// One JSON object a line.
    Jsonl,
    /// One folder of .txt files per label.
    Folder,
}

/// Where the validation split comes from: `"path"` or `{ fraction = 0.1 }`.
#[derive(Debug, Clone, PartialEq)]
pub enum Validation {
    /// A file or folder of its own.
    Path(PathBuf),
    /// This share of the training examples, above 0 and below 1.
    Fraction(f64),
}

/// The table form of [`Validation`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FractionTable {
    fraction: f64,
}

impl Serialize for Validation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Path(path) => path.serialize(serializer),
            Self::Fraction(fraction) => FractionTable { fraction: *fraction }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Validation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValidationVisitor;

        impl<'de> Visitor<'de> for ValidationVisitor {
            type Value = Validation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path or `{ fraction = 0.1 }`")
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<Validation, E> {
                Ok(Validation::Path(PathBuf::from(path)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Validation, A::Error> {
                let table = FractionTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Validation::Fraction(table.fraction))
            }
        }

        deserializer.deserialize_any(ValidationVisitor)
    }
}

impl JsonSchema for Validation {
    fn schema_name() -> Cow<'static, str> {
        "Validation".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A file or folder, or the share of `train` to cut off.",
            "oneOf": [
                { "type": "string", "description": "A file or folder of its own." },
                {
                    "type": "object",
                    "description": "A share of the training examples, stratified by label and drawn from the seed.",
                    "properties": {
                        "fraction": {
                            "type": "number",
                            "description": "The share of the training examples, above 0 and below 1.",
                            "exclusiveMinimum": 0,
                            "exclusiveMaximum": 1
                        }
                    },
                    "required": ["fraction"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

/// A column of a file: `"name"`, or a number counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// A name in the header, or a key of a JSON object.
    Name(String),
    /// A position, counted from 0.
    Number(usize),
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Name(name) => serializer.serialize_str(name),
            Self::Number(number) => number.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ColumnVisitor;

        impl Visitor<'_> for ColumnVisitor {
            type Value = Column;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column name or a column number, counted from 0")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Column, E> {
                Ok(Column::Name(name.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Column, E> {
                usize::try_from(number)
                    .map(Column::Number)
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Column, E> {
                usize::try_from(number)
                    .map(Column::Number)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
            }
        }

        deserializer.deserialize_any(ColumnVisitor)
    }
}

impl JsonSchema for Column {
    fn schema_name() -> Cow<'static, str> {
        "Column".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A column name, or a column number counted from 0.",
            "oneOf": [{ "type": "string" }, { "type": "integer", "minimum": 0 }]
        })
    }
}

/// How texts become ids: exactly one of the tables below.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenizerConfig {
    /// `[tokenizer.word]`: words and runs of punctuation, made from the training split.
    Word(WordConfig),
    /// `[tokenizer.file]`: a ready-made Hugging Face `tokenizer.json`.
    File(FileConfig),
}

impl Default for TokenizerConfig {
    fn default() -> Self {
        Self::Word(WordConfig::default())
    }
}

impl TokenizerConfig {
    /// What is wrong with the section, as (key below `[tokenizer.word]` or `[tokenizer.file]`, message). No file is touched.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Word(word) if word.vocab_size < 3 => {
                vec![("vocab_size", format!("must be at least 3, not {}", word.vocab_size))]
            }
            Self::File(file) if file.path.as_os_str().is_empty() => {
                vec![("path", "is missing: name a tokenizer.json".to_owned())]
            }
            _ => Vec::new(),
        }
    }
}

/// Words of the training split: texts are normalized (NFKC), split at whitespace, and runs of punctuation split off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WordConfig {
    /// The most tokens the vocabulary may have, `[PAD]` and `[UNK]` included: the most frequent words are kept, equally
    /// frequent ones in the order of their code points. At least 3. Default: 10,000.
    #[schemars(range(min = 3, max = 2_000_000))]
    pub vocab_size: usize,
    /// Whether upper and lower case count as the same. Default: true, which needs fewer examples per word.
    pub lowercase: bool,
}

impl Default for WordConfig {
    fn default() -> Self {
        Self { vocab_size: 10_000, lowercase: true }
    }
}

/// A tokenizer made elsewhere.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FileConfig {
    /// The `tokenizer.json`. Required. Relative to the directory the command runs in.
    pub path: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(json: serde_json::Value) -> Result<DataConfig, serde_json::Error> {
        serde_json::from_value(json)
    }

    #[test]
    fn a_full_section_is_read_and_written_back() {
        let json = serde_json::json!({
            "train": "a.csv", "validation": { "fraction": 0.1 }, "test": "b.csv", "text": 2, "label": "stars",
            "format": "csv", "delimiter": ";", "labels": { "0": "neg" },
        });
        let config = data(json).unwrap();
        assert_eq!(config.validation, Some(Validation::Fraction(0.1)));
        assert_eq!((&config.text, &config.label), (&Column::Number(2), &Column::Name("stars".to_owned())));
        assert_eq!(config.problems(), []);
        let written = serde_json::to_value(&config).unwrap();
        assert_eq!(written["validation"]["fraction"], 0.1);
        assert_eq!(written["text"], 2);
        assert_eq!(data(written).unwrap(), config);
    }

    #[test]
    fn wrong_types_are_named_plainly() {
        let message = |json| data(json).unwrap_err().to_string();
        assert_eq!(
            message(serde_json::json!({ "validation": 3 })),
            "invalid type: integer `3`, expected a path or `{ fraction = 0.1 }`"
        );
        assert_eq!(
            message(serde_json::json!({ "validation": { "fractoin": 0.1 } })),
            "unknown field `fractoin`, expected `fraction`"
        );
        assert_eq!(message(serde_json::json!({ "validation": {} })), "missing field `fraction`");
        assert_eq!(
            message(serde_json::json!({ "text": -1 })),
            "invalid value: integer `-1`, expected a column name or a column number, counted from 0"
        );
        assert_eq!(
            message(serde_json::json!({ "text": ["premise", "hypothesis"] })),
            "invalid type: sequence, expected a column name or a column number, counted from 0"
        );
    }

    #[test]
    fn every_problem_is_found_at_once() {
        let config = DataConfig {
            train: "a.tsv".into(),
            validation: Some(Validation::Fraction(1.0)),
            header: false,
            delimiter: Some("\n".to_owned()),
            encoding: "utf-9".to_owned(),
            max_line_bytes: 10,
            labels: BTreeMap::from([("0".to_owned(), " ".to_owned())]),
            ..DataConfig::default()
        };
        let keys: Vec<&str> = config.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(
            keys,
            ["validation", "encoding", "text", "label", "delimiter", "delimiter", "labels", "max_line_bytes"]
        );
        assert_eq!(
            DataConfig::default().problems(),
            [("train", "is missing: name the file or folder that holds the training examples".to_owned())]
        );
    }

    #[test]
    fn columns_must_suit_the_format() {
        let config =
            |train: &str, text, label| DataConfig { train: train.into(), text, label, ..DataConfig::default() };
        let name = || Column::Name("a".to_owned());
        let problems = config("a.jsonl", Column::Number(1), name()).problems();
        assert_eq!(problems, [("text", "must be the name of a key in a jsonl file, not 1".to_owned())]);
        let problems = config("a.csv", name(), name()).problems();
        assert_eq!(problems, [("label", "is the same column as `text`".to_owned())]);
    }

    #[test]
    fn tokenizers_are_tagged() {
        let config: TokenizerConfig = serde_json::from_str(r#"{"word":{"lowercase":false}}"#).unwrap();
        assert_eq!(config, TokenizerConfig::Word(WordConfig { vocab_size: 10_000, lowercase: false }));
        let config: TokenizerConfig = serde_json::from_str(r#"{"file":{}}"#).unwrap();
        assert_eq!(config.problems(), [("path", "is missing: name a tokenizer.json".to_owned())]);
        let config: TokenizerConfig = serde_json::from_str(r#"{"word":{"vocab_size":2}}"#).unwrap();
        assert_eq!(config.problems(), [("vocab_size", "must be at least 3, not 2".to_owned())]);
    }

    #[test]
    fn the_schema_tells_both_forms() {
        let schema = schemars::schema_for!(DataConfig).to_value();
        let forms = &schema["$defs"]["Validation"]["oneOf"];
        assert_eq!(forms[0]["type"], "string");
        assert_eq!(forms[1]["properties"]["fraction"]["exclusiveMaximum"], 1);
        assert_eq!(schema["$defs"]["Column"]["oneOf"][1]["minimum"], 0);
    }
}
