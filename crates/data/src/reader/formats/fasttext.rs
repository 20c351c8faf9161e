//! FastText: `__label__a __label__b the text`, the labels at the front of the line. Blank lines are skipped.
//!
//! FastText itself takes every word that begins with `__label__` as a label, wherever it stands; here a label behind the
//! text's first word is an error, because as text it would tell the model the answer.

use std::borrow::Cow;
use std::io::Read;

use serde_json::{Map, Value, json};

use super::lines::each_line;
use crate::config::DataConfig;
use crate::error::{DataError, RowFault, beginning};
use crate::reader::layout::TableKind;
use crate::reader::rows::{Fields, LabelValue, ParsedRow, RowSink};
use crate::reader::source::TextReader;

/// What every label begins with.
pub(in crate::reader) const PREFIX: &str = "__label__";

/// Hands every line's text and labels to `rows`. Where no labels are asked for, lines need none, and blank lines are
/// empty texts.
pub(in crate::reader) fn read<R: Read>(source: &mut TextReader<R>, rows: &mut RowSink<'_>) -> Result<(), DataError> {
    let (config, with_label) = (rows.config, rows.with_label);
    let mut labels = Vec::new();
    let mut object = String::new();
    let any = each_line(source, TableKind::Objects, rows, |line, source, rows| {
        if with_label && line.trim().is_empty() {
            return Ok(false);
        }
        // The labels of the last line are gone with it, but not the memory they took.
        let mut of_line = reuse(std::mem::take(&mut labels));
        let (text, number) = (split(line, &mut of_line), source.line());
        let checked = if with_label { check(text, &of_line, config, line) } else { Ok(()) };
        let fields = match with_label {
            true => Fields::None,
            false => Fields::Json(as_object(text, &of_line, config, &mut object)),
        };
        let label = LabelValue::List(&of_line);
        let row = ParsedRow { line: number, element: None, text, second: None, label, group: None, fields };
        match checked {
            Ok(()) => rows.row(&row, || source.at(number))?,
            Err(fault) => rows.bad(fault.at(source.at(number)))?,
        }
        labels = reuse(of_line);
        Ok(true)
    })?;
    if any { Ok(()) } else { Err(DataError::Empty { path: source.path().to_owned() }) }
}

/// The row as the JSON object that a jsonl file would hold: a list of labels only where there can be several.
pub(super) fn as_object<'a>(
    text: &str,
    labels: &[Cow<'_, str>],
    config: &DataConfig,
    object: &'a mut String,
) -> &'a str {
    let label = match labels {
        [label] if !config.multi_label => json!(label),
        labels => json!(labels),
    };
    let columns = config.text.first().first().map(ToString::to_string);
    object.clear();
    let members = [(config.label.to_string(), label), (columns.unwrap_or_default(), json!(text))];
    object.push_str(&Value::Object(Map::from_iter(members)).to_string());
    object
}

/// An empty list in the memory of another.
fn reuse<'a>(mut list: Vec<Cow<'_, str>>) -> Vec<Cow<'a, str>> {
    list.clear();
    list.into_iter().map(|_| Cow::Borrowed("")).collect()
}

/// Puts the labels at the front of a line into `labels`; returns the text behind them.
fn split<'a>(line: &'a str, labels: &mut Vec<Cow<'a, str>>) -> &'a str {
    let mut rest = line.trim();
    while let Some(label) = rest.strip_prefix(PREFIX) {
        let end = label.find(char::is_whitespace).unwrap_or(label.len());
        labels.push(Cow::Borrowed(&label[..end]));
        rest = label[end..].trim_start();
    }
    rest
}

fn check(text: &str, labels: &[Cow<'_, str>], config: &DataConfig, line: &str) -> Result<(), RowFault> {
    if !config.multi_label && labels.len() != 1 {
        let row = beginning(line);
        return Err(match labels.len() {
            0 => RowFault::NoLabelAtFront { row },
            found => RowFault::SeveralLabels { found, row },
        });
    }
    if text.contains(PREFIX)
        && let Some(label) = text.split_whitespace().find(|word| word.starts_with(PREFIX))
    {
        return Err(RowFault::LabelInText { label: beginning(label) });
    }
    Ok(())
}
