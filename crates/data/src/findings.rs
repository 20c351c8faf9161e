//! What a look at the examples shows before any training: duplicates, leaks between splits, contradictory labels.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::error::excerpt;
use crate::examples::{Examples, Split};
use crate::labels::Labels;

/// How many texts of each kind are shown.
const SHOWN: usize = 3;

/// Facts about the examples that a user should know; none of them stops a training. Lists hold only what was found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Findings {
    /// Examples per label, by split.
    pub counts: BTreeMap<Split, BTreeMap<String, usize>>,
    /// Examples whose text is empty or only white space, by split.
    pub empty: BTreeMap<Split, usize>,
    /// Texts that are in one split more than once.
    pub duplicates: Vec<DuplicateTexts>,
    /// Texts that are in two splits.
    pub shared: Vec<SharedTexts>,
    /// Texts that have more than one label within a split.
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

/// Texts that have more than one label within a split: nobody can get all of them right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictingLabels {
    /// The split.
    pub split: Split,
    /// How many distinct texts have more than one label.
    pub count: usize,
    /// The beginnings of up to three such texts.
    pub excerpts: Vec<String>,
}

/// What is known about one distinct text of a split.
struct Seen {
    label: u32,
    conflicting: bool,
}

impl Findings {
    /// Looks through the splits, which are given in the order train, validation, test. Empty texts count as empty only,
    /// not as duplicates.
    pub(crate) fn of(splits: &[(Split, &Examples)], labels: &Labels) -> Self {
        let mut findings = Self::default();
        let mut earlier: Vec<(Split, HashMap<&str, Seen>)> = Vec::new();
        for &(split, examples) in splits {
            findings.counts.insert(split, label_counts(examples, labels));
            let mut duplicates = Tally::default();
            let mut conflicting = Tally::default();
            let mut empty = 0;
            let mut seen: HashMap<&str, Seen> = HashMap::with_capacity(examples.len());
            let mut shared: Vec<Tally> = earlier.iter().map(|_| Tally::default()).collect();
            for (text, &label) in examples.texts.iter().zip(&examples.labels) {
                if text.trim().is_empty() {
                    empty += 1;
                    continue;
                }
                for ((_, texts), tally) in earlier.iter().zip(&mut shared) {
                    if texts.contains_key(text.as_str()) {
                        tally.add(text);
                    }
                }
                match seen.get_mut(text.as_str()) {
                    None => {
                        seen.insert(text, Seen { label, conflicting: false });
                    }
                    Some(first) => {
                        duplicates.add(text);
                        if first.label != label && !first.conflicting {
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

/// Examples per label name, labels without an example included.
pub(crate) fn label_counts(examples: &Examples, labels: &Labels) -> BTreeMap<String, usize> {
    let mut counts = vec![0; labels.len()];
    for &label in &examples.labels {
        counts[label as usize] += 1;
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
    fn add(&mut self, text: &str) {
        self.count += 1;
        if self.excerpts.len() < SHOWN {
            let excerpt = excerpt(text);
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

    fn examples(rows: &[(&str, u32)]) -> Examples {
        Examples {
            texts: rows.iter().map(|row| row.0.to_owned()).collect(),
            labels: rows.iter().map(|row| row.1).collect(),
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
    fn findings_survive_json() {
        let train = examples(&[("a", 0), ("a", 1)]);
        let findings = Findings::of(&[(Split::Train, &train)], &Labels::from_names(["neg", "pos"]));
        let json = serde_json::to_string(&findings).unwrap();
        assert!(json.starts_with("{\"counts\":{\"train\":{\"neg\":1,\"pos\":1}},"), "{json}");
        assert_eq!(serde_json::from_str::<Findings>(&json).unwrap(), findings);
    }
}
