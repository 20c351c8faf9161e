//! A run and a bundle written by an earlier version, committed as they are: they still open, predict, verify and resume.

use std::fs;
use std::path::Path;

use crate::directory::{Dir, repository, setup};

/// What the earlier version wrote, in a directory of its own.
fn earlier(name: &str) -> Dir {
    let dir = setup(name);
    copy(&repository().join("crates/attentive/tests/it/earlier"), &dir.path(""));
    dir
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// The label and the probability of each row.
fn predictions(csv: &str) -> Vec<(String, f64)> {
    let row = |row: &str| {
        let fields: Vec<&str> = row.split(',').collect();
        (fields[2].to_string(), fields[3].parse().unwrap())
    };
    csv.lines().skip(1).map(row).collect()
}

#[test]
fn an_earlier_run_and_bundle_predict_what_they_predicted() {
    let dir = earlier("earlier-predicts");
    let expected = predictions(&dir.text("predictions.csv"));
    assert_eq!(expected.len(), 12);
    for classifier in ["run", "bundle"] {
        dir.ok(&format!("predict {classifier} --input test.csv --output {classifier}.csv"));
        let found = predictions(&dir.text(format!("{classifier}.csv")));
        assert_eq!(found.len(), expected.len());
        for ((label, probability), (was, before)) in found.iter().zip(&expected) {
            assert!(label == was && (probability - before).abs() < 1e-5, "{classifier}: {probability}, was {before}");
        }
        dir.ok(&format!("evaluate {classifier} --data test.csv"));
        dir.ok(&format!("inspect {classifier}"));
        dir.ok(&format!("verify {classifier}"));
    }
}

#[test]
fn an_earlier_run_resumes() {
    let dir = earlier("earlier-resumes");
    let before = dir.text("run/metrics.jsonl");
    let told = dir
        .run("train earlier.toml --run-dir run --resume --set train.epochs=3 --allow-changed build")
        .expect(0, "resume");
    assert!(told.stdout.contains(" of 3 (best on validation)"), "{}", told.stdout);
    let after = dir.text("run/metrics.jsonl");
    assert!(after.starts_with(&before) && after.len() > before.len());
    dir.ok("export run --format safetensors --output torch");
}
