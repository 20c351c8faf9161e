//! Many texts, one behind the other in one piece of memory, and cheap selections of them. Does not read files.

use std::fmt;
use std::sync::Arc;

/// Texts in order. Clones and selections share the memory.
#[derive(Clone, Default)]
pub struct Texts {
    store: Arc<Store>,
    /// Which texts of the store these are, in order; `None` if all of them.
    selected: Option<Arc<[u32]>>,
}

/// Texts that grow one by one; [`TextsBuilder::finish`] makes them [`Texts`].
#[derive(Debug, Default)]
pub struct TextsBuilder {
    store: Store,
}

#[derive(Debug, Default)]
struct Store {
    text: String,
    /// The end of each text.
    ends: Vec<usize>,
}

impl TextsBuilder {
    /// Appends a text.
    pub fn push(&mut self, text: &str) {
        self.store.text.push_str(text);
        self.store.ends.push(self.store.text.len());
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.store.ends.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The texts in the order in which they came.
    pub fn finish(self) -> Texts {
        Texts { store: Arc::new(self.store), selected: None }
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
        let start = if index == 0 { 0 } else { self.store.ends[index - 1] };
        &self.store.text[start..self.store.ends[index]]
    }

    /// The texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
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
        let mut builder = TextsBuilder::default();
        texts.into_iter().for_each(|text| builder.push(text.as_ref()));
        builder.finish()
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
}
