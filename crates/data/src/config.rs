//! The `[data]` section of the config and what can be checked in it without touching a file.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::column::{Column, TextColumns};
use crate::error::DataError;
use crate::files_config::Files;
use crate::split_source::{Cut, CutBy, Fold, SplitSource};

/// Lengths of texts are counted in 32 bits.
const LONGEST_LINE: usize = 1 << 31;

/// The default of `data.label_separator`.
const LABEL_SEPARATOR: &str = ",";

/// Where the examples are and how the files are to be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// The training examples: a file, a pattern such as `"data/*.csv"`, an array of these, or a folder with one folder of
    /// .txt files per label. Required. Relative to the directory the command runs in. Several files are read one after
    /// the other, those of a pattern in the order of their names; they must have the same columns. Files may be packed
    /// with gzip (.csv.gz) or Zstandard (.csv.zst).
    pub train: Files,
    /// The examples to measure on after each epoch: files or a folder, or `{ fraction = 0.1 }` to cut that share from
    /// `train`, stratified by label and drawn from the seed, or `{ fraction = 0.1, by = "hash" }` to let each text
    /// decide. What is cut for `test` or `fold` is cut first; every fraction is one of all examples of `train`.
    /// Default: none.
    pub validation: Option<SplitSource>,
    /// The examples for the final figure, never looked at while training: files or a folder, or a share of `train` as for
    /// `validation`. Default: none.
    pub test: Option<SplitSource>,
    /// One part of a cross-validation: of as many parts as `of` says, part `index` becomes the test split, in the place
    /// of `test`. Every example is in exactly one part. `attentive train --folds 5` trains one run for each of five parts
    /// and writes this key into their configs. Default: none.
    pub fold: Option<Fold>,
    /// The column that names what an example belongs to, such as its author or the document it is a part of: a name of
    /// the header (or JSON key), or a number counted from 0. Wherever `train` is cut or folded, no group is in two
    /// splits, because a model that knows the author is flattered; the labels are shared out as well as whole groups
    /// allow. An example whose group is empty is a group of its own. Where splits are files, groups in two of them are
    /// told. Default: none.
    pub group: Option<Column>,
    /// The column that holds the text: a name of the header (or JSON key), or a number counted from 0. For pairs of
    /// texts an array of two columns, such as `["premise", "hypothesis"]`; for one text made of several columns
    /// `{ join = ["title", "body"], separator = " " }`. Default: "text".
    pub text: TextColumns,
    /// The column that holds the label: a name of the header (or JSON key), or a number counted from 0. Default:
    /// "label".
    pub label: Column,
    /// Whether an example can have any number of labels, also none, instead of exactly one. The label is then a list: a
    /// JSON array, or a field split at `label_separator`. Default: false.
    pub multi_label: bool,
    /// What stands between the labels of one field where `multi_label = true`; white space around it is dropped.
    /// Default: ",".
    #[schemars(length(min = 1))]
    pub label_separator: String,
    /// How the files are laid out. Default: "auto", by the file's extension.
    pub format: Format,
    /// Whether the first line of a csv or tsv file, or the first row of an xlsx file, names the columns. Default: true.
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
    /// Other names for some labels as they stand in the files, such as `{ "4" = "positive", "5" = "positive" }`; two with
    /// the same name become one label. Labels that are not renamed stay, or are named by `labels`. Every one must occur
    /// in the training examples. Default: none.
    pub rename: BTreeMap<String, String>,
    /// Labels, by their names after `labels` and `rename`, whose examples are left out; with `multi_label` the label is
    /// left out and the example stays. Every one must occur in the training examples. Default: none.
    pub drop: Vec<String>,
    /// How many rows of each split may be left out because they cannot be read: a wrong number of fields, invalid JSON,
    /// no label, bytes that are not in the encoding. They are counted and listed. One more is an error. Default: 0,
    /// because a bad row is most often the first of many.
    pub skip_bad_rows: usize,
    /// How many times its size a packed file may unpack to, at least 1; files that unpack to 1 MiB or less are always
    /// read. More is an error: text seldom packs better than 1 to 20, so that such a file is damaged or made to fill the
    /// memory. It holds for the texts of a Parquet file and for an xlsx file too. Default: 100.
    #[schemars(range(min = 1))]
    pub max_expansion: u64,
    /// The longest line, field or text, in bytes of UTF-8, at least 64 and at most 2 GiB. Longer ones are an error: they are nearly
    /// always a quote that is never closed, or not text at all. Default: 1,048,576 (1 MiB).
    #[schemars(range(min = 64, max = 2_147_483_648_u64))]
    pub max_line_bytes: usize,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            train: Files::default(),
            validation: None,
            test: None,
            fold: None,
            group: None,
            text: TextColumns::One(Column::Name("text".to_owned())),
            label: Column::Name("label".to_owned()),
            multi_label: false,
            label_separator: LABEL_SEPARATOR.to_owned(),
            format: Format::Auto,
            header: true,
            quoting: false,
            delimiter: None,
            encoding: "utf-8".to_owned(),
            labels: BTreeMap::new(),
            rename: BTreeMap::new(),
            drop: Vec::new(),
            skip_bad_rows: 0,
            max_expansion: 100,
            max_line_bytes: 1 << 20,
        }
    }
}

impl DataConfig {
    /// What is wrong with the section, as (key below `[data]`, message). No file is touched.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if self.train.is_empty() {
            problems.push(("train", "is missing: name the file or folder that holds the training examples".to_owned()));
        }
        self.add_split_problems(&mut problems);
        if let (Some(SplitSource::Files(test)), Some(SplitSource::Files(validation))) = (&self.test, &self.validation)
            && test == validation
            && !test.is_empty()
        {
            problems.push(("test", "is the same file as `validation`".to_owned()));
        }
        if self.encoding().is_err() {
            problems.push(("encoding", format!("names an unknown encoding, `{}`", self.encoding)));
        }
        let format = self.train.as_written().first().and_then(|path| self.format_by_name(path));
        let delimited = matches!(format, Some(Format::Csv | Format::Tsv));
        let columns = self.text.iter().map(|column| ("text", column)).chain([("label", &self.label)]);
        let columns = columns.chain(self.group.iter().map(|column| ("group", column)));
        for (key, column) in columns {
            match column {
                Column::Name(name) if delimited && !self.header => problems.push((
                    key,
                    format!("must be a column number, counted from 0, because `header = false`, not `{name}`"),
                )),
                Column::Number(number) if matches!(format, Some(Format::Json | Format::Jsonl)) => {
                    let name = if format == Some(Format::Json) { "json" } else { "jsonl" };
                    problems.push((key, format!("must be the name of a key in a {name} file, not {number}")));
                }
                _ => {}
            }
        }
        self.add_list_problems(format, &mut problems);
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
        self.add_label_problems(&mut problems);
        if self.max_expansion == 0 {
            problems.push(("max_expansion", "must be at least 1, not 0".to_owned()));
        }
        if !(64..=LONGEST_LINE).contains(&self.max_line_bytes) {
            let range = format!("must be at least 64 and at most {LONGEST_LINE}, not {}", self.max_line_bytes);
            problems.push(("max_line_bytes", range));
        }
        problems
    }

    /// What is wrong with where the validation and test splits come from.
    fn add_split_problems(&self, problems: &mut Vec<(&'static str, String)>) {
        for (key, source) in [("validation", &self.validation), ("test", &self.test)] {
            match source {
                Some(SplitSource::Cut(Cut { fraction, .. })) if !(*fraction > 0.0 && *fraction < 1.0) => {
                    problems.push((key, format!("has a `fraction` that must be above 0 and below 1, not {fraction}")));
                }
                Some(SplitSource::Files(files)) if files.is_empty() => {
                    problems.push((key, "is an empty path".to_owned()));
                }
                _ => {}
            }
        }
        if let Some(fold) = &self.fold {
            if fold.of < 2 {
                problems.push(("fold", format!("needs at least two parts: `of` must be at least 2, not {}", fold.of)));
            } else if !(1..=fold.of).contains(&fold.index) {
                problems
                    .push(("fold", format!("has an `index` that must be from 1 to {}, not {}", fold.of, fold.index)));
            }
        }
        if let (Some(first), Some(SplitSource::Cut(validation))) = (self.test_cut(), &self.validation) {
            let name = if self.fold.is_some() { "fold" } else { "test" };
            if first.fraction + validation.fraction >= 1.0 {
                let message =
                    format!("leaves nothing to train on: with what `{name}` takes, its `fraction` is 1 or more");
                problems.push(("validation", message));
            }
            if first.by != validation.by {
                problems.push(("validation", format!("must be cut by the same as `{name}`: give both the same `by`")));
            }
        }
    }

    /// What is cut off for the test split, as `test` or `fold` says.
    pub(crate) fn test_cut(&self) -> Option<Cut> {
        match (&self.fold, &self.test) {
            (Some(fold), _) => Some(Cut { fraction: 1.0 / f64::from(fold.of), by: fold.by }),
            (None, Some(SplitSource::Cut(cut))) => Some(*cut),
            _ => None,
        }
    }

    /// What decides how the training file is divided, if it is; by label otherwise.
    pub fn cut_by(&self) -> CutBy {
        match (self.test_cut(), &self.validation) {
            (Some(cut), _) => cut.by,
            (None, Some(SplitSource::Cut(cut))) => cut.by,
            _ => CutBy::Label,
        }
    }

    /// What is wrong with the names of labels.
    fn add_label_problems(&self, problems: &mut Vec<(&'static str, String)>) {
        for (key, names) in [("labels", &self.labels), ("rename", &self.rename)] {
            if names.values().any(|name| name.trim().is_empty()) {
                problems.push((key, "gives a label an empty name".to_owned()));
            }
        }
        if let Some(value) = self.rename.keys().find(|value| self.labels.contains_key(*value)) {
            problems.push(("rename", format!("and `labels` both name the label `{value}`")));
        }
        if self.rename.keys().any(|value| value.trim() != value || value.is_empty()) {
            problems
                .push(("rename", "names a label with white space around it, which labels are read without".to_owned()));
        }
        if self.drop.iter().any(|name| name.trim().is_empty()) {
            problems.push(("drop", "names an empty label".to_owned()));
        }
    }

    /// What is wrong with the columns taken together, and with lists of labels.
    fn add_list_problems(&self, format: Option<Format>, problems: &mut Vec<(&'static str, String)>) {
        let is_folder = format == Some(Format::Folder);
        let plain = match format {
            Some(Format::Folder) => Some("a folder"),
            Some(Format::Fasttext) => Some("a fastText file"),
            _ => None,
        };
        let columns: Vec<&Column> = self.text.iter().collect();
        if columns.is_empty() {
            problems.push(("text", "joins no columns".to_owned()));
        } else if let (Some(plain), false) = (plain, matches!(self.text, TextColumns::One(_))) {
            let several = if self.text.is_pair() { "two" } else { "several" };
            problems.push(("text", format!("names {several} columns, but {plain} holds one text per example")));
        } else if let Some((_, column)) =
            columns.iter().enumerate().find(|&(index, column)| columns[..index].contains(column))
        {
            problems.push(("text", format!("names the column `{column}` twice")));
        }
        if plain.is_none() && self.text.iter().any(|column| *column == self.label) {
            let which = if columns.len() > 1 { "one of the columns of" } else { "the same column as" };
            problems.push(("label", format!("is {which} `text`")));
        }
        if self.multi_label && is_folder {
            problems.push(("multi_label", "cannot be true for a folder, which holds one label per example".to_owned()));
        }
        if self.group.is_some() && is_folder {
            problems.push(("group", "names a column, but a folder has none".to_owned()));
        }
        if self.label_separator.is_empty() {
            problems.push(("label_separator", "is empty".to_owned()));
        } else if !self.multi_label && self.label_separator != LABEL_SEPARATOR {
            problems.push(("label_separator", "is only for `multi_label = true`".to_owned()));
        }
    }

    /// The encoding by its name.
    pub(crate) fn encoding(&self) -> Result<&'static encoding_rs::Encoding, DataError> {
        encoding_rs::Encoding::for_label(self.encoding.as_bytes())
            .ok_or_else(|| DataError::UnknownEncoding { encoding: self.encoding.clone() })
    }

    /// The byte between the fields of a csv file.
    pub fn delimiter(&self) -> u8 {
        self.delimiter.as_ref().and_then(|text| text.bytes().next()).unwrap_or(b',')
    }

    /// The format that the config or the extension names; `None` if neither does.
    pub(crate) fn format_by_name(&self, path: &Path) -> Option<Format> {
        match self.format {
            Format::Auto => match extension(path).as_str() {
                "csv" => Some(Format::Csv),
                "tsv" | "txt" | "tab" => Some(Format::Tsv),
                "json" => Some(Format::Json),
                "jsonl" | "ndjson" => Some(Format::Jsonl),
                "ft" => Some(Format::Fasttext),
                "parquet" => Some(Format::Parquet),
                "xlsx" | "xlsm" => Some(Format::Xlsx),
                _ => None,
            },
            format => Some(format),
        }
    }
}

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
    /// Parquet; messages count its rows from 1. Only where the program is built with its feature `parquet`.
    Parquet,
    /// Excel's .xlsx: the first sheet. A number, a date, a truth value or what a formula gave is the text that one sees:
    /// `3`, `2024-02-29`, `TRUE`. Only where the program is built with its feature `xlsx`.
    Xlsx,
    /// One folder of .txt files per label.
    Folder,
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
        assert_eq!(config.validation, Some(SplitSource::Cut(Cut::by_label(0.1))));
        assert_eq!(config.text, TextColumns::One(Column::Number(2)));
        assert_eq!(config.label, Column::Name("stars".to_owned()));
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
            "invalid type: integer `3`, expected a path, an array of paths, or `{ fraction = 0.1 }`"
        );
        assert_eq!(
            message(serde_json::json!({ "validation": { "fractoin": 0.1 } })),
            "unknown field `fractoin`, expected `fraction` or `by`"
        );
        assert_eq!(message(serde_json::json!({ "validation": {} })), "missing field `fraction`");
        assert_eq!(
            message(serde_json::json!({ "text": -1 })),
            "invalid value: integer `-1`, expected a column name or a column number, counted from 0"
        );
        assert_eq!(
            message(serde_json::json!({ "label": ["a", "b"] })),
            "invalid type: sequence, expected a column name or a column number, counted from 0"
        );
    }

    #[test]
    fn every_problem_is_found_at_once() {
        let config = DataConfig {
            train: "a.tsv".into(),
            validation: Some(SplitSource::Cut(Cut::by_label(1.0))),
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
        let config = |train: &str, text, label| DataConfig {
            train: train.into(),
            text: TextColumns::One(text),
            label,
            ..DataConfig::default()
        };
        let name = || Column::Name("a".to_owned());
        let problems = config("a.jsonl", Column::Number(1), name()).problems();
        assert_eq!(problems, [("text", "must be the name of a key in a jsonl file, not 1".to_owned())]);
        let problems = config("a.csv", name(), name()).problems();
        assert_eq!(problems, [("label", "is the same column as `text`".to_owned())]);
    }

    #[test]
    fn pairs_and_lists_of_labels_must_suit_the_rest() {
        let problems = |json: serde_json::Value| {
            let problems = data(json).unwrap().problems();
            problems.into_iter().map(|(key, message)| format!("{key} {message}")).collect::<Vec<_>>()
        };
        let json =
            serde_json::json!({ "train": "a.csv", "text": ["a", "b"], "multi_label": true, "label_separator": "; " });
        assert_eq!(problems(json), [""; 0]);
        let json = serde_json::json!({ "train": "a.csv", "text": ["a", "a"], "label": "a" });
        assert_eq!(problems(json), ["text names the column `a` twice", "label is one of the columns of `text`"]);
        let json = serde_json::json!({ "train": "a.jsonl", "text": ["a", 1] });
        assert_eq!(problems(json), ["text must be the name of a key in a jsonl file, not 1"]);
        let json = serde_json::json!({ "train": "a", "format": "folder", "text": ["a", "b"], "multi_label": true });
        assert_eq!(
            problems(json),
            [
                "text names two columns, but a folder holds one text per example",
                "multi_label cannot be true for a folder, which holds one label per example"
            ]
        );
        let json = serde_json::json!({ "train": "a.csv", "label_separator": "" });
        assert_eq!(problems(json), ["label_separator is empty"]);
        let json = serde_json::json!({ "train": "a.csv", "label_separator": "|" });
        assert_eq!(problems(json), ["label_separator is only for `multi_label = true`"]);
    }

    #[test]
    fn what_is_cut_must_leave_something_and_be_cut_alike() {
        let problems = |json: serde_json::Value| {
            let problems = data(json).unwrap().problems();
            problems.into_iter().map(|(key, message)| format!("{key} {message}")).collect::<Vec<_>>()
        };
        let cut = |fraction: f64, by: &str| serde_json::json!({ "fraction": fraction, "by": by });
        let json = serde_json::json!({ "train": "a.csv", "test": cut(0.2, "hash"), "validation": cut(0.1, "hash"), "group": 3 });
        assert_eq!(problems(json), [""; 0]);
        let json = serde_json::json!({ "train": "a.csv", "test": cut(0.6, "label"), "validation": cut(0.4, "hash") });
        assert_eq!(
            problems(json),
            [
                "validation leaves nothing to train on: with what `test` takes, its `fraction` is 1 or more",
                "validation must be cut by the same as `test`: give both the same `by`"
            ]
        );
        let json = serde_json::json!({ "train": "a.csv", "test": cut(0.0, "label"), "fold": { "index": 3, "of": 2 } });
        assert_eq!(
            problems(json),
            [
                "test has a `fraction` that must be above 0 and below 1, not 0",
                "fold has an `index` that must be from 1 to 2, not 3"
            ]
        );
        let fold = serde_json::json!({ "index": 1, "of": 2 });
        let json =
            serde_json::json!({ "train": "a.csv", "test": "b.csv", "fold": fold, "validation": cut(0.5, "label") });
        assert_eq!(
            problems(json),
            ["validation leaves nothing to train on: with what `fold` takes, its `fraction` is 1 or more"]
        );
        let json = serde_json::json!({ "train": "a", "format": "folder", "group": "author" });
        assert_eq!(problems(json), ["group names a column, but a folder has none"]);
        let json = serde_json::json!({ "train": "a.csv", "header": false, "text": 0, "label": 1, "group": "author" });
        assert_eq!(
            problems(json),
            ["group must be a column number, counted from 0, because `header = false`, not `author`"]
        );
    }

    #[test]
    fn the_schema_tells_both_forms() {
        let schema = schemars::schema_for!(DataConfig).to_value();
        let forms = &schema["$defs"]["SplitSource"]["oneOf"];
        assert_eq!(forms[0]["type"], "string");
        assert_eq!(forms[2]["properties"]["fraction"]["exclusiveMaximum"], 1);
        assert_eq!(schema["$defs"]["Column"]["oneOf"][1]["minimum"], 0);
        assert_eq!(schema["$defs"]["TextColumns"]["oneOf"][2]["maxItems"], 2);
    }
}
