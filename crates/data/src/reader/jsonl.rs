//! Jsonl: one JSON object a line. A text is a string; a label is a string, an integer or a boolean. Blank lines are
//! skipped.

use std::io::Read;

use serde_json::{Map, Value};

use crate::config::{Column, DataConfig};
use crate::error::{DataError, Location};

use super::source::{Source, trim_line_end};
use super::{Fields, Row};

/// Hands every line's text and label to `keep`.
pub(super) fn read<R: Read>(
    source: &mut Source<R>,
    config: &DataConfig,
    with_label: bool,
    keep: &mut dyn FnMut(&Row<'_>),
) -> Result<(), DataError> {
    let mut line = String::new();
    let mut any = false;
    while source.read_line(&mut line)? {
        let json = trim_line_end(&line);
        if !json.trim().is_empty() {
            any = true;
            let at = source.at(source.line());
            let object = parse(json, &at)?;
            let text = match value(&object, &config.text, &at)? {
                (_, Value::String(text)) => text,
                (key, other) => return Err(wrong_type(at, key, "a string", other)),
            };
            let label = match with_label.then(|| value(&object, &config.label, &at)).transpose()? {
                None | Some((_, Value::Null)) => String::new(),
                Some((_, Value::String(label))) => label.clone(),
                Some((_, Value::Bool(label))) => label.to_string(),
                Some((_, Value::Number(label))) if !label.is_f64() => label.to_string(),
                Some((key, other)) => return Err(wrong_type(at, key, "a string or an integer", other)),
            };
            keep(&Row { line: source.line(), text, label: &label, fields: Fields::Json(json) });
        }
        line.clear();
    }
    if any { Ok(()) } else { Err(DataError::Empty { path: source.path().to_owned() }) }
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
