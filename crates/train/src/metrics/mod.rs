//! What a single-label text classifier got right on one split: loss, accuracy, precision, recall,
//! F1, ROC AUC and the confusion matrix, gathered batch by batch. Slices in, numbers out; no
//! tensors, no printing, and no training history. The definitions are scikit-learn's with
//! `zero_division=0`, over every label the model knows, seen in the split or not.

mod confusion;
mod ranking;

pub use confusion::{Average, Baseline, LabelMetrics};

use serde::{Deserialize, Deserializer, Serialize};

use confusion::ratio;
use ranking::roc_auc;

/// Gathers one split batch by batch. Holds `n_labels²` counts and, for two labels, one score per
/// example for the AUC.
///
/// The counts are integers, so the result does not depend on where one batch ends and the next
/// begins.
#[derive(Debug, Clone)]
pub(crate) struct Accumulator {
    n_labels: usize,
    /// `[target][prediction]`.
    confusion: Vec<Vec<u64>>,
    loss_sum: f64,
    /// The second label's probabilities, parted by target; stays empty unless there are two labels.
    scores: [Vec<f32>; 2],
}

impl Accumulator {
    /// An empty accumulator for a model of `n_labels` labels.
    ///
    /// # Panics
    /// If `n_labels` is 0.
    pub(crate) fn new(n_labels: usize) -> Self {
        assert!(n_labels > 0, "a classifier has at least one label");
        Self { n_labels, confusion: vec![vec![0; n_labels]; n_labels], loss_sum: 0.0, scores: [Vec::new(), Vec::new()] }
    }

    /// Adds a batch: `probabilities` is `[n, n_labels]` row-major (`[1 - p, p]` for two labels),
    /// `targets` are label ids, `loss_sum` is the sum of the examples' losses. A probability that
    /// is NaN counts as in [`decide`].
    ///
    /// # Panics
    /// If the lengths do not fit together or a target is not below `n_labels`.
    pub(crate) fn add(&mut self, probabilities: &[f32], targets: &[u32], loss_sum: f64) {
        assert_eq!(probabilities.len(), targets.len() * self.n_labels, "one probability per example and label");
        for (probabilities, &target) in probabilities.chunks_exact(self.n_labels).zip(targets) {
            let target = target as usize;
            assert!(target < self.n_labels, "a target is the id of a label");
            self.confusion[target][decide(probabilities) as usize] += 1;
            if let [_, score] = probabilities {
                self.scores[target].push(*score);
            }
        }
        self.loss_sum += loss_sum;
    }

    /// The metrics of everything added; `labels` are the label names in the order of their ids.
    /// With no example at all every number is 0.
    ///
    /// # Panics
    /// If there is not one name per label.
    pub(crate) fn finish(self, labels: &[String]) -> Metrics {
        assert_eq!(labels.len(), self.n_labels, "one name per label");
        let confusion = self.confusion;
        let per_label: Vec<LabelMetrics> =
            labels.iter().enumerate().map(|(id, label)| LabelMetrics::new(id, label, &confusion)).collect();
        let n: u64 = confusion.iter().flatten().sum();
        let correct: u64 = (0..self.n_labels).map(|id| confusion[id][id]).sum();
        let accuracy = ratio(correct, n);
        let [negatives, positives] = self.scores;

        Metrics {
            n,
            loss: if n == 0 { 0.0 } else { self.loss_sum / n as f64 },
            accuracy,
            macro_avg: Average::over(&per_label, |_| 1),
            // Every wrong prediction is one label's false positive and another's false negative, so
            // the three coincide.
            micro_avg: Average { precision: accuracy, recall: accuracy, f1: accuracy },
            weighted_avg: Average::over(&per_label, |label| label.support),
            roc_auc: roc_auc(negatives, positives),
            majority: Baseline::majority(&per_label, n),
            per_label,
            confusion,
        }
    }
}

/// How well a classifier did on one split. Ratios lie in `0..=1`; a ratio with nothing below the
/// line is 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The number of examples.
    pub n: u64,
    /// The mean of the examples' losses. JSON has no NaN or infinity: both are written as `null`
    /// and read back as NaN.
    #[serde(deserialize_with = "null_as_nan")]
    pub loss: f64,
    /// The share of examples whose prediction is their target.
    pub accuracy: f64,
    /// The plain mean over the labels: each label counts the same, however rare.
    pub macro_avg: Average,
    /// Over all decisions pooled; with one label per example all three equal the accuracy.
    pub micro_avg: Average,
    /// The mean over the labels, each counted as often as it is a target.
    pub weighted_avg: Average,
    /// Each label against the rest, in the order of the label ids.
    pub per_label: Vec<LabelMetrics>,
    /// The probability that a random example of the second label gets a higher score than a random
    /// one of the first, a tie counting one half. `None` unless there are two labels, both are
    /// among the targets, and no score is NaN.
    pub roc_auc: Option<f64>,
    /// How often each target got each prediction: `[target][prediction]`.
    pub confusion: Vec<Vec<u64>>,
    /// What a model that looks at no text reaches on this split.
    pub majority: Baseline,
}

/// The predicted label id for one example's probabilities, one per label.
///
/// Two labels are one sigmoid, `[1 - p, p]`: label 1 if and only if `p > 0.5`, as Keras'
/// `BinaryAccuracy` has it. Of more labels the most probable, the first on a tie. Where a
/// probability is NaN the answer is label 0: the loss, which is NaN with it, tells the story.
pub(crate) fn decide(probabilities: &[f32]) -> u32 {
    if let [_, p] = probabilities {
        return u32::from(*p > 0.5);
    }
    if probabilities.iter().any(|p| p.is_nan()) {
        return 0;
    }
    let mut best = 0;
    for (id, p) in probabilities.iter().enumerate() {
        if *p > probabilities[best] {
            best = id;
        }
    }
    best as u32
}

fn null_as_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn names(n_labels: usize) -> Vec<String> {
        (0..n_labels).map(|id| format!("label {id}")).collect()
    }

    /// `[1 - p, p]` for each `p`.
    fn pairs(scores: &[f32]) -> Vec<f32> {
        scores.iter().flat_map(|p| [1.0 - p, *p]).collect()
    }

    fn binary(scores: &[f32], targets: &[u32]) -> Metrics {
        let mut accumulator = Accumulator::new(2);
        accumulator.add(&pairs(scores), targets, 0.0);
        accumulator.finish(&names(2))
    }

    fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
        assert!((found - expected).abs() <= tolerance, "{what}: {found}, expected {expected}");
    }

    #[test]
    fn one_half_is_the_first_label_and_the_first_of_a_tie_wins() {
        assert_eq!(decide(&[0.5, 0.5]), 0);
        assert_eq!(decide(&[0.5, 0.5 + f32::EPSILON]), 1);
        assert_eq!(decide(&[0.2, 0.4, 0.4]), 1);
        assert_eq!(decide(&[0.1, 0.2, 0.7]), 2);
        assert_eq!(decide(&[1.0]), 0);
    }

    #[test]
    fn nan_is_the_first_label_and_leaves_no_auc() {
        assert_eq!(decide(&[f32::NAN, f32::NAN]), 0);
        assert_eq!(decide(&[0.1, f32::NAN, 0.9]), 0);
        let metrics = binary(&[0.9, f32::NAN, 0.2], &[1, 1, 0]);
        assert_eq!(metrics.confusion, [[1, 0], [1, 1]]);
        assert_eq!(metrics.roc_auc, None);
    }

    /// Targets 1: two found, one missed. Targets 0: six kept, one taken for 1.
    #[test]
    fn a_confusion_matrix_by_hand() {
        let scores = [0.9, 0.8, 0.1, 0.7, 0.2, 0.2, 0.2, 0.2, 0.2, 0.5];
        let targets = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
        let mut accumulator = Accumulator::new(2);
        accumulator.add(&pairs(&scores[..4]), &targets[..4], 3.0);
        accumulator.add(&pairs(&scores[4..]), &targets[4..], 2.0);
        let metrics = accumulator.finish(&["neg".to_owned(), "pos".to_owned()]);

        assert_eq!(metrics.n, 10);
        assert_eq!(metrics.loss, 0.5);
        assert_eq!(metrics.accuracy, 0.8);
        assert_eq!(metrics.confusion, [[6, 1], [1, 2]]);
        let [neg, pos] = &metrics.per_label[..] else { panic!("two labels") };
        assert_eq!((neg.label.as_str(), neg.support, neg.predicted), ("neg", 7, 7));
        assert_eq!((pos.label.as_str(), pos.support, pos.predicted), ("pos", 3, 3));
        for (label, expected) in [(neg, 6.0 / 7.0), (pos, 2.0 / 3.0)] {
            assert_eq!((label.precision, label.recall, label.f1), (expected, expected, expected));
        }
        // (6/7 + 2/3) / 2 = 16/21 and (7·6/7 + 3·2/3) / 10 = 4/5.
        close(metrics.macro_avg.f1, 16.0 / 21.0, 1e-15, "macro f1");
        close(metrics.weighted_avg.f1, 0.8, 1e-15, "weighted f1");
        assert_eq!(metrics.micro_avg.f1, 0.8);
        assert_eq!(metrics.majority.label, "neg");
        assert_eq!(metrics.majority.accuracy, 0.7);
    }

    #[test]
    fn of_equally_frequent_targets_the_first_is_the_majority() {
        let mut accumulator = Accumulator::new(3);
        accumulator.add(&[1.0 / 3.0; 15], &[2, 1, 0, 1, 2], 0.0);
        let metrics = accumulator.finish(&names(3));
        assert_eq!(metrics.majority.label, "label 1");
        assert_eq!(metrics.majority.accuracy, 0.4);
    }

    #[test]
    fn no_example_gives_zeros() {
        let metrics = Accumulator::new(3).finish(&names(3));
        assert_eq!((metrics.n, metrics.loss, metrics.accuracy), (0, 0.0, 0.0));
        assert_eq!(metrics.weighted_avg.f1, 0.0);
        assert_eq!(metrics.majority.accuracy, 0.0);
    }

    #[test]
    fn metrics_survive_json_even_with_a_loss_that_is_not_a_number() {
        let mut metrics = binary(&[0.8, 0.3, 0.6], &[1, 0, 0]);
        let text = serde_json::to_string(&metrics).unwrap();
        assert_eq!(serde_json::from_str::<Metrics>(&text).unwrap(), metrics);
        metrics.loss = f64::INFINITY;
        let text = serde_json::to_string(&metrics).unwrap();
        assert!(serde_json::from_str::<Metrics>(&text).unwrap().loss.is_nan());
    }

    /// The numbers of scikit-learn, see `scripts/metrics_golden.py`, for batches of every kind.
    #[test]
    fn scikit_learn_agrees() {
        let golden: Value = serde_json::from_str(include_str!("../../tests/data/metrics_golden.json")).unwrap();
        let cases = golden["cases"].as_array().unwrap();
        assert!(cases.len() >= 8);
        for case in cases {
            let counted = [1, 7, usize::MAX].map(|batch_size| {
                let mut metrics = check_case(case, batch_size);
                metrics.loss = 0.0;
                metrics
            });
            assert!(counted.iter().all(|metrics| *metrics == counted[0]));
        }
    }

    fn check_case(case: &Value, batch_size: usize) -> Metrics {
        let name = case["name"].as_str().unwrap();
        let n_labels = case["n_labels"].as_u64().unwrap() as usize;
        let probabilities: Vec<f32> = parse(&case["probabilities"]);
        let targets: Vec<u32> = parse(&case["targets"]);
        let batch_size = batch_size.min(targets.len());

        let mut accumulator = Accumulator::new(n_labels);
        let rows = probabilities.chunks(batch_size * n_labels);
        for (probabilities, targets) in rows.zip(targets.chunks(batch_size)) {
            let losses = targets
                .iter()
                .enumerate()
                .map(|(i, &target)| f64::from(-probabilities[i * n_labels + target as usize].ln()));
            accumulator.add(probabilities, targets, losses.sum());
        }
        let metrics = accumulator.finish(&names(n_labels));

        let expected = &case["expected"];
        let same = |found: f64, value: &Value, tolerance: f64, what: &str| {
            close(found, value.as_f64().unwrap(), tolerance, &format!("{name}: {what}"));
        };
        assert_eq!(metrics.n as usize, targets.len(), "{name}");
        same(metrics.loss, &expected["loss"], 1e-6, "loss");
        same(metrics.accuracy, &expected["accuracy"], 1e-9, "accuracy");
        for (average, found) in
            [("macro", metrics.macro_avg), ("micro", metrics.micro_avg), ("weighted", metrics.weighted_avg)]
        {
            let found = [found.precision, found.recall, found.f1];
            for (found, key) in found.into_iter().zip(["precision", "recall", "f1"]) {
                same(found, &expected[average][key], 1e-9, &format!("{average} {key}"));
            }
        }
        for (id, found) in metrics.per_label.iter().enumerate() {
            let expected = &expected["per_label"];
            same(found.precision, &expected["precision"][id], 1e-9, "precision");
            same(found.recall, &expected["recall"][id], 1e-9, "recall");
            same(found.f1, &expected["f1"][id], 1e-9, "f1");
            assert_eq!(found.support, expected["support"][id], "{name}: support");
            assert_eq!(found.predicted, expected["predicted"][id], "{name}: predicted");
        }
        match metrics.roc_auc {
            Some(found) => same(found, &expected["roc_auc"], 1e-9, "roc_auc"),
            None => assert!(expected["roc_auc"].is_null(), "{name}: roc_auc"),
        }
        let confusion: Vec<Vec<u64>> = parse(&expected["confusion"]);
        assert_eq!(metrics.confusion, confusion, "{name}: confusion");
        let majority = expected["majority"]["label"].as_u64().unwrap() as usize;
        assert_eq!(metrics.majority.label, names(n_labels)[majority], "{name}: majority");
        same(metrics.majority.accuracy, &expected["majority"]["accuracy"], 1e-9, "majority");
        metrics
    }

    fn parse<T: serde::de::DeserializeOwned>(value: &Value) -> T {
        serde_json::from_value(value.clone()).unwrap()
    }
}
