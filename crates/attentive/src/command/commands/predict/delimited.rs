//! Tables with a delimiter between fields: the columns of the input, then the predictions.

use std::borrow::Cow;
use std::collections::HashSet;

use attentive_data::{FieldSplitter, TableKind, TableLayout};
use attentive_train::Prediction;

use super::form::{Form, FormFault, OutputRow, Wording, decimal};
use super::object::{as_field, members};
use crate::predict_failure::{PredictFailure, Unrepresentable};

/// Writes csv or tsv.
pub(super) struct DelimitedForm<'a> {
    wording: Wording<'a>,
    dialect: Dialect,
    kind: TableKind,
    /// The header of an input in the same dialect, which is copied.
    header: Option<String>,
    /// Whether the first line names the columns.
    named: bool,
    /// How many columns of the input there are; of JSON, and of a table without a header, the first row tells.
    width: Option<usize>,
    /// The names of these columns, if they have any.
    names: Vec<String>,
    /// The names of the columns that are added.
    added: Vec<String>,
    /// Takes the rows of a table apart, where they cannot be copied.
    splitter: Option<FieldSplitter>,
    /// Errors in the place of rows before the columns are known.
    waiting: Vec<String>,
    line_end: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dialect {
    delimiter: u8,
    quoted: bool,
}

impl<'a> DelimitedForm<'a> {
    pub(super) fn new(
        delimiter: u8,
        quoted: bool,
        layout: TableLayout,
        wording: Wording<'a>,
    ) -> Result<Self, PredictFailure> {
        let dialect = Dialect { delimiter, quoted };
        dialect.check_labels(&wording)?;
        let mut form = Self {
            wording,
            dialect,
            kind: layout.kind,
            header: None,
            named: wording.config.header,
            width: None,
            names: Vec::new(),
            added: added(&wording),
            splitter: None,
            waiting: Vec::new(),
            line_end: if layout.has_crlf { "\r\n" } else { "\n" },
        };
        match layout.kind {
            TableKind::Lines => {
                let own: &[&str] = if wording.config.text.is_pair() { &["first", "second"] } else { &["text"] };
                form.names = own.iter().map(ToString::to_string).collect();
                form.width = Some(own.len());
            }
            TableKind::Delimited { delimiter, quoted } => {
                form.named = layout.header.is_some();
                if let Some(header) = layout.header {
                    form.width = Some(header.names.len());
                    form.names = header.names;
                    form.header = (dialect == Dialect { delimiter, quoted }).then_some(header.row);
                }
                form.splitter = Some(FieldSplitter::new(delimiter, quoted));
            }
            TableKind::JsonLines | TableKind::Objects => {}
        }
        Ok(form)
    }

    fn write_header(&mut self, out: &mut String) -> Result<(), FormFault> {
        let Self { width: Some(_), names, added, dialect, .. } = self else { return Ok(()) };
        if let Some(column) = added.iter().find(|column| names.contains(column)) {
            return Err(FormFault::Input(PredictFailure::ColumnTaken { column: column.clone() }));
        }
        if self.named {
            match &self.header {
                Some(header) => out.push_str(header),
                None => dialect.push_all(out, names.iter().map(String::as_str))?,
            }
            for column in added {
                dialect.push_next(out, column)?;
            }
            out.push_str(self.line_end);
        }
        for message in std::mem::take(&mut self.waiting) {
            self.error(None, &message, out);
        }
        Ok(())
    }

    /// The fields of the row as the input has them.
    fn push_stored(&mut self, row: &OutputRow<'_>, out: &mut String) -> Result<(), FormFault> {
        let stored = row.stored.unwrap_or_default();
        match self.kind {
            TableKind::Lines => self.dialect.push_all(out, std::iter::once(row.text).chain(row.second))?,
            TableKind::Delimited { delimiter, quoted } if self.dialect == (Dialect { delimiter, quoted }) => {
                out.push_str(stored);
            }
            TableKind::Delimited { .. } => {
                if let Some(Ok(fields)) = self.splitter.as_mut().map(|splitter| splitter.fields(stored)) {
                    self.dialect.push_all(out, fields)?;
                }
            }
            TableKind::JsonLines | TableKind::Objects => self.push_object(stored, out)?,
        }
        Ok(())
    }

    fn push_object(&self, object: &str, out: &mut String) -> Result<(), FormFault> {
        let names = &self.names;
        let mut fields = vec![Cow::Borrowed(""); names.len()];
        for (place, (key, value)) in members(object).into_iter().enumerate() {
            // Most objects have their keys in the order of the first.
            let is_next = names.get(place) == Some(&key);
            if self.wording.errors && self.added.contains(&key) {
                return Err(Unrepresentable::KeyTaken { key }.into());
            }
            let Some(index) = is_next.then_some(place).or_else(|| names.iter().position(|name| *name == key)) else {
                return Err(Unrepresentable::NewKey { key }.into());
            };
            fields[index] = match self.wording.label_list(&key, value)? {
                Some(labels) => Cow::Owned(labels),
                None => as_field(value).ok_or(Unrepresentable::NoText { key })?,
            };
        }
        Ok(self.dialect.push_all(out, fields.iter().map(AsRef::as_ref))?)
    }

    fn push_prediction(&self, prediction: &Prediction<'_>, out: &mut String) -> Result<(), FormFault> {
        let labels: Vec<&str> = prediction.labels().collect();
        self.dialect.push_next(out, &labels.join(&self.wording.config.label_separator))?;
        self.dialect.push_next(out, &self.wording.probability(prediction))?;
        if self.wording.probabilities {
            for &probability in &prediction.probabilities {
                self.dialect.push_next(out, &decimal(probability))?;
            }
        }
        if self.wording.errors {
            self.dialect.push_next(out, "")?;
        }
        Ok(())
    }
}

impl Form for DelimitedForm<'_> {
    fn begin(&mut self, out: &mut String) -> Result<(), FormFault> {
        self.write_header(out)
    }

    fn before(&mut self, row: &OutputRow<'_>, out: &mut String) -> Result<(), FormFault> {
        if self.width.is_some() {
            return Ok(());
        }
        let stored = row.stored.unwrap_or_default();
        self.width = Some(match &mut self.splitter {
            Some(splitter) => splitter.fields(stored).map_or(0, Iterator::count),
            None => {
                let names = distinct(members(stored).into_iter().map(|(key, _)| key));
                if self.wording.errors && names.iter().any(|name| self.added.contains(name)) {
                    return Ok(()); // The row becomes an error, and a later one tells the columns.
                }
                self.names = names;
                self.names.len()
            }
        });
        self.write_header(out)
    }

    fn row(&mut self, row: &OutputRow<'_>, prediction: &Prediction<'_>, out: &mut String) -> Result<(), FormFault> {
        let start = out.len();
        let result = self.push_stored(row, out).and_then(|()| self.push_prediction(prediction, out));
        match result {
            Ok(()) => out.push_str(self.line_end),
            Err(_) => out.truncate(start),
        }
        result
    }

    fn error(&mut self, _object: Option<&str>, message: &str, out: &mut String) {
        let Some(width) = self.width else {
            self.waiting.push(message.to_string());
            return;
        };
        for _ in 1..width + self.added.len() {
            out.push(char::from(self.dialect.delimiter));
        }
        let is_bare = |c: char| c == char::from(self.dialect.delimiter) || matches!(c, '\n' | '\r');
        let message = if self.dialect.quoted { message.to_string() } else { message.replace(is_bare, " ") };
        // A message without delimiters and line breaks stands in every dialect.
        let _ = self.dialect.push(out, &message);
        out.push_str(self.line_end);
    }

    fn end(&mut self, out: &mut String) -> Result<(), FormFault> {
        if self.width.is_some() {
            return Ok(());
        }
        // No row tells of columns: what is added is all there is.
        if std::mem::take(&mut self.named) {
            self.dialect.push_all(out, self.added.iter().map(String::as_str))?;
            out.push_str(self.line_end);
        }
        self.width = Some(0);
        self.write_header(out)
    }
}

/// The names of the columns that are added.
fn added(wording: &Wording<'_>) -> Vec<String> {
    let each = wording.labels.iter().filter(|_| wording.probabilities).map(|label| format!("probability_{label}"));
    let usual = ["predicted_label", "probability"].map(String::from).into_iter();
    usual.chain(each).chain(wording.errors.then(|| "error".to_string())).collect()
}

/// Names in order, each once.
fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut met = HashSet::new();
    names.filter(|name| met.insert(name.clone())).collect()
}

impl Wording<'_> {
    /// The list of labels of an example with several, as one field; `None` if the member is none.
    fn label_list(&self, key: &str, value: &str) -> Result<Option<String>, Unrepresentable> {
        let separator = &self.config.label_separator;
        if !self.config.multi_label || !value.starts_with('[') || self.config.label.to_string() != key {
            return Ok(None);
        }
        let labels: Vec<serde_json::Value> = serde_json::from_str(value).unwrap_or_default();
        let labels: Vec<String> =
            labels.iter().map(|label| label.as_str().map_or_else(|| label.to_string(), str::to_string)).collect();
        if labels.iter().any(|label| label.contains(separator)) {
            return Err(Unrepresentable::Separator { separator: separator.clone() });
        }
        Ok(Some(labels.join(separator)))
    }
}

impl Dialect {
    /// Whether every label can be written, alone or beside others.
    fn check_labels(self, wording: &Wording<'_>) -> Result<(), PredictFailure> {
        let separator = &wording.config.label_separator;
        for label in wording.labels {
            let why = if wording.config.multi_label && label.contains(separator) {
                Some(Unrepresentable::Separator { separator: separator.clone() })
            } else {
                self.push(&mut String::new(), label).err()
            };
            if let Some(why) = why {
                return Err(PredictFailure::Label { label: label.clone(), why });
            }
        }
        Ok(())
    }

    fn push_all<'f>(self, out: &mut String, fields: impl Iterator<Item = &'f str>) -> Result<(), Unrepresentable> {
        for (index, field) in fields.enumerate() {
            if index == 0 { self.push(out, field)? } else { self.push_next(out, field)? }
        }
        Ok(())
    }

    /// A field behind another.
    fn push_next(self, out: &mut String, field: &str) -> Result<(), Unrepresentable> {
        out.push(char::from(self.delimiter));
        self.push(out, field)
    }

    /// A field, quoted as RFC 4180 says where it has to be.
    fn push(self, out: &mut String, field: &str) -> Result<(), Unrepresentable> {
        let delimiter = char::from(self.delimiter);
        let (has_delimiter, has_line_break) = (field.contains(delimiter), field.contains(['\n', '\r']));
        match self.quoted {
            true if has_delimiter || has_line_break || field.contains('"') => {
                out.push('"');
                out.push_str(&field.replace('"', "\"\""));
                out.push('"');
            }
            false if has_delimiter => return Err(Unrepresentable::Delimiter),
            false if has_line_break => return Err(Unrepresentable::LineBreak),
            _ => out.push_str(field),
        }
        Ok(())
    }
}
