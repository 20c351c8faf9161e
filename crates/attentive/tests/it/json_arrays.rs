//! One JSON array of objects wherever a file of examples or texts is read: it is the same as a csv file of the same rows.

use serde_json::{Value, json};

use crate::directory::{CPU, Dir, with_data};

/// The rows of a csv file without quotes as an array, laid out as most programs write one.
fn as_array(dir: &Dir, csv: &str) -> String {
    let text = dir.text(csv);
    let rows = text.lines().skip(1).map(|line| line.rsplit_once(',').unwrap());
    let rows: Vec<Value> = rows.map(|(text, label)| json!({ "text": text, "label": label })).collect();
    serde_json::to_string_pretty(&rows).unwrap()
}

#[test]
fn an_array_trains_evaluates_and_predicts_as_a_table_does() {
    let dir = with_data("json-arrays", 2);
    dir.ok("train small.toml");
    let mut config = dir.text("small.toml");
    for split in ["train", "validation", "test"] {
        dir.file(&format!("{split}.json"), as_array(&dir, &format!("{split}.csv")));
        config = config.replace(&format!("{split}.csv"), &format!("{split}.json"));
    }
    dir.file("array.toml", config);
    dir.ok("check array.toml");
    dir.ok("train array.toml");
    let hash = |run: &str| dir.json(format!("runs/{run}/report.json"))["weights_sha256"].clone();
    assert_eq!(hash("array"), hash("small"));
    assert_eq!(dir.ok("evaluate runs/small --data test.json"), dir.ok("evaluate runs/small --data test.csv"));

    let predicted = |input: &str| dir.ok(&format!("predict runs/small --input {input}"));
    assert_eq!(predicted("test.json"), predicted("test.csv"));
    let objects = dir.ok("predict runs/small --input test.json --json");
    let first: Value = serde_json::from_str(objects.lines().next().unwrap()).unwrap();
    let array: Value = serde_json::from_str(&dir.text("test.json")).unwrap();
    assert_eq!((&first["text"], &first["label"]), (&array[0]["text"], &array[0]["label"]));
    assert_eq!(objects.lines().count(), array.as_array().unwrap().len());
    // An array that is written is one that is read, from objects on several lines as well.
    dir.file("pretty.json", serde_json::to_string_pretty(&array).unwrap());
    dir.ok("predict runs/small --input pretty.json --output out.json");
    let parsed = |lines: &str| lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
    assert_eq!(parsed(&dir.ok("predict runs/small --input pretty.json --json")), parsed(&objects));
    assert_eq!(dir.ok("evaluate runs/small --data out.json"), dir.ok("evaluate runs/small --data test.csv"));
}

#[test]
fn init_writes_a_config_for_an_array() {
    let dir = with_data("init-array", 2);
    for (name, config) in [("reviews.json", "known"), ("reviews.data", "detected")] {
        dir.file(name, as_array(&dir, "train.csv"));
        dir.ok(&format!("init {name} --name {config}"));
        dir.ok(&format!("train {config}.toml --set backend=\"{CPU}\" --set train.epochs=1"));
    }
    assert!(dir.text("detected.toml").contains("format = \"json\"") && !dir.text("known.toml").contains("format ="));
}
