//! The vocabulary of Keras' `TextVectorization`, and the tokenizer that makes the same ids. Reads no file.

use serde_json::{Map, Value, json};

use super::encoder::TextEncoder;
use super::words::{Splitter, Unit};
use crate::error::DataError;

/// The most tokens, and the longest in bytes.
const MAX_TOKENS: usize = 2_000_000;
const MAX_TOKEN: usize = 100_000;

/// The token of what is not in the vocabulary.
const UNKNOWN: &str = "[UNK]";
/// Tokens that a tokenizer here pads with wherever they are.
const PADS: [&str; 3] = ["[PAD]", "<pad>", "<|pad|>"];

/// A vocabulary with how texts are made into its tokens: split at ASCII white space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KerasVocabulary {
    /// The tokens in the order of their ids, as `get_vocabulary()` gives them: first the empty one, for padding, and `[UNK]`.
    pub tokens: Vec<String>,
    /// Whether ASCII letters are lowered.
    pub lowercase: bool,
    /// Whether ASCII punctuation is removed.
    pub strip_punctuation: bool,
}

impl KerasVocabulary {
    /// The tokens of a `vocabulary.txt`, one a line.
    ///
    /// # Errors
    /// That it is not UTF-8, or has a token twice.
    pub fn lines(bytes: &[u8]) -> Result<Vec<String>, String> {
        let text =
            std::str::from_utf8(bytes).map_err(|error| format!("it is not UTF-8 (at byte {})", error.valid_up_to()))?;
        let mut lines: Vec<&str> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
        // A line end at the end of the file makes no token.
        while lines.len() > 1 && lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        Ok(lines.into_iter().map(str::to_string).collect())
    }

    /// The tokenizer that makes the ids that `TextVectorization` makes, as long as the texts are.
    ///
    /// # Errors
    /// What is wrong with the vocabulary.
    pub fn encoder(&self) -> Result<TextEncoder, String> {
        let [pad, unknown, words @ ..] = self.tokens.as_slice() else {
            return Err("it does not begin with an empty token, for padding, and `[UNK]`".to_string());
        };
        if !pad.is_empty() || unknown != UNKNOWN {
            return Err("it does not begin with an empty token, for padding, and `[UNK]`".to_string());
        }
        if self.tokens.len() > MAX_TOKENS {
            return Err(format!("it has more than {MAX_TOKENS} tokens"));
        }
        if words.iter().any(|word| word.is_empty() || word.len() > MAX_TOKEN) {
            return Err("a token is empty, or longer than any word".to_string());
        }
        if let Some(token) = words.iter().find(|word| PADS.contains(&word.as_str())) {
            return Err(format!("it has the token `{token}`, which is padding here, and a word there"));
        }
        let mut vocab = Map::new();
        for (token, id) in self.tokens.iter().zip(0u32..) {
            if vocab.insert(token.clone(), Value::from(id)).is_some() {
                return Err(format!("it has the token `{}` twice", crate::error::excerpt(token)));
            }
        }
        let splitter = Splitter {
            unit: Unit::Piece,
            lowercase: self.lowercase,
            accents: true,
            punctuation: !self.strip_punctuation,
        };
        let json = json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
            "normalizer": splitter.normalizer(), "pre_tokenizer": splitter.pre_tokenizer(),
            "post_processor": null, "decoder": null,
            "model": { "type": "WordLevel", "vocab": vocab, "unk_token": UNKNOWN },
        });
        let told = |error: DataError| error.to_string();
        let encoder = TextEncoder::from_bytes(json.to_string().as_bytes()).map_err(told)?;
        // As it comes back from the file that a run keeps.
        TextEncoder::from_bytes(encoder.to_json().as_bytes()).map_err(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::UNWATCHED;

    fn vocabulary(words: &[&str], lowercase: bool, strip_punctuation: bool) -> KerasVocabulary {
        let tokens = ["", UNKNOWN].iter().chain(words).map(|word| word.to_string()).collect();
        KerasVocabulary { tokens, lowercase, strip_punctuation }
    }

    /// The ids are those that Keras 3.15.1 gave for these texts with these vocabularies.
    #[test]
    fn ids_are_those_of_text_vectorization() {
        let words = ["its", "É", "film\u{a0}no", "good", "Good", "good!"];
        let text = "It's\tGOOD! École É é film\u{a0}NO\x0bgo-od \u{2028}good -- Good";
        for (lowercase, strip, expected) in [
            (true, true, vec![2, 5, 1, 3, 1, 4, 5, 1, 5]),
            (true, false, vec![1, 7, 1, 3, 1, 4, 1, 1, 1, 5]),
            (false, true, vec![1, 1, 1, 3, 1, 1, 5, 1, 6]),
            (false, false, vec![1, 1, 1, 3, 1, 1, 1, 1, 1, 6]),
        ] {
            let encoder = vocabulary(&words, lowercase, strip).encoder().unwrap();
            assert!(encoder.words().is_some(), "it is split by this crate");
            let texts = [text].into_iter().collect();
            assert_eq!(*encoder.encode(&texts, 100, UNWATCHED).unwrap().ids(0), expected, "{lowercase} {strip}");
            // What the file says is what other programs make of it.
            let by_library = encoder.library().encode_fast(text, true).unwrap();
            assert_eq!(by_library.get_ids(), expected, "{lowercase} {strip}, by the library");
            assert_eq!((encoder.pad_id(), encoder.unknown_id(), encoder.vocab_size()), (0, Some(1), 8));
        }
    }

    #[test]
    fn what_is_no_vocabulary_is_refused() {
        let told = |words: &[&str]| vocabulary(words, true, true).encoder().unwrap_err();
        assert_eq!(told(&["a", "a"]), "it has the token `a` twice");
        assert!(told(&["a", ""]).contains("empty"));
        assert!(told(&["<pad>"]).contains("padding here"));
        let empty = KerasVocabulary { tokens: vec!["a".to_string()], lowercase: true, strip_punctuation: true };
        assert!(empty.encoder().unwrap_err().contains("does not begin"));
        assert_eq!(KerasVocabulary::lines(b"\n[UNK]\r\na\xC2\x85b\n\n").unwrap(), ["", "[UNK]", "a\u{85}b"]);
        assert!(KerasVocabulary::lines(b"\xff").is_err());
    }
}
