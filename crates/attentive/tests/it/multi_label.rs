//! Any number of labels per text, from files to predictions; and thresholds that the run keeps.

use serde_json::{Value, json};

use crate::directory::{CONFIG, Dir, setup};

const WORDS: [(&str, [&str; 3]); 3] = [
    ("comedy", ["funny", "silly", "witty"]),
    ("drama", ["sad", "moving", "grave"]),
    ("horror", ["scary", "grim", "bloody"]),
];

/// Texts that have a word for each of their labels, of which all sets are equally frequent.
fn genres(n: usize, seed: usize) -> Vec<(String, Vec<&'static str>)> {
    let example = |i: usize| {
        let of: Vec<_> =
            WORDS.iter().enumerate().filter(|(bit, _)| i >> bit & 1 == 1).map(|(_, genre)| genre).collect();
        let words: Vec<&str> = of.iter().map(|(_, words)| words[(i / 8 + seed) % 3]).collect();
        (format!("a film {seed}{i} {}", words.join(" ")), of.iter().map(|(label, _)| *label).collect())
    };
    (0..n).map(example).collect()
}

fn csv(examples: &[(String, Vec<&str>)]) -> String {
    let rows = examples.iter().map(|(text, labels)| format!("{text},{}\n", labels.join(" | ")));
    format!("text,label\n{}", rows.collect::<String>())
}

fn jsonl(examples: &[(String, Vec<&str>)]) -> String {
    examples.iter().map(|(text, labels)| format!("{}\n", json!({ "text": text, "label": labels }))).collect()
}

/// A directory with the same data as csv and as jsonl, split three ways, and a config.
fn with_genres(name: &str) -> Dir {
    let dir = setup(name);
    for (split, n, seed) in [("train", 96, 0), ("validation", 24, 1), ("test", 24, 2)] {
        dir.file(&format!("{split}.csv"), csv(&genres(n, seed)));
        dir.file(&format!("{split}.jsonl"), jsonl(&genres(n, seed)));
    }
    let config = CONFIG.replace("[model]", "multi_label = true\nlabel_separator = \"|\"\n\n[model]");
    dir.file("small.toml", config.replace("epochs = 2", "epochs = 20\nmonitor = \"loss\""));
    dir
}

#[test]
fn a_field_with_a_separator_and_a_list_are_the_same_labels() {
    let dir = with_genres("multi-label-forms");
    let stdout = dir.ok("train small.toml --set train.epochs=3");
    let header: Vec<&str> = stdout.lines().next().unwrap().split_whitespace().collect();
    let expected = "split examples loss exact 95 % interval macro F1 micro F1 linear majority";
    assert_eq!(header.join(" "), expected, "{stdout}");
    dir.ok("train small.toml --run-dir runs/jsonl --set train.epochs=3 --set data.train=\"train.jsonl\" \
         --set data.validation=\"validation.jsonl\" --set data.test=\"test.jsonl\" --set data.label_separator=\",\"");
    assert_eq!(dir.text("runs/jsonl/report.json"), dir.text("runs/small/report.json"));
    let split = dir.json("runs/small/split.json");
    assert_eq!(split["manifest"]["train"]["labels"], json!({ "comedy": 48, "drama": 48, "horror": 48 }));
}

#[test]
fn predictions_are_lists() {
    let dir = with_genres("multi-label-predict");
    let told = dir.run("train small.toml").expect(0, "train").stderr;
    assert!(told.contains("96 train, 24 validation, 24 test examples, 3 labels, any number a text\n"), "{told}");
    assert!(told.contains("  exact ") && told.contains("  micro F1 "), "{told}");
    let report = dir.json("runs/small/report.json");
    assert_eq!(report["splits"]["test"]["accuracy"], 1.0);

    // Two labels, none, and all of them.
    let texts = "a funny sad film\nthe a film\ngrim moving witty\n";
    let lines = dir.pipe("predict runs/small", texts).expect(0, "predict").stdout;
    let labels: Vec<&str> = lines.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(labels, ["comedy|drama", "", "comedy|drama|horror"]);
    for (line, n) in lines.lines().zip([2, 0, 3]) {
        let probabilities: Vec<f64> =
            line.split('\t').nth(1).unwrap().split('|').filter_map(|text| text.parse().ok()).collect();
        assert!(probabilities.len() == n && probabilities.iter().all(|p| *p > 0.5), "{line}");
    }

    let objects = dir.pipe("predict runs/small --json", texts).expect(0, "predict --json").stdout;
    let objects: Vec<Value> = objects.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects[0]["predicted_labels"], json!(["comedy", "drama"]));
    assert_eq!((&objects[1]["text"], &objects[1]["predicted_labels"]), (&json!("the a film"), &json!([])));
    assert!(objects[0]["predicted_label"].is_null() && objects[0]["probability"].is_null());
    let all = objects[0]["probabilities"].as_object().unwrap();
    assert!(all.len() == 3 && all["horror"].as_f64().unwrap() < 0.5, "{all:?}");

    dir.file("in.csv", "id,text\n7,\"so funny, and sad\"\n8,a film\n");
    dir.ok("predict runs/small --input in.csv --output out.csv");
    let written = dir.text("out.csv");
    let rows: Vec<&str> = written.lines().collect();
    assert_eq!(rows[0], "id,text,predicted_label,probability");
    assert!(rows[1].starts_with("7,\"so funny, and sad\",comedy|drama,0."), "{written}");
    assert_eq!(rows[2], "8,a film,,");
    dir.file("in.jsonl", "{\"text\": \"so scary\", \"id\": 3}\n");
    dir.ok("predict runs/small --input in.jsonl --output out.jsonl");
    let object = dir.json("out.jsonl");
    assert_eq!((&object["id"], &object["predicted_labels"]), (&json!(3), &json!(["horror"])));
}

#[test]
fn evaluate_tells_of_each_label_and_of_all() {
    let dir = with_genres("multi-label-evaluate");
    dir.ok("train small.toml");
    let table = dir.ok("evaluate runs/small");
    let rows = |start: &str| {
        let row = table.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {table}"));
        row.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(rows("all labels right"), "all labels right 100.0 % 24 of 24, 95 % interval 100.0 – 100.0 %");
    // Each eighth of the examples has one of the eight sets of labels; ties go to the first, no label at all.
    assert_eq!(rows("majority baseline"), "majority baseline 12.5 % always no label");
    assert_eq!(rows("Hamming loss"), "Hamming loss 0.0000 wrong decisions per label and text");
    assert_eq!(rows("label"), "label precision recall F1 examples predicted threshold");
    assert_eq!(rows("comedy"), "comedy 100.0 % 100.0 % 100.0 % 12 12 0.500");
    assert_eq!(rows("micro average"), "micro average 100.0 % 100.0 % 100.0 % 36 36");
    assert!(!table.contains("confusion") && !table.contains("Cohen"), "{table}");
    let json: Value = serde_json::from_str(&dir.ok("evaluate runs/small --json")).unwrap();
    assert_eq!(json, dir.json("runs/small/report.json")["splits"]["test"]);
    let inspected = dir.ok("inspect runs/small");
    assert!(inspected.contains("\ntest all labels right 100.0 % of 24\n"), "{inspected}");
    let checked = dir.ok("check small.toml");
    let comedy = checked.lines().find(|line| line.starts_with("comedy")).unwrap();
    assert_eq!(
        comedy.split("  ").map(str::trim).collect::<Vec<_>>(),
        ["comedy", "48 (50.0 %)", "12 (50.0 %)", "12 (50.0 %)"]
    );
}

/// One bright text in four is rare: with one half none would ever be.
#[test]
fn tuned_thresholds_are_stored_and_predict() {
    let dir = setup("multi-label-tuned");
    let rows = "bright,light\nbright,light\nbright,\"light,rare\"\nbright,light\ndull,\n".repeat(8);
    for file in ["train.csv", "validation.csv"] {
        dir.file(file, format!("text,label\n{rows}"));
    }
    let config = CONFIG.replace("test = \"test.csv\"", "multi_label = true").replace("epochs = 2", "epochs = 30");
    dir.file("small.toml", config.replace("[train]", "[train]\nmonitor = \"loss\""));
    let labels = |run: &str| {
        let line = dir.pipe(&format!("predict {run}"), "bright\n").expect(0, run).stdout;
        line.split('\t').next().unwrap().to_string()
    };
    dir.ok("train small.toml");
    assert_eq!(labels("runs/small"), "light");
    assert!(!dir.ok("inspect runs/small").contains("thresholds"));

    dir.ok("train small.toml --run-dir runs/tuned --set train.threshold=\"tuned\"");
    assert_eq!(labels("runs/tuned"), "light,rare");
    let rare = &dir.json("runs/tuned/report.json")["splits"]["validation"]["per_label"][1];
    assert_eq!((&rare["label"], &rare["recall"], &rare["precision"]), (&json!("rare"), &json!(1.0), &json!(0.25)));
    let threshold = rare["threshold"].as_f64().unwrap();
    assert!(threshold > 0.0 && threshold < 0.3, "{threshold}");
    let inspected = dir.ok("inspect runs/tuned");
    assert!(inspected.contains(&format!("\nthresholds: light 0.500, rare {threshold:.3}\n")), "{inspected}");
    let table = dir.ok("evaluate runs/tuned --split validation");
    assert!(
        table.lines().any(|line| line.starts_with("rare") && line.ends_with(&format!("{threshold:.3}"))),
        "{table}"
    );

    dir.ok("train small.toml --run-dir runs/low --set train.threshold=0.1");
    assert_eq!(labels("runs/low"), "light,rare");
    assert!(dir.ok("inspect runs/low").contains("\nthresholds: light 0.100, rare 0.100\n"));
}

#[test]
fn lists_of_labels_that_cannot_be_used() {
    let dir = with_genres("multi-label-errors");
    let finished = dir.run("train small.toml --set data.multi_label=false --set data.label_separator=\",\" --set data.train=\"train.jsonl\"");
    let error = finished.expect(65, "a list without multi_label").stderr;
    assert!(error.starts_with("error: train.jsonl:1: ") && error.contains("`data.multi_label"), "{error}");
    dir.file("test.csv", "text,label\na film,comedy | dramma\n");
    let error = dir.run("train small.toml").expect(65, "an unknown label").stderr;
    assert!(error.starts_with("error: test.csv:2: unknown label `dramma`"), "{error}");
    assert!(!dir.path("runs").exists());
}
