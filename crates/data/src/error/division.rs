//! Why examples cannot be divided into splits, and what the user can do about it.

use super::excerpt::thousands;

/// Why examples cannot be divided into splits as the config asks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DivisionError {
    /// The fraction of the training examples is less than one example.
    #[error("`data.{split}.fraction = {fraction}` of {examples} examples leaves the {split} split empty")]
    EmptyCut {
        /// The split.
        split: String,
        /// The fraction in the config.
        fraction: f64,
        /// How many examples there are to divide.
        examples: usize,
        /// How many labels they have.
        labels: usize,
    },
    /// Every group is larger than what is to be cut off, or has all examples of a label.
    #[error(
        "`data.{split}.fraction = {fraction}` cannot be cut off in whole groups: the smallest of {groups} holds {smallest} \
         of {examples} examples"
    )]
    NoGroupFits {
        /// The split.
        split: String,
        /// The fraction in the config.
        fraction: f64,
        /// How many groups there are.
        groups: usize,
        /// How many examples the smallest has.
        smallest: usize,
        /// How many examples there are to divide.
        examples: usize,
    },
    /// More folds than there is to put into them.
    #[error("{found} {what} are too few for {of} folds")]
    FewForFolds {
        /// `examples` or `groups`.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many folds were asked for.
        of: u32,
    },
    /// A fold by hash that no example falls into.
    #[error("fold {index} of {of} holds none of {examples} examples")]
    EmptyFold {
        /// The fold, counted from 1.
        index: u32,
        /// How many folds there are.
        of: u32,
        /// How many examples there are to divide.
        examples: usize,
    },
    /// The validation and test splits take every example.
    #[error("no example of {examples} is left to train on")]
    EmptyRest {
        /// How many examples there are to divide.
        examples: usize,
    },
}

impl DivisionError {
    /// What the user can do about it.
    pub(crate) fn hint(&self) -> String {
        match self {
            // A label keeps an example to train on, so that of ids nothing is left to cut off.
            Self::EmptyCut { examples, labels, .. } if labels * 2 > *examples && *labels >= 20 => format!(
                "they have {} labels, most with a single example, as ids have: look whether `data.label` names the right column",
                thousands(*labels as u64)
            ),
            Self::EmptyCut { split, .. } => format!("raise the fraction, add examples, or name a {split} file"),
            Self::NoGroupFits { .. } => {
                "raise the fraction, or let `data.group` name a column with more and smaller groups".to_owned()
            }
            Self::FewForFolds { what: "groups", .. } => {
                "ask for fewer folds, or let `data.group` name a column with more groups".to_owned()
            }
            Self::FewForFolds { .. } => "ask for fewer folds".to_owned(),
            Self::EmptyFold { .. } => "ask for fewer folds, or leave out `by = \"hash\"`".to_owned(),
            Self::EmptyRest { .. } => "lower the fractions".to_owned(),
        }
    }
}
