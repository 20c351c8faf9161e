//! Counts the words of many texts on all cores, exactly and in bounded memory. What a word is, is decided elsewhere.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::atomic::{self, AtomicUsize};
use std::sync::{Mutex, RwLock};

use rayon::prelude::*;

use crate::storage::Texts;

/// How large the table of distinct words may grow, in bytes.
const TABLE_BYTES: usize = 48 << 20;
/// How large the table of one thread may grow, in bytes, before it is added to the table of all.
const LOCAL_BYTES: usize = 1 << 20;
/// What a word takes in a table beside its letters, in bytes, about.
const ENTRY_BYTES: usize = 64;
/// Into how many parts, as a power of two, the words may be divided at most.
const MAX_BITS: u32 = 16;
/// How many tables share the words, so that threads seldom wait for each other; a power of two.
const N_SHARDS: usize = 64;

/// The texts to count over: several collections one after the other, or some of their texts at even distances.
pub(super) struct SampledTexts<'a> {
    texts: &'a [&'a Texts],
    total: usize,
    len: usize,
}

impl<'a> SampledTexts<'a> {
    /// The texts, at most `sample` of them.
    pub(super) fn new(texts: &'a [&'a Texts], sample: usize) -> Self {
        let total = texts.iter().map(|texts| texts.len()).sum();
        Self { texts, total, len: sample.min(total) }
    }

    fn get(&self, index: usize) -> &str {
        let mut index = (index as u128 * self.total as u128 / self.len as u128) as usize;
        for texts in self.texts {
            if index < texts.len() {
                return texts.get(index);
            }
            index -= texts.len();
        }
        ""
    }
}

/// How words are ordered that occur equally often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ties {
    /// By their code points.
    CodePoints,
    /// By a fixed hash, so that none of the rare words that are left out shares its first letter with all the others.
    Hash,
}

/// Which words to keep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keep {
    /// How many at most, the most frequent first.
    pub(super) n: usize,
    /// How often a word has to occur.
    pub(super) min_count: u64,
    pub(super) ties: Ties,
}

/// Counts the words that `split` hands out and gives the most frequent in order, most frequent first. The same texts in
/// any order and on any number of threads give the same words.
pub(super) fn most_frequent<F>(source: &SampledTexts<'_>, split: &F, keep: Keep) -> Vec<(String, u64)>
where
    F: Fn(&str, &mut dyn FnMut(&str)) + Sync,
{
    within(source, split, keep, TABLE_BYTES)
}

/// Counts with a table of so many bytes. If it overflows, the words are divided by their hash, and each further part is
/// counted in a pass of its own; so is what the first pass left out.
fn within<F>(source: &SampledTexts<'_>, split: &F, keep: Keep, table_bytes: usize) -> Vec<(String, u64)>
where
    F: Fn(&str, &mut dyn FnMut(&str)) + Sync,
{
    let order = |a: &(String, u64), b: &(String, u64)| -> Ordering {
        b.1.cmp(&a.1)
            .then_with(|| if keep.ties == Ties::Hash { hash(&a.0).cmp(&hash(&b.0)) } else { Ordering::Equal })
            .then_with(|| a.0.cmp(&b.0))
    };
    let mut kept: Vec<(String, u64)> = Vec::new();
    let mut parts = vec![HashPart { bits: 0, value: 0 }];
    while let Some(part) = parts.pop() {
        let table = CountTable::count(source, split, part, table_bytes);
        for shard in table.shards {
            let words = shard.into_inner().expect(UNPOISONED).into_iter();
            kept.extend(words.filter(|&(_, count)| count >= keep.min_count).map(|(word, n)| (word.into_string(), n)));
            if kept.len() > keep.n {
                kept.select_nth_unstable_by(keep.n, order);
                kept.truncate(keep.n);
            }
        }
        parts.extend(table.left_out.into_inner().expect(UNPOISONED));
    }
    kept.sort_unstable_by(order);
    kept
}

/// The words whose hash ends in the bits of `value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HashPart {
    bits: u32,
    value: u64,
}

impl HashPart {
    fn holds(self, hash: u64) -> bool {
        hash & ((1 << self.bits) - 1) == self.value
    }

    fn halves(self) -> [Self; 2] {
        let bits = self.bits + 1;
        [Self { bits, ..self }, Self { bits, value: self.value | 1 << self.bits }]
    }
}

type WordCounts = HashMap<Box<str>, u64, foldhash::quality::RandomState>;

const UNPOISONED: &str = "no thread panics while it holds the lock";

/// The counts of a part of the words, which becomes smaller when the table overflows.
struct CountTable {
    part: RwLock<HashPart>,
    /// The words by the first bits of their hash.
    shards: Vec<Mutex<WordCounts>>,
    bytes: AtomicUsize,
    max_bytes: usize,
    /// The parts that the table gave up.
    left_out: Mutex<Vec<HashPart>>,
}

impl CountTable {
    fn count<F>(source: &SampledTexts<'_>, split: &F, part: HashPart, max_bytes: usize) -> Self
    where
        F: Fn(&str, &mut dyn FnMut(&str)) + Sync,
    {
        let table = Self {
            part: RwLock::new(part),
            shards: (0..N_SHARDS).map(|_| Mutex::default()).collect(),
            bytes: AtomicUsize::new(0),
            max_bytes,
            left_out: Mutex::default(),
        };
        const PIECE: usize = 1024;
        (0..source.len.div_ceil(PIECE)).into_par_iter().for_each(|piece| {
            let mut counts = WordCounts::default();
            let mut bytes = 0;
            for index in piece * PIECE..source.len.min((piece + 1) * PIECE) {
                split(source.get(index), &mut |word| match counts.get_mut(word) {
                    Some(count) => *count += 1,
                    None if part.bits == 0 || part.holds(hash(word)) => {
                        bytes += word.len() + ENTRY_BYTES;
                        counts.insert(word.into(), 1);
                    }
                    None => {}
                });
                if bytes > LOCAL_BYTES.min(max_bytes) {
                    table.add(&mut counts);
                    bytes = 0;
                }
            }
            table.add(&mut counts);
        });
        table
    }

    /// Adds the counts of one thread and empties them.
    fn add(&self, counts: &mut WordCounts) {
        let part = self.part.read().expect(UNPOISONED);
        let mut by_shard: Vec<Vec<(Box<str>, u64)>> = vec![Vec::new(); N_SHARDS];
        for (word, count) in counts.drain() {
            let hash = hash(&word);
            if part.holds(hash) {
                by_shard[(hash >> 32) as usize % N_SHARDS].push((word, count));
            }
        }
        for (shard, words) in self.shards.iter().zip(by_shard) {
            let mut shard = shard.lock().expect(UNPOISONED);
            for (word, count) in words {
                match shard.get_mut(&word) {
                    Some(sum) => *sum += count,
                    None => {
                        self.bytes.fetch_add(word.len() + ENTRY_BYTES, atomic::Ordering::Relaxed);
                        shard.insert(word, count);
                    }
                }
            }
        }
        drop(part);
        if self.bytes.load(atomic::Ordering::Relaxed) > self.max_bytes {
            self.narrow();
        }
    }

    /// Gives up half of the words, and again half, until the others fit.
    fn narrow(&self) {
        let mut part = self.part.write().expect(UNPOISONED);
        while self.bytes.load(atomic::Ordering::Relaxed) > self.max_bytes && part.bits < MAX_BITS {
            let [kept, left_out] = part.halves();
            self.left_out.lock().expect(UNPOISONED).push(left_out);
            *part = kept;
            let mut bytes = 0;
            for shard in &self.shards {
                let mut shard = shard.lock().expect(UNPOISONED);
                shard.retain(|word, _| kept.holds(hash(word)));
                shard.shrink_to_fit();
                bytes += shard.keys().map(|word| word.len() + ENTRY_BYTES).sum::<usize>();
            }
            self.bytes.store(bytes, atomic::Ordering::Relaxed);
        }
    }
}

/// FNV-1a, mixed by the output function of SplitMix64: the same in every version of the program.
fn hash(word: &str) -> u64 {
    let hash = word
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, word: &mut dyn FnMut(&str)) {
        text.split(' ').for_each(word);
    }

    const ALL: Keep = Keep { n: usize::MAX, min_count: 1, ties: Ties::CodePoints };

    #[test]
    fn words_are_counted_over_all_collections() {
        let (first, second): (Texts, Texts) = (["b a", "b c"].into_iter().collect(), ["b", "c"].into_iter().collect());
        let collections = [&first, &second];
        let source = SampledTexts::new(&collections, usize::MAX);
        let expected = [("b", 3), ("c", 2), ("a", 1)].map(|(word, n)| (word.to_owned(), n));
        assert_eq!(most_frequent(&source, &words, ALL), expected);
        assert_eq!(most_frequent(&source, &words, Keep { n: 2, ..ALL }), expected[..2]);
        assert_eq!(most_frequent(&source, &words, Keep { min_count: 3, ..ALL }), expected[..1]);
        // Two of four at even distances: "b a" and "b".
        let half = most_frequent(&SampledTexts::new(&collections, 2), &words, ALL);
        assert_eq!(half, [("b", 2), ("a", 1)].map(|(word, n)| (word.to_owned(), n)));
        assert_eq!(most_frequent(&SampledTexts::new(&[], 5), &words, ALL), []);
    }

    /// Word `i` occurs once for every multiple of it among the texts: counted here by arithmetic.
    #[test]
    fn several_passes_count_the_same() {
        const N: usize = 6000;
        let texts: Texts = (1..=N)
            .map(|n| (1..=n).filter(|i| n % i == 0).map(|i| format!("w{i}")).collect::<Vec<_>>().join(" "))
            .collect();
        let mut expected: Vec<(String, u64)> = (1..=N).map(|i| (format!("w{i}"), (N / i) as u64)).collect();
        expected.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let collections = [&texts];
        let source = SampledTexts::new(&collections, usize::MAX);
        for table_bytes in [usize::MAX, 200_000, 20_000, 2000] {
            let table = CountTable::count(&source, &words, HashPart { bits: 0, value: 0 }, table_bytes);
            let part = *table.part.read().unwrap();
            assert_eq!(part.bits == 0, table_bytes == usize::MAX, "{table_bytes}");
            for threads in [1, 3] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                assert_eq!(pool.install(|| within(&source, &words, ALL, table_bytes)), expected, "{table_bytes}");
                let some = Keep { n: 2000, min_count: 2, ..ALL };
                assert_eq!(pool.install(|| within(&source, &words, some, table_bytes)), expected[..2000]);
            }
        }
        let by_hash = within(&source, &words, Keep { ties: Ties::Hash, ..ALL }, usize::MAX);
        assert!(by_hash.is_sorted_by_key(|(_, count)| std::cmp::Reverse(*count)) && by_hash != expected);
        assert_eq!(within(&source, &words, Keep { ties: Ties::Hash, ..ALL }, 20_000), by_hash);
    }

    #[test]
    fn a_word_that_fits_in_no_table_is_counted() {
        let long = "x".repeat(5000);
        let texts: Texts = [format!("{long} a"), long.clone()].into_iter().collect();
        let counted = within(&SampledTexts::new(&[&texts], 9), &words, ALL, 100);
        assert_eq!(counted, [(long, 2), ("a".to_owned(), 1)]);
    }
}
