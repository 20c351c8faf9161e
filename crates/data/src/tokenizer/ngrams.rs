//! N-grams of tokens and of characters as bucket ids: hashed, so that they need no vocabulary. Knows no embeddings.

use super::encode::in_order;
use super::encoder::TextEncoder;
use super::truncation::Truncation;
use super::words::Unit;
use crate::config::{CharacterNgrams, FeaturesConfig};
use crate::error::DataError;
use crate::order::mix;
use crate::progress::OnProgress;
use crate::storage::{EncodedText, EncodedTexts, Texts};

impl TextEncoder {
    /// The bucket ids of the n-grams in the tokens that `limit` keeps of each text, on all cores: n-grams of tokens in
    /// the order of the text, shorter ones first at each place, then those of characters, word by word. No n-gram
    /// reaches over what was cut out.
    ///
    /// Words and characters are hashed as they are after normalization, so that n-grams of tokens outside the
    /// vocabulary are kept apart; the tokens of any other `tokenizer.json` as the decimal digits of their ids. A bucket
    /// is the FNV-1a hash (64 bits) of the UTF-8, with a space between two tokens, mixed by the output function of
    /// SplitMix64, modulo `buckets`. Trained models depend on it.
    ///
    /// # Errors
    /// [`DataError::NoWords`] for n-grams of characters where the tokens are not words; [`DataError::Encode`] if a
    /// loaded tokenizer fails on a text.
    pub fn features(
        &self,
        texts: &Texts,
        config: &FeaturesConfig,
        limit: impl Into<Truncation>,
        on_progress: &OnProgress,
    ) -> Result<EncodedTexts, DataError> {
        let limit = limit.into();
        let longest = limit.longest_head();
        let splitter = self.words().map(|words| words.splitter());
        if config.character_ngrams.is_some() && splitter.is_none_or(|splitter| splitter.unit != Unit::Word) {
            return Err(DataError::NoWords);
        }
        let n_buckets = config.buckets.max(1) as u64;
        let recipe = || {
            let features = serde_json::to_string(config).unwrap_or_default();
            format!("ngrams {features} {} {}", limit.recipe(), self.to_json())
        };
        let encode = |text: &str| {
            let mut tokens = TokenBuffer::default();
            let front = match splitter {
                Some(splitter) => {
                    splitter.split(text, |token| tokens.push(token, longest));
                    0
                }
                None => {
                    let (encoded, front) = self.encode_one(text, longest)?;
                    encoded.ids.iter().for_each(|id| tokens.push(&id.to_string(), longest));
                    front
                }
            };
            let tokens: Vec<&str> = tokens.iter().collect();
            let kept = limit.kept(tokens.len(), front).map(|range| &tokens[range]);
            let mut ids = Vec::new();
            let mut keep = |hash: Hash| ids.push((mix(hash.0) % n_buckets) as u32);
            kept.iter().for_each(|tokens| token_ngrams(tokens, config.word_ngrams, &mut keep));
            if let Some(lengths) = &config.character_ngrams {
                kept.iter().copied().flatten().for_each(|word| character_ngrams(word, lengths, &mut keep));
            }
            Ok(EncodedText { n_tokens: ids.len(), ids, n_unknown: 0 })
        };
        in_order(texts, recipe, encode, on_progress)
    }
}

/// A running FNV-1a hash of 64 bits.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    const EMPTY: Self = Self(0xCBF2_9CE4_8422_2325);

    fn add(&mut self, text: &str) {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }
}

/// The tokens of one text, one after the other.
#[derive(Default)]
struct TokenBuffer {
    text: String,
    ends: Vec<usize>,
}

impl TokenBuffer {
    fn push(&mut self, token: &str, max_length: usize) {
        if self.ends.len() < max_length {
            self.text.push_str(token);
            self.ends.push(self.text.len());
        }
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.text[start..end])
    }
}

/// Hands out the hashes of all n-grams of 2 to `longest` tokens.
fn token_ngrams(tokens: &[&str], longest: usize, keep: &mut impl FnMut(Hash)) {
    for start in 0..tokens.len() {
        let mut hash = Hash::EMPTY;
        hash.add(tokens[start]);
        for token in tokens[start + 1..].iter().take(longest.saturating_sub(1)) {
            hash.add(" ");
            hash.add(token);
            keep(hash);
        }
    }
}

/// Hands out the hashes of the n-grams of characters in `<word>`; a mark alone is none.
fn character_ngrams(word: &str, lengths: &CharacterNgrams, keep: &mut impl FnMut(Hash)) {
    let marked = format!("<{word}>");
    let ends: Vec<usize> = marked.char_indices().map(|(start, c)| start + c.len_utf8()).collect();
    let last = ends.len() - 1;
    for first in 0..ends.len() {
        let mut hash = Hash::EMPTY;
        let mut start = if first == 0 { 0 } else { ends[first - 1] };
        for (length, &end) in (1..=lengths.max).zip(&ends[first..]) {
            hash.add(&marked[start..end]);
            start = end;
            let is_mark = length == 1 && (first == 0 || first == last);
            if length >= lengths.min && !is_mark {
                keep(hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CharConfig, TokenizerConfig};
    use crate::progress::UNWATCHED;
    use crate::tokenizer::truncation::TruncationSide;

    fn features(encoder: &TextEncoder, text: &str, config: &FeaturesConfig, max_length: usize) -> Vec<u32> {
        encoder.features(&[text].into_iter().collect(), config, max_length, UNWATCHED).unwrap().ids(0).to_vec()
    }

    fn words() -> TextEncoder {
        TextEncoder::train(&TokenizerConfig::default(), &["good"].into_iter().collect()).unwrap()
    }

    fn word_ngrams(word_ngrams: usize) -> FeaturesConfig {
        FeaturesConfig { word_ngrams, ..FeaturesConfig::default() }
    }

    /// The expected numbers of this test and the next two are from Python:
    ///
    /// ```python
    /// M = 2**64 - 1
    /// def bucket(text, n):
    ///     z = 0xcbf29ce484222325
    ///     for byte in text.encode():
    ///         z = (z ^ byte) * 0x100000001b3 & M
    ///     z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & M
    ///     z = (z ^ z >> 27) * 0x94D049BB133111EB & M
    ///     return (z ^ z >> 31) % n
    /// ```
    #[test]
    fn ngrams_of_words_have_their_buckets() {
        // "not very", "not very good", "very good", "very good é", "good é", all but "good" outside the vocabulary.
        let expected = [28_210, 12_669, 43_214, 86_330, 14_110];
        assert_eq!(features(&words(), "NOT  very Good é", &word_ngrams(3), 100), expected);
        assert_eq!(features(&words(), "NOT very good é", &word_ngrams(3), 3), expected[..3]);
        assert_eq!(features(&words(), "NOT very good é", &word_ngrams(1), 100), [0; 0]);
        assert_eq!(features(&words(), "not", &word_ngrams(5), 100), [0; 0]);
    }

    #[test]
    fn ngrams_are_those_of_the_part_that_is_kept() {
        let of = |max_length, truncate| {
            let texts: Texts = ["not very good not"].into_iter().collect();
            words()
                .features(&texts, &word_ngrams(2), Truncation { max_length, side: truncate }, UNWATCHED)
                .unwrap()
                .ids(0)
                .to_vec()
        };
        let [not_very, very_good, good_not] =
            ["not very", "very good", "good not"].map(|text| features(&words(), text, &word_ngrams(2), 100)[0]);
        assert_eq!(of(4, TruncationSide::Tail), [not_very, very_good, good_not]);
        assert_eq!(of(2, TruncationSide::Head), [not_very]);
        assert_eq!(of(3, TruncationSide::Tail), [very_good, good_not]);
        // "not very" and "not": no n-gram reaches from one to the other.
        assert_eq!(of(3, TruncationSide::Both), [not_very]);
    }

    #[test]
    fn ngrams_of_characters_have_their_buckets() {
        let lengths = CharacterNgrams { min: 1, max: 3 };
        let config = FeaturesConfig { character_ngrams: Some(lengths), buckets: 1000, ..FeaturesConfig::default() };
        // "<n", "<né", "n", "né", "né>", "é", "é>".
        assert_eq!(features(&words(), "Né", &config, 100), [442, 361, 830, 440, 877, 990, 719]);
        assert_eq!(features(&words(), "né né", &config, 1).len(), 7);
    }

    #[test]
    fn tokens_of_a_loaded_file_are_their_ids() {
        let file = r#"{"version":"1.0","pre_tokenizer":{"type":"WhitespaceSplit"},
            "model":{"type":"WordLevel","vocab":{"a":7,"b":12,"[UNK]":0},"unk_token":"[UNK]"}}"#;
        let encoder = TextEncoder::from_bytes(file.as_bytes()).unwrap();
        let config = FeaturesConfig { buckets: 1 << 24, ..word_ngrams(2) };
        // "7 12", "12 7".
        assert_eq!(features(&encoder, "a b a", &config, 100), [485_626, 15_535_579]);
    }

    #[test]
    fn ngrams_of_characters_need_words() {
        let config = FeaturesConfig { character_ngrams: Some(CharacterNgrams::default()), ..FeaturesConfig::default() };
        let texts: Texts = ["好"].into_iter().collect();
        let encoder = TextEncoder::train(&TokenizerConfig::Char(CharConfig::default()), &texts).unwrap();
        let error = encoder.features(&texts, &config, 10, UNWATCHED).unwrap_err();
        assert_eq!(error.to_string(), "the tokenizer has no words to take n-grams of characters from");
        assert_eq!(error.hint().unwrap(), "remove `features.character_ngrams`, or use `tokenizer.word`");
        // Of tokens that are characters there are n-grams of tokens: "好 坏".
        assert_eq!(features(&encoder, "好坏", &word_ngrams(2), 10).len(), 1);
    }

    #[test]
    fn buckets_are_used_evenly() {
        let texts: Texts = (0..4000).map(|index| format!("w{index} x")).collect();
        let config = FeaturesConfig { buckets: 4, ..word_ngrams(2) };
        let encoded = words().features(&texts, &config, 10, UNWATCHED).unwrap();
        let mut counts = [0; 4];
        (0..texts.len()).for_each(|index| counts[encoded.ids(index)[0] as usize] += 1);
        // 1000 expected, standard deviation 27.
        assert!(counts.iter().all(|count| (890..1110).contains(count)), "{counts:?}");
    }
}
