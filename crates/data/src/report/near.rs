//! Near-duplicates: texts that are the same but for case, punctuation, white space and a few words.
//!
//! MinHash signatures (Broder 1997) in bands propose pairs, the exact similarity of their shingles decides. Every hash is
//! fixed, so the same texts give the same pairs on any machine and any number of threads.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::finding::{
    DataFinding, FindingExample, FindingKind, SHOWN, Severity, flattery, in_percent, many, share, verb,
};
use super::same::Same;
use super::shingles::{jaccard, shingles};
use super::view::View;
use crate::order::mix;

/// Texts at least this similar are near-duplicates.
const SIMILAR: f64 = 0.8;
/// Values of a signature in a band. A pair of similarity 0.8 shares one of the twelve bands of four with probability
/// 1 − (1 − 0.8⁴)¹² = 0.998, one of similarity 0.2 with probability 0.02.
const ROWS: usize = 4;
/// Bands whose keys are held at once; the signatures are computed anew for the other half, to halve the memory.
const BANDS_AT_ONCE: usize = 6;
const PASSES: usize = 2;
/// Up to so many texts under one key are all compared with each other.
const ALL_PAIRS: usize = 32;
/// Of more texts each is compared with so many first and so many previous ones.
const SOME_PAIRS: usize = 4;
/// Pairs that are compared before what they show is taken into account for further ones.
const AT_ONCE: usize = 1 << 16;

/// Pairs as (later, earlier, bits of the similarity).
type Pairs = BTreeSet<(u32, u32, u64)>;

/// Which distinct texts have near-duplicates where.
pub(super) struct Near {
    /// Per first example with a text, a bit for each split that holds a near-duplicate of it.
    splits: Vec<u8>,
    /// Per first example with a text, a bit for each split that holds the text and an earlier near-duplicate.
    repeats: Vec<u8>,
    /// The first pairs by the splits of the earlier and the later text.
    shown: BTreeMap<(usize, usize), Pairs>,
}

impl Near {
    /// Compares the distinct texts: 34 bytes an example at most.
    pub(super) fn of(view: &View<'_>, same: &Same) -> Self {
        let n = view.len() as usize;
        let mut near = Self { splits: vec![0; n], repeats: vec![0; n], shown: BTreeMap::new() };
        let texts = same.distinct();
        for pass in 0..PASSES {
            let keys: Vec<[u32; BANDS_AT_ONCE]> =
                texts.par_iter().map_init(Vec::new, |set, &number| band_keys(view.text(number), pass, set)).collect();
            for band in 0..BANDS_AT_ONCE {
                let keyed = texts.iter().zip(&keys).map(|(&number, keys)| (keys[band], number));
                let mut table: Vec<(u32, u32)> = keyed.filter(|&(key, _)| key != NO_WORDS).collect();
                table.par_sort_unstable();
                near.compare(view, same, &table);
            }
        }
        near
    }

    /// Compares the texts that share a key. Where many do, the first rounds settle most of them.
    fn compare(&mut self, view: &View<'_>, same: &Same, table: &[(u32, u32)]) {
        let mut pairs = Vec::new();
        for round in 0..2 {
            for texts in table.chunk_by(|a, b| a.0 == b.0).filter(|texts| texts.len() > 1) {
                for later in 1..texts.len() {
                    for earlier in partners(later, texts.len(), round) {
                        let (earlier, later) = (texts[earlier].1, texts[later].1);
                        if !self.knows(same, earlier, later) {
                            pairs.push((earlier, later));
                        }
                    }
                    if pairs.len() >= AT_ONCE {
                        self.verify(view, same, &mut pairs);
                    }
                }
            }
            self.verify(view, same, &mut pairs);
        }
    }

    fn verify(&mut self, view: &View<'_>, same: &Same, pairs: &mut Vec<(u32, u32)>) {
        let similarities: Vec<f64> = pairs
            .par_iter()
            .with_min_len(16)
            .map_init(
                || (Vec::new(), Vec::new()),
                |(a, b), &(earlier, later)| similarity(view.text(earlier), view.text(later), a, b),
            )
            .collect();
        for ((earlier, later), similarity) in pairs.drain(..).zip(similarities) {
            if similarity >= SIMILAR {
                self.add(same, earlier, later, similarity);
            }
        }
    }

    /// Whether it would change nothing if the two were near-duplicates.
    fn knows(&self, same: &Same, earlier: u32, later: u32) -> bool {
        let (in_earlier, in_later) = (same.splits(earlier), same.splits(later));
        let lacks = |bits: u8, wanted: u8| wanted & !bits != 0;
        !lacks(self.repeats[later as usize], in_earlier & in_later)
            && !lacks(self.splits[later as usize], in_earlier)
            && !lacks(self.splits[earlier as usize], in_later)
    }

    fn add(&mut self, same: &Same, earlier: u32, later: u32, similarity: f64) {
        let (in_earlier, in_later) = (same.splits(earlier), same.splits(later));
        self.repeats[later as usize] |= in_earlier & in_later;
        self.splits[later as usize] |= in_earlier;
        self.splits[earlier as usize] |= in_later;
        let mut show = |a: usize, b: usize, text: u32, other: u32| {
            let pairs = self.shown.entry((a, b)).or_default();
            pairs.insert((text, other, similarity.to_bits()));
            if pairs.len() > SHOWN {
                pairs.pop_last();
            }
        };
        for (text, other, in_text, in_other) in
            [(later, earlier, in_later, in_earlier), (earlier, later, in_earlier, in_later)]
        {
            for b in bits(in_text) {
                for a in bits(in_other).filter(|&a| a < b && in_text & 1 << a == 0) {
                    show(a, b, text, other);
                }
                if in_other & 1 << b != 0 && text == later {
                    show(b, b, text, other);
                }
            }
        }
    }

    /// What is nearly repeated, or nearly in two splits. Texts that are exactly in both splits are not counted again.
    pub(super) fn findings(&self, view: &View<'_>, same: &Same) -> Vec<DataFinding> {
        let mut findings = Vec::new();
        for (b, (split, examples)) in view.splits().iter().enumerate() {
            for (a, (other, _)) in view.splits().iter().enumerate().take(b + 1) {
                let is_near = |first: u32| self.splits[first as usize] & !same.splits(first) & 1 << a != 0;
                let n = if a == b {
                    self.repeats.iter().filter(|repeats| *repeats & 1 << b != 0).count()
                } else {
                    view.numbers(b).filter(|&number| same.first(number).is_some_and(is_near)).count()
                };
                if n == 0 {
                    continue;
                }
                let part = share(n, examples.len());
                let texts = many(n, "text");
                let (kind, severity, splits, message, remedy) = if a == b {
                    (
                        FindingKind::NearDuplicates,
                        Severity::Note,
                        vec![*split],
                        format!(
                            "{texts} of {split} {} an earlier one with small changes{}",
                            verb(n, "repeats", "repeat"),
                            in_percent(part)
                        ),
                        "look whether they are copies that count double; a random cut would put some of them on both sides",
                    )
                } else {
                    (
                        FindingKind::NearShared,
                        if part > 0.01 { Severity::Warning } else { Severity::Note },
                        vec![*other, *split],
                        format!(
                            "{texts} of {split} {} in {other} with small changes{}{}",
                            verb(n, "is", "are"),
                            in_percent(part),
                            flattery(part)
                        ),
                        "remove those that are copies from one of the two splits",
                    )
                };
                let shown = self.shown.get(&(a, b)).into_iter().flatten().map(|&(text, earlier, similarity)| {
                    let place = |first, split| view.shown(same.within(view, first, split));
                    FindingExample::two(place(earlier, a), place(text, b), Some(f64::from_bits(similarity)))
                });
                let finding = DataFinding::new(kind, severity, &splits, n, message, remedy);
                findings.push(finding.share(part).examples(shown.collect()));
            }
        }
        findings
    }
}

/// The key of a text without words, which is like no other.
const NO_WORDS: u32 = 0;

/// The keys of the bands of one pass. `set` is only a buffer.
fn band_keys(text: (&str, Option<&str>), pass: usize, set: &mut Vec<u64>) -> [u32; BANDS_AT_ONCE] {
    shingles(text, set);
    let mut keys = [NO_WORDS; BANDS_AT_ONCE];
    if set.is_empty() {
        return keys;
    }
    // Multiplying by an odd number permutes the values, each number differently, so that each has a least of its own.
    let numbers: [u64; BANDS_AT_ONCE * ROWS] =
        std::array::from_fn(|i| mix((pass * BANDS_AT_ONCE * ROWS + i + 1) as u64));
    let mut least = [u32::MAX; BANDS_AT_ONCE * ROWS];
    for shingle in set.iter() {
        let value = *shingle as u32;
        for (least, number) in least.iter_mut().zip(numbers) {
            *least = (*least).min((value ^ (number >> 32) as u32).wrapping_mul(number as u32 | 1));
        }
    }
    for (key, band) in keys.iter_mut().zip(least.chunks(ROWS)) {
        *key = (band.iter().fold(0, |hash, &value| mix(hash ^ u64::from(value))) as u32).max(1);
    }
    keys
}

/// Which earlier texts of `n` under one key text `later` is compared with: in round 0 the first and the previous one, in
/// round 1 the others.
fn partners(later: usize, n: usize, round: usize) -> impl Iterator<Item = usize> {
    let some = n > ALL_PAIRS;
    (0..later)
        .take(if some { SOME_PAIRS } else { later })
        .chain(if some { later.saturating_sub(SOME_PAIRS).max(SOME_PAIRS)..later } else { 0..0 })
        .filter(move |&earlier| (earlier == 0 || earlier + 1 == later) == (round == 0))
}

/// The similarity of two texts; of pairs that of the less similar side. `a` and `b` are only buffers.
fn similarity(first: (&str, Option<&str>), second: (&str, Option<&str>), a: &mut Vec<u64>, b: &mut Vec<u64>) -> f64 {
    let mut side = |one: &str, other: &str| {
        shingles((one, None), a);
        shingles((other, None), b);
        jaccard(a, b)
    };
    let similarity = side(first.0, second.0);
    match (first.1, second.1) {
        (Some(one), Some(other)) if similarity >= SIMILAR => similarity.min(side(one, other)),
        _ => similarity,
    }
}

/// The positions of the bits that are set.
fn bits(mask: u8) -> impl Iterator<Item = usize> {
    (0..8).filter(move |bit| mask & 1 << bit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Labels;
    use crate::examples::{Examples, Split};
    use crate::order::permutation;
    use crate::report::view::fixtures::examples;

    fn labels() -> Labels {
        Labels::from_names(["neg", "pos"])
    }

    /// Words drawn from 500, the same for the same seed.
    fn words(seed: u64, n: usize) -> Vec<String> {
        permutation(seed, 0, 500).into_iter().take(n).map(|word| format!("w{word}")).collect()
    }

    /// 300 texts of 3 to 62 words; each tenth is planted again with up to three changes.
    fn corpus() -> (Examples, Examples) {
        let mut train = Vec::new();
        let mut test = Vec::new();
        for i in 0..300u64 {
            let text = words(i, 3 + (i as usize * 7) % 60);
            train.push((text.join(" "), 0));
            if i % 10 == 0 {
                let mut changed = text.clone();
                for k in 0..(i / 10) % 4 {
                    let place = (k as usize * 13 + 5) % changed.len();
                    changed[place] = format!("other{k}");
                }
                let changed = changed.join(", ").to_uppercase();
                if i % 20 == 0 { train.push((changed, 0)) } else { test.push((changed, 1)) }
            } else if i % 3 == 0 {
                test.push((words(i + 1000, 10).join(" "), 1));
            }
        }
        (examples(&train), examples(&test))
    }

    #[test]
    fn the_pairs_are_those_of_brute_force() {
        let (train, test) = corpus();
        let labels = labels();
        let view = View::new(vec![(Split::Train, &train), (Split::Test, &test)], &labels);
        let same = Same::of(&view);
        let near = Near::of(&view, &same);

        let set = |number| {
            let mut set = Vec::new();
            shingles(view.text(number), &mut set);
            set
        };
        let sets: Vec<Vec<u64>> = (0..view.len()).map(set).collect();
        let like = |a: u32, b: u32| jaccard(&sets[a as usize], &sets[b as usize]) >= SIMILAR;
        let mut found = 0;
        for number in 0..view.len() {
            let is_test = view.split_of(number) == 1;
            let before = view.numbers(usize::from(is_test)).take_while(|&other| other < number);
            let repeats = before.filter(|&other| like(other, number)).count() > 0;
            let split = if is_test { 2 } else { 1 };
            assert_eq!(near.repeats[number as usize] & split != 0, repeats, "{:?}", view.text(number));
            let in_train = view.numbers(0).any(|other| other != number && like(other, number));
            assert_eq!(near.splits[number as usize] & 1 != 0, in_train, "{:?}", view.text(number));
            found += usize::from(in_train && is_test);
        }
        // Of fifteen changed copies in test those with no change, and the long ones with few.
        assert!(found >= 5, "{found}");
        let findings = near.findings(&view, &same);
        let shared = findings.iter().find(|finding| finding.kind == FindingKind::NearShared).unwrap();
        assert_eq!((shared.count, shared.examples.len()), (found, 3));
    }

    #[test]
    fn exact_copies_are_not_counted_and_examples_are_in_their_splits() {
        let long = words(7, 40).join(" ");
        let changed = long.replacen(' ', " - ", 3);
        let other = words(8, 40).join(" ");
        let train = examples(&[(&long, 0), (&other, 0), (&long, 0), (&changed, 0)]);
        let test = examples(&[(&"z".to_owned(), 0), (&other, 1), (&changed, 1), (&long.to_uppercase(), 1)]);
        let labels = labels();
        let view = View::new(vec![(Split::Train, &train), (Split::Test, &test)], &labels);
        let same = Same::of(&view);
        let findings = Near::of(&view, &same).findings(&view, &same);
        let lines: Vec<_> = findings
            .iter()
            .map(|f| {
                let places = f.examples.iter().map(|example| {
                    let places: Vec<_> = example.places.iter().map(|p| format!("{} {}", p.split, p.place)).collect();
                    format!("{} {:?}", places.join(" + "), example.similarity)
                });
                (f.kind, f.count, places.collect::<Vec<_>>())
            })
            .collect();
        // `changed` is exactly in train, so only the text in capitals is new there; it also repeats `changed` in test.
        assert_eq!(
            lines,
            [
                (FindingKind::NearDuplicates, 1, vec!["train data.tsv:2 + train data.tsv:5 Some(1.0)".to_owned()]),
                (
                    FindingKind::NearShared,
                    1,
                    vec![
                        "train data.tsv:2 + test data.tsv:5 Some(1.0)".to_owned(),
                        "train data.tsv:5 + test data.tsv:5 Some(1.0)".to_owned()
                    ]
                ),
                (FindingKind::NearDuplicates, 1, vec!["test data.tsv:4 + test data.tsv:5 Some(1.0)".to_owned()]),
            ]
        );
    }

    #[test]
    fn thousands_of_alike_texts_are_compared_in_linear_time() {
        let stem = words(3, 40).join(" ");
        let rows: Vec<(String, u32)> = (0..20_000).map(|i| (format!("{stem} number{i}"), 0)).collect();
        let train = examples(&rows);
        let labels = labels();
        let view = View::new(vec![(Split::Train, &train)], &labels);
        let same = Same::of(&view);
        // 38 shingles of the stem, one of the number: 38 / 40 = 0.95.
        let findings = Near::of(&view, &same).findings(&view, &same);
        assert_eq!((findings.len(), findings[0].count), (1, 19_999));
        assert_eq!(findings[0].examples[0].similarity, Some(0.95));
    }

    #[test]
    fn pairs_are_alike_if_both_sides_are() {
        let long = words(3, 60).join(" ");
        let pairs = |seconds: [&str; 3]| Examples {
            seconds: Some(seconds.into_iter().collect()),
            ..examples(&[(&long, 0), (&long, 0), (&format!("{long}!"), 0)])
        };
        let labels = labels();
        let train = pairs(["a man sleeps", "the man is awake", "A man sleeps."]);
        let view = View::new(vec![(Split::Train, &train)], &labels);
        let same = Same::of(&view);
        let findings = Near::of(&view, &same).findings(&view, &same);
        assert_eq!((findings.len(), findings[0].count), (1, 1));
        assert_eq!(findings[0].examples[0].places[1].place, "data.tsv:4");
    }
}
