//! The label ids of many examples, flat in memory. Knows neither the labels' names nor where they come from.

/// The label ids of each example, in the order of the examples.
///
/// An example of a single-label task has exactly one id; one of a multi-label task has any number, also none, ascending
/// and distinct.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Targets {
    ids: Vec<u32>,
    /// The end of each example's ids; `None` while every example has one.
    ends: Option<Vec<u32>>,
}

impl Targets {
    /// The targets of examples with one label each.
    pub fn single(ids: Vec<u32>) -> Self {
        Self { ids, ends: None }
    }

    /// Appends the label ids of one example.
    pub fn push(&mut self, ids: &[u32]) {
        if self.ends.is_none() && ids.len() != 1 {
            self.ends = Some((1..).take(self.ids.len()).collect());
        }
        self.ids.extend_from_slice(ids);
        if let Some(ends) = &mut self.ends {
            ends.push(u32::try_from(self.ids.len()).expect("labels are counted in 32 bits"));
        }
    }

    /// These and behind them `others`.
    pub fn joined(&self, others: &Self) -> Self {
        let mut joined = self.clone();
        others.iter().for_each(|ids| joined.push(ids));
        joined
    }

    /// The label ids of example `index`. Panics if there is no such example.
    pub fn of(&self, index: usize) -> &[u32] {
        match &self.ends {
            None => std::slice::from_ref(&self.ids[index]),
            Some(ends) => &self.ids[if index == 0 { 0 } else { ends[index - 1] as usize }..ends[index] as usize],
        }
    }

    /// How many examples there are.
    pub fn len(&self) -> usize {
        self.ends.as_ref().map_or(self.ids.len(), Vec::len)
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many examples have each of the labels; one with several labels counts for each.
    pub(crate) fn counts(&self, n_labels: usize) -> Vec<usize> {
        let mut counts = vec![0; n_labels];
        self.iter().flatten().for_each(|&id| counts[id as usize] += 1);
        counts
    }

    /// The label ids of each example in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.len()).map(|index| self.of(index))
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
