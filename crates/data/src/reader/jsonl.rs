//! Jsonl: one JSON object a line. A text is a string; a label is a string, an integer, a boolean, or an array of them.
//! Blank lines are skipped.

use std::io::Read;

use serde_json::{Map, Value};

use crate::column::Column;
use crate::config::DataConfig;
use crate::error::{DataError, Location};

use super::source::{Source, trim_line_end};
use super::{Fields, Keep, LabelValue, Row};

/// Hands every line's text and label to `keep`.
pub(super) fn read<R: Read>(
    source: &mut Source<R>,
    config: &DataConfig,
    with_label: bool,
    keep: &mut Keep<'_>,
) -> Result<(), DataError> {
    let mut line = String::new();
    let mut labels = Vec::new();
    let mut any = false;
    while source.read_line(&mut line)? {
        let json = trim_line_end(&line);
        if !json.trim().is_empty() {
            any = true;
            let at = source.at(source.line());
            let object = parse(json, &at)?;
            let text = text(&object, config.text.first(), &at)?;
            let second = config.text.second().map(|column| self::text(&object, column, &at)).transpose()?;
            let single;
            let label = match with_label.then(|| value(&object, &config.label, &at)).transpose()? {
                Some((key, Value::Array(_))) if !config.multi_label => return Err(DataError::LabelList { at, key }),
                Some((key, Value::Array(items))) => {
                    labels.clear();
                    for (index, item) in items.iter().enumerate() {
                        labels.push(label(item).ok_or_else(|| {
                            wrong_type(at.clone(), format!("{key}[{index}]"), "a string or an integer", item)
                        })?);
                    }
                    LabelValue::List(&labels)
                }
                None | Some((_, Value::Null)) => LabelValue::Field(""),
                Some((key, value)) => {
                    single =
                        label(value).ok_or_else(|| wrong_type(at.clone(), key, "a string or an integer", value))?;
                    LabelValue::Field(&single)
                }
            };
            let group =
                config.group.as_ref().filter(|_| with_label).map(|column| group(&object, column, &at)).transpose()?;
            let group = group.as_deref();
            keep(&Row { line: source.line(), text, second, label, group, fields: Fields::Json(json) });
        }
        line.clear();
    }
    if any { Ok(()) } else { Err(DataError::Empty { path: source.path().to_owned() }) }
}

fn text<'a>(object: &'a Map<String, Value>, column: &Column, at: &Location) -> Result<&'a str, DataError> {
    match value(object, column, at)? {
        (_, Value::String(text)) => Ok(text),
        (key, other) => Err(wrong_type(at.clone(), key, "a string", other)),
    }
}

/// A group as text, empty for `null`.
fn group(object: &Map<String, Value>, column: &Column, at: &Location) -> Result<String, DataError> {
    match value(object, column, at)? {
        (_, Value::Null) => Ok(String::new()),
        (key, value) => label(value).ok_or_else(|| wrong_type(at.clone(), key, "a string or an integer", value)),
    }
}

/// A label as text; `None` if the value is of a type that a label cannot have.
fn label(value: &Value) -> Option<String> {
    match value {
        Value::String(label) => Some(label.clone()),
        Value::Bool(label) => Some(label.to_string()),
        Value::Number(label) if !label.is_f64() => Some(label.to_string()),
        _ => None,
    }
}

fn parse(json: &str, at: &Location) -> Result<Map<String, Value>, DataError> {
    serde_json::from_str(json).map_err(|error| {
        // The parser counts lines in what it was given, which is always one line.
        let message = error.to_string();
        let reason = message.split(" at line ").next().unwrap_or_default().replace("a map", "an object");
        DataError::Json { at: at.clone(), column: error.column().max(1), reason }
    })
}

fn value<'a>(object: &'a Map<String, Value>, column: &Column, at: &Location) -> Result<(String, &'a Value), DataError> {
    let key = column.to_string();
    match object.get(&key) {
        Some(value) => Ok((key, value)),
        None => Err(DataError::NoKey { at: at.clone(), key, keys: object.keys().cloned().collect() }),
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
    DataError::JsonType { at, key, expected, found }
}
