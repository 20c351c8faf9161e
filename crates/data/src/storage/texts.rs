//! Many texts, one behind the other in one piece of memory or in a scratch file, and cheap selections of them. Does not
//! read the files of a user.

use std::fmt;
use std::sync::Arc;

use super::ends::Ends;
use super::numbers::{Growing, Storage, cache_dir};
use crate::error::DataError;

/// Texts in order. Clones and selections share the memory.
#[derive(Clone, Default)]
pub struct Texts {
    store: Arc<TextStorage>,
    /// Which texts of the store these are, in order; `None` if all of them.
    selected: Option<Arc<[u32]>>,
}

/// Texts that grow one by one; [`TextsBuilder::finish`] makes them [`Texts`].
#[derive(Debug)]
pub struct TextsBuilder {
    text: Growing<u8>,
    ends: Ends,
}

#[derive(Debug, Default)]
struct TextStorage {
    text: Storage<u8>,
    ends: Ends,
}

impl Default for TextsBuilder {
    fn default() -> Self {
        Self { text: Growing::new(), ends: Ends::default() }
    }
}

impl TextsBuilder {
    /// Appends a text.
    pub fn push(&mut self, text: &str) {
        self.text.extend(text.as_bytes());
        self.ends.push(text.len());
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The texts in the order in which they came.
    ///
    /// # Errors
    /// [`DataError::Cache`] if there are too many to keep in memory and they could not be written to a scratch file.
    pub fn finish(self) -> Result<Texts, DataError> {
        let text = self.text.finish().map_err(|source| DataError::Cache { path: cache_dir(), source })?;
        let store = TextStorage { text, ends: self.ends };
        Ok(Texts { store: Arc::new(store), selected: None })
    }
}

impl Texts {
    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.selected.as_ref().map_or(self.store.ends.len(), |selected| selected.len())
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Text `index`. Panics if there is no such text.
    pub fn get(&self, index: usize) -> &str {
        let index = self.selected.as_ref().map_or(index, |selected| selected[index] as usize);
        let bytes = self.store.text.slice(self.store.ends.range(index));
        std::str::from_utf8(bytes).expect("texts are kept as they came, cut where they were joined")
    }

    /// Whether there is so much text that it is in a file.
    pub(crate) fn is_large(&self) -> bool {
        self.store.text.is_in_file()
    }

    /// The texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// These texts and behind them those of `others`.
    ///
    /// # Errors
    /// As [`TextsBuilder::finish`].
    pub fn joined(&self, others: &Self) -> Result<Self, DataError> {
        let mut builder = TextsBuilder::default();
        self.iter().chain(others.iter()).for_each(|text| builder.push(text));
        builder.finish()
    }

    /// The texts `indices` in their order. Panics if there is no such text.
    pub fn select(&self, indices: &[u32]) -> Self {
        let selected = match &self.selected {
            None => Arc::from(indices),
            Some(selected) => indices.iter().map(|&index| selected[index as usize]).collect(),
        };
        Self { store: Arc::clone(&self.store), selected: Some(selected) }
    }
}

impl<T: AsRef<str>> FromIterator<T> for Texts {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        let mut builder = TextsBuilder { text: Growing::with_limit(usize::MAX), ends: Ends::default() };
        texts.into_iter().for_each(|text| builder.push(text.as_ref()));
        builder.finish().expect("without a limit nothing is written to a file")
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().take(10)).finish()
    }
}

impl PartialEq for Texts {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Texts {}

impl<T: AsRef<str>, const N: usize> PartialEq<[T; N]> for Texts {
    fn eq(&self, other: &[T; N]) -> bool {
        self.iter().eq(other.iter().map(AsRef::as_ref))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections_are_in_the_order_asked_for() {
        let texts: Texts = ["a", "", "ccc", "d"].into_iter().collect();
        assert_eq!((texts.len(), texts.get(2)), (4, "ccc"));
        let some = texts.select(&[3, 1, 2]);
        assert_eq!(some, ["d", "", "ccc"]);
        assert_eq!(some.select(&[2, 0]), ["ccc", "d"]);
        assert_eq!(Texts::default(), [""; 0]);
    }

    #[test]
    fn texts_in_a_file_are_the_same() {
        let mut builder = TextsBuilder { text: Growing::with_limit(0), ends: Ends::default() };
        ["é", "", "好的"].iter().for_each(|text| builder.push(text));
        let texts = builder.finish().unwrap();
        assert!(texts.is_large());
        assert_eq!(texts, ["é", "", "好的"]);
        assert_eq!(texts.select(&[2]), ["好的"]);
    }
}
