//! What a confusion matrix says: each label against the rest, their averages, and the majority
//! baseline. It sees counts and names only, no probabilities.

use serde::{Deserialize, Serialize};

/// Precision, recall and F1, averaged over the labels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Average {
    /// The mean precision.
    pub precision: f64,
    /// The mean recall.
    pub recall: f64,
    /// The mean of the labels' F1 (not the F1 of the means).
    pub f1: f64,
}

impl Average {
    pub(super) fn over(per_label: &[LabelMetrics], weight: impl Fn(&LabelMetrics) -> u64) -> Self {
        let total: u64 = per_label.iter().map(&weight).sum();
        let mean = |value: fn(&LabelMetrics) -> f64| {
            let sum: f64 = per_label.iter().map(|label| weight(label) as f64 * value(label)).sum();
            if total == 0 { 0.0 } else { sum / total as f64 }
        };
        Self {
            precision: mean(|label| label.precision),
            recall: mean(|label| label.recall),
            f1: mean(|label| label.f1),
        }
    }
}

/// One label against all others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelMetrics {
    /// The name of the label.
    pub label: String,
    /// The share of its predictions that are right.
    pub precision: f64,
    /// The share of its examples that are found.
    pub recall: f64,
    /// The harmonic mean of precision and recall.
    pub f1: f64,
    /// How many examples have it as their target.
    pub support: u64,
    /// How many examples have it as their prediction.
    pub predicted: u64,
}

impl LabelMetrics {
    pub(super) fn new(id: usize, label: &str, confusion: &[Vec<u64>]) -> Self {
        let hits = confusion[id][id];
        let support = confusion[id].iter().sum();
        let predicted = confusion.iter().map(|counts| counts[id]).sum();
        Self {
            label: label.to_owned(),
            precision: ratio(hits, predicted),
            recall: ratio(hits, support),
            f1: ratio(2 * hits, support + predicted),
            support,
            predicted,
        }
    }
}

/// The accuracy of always predicting the most frequent target of the split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The name of that label; of equally frequent ones, the first.
    pub label: String,
    /// Its share of the targets.
    pub accuracy: f64,
}

impl Baseline {
    pub(super) fn majority(per_label: &[LabelMetrics], n: u64) -> Self {
        // The last of equals wins in `max_by_key`, so the walk is from the end.
        let most =
            per_label.iter().rev().max_by_key(|label| label.support).expect("an accumulator has at least one label");
        Self { label: most.label.clone(), accuracy: ratio(most.support, n) }
    }
}

/// 0 with nothing below the line, as scikit-learn's `zero_division=0`.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
