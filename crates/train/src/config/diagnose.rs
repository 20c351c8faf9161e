//! Checks a config against its JSON Schema and words every problem for the person who wrote it. Rules that span several
//! keys are not in the schema and are checked elsewhere.

use serde_json::Value;

use super::document::{Content, Document, Entry, Node, join, quoted};
use super::nearest::nearest;
use super::problem::{Problem, shorten};
use super::shape::{Bounds, Number, Others, Schema, Shape, TableShape};

/// Sections are searched this deep for a misplaced key.
const DEEPEST_SECTION: usize = 8;

/// Every place where the document differs from what the schema allows, in the order of the text.
pub(super) fn diagnose(document: &Document, schema: &Value) -> Vec<Problem> {
    let schema = Schema::root(schema);
    let mut diagnosis = Diagnosis { document, schema, sections: None, problems: Vec::new() };
    diagnosis.check("", document.root(), schema);
    diagnosis.problems.sort_by_key(|(offset, _)| *offset);
    diagnosis.problems.into_iter().map(|(_, problem)| problem).collect()
}

struct Diagnosis<'d> {
    document: &'d Document,
    schema: Schema<'d>,
    /// Every key of the schema with the path of its section, listed when the first unknown key is met.
    sections: Option<Vec<(&'d str, String)>>,
    /// With the offset of each in the text.
    problems: Vec<(usize, Problem)>,
}

impl<'d> Diagnosis<'d> {
    fn report(&mut self, key: &str, span: &std::ops::Range<usize>, message: String, hint: Option<String>) {
        let place = Some(self.document.place(span));
        self.problems.push((span.start, Problem { key: key.to_owned(), message, hint, place }));
    }

    fn check(&mut self, path: &str, node: &'d Node, schema: Schema<'d>) {
        let shape = schema.shape();
        if shape.anything {
            return;
        }
        match &node.content {
            Content::Boolean(_) if shape.boolean => {}
            Content::Integer(text) => self.check_integer(path, node, &shape, text),
            Content::Float(text) => self.check_float(path, node, &shape, text),
            Content::String(text) => self.check_string(path, node, &shape, text),
            Content::Array(items) => self.check_array(path, node, &shape, items),
            Content::Table(entries) => self.check_table(path, node, &shape, entries),
            Content::Boolean(_) | Content::Datetime(_) => self.wrong_type(path, node, &shape),
        }
    }

    fn check_integer(&mut self, path: &str, node: &Node, shape: &Shape<'d>, text: &str) {
        let Some(bounds) = shape.integer.or(shape.number) else {
            return self.wrong_type(path, node, shape);
        };
        self.check_range(path, node, bounds, text, whole(text));
    }

    fn check_float(&mut self, path: &str, node: &Node, shape: &Shape<'d>, text: &str) {
        let Some(bounds) = shape.number else {
            return self.wrong_type(path, node, shape);
        };
        let value = text.parse::<f64>().unwrap_or(f64::NAN);
        if value.is_finite() {
            self.check_range(path, node, bounds, text, Number::Real(value));
        } else {
            let message =
                format!("`{path}` is {}, but must be {}", shorten(text), number("a finite number", Some(bounds)));
            self.report(path, &node.span, message, None);
        }
    }

    fn check_range(&mut self, path: &str, node: &Node, bounds: Bounds, text: &str, value: Number) {
        if let Some(range) = bounds.broken_by(value) {
            self.report(path, &node.span, format!("`{path}` is {}, but must be {range}", shorten(text)), None);
        }
    }

    fn check_string(&mut self, path: &str, node: &Node, shape: &Shape<'d>, text: &str) {
        if let Some(allowed) = shape.string {
            let length = text.chars().count();
            let message = match (allowed.lengths.range(), allowed.stranger(text), allowed.alphabet) {
                (Some(_), ..) if text.is_empty() && allowed.lengths.least == 1 => format!("`{path}` is empty"),
                (Some(range), ..) if !allowed.lengths.hold(length) => {
                    format!("`{path}` has {length} characters, but must have {range}")
                }
                (_, Some(stranger), Some(alphabet)) => {
                    format!("`{path}` holds {stranger:?}, but only the characters `{alphabet}` are allowed")
                }
                _ => return,
            };
            return self.report(path, &node.span, message, None);
        }
        if shape.words.iter().any(|word| word.name == text) {
            return;
        }
        let quoted = shape.number.is_some() && text.parse::<f64>().is_ok_and(f64::is_finite);
        if quoted || shape.words.is_empty() && shape.variants.is_empty() {
            return self.wrong_type(path, node, shape);
        }
        if shape.variants.iter().any(|variant| variant.name == text) {
            let message = format!("`{path}` is the string `{text}`, but `{text}` takes a table of its settings");
            let hint = format!("write {}", self.written(path, node, text));
            return self.report(path, &node.span, message, Some(hint));
        }
        let names = || shape.words.iter().chain(&shape.variants);
        let hint = match nearest(text, names().map(|choice| choice.name)) {
            Some(near) if shape.words.iter().any(|word| word.name == near) => format!("did you mean `{near}`?"),
            Some(near) => format!("did you mean {}?", self.written(path, node, near)),
            None if shape.variants.is_empty() => format!("choose {}", expected(shape)),
            None => format!("choose {}", one_of(names().map(|choice| choice.name))),
        };
        self.report(path, &node.span, format!("unknown value `{}` for `{path}`", shorten(text)), Some(hint));
    }

    /// How the variant of an enum is written where `node` stands.
    fn written(&self, path: &str, node: &Node, variant: &str) -> String {
        if self.document.is_override(&node.span) {
            return format!("`{path}.{variant}={{}}`");
        }
        let key = path.rsplit('.').next().unwrap_or(path);
        format!("`{key}.{variant} = {{}}` or `[{path}.{variant}]`")
    }

    fn check_array(&mut self, path: &str, node: &Node, shape: &Shape<'d>, items: &'d [Node]) {
        let Some(array) = &shape.array else {
            return self.wrong_type(path, node, shape);
        };
        if let Some(range) = array.lengths.range().filter(|_| !array.lengths.hold(items.len())) {
            let noun = if items.len() == 1 { "item" } else { "items" };
            let message = format!("`{path}` has {} {noun}, but must have {range}", items.len());
            self.report(path, &node.span, message, None);
        }
        for (index, item) in items.iter().enumerate() {
            if let Some(schema) = array.item(index) {
                self.check(&format!("{path}[{index}]"), item, schema);
            }
        }
    }

    fn check_table(&mut self, path: &str, node: &Node, shape: &Shape<'d>, entries: &'d [Entry]) {
        let matches =
            |table: &&TableShape<'d>| entries.iter().filter(|entry| table.child(&entry.key).is_some()).count();
        let chosen = |entry: &Entry| shape.choice(&entry.key).is_some();
        let closest = shape.tables.iter().rev().max_by_key(matches);
        match closest {
            Some(table) if !entries.iter().any(chosen) => self.check_keys(path, node, table, entries),
            _ if shape.variants.is_empty() => self.wrong_type(path, node, shape),
            _ => self.check_variant(path, node, shape, entries),
        }
    }

    fn check_keys(&mut self, path: &str, node: &Node, table: &TableShape<'d>, entries: &'d [Entry]) {
        let mut misspelled = Vec::new();
        for entry in entries {
            match (table.child(&entry.key), table.others) {
                (Some(schema), _) => self.check(&join(path, &entry.key), &entry.node, schema),
                (None, Others::Refused) => {
                    let keys: Vec<&str> = table.properties.iter().map(|(key, _)| *key).collect();
                    misspelled.extend(nearest(&entry.key, keys.iter().copied()));
                    self.unknown_key(path, entry, &keys);
                }
                (None, _) => {}
            }
        }
        for key in &table.required {
            if !entries.iter().any(|entry| entry.key == *key) && !misspelled.contains(key) {
                let hint = table.child(key).map(|schema| format!("`{key}` is {}", described(&schema.shape())));
                let message = format!("missing key `{key}`{}", section(path));
                self.report(&join(path, key), &node.span, message, hint);
            }
        }
    }

    /// An externally tagged enum: a table with one key, which names the variant.
    fn check_variant(&mut self, path: &str, node: &Node, shape: &Shape<'d>, entries: &'d [Entry]) {
        let names: Vec<&str> = shape.variants.iter().chain(&shape.words).map(|choice| choice.name).collect();
        let (known, unknown): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|entry| shape.choice(&entry.key).is_some());
        if entries.is_empty() {
            let message = format!("`{path}` is empty, but must name {}", one_of(names.iter().copied()));
            return self.report(path, &node.span, message, None);
        }
        if let [_, second, ..] = known.as_slice() {
            let count = if known.len() == 2 { "two".to_owned() } else { known.len().to_string() };
            let listed = list(known.iter().map(|entry| entry.key.as_str()), "and");
            self.report(path, &second.span, format!("`{path}` names {count} kinds, {listed}; keep one"), None);
        }
        for entry in unknown {
            if known.is_empty() && self.sections_with(&entry.key, path).is_empty() {
                let hint = match nearest(&entry.key, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("choose {}", one_of(names.iter().copied())),
                };
                let message = format!("unknown kind `{}` for `{path}`", quoted(&entry.key));
                self.report(&join(path, &entry.key), &entry.span, message, Some(hint));
            } else {
                self.unknown_key(path, entry, &names);
            }
        }
        for entry in known {
            let path = join(path, &entry.key);
            match shape.choice(&entry.key).and_then(|choice| choice.payload) {
                Some(payload) => self.check(&path, &entry.node, payload),
                None if matches!(&entry.node.content, Content::Table(entries) if entries.is_empty()) => {}
                None => {
                    let hint = Some(format!("write `{} = {{}}`", entry.key));
                    self.report(&path, &entry.node.span, format!("`{path}` takes no settings"), hint);
                }
            }
        }
    }

    fn unknown_key(&mut self, path: &str, entry: &Entry, keys: &[&str]) {
        let homes = self.sections_with(&entry.key, path);
        let inside = homes.first().is_some_and(|home| home.starts_with(&format!("{path}.")));
        let hint = match (nearest(&entry.key, keys.iter().copied()), homes.as_slice()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, [home]) if home.is_empty() => "it belongs above the first `[table]`".to_owned(),
            (None, [_] | [_, _]) => {
                let homes: Vec<String> = homes.iter().map(|home| format!("[{home}]")).collect();
                format!("it belongs in {}", list(homes.iter().map(String::as_str), "or"))
            }
            (None, [home, ..]) if inside => format!("it belongs in a table such as `[{home}]`"),
            (None, _) if keys.is_empty() => "no key is allowed here".to_owned(),
            (None, _) => format!("the keys are {}", list(keys.iter().copied(), "and")),
        };
        let message = format!("unknown key `{}`{}", quoted(&entry.key), section(path));
        self.report(&join(path, &entry.key), &entry.span, message, Some(hint));
    }

    /// The sections that have the key: those inside `path` if there are any, of these the ones in use if there are any.
    fn sections_with(&mut self, key: &str, path: &str) -> Vec<String> {
        let root = self.schema;
        let sections = self.sections.get_or_insert_with(|| {
            let mut sections = Vec::new();
            list_keys(root, "", DEEPEST_SECTION, &mut sections);
            sections
        });
        let homes: Vec<&String> = sections.iter().filter(|(name, _)| *name == key).map(|(_, home)| home).collect();
        let inside = |home: &&&String| home.starts_with(&format!("{path}."));
        let inner: Vec<String> = homes.iter().filter(inside).map(|home| (*home).clone()).collect();
        if inner.is_empty() {
            return homes.into_iter().cloned().collect();
        }
        let used: Vec<String> = inner.iter().filter(|home| self.document.has(home)).cloned().collect();
        if used.is_empty() { inner } else { used }
    }

    fn wrong_type(&mut self, path: &str, node: &Node, shape: &Shape<'d>) {
        let is = match &node.content {
            Content::String(_) => "a string",
            Content::Integer(_) => "an integer",
            Content::Float(_) => "a float",
            Content::Boolean(_) => "a boolean",
            Content::Datetime(_) => "a date or time",
            Content::Array(_) => "an array",
            Content::Table(_) => "a table",
        };
        let hint = match &node.content {
            Content::String(text) => {
                let number = (shape.integer.is_some() && text.parse::<i64>().is_ok())
                    || (shape.number.is_some() && text.parse::<f64>().is_ok_and(f64::is_finite));
                let boolean = shape.boolean && matches!(text.as_str(), "true" | "false");
                (number || boolean).then(|| format!("write `{text}` without quotes"))
            }
            Content::Float(text) if shape.integer.is_some() => {
                let value = text.parse::<f64>().unwrap_or(f64::NAN);
                (value.fract() == 0.0 && value.abs() < 1e15).then(|| format!("write `{value}`"))
            }
            Content::Integer(text) | Content::Float(text) if shape.string.is_some() => {
                Some(format!("write `\"{}\"`", shorten(text)))
            }
            _ => None,
        };
        self.report(path, &node.span, format!("`{path}` is {is}, but must be {}", expected(shape)), hint);
    }
}

/// What a value of this shape is, in words: `an integer of at least 1 or a table`.
pub(crate) fn expected(shape: &Shape<'_>) -> String {
    let mut kinds = Vec::new();
    if shape.boolean {
        kinds.push("`true` or `false`".to_owned());
    }
    if let Some(bounds) = shape.integer {
        kinds.push(number("an integer", Some(bounds)));
    }
    if let Some(bounds) = shape.number {
        kinds.push(number("a number", Some(bounds)));
    }
    if let Some(text) = shape.string {
        let lengths = text.lengths;
        kinds.push(match (text.alphabet, lengths.range()) {
            (Some(alphabet), _) => format!("a string of the characters `{alphabet}`"),
            (None, None) => "a string".to_owned(),
            (None, Some(_)) if lengths.least == 1 && lengths.most.is_none() => "a string that is not empty".to_owned(),
            (None, Some(range)) => format!("a string of {range} characters"),
        });
    }
    if !shape.words.is_empty() {
        kinds.push(one_of(shape.words.iter().map(|word| word.name)));
    }
    if let Some(array) = &shape.array {
        let length = array.lengths.range().map(|range| format!(" of {}", range.trim_start_matches("from ")));
        let items = array.item(0).map(|item| expected(&item.shape()));
        let items = items.map(|items| format!("{}each {items}", if length.is_some() { " items, " } else { ", " }));
        kinds.push(format!("an array{}{}", length.unwrap_or_default(), items.unwrap_or_default()));
    }
    if !shape.variants.is_empty() {
        let names = shape.variants.iter().map(|variant| variant.name);
        kinds.push(format!("a table that names {}", one_of(names)));
    }
    if let Some(table) = shape.tables.first() {
        kinds.push(match table.others {
            Others::Each(value) if table.properties.is_empty() => {
                format!("a table whose values are each {}", expected(&value.shape()))
            }
            _ => "a table".to_owned(),
        });
    }
    if kinds.is_empty() { "any value".to_owned() } else { kinds.join(" or ") }
}

/// `expected`, and for a table the keys that it cannot do without.
fn described(shape: &Shape<'_>) -> String {
    match shape.tables.as_slice() {
        [table] if !table.required.is_empty() => {
            format!("{} with at least {}", expected(shape), list(table.required.iter().copied(), "and"))
        }
        _ => expected(shape),
    }
}

fn number(noun: &str, bounds: Option<Bounds>) -> String {
    match bounds.and_then(|bounds| bounds.range()) {
        Some(range) if range.starts_with("at ") => format!("{noun} of {range}"),
        Some(range) => format!("{noun} {range}"),
        None => noun.to_owned(),
    }
}

/// The value of a TOML integer; one that no 128 bits hold is as large as they can, which is outside every range.
fn whole(text: &str) -> Number {
    let (digits, radix) = match text.get(..2) {
        Some("0x") => (&text[2..], 16),
        Some("0o") => (&text[2..], 8),
        Some("0b") => (&text[2..], 2),
        _ => (text, 10),
    };
    let beyond = if text.starts_with('-') { i128::MIN } else { i128::MAX };
    Number::Whole(i128::from_str_radix(digits, radix).unwrap_or(beyond))
}

fn section(path: &str) -> String {
    match path {
        "" => String::new(),
        path if path.ends_with(']') => format!(" in `{path}`"),
        path => format!(" in `[{path}]`"),
    }
}

/// `` `a` or `b` ``, `` one of `a`, `b` or `c` ``.
fn one_of<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    let listed = list(names.iter().copied(), "or");
    if names.len() > 2 { format!("one of {listed}") } else { listed }
}

fn list<'n>(names: impl Iterator<Item = &'n str>, conjunction: &str) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} {conjunction} {last}", first.join(", ")),
        _ => names.concat(),
    }
}

fn list_keys<'s>(schema: Schema<'s>, path: &str, depth: usize, keys: &mut Vec<(&'s str, String)>) {
    if depth == 0 {
        return;
    }
    let shape = schema.shape();
    for (key, child) in shape.tables.iter().flat_map(|table| &table.properties) {
        keys.push((key, path.to_owned()));
        list_keys(*child, &join(path, key), depth - 1, keys);
    }
    for variant in &shape.variants {
        if let Some(payload) = variant.payload {
            list_keys(payload, &join(path, variant.name), depth - 1, keys);
        }
    }
}
