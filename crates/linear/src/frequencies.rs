//! In how many texts an n-gram occurs: exact counts, in memory that grows with the n-grams that are kept.

use std::collections::hash_map::Entry;

use rayon::prelude::*;

use crate::batches::{Lowered, Pieces, batches};
use crate::error::{LinearError, Stop};
use crate::ngrams::{Key, Table, of_words, pieces};
use crate::settings::FeatureSettings;
use crate::text::words;

/// How many n-grams are counted at once, at 32 to 64 bytes each. Where there are more, only a part of the keys is counted, and
/// the rest in another pass through the texts.
const MOST_AT_ONCE: usize = 1 << 24;
/// How many tables share the keys, by their hash. Each is filled by one thread.
const SHARDS: usize = 64;

/// The words that at least `min_df` texts have, sorted, with how many have them.
pub(crate) fn of_single_words(texts: &[&str], min_df: u32, stop: Stop) -> Result<Vec<(String, u32)>, LinearError> {
    let mut total = Table::<Box<str>, u32>::default();
    // As many at once as there are threads: what they found is in memory twice.
    for group in batches(texts).chunks(rayon::current_num_threads()) {
        let lowered = group.par_iter().map(|batch| Lowered::new(batch, stop)).collect::<Result<Vec<_>, _>>()?;
        let found = lowered.par_iter().map(|batch| {
            let mut counts = Table::<&str, (u32, usize)>::default();
            for (index, text) in batch.iter().enumerate() {
                words(text, |range| {
                    let (count, last) = counts.entry(&text[range]).or_insert((0, usize::MAX));
                    if *last != index {
                        (*count, *last) = (*count + 1, index);
                    }
                });
            }
            counts
        });
        for counts in found.collect::<Vec<_>>() {
            for (word, (count, _)) in counts {
                match total.get_mut(word) {
                    Some(total) => *total += count,
                    None => drop(total.insert(word.into(), count)),
                }
            }
        }
    }
    let kept = total.into_iter().filter(|&(_, count)| count >= min_df);
    let mut kept = kept.map(|(word, count)| (word.into_string(), count)).collect::<Vec<_>>();
    kept.par_sort_unstable();
    Ok(kept)
}

/// The n-grams of two or more words that at least `min_df` texts have, of words in `ids` alone, in no order.
pub(crate) fn of_word_ngrams(
    texts: &[&str],
    ids: &Table<Box<str>, u32>,
    settings: &FeatureSettings,
    stop: Stop,
) -> Result<Vec<(Key, u32)>, LinearError> {
    let found = |batch: &Lowered| {
        let mut counter = Counter::default();
        let mut of_text = Vec::new();
        for (index, text) in batch.iter().enumerate() {
            of_text.clear();
            words(text, |range| of_text.push(ids.get(&text[range]).copied()));
            of_words(&of_text, settings.words, |key, _| {
                let id = counter.id(key);
                counter.see(id, index);
            });
        }
        counter
    };
    count(texts, settings.min_df, usize::MAX, MOST_AT_ONCE, found, stop)
}

/// The n-grams of characters that at least `min_df` texts have, in no order; the most frequent ones if there are too many.
pub(crate) fn of_characters(
    texts: &[&str],
    settings: &FeatureSettings,
    stop: Stop,
) -> Result<Vec<(Key, u32)>, LinearError> {
    let found = |batch: &Lowered| {
        let mut counter = Counter::default();
        let mut known = Pieces::default();
        for (index, text) in batch.iter().enumerate() {
            pieces(text, settings, |piece, _| {
                for &id in known.ids(piece, settings, |key| Some(counter.id(key))) {
                    counter.see(id, index);
                }
            });
        }
        counter
    };
    let most = if settings.max_characters == 0 { usize::MAX } else { settings.max_characters };
    count(texts, settings.min_df, most, MOST_AT_ONCE, found, stop)
}

/// Counts, for the n-grams of one batch, the texts that have them.
#[derive(Default)]
struct Counter {
    ids: Table<Key, u32>,
    /// Of each id, how many texts have it, and the last one that had.
    counts: Vec<(u32, usize)>,
}

impl Counter {
    fn id(&mut self, key: Key) -> u32 {
        let new = self.counts.len() as u32;
        match self.ids.entry(key) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                self.counts.push((0, usize::MAX));
                *entry.insert(new)
            }
        }
    }

    fn see(&mut self, id: u32, text: usize) {
        let (count, last) = &mut self.counts[id as usize];
        if *last != text {
            (*count, *last) = (*count + 1, text);
        }
    }

    /// The counts, those of each shard by themselves.
    fn by_shard(self) -> Vec<Vec<(Key, u32)>> {
        let mut shards = vec![Vec::new(); SHARDS];
        for (key, id) in self.ids {
            shards[shard(key)].push((key, self.counts[id as usize].0));
        }
        shards
    }
}

fn shard(key: Key) -> usize {
    // The upper bits of a product depend on all bits of the key.
    let mixed = (key as u64 ^ (key >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 58) as usize % SHARDS
}

/// Adds up what `found` counts in every batch and keeps the `most` frequent n-grams that at least `min_df` texts have.
fn count(
    texts: &[&str],
    min_df: u32,
    most: usize,
    most_at_once: usize,
    found: impl Fn(&Lowered) -> Counter + Sync,
    stop: Stop,
) -> Result<Vec<(Key, u32)>, LinearError> {
    let batches = batches(texts);
    let mut kept = Vec::new();
    let mut done = 0;
    while done < SHARDS {
        let mut tables = vec![Table::<Key, u32>::default(); SHARDS - done];
        for group in batches.chunks(rayon::current_num_threads()) {
            let counts = group.par_iter().map(|batch| Ok(found(&Lowered::new(batch, stop)?).by_shard()));
            let counts = counts.collect::<Result<Vec<_>, LinearError>>()?;
            tables.par_iter_mut().enumerate().for_each(|(table_index, table)| {
                for &(key, count) in counts.iter().flat_map(|shards| &shards[done + table_index]) {
                    *table.entry(key).or_default() += count;
                }
            });
            while tables.len() > 1 && tables.iter().map(Table::len).sum::<usize>() > most_at_once {
                tables.truncate(tables.len().div_ceil(2));
            }
        }
        done += tables.len();
        kept.extend(tables.into_iter().flatten().filter(|&(_, count)| count >= min_df));
        if kept.len() > most {
            kept.par_sort_unstable_by_key(|&(key, count)| (std::cmp::Reverse(count), key));
            kept.truncate(most);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ngrams::characters;

    const GO_ON: Stop = &|| false;

    fn strings(mut counts: Vec<(Key, u32)>) -> Vec<(String, u32)> {
        counts.sort_unstable();
        counts.into_iter().map(|(key, count)| (characters(key).collect(), count)).collect()
    }

    #[test]
    fn a_text_counts_once_for_each_of_its_words() {
        let found = of_single_words(&["To be or not to be", "be", "BE it", ""], 2, GO_ON).unwrap();
        assert_eq!(found, [("be".to_owned(), 3)]);
    }

    #[test]
    fn the_most_frequent_are_kept_and_ties_go_by_their_characters() {
        let settings = FeatureSettings { characters: 2, max_characters: 3, ..FeatureSettings::default() };
        let found = of_characters(&["ab", "ab", "cd", "cd", "b b"], &settings, GO_ON).unwrap();
        assert_eq!(strings(found), [(" a".to_owned(), 2), (" c".to_owned(), 2), ("b ".to_owned(), 3)]);
    }

    #[test]
    fn several_passes_count_the_same_as_one() {
        let texts = (0..200).map(|i| format!("w{} {}", i % 50, i * i)).collect::<Vec<_>>();
        let texts = texts.iter().map(String::as_str).collect::<Vec<_>>();
        let settings = FeatureSettings::default();
        let found = |batch: &Lowered| {
            let mut counter = Counter::default();
            for (index, text) in batch.iter().enumerate() {
                pieces(text, &settings, |piece, _| {
                    crate::ngrams::of_piece(piece, &settings, |key, _| {
                        let id = counter.id(key);
                        counter.see(id, index);
                    });
                });
            }
            counter
        };
        let at_once = strings(count(&texts, 2, 100, usize::MAX, found, GO_ON).unwrap());
        let in_parts = strings(count(&texts, 2, 100, 50, found, GO_ON).unwrap());
        assert_eq!(at_once.len(), 100);
        assert_eq!(at_once, in_parts);
        let settings = FeatureSettings { max_characters: 100, ..settings.clone() };
        assert_eq!(at_once, strings(of_characters(&texts, &settings, GO_ON).unwrap()));
    }

    #[test]
    fn counting_stops_when_asked_to() {
        assert_eq!(of_single_words(&["a text"], 1, &|| true), Err(LinearError::Stopped));
    }
}
