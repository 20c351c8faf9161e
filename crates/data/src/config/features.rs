//! The `[features]` section of the config: which n-grams are hashed, and what can be checked in it without a text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::linear::LinearConfig;
use super::tokenizer::TokenizerConfig;

/// The most buckets: ids and their embedding stay well below what an `i32` and a graphics card hold.
const MAX_BUCKETS: usize = 1 << 24;
/// The longest n-gram of tokens.
const MAX_WORD_NGRAMS: usize = 5;
/// The longest n-gram of characters.
const MAX_CHARACTER_NGRAMS: usize = 10;

/// What the classifier sees of a text beside its tokens: n-grams hashed into buckets, with a vector each (Joulin et al. 2017,
/// "Bag of Tricks"), and a linear part. Default: none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FeaturesConfig {
    /// The longest n-gram of neighbouring tokens: with N, all of 2 to N tokens are features. From 1, which is none, to
    /// 5. Default: 1; 2 lets the model tell "not good" from "good".
    #[schemars(range(min = 1, max = 5))]
    pub word_ngrams: usize,
    /// N-grams of characters inside each word, with `<` and `>` at its ends (Bojanowski et al. 2017), which help with
    /// spelling variants and rare words. They need `tokenizer.word`. Default: none.
    pub character_ngrams: Option<CharacterNgrams>,
    /// How many buckets the n-grams are hashed into, each with an embedding of its own; n-grams in the same bucket are
    /// not told apart. From 1 to 16,777,216. Default: 100,000.
    #[schemars(range(min = 1, max = 16_777_216))]
    pub buckets: usize,
    /// A linear part. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linear: Option<LinearConfig>,
}

impl Default for FeaturesConfig {
    fn default() -> Self {
        Self { word_ngrams: 1, character_ngrams: None, buckets: 100_000, linear: None }
    }
}

/// How long n-grams of characters are, the marks `<` and `>` at the ends of a word counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CharacterNgrams {
    /// The shortest n-gram, in characters, from 1 to 10. Default: 3.
    #[schemars(range(min = 1, max = 10))]
    pub min: usize,
    /// The longest n-gram, in characters, from `min` to 10. Default: 6.
    #[schemars(range(min = 1, max = 10))]
    pub max: usize,
}

impl Default for CharacterNgrams {
    fn default() -> Self {
        Self { min: 3, max: 6 }
    }
}

impl FeaturesConfig {
    /// Whether n-grams are hashed.
    pub fn is_on(&self) -> bool {
        self.word_ngrams > 1 || self.character_ngrams.is_some()
    }

    /// What is wrong with the section, by itself or beside this tokenizer, as (key below `[features]`, message). No
    /// file is touched.
    pub fn problems(&self, tokenizer: &TokenizerConfig) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if !(1..=MAX_WORD_NGRAMS).contains(&self.word_ngrams) {
            problems.push(("word_ngrams", format!("must be from 1 to {MAX_WORD_NGRAMS}, not {}", self.word_ngrams)));
        }
        if let Some(CharacterNgrams { min, max }) = self.character_ngrams {
            for (key, length) in [("character_ngrams.min", min), ("character_ngrams.max", max)] {
                if !(1..=MAX_CHARACTER_NGRAMS).contains(&length) {
                    problems.push((key, format!("must be from 1 to {MAX_CHARACTER_NGRAMS}, not {length}")));
                }
            }
            if min > max {
                problems.push(("character_ngrams.min", format!("is {min}, which is above `max`, {max}")));
            }
            if !matches!(tokenizer, TokenizerConfig::Word(_)) {
                problems.push((
                    "character_ngrams",
                    "needs `tokenizer.word`: it is made of the letters of words".to_owned(),
                ));
            }
        }
        if !(1..=MAX_BUCKETS).contains(&self.buckets) {
            problems.push(("buckets", format!("must be from 1 to {MAX_BUCKETS}, not {}", self.buckets)));
        }
        let of_linear = self.linear.iter().flat_map(LinearConfig::problems);
        problems.extend(
            of_linear
                .map(|(key, message)| (if key == "words" { "linear.words" } else { "linear.characters" }, message)),
        );
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tokenizer::CharConfig;

    #[test]
    fn features_are_off_unless_asked_for() {
        let config: FeaturesConfig = serde_json::from_str("{}").unwrap();
        assert_eq!(config, FeaturesConfig::default());
        assert!(!config.is_on());
        assert_eq!(config.problems(&TokenizerConfig::default()), []);
        let config: FeaturesConfig = serde_json::from_str(r#"{"character_ngrams":{"max":5}}"#).unwrap();
        assert_eq!(config.character_ngrams, Some(CharacterNgrams { min: 3, max: 5 }));
        assert!(config.is_on() && FeaturesConfig { word_ngrams: 2, ..FeaturesConfig::default() }.is_on());
    }

    #[test]
    fn every_problem_is_found_at_once() {
        let config = FeaturesConfig {
            word_ngrams: 6,
            character_ngrams: Some(CharacterNgrams { min: 11, max: 0 }),
            buckets: (1 << 24) + 1,
            linear: None,
        };
        let problems: Vec<String> = config
            .problems(&TokenizerConfig::Char(CharConfig::default()))
            .into_iter()
            .map(|(key, message)| format!("{key} {message}"))
            .collect();
        assert_eq!(
            problems,
            [
                "word_ngrams must be from 1 to 5, not 6",
                "character_ngrams.min must be from 1 to 10, not 11",
                "character_ngrams.max must be from 1 to 10, not 0",
                "character_ngrams.min is 11, which is above `max`, 0",
                "character_ngrams needs `tokenizer.word`: it is made of the letters of words",
                "buckets must be from 1 to 16777216, not 16777217",
            ]
        );
    }
}
