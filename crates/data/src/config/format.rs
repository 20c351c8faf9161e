//! The formats of files of examples, and what the extension of a file says of its format and how it is packed.

use std::path::Path;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Serialize};

/// The extension that names the format, in lower case: of a packed file the one before .gz or .zst. Empty if there is
/// none.
pub fn extension(path: &Path) -> String {
    match packing(path) {
        None => last_extension(path),
        Some(_) => path.file_stem().map(|stem| last_extension(Path::new(stem))).unwrap_or_default(),
    }
}

fn last_extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// .gz
    Gzip,
    /// .zst
    Zstd,
}

/// How a file is packed, by its extension.
pub fn packing(path: &Path) -> Option<Packing> {
    match last_extension(path).as_str() {
        "gz" | "gzip" => Some(Packing::Gzip),
        "zst" | "zstd" => Some(Packing::Zstd),
        _ => None,
    }
}

/// How a file of examples is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// By the extension: .csv, .tsv and .txt (tab-separated), .json, .jsonl and .ndjson, .ft, .parquet, .xlsx; those of text
    /// also with .gz or .zst behind it; a folder is a folder. A .txt file whose first line begins with `__label__` is "fasttext", a .json
    /// file that does not begin with `[` is "jsonl".
    #[default]
    Auto,
    /// Comma-separated with quotes, as RFC 4180 says.
    Csv,
    /// Tab-separated.
    Tsv,
    /// One JSON array of objects; messages count its elements from 1.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// `__label__spam the text`: the labels at the front of each line, then the text. FastText itself takes a word that
    /// begins with `__label__` as a label wherever it stands; here one behind the text's first word is an error.
    Fasttext,
    /// `spam the text`: the first word of each line is its label, the rest the text. Files to predict on are read without
    /// labels unless `--format label_text` says that they have them.
    LabelText,
    /// Parquet; messages count its rows from 1. Only where the program is built with its feature `parquet`.
    Parquet,
    /// Excel's .xlsx: the first sheet. A number, a date, a truth value or what a formula gave is the text that one sees:
    /// `3`, `2024-02-29`, `TRUE`. Only where the program is built with its feature `xlsx`.
    Xlsx,
    /// One folder per label, each text a file: the .txt files if there are any, else all files that hold text, whatever they
    /// are called. Hidden files are left out.
    Folder,
}

impl Format {
    /// The format itself or, of [`Format::Auto`], that of the extension; `None` if it tells none.
    pub(crate) fn by_name(self, path: &Path) -> Option<Self> {
        match self {
            Self::Auto => match extension(path).as_str() {
                "csv" => Some(Self::Csv),
                "tsv" | "txt" | "tab" => Some(Self::Tsv),
                "json" => Some(Self::Json),
                "jsonl" | "ndjson" => Some(Self::Jsonl),
                "ft" => Some(Self::Fasttext),
                "parquet" => Some(Self::Parquet),
                "xlsx" | "xlsm" => Some(Self::Xlsx),
                _ => None,
            },
            format => Some(format),
        }
    }
}

impl FromStr for Format {
    type Err = String;

    /// As the config names it.
    fn from_str(name: &str) -> Result<Self, String> {
        Self::deserialize(StrDeserializer::new(name)).map_err(|error: Error| error.to_string())
    }
}
