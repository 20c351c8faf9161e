//! Pairs of texts, from files to predictions.

use serde_json::{Value, json};

use crate::bad_input::refused;
use crate::directory::{CONFIG, Dir, setup};

const ANIMALS: [[&str; 2]; 3] = [["dog", "puppy"], ["cat", "kitten"], ["bird", "finch"]];

/// Pairs of which half are about the same animal.
fn pairs(n: usize, seed: u64) -> String {
    let mut state = seed;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % below) as usize
    };
    let mut csv = "premise,hypothesis,label\n".to_string();
    for i in 0..n {
        let first = draw(3);
        let second = if i % 2 == 0 { first } else { (first + 1 + draw(2)) % 3 };
        let label = ["same", "other"][i % 2];
        csv.push_str(&format!("the {} sleeps,a {} rests,{label}\n", ANIMALS[first][draw(2)], ANIMALS[second][draw(2)]));
    }
    csv
}

fn with_pairs(name: &str) -> Dir {
    let dir = setup(name);
    for (split, n, seed) in [("train", 160, 1), ("validation", 32, 2), ("test", 32, 3)] {
        dir.file(&format!("{split}.csv"), pairs(n, seed));
    }
    let config =
        CONFIG.replace("[model]", "text = [\"premise\", \"hypothesis\"]\n\n[model]\nattention.bidirectional = {}");
    dir.file("small.toml", config.replace("epochs = 2", "epochs = 25\nmonitor = \"loss\""));
    dir
}

/// The label of each `label<TAB>probability` line.
fn labels(stdout: &str) -> Vec<&str> {
    stdout.lines().map(|line| line.split('\t').next().unwrap()).collect()
}

#[test]
fn pairs_are_learned_and_predicted_in_every_form() {
    let dir = with_pairs("pairs");
    let finished = dir.run("train small.toml").expect(0, "train");
    let told = &finished.stderr;
    assert!(told.contains("160 train, 32 validation, 32 test examples, 2 labels, one a pair of texts\n"), "{told}");
    assert!(
        told.contains("  test, second text: 3.0 tokens a text on average, 0.0 % of texts truncated, 0.0 % of "),
        "{told}"
    );
    let next = "next: `attentive predict runs/small $'first text\\tsecond text'`\n";
    assert!(finished.stdout.ends_with(next), "{}", finished.stdout);
    assert_eq!(dir.json("runs/small/report.json")["splits"]["test"]["accuracy"], 1.0);
    assert!(dir.json("runs/small/split.json")["encoding_seconds"]["train"].is_object());

    let output = dir.command(["predict", "runs/small", "the dog sleeps\ta puppy rests", "the dog sleeps\ta cat rests"]);
    let output = { output }.output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(labels(&stdout), ["same", "other"], "{}", String::from_utf8_lossy(&output.stderr));
    let texts = "the dog sleeps\ta puppy rests\nthe dog sleeps\ta cat rests\n";
    assert_eq!(dir.pipe("predict runs/small", texts).expect(0, "stdin").stdout, stdout);
    dir.file("in.txt", texts);
    assert_eq!(dir.ok("predict runs/small --input in.txt"), stdout);

    let objects = dir.pipe("predict runs/small --json", texts).expect(0, "predict --json").stdout;
    let object: Value = serde_json::from_str(objects.lines().next().unwrap()).unwrap();
    let [first, second, label] = ["first", "second", "predicted_label"].map(|key| object[key].as_str().unwrap());
    assert_eq!((first, second, label), ("the dog sleeps", "a puppy rests", "same"));

    // Columns in another order, and one more.
    dir.file("in.csv", "id,hypothesis,premise\n7,\"a kitten, rests\",the cat sleeps\n8,a finch rests,the cat sleeps\n");
    dir.ok("predict runs/small --input in.csv --output out.csv");
    let written = dir.text("out.csv");
    let rows: Vec<&str> = written.lines().collect();
    assert_eq!(rows[0], "id,hypothesis,premise,predicted_label,probability");
    assert!(rows[1].starts_with("7,\"a kitten, rests\",the cat sleeps,same,"), "{written}");
    assert!(rows[2].starts_with("8,a finch rests,the cat sleeps,other,"), "{written}");
    dir.file("in.jsonl", "{\"premise\": \"the bird sleeps\", \"id\": 3, \"hypothesis\": \"a finch rests\"}\n");
    let object: Value = serde_json::from_str(&dir.ok("predict runs/small --input in.jsonl --json")).unwrap();
    assert_eq!((&object["id"], &object["predicted_label"]), (&json!(3), &json!("same")));
    dir.ok("predict runs/small --input in.txt --output out.tsv");
    assert!(
        dir.text("out.tsv")
            .starts_with("first\tsecond\tpredicted_label\tprobability\nthe dog sleeps\ta puppy rests\tsame\t")
    );
    assert_eq!(dir.ok("evaluate runs/small --data test.csv"), dir.ok("evaluate runs/small"));
}

/// By mechanisms that read one text.
#[test]
fn pairs_are_compared_and_joined() {
    let dir = with_pairs("pairs-compared");
    let config = dir.text("small.toml");
    for (way, model, not_in_keras) in [
        ("compare", "attention.none = {}", "`model.pair`"),
        (
            "join",
            "attention.transformer = { n_heads = 2, dropout = 0.0 }\npositions = \"learned\"",
            "`model.attention`",
        ),
    ] {
        dir.file("small.toml", config.replace("attention.bidirectional = {}", &format!("pair = \"{way}\"\n{model}")));
        dir.ok("train small.toml --overwrite --set train.optimizer.adam.learning_rate=0.01 --set model.embedding.bound=1.0");
        let accuracy = dir.json("runs/small/report.json")["splits"]["test"]["accuracy"].as_f64().unwrap();
        assert!(accuracy > 0.9, "{way}: {accuracy}");
        // Alone and among others, from the run and from a bundle of it.
        let texts = "the dog sleeps\ta puppy rests\nthe dog sleeps\ta cat rests\n\t\nthe\ta dog rests with a cat\n";
        let together = dir.pipe("predict runs/small", texts).expect(0, "predict").stdout;
        assert_eq!(labels(&together)[..2], ["same", "other"], "{way}");
        let alone = texts.lines().map(|line| dir.pipe("predict runs/small", line).expect(0, line).stdout);
        assert_eq!(alone.collect::<String>(), together, "{way}");
        dir.ok(&format!("export runs/small --format bundle --output {way}"));
        assert_eq!(dir.pipe(&format!("predict {way}"), texts).expect(0, "predict").stdout, together, "{way}");
        dir.ok(&format!("verify {way}"));
        let refused = dir.run("export runs/small --format keras --output a.keras").expect(2, "keras");
        assert!(refused.stderr.contains(not_in_keras), "{}", refused.stderr);
    }
}

#[test]
fn what_is_no_pair() {
    let dir = with_pairs("no-pairs");
    dir.ok("train small.toml --set train.epochs=1");
    let hint = "hint: write `first<TAB>second` on each line; texts that hold tabs need a csv or jsonl file, and a table \
                the extension .tsv";
    let message = |place: &str, tabs: usize| {
        format!("error: {place}: the line has {tabs} tabs, but a pair of texts has one between them\n\n{hint}")
    };
    refused(&dir, "predict runs/small text", 65, &message("argument:1", 0));
    dir.file("in.txt", "a\tb\na\tb\tc\n");
    refused(&dir, "predict runs/small --input in.txt", 65, &message("in.txt:2", 2));
    let finished = dir.pipe("predict runs/small", "a\tb\n\nc\td\n").expect(65, "an empty line");
    assert_eq!(finished.error().trim_end(), message("stdin:2", 0));
    dir.file("in.csv", "premise\na\n");
    refused(
        &dir,
        "predict runs/small --input in.csv",
        65,
        "error: `in.csv` has no column `hypothesis`: its columns are `premise`

hint: name the column of the text with `--text`, or say how the file is laid out with `--format`",
    );
}

/// Labels and pairs together: two labels of which a pair has any number.
#[test]
fn pairs_with_any_number_of_labels() {
    let dir = with_pairs("pairs-multi-label");
    for file in ["train.csv", "validation.csv", "test.csv"] {
        dir.file(file, dir.text(file).replace(",same\n", ",\"same,alike\"\n").replace(",other\n", ",\n"));
    }
    dir.ok("train small.toml --set data.multi_label=true");
    let stdout = dir.pipe("predict runs/small", "the dog sleeps\ta puppy rests\nthe cat sleeps\ta bird rests\n").stdout;
    assert_eq!(labels(&stdout), ["alike,same", ""]);
}
