//! Tokenizers made from texts, as the JSON of a `tokenizer.json`. The same texts in any order and on any number of
//! threads give the same bytes. Encodes nothing.

mod file;
mod word_counts;
mod subwords;
mod bpe;
mod wordpiece;
mod unigram;

use serde_json::{Value, json};

use crate::config::{Punctuation, TokenizerConfig};
use crate::error::DataError;
use crate::storage::Texts;
use crate::tokenizer::words::{Splitter, Unit};
pub(super) use file::PAD;
use file::{UNKNOWN, file, vocab};
use word_counts::{Keep, SampledTexts, Ties, most_frequent};

/// The tokenizer that the config describes, made from the texts; `None` if the config names a file.
///
/// Special tokens are entries of the vocabulary and nothing more (no `added_tokens`), so that no program reads them out
/// of a text: `[` and `]` end a word of every tokenizer made here, and no piece reaches across that end.
///
/// # Errors
/// [`DataError::TokenizerTraining`] if the tokenizer library fails.
pub(crate) fn train(config: &TokenizerConfig, texts: &[&Texts]) -> Result<Option<Value>, DataError> {
    Ok(Some(match config {
        TokenizerConfig::Word(word) => {
            let punctuation = word.punctuation == Punctuation::Keep;
            let splitter = Splitter { unit: Unit::Word, lowercase: word.lowercase, accents: word.accents, punctuation };
            words(splitter, word.vocab_size, word.min_count, texts)
        }
        TokenizerConfig::Char(char) => {
            let splitter =
                Splitter { unit: Unit::Character, lowercase: char.lowercase, accents: true, punctuation: true };
            words(splitter, char.vocab_size, char.min_count, texts)
        }
        TokenizerConfig::Bpe(config) => bpe::train(config, texts)?,
        TokenizerConfig::Wordpiece(config) => wordpiece::train(config, texts)?,
        TokenizerConfig::Unigram(config) => unigram::train(config, texts)?,
        TokenizerConfig::File(_) => return Ok(None),
    }))
}

/// A tokenizer whose tokens are the most frequent words or characters.
fn words(splitter: Splitter, vocab_size: usize, min_count: u64, texts: &[&Texts]) -> Value {
    let split = |text: &str, word: &mut dyn FnMut(&str)| splitter.split(text, word);
    let n = vocab_size.max(2) - 2;
    let keep = Keep { n, min_count, ties: Ties::CodePoints };
    let words = most_frequent(&SampledTexts::new(texts, usize::MAX), &split, keep);
    let vocab = vocab([PAD, UNKNOWN].into_iter().chain(words.iter().map(|(word, _)| word.as_str())));
    let model = json!({ "type": "WordLevel", "vocab": vocab, "unk_token": UNKNOWN });
    file(&splitter.normalizer(), &splitter.pre_tokenizer(), &Value::Null, &model)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::order::permutation;
    use crate::tokenizer::encoder::TextEncoder;

    fn config(toml_like: &str) -> TokenizerConfig {
        serde_json::from_str(toml_like).unwrap()
    }

    fn sha256(text: &str) -> String {
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The sums are of the files that version 0.1.0 wrote for these texts: trained models depend on them.
    #[test]
    fn tokenizers_of_words_stay_as_they_were() {
        let texts: Texts = [
            "The the a b!! Ça va? 日本 fine.",
            "the z c b !! don't snake_case 3.5€ 😀",
            "ＡＢ ½ ﬁne E\u{301}tude naïve İstanbul Σ",
        ]
        .into_iter()
        .collect();
        for (chosen, sum) in [
            (r#"{"word":{}}"#, "a00802e7f6184f1962483cf803da0012f5f13ff0a0f79b2ece48016685481e93"),
            (
                r#"{"word":{"lowercase":false,"vocab_size":12}}"#,
                "f736cca40c0aecf3dfe8176b810c7a509afdf15592ba319cb2ea4d07cf4a7562",
            ),
            (r#"{"char":{}}"#, "9b4371f1bd449dbe5acae745824761a07eab16aa7ef9c564f910d363fa581c94"),
        ] {
            assert_eq!(sha256(&TextEncoder::train(&config(chosen), &texts).unwrap().to_json()), sum, "{chosen}");
        }
    }

    /// Texts with many words that are equally frequent, characters that are rare, and letters that only occur inside
    /// words: what made the library's own order differ from training to training.
    fn corpus() -> Texts {
        let syllables = ["ba", "Nó", "ring", "st", "über", "q", "zo", "日本", "の", "x-y", "7", "."];
        (0..400usize)
            .map(|text| {
                let word = |word: usize| {
                    let mut state = text * 31 + word * 17;
                    let length = 1 + state % 4;
                    (0..length)
                        .map(|_| {
                            state =
                                state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                            syllables[(state >> 33) % syllables.len()]
                        })
                        .collect::<String>()
                };
                let rare = char::from_u32(0x4E00 + text as u32 % 90).unwrap();
                (0..12).map(word).collect::<Vec<_>>().join(" ") + &format!(" {rare}a a{rare} [PAD] [UNK]")
            })
            .collect()
    }

    const SUBWORDS: [&str; 5] = [
        r#"{"bpe":{"vocab_size":400,"lowercase":false}}"#,
        r#"{"wordpiece":{"vocab_size":300,"lowercase":false}}"#,
        r#"{"wordpiece":{"vocab_size":120,"accents":false,"min_count":1}}"#,
        r#"{"unigram":{"vocab_size":250,"lowercase":false}}"#,
        r#"{"unigram":{"vocab_size":110}}"#,
    ];

    #[test]
    fn training_again_gives_the_same_bytes() {
        let texts = corpus();
        for chosen in SUBWORDS.iter().chain(&[r#"{"word":{"vocab_size":50,"min_count":2}}"#, r#"{"char":{}}"#]) {
            let config = config(chosen);
            let json = TextEncoder::train(&config, &texts).unwrap().to_json();
            for time in 1..12 {
                let order = permutation(3, time, texts.len());
                let shuffled: Texts = order.into_iter().map(|index| texts.get(index as usize)).collect();
                let threads = 1 + time as usize % 3;
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let again = pool.install(|| TextEncoder::train(&config, &shuffled).unwrap().to_json());
                assert!(again == json, "{chosen} differs the {time}th time");
            }
        }
    }

    #[test]
    fn special_tokens_come_first_and_are_never_read_out_of_a_text() {
        let texts = corpus();
        for chosen in SUBWORDS {
            let config = config(chosen);
            let encoder = TextEncoder::train(&config, &texts).unwrap();
            let has_unknown = !matches!(config, TokenizerConfig::Bpe(_));
            assert_eq!((encoder.pad_id(), encoder.id(PAD)), (0, Some(0)));
            assert_eq!(encoder.unknown_id(), has_unknown.then_some(1));
            assert_eq!(encoder.id(UNKNOWN), has_unknown.then_some(1));
            assert!(encoder.vocab_size() <= config.vocab_size().unwrap(), "{chosen}: {}", encoder.vocab_size());
            let known = ["[PAD]", "a[PAD]a", "▁[PAD]", "[PAD][PAD]", "##[PAD]"];
            let encoded = encoder.encode(&known.into_iter().collect(), usize::MAX, crate::UNWATCHED).unwrap();
            for (index, text) in known.iter().enumerate() {
                assert!(!encoded.ids(index).is_empty() && !encoded.ids(index).contains(&0), "{chosen} on {text}");
            }
            let json: Value = serde_json::from_str(&encoder.to_json()).unwrap();
            assert_eq!(json["added_tokens"], json!([]));
            assert_eq!(TextEncoder::from_bytes(encoder.to_json().as_bytes()).unwrap().to_json(), encoder.to_json());
        }
    }

    #[test]
    fn no_texts_still_make_a_tokenizer() {
        for chosen in SUBWORDS {
            for texts in [Texts::default(), ["", " \t"].into_iter().collect()] {
                let encoder = TextEncoder::train(&config(chosen), &texts).unwrap();
                let encoded = encoder.encode(&["ab"].into_iter().collect(), usize::MAX, crate::UNWATCHED).unwrap();
                assert!(!encoded.ids(0).is_empty(), "{chosen}");
            }
        }
    }

    #[test]
    fn frequent_words_are_one_piece_and_rare_ones_several() {
        let texts: Texts =
            std::iter::repeat_n("the film was the best film", 40).chain(["bestial waste, fil"]).collect();
        let pieces = |chosen: &str, text: &str| {
            let encoder = TextEncoder::train(&config(chosen), &texts).unwrap();
            let encoded = encoder.encode(&[text].into_iter().collect(), usize::MAX, crate::UNWATCHED).unwrap();
            encoded.ids(0).iter().map(|&id| encoder.token(id).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(pieces(r#"{"bpe":{}}"#, "The film films"), ["Ġthe", "Ġfilm", "Ġfilm", "s"]);
        assert_eq!(pieces(r#"{"wordpiece":{}}"#, "The film films zz"), ["the", "film", "film", "##s", "[UNK]"]);
        assert_eq!(pieces(r#"{"unigram":{}}"#, "The film z")[..2], ["▁the", "▁film"]);
        assert_eq!(pieces(r#"{"bpe":{"lowercase":false}}"#, "T"), ["Ġ", "T"]);
    }

    #[test]
    fn rare_words_are_unknown() {
        // a: 3, b: 2, c: 1.
        let texts: Texts = ["a a b", "a b c"].into_iter().collect();
        for chosen in [r#"{"word":{"min_count":2}}"#, r#"{"char":{"min_count":2}}"#] {
            let encoder = TextEncoder::train(&config(chosen), &texts).unwrap();
            assert_eq!(
                *encoder.encode(&["a b c"].into_iter().collect(), 9, crate::UNWATCHED).unwrap().ids(0),
                [2, 3, 1]
            );
        }
    }
}
