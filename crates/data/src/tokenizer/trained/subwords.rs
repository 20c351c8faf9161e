//! What the subword models have in common: words as the tokenizer library splits them, counted, with their alphabet
//! bounded. Trains nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokenizers::{
    NormalizedString, Normalizer, NormalizerWrapper, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
    PreTokenizerWrapper,
};

use super::word_counts::{Keep, SampledTexts, Ties, most_frequent};
use crate::storage::Texts;

/// How many words a subword model is learned from: more take long and hardly change its pieces.
const MAX_WORDS: usize = 100_000;
/// How many characters those words may have together (bytes, for a byte-level model): memory grows with them, and text
/// without spaces has long words.
const MAX_CHARACTERS: usize = 1_500_000;
/// The library adds up counts in an `i32`.
const MAX_SUM: u64 = i32::MAX as u64;

/// The normalizer of the models that do not take accents away.
pub(super) fn normalizer(lowercase: bool) -> Value {
    let nfkc = json!({ "type": "NFKC" });
    if lowercase { json!({ "type": "Sequence", "normalizers": [nfkc, { "type": "Lowercase" }] }) } else { nfkc }
}

/// The most frequent words of the texts with their counts, the most frequent first; equally frequent ones by a fixed
/// hash. Both components are of a `tokenizer.json` and known to work.
pub(super) fn words(normalizer: &Value, pre_tokenizer: &Value, texts: &[&Texts], sample: usize) -> Vec<(String, u64)> {
    let normalizer: NormalizerWrapper = component(normalizer);
    let pre_tokenizer: PreTokenizerWrapper = component(pre_tokenizer);
    let split = |text: &str, word: &mut dyn FnMut(&str)| {
        let mut normalized = NormalizedString::from(text);
        normalizer.normalize(&mut normalized).expect("the normalizers that are used here accept every text");
        let mut split = PreTokenizedString::from(normalized);
        pre_tokenizer.pre_tokenize(&mut split).expect("the pre-tokenizers that are used here accept every text");
        for (part, _, _) in split.get_splits(OffsetReferential::Normalized, OffsetType::Byte) {
            // NUL separates words inside the library.
            if !part.is_empty() && !part.contains('\0') {
                word(part);
            }
        }
    };
    let keep = Keep { n: MAX_WORDS, min_count: 1, ties: Ties::Hash };
    let mut words = most_frequent(&SampledTexts::new(texts, sample), &split, keep);
    bound(&mut words, MAX_CHARACTERS);
    scale(&mut words);
    words
}

fn component<T: serde::de::DeserializeOwned>(json: &Value) -> T {
    T::deserialize(json).expect("the components that are used here are the library's own")
}

/// Keeps the first words that have so many characters together.
fn bound(words: &mut Vec<(String, u64)>, characters: usize) {
    let mut left = characters;
    let fits = words.iter().take_while(|(word, _)| {
        let length = word.chars().count();
        let fits = length <= left;
        left = left.saturating_sub(length);
        fits
    });
    words.truncate(fits.count());
}

/// Makes the counts smaller, all by the same factor, until they cannot overflow.
fn scale(words: &mut [(String, u64)]) {
    let symbols = |word: &str| word.chars().count() as u64;
    while words.iter().map(|(word, count)| symbols(word).saturating_mul(*count)).fold(0, u64::saturating_add) > MAX_SUM
    {
        words.iter_mut().for_each(|(_, count)| *count = (*count / 2).max(1));
        if words.iter().all(|&(_, count)| count == 1) {
            return;
        }
    }
}

/// The most frequent characters of the words that fit in so many places of a vocabulary, equally frequent ones in the
/// order of their code points. With `inner`, a character that occurs inside a word takes two places.
pub(super) fn alphabet(words: &[(String, u64)], places: usize, inner: bool) -> BTreeSet<char> {
    let mut counts: BTreeMap<char, (u64, usize)> = BTreeMap::new();
    for (word, count) in words {
        for (index, c) in word.chars().enumerate() {
            let (sum, places) = counts.entry(c).or_insert((0, 1));
            *sum += count;
            if inner && index > 0 {
                *places = 2;
            }
        }
    }
    let mut by_count: Vec<(char, (u64, usize))> = counts.into_iter().collect();
    by_count.sort_by_key(|&(_, (count, _))| std::cmp::Reverse(count));
    let mut left = places;
    by_count
        .into_iter()
        .take_while(|&(_, (_, places))| {
            let fits = places <= left;
            left = left.saturating_sub(places);
            fits
        })
        .map(|(c, _)| c)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_would_overflow_are_scaled() {
        let mut words = vec![("ab".to_owned(), 1 << 31), ("c".to_owned(), 1 << 30), ("d".to_owned(), 1)];
        scale(&mut words);
        // 2 · 2³¹ + 2³⁰ + 1 is above 2³¹ - 1 until it is divided by four.
        assert_eq!(words.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [1 << 29, 1 << 28, 1]);
    }

    #[test]
    fn words_are_bounded_by_their_characters() {
        let kept = |characters| {
            let mut words: Vec<(String, u64)> = ["ab", "日本", "c"].map(|word| (word.to_owned(), 1)).into();
            bound(&mut words, characters);
            words.len()
        };
        assert_eq!([1, 2, 3, 4, 5, 9].map(kept), [0, 1, 1, 2, 3, 3]);
    }

    #[test]
    fn an_alphabet_fits_in_its_places() {
        // a: 5, b: 3, c: 3, d: 1; b and d occur inside words.
        let words: Vec<(String, u64)> =
            [("ab", 3), ("a", 1), ("c", 3), ("ad", 1)].map(|(w, n)| (w.to_owned(), n)).into();
        let letters = |places, inner| alphabet(&words, places, inner).into_iter().collect::<String>();
        assert_eq!([1, 2, 3, 9].map(|places| letters(places, false)), ["a", "ab", "abc", "abcd"]);
        assert_eq!([2, 3, 4, 5, 6].map(|places| letters(places, true)), ["a", "ab", "abc", "abc", "abcd"]);
    }
}
