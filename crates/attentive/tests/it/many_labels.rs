//! More labels than a confusion matrix is kept for: what is written, shown and resumed, and what memory it takes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::directory::{Dir, setup};
use crate::limited::limited_to;

/// `each` examples of so many labels, whose names come in the order of their ids.
fn with_labels(name: &str, labels: usize, each: usize) -> Dir {
    let dir = setup(name);
    let row = |i: usize| format!("word{} seen {} times,label-{:05}\n", i % labels, i / labels, i % labels);
    dir.file("train.csv", (0..labels * each).map(row).fold("text,label\n".to_string(), |csv, row| csv + &row));
    let once = (0..labels).map(row).fold("text,label\n".to_string(), |csv, row| csv + &row);
    dir.file("validation.csv", &once);
    dir.file("test.csv", &once);
    let config = "[data]\ntrain = \"train.csv\"\nvalidation = \"validation.csv\"\ntest = \"test.csv\"\n[model]\nmax_length = 8\n\
                  embedding = { dim = 4 }\n[train]\nepochs = 2\nbatch_size = 64\n";
    dir.file("many.toml", config);
    dir
}

#[test]
fn confusions_are_counted_by_pair_and_the_most_frequent_shown() {
    let dir = with_labels("pairs-of-labels", 150, 3);
    dir.ok("train many.toml");
    let report = dir.json("runs/many/report.json");
    let test = &report["splits"]["test"];
    let counts: Vec<[u64; 3]> = serde_json::from_value(test["confusion_counts"].clone()).unwrap();
    assert_eq!(test["confusion"], json!([]));
    assert!(counts.is_sorted() && counts.iter().all(|[is, predicted, n]| *is < 150 && *predicted < 150 && *n > 0));
    // The counts of the pairs add up to the figures of each label, and to the accuracy.
    let right: u64 = counts.iter().filter(|[is, predicted, _]| is == predicted).map(|[.., n]| n).sum();
    assert_eq!(right as f64 / 150.0, test["accuracy"].as_f64().unwrap());
    let mut predicted = BTreeMap::<u64, u64>::new();
    counts.iter().for_each(|[_, id, n]| *predicted.entry(*id).or_default() += n);
    for (id, label) in (0..).zip(test["per_label"].as_array().unwrap()) {
        assert_eq!(label["predicted"], predicted.get(&id).copied().unwrap_or(0));
        assert_eq!(label["support"], 1);
    }

    let evaluated: Value = serde_json::from_str(&dir.ok("evaluate runs/many --json")).unwrap();
    assert_eq!(evaluated["confusion_counts"], test["confusion_counts"]);
    let mut wrong: Vec<&[u64; 3]> = counts.iter().filter(|[is, predicted, _]| is != predicted).collect();
    wrong.sort_by_key(|[.., n]| std::cmp::Reverse(*n));
    let shown = dir.ok("evaluate runs/many");
    let title = format!("the 20 most frequent of {} confusions, in examples\n", wrong.len());
    let table = shown.split_once(&title).unwrap_or_else(|| panic!("{shown}")).1;
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((rows.len(), &rows[0]), (21, &vec!["is", "predicted", "examples"]));
    for (row, [is, predicted, n]) in rows[1..].iter().zip(wrong) {
        assert_eq!(*row, [format!("label-{is:05}"), format!("label-{predicted:05}"), n.to_string()]);
    }
}

#[test]
fn up_to_a_hundred_labels_the_matrix_stays() {
    let dir = with_labels("hundred-labels", 100, 2);
    dir.ok("train many.toml --set train.epochs=1");
    let report = dir.text("runs/many/report.json");
    assert!(!report.contains("confusion_counts"));
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["splits"]["test"]["confusion"].as_array().unwrap().len(), 100);
    assert!(dir.ok("evaluate runs/many").contains("confusion, in examples\n"));
}

/// The log of epochs holds no confusions, however few the labels, and a resumed run ends as one that was never stopped.
#[test]
fn the_log_holds_no_confusion_and_a_resumed_run_ends_alike() {
    for n_labels in [3, 150] {
        let dir = with_labels(&format!("resumed-labels-{n_labels}"), n_labels, 2);
        dir.ok("train many.toml --run-dir whole");
        dir.ok("train many.toml --run-dir parts --set train.epochs=1");
        dir.ok("train many.toml --run-dir parts --resume");
        for name in ["metrics.jsonl", "report.json"] {
            assert_eq!(dir.read(format!("parts/{name}")), dir.read(format!("whole/{name}")), "{name}");
        }
        let log = dir.text("whole/metrics.jsonl");
        let epochs: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let validations: Vec<&Value> =
            epochs.iter().map(|line| &line["validation"]).filter(|v| v.is_object()).collect();
        assert_eq!(validations.len(), 2);
        assert!(validations.iter().all(|v| v["confusion"] == json!([]) && v.get("confusion_counts").is_none()));
    }
}

/// In 640 MiB of address space, of which the allocator's holes take up to half: a matrix of 5,000 labels alone is 200 MB, and
/// several times that as JSON. The scores of the 5,000 training texts are 100 MB.
#[test]
fn five_thousand_labels_train_in_little_memory() {
    let dir = with_labels("five-thousand-labels", 5000, 1);
    let few: String = dir.text("train.csv").lines().take(301).map(|line| format!("{line}\n")).collect();
    dir.file("validation.csv", &few);
    dir.file("test.csv", &few);
    let (code, stderr) =
        limited_to(640 << 10, dir.path("").as_path(), &["train", "many.toml", "--set", "train.epochs=1"]);
    assert_eq!(code, Some(0), "{stderr}");
    let report = dir.read("runs/many/report.json").len();
    assert!(report < 8_000_000, "{report}");
}

#[test]
fn labels_that_look_like_ids_are_warned_of() {
    let dir = with_labels("labels-like-ids", 150, 1);
    let told = dir.run("train many.toml --set train.epochs=1").expect(0, "train").stderr;
    let warning = "warning: 150 of 150 labels have a single training example, as ids have: `data.label = \"label\"` may be the \
                   wrong column";
    assert!(told.contains(warning), "{told}");
    let refused =
        dir.run("train many.toml --overwrite --set data.validation={fraction=0.1}").expect(65, "nothing to cut").stderr;
    assert!(refused.contains("they have 150 labels, most with a single example, as ids have"), "{refused}");
    let report: Value = serde_json::from_str(&dir.ok("check many.toml --json")).unwrap();
    let found = report["findings"].as_array().unwrap().iter().find(|found| found["kind"] == "label_like_ids").unwrap();
    assert_eq!((&found["severity"], &found["count"]), (&json!("warning"), &json!(150)));
    let dir = with_labels("labels-like-labels", 150, 2);
    assert!(!dir.run("train many.toml --set train.epochs=1").expect(0, "train").stderr.contains("as ids have"));
}

/// Names that come to more than `labels.json` may hold are refused before anything is made.
#[test]
fn label_names_that_could_not_be_read_back_are_refused_before_training() {
    let dir = setup("long-labels");
    let long = "x".repeat(1_000_000);
    let rows: String = (0..17).map(|i| format!("some text,{i}{long}\n")).collect();
    dir.file("train.csv", format!("text,label\n{rows}"));
    dir.file("long.toml", "data.train = \"train.csv\"\n");
    for line in ["train long.toml", "check long.toml"] {
        let finished = dir.run(line).expect(65, line);
        assert!(finished.stderr.contains("error: the names of the labels take 17,"), "{}", finished.stderr);
        assert!(finished.stderr.contains("hint: let `data.label` name the column that holds the labels"));
    }
    assert!(!dir.path("runs").exists());
}
