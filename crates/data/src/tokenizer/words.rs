//! Texts to words or characters without the tokenizer library, for the tokenizers that are made here: several times
//! faster, same ids. Loads and saves nothing.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use serde_json::{Value, json};
use tokenizers::normalizers::StripAccents;
use tokenizers::pre_tokenizers::punctuation::Punctuation;
use tokenizers::pre_tokenizers::whitespace::Whitespace;
use tokenizers::{
    NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
    SplitDelimiterBehavior,
};

use crate::storage::EncodedText;

/// What one token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A word or a run of punctuation.
    Word,
    /// A character that is not white space.
    Character,
    /// What lies between ASCII white space, as Keras' `TextVectorization` has it: lower case is that of ASCII letters, and
    /// punctuation that makes no token leaves no gap.
    Piece,
}

/// The punctuation that `TextVectorization` strips, all of ASCII's.
const KERAS_PUNCTUATION: &str = "[!\"#$%&()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~']";
/// The white space at which it splits.
const KERAS_SPACE: [char; 6] = [' ', '\t', '\n', '\x0b', '\x0c', '\r'];

/// How a text becomes tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Splitter {
    pub(crate) unit: Unit,
    pub(crate) lowercase: bool,
    /// Whether accents and other combining marks stay.
    pub(crate) accents: bool,
    /// Whether punctuation makes tokens; characters always do.
    pub(crate) punctuation: bool,
}

impl Splitter {
    /// Hands out the tokens of a text in order, normalized.
    pub(crate) fn split(self, text: &str, mut token: impl FnMut(&str)) {
        match self.unit {
            Unit::Word => split_words(text, self, &mut token),
            Unit::Character => split_characters(text, self, &mut token),
            Unit::Piece => split_pieces(text, self, &mut token),
        }
    }

    /// The `normalizer` of a `tokenizer.json` that splits texts this way.
    pub(crate) fn normalizer(self) -> Value {
        if self.unit == Unit::Piece {
            return self.keras_normalizer();
        }
        let mut parts: Vec<&str> = if self.accents { vec!["NFKC"] } else { vec!["NFKD", "StripAccents", "NFKC"] };
        if self.lowercase {
            parts.push("Lowercase");
        }
        match parts.as_slice() {
            [only] => json!({ "type": only }),
            _ => {
                let parts: Vec<Value> = parts.iter().map(|part| json!({ "type": part })).collect();
                json!({ "type": "Sequence", "normalizers": parts })
            }
        }
    }

    /// The same for pieces: no component of the library lowers ASCII letters alone, so each has one.
    fn keras_normalizer(self) -> Value {
        let replace =
            |pattern: Value, content: String| json!({ "type": "Replace", "pattern": pattern, "content": content });
        let lower = |letter: char| replace(json!({ "String": letter }), letter.to_ascii_lowercase().to_string());
        let letters = ('A'..='Z').filter(|_| self.lowercase).map(lower);
        let removal = (!self.punctuation).then(|| replace(json!({ "Regex": KERAS_PUNCTUATION }), String::new()));
        let parts: Vec<Value> = letters.chain(removal).collect();
        if parts.is_empty() { Value::Null } else { json!({ "type": "Sequence", "normalizers": parts }) }
    }

    /// The `pre_tokenizer` of a `tokenizer.json` that splits texts this way.
    pub(crate) fn pre_tokenizer(self) -> Value {
        let words = json!({ "type": "Whitespace" });
        match (self.unit, self.punctuation) {
            (Unit::Word, true) => words,
            (Unit::Word, false) => {
                json!({ "type": "Sequence", "pretokenizers": [words, { "type": "Punctuation", "behavior": "Removed" }] })
            }
            (Unit::Piece, _) => {
                json!({ "type": "Split", "pattern": { "Regex": "[ \\t\\n\\x0b\\x0c\\r]+" }, "behavior": "Removed", "invert": false })
            }
            // Inverted, every single match is a token and what lies between is removed.
            (Unit::Character, _) => {
                json!({ "type": "Split", "pattern": { "Regex": "\\S" }, "behavior": "Removed", "invert": true })
            }
        }
    }

    fn normalized(self, text: &str) -> NormalizedString {
        let mut normalized = NormalizedString::from(text);
        if !self.accents {
            normalized.nfkd();
            StripAccents.normalize(&mut normalized).expect("removing characters accepts every text");
        }
        normalized.nfkc();
        if self.lowercase {
            normalized.lowercase();
        }
        normalized
    }
}

/// The vocabulary of a tokenizer that is made here, to look tokens up in without the library.
pub(crate) struct WordTable {
    ids: HashMap<String, u32, RandomState>,
    splitter: Splitter,
    unknown_id: u32,
}

impl WordTable {
    /// The vocabulary, if the tokenizer is of the form that is made here.
    pub(crate) fn of(file: &Value, unknown_id: Option<u32>, vocab: HashMap<String, u32>) -> Option<Self> {
        let units = [Unit::Word, Unit::Character, Unit::Piece];
        let splitter =
            units.into_iter().flat_map(|unit| (0..8).map(move |off| (unit, [4, 2, 1].map(|bit| off & bit == 0))));
        let splitter = splitter
            .map(|(unit, [lowercase, accents, punctuation])| Splitter { unit, lowercase, accents, punctuation })
            .find(|splitter| {
                file["normalizer"] == splitter.normalizer() && file["pre_tokenizer"] == splitter.pre_tokenizer()
            })?;
        let plain = file["post_processor"].is_null()
            && file["added_tokens"].as_array().is_some_and(Vec::is_empty)
            && file["model"]["type"] == "WordLevel";
        let unknown_id = unknown_id?;
        plain.then(|| Self { ids: vocab.into_iter().collect(), splitter, unknown_id })
    }

    /// How texts are split.
    pub(crate) fn splitter(&self) -> Splitter {
        self.splitter
    }

    pub(crate) fn encode(&self, text: &str, max_length: usize) -> EncodedText {
        let mut encoded = EncodedText { ids: Vec::new(), n_tokens: 0, n_unknown: 0 };
        self.splitter.split(text, |word| {
            let id = self.ids.get(word).copied().unwrap_or(self.unknown_id);
            encoded.n_tokens += 1;
            encoded.n_unknown += usize::from(id == self.unknown_id);
            if encoded.ids.len() < max_length {
                encoded.ids.push(id);
            }
        });
        encoded
    }
}

/// Hands out the words of a text as normalizing and the pattern `\w+|[^\w\s]+` make them, with or without punctuation.
///
/// ASCII white space ends a word and takes part in no composition, so the pieces between it are independent; most of
/// them are ASCII even in texts that are not.
fn split_words(text: &str, splitter: Splitter, word: &mut impl FnMut(&str)) {
    if text.is_ascii() {
        split_ascii_words(text, splitter, word);
        return;
    }
    for piece in text.split([' ', '\t', '\n', '\r']) {
        if piece.is_ascii() {
            split_ascii_words(piece, splitter, word);
        } else {
            split_other_words(piece, splitter, word);
        }
    }
}

/// Normalizes and splits any text by the library.
fn split_other_words(text: &str, splitter: Splitter, word: &mut impl FnMut(&str)) {
    let mut split = PreTokenizedString::from(splitter.normalized(text));
    Whitespace.pre_tokenize(&mut split).expect("splitting at white space accepts every text");
    if !splitter.punctuation {
        let removal = Punctuation::new(SplitDelimiterBehavior::Removed);
        removal.pre_tokenize(&mut split).expect("splitting at punctuation accepts every text");
    }
    for (part, _, _) in split.get_splits(OffsetReferential::Normalized, OffsetType::Byte) {
        word(part);
    }
}

/// Normalizing leaves ASCII alone but for its case, so one pass over the bytes is enough.
fn split_ascii_words(text: &str, splitter: Splitter, word: &mut impl FnMut(&str)) {
    let lowered;
    let text = if splitter.lowercase {
        lowered = text.to_ascii_lowercase();
        &lowered
    } else {
        text
    };
    let class = |byte: u8| match byte {
        b' ' | b'\t'..=b'\r' => Class::Nothing,
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => Class::Word,
        _ if !splitter.punctuation && byte.is_ascii_punctuation() => Class::Nothing,
        b'_' => Class::Word,
        _ => Class::Other,
    };
    let bytes = text.as_bytes();
    let mut start = 0;
    while start < bytes.len() {
        let kind = class(bytes[start]);
        let length = bytes[start..].iter().take_while(|&&byte| class(byte) == kind).count();
        if kind != Class::Nothing {
            word(&text[start..start + length]);
        }
        start += length;
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Class {
    /// What is no part of a token.
    Nothing,
    Word,
    Other,
}

/// Hands out the characters of a text after normalizing, without white space.
///
/// Unified ideographs are left alone by normalizing and take part in no composition, so the pieces between them are
/// independent; so are those between ASCII white space.
fn split_characters(text: &str, splitter: Splitter, token: &mut impl FnMut(&str)) {
    let stands_alone =
        |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}');
    for piece in text.split_inclusive(stands_alone) {
        let last = piece.chars().next_back().filter(|&c| stands_alone(c));
        let (before, last) = piece.split_at(piece.len() - last.map_or(0, char::len_utf8));
        if before.is_ascii() {
            let lowered = splitter.lowercase.then(|| before.to_ascii_lowercase());
            each_character(lowered.as_deref().unwrap_or(before), token);
        } else {
            each_character(splitter.normalized(before).get(), token);
        }
        each_character(last, token);
    }
}

/// Hands out every character that is not white space.
fn each_character(text: &str, token: &mut impl FnMut(&str)) {
    for (start, c) in text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
        token(&text[start..start + c.len_utf8()]);
    }
}

/// Hands out the pieces between ASCII white space, as `TextVectorization` standardizes them.
fn split_pieces(text: &str, splitter: Splitter, token: &mut impl FnMut(&str)) {
    let stays = |c: &char| splitter.punctuation || !c.is_ascii_punctuation();
    let lowered = |c: char| if splitter.lowercase { c.to_ascii_lowercase() } else { c };
    let mut standardized = String::new();
    for piece in text.split(KERAS_SPACE) {
        standardized.clear();
        standardized.extend(piece.chars().filter(stays).map(lowered));
        if !standardized.is_empty() {
            token(&standardized);
        }
    }
}
