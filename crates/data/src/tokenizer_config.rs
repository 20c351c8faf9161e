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
    /// `[tokenizer.file]`: a ready-made Hugging Face `tokenizer.json`.
    File(FileConfig),
}

impl Default for TokenizerConfig {
    fn default() -> Self {
        Self::Word(WordConfig::default())
    }
}

impl TokenizerConfig {
    /// What is wrong with the section, as (key below `[tokenizer.word]` or what else is chosen, message). No file is
    /// touched.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Word(WordConfig { vocab_size, .. }) | Self::Char(CharConfig { vocab_size, .. })
                if *vocab_size < 3 =>
            {
                vec![("vocab_size", format!("must be at least 3, not {vocab_size}"))]
            }
            Self::File(file) if file.path.as_os_str().is_empty() => {
                vec![("path", "is missing: name a tokenizer.json".to_owned())]
            }
            _ => Vec::new(),
        }
    }
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
}

impl Default for WordConfig {
    fn default() -> Self {
        Self { vocab_size: 10_000, lowercase: true }
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
}

impl Default for CharConfig {
    fn default() -> Self {
        Self { vocab_size: 10_000, lowercase: true }
    }
}

/// A tokenizer made elsewhere.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FileConfig {
    /// The `tokenizer.json`. Required. Relative to the directory the command runs in.
    pub path: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokenizers_are_tagged() {
        let config: TokenizerConfig = serde_json::from_str(r#"{"word":{"lowercase":false}}"#).unwrap();
        assert_eq!(config, TokenizerConfig::Word(WordConfig { vocab_size: 10_000, lowercase: false }));
        let config: TokenizerConfig = serde_json::from_str(r#"{"file":{}}"#).unwrap();
        assert_eq!(config.problems(), [("path", "is missing: name a tokenizer.json".to_owned())]);
        for json in [r#"{"word":{"vocab_size":2}}"#, r#"{"char":{"vocab_size":2}}"#] {
            let config: TokenizerConfig = serde_json::from_str(json).unwrap();
            assert_eq!(config.problems(), [("vocab_size", "must be at least 3, not 2".to_owned())]);
        }
    }
}
