//! Figures worked out by hand.

use super::*;

pub(in crate::metrics) fn names(n_labels: usize) -> Vec<String> {
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
