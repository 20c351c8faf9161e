//! All examples of a corpus under one number each, split after split, and how one of them is shown.

use super::finding::Shown;
use crate::corpus::{Labels, excerpt_of};
use crate::examples::{Examples, Split};

/// The splits in the order train, validation, test; example `i` of a split is number `start + i`.
pub(super) struct View<'a> {
    splits: Vec<(Split, &'a Examples)>,
    /// The number of the first example of each split, and behind them the number of all.
    starts: Vec<u32>,
    labels: &'a Labels,
}

impl<'a> View<'a> {
    pub(super) fn new(splits: Vec<(Split, &'a Examples)>, labels: &'a Labels) -> Self {
        let mut starts = vec![0u32];
        for (_, examples) in &splits {
            let end = starts[starts.len() - 1] as usize + examples.len();
            starts.push(u32::try_from(end).unwrap_or(u32::MAX));
        }
        Self { splits, starts, labels }
    }

    /// How many examples there are.
    pub(super) fn len(&self) -> u32 {
        self.starts[self.splits.len()]
    }

    pub(super) fn splits(&self) -> &[(Split, &'a Examples)] {
        &self.splits
    }

    pub(super) fn labels(&self) -> &'a Labels {
        self.labels
    }

    /// The numbers of the examples of the split at this position.
    pub(super) fn numbers(&self, split: usize) -> std::ops::Range<u32> {
        self.starts[split]..self.starts[split + 1]
    }

    /// The position of the split that an example is in.
    pub(super) fn split_of(&self, number: u32) -> usize {
        self.starts[1..self.splits.len()].partition_point(|&start| start <= number)
    }

    fn at(&self, number: u32) -> (usize, &'a Examples, usize) {
        let split = self.split_of(number);
        (split, self.splits[split].1, (number - self.starts[split]) as usize)
    }

    /// The text of an example, or its two.
    pub(super) fn text(&self, number: u32) -> (&'a str, Option<&'a str>) {
        let (_, examples, index) = self.at(number);
        examples.text(index)
    }

    /// The label ids of an example.
    pub(super) fn targets(&self, number: u32) -> &'a [u32] {
        let (_, examples, index) = self.at(number);
        examples.targets.of(index)
    }

    /// An example as a person is shown it.
    pub(super) fn shown(&self, number: u32) -> Shown {
        let (split, examples, index) = self.at(number);
        let text = excerpt_of(examples.text(index));
        let labels = examples.targets.of(index).iter().map(|&id| self.labels.names()[id as usize].clone()).collect();
        let place = examples.location(index).map(|location| location.to_string()).unwrap_or_default();
        Shown { split: self.splits[split].0, place, labels, text }
    }
}

#[cfg(test)]
pub(super) mod fixtures {
    use crate::examples::All;
    use crate::examples::Examples;
    use crate::examples::Targets;

    /// Examples with one label each, on the lines of `data.tsv` from 2 on.
    pub(crate) fn examples<T: AsRef<str>>(rows: &[(T, u32)]) -> Examples {
        let mut places = All::default();
        places.begin("data.tsv".into());
        (2..).take(rows.len()).for_each(|line| places.push(line, None));
        Examples {
            texts: rows.iter().map(|row| row.0.as_ref()).collect(),
            targets: Targets::single(rows.iter().map(|row| row.1).collect()),
            places: places.finish(),
            ..Examples::default()
        }
    }
}
