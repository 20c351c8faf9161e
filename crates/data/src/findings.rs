//! What a look at the examples shows before any training: duplicates, leaks between splits, contradictory labels.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::error::excerpt;
use crate::examples::{Examples, Split};
use crate::groups::{SharedGroups, shared};
use crate::labels::Labels;

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
type Text<'a> = (&'a str, Option<&'a str>);

/// What is known about one distinct text of a split.
struct Seen<'a> {
    ids: &'a [u32],
    conflicting: bool,
}

impl Findings {
    /// Looks through the splits, which are given in the order train, validation, test. Empty texts count as empty only,
    /// not as duplicates.
    pub(crate) fn of(splits: &[(Split, &Examples)], labels: &Labels) -> Self {
        let mut findings = Self { shared_groups: shared(splits), ..Self::default() };
        let mut earlier: Vec<(Split, HashMap<Text<'_>, Seen<'_>>)> = Vec::new();
        for &(split, examples) in splits {
            findings.counts.insert(split, label_counts(examples, labels));
            let mut duplicates = Tally::default();
            let mut conflicting = Tally::default();
            let mut empty = 0;
            let mut seen: HashMap<Text<'_>, Seen<'_>> = HashMap::with_capacity(examples.len());
            let mut shared: Vec<Tally> = earlier.iter().map(|_| Tally::default()).collect();
            for (index, ids) in examples.targets.iter().enumerate() {
                let text = examples.text(index);
                if text.0.trim().is_empty() || text.1.is_some_and(|second| second.trim().is_empty()) {
                    empty += 1;
                    continue;
                }
                for ((_, texts), tally) in earlier.iter().zip(&mut shared) {
                    if texts.contains_key(&text) {
                        tally.add(text);
                    }
                }
                match seen.get_mut(&text) {
                    None => {
                        seen.insert(text, Seen { ids, conflicting: false });
                    }
                    Some(first) => {
                        duplicates.add(text);
                        if first.ids != ids && !first.conflicting {
                            first.conflicting = true;
                            conflicting.add(text);
                        }
                    }
                }
            }
            if empty > 0 {
                findings.empty.insert(split, empty);
            }
            if let Some((count, excerpts)) = duplicates.found() {
                findings.duplicates.push(DuplicateTexts { split, count, excerpts });
            }
            if let Some((count, excerpts)) = conflicting.found() {
                findings.conflicting.push(ConflictingLabels { split, count, excerpts });
            }
            for ((other, _), tally) in earlier.iter().zip(shared) {
                if let Some((count, excerpts)) = tally.found() {
                    findings.shared.push(SharedTexts { splits: [*other, split], count, excerpts });
                }
            }
            earlier.push((split, seen));
        }
        findings
    }
}

/// Examples per label name, labels without an example included; an example counts for each label that it has.
pub(crate) fn label_counts(examples: &Examples, labels: &Labels) -> BTreeMap<String, usize> {
    let mut counts = vec![0; labels.len()];
    for &id in examples.targets.iter().flatten() {
        counts[id as usize] += 1;
    }
    labels.names().iter().cloned().zip(counts).collect()
}

/// A count with a few of the texts that were counted, each shown once.
#[derive(Default)]
struct Tally {
    count: usize,
    excerpts: Vec<String>,
}

impl Tally {
    fn add(&mut self, (text, second): Text<'_>) {
        self.count += 1;
        if self.excerpts.len() < SHOWN {
            let excerpt = match second {
                None => excerpt(text),
                Some(second) => format!("{} | {}", excerpt(text), excerpt(second)),
            };
            if !self.excerpts.contains(&excerpt) {
                self.excerpts.push(excerpt);
            }
        }
    }

    fn found(self) -> Option<(usize, Vec<String>)> {
        (self.count > 0).then_some((self.count, self.excerpts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::Targets;

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
