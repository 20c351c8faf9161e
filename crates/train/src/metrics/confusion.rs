//! What counts of decisions say: precision, recall and F1 of each label against the rest, their averages, the confusion
//! matrix and the baseline that looks at no text. It sees label ids and names only, no probabilities.

use std::collections::BTreeMap;

use attentive_data::Targets;
use serde::{Deserialize, Serialize};

/// Precision, recall and F1, averaged over the labels or over all decisions.
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
    /// The mean over the labels, each with its weight.
    pub(super) fn over(counts: &[Count], weight: impl Fn(&Count) -> u64) -> Self {
        let total: u64 = counts.iter().map(&weight).sum();
        let mean = |value: fn(&Count) -> f64| {
            let sum: f64 = counts.iter().map(|count| weight(count) as f64 * value(count)).sum();
            if total == 0 { 0.0 } else { sum / total as f64 }
        };
        Self { precision: mean(Count::precision), recall: mean(Count::recall), f1: mean(Count::f1) }
    }

    /// Of all decisions pooled, as if they were about one label.
    pub(super) fn pooled(counts: &[Count]) -> Self {
        let sum = |part: fn(&Count) -> u64| counts.iter().map(part).sum();
        let all = Count {
            hits: sum(|count| count.hits),
            support: sum(|count| count.support),
            predicted: sum(|count| count.predicted),
        };
        Self { precision: all.precision(), recall: all.recall(), f1: all.f1() }
    }
}

/// How often a label was meant, decided for, and both.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Count {
    pub hits: u64,
    pub support: u64,
    pub predicted: u64,
}

impl Count {
    /// The counts of each label, and how many examples are right as a whole.
    pub(super) fn of_labels(n_labels: usize, targets: &Targets, decided: &Targets) -> (Vec<Self>, u64) {
        let mut counts = vec![Self::default(); n_labels];
        let mut right = 0;
        for (targets, decided) in targets.iter().zip(decided.iter()) {
            for &id in targets {
                counts[id as usize].support += 1;
            }
            for id in decided {
                counts[*id as usize].predicted += 1;
                counts[*id as usize].hits += u64::from(targets.contains(id));
            }
            right += u64::from(targets == decided);
        }
        (counts, right)
    }

    pub(super) fn precision(&self) -> f64 {
        ratio(self.hits, self.predicted)
    }

    pub(super) fn recall(&self) -> f64 {
        ratio(self.hits, self.support)
    }

    pub(super) fn f1(&self) -> f64 {
        ratio(2 * self.hits, self.support + self.predicted)
    }

    /// How many decisions about the label are wrong, either way.
    pub(super) fn errors(&self) -> u64 {
        self.support + self.predicted - 2 * self.hits
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
    /// How many examples have it among their targets.
    pub support: u64,
    /// How many examples have it among their predictions.
    pub predicted: u64,
    /// The probability above which it is decided for. `None` where the most probable label is, and for two labels
    /// whose threshold is the one half that nobody set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
    /// The probability that a random example with the label gets a higher score for it than a random one without, a
    /// tie counting one half. `None` unless there are both kinds of examples and no score is NaN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roc_auc: Option<f64>,
    /// The average precision: the mean, over the label's examples in the order of their scores, of the precision so
    /// far. `None` as for `roc_auc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pr_auc: Option<f64>,
}

/// Of more labels the confusion is a list of the pairs that occur: a matrix grows with the square of their number.
const MATRIX_LABELS: usize = 100;

/// Whether the confusion of so many labels is a matrix.
pub(super) fn is_matrix(n_labels: usize) -> bool {
    n_labels <= MATRIX_LABELS
}

/// How often each target got each prediction, `[target][prediction]`, where every example has one of each.
pub(super) fn matrix(n_labels: usize, targets: &Targets, decided: &Targets) -> Vec<Vec<u64>> {
    let mut confusion = vec![vec![0; n_labels]; n_labels];
    for (targets, decided) in targets.iter().zip(decided.iter()) {
        confusion[targets[0] as usize][decided[0] as usize] += 1;
    }
    confusion
}

/// A target, a prediction, and how many examples have both, by label ids; in JSON an array of three numbers.
pub type ConfusionCount = (u32, u32, u64);

/// The counts of the pairs that occur, ascending, where every example has one target and one prediction.
pub(super) fn counts(targets: &Targets, decided: &Targets) -> Vec<ConfusionCount> {
    let mut counts = BTreeMap::<(u32, u32), u64>::new();
    for (targets, decided) in targets.iter().zip(decided.iter()) {
        *counts.entry((targets[0], decided[0])).or_default() += 1;
    }
    counts.into_iter().map(|((target, prediction), count)| (target, prediction, count)).collect()
}

/// What the plain linear model reaches on a split, as shares between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BaselineFigures {
    /// The share of examples that are decided right, with all of their labels.
    pub accuracy: f64,
    /// F1, the plain mean over the labels.
    pub macro_f1: f64,
    /// F1 over all decisions pooled.
    pub micro_f1: f64,
}

/// The accuracy of always predicting the most frequent targets of the split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The name of that label; of equally frequent ones, the first. With any number of labels per example the names of
    /// the most frequent set, joined by `, `: empty where most examples have no label.
    pub label: String,
    /// The share of the examples that have exactly these targets.
    pub accuracy: f64,
}

impl Baseline {
    pub(super) fn majority(targets: &Targets, labels: &[String]) -> Self {
        let mut sets = BTreeMap::<&[u32], u64>::new();
        for ids in targets.iter() {
            *sets.entry(ids).or_default() += 1;
        }
        // The last of equals wins in `max_by_key`, so the walk is from the end.
        let (ids, count) = sets.into_iter().rev().max_by_key(|(_, count)| *count).unwrap_or_default();
        let names: Vec<&str> = ids.iter().map(|&id| labels[id as usize].as_str()).collect();
        Self { label: names.join(", "), accuracy: ratio(count, targets.len() as u64) }
    }
}

/// 0 with nothing below the line, as scikit-learn's `zero_division=0`.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
