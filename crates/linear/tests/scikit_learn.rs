//! Features, weights and decisions are those of scikit-learn (scripts/linear_golden.py).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use attentive_linear::{Examples, FeatureSettings, Features, Loss, Solution, SolverSettings, Stop, Targets, solve};
use serde::Deserialize;

const GO_ON: Stop = &|| false;

#[derive(Deserialize)]
struct Golden {
    texts: Vec<String>,
    labels: Vec<u32>,
    test: Vec<String>,
    words: Vec<String>,
    characters: Vec<String>,
    idf: Vec<f32>,
    tfidf: Vec<Vec<(u32, f32)>>,
    solved: Vec<Solved>,
}

#[derive(Deserialize)]
struct Solved {
    loss: Loss,
    c: f64,
    weighted: bool,
    objectives: Vec<f64>,
    /// Those of each label, the last one the bias.
    coefficients: Vec<Vec<f32>>,
    decisions: Vec<Vec<f32>>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/scikit_learn.json")).unwrap()
}

fn strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn features(golden: &Golden) -> Features {
    let settings = FeatureSettings { characters: 3, ideographs: 2, min_df: 3, ..FeatureSettings::default() };
    Features::fit(&strs(&golden.texts), &settings, GO_ON).unwrap()
}

fn assert_close(found: f32, expected: f32, tolerance: f32, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} is not {expected}");
}

#[test]
fn features_are_those_of_scikit_learn() {
    let golden = golden();
    let features = features(&golden);
    assert_eq!(features.parts().words, golden.words);
    assert_eq!(features.parts().characters, golden.characters);
    for (&found, &expected) in features.parts().idf.iter().zip(&golden.idf) {
        assert_close(found, expected, 1e-6, "idf");
    }
}

#[test]
fn rows_are_those_of_scikit_learn() {
    let golden = golden();
    let rows = features(&golden).rows(&strs(&golden.test), GO_ON).unwrap();
    for (index, expected) in golden.tfidf.iter().enumerate() {
        let (columns, values) = rows.row(index);
        assert_eq!(columns, expected.iter().map(|&(column, _)| column).collect::<Vec<_>>(), "{:?}", golden.test[index]);
        for (&value, &(_, expected)) in values.iter().zip(expected) {
            assert_close(value, expected, 1e-6, &golden.test[index]);
        }
    }
}

/// The labels as they are, and as sets of one, which must be the same problems.
fn solutions(golden: &Golden, solved: &Solved) -> [Solution; 2] {
    let rows = features(golden).rows(&strs(&golden.texts), GO_ON).unwrap();
    let label_weights = [1.0, 2.0, 0.5, 1.5];
    let weight = |index: usize| if index.is_multiple_of(3) { 0.25 } else { 1.0 };
    let weights = (0..golden.labels.len()).map(weight).collect::<Vec<f32>>();
    let both = golden.labels.iter().enumerate().map(|(index, &label)| weight(index) * label_weights[label as usize]);
    let both = both.collect::<Vec<_>>();
    let sets = golden.labels.iter().map(|&label| vec![label]).collect::<Vec<_>>();
    let one = Examples {
        weights: solved.weighted.then_some(&weights[..]),
        label_weights: solved.weighted.then_some(&label_weights[..]),
        ..Examples::new(Targets::One(&golden.labels), 4)
    };
    let many = Examples { weights: solved.weighted.then_some(&both[..]), ..Examples::new(Targets::Many(&sets), 4) };
    let settings =
        SolverSettings { loss: solved.loss, c: Some(solved.c), tolerance: 1e-9, ..SolverSettings::default() };
    [one, many].map(|examples| solve(&rows, &examples, &settings, GO_ON).unwrap())
}

#[test]
fn solutions_are_those_of_scikit_learn() {
    let golden = golden();
    for solved in &golden.solved {
        for solution in solutions(&golden, solved) {
            for (&found, &expected) in solution.objectives.iter().zip(&solved.objectives) {
                assert!((found / expected - 1.0).abs() < 1e-8, "{:?}: {found} is not {expected}", solved.loss);
            }
            let test_rows = features(&golden).rows(&strs(&golden.test), GO_ON).unwrap();
            let logits = solution.weights.logits(&test_rows);
            for label in 0..4 {
                let (bias, coefficients) = solved.coefficients[label].split_last().unwrap();
                assert_close(solution.weights.bias[label], *bias, 1e-4, "bias");
                for (row, &expected) in solution.weights.weights.chunks(4).zip(coefficients) {
                    assert_close(row[label], expected, 1e-4, "weight");
                }
                for (logits, &expected) in logits.chunks(4).zip(&solved.decisions[label]) {
                    assert_close(logits[label], expected, 2e-4, "decision");
                }
            }
        }
    }
}

#[test]
fn two_labels_are_one_problem_in_halves() {
    let golden = golden();
    let solved = &golden.solved[0];
    let rows = features(&golden).rows(&strs(&golden.texts), GO_ON).unwrap();
    let labels = golden.labels.iter().map(|&label| u32::from(label == 2)).collect::<Vec<_>>();
    let settings = SolverSettings { loss: Loss::Logistic, tolerance: 1e-9, ..SolverSettings::default() };
    let solution = solve(&rows, &Examples::new(Targets::One(&labels), 2), &settings, GO_ON).unwrap();
    assert!((solution.objectives[0] / solved.objectives[2] - 1.0).abs() < 1e-8);
    for (row, &expected) in solution.weights.weights.chunks(2).zip(&solved.coefficients[2]) {
        assert_close(row[1] - row[0], expected, 1e-4, "weight");
        assert_eq!(row[0].to_bits(), (-row[1]).to_bits());
    }
}
