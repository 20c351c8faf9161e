//! What a user may choose: which n-grams become features, how they are weighted, and what is minimised.

use serde::{Deserialize, Serialize};

use crate::error::LinearError;

/// Which n-grams become features and what they weigh: term frequency times inverse document frequency. The L2 norm of a text's
/// words is 1, and that of its characters is 1, as in a `FeatureUnion` of two `TfidfVectorizer`s: one norm for both, in which
/// the many characters drown the words, is up to 3 points less accurate (docs/linear.md).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeatureSettings {
    /// Longest n-gram of words, 0 to 3; 0 leaves words out (`ngram_range=(1, words)`).
    pub words: usize,
    /// Longest n-gram of characters inside a word, from 2 on, up to 6; 0 leaves characters out
    /// (`analyzer="char_wb", ngram_range=(2, characters)`).
    pub characters: usize,
    /// Longest n-gram of characters, from 1 on, up to 6, where a script writes words as characters: Chinese and Japanese.
    /// Only if `characters` is not 0.
    pub ideographs: usize,
    /// An n-gram is a feature if at least so many texts have it, 1 or more (`min_df`).
    pub min_df: u32,
    /// How many n-grams of characters are kept, the most frequent ones; 0 keeps all (`max_features`).
    pub max_characters: usize,
    /// Whether an n-gram that occurs `tf` times counts `1 + ln(tf)` and not `tf` (`sublinear_tf`).
    pub sublinear_tf: bool,
}

impl Default for FeatureSettings {
    fn default() -> Self {
        Self { words: 2, characters: 5, ideographs: 3, min_df: 2, max_characters: 300_000, sublinear_tf: true }
    }
}

impl FeatureSettings {
    /// # Errors
    /// [`LinearError::Setting`] for the first field that is out of range.
    pub(crate) fn check(&self) -> Result<(), LinearError> {
        let bad = |name, expected, value: usize| Err(LinearError::Setting { name, expected, value: value as f64 });
        if self.words > 3 {
            return bad("words", "0 to 3", self.words);
        }
        if self.characters == 1 || self.characters > 6 {
            return bad("characters", "0, or 2 to 6", self.characters);
        }
        if self.characters > 0 && !(1..=6).contains(&self.ideographs) {
            return bad("ideographs", "1 to 6", self.ideographs);
        }
        if self.min_df == 0 {
            return bad("min_df", "1 or more", 0);
        }
        Ok(())
    }
}

/// What is minimised for every label: `½ |w|² + Σ cᵢ · loss(yᵢ · w·xᵢ)`, with `yᵢ` 1 for the examples of the label and −1
/// for the rest. The bias is one of the weights, as liblinear has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SolverSettings {
    /// What a wrong or an unsure decision costs.
    pub loss: Loss,
    /// The weight of the examples against the regularisation, above 0 and up to 1e9 (`C`). `None` takes [`Loss::usual_c`].
    pub c: Option<f64>,
    /// Weighs features by naive-Bayes ratios (NBSVM: Wang & Manning 2012, §2.3).
    pub naive_bayes: bool,
    /// How far from each other the gradients of the dual variables may be where a label is solved (`tol`), above 0 and below 1.
    /// At 1e-3 the objective is within 1e-8 of the minimum, relatively.
    pub tolerance: f64,
    /// Most passes through the examples for a label, 1 or more (`max_iter`). Ten to thirty are usual.
    pub max_passes: usize,
}

/// The loss of an example with margin m = y · w·x.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// `ln(1 + exp(−m))`: logistic regression.
    Logistic,
    /// `max(0, 1 − m)²`: a linear SVM (`LinearSVC`).
    SquaredHinge,
}

impl Loss {
    /// The `C` that was best over corpora of every kind, by folds of their train splits (docs/linear.md).
    pub fn usual_c(self) -> f64 {
        match self {
            Self::Logistic => 8.0,
            Self::SquaredHinge => 0.4,
        }
    }
}

impl Default for SolverSettings {
    fn default() -> Self {
        Self { loss: Loss::SquaredHinge, c: None, naive_bayes: false, tolerance: 1e-3, max_passes: 1000 }
    }
}

impl SolverSettings {
    /// # Errors
    /// [`LinearError::Setting`] for the first field that is out of range.
    pub(crate) fn check(&self) -> Result<(), LinearError> {
        if let Some(c) = self.c
            && !(c > 0.0 && c <= 1e9)
        {
            return Err(LinearError::Setting { name: "c", expected: "above 0, up to 1e9", value: c });
        }
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            return Err(LinearError::Setting {
                name: "tolerance",
                expected: "above 0 and below 1",
                value: self.tolerance,
            });
        }
        if self.max_passes == 0 {
            return Err(LinearError::Setting { name: "max_passes", expected: "1 or more", value: 0.0 });
        }
        Ok(())
    }

    /// The `C` that was set, or the usual one of the loss.
    pub fn c(&self) -> f64 {
        self.c.unwrap_or_else(|| self.loss.usual_c())
    }
}
