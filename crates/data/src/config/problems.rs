//! What can be wrong in the `[data]` section of the config, told without touching a file.

use super::column::{Column, TextColumns};
use super::data::{DataConfig, LABEL_SEPARATOR};
use super::format::Format;
use super::split_source::{Cut, SplitSource};

/// Lengths of texts are counted in 32 bits.
const LONGEST_LINE: usize = 1 << 31;

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
        let format = self.train.as_written().first().and_then(|path| self.format.by_name(path));
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
            Some(Format::LabelText) => Some("a file of labels and texts"),
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
        if let (Some(_), Some(plain)) = (&self.group, plain) {
            problems.push(("group", format!("names a column, but {plain} has none")));
        }
        if self.label_separator.is_empty() {
            problems.push(("label_separator", "is empty".to_owned()));
        } else if !self.multi_label && self.label_separator != LABEL_SEPARATOR {
            problems.push(("label_separator", "is only for `multi_label = true`".to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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
