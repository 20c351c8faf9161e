//! Jsonl: one JSON object a line. A text is a string; a label is a string, an integer, a boolean, or an array of them.
//! Where columns are joined, a text may also be null. Blank lines are skipped.

use std::borrow::Cow;
use std::io::Read;
use std::num::NonZeroU64;

use serde_json::Value;

use crate::config::DataConfig;
use crate::error::{DataError, Location, beginning};

use super::columns::join;
use super::json_keys::{Item, names, pick};
use super::layout::TableKind;
use super::rows::{Fields, LabelValue, Row, Rows};
use super::source::{Source, trim_line_end};

/// The keys that are wanted: the texts, the second text, the label, the group, in this order.
pub(super) struct Keys {
    names: Vec<String>,
    texts: usize,
    second: Option<usize>,
    label: Option<usize>,
    group: Option<usize>,
}

impl Keys {
    pub(super) fn of(config: &DataConfig, with_label: bool) -> Self {
        let mut names: Vec<String> = config.text.first().iter().map(ToString::to_string).collect();
        let texts = names.len();
        let mut next = |column: &crate::column::Column| {
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
pub(super) fn read<R: Read>(
    source: &mut Source<R>,
    config: &DataConfig,
    with_label: bool,
    rows: &mut Rows<'_>,
) -> Result<(), DataError> {
    let keys = Keys::of(config, with_label);
    let mut line = String::new();
    let mut joined = String::new();
    let mut any = false;
    let mut begun = false;
    loop {
        line.clear();
        let read = source.read_line(&mut line);
        if !std::mem::replace(&mut begun, true) {
            rows.layout(source.layout(TableKind::JsonLines));
        }
        match read {
            Ok(true) if trim_line_end(&line).trim().is_empty() => {}
            Ok(true) => {
                any = true;
                let object = Object { json: trim_line_end(&line), column: 1, at: &|| source.at(source.line()) };
                let result = row(&object, &keys, config, &mut joined, rows);
                result.or_else(|error| rows.bad_object(error, object.json))?;
            }
            Ok(false) => break,
            Err(error) => {
                any = true;
                rows.bad(error)?;
                source.finish_line()?;
            }
        }
    }
    if any { Ok(()) } else { Err(DataError::Empty { path: source.path().to_owned() }) }
}

/// A JSON object as it stands in a file: a line, or an element of an array.
pub(super) struct Object<'a> {
    pub(super) json: &'a str,
    /// The byte column where it begins, counted from 1.
    pub(super) column: usize,
    /// Where it begins.
    pub(super) at: &'a dyn Fn() -> Location,
}

impl Object<'_> {
    /// What the parser found wrong with it, at its place in the file.
    fn failure(&self, error: &serde_json::Error) -> DataError {
        let message = error.to_string();
        let reason = message.split(" at line ").next().unwrap_or_default().replace("a map", "an object");
        // The parser counts lines and columns in what it was given.
        let (below, column) = (error.line().saturating_sub(1), error.column().max(1));
        let mut at = (self.at)();
        at.line = at.line.map(|line| line + below as u64);
        let column = if below == 0 { self.column - 1 + column } else { column };
        DataError::Json { at, column, reason, row: beginning(self.json) }
    }
}

/// Hands one object on. An error is the object's own fault, or ends the reading.
pub(super) fn row(
    object: &Object<'_>,
    keys: &Keys,
    config: &DataConfig,
    joined: &mut String,
    rows: &mut Rows<'_>,
) -> Result<(), DataError> {
    let &Object { json, at, .. } = object;
    let items = pick(json, &keys.names).map_err(|error| object.failure(&error))?;
    if items.iter().flatten().any(holds_nul) {
        return Err(DataError::Nul { at: at() });
    }
    let item = |index: usize| items[index].as_ref().ok_or_else(|| missing(json, &keys.names[index], at()));
    let text = |index: usize| match item(index)? {
        Item::Text(text) => Ok(text.as_ref()),
        Item::Other(Value::Null) if keys.texts > 1 && index < keys.texts => Ok(""),
        Item::Other(other) => Err(wrong_type(at(), keys.names[index].clone(), "a string", other)),
    };
    let second = keys.second.map(text).transpose()?;
    let parts = (0..keys.texts).map(text).collect::<Result<Vec<_>, _>>()?;
    let single;
    let list;
    let label = match keys.label.map(item).transpose()? {
        None | Some(Item::Other(Value::Null)) => LabelValue::Field(""),
        Some(Item::Text(label)) => LabelValue::Field(label),
        Some(Item::Other(Value::Array(values))) => {
            let key = &keys.names[keys.label.unwrap_or_default()];
            if !config.multi_label {
                return Err(DataError::LabelList { at: at(), key: key.clone() });
            }
            let label = |(index, value)| {
                self::label(value)
                    .ok_or_else(|| wrong_type(at(), format!("{key}[{index}]"), "a string or an integer", value))
            };
            list = values.iter().enumerate().map(label).collect::<Result<Vec<_>, _>>()?;
            LabelValue::List(&list)
        }
        Some(Item::Other(value)) => {
            let key = &keys.names[keys.label.unwrap_or_default()];
            single = label(value).ok_or_else(|| wrong_type(at(), key.clone(), "a string or an integer", value))?;
            LabelValue::Field(&single)
        }
    };
    let number;
    let group = match keys.group.map(item).transpose()? {
        None => None,
        Some(Item::Text(group)) => Some(group.as_ref()),
        Some(Item::Other(Value::Null)) => Some(""),
        Some(Item::Other(value)) => {
            let key = &keys.names[keys.group.unwrap_or_default()];
            number =
                self::label(value).ok_or_else(|| wrong_type(at(), key.clone(), "a string or an integer", value))?;
            Some(number.as_ref())
        }
    };
    let text = join(parts.iter().copied(), config.text.separator(), joined);
    let Location { line, element, .. } = at();
    let (line, element) = (line.unwrap_or_default(), element.map(NonZeroU64::get));
    rows.row(&Row { line, element, text, second, label, group, fields: Fields::Json(json) }, at)
}

/// Whether a value holds a NUL character, which can only be an escaped one.
fn holds_nul(item: &Item<'_>) -> bool {
    match item {
        Item::Text(Cow::Owned(text)) => text.contains('\0'),
        Item::Other(Value::Array(values)) => values.iter().filter_map(Value::as_str).any(|text| text.contains('\0')),
        Item::Text(Cow::Borrowed(_)) | Item::Other(_) => false,
    }
}

/// A label as text; `None` if the value is of a type that a label cannot have.
fn label(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(label) => Some(Cow::Borrowed(label)),
        Value::Bool(label) => Some(Cow::Owned(label.to_string())),
        Value::Number(label) if !label.is_f64() => Some(Cow::Owned(label.to_string())),
        _ => None,
    }
}

/// The error for a key that is not there, which names those that are.
fn missing(json: &str, key: &str, at: Location) -> DataError {
    DataError::NoKey { at, key: key.to_owned(), keys: names(json) }
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
    DataError::JsonType { at, key, expected, found }
}
