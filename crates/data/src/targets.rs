//! The label ids of many examples, flat in memory. Knows neither the labels' names nor where they come from.

/// The label ids of each example, in the order of the examples.
///
/// An example of a single-label task has exactly one id; one of a multi-label task has any number, also none, ascending
/// and distinct. There are fewer than 2^32 ids in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets {
    ids: Vec<u32>,
    /// Example `i` has `ids[offsets[i]..offsets[i + 1]]`.
    offsets: Vec<u32>,
}

impl Default for Targets {
    fn default() -> Self {
        Self { ids: Vec::new(), offsets: vec![0] }
    }
}

impl Targets {
    /// The targets of examples with one label each.
    pub fn single(ids: Vec<u32>) -> Self {
        Self { offsets: (0..=ids.len() as u32).collect(), ids }
    }

    /// Appends the label ids of one example.
    pub fn push(&mut self, ids: &[u32]) {
        self.ids.extend_from_slice(ids);
        self.offsets.push(self.ids.len() as u32);
    }

    /// The label ids of example `index`. Panics if there is no such example.
    pub fn of(&self, index: usize) -> &[u32] {
        &self.ids[self.offsets[index] as usize..self.offsets[index + 1] as usize]
    }

    /// How many examples there are.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The label ids of each example in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.offsets.windows(2).map(|ends| &self.ids[ends[0] as usize..ends[1] as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_keep_their_ids() {
        let mut targets = Targets::default();
        assert!(targets.is_empty());
        for ids in [&[0, 2][..], &[], &[1]] {
            targets.push(ids);
        }
        assert_eq!((targets.len(), targets.of(0), targets.of(1), targets.of(2)), (3, &[0, 2][..], &[][..], &[1][..]));
        assert_eq!(targets.iter().collect::<Vec<_>>(), [&[0, 2][..], &[], &[1]]);
    }

    #[test]
    fn single_labels_are_lists_of_one() {
        let mut targets = Targets::default();
        targets.push(&[4]);
        targets.push(&[0]);
        assert_eq!(Targets::single(vec![4, 0]), targets);
        assert_eq!(Targets::single(Vec::new()), Targets::default());
    }
}
