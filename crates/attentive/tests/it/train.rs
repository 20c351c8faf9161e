//! From a config to a run directory, and the commands that look at either.

use std::process::Command;

use serde_json::Value;

use crate::directory::{CPU, repository, setup, with_data};

/// The attention mechanisms, as `--set` arguments.
const MECHANISMS: [(&str, &str); 6] = [
    ("none", "model.attention.none={}"),
    ("dot", "model.attention.dot={dropout=0.1}"),
    ("scaled_dot", "model.attention.scaled_dot={dim=6,dropout=0.1}"),
    ("additive", "model.attention.additive={dim=6,dropout=0.1}"),
    ("multi_head", "model.attention.multi_head={n_heads=2,dropout=0.1}"),
    ("transformer", "model.attention.transformer={n_layers=1,n_heads=2,d_feed_forward=16,dropout=0.1}"),
];

#[test]
fn every_mechanism_trains_with_two_labels() {
    every_mechanism_trains(2);
}

#[test]
fn every_mechanism_trains_with_three_labels() {
    every_mechanism_trains(3);
}

fn every_mechanism_trains(labels: usize) {
    let dir = with_data("mechanisms", labels);
    for (name, set) in MECHANISMS {
        let line = format!("train small.toml --set {set} --run-dir runs/{name} --set train.epochs=1");
        let finished = dir.run(&line).expect(0, &line);
        assert!(finished.stdout.contains(&format!("run `runs/{name}`")), "{}", finished.stdout);
        let run = format!("runs/{name}");
        let report = dir.json(format!("{run}/report.json"));
        for (split, n) in [("train", 48), ("validation", 18), ("test", 18)] {
            let metrics = &report["splits"][split];
            assert_eq!(metrics["n"], n, "{name} {split}");
            let accuracy = metrics["accuracy"].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&accuracy) && metrics["loss"].as_f64().unwrap() > 0.0, "{name} {metrics}");
            assert_eq!(metrics["per_label"].as_array().unwrap().len(), labels);
        }
    }
}

/// Three labels are told apart by words that give them away, so a model that learns gets the test split right.
#[test]
fn a_model_learns_what_can_be_learnt() {
    let dir = with_data("learns", 3);
    // The rare words of the training texts, which could be learnt by heart, stay outside the vocabulary.
    dir.ok("train small.toml --set train.epochs=12 --set tokenizer.word.vocab_size=20");
    let report = dir.json("runs/small/report.json");
    assert_eq!(report["splits"]["test"]["accuracy"], 1.0);
    let stdout = String::from_utf8(
        dir.command(["predict", "runs/small", "awful dull", "great lovely", "uneven average"]).output().unwrap().stdout,
    );
    let labels: Vec<String> =
        stdout.unwrap().lines().map(|line| line.split('\t').next().unwrap().to_string()).collect();
    assert_eq!(labels, ["bad", "good", "mixed"]);
}

#[test]
fn a_run_directory_holds_what_it_should_and_nothing_else() {
    let dir = with_data("layout", 2);
    dir.ok("train small.toml");
    assert_eq!(
        dir.list("runs/small"),
        [
            "checkpoints",
            "config.toml",
            "labels.json",
            "lock",
            "metrics.jsonl",
            "report.json",
            "split.json",
            "tokenizer.json",
            "versions.json"
        ]
    );
    // 48 examples in batches of 8 are 6 steps an epoch.
    assert_eq!(dir.list("runs/small/checkpoints"), ["step-0000000006", "step-0000000012"]);
    assert_eq!(
        dir.list("runs/small/checkpoints/step-0000000012"),
        ["MANIFEST.json", "model.safetensors", "optimizer.bpk", "state.json"]
    );
    assert_eq!(dir.json("runs/small/labels.json"), serde_json::json!(["bad", "good"]));
    let versions = dir.json("runs/small/versions.json");
    assert_eq!(versions["attentive"], env!("CARGO_PKG_VERSION"));
    assert!(versions["burn"].as_str().unwrap().starts_with("0."), "{versions}");
    assert_eq!(versions["backend"], if cfg!(feature = "flex") { "flex" } else { CPU });
    let split = dir.json("runs/small/split.json");
    assert_eq!(split["manifest"]["train"]["examples"], 48);
    assert_eq!(split["manifest"]["train"]["files"][0]["rows"], 48);
    assert_eq!(split["manifest"]["fingerprint"].as_str().unwrap().len(), 64);

    // A line every third step and one at the end of each of the two epochs.
    let lines: Vec<Value> =
        dir.text("runs/small/metrics.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let steps: Vec<u64> = lines.iter().map(|line| line["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [3, 6, 6, 9, 12, 12]);
    assert!(lines[2]["validation"]["accuracy"].is_f64() && lines[0]["lr"] == 0.05, "{lines:?}");
}

#[test]
fn a_validation_share_is_cut_from_the_training_examples() {
    let dir = with_data("cut", 2);
    dir.ok("train small.toml --set data.validation={fraction=0.25} --set train.epochs=1");
    let split = dir.json("runs/small/split.json");
    // 24 examples of each label, a quarter of each is 6.
    assert_eq!(split["manifest"]["validation"]["examples"], 12);
    assert_eq!(split["manifest"]["validation"]["labels"], serde_json::json!({ "bad": 6, "good": 6 }));
    assert_eq!(dir.json("runs/small/report.json")["splits"]["train"]["n"], 36);
}

#[test]
fn evaluate_says_what_the_report_says() {
    let dir = with_data("evaluate", 2);
    dir.ok("train small.toml --set train.epochs=1");
    let report = dir.json("runs/small/report.json");
    for (split, n) in [("train", "48"), ("validation", "18"), ("test", "18")] {
        let json: Value =
            serde_json::from_str(&dir.ok(&format!("evaluate runs/small --split {split} --json"))).unwrap();
        assert_eq!(json, report["splits"][split], "{split}");
        let table = dir.ok(&format!("evaluate runs/small --split {split}"));
        let line = |start: &str| table.lines().find(|line| line.starts_with(start)).unwrap().to_string();
        assert!(line("examples").ends_with(n), "{table}");
        let metrics = &report["splits"][split];
        let percent = format!("{:.1} %", metrics["accuracy"].as_f64().unwrap() * 100.0);
        assert!(line("accuracy").contains(&percent), "{table}");
        assert!(line("loss").contains(&format!("{:.4}", metrics["loss"].as_f64().unwrap())), "{table}");
        assert!(line("majority baseline").contains("50.0 %"), "{table}");
    }
    let json: Value = serde_json::from_str(&dir.ok("evaluate runs/small --data test.csv --json")).unwrap();
    assert_eq!(json, report["splits"]["test"]);
    assert_eq!(dir.ok("evaluate runs/small"), dir.ok("evaluate runs/small --split test"));
}

#[test]
fn evaluate_warns_of_data_that_is_not_the_runs() {
    let dir = with_data("changed-data", 2);
    dir.ok("train small.toml --set train.epochs=1");
    dir.file("test.csv", "text,label\na great film,good\n");
    let finished = dir.run("evaluate runs/small").expect(0, "evaluate");
    assert_eq!(
        finished.stderr,
        "warning: the data files have changed since the run was made: this is not the data it was trained and measured \
         on\n"
    );
}

/// Four words and `[PAD]` and `[UNK]` are a vocabulary of 6.
const FOUR_WORDS: &str = "text,label\ngood film,pos\nbad film,neg\ndull film,neg\n";

#[test]
fn inspect_counts_the_parameters_of_the_reference_model() {
    let dir = setup("inspect-reference");
    dir.file("train.csv", FOUR_WORDS);
    dir.file(
        "reference.toml",
        "[data]\ntrain = \"train.csv\"\n[model]\nmasking = false\npadding = \"max_length\"\n[train]\nepochs = 1\n",
    );
    // Embedding 6 × 64 = 384, head 64 + 1 = 65; 449 · 4 bytes, and four times that for gradients and two moments.
    let text = dir.ok("inspect reference.toml");
    assert_eq!(
        rows(&text),
        [
            "layer | kind | output shape | parameters",
            "embedding | Embedding | (None, 100, 64) | 384",
            "attention | Dot-product attention | (None, 100, 64) | 0",
            "pooling | Mean pooling | (None, 64) | 0",
            "head | Sigmoid head | (None, 1) | 65",
            "parameters: 449 (1.8 kB)",
            "memory to train, without activations: 7.2 kB (weights, gradients, 2 moments)",
        ]
    );
    assert!(!dir.path("runs").exists(), "inspect creates nothing");

    dir.ok("train reference.toml");
    let of_run = rows(&dir.ok("inspect runs/reference"));
    assert_eq!(of_run[..7], rows(&text)[..]);
    assert_eq!(of_run[7..9], ["labels: neg, pos", "weights of step 1"]);
    assert!(of_run[9].starts_with("train accuracy ") && of_run[9].ends_with(" of 3"), "{of_run:?}");
}

#[test]
fn inspect_counts_the_parameters_of_other_models() {
    let dir = setup("inspect-others");
    dir.file("train.csv", format!("{FOUR_WORDS}film film,mixed\n"));
    dir.file("three.toml", "[data]\ntrain = \"train.csv\"\n[model]\nembedding = { dim = 8 }\n");
    let rows_of = |set: &str| rows(&dir.ok(&format!("inspect three.toml {set}")));
    // Queries, keys and values 3 · (8 · 6 + 6) = 162; the head takes 6 values to 3 labels: 18 + 3 = 21.
    let scaled_dot = rows_of("--set model.attention.scaled_dot={dim=6}");
    assert_eq!(
        scaled_dot[2..5],
        [
            "attention | Scaled dot-product attention | (None, None, 6) | 162",
            "pooling | Mean pooling | (None, 6) | 0",
            "head | Softmax head | (None, 3) | 21",
        ]
    );
    // A block: four projections 4 · (64 + 8) = 288, two norms 2 · 16 = 32, feed-forward 8 · 16 + 16 + 16 · 8 + 8 = 280.
    let transformer = rows_of(
        "--set model.attention.transformer={n_layers=2,n_heads=2,d_feed_forward=16} --set model.positions=\"learned\" \
         --set model.max_length=10 --set train.optimizer.sgd={}",
    );
    assert_eq!(
        transformer[1..],
        [
            "embedding | Embedding | (None, None, 8) | 48",
            "positions | Learned positions | (None, None, 8) | 80",
            "attention.layers.0 | Encoder block (2 heads) | (None, None, 8) | 600",
            "attention.layers.1 | Encoder block (2 heads) | (None, None, 8) | 600",
            "attention.norm | Layer norm | (None, None, 8) | 16",
            "pooling | Mean pooling | (None, 8) | 0",
            "head | Softmax head | (None, 3) | 27",
            "parameters: 1,371 (5.5 kB)",
            "memory to train, without activations: 11.0 kB (weights, gradients, 0 moments)",
        ]
    );
}

/// The lines of a table with one ` | ` where there are two spaces or more; blank lines left out.
pub(crate) fn rows(text: &str) -> Vec<String> {
    let cells =
        |line: &str| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(" | ");
    text.lines().filter(|line| !line.is_empty()).map(cells).collect()
}

#[test]
fn the_schema_is_json_and_the_reference_is_current() {
    let dir = setup("schema");
    let schema: Value = serde_json::from_str(&dir.ok("schema")).unwrap();
    assert_eq!(schema["title"], "Attentive config");
    assert!(schema["properties"]["train"].is_object(), "{schema}");
    let page = repository().join("docs/config.md");
    let committed = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        committed == dir.ok("schema --markdown"),
        "docs/config.md is not current; run `attentive schema --markdown > docs/config.md`"
    );
}

#[test]
fn completions_are_a_script_that_the_shell_accepts() {
    let dir = setup("completions");
    let script = dir.ok("completions bash");
    assert!(script.contains("complete -F _attentive"), "{script}");
    dir.file("attentive.bash", &script);
    match Command::new("bash").arg("-n").arg(dir.path("attentive.bash")).status() {
        Ok(status) => assert!(status.success()),
        Err(error) => eprintln!("skipped: bash does not start here: {error}"),
    }
    for shell in ["zsh", "fish", "powershell", "elvish"] {
        assert!(dir.ok(&format!("completions {shell}")).contains("predict"), "{shell}");
    }
}

#[test]
fn devices_lists_every_backend_and_what_auto_takes() {
    let text = setup("devices").ok("devices");
    let line = |backend: &str| text.lines().find(|line| line.starts_with(backend)).unwrap().to_string();
    assert!(!line(CPU).contains(" no"), "{text}");
    for (backend, built) in
        [("flex", cfg!(feature = "flex")), ("ndarray", cfg!(feature = "ndarray")), ("wgpu", cfg!(feature = "wgpu"))]
    {
        assert_eq!(line(backend).contains("not in this build"), !built, "{text}");
        assert_eq!(text.contains(&format!("`cargo build --release --features {backend}`")), !built, "{text}");
    }
    let chosen = text.lines().filter(|line| line.ends_with("chosen")).count();
    assert_eq!(chosen, 1, "{text}");
}

#[test]
fn a_dry_run_prints_a_config_that_resolves_to_itself() {
    let dir = with_data("dry-run", 2);
    let sets = [
        String::new(),
        "--set data.validation={fraction=0.2} --set train.max_grad_norm=1 --set name=other".to_string(),
        "--set train.optimizer.adamw={weight_decay=0.01} --set train.schedule.cosine={warmup_steps=4}".to_string(),
        "--set train.optimizer.sgd={momentum=0.9} --set train.early_stopping={patience=2}".to_string(),
        "--set train.optimizer.lion={} --set train.class_weights={good=2,bad=0.1} --set train.threshold=0.3"
            .to_string(),
        "--set train.class_weights=\"balanced\" --set train.threshold=\"tuned\" --set train.loss.focal={gamma=1}"
            .to_string(),
        "--set data.text=[\"a\",1] --set model.attention.bidirectional={} --set data.multi_label=true".to_string(),
        "--set features.character_ngrams={max=5} --set train.learning_rates={ngrams=0.1} --set train.ema=0.99"
            .to_string(),
        format!("--backend {CPU} --set data.labels={{bad=\"0\",good=\"1\"}}"),
    ];
    for set in sets.iter().map(String::as_str).chain(MECHANISMS.map(|(_, set)| set)) {
        let set = if set.starts_with("model") { format!("--set {set}") } else { set.to_string() };
        let resolved = dir.ok(&format!("train small.toml --dry-run {set}"));
        dir.file("resolved.toml", &resolved);
        assert_eq!(dir.ok("train resolved.toml --dry-run"), resolved, "{set}");
    }
    assert!(!dir.path("runs").exists());
}

#[test]
fn the_saved_config_trains_the_same_run() {
    let dir = with_data("saved-config", 2);
    dir.ok("train small.toml --set train.epochs=1");
    dir.ok("train runs/small/config.toml --run-dir runs/again");
    assert_eq!(dir.text("runs/again/config.toml"), dir.text("runs/small/config.toml"));
    assert_eq!(dir.text("runs/again/report.json"), dir.text("runs/small/report.json"));
}

#[test]
fn quiet_is_quiet_and_verbose_tells_of_every_checkpoint() {
    let dir = with_data("talk", 2);
    let quiet = dir.run("--quiet train small.toml --set train.epochs=1 --run-dir runs/a").expect(0, "quiet");
    assert_eq!(quiet.stderr, "");
    assert!(quiet.stdout.contains("split"), "{}", quiet.stdout);
    let line = "train small.toml --verbose --set train.epochs=1 --set train.checkpoint_every=2 --run-dir runs/b";
    let verbose = dir.run(line).expect(0, line);
    let saved = verbose.stderr.lines().filter(|line| line.starts_with("saved `runs/b/checkpoints/step-")).count();
    assert_eq!(saved, 3, "after steps 2, 4 and 6\n{}", verbose.stderr);
    let logged: Vec<&str> = verbose.stderr.lines().filter_map(|line| line.split("  ").nth(1)).collect();
    assert!(logged.contains(&"step 3/6") && logged.contains(&"step 6/6"), "{}", verbose.stderr);
}

#[test]
fn overwrite_leaves_nothing_of_the_run_before() {
    let dir = with_data("overwrite", 2);
    dir.ok("train small.toml --set train.epochs=3");
    dir.file("runs/small/notes.txt", "mine");
    dir.ok("train small.toml --overwrite --set train.epochs=1");
    assert_eq!(dir.list("runs/small/checkpoints"), ["step-0000000006"]);
    assert_eq!(dir.text("runs/small/notes.txt"), "mine", "files that are not the run's stay");
}

/// The figures are scikit-learn's on the shipped dataset: `TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)` beside
/// the same with `analyzer="char_wb", ngram_range=(2, 5)`, and `LinearSVC(C=0.4)`.
#[test]
fn a_plain_linear_model_is_measured_beside_the_classifier() {
    const SCIKIT_LEARN: [(&str, f64, f64); 3] = [
        ("train", 0.93225, 0.932_249_284_383_066_3),
        ("validation", 0.873, 0.872_984_631_140_368),
        ("test", 0.866, 0.865_922_771_516_395_7),
    ];
    let dir = setup("baseline");
    let data = repository().join("datasets/quickstart");
    let of = |split: &str| format!("{split} = \"{}\"\n", data.join(format!("{split}.csv")).display());
    let config = "[model]\nmax_length = 64\nembedding = { dim = 4 }\nattention.none = {}\n[train]\nepochs = 1\n";
    let splits = [of("train"), of("validation"), of("test")].concat();
    dir.file("small.toml", format!("backend = \"{CPU}\"\n[data]\n{splits}{config}"));
    let finished = dir.run("train small.toml").expect(0, "train");
    assert!(finished.stdout.contains("macro F1  linear  majority"), "{}", finished.stdout);
    assert!(
        finished.stderr.contains("note: a plain linear model decides 86.6 % of the test split right, this classifier")
    );
    let baseline = &dir.json("runs/small/report.json")["baseline"];
    for (split, accuracy, macro_f1) in SCIKIT_LEARN {
        let of = |key: &str| baseline[split][key].as_f64().unwrap();
        assert!((of("accuracy") - accuracy).abs() < 1e-9 && (of("macro_f1") - macro_f1).abs() < 1e-9, "{baseline}");
    }
    let without = dir.run("train small.toml --overwrite --set train.baseline=false").expect(0, "train");
    assert!(!without.stdout.contains("linear") && !without.stderr.contains("linear"), "{}", without.stderr);
    assert_eq!(dir.json("runs/small/report.json").get("baseline"), None);
}

/// The data and the config are inside the command. A place that is taken ends it before it trains.
#[test]
fn the_quickstart_brings_its_data_along() {
    let dir = setup("quickstart");
    dir.file("taken", "");
    dir.run("quickstart --run-dir taken").expect(74, "a run directory that is a file");
    let shipped = repository().join("datasets/quickstart/train.csv");
    assert_eq!(dir.read("quickstart/train.csv"), std::fs::read(shipped).unwrap());
    dir.ok("check quickstart/quickstart.toml");
    std::fs::remove_file(dir.path("quickstart/quickstart.toml")).unwrap();
    let refused = dir.run("quickstart").expect(73, "a directory of something else");
    assert!(refused.error().contains("it is not the quickstart"), "{}", refused.stderr);
}
