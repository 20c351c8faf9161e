//! What the label values of a file mean: `data.labels`, `data.rename` and `data.drop`. Each distinct value is decided
//! once. Reads no file.

use std::collections::{BTreeSet, HashMap};

use crate::config::DataConfig;
use crate::error::DataError;

/// What one label value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The label whose name is at this index of [`LabelValues::names`].
    Name(u32),
    /// A label that `data.drop` leaves out.
    Dropped,
    /// `data.labels` names labels, but not this one.
    Unmapped,
    /// No label at all.
    Empty,
}

/// The distinct label values that have been met, and what they mean.
#[derive(Debug)]
pub(crate) struct LabelValues<'a> {
    config: &'a DataConfig,
    values: HashMap<String, Meaning>,
    ids: HashMap<String, u32>,
    names: Vec<String>,
    dropped: BTreeSet<String>,
}

impl<'a> LabelValues<'a> {
    pub(crate) fn new(config: &'a DataConfig) -> Self {
        Self { config, values: HashMap::new(), ids: HashMap::new(), names: Vec::new(), dropped: BTreeSet::new() }
    }

    /// What a value, trimmed of white space, means.
    pub(crate) fn meaning(&mut self, value: &str) -> Meaning {
        if let Some(&meaning) = self.values.get(value) {
            return meaning;
        }
        let meaning = self.decide(value);
        self.values.insert(value.to_owned(), meaning);
        meaning
    }

    fn decide(&mut self, value: &str) -> Meaning {
        if value.is_empty() {
            return Meaning::Empty;
        }
        let config = self.config;
        let name = match (config.rename.get(value), config.labels.get(value)) {
            (Some(name), _) | (None, Some(name)) => name.trim(),
            (None, None) if config.labels.is_empty() => value,
            (None, None) => return Meaning::Unmapped,
        };
        if config.drop.iter().any(|dropped| dropped.trim() == name) {
            self.dropped.insert(name.to_owned());
            return Meaning::Dropped;
        }
        if let Some(&id) = self.ids.get(name) {
            return Meaning::Name(id);
        }
        let id = self.names.len() as u32;
        self.ids.insert(name.to_owned(), id);
        self.names.push(name.to_owned());
        Meaning::Name(id)
    }

    /// The distinct names in the order in which they were met.
    pub(crate) fn into_names(self) -> Vec<String> {
        self.names
    }

    /// Fails if `data.rename` or `data.drop` names a label that was never met: it is most likely misspelled, and the
    /// label that was meant has silently stayed.
    pub(crate) fn check_all_met(&self) -> Result<(), DataError> {
        let unmet = |setting, label: &str, met: BTreeSet<&String>| {
            let known = met.into_iter().filter(|value| !value.is_empty()).cloned().collect();
            DataError::LabelNotMet { setting, label: label.to_owned(), known }
        };
        if let Some(value) = self.config.rename.keys().find(|value| !self.values.contains_key(*value)) {
            return Err(unmet("data.rename", value, self.values.keys().collect()));
        }
        match self.config.drop.iter().find(|name| !self.dropped.contains(name.trim())) {
            Some(name) => Err(unmet("data.drop", name.trim(), self.names.iter().chain(&self.dropped).collect())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: serde_json::Value) -> DataConfig {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn values_are_renamed_and_then_dropped() {
        let config = config(serde_json::json!({
            "rename": { "4": "positive", "3": "positive", "2": "neutral" }, "drop": ["neutral"]
        }));
        let mut values = LabelValues::new(&config);
        let meanings: Vec<_> = ["3", "1", "4", "2", "", "positive"].map(|value| values.meaning(value)).into();
        let [positive, one] = [Meaning::Name(0), Meaning::Name(1)];
        assert_eq!(meanings, [positive, one, positive, Meaning::Dropped, Meaning::Empty, positive]);
        values.check_all_met().unwrap();
        assert_eq!(values.into_names(), ["positive", "1"]);
    }

    #[test]
    fn a_table_of_labels_must_name_what_is_not_renamed() {
        let config = config(serde_json::json!({ "labels": { "0": " neg " }, "rename": { "1": "neg" } }));
        let mut values = LabelValues::new(&config);
        let meanings = ["0", "1", "2"].map(|value| values.meaning(value));
        assert_eq!(meanings, [Meaning::Name(0), Meaning::Name(0), Meaning::Unmapped]);
        assert_eq!(values.into_names(), ["neg"]);
    }

    #[test]
    fn what_never_occurs_is_told() {
        let error = |json| {
            let config = config(json);
            let mut values = LabelValues::new(&config);
            values.meaning("neutral");
            values.meaning("good");
            values.check_all_met().unwrap_err().to_string()
        };
        assert_eq!(
            error(serde_json::json!({ "rename": { "neutrl": "x" } })),
            "`data.rename` names the label `neutrl`, which no training example has: they have `good`, `neutral`"
        );
        assert_eq!(
            error(serde_json::json!({ "drop": ["neutrall"] })),
            "`data.drop` names the label `neutrall`, which no training example has: they have `good`, `neutral`"
        );
    }
}
