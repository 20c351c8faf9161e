//! The `[features.linear]` table of the config: the linear part of a classifier, and what can be checked in it without a text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest n-gram of words.
const MAX_WORDS: usize = 3;
/// The longest n-gram of characters.
const MAX_CHARACTERS: usize = 6;

/// A linear part beside the network: n-grams of words and of characters, weighted by TF-IDF, and one weight for each of them and
/// each label, solved to the optimum before the first epoch. Its logits and those of the network are added, each times a
/// factor that is found on the validation split (wide and deep: Cheng et al. 2016). It reads the whole of every text. Default:
/// none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinearConfig {
    /// Whether the linear part is the whole classifier: no network is trained, and training takes seconds. Default false.
    pub alone: bool,
    /// The longest n-gram of words, in lower case; a character of a script without spaces is a word. From 0, which leaves words
    /// out, to 3. Default 2: words and pairs of words.
    #[schemars(range(max = 3))]
    pub words: usize,
    /// The longest n-gram of characters inside words, their edges counted; in Chinese and Japanese 3 at most. From 2 to 6, or 0,
    /// which leaves characters out. Default 5.
    #[schemars(range(max = 6))]
    pub characters: usize,
    /// An n-gram counts if at least so many training texts have it. Default 2: what occurs once teaches nothing of other texts.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min_texts: u32,
    /// How many n-grams of characters are kept at most, those that the most texts have. Default 300,000.
    #[schemars(range(min = 1, max = 16_777_216))]
    pub max_characters: usize,
    /// Keep of all n-grams only so many, those with the largest weights: a smaller file, a little less accurate. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub max_features: Option<usize>,
    /// What is minimised, for each label against the rest. Default `svm`, which was best over corpora of every kind.
    pub loss: LinearLoss,
    /// The weight of the examples against the regularisation (`C`). Default: 0.4 for `svm`, 8 for `logistic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 1e9), extend("exclusiveMinimum" = 0.0))]
    pub c: Option<f64>,
    /// Whether features are weighted by naive-Bayes ratios (NBSVM: Wang & Manning 2012). Default `mixed`, which was as good as the
    /// better of both or better on every corpus.
    pub naive_bayes: NaiveBayes,
}

/// What the linear part minimises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinearLoss {
    /// The squared hinge: a linear SVM (scikit-learn's `LinearSVC`).
    Svm,
    /// The logistic loss (scikit-learn's `LogisticRegression`).
    Logistic,
}

/// Whether features are weighted by how much more often they occur with a label than without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NaiveBayes {
    /// Solved both ways; the weights are the sum of both, each times the factor that makes the labels of held-out texts most
    /// likely, by three folds of the training split. Where that would take minutes, what is mixed in is solved with a quarter of
    /// `c` instead, and the validation split tells.
    Mixed,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Default for LinearConfig {
    fn default() -> Self {
        Self {
            alone: false,
            words: 2,
            characters: 5,
            min_texts: 2,
            max_characters: 300_000,
            max_features: None,
            loss: LinearLoss::Svm,
            c: None,
            naive_bayes: NaiveBayes::Mixed,
        }
    }
}

impl LinearConfig {
    /// What is wrong with the table, as (key below `[features.linear]`, message).
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if self.words > MAX_WORDS {
            problems.push(("words", format!("must be from 0 to {MAX_WORDS}, not {}", self.words)));
        }
        if self.characters == 1 || self.characters > MAX_CHARACTERS {
            let message = format!("must be 0, or from 2 to {MAX_CHARACTERS}, not {}", self.characters);
            problems.push(("characters", message));
        }
        if self.words == 0 && self.characters == 0 {
            problems.push(("words", "is 0, and so is `characters`: that leaves nothing to read".to_string()));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_of_a_linear_part_is_found_at_once() {
        let keys = |words, characters| {
            let config = LinearConfig { words, characters, ..LinearConfig::default() };
            config.problems().into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert_eq!(keys(2, 5), [""; 0]);
        assert_eq!(keys(4, 1), ["words", "characters"]);
        assert_eq!(keys(0, 0), ["words"]);
    }
}
