//! What a look at the examples shows before any training: duplicates, leaks between splits, contradictory labels.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::groups::{SharedGroups, shared};
use super::labels::Labels;
use crate::error::excerpt;
use crate::examples::{Examples, Split};

/// How many texts of each kind are shown.
const SHOWN: usize = 3;

/// Facts about the examples that a user should know; none of them stops a training. Lists hold only what was found.
/// Where examples are pairs of texts, "text" means both together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Findings {
    /// Examples per label, by split; an example with several labels counts for each.
    pub counts: BTreeMap<Split, BTreeMap<String, usize>>,
    /// Examples whose text (of a pair, one of the texts) is empty or only white space, by split.
    pub empty: BTreeMap<Split, usize>,
    /// Texts that are in one split more than once.
    pub duplicates: Vec<DuplicateTexts>,
    /// Texts that are in two splits.
    pub shared: Vec<SharedTexts>,
    /// Groups that are in two splits, where `data.group` names a column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_groups: Vec<SharedGroups>,
    /// Texts that have different labels within a split.
    pub conflicting: Vec<ConflictingLabels>,
}

/// Texts that are in one split more than once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DuplicateTexts {
    /// The split.
    pub split: Split,
    /// How many examples repeat the text of an earlier one.
    pub count: usize,
    /// The beginnings of up to three such texts.
    pub excerpts: Vec<String>,
}

/// Texts that are in two splits: figures on the later one are flattered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedTexts {
    /// The two splits, in the order train, validation, test.
    pub splits: [Split; 2],
    /// How many examples of the second split have a text that is in the first.
    pub count: usize,
    /// The beginnings of up to three such texts.
    pub excerpts: Vec<String>,
}

/// Texts that have different labels (where an example has several: different sets of labels) within a split: nobody can
/// get all of them right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictingLabels {
    /// The split.
    pub split: Split,
    /// How many distinct texts have different labels.
    pub count: usize,
    /// The beginnings of up to three such texts.
    pub excerpts: Vec<String>,
}

/// A text, or the two of a pair.
pub(crate) type TextOrPair<'a> = (&'a str, Option<&'a str>);

/// Texts are compared in parts of about so many, told apart by their hashes, to need little memory.
const PART: usize = 1 << 20;

impl Findings {
    /// Looks through the splits, which are given in the order train, validation, test. Empty texts count as empty only,
    /// not as duplicates.
    pub(crate) fn of(splits: &[(Split, &Examples)], labels: &Labels) -> Self {
        let mut findings = Self { shared_groups: shared(splits), ..Self::default() };
        for &(split, examples) in splits {
            findings.counts.insert(split, label_counts(examples, labels));
        }
        let mut tallies = Tallies::new(splits);
        let total: usize = splits.iter().map(|(_, examples)| examples.len()).sum();
        let parts = total.div_ceil(PART).max(1) as u64;
        let hashes: Vec<Vec<u64>> = splits
            .iter()
            .map(|(_, examples)| (0..examples.len()).into_par_iter().map(|index| hash(examples.text(index))).collect())
            .collect();
        for ((split, _), hashes) in splits.iter().zip(&hashes) {
            let empty = hashes.iter().filter(|&&hash| hash == EMPTY).count();
            if empty > 0 {
                findings.empty.insert(*split, empty);
            }
        }
        for part in 0..parts {
            let mut hashed: Vec<(u64, ExampleRef)> = Vec::with_capacity(PART + PART / 4);
            for (split, hashes) in (0..).zip(&hashes) {
                let places = (0..).zip(hashes).map(|(index, &hash)| (hash, ExampleRef { split, index }));
                hashed.extend(places.filter(|(hash, _)| *hash != EMPTY && hash % parts == part));
            }
            hashed.par_sort_unstable();
            for run in hashed.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
                tallies.add_equal_hashes(run.iter().map(|&(_, place)| place).collect());
            }
        }
        tallies.into_findings(findings)
    }

    /// How many labels have a single training example, if they are most labels, as where a column of ids is taken for that
    /// of the labels.
    pub fn single_example_labels(&self) -> Option<usize> {
        like_ids(self.counts.get(&Split::Train)?.values().copied())
    }
}

/// How many labels have a single example, given the examples of each, if they are most of many labels.
pub(crate) fn like_ids(counts: impl Iterator<Item = usize>) -> Option<usize> {
    /// Of fewer labels it is no wonder.
    const MANY: usize = 20;
    let (mut labels, mut single) = (0, 0);
    for count in counts.filter(|&count| count > 0) {
        labels += 1;
        single += usize::from(count == 1);
    }
    (labels >= MANY && 2 * single > labels).then_some(single)
}

/// An example by the position of its split and its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ExampleRef {
    split: u32,
    index: u32,
}

/// Whether a text, or one of a pair, is empty or only white space.
pub(crate) fn is_empty((text, second): TextOrPair<'_>) -> bool {
    text.trim().is_empty() || second.is_some_and(|second| second.trim().is_empty())
}

/// The beginning of a text, or those of both.
pub(crate) fn excerpt_of((text, second): TextOrPair<'_>) -> String {
    second.map_or_else(|| excerpt(text), |second| format!("{} | {}", excerpt(text), excerpt(second)))
}

/// Stands for an empty text.
const EMPTY: u64 = 0;

/// The same for equal texts in one process; what is found does not depend on it.
pub(crate) fn hash(text: TextOrPair<'_>) -> u64 {
    if is_empty(text) {
        return EMPTY;
    }
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish().max(1)
}

/// What has been counted so far, in each split and in each pair of splits.
struct Tallies<'a> {
    splits: &'a [(Split, &'a Examples)],
    duplicates: Vec<ExcerptTally>,
    conflicting: Vec<ExcerptTally>,
    /// By the earlier split and the later one.
    shared: Vec<Vec<ExcerptTally>>,
}

impl<'a> Tallies<'a> {
    fn new(splits: &'a [(Split, &'a Examples)]) -> Self {
        let tallies = || splits.iter().map(|_| ExcerptTally::default()).collect::<Vec<_>>();
        Self {
            splits,
            duplicates: tallies(),
            conflicting: tallies(),
            shared: splits.iter().map(|_| tallies()).collect(),
        }
    }

    fn text(&self, place: ExampleRef) -> TextOrPair<'a> {
        self.splits[place.split as usize].1.text(place.index as usize)
    }

    fn targets(&self, place: ExampleRef) -> &'a [u32] {
        self.splits[place.split as usize].1.targets.of(place.index as usize)
    }

    /// Examples whose texts have the same hash, ascending; nearly always, they are equal.
    fn add_equal_hashes(&mut self, mut places: Vec<ExampleRef>) {
        while let Some(&first) = places.first() {
            let text = self.text(first);
            let (equal, others): (Vec<ExampleRef>, Vec<ExampleRef>) =
                places.into_iter().partition(|&place| self.text(place) == text);
            self.add_equal(&equal);
            places = others;
        }
    }

    /// All examples with one text, ascending.
    fn add_equal(&mut self, places: &[ExampleRef]) {
        let excerpt = excerpt_of(self.text(places[0]));
        let by_split: Vec<&[ExampleRef]> = places.chunk_by(|a, b| a.split == b.split).collect();
        for (number, within) in by_split.iter().enumerate() {
            let split = within[0].split as usize;
            if let Some(second) = within.get(1) {
                self.duplicates[split].add(within.len() - 1, second.index, &excerpt);
            }
            if let Some(other) = within.iter().find(|&&place| self.targets(place) != self.targets(within[0])) {
                self.conflicting[split].add(1, other.index, &excerpt);
            }
            for earlier in &by_split[..number] {
                self.shared[earlier[0].split as usize][split].add(within.len(), within[0].index, &excerpt);
            }
        }
    }

    fn into_findings(self, mut findings: Findings) -> Findings {
        let name = |split: usize| self.splits[split].0;
        for (split, (duplicates, conflicting)) in self.duplicates.into_iter().zip(self.conflicting).enumerate() {
            let split = name(split);
            if let Some((count, excerpts)) = duplicates.found() {
                findings.duplicates.push(DuplicateTexts { split, count, excerpts });
            }
            if let Some((count, excerpts)) = conflicting.found() {
                findings.conflicting.push(ConflictingLabels { split, count, excerpts });
            }
        }
        for later in 0..self.splits.len() {
            for (earlier, tallies) in self.shared.iter().enumerate() {
                if let Some((count, excerpts)) = tallies[later].clone().found() {
                    findings.shared.push(SharedTexts { splits: [name(earlier), name(later)], count, excerpts });
                }
            }
        }
        findings
    }
}

/// Examples per label name, labels without an example included; an example counts for each label that it has.
pub(crate) fn label_counts(examples: &Examples, labels: &Labels) -> BTreeMap<String, usize> {
    labels.names().iter().cloned().zip(examples.targets.counts(labels.len())).collect()
}

/// A count with the first few of the texts that were counted, each shown once.
#[derive(Debug, Clone, Default)]
struct ExcerptTally {
    count: usize,
    /// By the position of the example that was found.
    first: BTreeMap<u32, String>,
}

impl ExcerptTally {
    fn add(&mut self, count: usize, index: u32, excerpt: &str) {
        self.count += count;
        if !self.first.values().any(|shown| shown == excerpt) {
            self.first.insert(index, excerpt.to_owned());
        }
        if self.first.len() > SHOWN {
            self.first.pop_last();
        }
    }

    fn found(self) -> Option<(usize, Vec<String>)> {
        (self.count > 0).then(|| (self.count, self.first.into_values().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::Targets;

    fn examples(rows: &[(&str, u32)]) -> Examples {
        Examples {
            texts: rows.iter().map(|row| row.0).collect(),
            targets: Targets::single(rows.iter().map(|row| row.1).collect()),
            ..Examples::default()
        }
    }

    #[test]
    fn duplicates_leaks_and_contradictions_are_counted() {
        let train = examples(&[("a", 0), ("b", 1), ("a", 1), ("a", 0), ("b", 1), (" ", 0), (" ", 0)]);
        let validation = examples(&[("c", 0), ("a", 0), ("a", 0)]);
        let test = examples(&[("c", 1), ("b", 1), ("d", 0)]);
        let labels = Labels::from_names(["neg", "pos"]);
        let splits = [(Split::Train, &train), (Split::Validation, &validation), (Split::Test, &test)];
        let findings = Findings::of(&splits, &labels);

        // a is there three times (two repeats), b twice (one repeat); only a has both labels.
        assert_eq!(
            findings.duplicates,
            [
                DuplicateTexts { split: Split::Train, count: 3, excerpts: vec!["a".into(), "b".into()] },
                DuplicateTexts { split: Split::Validation, count: 1, excerpts: vec!["a".into()] },
            ]
        );
        assert_eq!(
            findings.conflicting,
            [ConflictingLabels { split: Split::Train, count: 1, excerpts: vec!["a".into()] }]
        );
        let shared: Vec<_> = findings.shared.iter().map(|shared| (shared.splits, shared.count)).collect();
        assert_eq!(
            shared,
            [
                ([Split::Train, Split::Validation], 2),
                ([Split::Train, Split::Test], 1),
                ([Split::Validation, Split::Test], 1),
            ]
        );
        assert_eq!(findings.empty, BTreeMap::from([(Split::Train, 2)]));
        assert_eq!(findings.counts[&Split::Train], BTreeMap::from([("neg".into(), 4), ("pos".into(), 3)]));
    }

    #[test]
    fn pairs_are_compared_whole_and_lists_of_labels_as_sets() {
        let mut targets = Targets::default();
        for ids in [&[0, 1][..], &[0, 1], &[], &[0], &[1]] {
            targets.push(ids);
        }
        let all = |texts: [&str; 5]| texts.into_iter().collect();
        let train = Examples {
            texts: all(["a", "a", "a", "b", "c"]),
            seconds: Some(all(["x", "x", "y", "y", " "])),
            targets: targets.clone(),
            ..Examples::default()
        };
        // The first texts are in `train`, the pairs are not, but for the fourth.
        let test = Examples {
            texts: all(["a", "b", "c", "b", "a"]),
            seconds: Some(all(["z", "x", "x", "y", "xy"])),
            targets,
            ..Examples::default()
        };
        let labels = Labels::from_names(["neg", "pos"]);
        let findings = Findings::of(&[(Split::Train, &train), (Split::Test, &test)], &labels);
        assert_eq!(
            findings.duplicates,
            [DuplicateTexts { split: Split::Train, count: 1, excerpts: vec!["a | x".into()] }]
        );
        assert_eq!(findings.conflicting, []);
        let shared = SharedTexts { splits: [Split::Train, Split::Test], count: 1, excerpts: vec!["b | y".into()] };
        assert_eq!(findings.shared, [shared]);
        assert_eq!(findings.empty, BTreeMap::from([(Split::Train, 1)]));
        assert_eq!(findings.counts[&Split::Train], BTreeMap::from([("neg".into(), 3), ("pos".into(), 3)]));

        let mut other = Targets::default();
        for ids in [&[0, 1][..], &[0], &[], &[0], &[1]] {
            other.push(ids);
        }
        let findings = Findings::of(&[(Split::Train, &Examples { targets: other, ..train })], &labels);
        assert_eq!(
            findings.conflicting,
            [ConflictingLabels { split: Split::Train, count: 1, excerpts: vec!["a | x".into()] }]
        );
    }

    #[test]
    fn findings_survive_json() {
        let train = examples(&[("a", 0), ("a", 1)]);
        let findings = Findings::of(&[(Split::Train, &train)], &Labels::from_names(["neg", "pos"]));
        let json = serde_json::to_string(&findings).unwrap();
        assert!(json.starts_with("{\"counts\":{\"train\":{\"neg\":1,\"pos\":1}},"), "{json}");
        assert_eq!(serde_json::from_str::<Findings>(&json).unwrap(), findings);
    }
}
