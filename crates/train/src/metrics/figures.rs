//! All the figures of one split, put together.

use attentive_data::Targets;
use rayon::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};

use super::bootstrap::Intervals;
use super::confusion::{
    Average, Baseline, ConfusionCount, Count, LabelMetrics, counts as confusion_counts, is_matrix, matrix, ratio,
};
use super::ranking::Ranking;
use super::scored::{Scored, Task};
use super::threshold::Decision;
use super::{agreement, calibration};

/// How well a classifier did on one split. Ratios lie in `0..=1`; a ratio with nothing below the line is 0. JSON has no
/// NaN or infinity: both are written as `null` and read back as NaN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The number of examples.
    pub n: u64,
    /// The mean of the examples' losses, as the config defines the loss.
    #[serde(deserialize_with = "null_as_nan")]
    pub loss: f64,
    /// The share of examples whose prediction is their target. With any number of labels per example: whose predicted
    /// labels are exactly their targets (subset accuracy).
    pub accuracy: f64,
    /// The plain mean over the labels: each label counts the same, however rare.
    pub macro_avg: Average,
    /// Over all decisions pooled; with one label per example all three equal the accuracy.
    pub micro_avg: Average,
    /// The mean over the labels, each counted as often as it is a target.
    pub weighted_avg: Average,
    /// Each label against the rest, in the order of the label ids.
    pub per_label: Vec<LabelMetrics>,
    /// The area under the ROC curve: for two labels of which an example has one, the second label's; otherwise the plain
    /// mean over the labels that have one. `None` if there is none.
    pub roc_auc: Option<f64>,
    /// The area under the precision-recall curve as average precision, over the labels as `roc_auc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pr_auc: Option<f64>,
    /// The mean of `-ln p` of the target, whatever loss the model was trained with; with any number of labels per example
    /// the mean over examples and labels. Probabilities are clipped to `ε..=1 - ε` with `ε = 2^-23`.
    #[serde(default = "nan", deserialize_with = "null_as_nan")]
    pub log_loss: f64,
    /// The Brier score: for two labels the mean of `(p - y)²` of the second, for more the mean over the examples of
    /// `Σ (p_k - y_k)²` over the labels, in `0..=2`; with any number of labels per example the mean of `(p - y)²` over
    /// examples and labels.
    #[serde(default = "nan", deserialize_with = "null_as_nan")]
    pub brier: f64,
    /// The expected calibration error in 15 bins of equal width: of the decided label's probability; with any number of
    /// labels per example, of each label's probability in each example.
    #[serde(default = "nan", deserialize_with = "null_as_nan")]
    pub calibration_error: f64,
    /// Matthews' correlation coefficient, in `-1..=1`: 0 is chance, also where all predictions are one label. `None`
    /// with any number of labels per example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcc: Option<f64>,
    /// Cohen's kappa, at most 1: 0 is chance. `None` with any number of labels per example, and where targets and
    /// predictions are all the same label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cohen_kappa: Option<f64>,
    /// The share of wrong decisions about one label of one example. `None` with one label per example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hamming_loss: Option<f64>,
    /// How often each target got each prediction: `[target][prediction]`. Empty with any number of labels per example,
    /// with more than 100 labels, and in `metrics.jsonl`.
    pub confusion: Vec<Vec<u64>>,
    /// With more than 100 labels, one per example: `[target, prediction, count]` for each pair of label ids that occurs,
    /// ascending. Label ids count from 0 in the order of `per_label`. Not in `metrics.jsonl`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confusion_counts: Vec<ConfusionCount>,
    /// What a model that looks at no text reaches on this split.
    pub majority: Baseline,
    /// How sure the headline metrics are, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Intervals>,
}

impl Scored<'_> {
    /// The metrics by a rule of decision; `labels` are the label names in the order of their ids, `loss_sum` is the sum
    /// of the examples' losses. With no example at all every number is 0. What is costly is left out: see
    /// [`Scored::intervals`] and [`Scored::confusion_counts`].
    ///
    /// # Panics
    /// If there is not one name per label, or not one target per example under [`Task::One`].
    pub(crate) fn metrics(&self, labels: &[String], decision: &Decision, loss_sum: f64) -> Metrics {
        assert_eq!(labels.len(), self.n_labels, "one name per label");
        let (n, task) = (self.targets.len() as u64, decision.task);
        let decided = self.decided(decision);
        let (counts, right) = Count::of_labels(self.n_labels, self.targets, &decided);
        let confusion = match task {
            Task::One if is_matrix(self.n_labels) => matrix(self.n_labels, self.targets, &decided),
            _ => Vec::new(),
        };
        let rankings: Vec<Option<Ranking>> =
            (0..self.n_labels).into_par_iter().map(|id| Ranking::new(self.of_label(id))).collect();
        let area = |area: fn(Ranking) -> f64| match (task, &rankings[..]) {
            (Task::One, [_, second]) => second.map(area),
            _ => mean(rankings.iter().flatten().copied().map(area)),
        };
        let per_label = counts.iter().zip(labels).zip(&rankings).enumerate();
        let per_label = per_label.map(|(id, ((count, label), ranking))| LabelMetrics {
            label: label.clone(),
            precision: count.precision(),
            recall: count.recall(),
            f1: count.f1(),
            support: count.support,
            predicted: count.predicted,
            threshold: decision.named(id),
            roc_auc: ranking.map(|ranking| ranking.roc_auc),
            pr_auc: ranking.map(|ranking| ranking.pr_auc),
        });

        Metrics {
            n,
            loss: if n == 0 { 0.0 } else { loss_sum / n as f64 },
            accuracy: ratio(right, n),
            macro_avg: Average::over(&counts, |_| 1),
            micro_avg: Average::pooled(&counts),
            weighted_avg: Average::over(&counts, |count| count.support),
            per_label: per_label.collect(),
            roc_auc: area(|ranking| ranking.roc_auc),
            pr_auc: area(|ranking| ranking.pr_auc),
            log_loss: calibration::log_loss(self, task),
            brier: calibration::brier(self, task),
            calibration_error: calibration::calibration_error(self, task, &decided),
            mcc: (task == Task::One).then(|| agreement::matthews(&counts)),
            cohen_kappa: if task == Task::One { agreement::cohen(&counts) } else { None },
            hamming_loss: (task == Task::Many)
                .then(|| ratio(counts.iter().map(Count::errors).sum(), n * self.n_labels as u64)),
            confusion,
            confusion_counts: Vec::new(),
            majority: Baseline::majority(self.targets, labels),
            intervals: None,
        }
    }

    /// How sure the headline metrics are: a thousand times the work of the counts, so not for every epoch. `None`
    /// without examples.
    pub(crate) fn intervals(&self, decision: &Decision) -> Option<Intervals> {
        Intervals::new(self.n_labels, self.targets, &self.decided(decision))
    }

    /// How often each target got each prediction, where [`Metrics::confusion`] is no matrix because of the number of
    /// labels: as long as the split in the worst case, so not for every epoch.
    pub(crate) fn confusion_counts(&self, decision: &Decision) -> Vec<ConfusionCount> {
        match decision.task {
            Task::One if !is_matrix(self.n_labels) => confusion_counts(self.targets, &self.decided(decision)),
            _ => Vec::new(),
        }
    }

    /// The labels decided for, flat in memory as the targets are.
    fn decided(&self, decision: &Decision) -> Targets {
        let mut decided = Targets::default();
        self.probabilities.chunks_exact(self.n_labels).for_each(|row| decided.push(&decision.decide(row)));
        decided
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn nan() -> f64 {
    f64::NAN
}

fn null_as_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

#[cfg(test)]
pub(super) mod tests;
