//! JSON objects, one a line or as one array: the object of the input, then the predictions.

use attentive_data::{FieldSplitter, TableKind, TableLayout};
use attentive_train::Prediction;
use serde_json::{Value, json};

use super::form::{Form, FormFault, OutputRow, Wording};
use super::object::{members, string, with_renamed, write_with};
use crate::predict_failure::{PredictFailure, Unrepresentable};

/// Writes JSON Lines, or an array.
pub(super) struct JsonForm<'a> {
    wording: Wording<'a>,
    is_array: bool,
    any: bool,
    /// The keys of the columns of a table, as JSON.
    keys: Vec<String>,
    /// The labels as keys.
    labels: Vec<String>,
    /// Takes the rows of a table apart.
    splitter: Option<FieldSplitter>,
    object: String,
}

impl<'a> JsonForm<'a> {
    pub(super) fn new(is_array: bool, layout: TableLayout, wording: Wording<'a>) -> Result<Self, PredictFailure> {
        let ascii = wording.ascii;
        let splitter = match layout.kind {
            TableKind::Delimited { delimiter, quoted } => Some(FieldSplitter::new(delimiter, quoted)),
            _ => None,
        };
        let names = layout.header.map_or(Vec::new(), |header| header.names);
        if splitter.is_some() {
            check_taken(names.iter().map(String::as_str), &wording)?;
            let mut sorted: Vec<&String> = names.iter().collect();
            sorted.sort_unstable();
            if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(PredictFailure::ColumnTwice { column: pair[0].clone() });
            }
        }
        let keys = |names: &[String]| names.iter().map(|name| string(name, ascii)).collect();
        let (keys, labels) = (keys(&names), keys(wording.labels));
        Ok(Self { wording, is_array, any: false, keys, labels, splitter, object: String::new() })
    }

    /// Puts what the input has of a row into `object`.
    fn take_object(&mut self, row: &OutputRow<'_>) -> Result<(), FormFault> {
        self.object.clear();
        let ascii = self.wording.ascii;
        let stored = row.stored.unwrap_or_default();
        match &mut self.splitter {
            Some(splitter) => {
                self.object.push('{');
                let fields = splitter.fields(stored).into_iter().flatten();
                for (index, field) in fields.enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    // A column without a name has its number, by which the config names it as well.
                    let key = self.keys.get(index).cloned().unwrap_or_else(|| format!("\"{index}\""));
                    self.object.push_str(&format!("{comma}{key}:{}", string(field, ascii)));
                }
                self.object.push('}');
            }
            None if row.stored.is_some() => {
                let members = members(stored);
                let taken = check_taken(members.iter().map(|(key, _)| key.as_str()), &self.wording);
                taken.map_err(|failure| match failure {
                    PredictFailure::ColumnTaken { column } if self.wording.errors => {
                        FormFault::Row(Unrepresentable::KeyTaken { key: column })
                    }
                    failure => FormFault::Input(failure),
                })?;
                self.object.push_str(stored);
            }
            None => {
                let text = string(row.text, ascii);
                self.object.push_str(&match row.second {
                    None => format!("{{\"text\":{text}}}"),
                    Some(second) => format!("{{\"first\":{text},\"second\":{}}}", string(second, ascii)),
                });
            }
        }
        Ok(())
    }

    /// The prediction as members of an object.
    fn prediction(&self, prediction: &Prediction<'_>) -> String {
        let label = |&id: &u32| self.labels.get(id as usize).map_or("\"\"", String::as_str);
        let mut text = if self.wording.config.multi_label {
            let labels: Vec<&str> = prediction.ids.iter().map(label).collect();
            format!("\"predicted_labels\":[{}]", labels.join(","))
        } else {
            let id = prediction.ids.first().copied().unwrap_or_default();
            format!("\"predicted_label\":{},\"probability\":{}", label(&id), number(prediction.probability(id)))
        };
        text.push_str(",\"probabilities\":{");
        for (index, (label, &probability)) in self.labels.iter().zip(&prediction.probabilities).enumerate() {
            let comma = if index == 0 { "" } else { "," };
            text.push_str(&format!("{comma}{label}:{}", number(probability)));
        }
        text.push('}');
        text
    }

    fn push_object(&mut self, more: &str, out: &mut String) {
        if std::mem::replace(&mut self.any, true) && self.is_array {
            out.push_str(",\n");
        }
        write_with(out, &self.object, more);
        if !self.is_array {
            out.push('\n');
        }
    }
}

impl Form for JsonForm<'_> {
    fn begin(&mut self, out: &mut String) -> Result<(), FormFault> {
        if self.is_array {
            out.push_str("[\n");
        }
        Ok(())
    }

    fn row(&mut self, row: &OutputRow<'_>, prediction: &Prediction<'_>, out: &mut String) -> Result<(), FormFault> {
        self.take_object(row)?;
        let more = self.prediction(prediction);
        self.push_object(&more, out);
        Ok(())
    }

    fn error(&mut self, object: Option<&str>, message: &str, out: &mut String) {
        self.object.clear();
        let object = object.unwrap_or("{}");
        let mut free = "error_before".to_string();
        while members(object).iter().any(|(key, _)| *key == free) {
            free.push_str("_before");
        }
        self.object.push_str(&with_renamed(object, "error", &free));
        let more = format!("\"error\":{}", string(message, self.wording.ascii));
        self.push_object(&more, out);
    }

    fn end(&mut self, out: &mut String) -> Result<(), FormFault> {
        if self.is_array {
            out.push_str(if self.any { "\n]\n" } else { "]\n" });
        }
        Ok(())
    }
}

/// Fails if one of these keys is to be added.
fn check_taken<'k>(mut keys: impl Iterator<Item = &'k str>, wording: &Wording<'_>) -> Result<(), PredictFailure> {
    let predicted: &[&str] = match wording.config.multi_label {
        true => &["predicted_labels", "probabilities"],
        false => &["predicted_label", "probability", "probabilities"],
    };
    match keys.find(|key| predicted.contains(key) || wording.errors && *key == "error") {
        Some(key) => Err(PredictFailure::ColumnTaken { column: key.to_string() }),
        None => Ok(()),
    }
}

/// A probability as JSON writes the shortest decimal that is the same f32.
fn number(probability: f32) -> Value {
    probability.to_string().parse::<f64>().map_or(Value::Null, |value| json!(value))
}
