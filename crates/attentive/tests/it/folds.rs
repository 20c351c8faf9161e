//! Cross-validation: every example tested once, and interrupted anywhere without a trace.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::directory::{Dir, reviews, setup, with_data};
use crate::resume::{assert_same, interrupt};

const TRAIN: &str = "train small.toml --folds 3 --run-dir runs/cv";

/// A directory whose training file has numbered texts, and a config that cuts its validation split off.
fn with_folds(name: &str, n: usize) -> Dir {
    let dir = setup(name);
    dir.file("train.csv", reviews(n, 2, 1));
    dir.file("test.csv", reviews(18, 2, 3));
    let config = crate::directory::CONFIG
        .replace("\"validation.csv\"", "{ fraction = 0.1 }")
        .replace("log_every = 3", "log_every = 3\ncheckpoint_every = 4");
    dir.file("small.toml", config);
    dir
}

fn assert_same_folds(dir: &Dir, expected: &str, folds: &str, of: u32) {
    for index in 1..=of {
        assert_same(dir, &format!("{expected}/fold-{index}"), &format!("{folds}/fold-{index}"));
    }
    assert_eq!(dir.text(format!("{folds}/folds.json")), dir.text(format!("{expected}/folds.json")));
}

#[test]
fn every_example_is_tested_once_and_the_figures_are_those_of_the_runs() {
    let dir = with_folds("folds", 60);
    let finished = dir.run(TRAIN).expect(0, TRAIN);
    let summary = dir.json("runs/cv/folds.json");
    let mut accuracies = Vec::new();
    let (mut tested, mut fingerprints) = (0, Vec::new());
    for index in 1..=3 {
        let run = format!("runs/cv/fold-{index}");
        let split = dir.json(format!("{run}/split.json"));
        assert_eq!(
            split["manifest"]["test"]["origin"]["fold"],
            serde_json::json!({ "index": index, "of": 3, "seed": 7 })
        );
        assert_eq!(split["manifest"]["validation"]["examples"], 6, "a tenth of all");
        assert_eq!(split["findings"]["shared"], serde_json::json!([]), "no text is in two splits");
        tested += split["manifest"]["test"]["examples"].as_u64().unwrap();
        fingerprints.push(split["manifest"]["test"]["fingerprint"].to_string());
        let metrics = &dir.json(format!("{run}/report.json"))["splits"]["test"];
        assert_eq!(summary["folds"][index - 1]["accuracy"], metrics["accuracy"]);
        assert_eq!(summary["folds"][index - 1]["macro_f1"], metrics["macro_avg"]["f1"]);
        accuracies.push(metrics["accuracy"].as_f64().unwrap());
        // A run like any other.
        let evaluated: Value = serde_json::from_str(&dir.ok(&format!("evaluate {run} --json"))).unwrap();
        assert_eq!(evaluated["accuracy"], metrics["accuracy"]);
        assert!(finished.stderr.contains(&format!("small, fold {index} of 3  ")), "{}", finished.stderr);
        assert!(finished.stderr.contains(&format!("fold {index}/3  epoch 2/2  loss ")), "{}", finished.stderr);
    }
    fingerprints.sort();
    fingerprints.dedup();
    assert_eq!((tested, fingerprints.len()), (60, 3));
    let mean = accuracies.iter().sum::<f64>() / 3.0;
    assert!((summary["mean"]["accuracy"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert!(finished.stderr.contains("note: `data.test` is left aside"), "{}", finished.stderr);
    let lines: Vec<&str> = finished.stdout.lines().collect();
    assert!(lines[0].starts_with("fold  examples "), "{}", finished.stdout);
    assert!(lines[4].starts_with("mean        60  ") && lines[4].contains(" ± "), "{}", finished.stdout);

    // Finished folds are looked at, not trained again, and say the same.
    let again = dir.run(&format!("{TRAIN} --resume")).expect(0, "again");
    assert_eq!(again.stdout, finished.stdout);
    assert!(!again.stderr.contains("epoch 1/2"), "{}", again.stderr);
}

#[test]
fn interrupted_anywhere_they_end_with_the_same_bits() {
    let dir = with_folds("folds-interrupted", 240);
    dir.ok("train small.toml --folds 3 --run-dir runs/whole");
    // In the first fold, and further on each time.
    let mut line = format!("{TRAIN} --verbose");
    let mut codes = Vec::new();
    for saves in [2, 9, 9, 3] {
        let finished = interrupt(&dir, &line, saves, "INT");
        codes.push(finished.code);
        if finished.code == Some(0) {
            break;
        }
        assert_eq!(finished.code, Some(130), "{finished:?}");
        assert!(finished.error().starts_with("error: interrupted by Ctrl-C "), "{}", finished.error());
        let hint = "hint: the same command with `--folds 3 --resume` goes on from there; finished folds are kept\n";
        assert!(finished.error().ends_with(hint), "{}", finished.error());
        line = format!("{TRAIN} --verbose --resume");
    }
    assert_eq!(codes[0], Some(130), "the first fold was interrupted");
    dir.ok(&format!("{TRAIN} --resume"));
    assert_same_folds(&dir, "runs/whole", "runs/cv", 3);
}

#[test]
fn killed_at_any_moment_they_end_with_the_same_bits() {
    let dir = with_folds("folds-killed", 120);
    dir.ok("train small.toml --folds 3 --run-dir runs/whole");
    for milliseconds in [1, 8, 15, 22, 30, 45, 60, 80, 100, 130, 170, 220] {
        let line = format!("{TRAIN} --resume");
        let mut command = dir.command(line.split_whitespace());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    dir.ok(&format!("{TRAIN} --resume"));
    assert_same_folds(&dir, "runs/whole", "runs/cv", 3);
}

#[test]
fn one_fold_resumed_by_itself_is_the_same_run() {
    let dir = with_folds("folds-alone", 240);
    dir.ok("train small.toml --folds 2 --run-dir runs/whole");
    let line = "train small.toml --folds 2 --run-dir runs/cv --verbose";
    assert_eq!(interrupt(&dir, line, 2, "TERM").code, Some(143));
    dir.ok("resume runs/cv/fold-1");
    // By hand, from the key that `--folds` writes.
    dir.ok("train small.toml --run-dir runs/cv/fold-2 --set data.fold={index=2,of=2}");
    dir.ok("train small.toml --folds 2 --run-dir runs/cv --resume");
    assert_same_folds(&dir, "runs/whole", "runs/cv", 2);
}

#[track_caller]
fn refused(dir: &Dir, line: &str, code: i32, error: &str) {
    let finished = dir.run(line).expect(code, line);
    assert_eq!(finished.error().trim_end(), error, "{line}");
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let dir = with_folds("folds-refused", 24);
    refused(
        &dir,
        "train small.toml --folds 1",
        2,
        "error: `--folds 1` leaves nothing to train on: there must be at least 2\n\nhint: 5 and 10 are usual",
    );
    refused(
        &dir,
        "train small.toml --folds 3 --set data.fold={index=1,of=3}",
        2,
        "error: the config names one fold, `data.fold`, and `--folds` asks for all\n\n\
         hint: remove `data.fold`, or leave out `--folds`",
    );
    refused(
        &dir,
        "train small.toml --folds 25",
        65,
        "error: 24 examples are too few for 25 folds\n\nhint: ask for fewer folds",
    );
    let finished = dir.run("train small.toml --folds 2 --set data.validation={fraction=0.5}").expect(2, "too much");
    assert!(finished.error().contains("leaves nothing to train on"), "{}", finished.error());
    assert!(!dir.path("runs").exists());
}

#[test]
fn places_that_are_taken_are_left_alone() {
    let dir = with_folds("folds-taken", 24);
    dir.ok("train small.toml --run-dir runs/plain --set train.epochs=1");
    for line in ["", " --overwrite", " --resume"] {
        refused(
            &dir,
            &format!("train small.toml --folds 2 --run-dir runs/plain{line}"),
            73,
            "error: `runs/plain` is a single run, not the folds of a cross-validation\n\n\
             hint: name a directory of its own by `--run-dir`",
        );
    }
    let folds = "train small.toml --folds 2 --run-dir runs/cv --set train.epochs=1";
    dir.ok(folds);
    refused(
        &dir,
        folds,
        73,
        "error: `runs/cv` already holds folds of a cross-validation\n\nhint: go on with them by `--folds 2 --resume`, \
         replace them by `--overwrite`, or choose another place by `--run-dir`",
    );
    let finished = dir.run("train small.toml --run-dir runs/cv --overwrite").expect(73, "plain over folds");
    assert!(finished.error().starts_with("error: `runs/cv` holds files that are not a run's"), "{}", finished.error());
    let finished = dir.run(&format!("{} --resume", folds.replace("2 -", "3 -"))).expect(65, "another number");
    assert!(finished.error().contains("`runs/cv/fold-1` was made from has changed\n  data.fold.of: was 2, is 3\n"));
    dir.file("runs/thesis.txt", "years of work");
    refused(
        &dir,
        "train small.toml --folds 2 --run-dir runs --overwrite",
        73,
        "error: `runs` holds files that are not a run's, and attentive does not overwrite them\n\n\
         hint: name a new or empty directory by `--run-dir`",
    );
    // Fewer folds than before leave none of the old.
    dir.ok("train small.toml --folds 3 --run-dir runs/more --set train.epochs=1");
    dir.ok("train small.toml --folds 2 --run-dir runs/more --set train.epochs=1 --overwrite");
    assert_eq!(dir.list("runs/more"), ["fold-1", "fold-2", "folds.json", "lock"]);
    assert_same_folds(&dir, "runs/cv", "runs/more", 2);
}

#[test]
fn labels_with_fewer_examples_than_folds_are_told() {
    let dir = with_folds("folds-rare", 24);
    let rare = format!("{}odd one,mixed\nodd two,mixed\n", reviews(24, 2, 1));
    dir.file("train.csv", rare);
    let finished = dir.run("train small.toml --folds 3 --set train.epochs=1").expect(0, "rare");
    let warning = "warning: the label `mixed` has 2 examples, too few for each of 3 folds\n";
    assert_eq!(finished.stderr.matches(warning).count(), 1, "{}", finished.stderr);
    assert!(!finished.stderr.contains("`good` has"), "{}", finished.stderr);
}

#[test]
fn cut_test_splits_are_made_again_for_evaluation() {
    let dir = with_data("cut-test", 2);
    for by in ["label", "hash"] {
        let cut = |share: &str| format!("{{fraction={share},by=\"{by}\"}}");
        let run = format!("runs/{by}");
        let line = format!(
            "train small.toml --run-dir {run} --set data.test={} --set data.validation={} --set train.epochs=1",
            cut("0.25"),
            cut("0.125")
        );
        dir.ok(&line);
        for split in ["train", "validation", "test"] {
            let finished = dir.run(&format!("evaluate {run} --split {split} --json")).expect(0, split);
            assert_eq!(finished.stderr, "");
            let metrics: Value = serde_json::from_str(&finished.stdout).unwrap();
            assert_eq!(metrics["loss"], dir.json(format!("{run}/report.json"))["splits"][split]["loss"]);
        }
        dir.ok(&format!("resume {run}"));
    }
}
