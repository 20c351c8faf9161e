//! Which examples belong together because `data.group` says so, where each would stand in a division by hash, and groups
//! that are in two splits. Divides nothing.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::excerpt;
use crate::examples::{Examples, Split};

/// How many groups are shown.
const SHOWN: usize = 3;

/// Groups that are in two splits: what the model learnt of a group may flatter figures on the later split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedGroups {
    /// The two splits, in the order train, validation, test.
    pub splits: [Split; 2],
    /// How many groups are in both.
    pub count: usize,
    /// How many examples of the second split they have.
    pub examples: usize,
    /// The names of up to three such groups.
    pub excerpts: Vec<String>,
}

/// Examples by their group, groups in an order that has no meaning but never changes.
pub(crate) struct Groups {
    /// The examples, those of a group side by side.
    examples: Vec<u32>,
    /// Where each group begins in `examples`, and behind the last the end.
    starts: Vec<u32>,
}

impl Groups {
    /// The groups of the examples. One without a group is a group of its own.
    ///
    /// Groups are told apart by 64 bits of a hash, so there is no table of names. Two of a million groups have the same
    /// with a probability of 3 in 10⁸, and are then merely kept together.
    pub(crate) fn of(examples: &Examples) -> Self {
        let indices = 0..u32::try_from(examples.len()).expect("places count examples in 32 bits");
        let key = |index: u32| match examples.group(index as usize) {
            Some(name) => (0, hash(name, None), index),
            None => (1, u64::from(index), index),
        };
        let mut keys: Vec<(u8, u64, u32)> = indices.map(key).collect();
        keys.sort_unstable();
        let mut starts = vec![0];
        let bounds = keys.windows(2).zip(1..).filter(|(pair, _)| (pair[0].0, pair[0].1) != (pair[1].0, pair[1].1));
        starts.extend(bounds.map(|(_, start)| start));
        starts.push(keys.len() as u32);
        Self { examples: keys.into_iter().map(|(_, _, index)| index).collect(), starts }
    }

    /// How many groups there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The examples of a group, in their order.
    pub(crate) fn members(&self, group: usize) -> &[u32] {
        &self.examples[self.starts[group] as usize..self.starts[group + 1] as usize]
    }
}

/// Where an example stands between 0 and 2^64: by its group if it has one, else by its text.
pub(crate) fn place(examples: &Examples, index: usize) -> u64 {
    match examples.group(index) {
        Some(group) => hash(group, None),
        None => {
            let (text, second) = examples.text(index);
            hash(text, second)
        }
    }
}

/// The first eight bytes of the SHA-256, the highest first, of a text without the white space around it, or of two with a
/// zero byte between them, which no text holds.
fn hash(text: &str, second: Option<&str>) -> u64 {
    let mut digest = Sha256::new();
    digest.update(text.trim());
    if let Some(second) = second {
        digest.update([0]);
        digest.update(second.trim());
    }
    digest.finalize().iter().take(8).fold(0, |place, &byte| place << 8 | u64::from(byte))
}

/// The groups that are in more than one of the splits, which are given in the order train, validation, test.
pub(crate) fn shared(splits: &[(Split, &Examples)]) -> Vec<SharedGroups> {
    let mut found = Vec::new();
    let mut earlier: Vec<(Split, Vec<u64>)> = Vec::new();
    for &(split, examples) in splits.iter().filter(|(_, examples)| examples.groups.is_some()) {
        let named = || (0..examples.len()).filter_map(|index| Some((hash(examples.group(index)?, None), index)));
        for (other, hashes) in &earlier {
            // The first example of each group of the other split.
            let mut first = vec![u32::MAX; hashes.len()];
            let mut in_both = 0;
            for (hash, index) in named() {
                if let Ok(group) = hashes.binary_search(&hash) {
                    in_both += 1;
                    first[group] = first[group].min(index as u32);
                }
            }
            first.retain(|&index| index != u32::MAX);
            first.sort_unstable();
            if !first.is_empty() {
                let names = first.iter().take(SHOWN).filter_map(|&index| examples.group(index as usize));
                found.push(SharedGroups {
                    splits: [*other, split],
                    count: first.len(),
                    examples: in_both,
                    excerpts: names.map(excerpt).collect(),
                });
            }
        }
        let mut hashes: Vec<u64> = named().map(|(hash, _)| hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        earlier.push((split, hashes));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(groups: &[&str]) -> Examples {
        Examples {
            texts: groups.iter().map(|_| "text").collect(),
            groups: Some(groups.iter().collect()),
            ..Examples::default()
        }
    }

    #[test]
    fn hashes_never_change() {
        // Python: int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]). Splits are kept by it: keep it.
        assert_eq!(hash(" größer\n", None), 5_042_895_402_666_228_349);
        assert_eq!(hash("a ", Some("b")), 6_463_353_407_833_682_387);
    }

    #[test]
    fn examples_without_a_group_are_alone() {
        let groups = Groups::of(&grouped(&["x", "", "y", "x", ""]));
        let mut members: Vec<&[u32]> = (0..groups.len()).map(|group| groups.members(group)).collect();
        members.sort_unstable();
        assert_eq!(members, [&[0, 3][..], &[1], &[2], &[4]]);
    }

    #[test]
    fn shared_groups_are_counted_once_and_their_examples_each() {
        let (train, test) = (grouped(&["a", "b", "a", "c", ""]), grouped(&["d", "c", "a", "", "c"]));
        assert_eq!(
            shared(&[(Split::Train, &train), (Split::Test, &test)]),
            [SharedGroups {
                splits: [Split::Train, Split::Test],
                count: 2,
                examples: 3,
                excerpts: vec!["c".into(), "a".into()]
            }]
        );
        assert_eq!(shared(&[(Split::Train, &train), (Split::Test, &Examples::default())]), []);
    }
}
