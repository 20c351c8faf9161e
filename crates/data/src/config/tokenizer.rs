//! The `[tokenizer]` section of the config and what can be checked in it without touching a file.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How texts become ids: exactly one of the tables below.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenizerConfig {
    /// `[tokenizer.word]`: words and runs of punctuation, made from the training split.
    Word(WordConfig),
    /// `[tokenizer.char]`: single characters, made from the training split; for Chinese, Japanese and other text
    /// without spaces between words.
    Char(CharConfig),
    /// `[tokenizer.bpe]`: pieces of words by byte-level BPE (Radford et al. 2019), made from the 100,000 most frequent words
    /// of the training split; no text has a token outside the vocabulary.
    Bpe(BpeConfig),
    /// `[tokenizer.wordpiece]`: pieces of words as BERT has them (Devlin et al. 2019), made from the 100,000 most frequent
    /// words of the training split; a word with a character that no piece has is unknown.
    Wordpiece(WordpieceConfig),
    /// `[tokenizer.unigram]`: pieces of words by a unigram language model (Kudo 2018), made from the 100,000 most frequent
    /// words of the training split on one core, which takes the longest of all.
    Unigram(UnigramConfig),
    /// `[tokenizer.file]`: a ready-made Hugging Face `tokenizer.json`.
    File(FileConfig),
}

impl Default for TokenizerConfig {
    fn default() -> Self {
        Self::Word(WordConfig::default())
    }
}

/// The 256 bytes, `[PAD]`, and some merges.
const MIN_BPE_VOCAB_SIZE: usize = 300;
/// The special tokens, an alphabet, and some pieces.
const MIN_SUBWORD_VOCAB_SIZE: usize = 100;

impl TokenizerConfig {
    /// The key of what is chosen, such as `tokenizer.word`.
    pub fn key(&self) -> String {
        let name = match self {
            Self::Word(_) => "word",
            Self::Char(_) => "char",
            Self::Bpe(_) => "bpe",
            Self::Wordpiece(_) => "wordpiece",
            Self::Unigram(_) => "unigram",
            Self::File(_) => "file",
        };
        format!("tokenizer.{name}")
    }

    /// The most tokens the vocabulary may have; `None` for a file, which has as many as it has.
    pub fn vocab_size(&self) -> Option<usize> {
        match self {
            Self::Word(word) => Some(word.vocab_size),
            Self::Char(char) => Some(char.vocab_size),
            Self::Bpe(bpe) => Some(bpe.vocab_size),
            Self::Wordpiece(wordpiece) => Some(wordpiece.vocab_size),
            Self::Unigram(unigram) => Some(unigram.vocab_size),
            Self::File(_) => None,
        }
    }

    /// What is wrong with the section, as (key below `[tokenizer.word]` or what else is chosen, message). No file is
    /// touched.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let (least, min_count, sample) = match self {
            Self::Word(word) => (3, word.min_count, 1),
            Self::Char(char) => (3, char.min_count, 1),
            Self::Bpe(bpe) => (MIN_BPE_VOCAB_SIZE, bpe.min_count, bpe.sample),
            Self::Wordpiece(wordpiece) => (MIN_SUBWORD_VOCAB_SIZE, wordpiece.min_count, wordpiece.sample),
            Self::Unigram(unigram) => (MIN_SUBWORD_VOCAB_SIZE, 1, unigram.sample),
            Self::File(file) if file.path.as_os_str().is_empty() => {
                return vec![("path", "is missing: name a tokenizer.json".to_owned())];
            }
            Self::File(_) => return Vec::new(),
        };
        let mut problems = Vec::new();
        if let Some(vocab_size) = self.vocab_size().filter(|&vocab_size| vocab_size < least) {
            problems.push(("vocab_size", format!("must be at least {least}, not {vocab_size}")));
        }
        if min_count == 0 {
            problems.push(("min_count", "must be at least 1, not 0".to_owned()));
        }
        if sample == 0 {
            problems.push(("sample", "must be at least 1, not 0".to_owned()));
        }
        problems
    }
}

/// What becomes of punctuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Punctuation {
    /// Runs of punctuation are tokens.
    #[default]
    Keep,
    /// Punctuation, `_` included, ends a word and makes no token. Symbols and emoji, which say much about a text, are
    /// no punctuation; of the ASCII characters everything is that is no letter, digit or space.
    Drop,
}

/// Words of the training split: texts are normalized (NFKC), split at whitespace, and runs of punctuation split off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WordConfig {
    /// The most tokens the vocabulary may have, `[PAD]` and `[UNK]` included: the most frequent words are kept, equally
    /// frequent ones in the order of their code points. At least 3. Default: 10,000.
    #[schemars(range(min = 3, max = 2_000_000))]
    pub vocab_size: usize,
    /// Whether upper and lower case count as the same. Default: true, which needs fewer examples per word.
    pub lowercase: bool,
    /// Whether accents stay: with false, `é` and `e` count as the same, and so do letters that differ in any other
    /// combining mark, which garbles Hindi, Thai and other scripts whose vowels are marks. Default: true.
    pub accents: bool,
    /// What becomes of punctuation: `keep` or `drop`. Default: `keep`; exclamation marks and brackets tell a lot.
    pub punctuation: Punctuation,
    /// Words that the training split has less often than this are unknown. At least 1. Default: 1, which leaves it to
    /// `vocab_size`; 2 lets the model learn from rare words what an unknown word means.
    #[schemars(range(min = 1))]
    pub min_count: u64,
}

impl Default for WordConfig {
    fn default() -> Self {
        Self { vocab_size: 10_000, lowercase: true, accents: true, punctuation: Punctuation::Keep, min_count: 1 }
    }
}

/// Characters of the training split: texts are normalized (NFKC), and every character that is not white space is a
/// token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CharConfig {
    /// The most tokens the vocabulary may have, `[PAD]` and `[UNK]` included: the most frequent characters are kept,
    /// equally frequent ones in the order of their code points. At least 3. Default: 10,000, which holds nearly every
    /// character of a Chinese corpus.
    #[schemars(range(min = 3, max = 2_000_000))]
    pub vocab_size: usize,
    /// Whether upper and lower case count as the same. Default: true, which needs fewer examples per character.
    pub lowercase: bool,
    /// Characters that the training split has less often than this are unknown. At least 1. Default: 1, which leaves it
    /// to `vocab_size`.
    #[schemars(range(min = 1))]
    pub min_count: u64,
}

impl Default for CharConfig {
    fn default() -> Self {
        Self { vocab_size: 10_000, lowercase: true, min_count: 1 }
    }
}

/// Byte-level BPE as GPT-2 has it: texts are normalized (NFKC) and split before spaces and around punctuation, words are
/// seen as bytes, and the most frequent neighbours are merged until the vocabulary is full. It is learned from the
/// 100,000 most frequent words, of at most 1,500,000 bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BpeConfig {
    /// The most tokens the vocabulary may have, `[PAD]` and the 256 bytes included. At least 300. Default: 10,000.
    #[schemars(range(min = 300, max = 2_000_000))]
    pub vocab_size: usize,
    /// Neighbours that meet less often than this are not merged. At least 1. Default: 2.
    #[schemars(range(min = 1))]
    pub min_count: u64,
    /// Whether upper and lower case count as the same. Default: true, which needs fewer examples per piece.
    pub lowercase: bool,
    /// The most texts to learn from; of more, so many are taken at even distances. At least 1. Default: 1,000,000, after
    /// which the pieces hardly change.
    #[schemars(range(min = 1))]
    pub sample: usize,
}

impl Default for BpeConfig {
    fn default() -> Self {
        Self { vocab_size: 10_000, min_count: 2, lowercase: true, sample: 1_000_000 }
    }
}

/// WordPiece: texts are cleaned of control characters and split at white space, around punctuation and around Chinese
/// characters; a word is the longest pieces of the vocabulary from left to right, those inside it marked `##`. A word
/// with a character that is in no piece is unknown, as is one of more than 100 characters. It is learned from the
/// 100,000 most frequent words, of at most 1,500,000 characters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WordpieceConfig {
    /// The most tokens the vocabulary may have, `[PAD]` and `[UNK]` included. At least 100. Default: 10,000. Single
    /// characters come first, the most frequent ones if they are more.
    #[schemars(range(min = 100, max = 2_000_000))]
    pub vocab_size: usize,
    /// Neighbours that meet less often than this are not merged. At least 1. Default: 2.
    #[schemars(range(min = 1))]
    pub min_count: u64,
    /// Whether upper and lower case count as the same. Default: true, which needs fewer examples per piece.
    pub lowercase: bool,
    /// Whether accents stay: with false, `é` and `e` count as the same, as in BERT's uncased models. Default: true.
    pub accents: bool,
    /// The most texts to learn from; of more, so many are taken at even distances. At least 1. Default: 1,000,000, after
    /// which the pieces hardly change.
    #[schemars(range(min = 1))]
    pub sample: usize,
}

impl Default for WordpieceConfig {
    fn default() -> Self {
        Self { vocab_size: 10_000, min_count: 2, lowercase: true, accents: true, sample: 1_000_000 }
    }
}

/// A unigram language model of pieces, as SentencePiece has it: texts are normalized (NFKC) and split at white space,
/// which becomes a `▁` before the word, and around punctuation; of all ways to cut a word into pieces the likeliest is
/// taken. It is learned from the 100,000 most frequent words, of at most 1,500,000 characters, on one core; a minute
/// for a large corpus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UnigramConfig {
    /// The most tokens the vocabulary may have, `[PAD]` and `[UNK]` included. At least 100. Default: 8,000. Single
    /// characters come first, the most frequent ones if they are more.
    #[schemars(range(min = 100, max = 2_000_000))]
    pub vocab_size: usize,
    /// Whether upper and lower case count as the same. Default: true, which needs fewer examples per piece.
    pub lowercase: bool,
    /// The most texts to learn from; of more, so many are taken at even distances. At least 1. Default: 100,000.
    #[schemars(range(min = 1))]
    pub sample: usize,
}

impl Default for UnigramConfig {
    fn default() -> Self {
        Self { vocab_size: 8_000, lowercase: true, sample: 100_000 }
    }
}

/// A tokenizer made elsewhere.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FileConfig {
    /// The `tokenizer.json`. Required. Relative to the directory the command runs in. A run keeps a copy, and is resumed
    /// with that.
    pub path: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokenizers_are_tagged() {
        let config: TokenizerConfig = serde_json::from_str(r#"{"word":{"lowercase":false}}"#).unwrap();
        assert_eq!(config, TokenizerConfig::Word(WordConfig { lowercase: false, ..WordConfig::default() }));
        let config: TokenizerConfig = serde_json::from_str(r#"{"word":{"punctuation":"drop"}}"#).unwrap();
        assert!(matches!(config, TokenizerConfig::Word(WordConfig { punctuation: Punctuation::Drop, .. })));
        let config: TokenizerConfig = serde_json::from_str(r#"{"file":{}}"#).unwrap();
        assert_eq!(config.problems(), [("path", "is missing: name a tokenizer.json".to_owned())]);
        for (kind, least) in [("word", 3), ("char", 3), ("bpe", 300), ("wordpiece", 100), ("unigram", 100)] {
            let config: TokenizerConfig =
                serde_json::from_str(&format!(r#"{{"{kind}":{{"vocab_size":{}}}}}"#, least - 1)).unwrap();
            assert_eq!(config.key(), format!("tokenizer.{kind}"));
            let message = format!("must be at least {least}, not {}", least - 1);
            assert_eq!(config.problems(), [("vocab_size", message)]);
            let config: TokenizerConfig = serde_json::from_str(&format!(r#"{{"{kind}":{{}}}}"#)).unwrap();
            assert_eq!(config.problems(), []);
        }
        let config: TokenizerConfig = serde_json::from_str(r#"{"bpe":{"min_count":0,"sample":0}}"#).unwrap();
        let message = "must be at least 1, not 0".to_owned();
        assert_eq!(config.problems(), [("min_count", message.clone()), ("sample", message)]);
    }
}
