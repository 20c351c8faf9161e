//! The metrics beside scikit-learn's, on the random data of `scripts/metrics_golden.py`.

use attentive_data::Targets;
use serde::Deserialize;
use serde_json::Value;

use super::figures::tests::names;
use super::{Average, Criterion, Decision, Intervals, Metrics, Scored, Task};

/// One case of the file, with what is to come out.
#[derive(Deserialize)]
struct Case {
    name: String,
    task: Task,
    n_labels: usize,
    thresholds: Vec<f32>,
    targets: Vec<Vec<u32>>,
    probabilities: Vec<f32>,
    expected: Value,
}

#[test]
fn scikit_learn_agrees() {
    let golden: Value = serde_json::from_str(include_str!("../../tests/data/metrics_golden.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_value(golden["cases"].clone()).unwrap();
    assert_eq!(cases.iter().filter(|case| case.task == Task::Many).count(), 7);
    assert_eq!(cases.len(), 22);
    for case in &cases {
        check(case);
    }
}

fn check(case: &Case) {
    let mut targets = Targets::default();
    case.targets.iter().for_each(|ids| targets.push(ids));
    let scored = Scored::new(case.n_labels, &case.probabilities, &targets);
    let decision = Decision { task: case.task, thresholds: case.thresholds.clone() };
    let metrics = scored.metrics(&names(case.n_labels), &decision, 0.0);
    let same = |found: f64, keys: &str| case.same(Some(found), keys);

    assert_eq!(metrics.n as usize, targets.len(), "{}", case.name);
    same(metrics.accuracy, "/accuracy");
    for (found, key) in
        [(metrics.macro_avg, "/macro"), (metrics.micro_avg, "/micro"), (metrics.weighted_avg, "/weighted")]
    {
        let Average { precision, recall, f1 } = found;
        same(precision, &format!("{key}/precision"));
        same(recall, &format!("{key}/recall"));
        same(f1, &format!("{key}/f1"));
    }
    same(metrics.log_loss, "/log_loss");
    same(metrics.brier, "/brier");
    same(metrics.calibration_error, "/calibration_error");
    case.same(metrics.mcc, "/mcc");
    case.same(metrics.cohen_kappa, "/cohen_kappa");
    case.same(metrics.hamming_loss, "/hamming_loss");
    case.same(metrics.roc_auc, "/roc_auc");
    case.same(metrics.pr_auc, "/pr_auc");
    check_labels(case, &metrics);

    let confusion: Vec<Vec<u64>> = serde_json::from_value(case.expected["confusion"].clone()).unwrap();
    assert_eq!(metrics.confusion, confusion, "{}", case.name);
    let majority: Vec<usize> = serde_json::from_value(case.expected["majority"]["labels"].clone()).unwrap();
    let majority: Vec<String> = majority.iter().map(|id| names(case.n_labels)[*id].clone()).collect();
    assert_eq!(metrics.majority.label, majority.join(", "), "{}", case.name);
    same(metrics.majority.accuracy, "/majority/accuracy");

    let Intervals { accuracy, macro_f1, micro_f1 } = scored.intervals(&decision).unwrap();
    for (found, key) in [(accuracy, "accuracy"), (macro_f1, "macro_f1"), (micro_f1, "micro_f1")] {
        same(found[0], &format!("/intervals/{key}/0"));
        same(found[1], &format!("/intervals/{key}/1"));
    }
    for (criterion, key) in [(Criterion::Accuracy, "accuracy"), (Criterion::MacroF1, "macro_f1")] {
        let expected: Vec<f32> = serde_json::from_value(case.expected["tuned"][key].clone()).unwrap();
        let found = Decision::tuned(case.task, &scored, criterion);
        assert_eq!(found, Decision { task: case.task, thresholds: expected }, "{}: {key}", case.name);
    }
}

fn check_labels(case: &Case, metrics: &Metrics) {
    assert_eq!(metrics.per_label.len(), case.n_labels, "{}", case.name);
    for (id, found) in metrics.per_label.iter().enumerate() {
        for (found, key) in [
            (Some(found.precision), "precision"),
            (Some(found.recall), "recall"),
            (Some(found.f1), "f1"),
            (Some(found.support as f64), "support"),
            (Some(found.predicted as f64), "predicted"),
            (found.roc_auc, "roc_auc"),
            (found.pr_auc, "pr_auc"),
        ] {
            case.same(found, &format!("/per_label/{key}/{id}"));
        }
    }
}

impl Case {
    fn same(&self, found: Option<f64>, keys: &str) {
        let expected = self.expected.pointer(keys).unwrap_or_else(|| panic!("{}: no {keys}", self.name));
        let agree = match (found, expected.as_f64()) {
            (Some(found), Some(expected)) => (found - expected).abs() <= 1e-9,
            (found, expected) => found == expected,
        };
        assert!(agree, "{}: {keys}: {found:?}, expected {expected}", self.name);
    }
}
