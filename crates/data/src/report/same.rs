//! Texts that are exactly the same: within a split, in two splits, with different labels. Finds both places of each.

use rayon::prelude::*;

use super::finding::{
    DataFinding, FindingExample, FindingKind, SHOWN, Severity, TRIFLE, flattery, in_percent, many, share, verb,
};
use super::view::View;
use crate::corpus::{hash, is_empty};

/// Stands for an empty text, which is the same as none.
const EMPTY: u32 = u32::MAX;

/// Which texts are the same.
pub(super) struct Same {
    /// Per example the number of the first one with the same text.
    first: Vec<u32>,
    /// Per example that is the first with its text, a bit for each split that the text is in.
    splits: Vec<u8>,
}

impl Same {
    /// Compares all texts, 21 bytes an example at most.
    pub(super) fn of(view: &View<'_>) -> Self {
        let mut hashes: Vec<(u64, u32)> = (0..view.len())
            .into_par_iter()
            .filter_map(|number| {
                let text = view.text(number);
                (!is_empty(text)).then(|| (hash(text), number))
            })
            .collect();
        hashes.par_sort_unstable();
        let mut first = vec![EMPTY; view.len() as usize];
        for run in hashes.chunk_by(|a, b| a.0 == b.0) {
            // Nearly always one text; several where hashes collide.
            let mut distinct: Vec<u32> = Vec::new();
            for &(_, number) in run {
                let known = distinct.iter().find(|&&known| view.text(known) == view.text(number));
                first[number as usize] = known.copied().unwrap_or(number);
                if known.is_none() {
                    distinct.push(number);
                }
            }
        }
        drop(hashes);
        let mut splits = vec![0; first.len()];
        for (number, &first) in (0..).zip(&first).filter(|(_, first)| **first != EMPTY) {
            splits[first as usize] |= 1 << view.split_of(number);
        }
        Self { first, splits }
    }

    /// The number of the first example with the same text; `None` for an empty text.
    pub(super) fn first(&self, number: u32) -> Option<u32> {
        Some(self.first[number as usize]).filter(|&first| first != EMPTY)
    }

    /// The examples that are the first with their text.
    pub(super) fn distinct(&self) -> Vec<u32> {
        (0..).zip(&self.first).filter(|(number, first)| number == *first).map(|(number, _)| number).collect()
    }

    /// A bit for each split that the text is in, given the first example with the text.
    pub(super) fn splits(&self, first: u32) -> u8 {
        self.splits[first as usize]
    }

    /// The first example of a split with the text of `first`.
    pub(super) fn within(&self, view: &View<'_>, first: u32, split: usize) -> u32 {
        view.numbers(split).find(|&number| self.first[number as usize] == first).unwrap_or(first)
    }

    /// What is empty, repeated, in two splits or labelled in two ways.
    pub(super) fn findings(&self, view: &View<'_>) -> Vec<DataFinding> {
        let mut findings = Vec::new();
        // Per text, the last example before the current split and the first one within it that has it.
        let mut here = vec![EMPTY; self.first.len()];
        let mut conflicting = vec![false; self.first.len()];
        for (position, (split, examples)) in view.splits().iter().enumerate() {
            let numbers = view.numbers(position);
            let mut empty = Vec::new();
            let mut repeats: Vec<(u32, u32)> = Vec::new();
            let mut conflicts: Vec<(u32, u32)> = Vec::new();
            let mut shared: Vec<Vec<u32>> = vec![Vec::new(); position];
            for number in numbers.clone() {
                let Some(first) = self.first(number) else {
                    empty.push(number);
                    continue;
                };
                for (other, shared) in shared.iter_mut().enumerate() {
                    if self.splits(first) & 1 << other != 0 {
                        shared.push(number);
                    }
                }
                let before = &mut here[first as usize];
                if numbers.contains(before) {
                    repeats.push((*before, number));
                    if view.targets(*before) != view.targets(number) && !conflicting[first as usize] {
                        conflicting[first as usize] = true;
                        conflicts.push((*before, number));
                    }
                } else {
                    *before = number;
                    conflicting[first as usize] = false;
                }
            }
            let pair = |&(a, b): &(u32, u32)| FindingExample::two(view.shown(a), view.shown(b), None);
            let of = |n: usize| share(n, examples.len());
            if !empty.is_empty() {
                let (n, part) = (empty.len(), of(empty.len()));
                let severity = if part > 0.01 { Severity::Warning } else { Severity::Note };
                let message =
                    format!("{} of {split} {} empty{}", many(n, "text"), verb(n, "is", "are"), in_percent(part));
                let remedy = "remove the rows, or look whether `data.text` names the right column: nothing can be learned from them";
                let examples =
                    empty.iter().take(SHOWN).map(|&number| FindingExample::one(view.shown(number))).collect();
                findings.push(
                    DataFinding::new(FindingKind::EmptyTexts, severity, &[*split], n, message, remedy)
                        .share(part)
                        .examples(examples),
                );
            }
            for (other, shared) in shared.into_iter().enumerate().filter(|(_, shared)| !shared.is_empty()) {
                let other_split = view.splits()[other].0;
                let (n, part) = (shared.len(), of(shared.len()));
                let severity = if part < TRIFLE { Severity::Note } else { Severity::Warning };
                let message = format!(
                    "{} of {split} {} also in {other_split}{}{}",
                    many(n, "text"),
                    verb(n, "is", "are"),
                    in_percent(part),
                    flattery(part)
                );
                let remedy = format!(
                    "remove them from {other_split}: only texts that were not trained on show what the model has learned"
                );
                let earlier = |number: u32| (self.within(view, self.first[number as usize], other), number);
                let examples = shared.iter().take(SHOWN).map(|&number| pair(&earlier(number))).collect();
                findings.push(
                    DataFinding::new(FindingKind::Shared, severity, &[other_split, *split], n, message, remedy)
                        .share(part)
                        .examples(examples),
                );
            }
            if !conflicts.is_empty() {
                let n = conflicts.len();
                let severity = if of(n) > 0.01 { Severity::Warning } else { Severity::Note };
                let message = format!(
                    "{} of {split} {} with different labels: no model can get all of them right",
                    many(n, "text"),
                    verb(n, "occurs", "occur")
                );
                let remedy =
                    "decide for one label each; where both are right, `data.multi_label` may be what the data needs";
                let examples = conflicts.iter().take(SHOWN).map(pair).collect();
                findings.push(
                    DataFinding::new(FindingKind::ConflictingLabels, severity, &[*split], n, message, remedy)
                        .share(of(n))
                        .examples(examples),
                );
            }
            if !repeats.is_empty() {
                let (n, part) = (repeats.len(), of(repeats.len()));
                let severity = if part > 0.1 { Severity::Warning } else { Severity::Note };
                let message = format!(
                    "{} of {split} {} an earlier one{}",
                    many(n, "text"),
                    verb(n, "repeats", "repeat"),
                    in_percent(part)
                );
                let remedy = "remove the repeats if they are copies and not opinions of their own: they count double, and a random cut leaks them";
                let examples = repeats.iter().take(SHOWN).map(pair).collect();
                findings.push(
                    DataFinding::new(FindingKind::Duplicates, severity, &[*split], n, message, remedy)
                        .share(part)
                        .examples(examples),
                );
            }
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Findings;
    use crate::corpus::Labels;
    use crate::examples::Split;
    use crate::report::view::fixtures::examples;

    #[test]
    fn both_places_are_named_and_the_counts_are_those_of_training() {
        let train = examples(&[("a", 0), ("b", 1), ("a", 1), ("a", 0), ("b", 1), (" ", 0), ("", 0)]);
        let validation = examples(&[("c", 0), ("a", 0), ("a", 1)]);
        let test = examples(&[("c", 1), ("b", 1), ("d", 0)]);
        let labels = Labels::from_names(["neg", "pos"]);
        let splits = vec![(Split::Train, &train), (Split::Validation, &validation), (Split::Test, &test)];
        let exact = Findings::of(&splits, &labels);
        let view = View::new(splits, &labels);
        let findings = Same::of(&view).findings(&view);

        let lines: Vec<String> = findings
            .iter()
            .map(|found| {
                let places: Vec<String> = found
                    .examples
                    .iter()
                    .map(|example| example.places.iter().map(|shown| shown.place.clone()).collect::<Vec<_>>().join("+"))
                    .collect();
                format!("{:?} {:?} {} {}", found.kind, found.splits, found.count, places.join(" "))
            })
            .collect();
        assert_eq!(
            lines,
            [
                "EmptyTexts [Train] 2 data.tsv:7 data.tsv:8",
                "ConflictingLabels [Train] 1 data.tsv:2+data.tsv:4",
                "Duplicates [Train] 3 data.tsv:2+data.tsv:4 data.tsv:2+data.tsv:5 data.tsv:3+data.tsv:6",
                "Shared [Train, Validation] 2 data.tsv:2+data.tsv:3 data.tsv:2+data.tsv:4",
                "ConflictingLabels [Validation] 1 data.tsv:3+data.tsv:4",
                "Duplicates [Validation] 1 data.tsv:3+data.tsv:4",
                "Shared [Train, Test] 1 data.tsv:3+data.tsv:3",
                "Shared [Validation, Test] 1 data.tsv:2+data.tsv:2",
            ]
        );
        let count =
            |kind| findings.iter().filter(|found| found.kind == kind).map(|found| found.count).collect::<Vec<_>>();
        assert_eq!(
            count(FindingKind::Duplicates),
            exact.duplicates.iter().map(|found| found.count).collect::<Vec<_>>()
        );
        assert_eq!(count(FindingKind::Shared), exact.shared.iter().map(|found| found.count).collect::<Vec<_>>());
        assert_eq!(
            count(FindingKind::ConflictingLabels),
            exact.conflicting.iter().map(|found| found.count).collect::<Vec<_>>()
        );
        assert_eq!(count(FindingKind::EmptyTexts), exact.empty.values().copied().collect::<Vec<_>>());
        assert_eq!(findings[0].share, Some(2.0 / 7.0));
    }
}
