//! What a classifier got right on one split: loss, accuracy, precision, recall, F1, agreement, ranking and calibration,
//! with one label per example or any number. Slices in, numbers out; no tensors, no printing, and no training history.
//! The definitions are scikit-learn's with `zero_division=0`, over every label the model knows, seen in the split or not.

mod agreement;
mod bootstrap;
mod calibration;
mod confusion;
#[cfg(test)]
mod golden;
mod ranking;
mod threshold;

pub use bootstrap::Intervals;
pub use confusion::{Average, Baseline, BaselineFigures, ConfusionCount, LabelMetrics};
pub(crate) use threshold::{Criterion, Decision};

use attentive_data::Targets;
use rayon::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};

use confusion::{Count, ratio};
use ranking::Ranking;

/// How many labels an example has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    /// Exactly one.
    One,
    /// Any number, also none: multi-label classification.
    Many,
}

/// The model's probabilities for a split beside its targets: what everything here is computed from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scored<'a> {
    n_labels: usize,
    probabilities: &'a [f32],
    targets: &'a Targets,
}

impl<'a> Scored<'a> {
    /// `probabilities` is `[targets.len(), n_labels]` row-major (`[1 - p, p]` for two labels of which an example has
    /// one); targets are ascending label ids.
    ///
    /// # Panics
    /// If `n_labels` is 0, the lengths do not fit together or a target is not below `n_labels`.
    pub(crate) fn new(n_labels: usize, probabilities: &'a [f32], targets: &'a Targets) -> Self {
        assert!(n_labels > 0, "a classifier has at least one label");
        assert_eq!(probabilities.len(), targets.len() * n_labels, "one probability per example and label");
        assert!(targets.iter().flatten().all(|&id| (id as usize) < n_labels), "a target is the id of a label");
        Self { n_labels, probabilities, targets }
    }

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
            Task::One if confusion::is_matrix(self.n_labels) => {
                confusion::matrix(self.n_labels, self.targets, &decided)
            }
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
            Task::One if !confusion::is_matrix(self.n_labels) => {
                confusion::counts(self.targets, &self.decided(decision))
            }
            _ => Vec::new(),
        }
    }

    /// The labels decided for, flat in memory as the targets are.
    fn decided(&self, decision: &Decision) -> Targets {
        let mut decided = Targets::default();
        self.probabilities.chunks_exact(self.n_labels).for_each(|row| decided.push(&decision.decide(row)));
        decided
    }

    /// Each example's probabilities and targets.
    fn examples(&self) -> impl Iterator<Item = (&'a [f32], &'a [u32])> {
        self.probabilities.chunks_exact(self.n_labels).zip(self.targets.iter())
    }

    /// For each example the probability of a label, and whether the example has it.
    fn of_label(&self, id: usize) -> impl Iterator<Item = (f32, bool)> {
        self.examples().map(move |(probabilities, targets)| (probabilities[id], targets.contains(&(id as u32))))
    }

    /// For each label of each example its probability, and whether the example has it.
    fn cells(&self) -> impl Iterator<Item = (f64, bool)> {
        self.examples().flat_map(|(probabilities, targets)| {
            (0_u32..).zip(probabilities).map(|(id, &p)| (f64::from(p), targets.contains(&id)))
        })
    }
}

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
mod tests {
    use super::*;

    pub(super) fn names(n_labels: usize) -> Vec<String> {
        (0..n_labels).map(|id| format!("label {id}")).collect()
    }

    fn measure(task: Task, n_labels: usize, probabilities: &[f32], targets: &[&[u32]]) -> Metrics {
        let mut all = Targets::default();
        targets.iter().for_each(|ids| all.push(ids));
        Scored::new(n_labels, probabilities, &all).metrics(&names(n_labels), &Decision::new(task), 0.0)
    }

    /// The scores of the second of two labels.
    fn binary(scores: &[f32], targets: &[u32], loss_sum: f64) -> Metrics {
        let probabilities: Vec<f32> = scores.iter().flat_map(|p| [1.0 - p, *p]).collect();
        let targets = Targets::single(targets.to_vec());
        let labels = ["neg".to_owned(), "pos".to_owned()];
        Scored::new(2, &probabilities, &targets).metrics(&labels, &Decision::new(Task::One), loss_sum)
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-7, "{found}, expected {expected}");
    }

    #[test]
    fn nan_leaves_no_areas_and_no_calibration() {
        let metrics = binary(&[0.9, f32::NAN, 0.2], &[1, 1, 0], 0.0);
        assert_eq!(metrics.confusion, [[1, 0], [1, 1]]);
        assert_eq!((metrics.roc_auc, metrics.pr_auc), (None, None));
        assert!(metrics.log_loss.is_nan() && metrics.brier.is_nan() && metrics.calibration_error.is_nan());
    }

    /// Targets 1: two found, one missed. Targets 0: six kept, one taken for 1.
    #[test]
    fn a_confusion_matrix_by_hand() {
        let scores = [0.9, 0.8, 0.1, 0.7, 0.2, 0.2, 0.2, 0.2, 0.2, 0.5];
        let metrics = binary(&scores, &[1, 1, 1, 0, 0, 0, 0, 0, 0, 0], 5.0);

        assert_eq!((metrics.n, metrics.loss, metrics.accuracy), (10, 0.5, 0.8));
        assert_eq!(metrics.confusion, [[6, 1], [1, 2]]);
        let [neg, pos] = &metrics.per_label[..] else { panic!("two labels") };
        assert_eq!((neg.label.as_str(), neg.support, neg.predicted), ("neg", 7, 7));
        assert_eq!((pos.label.as_str(), pos.support, pos.predicted), ("pos", 3, 3));
        for (label, expected) in [(neg, 6.0 / 7.0), (pos, 2.0 / 3.0)] {
            assert_eq!((label.precision, label.recall, label.f1), (expected, expected, expected));
            assert_eq!(label.threshold, None);
        }
        // (6/7 + 2/3) / 2 = 16/21 and (7·6/7 + 3·2/3) / 10 = 4/5.
        close(metrics.macro_avg.f1, 16.0 / 21.0);
        close(metrics.weighted_avg.f1, 0.8);
        assert_eq!(metrics.micro_avg, Average { precision: 0.8, recall: 0.8, f1: 0.8 });
        // Squares: 0.01, 0.04, 0.81, 0.49, five times 0.04, 0.25.
        close(metrics.brier, 0.18);
        // Only the missed 1 and the mistaken 0 say 0.9 and 0.7; the decided labels say 0.9 (right, wrong), 0.8 six
        // times (right), 0.7 (wrong), 0.5 (right), each kind in its own bin.
        close(metrics.calibration_error, (0.8 + 1.2 + 0.7 + 0.5) / 10.0);
        // (2·6 - 1·1) / √(3·3·7·7).
        close(metrics.mcc.unwrap(), 11.0 / 21.0);
        assert_eq!((metrics.hamming_loss, metrics.intervals), (None, None));
        assert_eq!((metrics.majority.label.as_str(), metrics.majority.accuracy), ("neg", 0.7));
    }

    /// Example 0 is right, 1 misses label 2 and takes label 0 for its own, 2 has no label and gets none.
    #[test]
    fn any_number_of_labels_by_hand() {
        let probabilities = [0.75, 0.75, 0.25, 0.75, 0.25, 0.5, 0.25, 0.25, 0.25];
        let metrics = measure(Task::Many, 3, &probabilities, &[&[0, 1], &[2], &[]]);
        close(metrics.accuracy, 2.0 / 3.0);
        close(metrics.hamming_loss.unwrap(), 2.0 / 9.0);
        close(metrics.micro_avg.f1, 4.0 / 6.0);
        close(metrics.macro_avg.f1, (2.0 / 3.0 + 1.0) / 3.0);
        assert_eq!((metrics.mcc, metrics.cohen_kappa), (None, None));
        assert!(metrics.confusion.is_empty());
        let thresholds: Vec<_> = metrics.per_label.iter().map(|label| label.threshold).collect();
        assert_eq!(thresholds, [Some(0.5); 3]);
        // Three of 0.75, two of them true; five of 0.25, none true; one of 0.5, true.
        close(metrics.log_loss, -(2.0 * 0.75f64.ln() + 0.25f64.ln() + 5.0 * 0.75f64.ln() + 0.5f64.ln()) / 9.0);
        close(metrics.brier, (7.0 * 0.0625 + 0.5625 + 0.25) / 9.0);
        close(metrics.calibration_error, (0.25 + 1.25 + 0.5) / 9.0);
        // Label 0 wins one pair and ties one, the others win both.
        close(metrics.roc_auc.unwrap(), (0.75 + 1.0 + 1.0) / 3.0);
        // All three label sets are equally frequent, and no label at all comes first.
        assert_eq!((metrics.majority.label.as_str(), metrics.majority.accuracy), ("", 1.0 / 3.0));
    }

    /// Up to 100 labels the confusion is a matrix; beyond, the pairs that occur: 5 is right twice and taken for 100 once, 100
    /// is taken for 5 twice.
    #[test]
    fn the_confusion_of_many_labels_is_a_list() {
        let (targets, decided) = ([5, 5, 5, 100, 100], [5, 100, 5, 5, 5]);
        let probabilities = |n_labels: u32| -> Vec<f32> {
            decided.iter().flat_map(|&id| (0..n_labels).map(move |label| f32::from(u8::from(label == id)))).collect()
        };
        let targets = Targets::single(targets.to_vec());
        let (many, decision) = (probabilities(101), Decision::new(Task::One));
        let scored = Scored::new(101, &many, &targets);
        let metrics = scored.metrics(&names(101), &decision, 0.0);
        assert!(metrics.confusion.is_empty() && metrics.confusion_counts.is_empty(), "an epoch keeps neither");
        let counts = scored.confusion_counts(&decision);
        assert_eq!(counts, [(5, 5, 2), (5, 100, 1), (100, 5, 2)]);
        // (2·5 - (3·4 + 2·1)) / √((25 - 9 - 4)·(25 - 16 - 1)), which is what the matrix gives as well.
        close(metrics.mcc.unwrap(), -4.0 / 96f64.sqrt());

        let metrics = Metrics { confusion_counts: counts, ..metrics };
        let json = serde_json::to_value(&metrics).unwrap();
        assert_eq!(json["confusion"], serde_json::json!([]));
        assert_eq!(json["confusion_counts"], serde_json::json!([[5, 5, 2], [5, 100, 1], [100, 5, 2]]));
        assert_eq!(serde_json::from_value::<Metrics>(json).unwrap(), metrics);

        let (few, first) = (measure(Task::One, 100, &[0.01; 100], &[&[99]]), [0.01; 100]);
        assert_eq!((few.confusion.len(), few.confusion[99][0]), (100, 1));
        let target = Targets::single(vec![99]);
        assert!(Scored::new(100, &first, &target).confusion_counts(&decision).is_empty());
        assert!(!serde_json::to_string(&few).unwrap().contains("confusion_counts"));
    }

    #[test]
    fn of_equally_frequent_targets_the_first_is_the_majority() {
        let metrics = measure(Task::One, 3, &[1.0 / 3.0; 15], &[&[2], &[1], &[0], &[1], &[2]]);
        assert_eq!((metrics.majority.label.as_str(), metrics.majority.accuracy), ("label 1", 0.4));
        let metrics = measure(Task::Many, 3, &[0.5; 9], &[&[0], &[0, 2], &[0, 2]]);
        assert_eq!(metrics.majority.label, "label 0, label 2");
    }

    #[test]
    fn a_sure_mistake_has_a_finite_log_loss() {
        // -ln 2^-23.
        close(binary(&[0.0], &[1], 0.0).log_loss, 23.0 * 2f64.ln());
        close(measure(Task::Many, 1, &[1.0], &[&[]]).log_loss, 23.0 * 2f64.ln());
    }

    #[test]
    fn no_example_gives_zeros() {
        for task in [Task::One, Task::Many] {
            let metrics = measure(task, 3, &[], &[]);
            assert_eq!((metrics.n, metrics.loss, metrics.accuracy), (0, 0.0, 0.0));
            assert_eq!((metrics.log_loss, metrics.brier, metrics.calibration_error), (0.0, 0.0, 0.0));
            assert_eq!((metrics.weighted_avg.f1, metrics.majority.accuracy), (0.0, 0.0));
            assert_eq!((metrics.roc_auc, metrics.pr_auc, metrics.cohen_kappa), (None, None, None));
        }
    }

    #[test]
    fn metrics_survive_json_even_with_numbers_that_are_none() {
        let mut metrics = binary(&[0.8, 0.3, 0.6], &[1, 0, 0], 1.0);
        metrics.intervals = Intervals::new(2, &Targets::single(vec![0, 1]), &Targets::single(vec![0, 0]));
        let text = serde_json::to_string(&metrics).unwrap();
        assert_eq!(serde_json::from_str::<Metrics>(&text).unwrap(), metrics);
        metrics.loss = f64::INFINITY;
        metrics.brier = f64::NAN;
        let text = serde_json::to_string(&metrics).unwrap();
        let read: Metrics = serde_json::from_str(&text).unwrap();
        assert!(read.loss.is_nan() && read.brier.is_nan());
    }
}
