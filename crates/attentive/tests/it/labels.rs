//! Heads, thresholds and weights that do not fit the labels found, and every problem of a config before data is read.

use crate::bad_input::refused;
use crate::directory::{setup, with_data};

#[test]
fn what_only_the_labels_found_can_tell() {
    let dir = with_data("labels-found", 3);
    refused(
        &dir,
        "train small.toml --set train.class_weights={good=2,bda=3}",
        2,
        "error: `train.class_weights` names `bda`, which is no label: the labels are `bad`, `good`, `mixed`

hint: correct the name, or leave it out: it then counts 1",
    );
    refused(
        &dir,
        "train small.toml --set model.head=\"sigmoid\"",
        2,
        "error: `model.head` is `sigmoid`, which decides between two labels, but the data has 3

hint: set `model.head = \"auto\"`, or `data.multi_label = true` if a text may have several labels",
    );
    for threshold in ["0.3", "\"tuned\""] {
        refused(
            &dir,
            &format!("train small.toml --set train.threshold={threshold}"),
            2,
            "error: `train.threshold` is for sigmoids, but this data has 3 labels, of which the most probable wins

hint: leave `train.threshold` out; `train.class_weights` shifts decisions between labels",
        );
    }
}

#[test]
fn weights_of_labels_balanced_and_given() {
    let dir = with_data("class-weights", 2);
    // Two of three examples are bad: balanced weights are 48 / (2 · 32) and 48 / (2 · 16).
    let uneven = |csv: String| {
        let line = |(i, line): (usize, &str)| match i % 6 == 2 { true => line.replace(",good", ",bad"), false => line.to_string() } + "\n";
        csv.lines().enumerate().map(line).collect::<String>()
    };
    dir.file("train.csv", uneven(dir.text("train.csv")));
    let labels = &{
        dir.ok("train small.toml --set train.class_weights=\"balanced\"");
        dir.json("runs/small/split.json")["manifest"]["train"]["labels"].clone()
    };
    assert_eq!(*labels, serde_json::json!({ "bad": 32, "good": 16 }));
    dir.ok("train small.toml --run-dir runs/given --set train.class_weights={bad=0.75,good=1.5}");
    assert_eq!(dir.text("runs/given/report.json"), dir.text("runs/small/report.json"));
    dir.ok("train small.toml --run-dir runs/none");
    assert_ne!(dir.text("runs/none/report.json"), dir.text("runs/small/report.json"));
    // With names given in the config, a wrong one is found there.
    let line = "train small.toml --run-dir runs/x --set data.labels={good=\"fine\",bad=\"poor\"} --set train.class_weights={fin=2}";
    let finished = dir.run(line).expect(2, line);
    assert!(
        finished.stderr.contains("names `fin`, which is no label: the labels are `fine`, `poor`"),
        "{}",
        finished.stderr
    );
}

/// None of the files that it names is there.
#[test]
fn everything_wrong_with_a_config_is_told_before_data_is_read() {
    let dir = setup("no-data");
    dir.file(
        "c.toml",
        "[data]\ntrain = \"none.csv\"\ntext = [\"premise\", \"hypothesis\"]\n[features]\nword_ngrams = 2\n[model]\nembedding = { dim = 10, frozen = true }\nattention.transformer = { n_heads = 4 }\n[train]\nthreshold = \"tuned\"\nlearning_rates = { pooling = 0.1 }\n",
    );
    refused(
        &dir,
        "train c.toml",
        2,
        "error: the config is not valid

c.toml:3:8: `data.text` names two columns, but `attention.transformer` reads one text: set `pair = \"compare\"`, `pair = \"join\"` or `attention.bidirectional = {}` under `[model]`, or name one column
  |
3 | text = [\"premise\", \"hypothesis\"]
  |        ^^^^^^^^^^^^^^^^^^^^^^^^^
  |
c.toml:4:1: `features` are n-grams of single texts, but `data.text` names two columns: leave one out
  |
4 | [features]
  | ^^^^^^^^^^
  |
c.toml:7:34: `frozen = true` would keep random vectors as they are: name pretrained ones in `embedding.vectors`
  |
7 | embedding = { dim = 10, frozen = true }
  |                                  ^^^^
  |
c.toml:8:37: `n_heads` is 4, but must divide `embedding.dim`, which is 10: each head takes an equal share
  |
8 | attention.transformer = { n_heads = 4 }
  |                                     ^
  |
c.toml:10:13: choosing thresholds needs `data.validation`, a file or `{ fraction = 0.1 }`
   |
10 | threshold = \"tuned\"
   |             ^^^^^^^
   |
c.toml:11:30: no part of this model that is trained is called `pooling`; its parts are `attention`, `ngrams`, `head`
   |
11 | learning_rates = { pooling = 0.1 }
   |                              ^^^
   |
6 problems in c.toml",
    );
    assert!(!dir.path("runs").exists());
}
