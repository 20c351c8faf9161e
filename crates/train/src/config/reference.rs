//! The config reference as Markdown, written from the schema alone, so that it cannot say anything else than the check does.

use serde_json::Value;

use super::diagnose::expected;
use super::document::join;
use super::shape::{Schema, Shape};

/// Sections are written this deep, so that a schema that refers to itself ends.
const DEEPEST_SECTION: usize = 8;

/// The reference of every key: type, range, default and meaning, one heading per section.
pub fn reference(schema: &Value) -> String {
    let schema = Schema::root(schema);
    let mut page = "# Config reference\n\nThis page is generated from the types that read the config.\n".to_owned();
    write_section(&mut page, "", schema, schema.description(), schema.default_value(), DEEPEST_SECTION);
    page
}

fn write_section(
    page: &mut String,
    path: &str,
    schema: Schema<'_>,
    description: Option<&str>,
    default: Option<&Value>,
    depth: usize,
) {
    if depth == 0 {
        return;
    }
    let shape = schema.shape();
    if !path.is_empty() {
        let level = "#".repeat((path.split('.').count() + 1).min(6));
        page.push_str(&format!("\n{level} `[{path}]`\n"));
    }
    if let Some(description) = description {
        page.push_str(&format!("\n{}\n", description.trim()));
    }
    if !shape.variants.is_empty() {
        write_choices(page, path, &shape, default);
    }
    for table in shape.tables.iter().filter(|table| !table.properties.is_empty()) {
        page.push_str("\n| key | value | default | meaning |\n|---|---|---|---|\n");
        for (key, child) in &table.properties {
            let own = child.shape();
            let default = default.and_then(|value| value.get(*key)).or(child.default_value());
            let default = match default {
                _ if table.required.contains(key) => "required".to_owned(),
                Some(Value::Object(_)) | None if own.is_section() && !own.optional && !is_map(&own) => {
                    "see below".to_owned()
                }
                Some(value) => shown(value),
                None => "none".to_owned(),
            };
            let meaning = meaning(*child, &own);
            page.push_str(&format!("| `{key}` | {} | {default} | {meaning} |\n", cell(&expected(&own))));
        }
    }
    for (key, child) in shape.tables.iter().flat_map(|table| &table.properties) {
        if child.shape().is_section() && !is_map(&child.shape()) {
            let default = default.and_then(|value| value.get(*key)).or(child.default_value());
            write_section(page, &join(path, key), *child, child.description(), default, depth - 1);
        }
    }
    for variant in &shape.variants {
        let payload = variant.payload.filter(|payload| payload.shape().is_section());
        if let Some(payload) = payload {
            let default = default.and_then(|value| value.get(variant.name));
            write_section(page, &join(path, variant.name), payload, variant.description, default, depth - 1);
        }
    }
}

fn write_choices(page: &mut String, path: &str, shape: &Shape<'_>, default: Option<&Value>) {
    let chosen = |name: &str| match default {
        Some(Value::String(word)) => word == name,
        Some(Value::Object(table)) => table.contains_key(name),
        _ => false,
    };
    let key = path.rsplit('.').next().unwrap_or(path);
    page.push_str("\nOne of:\n\n");
    for choice in shape.words.iter().chain(&shape.variants) {
        let written = match choice.payload.map(|payload| payload.shape()) {
            None => format!("`{key} = \"{}\"`", choice.name),
            Some(payload) if payload.is_section() => format!("`[{path}.{}]`", choice.name),
            Some(payload) => format!("`{key}.{} = …`, {}", choice.name, expected(&payload)),
        };
        let default = if chosen(choice.name) { " (default)" } else { "" };
        let meaning = choice.description.map(|text| format!(": {}", one_line(text))).unwrap_or_default();
        page.push_str(&format!("- {written}{default}{meaning}\n"));
    }
}

/// A table whose keys are the user's own has no section to describe.
fn is_map(shape: &Shape<'_>) -> bool {
    shape.variants.is_empty() && shape.tables.iter().all(|table| table.properties.is_empty())
}

fn meaning(schema: Schema<'_>, shape: &Shape<'_>) -> String {
    let mut lines: Vec<String> = schema.description().map(cell).into_iter().collect();
    if shape.variants.is_empty() {
        for word in &shape.words {
            if let Some(description) = word.description {
                lines.push(format!("`{}`: {}", word.name, cell(description)));
            }
        }
    }
    lines.join("<br>")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}

/// A default as it would be written in TOML.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        value => format!("`{}`", toml_text(value)),
    }
}

fn toml_text(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Array(items) => format!("[{}]", items.iter().map(toml_text).collect::<Vec<_>>().join(", ")),
        Value::Object(table) if table.is_empty() => "{}".to_owned(),
        Value::Object(table) => {
            let entries: Vec<String> = table
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| format!("{key} = {}", toml_text(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Number(number) => match number.as_f64() {
            // A default of type `f32` reaches the schema with the digits of its `f64`.
            Some(real) if number.is_f64() && f64::from(real as f32) == real => format!("{:?}", real as f32),
            Some(real) if number.is_f64() => format!("{real:?}"),
            _ => number.to_string(),
        },
        value => value.to_string(),
    }
}
