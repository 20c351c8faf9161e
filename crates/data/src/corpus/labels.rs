//! The ordered label names of a task, and `labels.json`. Does not read examples.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use crate::error::DataError;

/// The largest `labels.json` that is read, in bytes; no larger one is written.
const MAX_FILE_BYTES: usize = 16 << 20;

/// The label names in order: a label's id is its position.
///
/// Names that are all integers are in numeric order (`2` before `10`), others in the order of their code points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    names: Vec<String>,
    ids: HashMap<String, u32>,
}

impl Labels {
    /// The distinct names among `names`, in natural order.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let distinct: BTreeSet<&str> = names.into_iter().collect();
        let mut names: Vec<String> = distinct.into_iter().map(str::to_owned).collect();
        let numbers: Option<Vec<i128>> = names.iter().map(|name| name.parse().ok()).collect();
        if numbers.is_some() {
            names.sort_by_cached_key(|name| (name.parse::<i128>().ok(), name.clone()));
        }
        Self::in_order(names)
    }

    fn in_order(names: Vec<String>) -> Self {
        let ids = names.iter().zip(0..).map(|(name, id)| (name.clone(), id)).collect();
        Self { names, ids }
    }

    /// The names in the order of their ids.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no label at all.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The id of a name.
    pub fn id(&self, name: &str) -> Option<u32> {
        self.ids.get(name).copied()
    }

    /// The text of `labels.json`: a JSON array of the names.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(&self.names).expect("strings are always valid JSON");
        json.push('\n');
        json
    }

    /// Whether [`Labels::load`] would read what is written of them.
    ///
    /// # Errors
    /// [`DataError::LongLabels`].
    pub(crate) fn check_size(&self) -> Result<(), DataError> {
        let bytes = self.to_json().len();
        if bytes <= MAX_FILE_BYTES {
            return Ok(());
        }
        Err(DataError::LongLabels { bytes, limit: MAX_FILE_BYTES })
    }

    /// Writes `labels.json`.
    ///
    /// # Errors
    /// [`DataError::Write`].
    pub fn save(&self, path: &Path) -> Result<(), DataError> {
        std::fs::write(path, self.to_json()).map_err(|source| DataError::Write { path: path.to_owned(), source })
    }

    /// Reads what [`Labels::save`] wrote.
    ///
    /// # Errors
    /// The file is missing, unreadable, or not an array of distinct, non-empty names.
    pub fn load(path: &Path) -> Result<Self, DataError> {
        let bytes = crate::reader::read_small(path, MAX_FILE_BYTES)?;
        Self::from_json(&bytes).map_err(|reason| DataError::LabelsFile { path: path.to_owned(), reason })
    }

    /// The labels of the text that [`Labels::to_json`] gave.
    ///
    /// # Errors
    /// Why it is not an array of distinct, non-empty names.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let names: Vec<String> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if names.is_empty() {
            return Err("it is empty".to_owned());
        }
        if names.iter().any(String::is_empty) {
            return Err("a name is empty".to_owned());
        }
        let labels = Self::in_order(names);
        if labels.ids.len() != labels.names.len() {
            return Err("a name is there twice".to_owned());
        }
        Ok(labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_in_numeric_order_and_words_are_not() {
        assert_eq!(Labels::from_names(["10", "2", "-1", "2"]).names(), ["-1", "2", "10"]);
        assert_eq!(Labels::from_names(["10", "2", "b"]).names(), ["10", "2", "b"]);
        assert_eq!(Labels::from_names(["positive", "negative"]).id("positive"), Some(1));
        assert_eq!(Labels::from_names(["a"]).id("b"), None);
    }

    #[test]
    fn equal_numbers_with_different_names_stay_apart() {
        assert_eq!(Labels::from_names(["1", "01"]).names(), ["01", "1"]);
    }

    #[test]
    fn the_file_keeps_the_order() {
        let folder = temp_dir::TempDir::new().unwrap();
        let path = folder.path().join("labels.json");
        let labels = Labels::from_names(["é\"", "b"]);
        labels.save(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[\n  \"b\",\n  \"é\\\"\"\n]\n");
        assert_eq!(Labels::load(&path).unwrap(), labels);
    }

    #[test]
    fn what_is_not_refused_can_be_read_back() {
        // Two lines of brackets and one of five bytes beside the name.
        let of_size = |bytes: usize| Labels::from_names(["a".repeat(bytes - 9).as_str()]);
        let folder = temp_dir::TempDir::new().unwrap();
        let path = folder.path().join("labels.json");
        for (bytes, is_read) in [(MAX_FILE_BYTES, true), (MAX_FILE_BYTES + 1, false)] {
            let labels = of_size(bytes);
            labels.save(&path).unwrap();
            assert_eq!(path.metadata().unwrap().len(), bytes as u64);
            assert_eq!((labels.check_size().is_ok(), Labels::load(&path).is_ok()), (is_read, is_read));
        }
        let error = of_size(MAX_FILE_BYTES + 1).check_size().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the names of the labels take 16,777,217 bytes in `labels.json`, which holds at most 16,777,216"
        );
    }

    #[test]
    fn a_damaged_file_is_refused() {
        for (json, reason) in [
            ("[]", "it is empty"),
            ("[\"a\",\"a\"]", "a name is there twice"),
            ("[\"\"]", "a name is empty"),
            ("[1]", "invalid type: integer `1`, expected a string at line 1 column 2"),
        ] {
            assert_eq!(Labels::from_json(json.as_bytes()), Err(reason.to_owned()));
        }
    }
}
