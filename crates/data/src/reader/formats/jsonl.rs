//! Jsonl: one JSON object a line. A text is a string; a label is a string, an integer, a boolean, or an array of them.
//! Where columns are joined, a text may also be null. Blank lines are skipped.

use std::borrow::Cow;
use std::io::Read;
use std::num::NonZeroU64;

use serde_json::Value;

use super::json_keys::{FieldValue, names, pick};
use super::lines::each_line;
use crate::config::Column;
use crate::error::{DataError, Location, RowFault, beginning};
use crate::reader::columns::join;
use crate::reader::layout::TableKind;
use crate::reader::rows::{Fields, LABEL_TYPES, LabelValue, ParsedRow, RowSink};
use crate::reader::source::TextReader;

/// The keys that are wanted: the texts, the second text, the label, the group, in this order.
pub(super) struct RowKeys {
    names: Vec<String>,
    texts: usize,
    second: Option<usize>,
    label: Option<usize>,
    group: Option<usize>,
}

impl RowKeys {
    pub(super) fn of(rows: &RowSink<'_>) -> Self {
        let (config, with_label) = (rows.config, rows.with_label);
        let mut names: Vec<String> = config.text.first().iter().map(ToString::to_string).collect();
        let texts = names.len();
        let mut next = |column: &Column| {
            names.push(column.to_string());
            names.len() - 1
        };
        let second = config.text.second().map(&mut next);
        let label = with_label.then(|| next(&config.label));
        let group = config.group.as_ref().filter(|_| with_label).map(&mut next);
        Self { names, texts, second, label, group }
    }
}

/// Hands every line's text and label to `rows`.
pub(in crate::reader) fn read<R: Read>(source: &mut TextReader<R>, rows: &mut RowSink<'_>) -> Result<(), DataError> {
    let keys = RowKeys::of(rows);
    let mut joined = String::new();
    let any = each_line(source, TableKind::JsonLines, rows, |line, source, rows| {
        if line.trim().is_empty() {
            return Ok(false);
        }
        let object = JsonObject { json: line, column: 1, at: &|| source.at(source.line()) };
        row(&object, &keys, &mut joined, rows).or_else(|error| rows.bad_object(error, line))?;
        Ok(true)
    })?;
    if any { Ok(()) } else { Err(DataError::Empty { path: source.path().to_owned() }) }
}

/// A JSON object as it stands in a file: a line, or an element of an array.
pub(super) struct JsonObject<'a> {
    pub(super) json: &'a str,
    /// The byte column where it begins, counted from 1.
    pub(super) column: usize,
    /// Where it begins.
    pub(super) at: &'a dyn Fn() -> Location,
}

impl JsonObject<'_> {
    /// What the parser found wrong with it, at its place in the file.
    fn failure(&self, error: &serde_json::Error) -> DataError {
        let message = error.to_string();
        let reason = message.split(" at line ").next().unwrap_or_default().replace("a map", "an object");
        // The parser counts lines and columns in what it was given.
        let (below, column) = (error.line().saturating_sub(1), error.column().max(1));
        let mut at = (self.at)();
        at.line = at.line.map(|line| line + below as u64);
        let column = if below == 0 { self.column - 1 + column } else { column };
        RowFault::Json { column, reason, row: beginning(self.json) }.at(at)
    }
}

/// Hands one object on. An error is the object's own fault, or ends the reading.
pub(super) fn row(
    object: &JsonObject<'_>,
    keys: &RowKeys,
    joined: &mut String,
    rows: &mut RowSink<'_>,
) -> Result<(), DataError> {
    let &JsonObject { json, at, .. } = object;
    let config = rows.config;
    let items = pick(json, &keys.names).map_err(|error| object.failure(&error))?;
    if items.iter().flatten().any(holds_nul) {
        return Err(RowFault::Nul.at(at()));
    }
    let missing = |index: usize| RowFault::NoKey { key: keys.names[index].clone(), keys: names(json) }.at(at());
    let item = |index: usize| items[index].as_ref().ok_or_else(|| missing(index));
    let text = |index: usize| match item(index)? {
        FieldValue::Text(text) => Ok(text.as_ref()),
        FieldValue::Other(Value::Null) if keys.texts > 1 && index < keys.texts => Ok(""),
        FieldValue::Other(other) => Err(wrong_type(at(), keys.names[index].clone(), "a string", other)),
    };
    let second = keys.second.map(text).transpose()?;
    let parts = (0..keys.texts).map(text).collect::<Result<Vec<_>, _>>()?;
    let single;
    let list;
    let label = match keys.label.map(item).transpose()? {
        None | Some(FieldValue::Other(Value::Null)) => LabelValue::Field(""),
        Some(FieldValue::Text(label)) => LabelValue::Field(label),
        Some(FieldValue::Other(Value::Array(values))) => {
            let key = &keys.names[keys.label.unwrap_or_default()];
            if !config.multi_label {
                return Err(RowFault::LabelList { key: key.clone() }.at(at()));
            }
            let label = |(index, value)| label_of(value, at, || format!("{key}[{index}]"));
            list = values.iter().enumerate().map(label).collect::<Result<Vec<_>, _>>()?;
            LabelValue::List(&list)
        }
        Some(FieldValue::Other(value)) => {
            single = label_of(value, at, || keys.names[keys.label.unwrap_or_default()].clone())?;
            LabelValue::Field(&single)
        }
    };
    let number;
    let group = match keys.group.map(item).transpose()? {
        None => None,
        Some(FieldValue::Text(group)) => Some(group.as_ref()),
        Some(FieldValue::Other(Value::Null)) => Some(""),
        Some(FieldValue::Other(value)) => {
            number = label_of(value, at, || keys.names[keys.group.unwrap_or_default()].clone())?;
            Some(number.as_ref())
        }
    };
    let text = join(parts.iter().copied(), config.text.separator(), joined);
    let Location { line, element, .. } = at();
    let (line, element) = (line.unwrap_or_default(), element.map(NonZeroU64::get));
    rows.row(&ParsedRow { line, element, text, second, label, group, fields: Fields::Json(json) }, at)
}

/// Whether a value holds a NUL character, which can only be an escaped one.
fn holds_nul(item: &FieldValue<'_>) -> bool {
    match item {
        FieldValue::Text(Cow::Owned(text)) => text.contains('\0'),
        FieldValue::Other(Value::Array(values)) => {
            values.iter().filter_map(Value::as_str).any(|text| text.contains('\0'))
        }
        FieldValue::Text(Cow::Borrowed(_)) | FieldValue::Other(_) => false,
    }
}

/// A label as text.
fn label_of<'a>(
    value: &'a Value,
    at: &dyn Fn() -> Location,
    key: impl Fn() -> String,
) -> Result<Cow<'a, str>, DataError> {
    match value {
        Value::String(label) => Ok(Cow::Borrowed(label)),
        Value::Bool(label) => Ok(Cow::Owned(label.to_string())),
        Value::Number(label) if !label.is_f64() => Ok(Cow::Owned(label.to_string())),
        other => Err(wrong_type(at(), key(), LABEL_TYPES, other)),
    }
}

fn wrong_type(at: Location, key: String, expected: &'static str, found: &Value) -> DataError {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    RowFault::JsonType { key, expected, found }.at(at)
}
