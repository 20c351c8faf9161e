//! The data report: the exact words for data with faults, the JSON of the same, and narrow terminals.

use serde_json::Value;

use crate::directory::{setup, with_data};
use crate::train::rows;

/// Twenty training texts: a repeat with the other label, a repeat with small changes, `é` read wrongly, sorted by label.
fn faulty() -> crate::directory::Dir {
    let dir = setup("faulty");
    let mut csv = "text,label\n".to_string();
    for i in 0..12 {
        csv.push_str(&format!("number {i} was a dull {}th film,bad\n", i * i));
    }
    csv.push_str("It was a GREAT film!,good\nit was a great film,good\nthe cafÃ© scene is lovely,good\n");
    for i in 0..5 {
        csv.push_str(&format!("piece {i} shines for {}5 reasons,Good\n", i * 3));
    }
    csv.push_str("number 3 was a dull 9th film,good\n");
    dir.file("train.csv", csv);
    dir.file("test.csv", "text,label\nit was a great film,good\nsome new words here,bad\n");
    dir.file("c.toml", "[data]\ntrain = \"train.csv\"\ntest = \"test.csv\"\n[model]\nmax_length = 5\n");
    dir
}

#[test]
fn every_fault_is_told_with_its_place_and_a_remedy() {
    let dir = faulty();
    let told = dir.ok("check c.toml");
    assert_eq!(told, include_str!("golden/check.txt"), "{told}");
    assert_eq!(dir.list(""), ["c.toml", "test.csv", "train.csv"]);
}

#[test]
fn the_json_holds_the_same() {
    let dir = faulty();
    let report: Value = serde_json::from_str(&dir.ok("check c.toml --json")).unwrap();
    assert_eq!(report["splits"][0]["files"][0], serde_json::json!({ "path": "train.csv", "examples": 21 }));
    assert_eq!(report["splits"][1]["labels"][2]["examples"], 1);
    let found: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| {
            format!(
                "{} {} {} {}",
                f["severity"].as_str().unwrap(),
                f["kind"].as_str().unwrap(),
                f["splits"],
                f["count"]
            )
        })
        .collect();
    let told = dir.ok("check c.toml");
    let lines = |word: &str| told.lines().filter(|line| line.starts_with(word)).count();
    assert_eq!(lines("warning: ") + lines("note: "), found.len(), "{told}");
    for expected in [
        "warning shared [\"train\",\"test\"] 1",
        "warning conflicting_labels [\"train\"] 1",
        "warning similar_labels [\"train\"] 2",
        "note near_duplicates [\"train\"] 1",
    ] {
        assert!(found.iter().any(|found| found == expected), "{found:?}");
    }
    let near = report["findings"].as_array().unwrap().iter().find(|f| f["kind"] == "near_duplicates").unwrap();
    assert_eq!(near["examples"][0]["similarity"], 1.0);
    assert_eq!(near["examples"][0]["places"][1]["place"], "train.csv:15");
}

/// 1 of 400 texts is 0.25 %: worth a line without hint and example, which `--json` has.
#[test]
fn what_touches_few_examples_is_one_line() {
    let dir = setup("trifles");
    let row = |i: usize| format!("piece {i} of {} by {},{}\n", i * i, i * 7, ["bad", "good"][i % 2]);
    dir.file("train.csv", format!("text,label\n{}", (0..400).map(row).collect::<String>()));
    let test: String = (399..799).map(row).collect();
    dir.file("test.csv", format!("text,label\n{test}"));
    dir.file("c.toml", "[data]\ntrain = \"train.csv\"\ntest = \"test.csv\"\n");
    let told = dir.ok("check c.toml");
    let line = "note: 1 text of test is also in train (0.2 %)\n";
    let (_, behind) = told.split_once(line).expect(&told);
    assert!(!behind.trim_start().starts_with("hint:"), "{told}");
    let report: Value = serde_json::from_str(&dir.ok("check c.toml --json")).unwrap();
    let shared = report["findings"].as_array().unwrap().iter().find(|found| found["kind"] == "shared").unwrap();
    assert_eq!(shared["examples"][0]["places"][1]["place"], "test.csv:2");
}

#[test]
fn lines_fit_a_narrow_terminal() {
    let dir = faulty();
    let output = dir.command(["check", "c.toml"]).env("COLUMNS", "50").env("NO_COLOR", "1").output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(!told.contains('\x1b'));
    let wide =
        told.lines().filter(|line| line.starts_with("warning: ") || line.contains('█') || line.contains("hint: "));
    assert!(wide.clone().count() > 4);
    assert!(wide.clone().all(|line| line.chars().count() <= 50), "{told}");
}

#[test]
fn clean_data_is_told_in_few_words() {
    let dir = with_data("check", 2);
    let told = dir.ok("check small.toml");
    assert_eq!(
        rows(&told)[3],
        "split | examples | tokens a text | median | 95 % | longest | truncated | unknown tokens",
        "{told}"
    );
    assert!(told.starts_with("train: 48 examples from `train.csv`\n"), "{told}");
    // Validation and test are of 18 examples: 1.96 · √(0.8 · 0.2 / 18) = 18 points.
    assert!(told.contains("note: test has only 18 examples: its figures are exact to about ± 18 points\n"), "{told}");
    assert!(told.ends_with("`small.toml` can be trained: 2 notes\n"), "{told}");
    assert_eq!(dir.list(""), ["small.toml", "test.csv", "train.csv", "validation.csv"]);
}

#[test]
fn what_would_stop_a_training_stops_the_check() {
    let dir = with_data("check-stops", 2);
    let finished = dir.run("check small.toml --set data.label=\"labels\"").expect(65, "no such column");
    assert!(finished.error().contains("has no column `labels`"), "{}", finished.stderr);
    dir.run("check small.toml --set train.class_weights={x=2}").expect(2, "no such label");
}
