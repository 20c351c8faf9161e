//! A config file and its `--set` overrides as one tree in which every key and value knows where it was written. What the
//! values mean is the schema's business.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};
use toml::value::Datetime;

use super::problem::{InvalidConfig, Place, Problem, shorten};
use super::shape::Schema;

/// The merged config, every value with its place.
#[derive(Debug, Clone)]
pub(super) struct Document {
    source: ConfigText,
    root: Node,
}

/// The text of the file with the `--set` arguments laid behind it, so that one offset names any place.
#[derive(Debug, Clone)]
struct ConfigText {
    path: PathBuf,
    text: String,
    file_length: usize,
    line_starts: Vec<usize>,
    arguments: Vec<Range<usize>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) content: Content,
}

/// A TOML value. Numbers stay text, so that none is rounded before its range is checked.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    String(String),
    Integer(String),
    Float(String),
    Boolean(bool),
    Datetime(Datetime),
    Array(Vec<Node>),
    /// In the order of the source.
    Table(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) span: Range<usize>,
    pub(crate) node: Node,
}

impl Document {
    /// Reads the text of a config file and merges `KEY=VALUE` overrides into it.
    ///
    /// A VALUE that is no TOML value is taken as a bare string. A value replaces what the file has at KEY; naming
    /// another variant of an enum (`train.optimizer.sgd.learning_rate=0.1`) replaces the variant chosen in the file, for
    /// which `schema` says what is an enum.
    ///
    /// # Errors
    /// Every syntax error and duplicate key of the file, and every malformed override.
    pub(super) fn parse(
        path: &Path,
        text: &str,
        overrides: &[String],
        schema: &serde_json::Value,
    ) -> Result<Self, InvalidConfig> {
        let source = ConfigText::new(path, text, overrides);
        let (tree, errors) = DeTable::parse_recoverable(text);
        let mut problems: Vec<Problem> = Vec::new();
        for error in &errors {
            let problem = source.syntax_problem(error, 0);
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        let mut root = Node::table(0..0, tree.into_inner(), 0);
        for (argument, span) in overrides.iter().zip(source.arguments.clone()) {
            match source.parse_override(argument, span.start) {
                Ok((keys, value)) => root.set(&span, &keys, value, Some(Schema::root(schema))),
                Err(invalid) => problems.extend(invalid.problems),
            }
        }
        if problems.is_empty() { Ok(Self { source, root }) } else { Err(InvalidConfig { problems }) }
    }

    /// A problem at the value of a dotted key, or at its nearest parent that is written out.
    pub(super) fn problem(&self, key: &str, message: impl Into<String>) -> Problem {
        let place = Some(self.place(&self.nearest_node(key).0.span));
        Problem { key: key.to_owned(), message: message.into(), hint: None, place }
    }

    /// The config as a Rust value, once `diagnose` has found nothing.
    ///
    /// # Errors
    /// The first thing that serde refuses although the schema allows it.
    pub(super) fn deserialize<T: DeserializeOwned>(&self) -> Result<T, InvalidConfig> {
        let mut root = DeTable::new();
        self.root.fill(&mut root);
        let spanned = Spanned::new(self.root.span.clone(), root);
        T::deserialize(toml::de::Deserializer::from(spanned)).map_err(|error| {
            let (key, span) = match error.span().and_then(|span| self.root.find(&span, "")) {
                Some((key, span)) => (key, span),
                None => (String::new(), self.root.span.clone()),
            };
            let message = match key.as_str() {
                "" => error.message().to_owned(),
                key => format!("`{key}`: {}", error.message()),
            };
            InvalidConfig { problems: vec![Problem { key, message, hint: None, place: Some(self.place(&span)) }] }
        })
    }

    /// Whether the dotted key is written out.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.nearest_node(key).1
    }

    /// The value of a dotted key or of its nearest parent that is written out, and whether it is the key's own.
    fn nearest_node(&self, key: &str) -> (&Node, bool) {
        let mut node = &self.root;
        for part in key.split('.') {
            let (name, index) = match part.strip_suffix(']').and_then(|part| part.split_once('[')) {
                Some((name, index)) => (name, index.parse::<usize>().ok()),
                None => (part, None),
            };
            let Some(entry) = node.entries().iter().find(|entry| entry.key == name) else { return (node, false) };
            node = &entry.node;
            if let (Content::Array(items), Some(index)) = (&node.content, index)
                && let Some(item) = items.get(index)
            {
                node = item;
            }
        }
        (node, true)
    }

    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    pub(crate) fn place(&self, span: &Range<usize>) -> Place {
        self.source.place(span)
    }

    /// Whether the span lies in a `--set` argument.
    pub(crate) fn is_override(&self, span: &Range<usize>) -> bool {
        span.start > self.source.file_length
    }
}

impl ConfigText {
    fn new(path: &Path, text: &str, overrides: &[String]) -> Self {
        let mut source = text.to_owned();
        let mut arguments = Vec::new();
        for argument in overrides {
            source.push('\n');
            let start = source.len();
            source.push_str(argument);
            arguments.push(start..source.len());
        }
        // A byte order mark is no column of the first line.
        let first = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let line_starts = std::iter::once(first).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path: path.to_owned(), text: source, file_length: text.len(), line_starts, arguments }
    }

    fn file(&self) -> &str {
        &self.text[..self.file_length]
    }

    fn place(&self, span: &Range<usize>) -> Place {
        if let Some(argument) =
            self.arguments.iter().find(|argument| argument.start <= span.start && span.start <= argument.end)
        {
            return Place::Set { argument: self.text[argument.clone()].to_owned() };
        }
        let file = self.file();
        // What is missing at the end of the file is missing behind its last character, not on a line of its own.
        let last = if span.start >= file.len() { file.trim_end_matches(['\n', '\r']).len() } else { span.start };
        let start = self.boundary(last).max(self.line_starts[0]);
        let line = self.line_starts.partition_point(|line_start| *line_start <= start);
        let line_start = self.line_starts[line - 1];
        let rest = &file[line_start..];
        let text = rest.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let end = self.boundary(span.end.clamp(start, line_start + text.len().max(start - line_start)));
        let width = file[start..end].chars().count();
        let (before, rest) = text.split_at((start - line_start).min(text.len()));
        Place::in_file(&self.path, line, before, rest, width)
    }

    /// The nearest start of a character at or before `offset`.
    fn boundary(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.file_length);
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    fn syntax_problem(&self, error: &toml::de::Error, shift: usize) -> Problem {
        let span = error.span().map_or(shift..shift, |span| span.start + shift..span.end + shift);
        let (message, expected) = match error.message().split_once(", expected ") {
            Some((message, expected)) => (message, Some(expected)),
            None => (error.message(), None),
        };
        let written = self.text.get(span.clone()).unwrap_or_default();
        let (message, hint) = match (message, expected) {
            ("duplicate key", _) => {
                (format!("duplicate key `{}`", shorten(written)), Some("it is set above already; keep one".to_owned()))
            }
            ("string values must be quoted", _) if written.is_empty() => ("missing value".to_owned(), None),
            ("string values must be quoted", _) => {
                (message.to_owned(), Some(format!("write `\"{}\"`", shorten(written))))
            }
            ("cannot recurse further; max recursion depth met" | "recursion limit", _) => {
                ("nested too deep".to_owned(), None)
            }
            (message, Some(expected)) if expected.contains("visible characters") => {
                (message.to_owned(), Some("write control characters as escapes, such as `\\u0000`".to_owned()))
            }
            (message, None | Some("nothing")) => (message.to_owned(), None),
            (message, Some(expected)) => (message.to_owned(), Some(format!("expected {expected}"))),
        };
        Problem { key: String::new(), message, hint, place: Some(self.place(&span)) }
    }

    /// The keys and the value of `KEY=VALUE`, which starts at offset `start` of the source.
    fn parse_override(&self, argument: &str, start: usize) -> Result<(Vec<String>, Node), InvalidConfig> {
        let malformed = |message: &str, hint: &str| {
            let place = Some(self.place(&(start..start)));
            let hint = Some(hint.to_owned());
            InvalidConfig { problems: vec![Problem { key: String::new(), message: message.to_owned(), hint, place }] }
        };
        let Some((key, written)) = argument.split_once('=') else {
            return Err(malformed("no value is given", "write KEY=VALUE, such as `train.batch_size=64`"));
        };
        let keys = dotted(key).ok_or_else(|| {
            malformed(
                &format!("`{}` is not a dotted key", shorten(key)),
                "write KEY=VALUE, such as `train.batch_size=64`",
            )
        })?;
        let value = written.trim();
        if value.is_empty() {
            return Err(malformed("no value is given", "an empty string is written `\"\"`"));
        }
        let shift = start + key.len() + 1 + (written.len() - written.trim_start().len());
        match DeValue::parse(value) {
            Ok(parsed) => Ok((keys, Node::new(parsed.span(), parsed.into_inner(), shift))),
            Err(error) if value.starts_with(['[', '{', '"', '\'']) => {
                Err(InvalidConfig { problems: vec![self.syntax_problem(&error, shift)] })
            }
            Err(_) => Ok((keys, Node { span: shift..shift + value.len(), content: Content::String(value.to_owned()) })),
        }
    }
}

/// The parts of a dotted key, read by TOML's own rules.
fn dotted(key: &str) -> Option<Vec<String>> {
    if key.contains(['\n', '\r', '#', '=']) {
        return None;
    }
    let line = format!("{key} = 0");
    let mut table = DeTable::parse(&line).ok()?.into_inner();
    let mut keys = Vec::new();
    loop {
        let (key, value) = table.into_iter().next()?;
        keys.push(key.into_inner().into_owned());
        match value.into_inner() {
            DeValue::Table(inner) => table = inner,
            _ => return Some(keys),
        }
    }
}

impl Node {
    fn new(span: Range<usize>, value: DeValue<'_>, shift: usize) -> Self {
        let content = match value {
            DeValue::Table(table) => return Self::table(span, table, shift),
            DeValue::String(text) => Content::String(text.into_owned()),
            DeValue::Integer(integer) => Content::Integer(integer.to_string()),
            DeValue::Float(float) => Content::Float(float.as_str().to_owned()),
            DeValue::Boolean(value) => Content::Boolean(value),
            DeValue::Datetime(value) => Content::Datetime(value),
            DeValue::Array(items) => {
                Content::Array(items.into_iter().map(|item| Self::new(item.span(), item.into_inner(), shift)).collect())
            }
        };
        Self { span: span.start + shift..span.end + shift, content }
    }

    fn table(span: Range<usize>, table: DeTable<'_>, shift: usize) -> Self {
        let mut entries: Vec<Entry> = table
            .into_iter()
            .map(|(key, value)| Entry {
                span: key.span().start + shift..key.span().end + shift,
                key: key.into_inner().into_owned(),
                node: Self::new(value.span(), value.into_inner(), shift),
            })
            .collect();
        entries.sort_by_key(|entry| entry.span.start);
        Self { span: span.start + shift..span.end + shift, content: Content::Table(entries) }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Table(entries) => entries,
            _ => &[],
        }
    }

    /// Puts `value` at the dotted key, creating the tables on the way. What stands in the way gives way.
    fn set(&mut self, argument: &Range<usize>, keys: &[String], value: Node, schema: Option<Schema<'_>>) {
        let [key, deeper @ ..] = keys else {
            *self = value;
            return;
        };
        if !matches!(self.content, Content::Table(_)) {
            *self = Self { span: argument.clone(), content: Content::Table(Vec::new()) };
        }
        let Content::Table(entries) = &mut self.content else { return };
        let shape = schema.map(Schema::shape);
        if shape.as_ref().is_some_and(|shape| !shape.variants.is_empty() && shape.tables.is_empty()) {
            entries.retain(|entry| entry.key == *key);
        }
        let index = entries.iter().position(|entry| entry.key == *key).unwrap_or(entries.len());
        if index == entries.len() {
            let node = Self { span: argument.clone(), content: Content::Table(Vec::new()) };
            entries.push(Entry { key: key.clone(), span: argument.clone(), node });
        }
        let schema = shape.and_then(|shape| shape.child(key));
        entries[index].node.set(argument, deeper, value, schema);
    }

    /// The key and the span of the innermost value or key that holds `span`.
    fn find(&self, span: &Range<usize>, path: &str) -> Option<(String, Range<usize>)> {
        let holds = |outer: &Range<usize>| outer.start <= span.start && span.end <= outer.end;
        let inside = match &self.content {
            Content::Table(entries) => entries.iter().find_map(|entry| {
                let path = join(path, &entry.key);
                let key = || holds(&entry.span).then(|| (path.clone(), entry.span.clone()));
                entry.node.find(span, &path).or_else(key)
            }),
            Content::Array(items) => {
                items.iter().enumerate().find_map(|(index, item)| item.find(span, &format!("{path}[{index}]")))
            }
            _ => None,
        };
        inside.or_else(|| (holds(&self.span) && !path.is_empty()).then(|| (path.to_owned(), self.span.clone())))
    }

    fn fill<'n>(&'n self, table: &mut DeTable<'n>) {
        for entry in self.entries() {
            let key = Spanned::new(entry.span.clone(), Cow::Borrowed(entry.key.as_str()));
            table.insert(key, entry.node.spanned());
        }
    }

    fn spanned(&self) -> Spanned<DeValue<'_>> {
        let value = match &self.content {
            Content::String(text) => DeValue::String(Cow::Borrowed(text)),
            // The text comes from a number that TOML's parser has accepted, so reading it again cannot fail.
            Content::Integer(text) | Content::Float(text) => match DeValue::parse(text) {
                Ok(number) => number.into_inner(),
                Err(_) => DeValue::String(Cow::Borrowed(text)),
            },
            Content::Boolean(value) => DeValue::Boolean(*value),
            Content::Datetime(value) => DeValue::Datetime(*value),
            Content::Array(items) => {
                let mut array = DeArray::new();
                for item in items {
                    array.push(item.spanned());
                }
                DeValue::Array(array)
            }
            Content::Table(_) => {
                let mut table = DeTable::new();
                self.fill(&mut table);
                DeValue::Table(table)
            }
        };
        Spanned::new(self.span.clone(), value)
    }
}

/// `train` and `epochs` as `train.epochs`; a key that TOML would quote is quoted.
pub(crate) fn join(path: &str, key: &str) -> String {
    let separator = if path.is_empty() { "" } else { "." };
    format!("{path}{separator}{}", quoted(key))
}

/// The key as it is written in TOML.
pub(crate) fn quoted(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { shorten(key) } else { format!("{:?}", shorten(key)) }
}
