//! `train.init_from`: what is taken from a run, a bundle or a file, what is not, and that it is told.

use serde_json::json;

use crate::directory::{Dir, reviews, with_data};

/// A run, its bundle and its weights as files in two precisions.
fn trained(name: &str) -> Dir {
    let dir = with_data(name, 2);
    dir.ok("train small.toml --run-dir run");
    dir.ok("export run --format bundle --output bundle");
    dir.ok("export run --format safetensors --output f32");
    dir.ok("export run --format safetensors --dtype bf16 --output bf16");
    dir
}

/// The line of a metrics file at the end of the first epoch, for a training that hardly moves.
fn still(dir: &Dir, from: &str, more: &str) -> (String, f64) {
    let line = format!(
        "train small.toml --run-dir again --overwrite --set train.epochs=1 --set train.optimizer.adam.learning_rate=1e-12 \
         --set train.init_from={from} {more}"
    );
    let finished = dir.run(&line).expect(0, &line);
    let accuracy = dir.json("again/report.json")["splits"]["test"]["accuracy"].as_f64().unwrap();
    (finished.stderr, accuracy)
}

#[test]
fn the_same_model_starts_where_the_other_ended() {
    let dir = trained("init-same");
    let accuracy = dir.json("run/report.json")["splits"]["test"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.9, "{accuracy}");
    for from in ["run", "bundle", "f32/model.safetensors", "bf16/model.safetensors"] {
        let (told, again) = still(&dir, from, "");
        assert!(told.contains(&format!("starts from `{from}` (weights ")), "{told}");
        assert!(told.contains("3 of 3 weights as they are"), "{told}");
        assert_eq!(again, accuracy, "{from}");
        let account = &dir.json("again/split.json")["start"];
        assert_eq!((&account["path"], &account["weights"]["head.bias"]), (&json!(from), &json!("whole")), "{account}");
    }
    let run = &dir.json("again/split.json")["start"]["weights_sha256"];
    assert_ne!(run, &dir.json("run/report.json")["weights_sha256"], "bf16 is rounded");
}

#[test]
fn other_labels_get_a_new_head_and_other_words_new_rows() {
    let dir = trained("init-other");
    dir.file("train.csv", reviews(48, 3, 5).replace("film", "picture"));
    for file in ["validation.csv", "test.csv"] {
        dir.file(file, reviews(18, 3, 6));
    }
    let (told, _) = still(&dir, "bundle", "--set model.positions=\"learned\"");
    assert!(told.contains("head.weight: new, because the labels are others"), "{told}");
    assert!(told.contains("positions.weight: new, because there is none of this name"), "{told}");
    let account = &dir.json("again/split.json")["start"]["weights"]["embedding.weight"]["rows"];
    assert_eq!(account["by"], "token");
    let [loaded, of] = ["loaded", "of"].map(|key| account[key].as_u64().unwrap());
    assert!(loaded > 5 && loaded < of, "{account}");
    // A file says nothing of its labels and words: only shapes count, and these are others.
    let line = "train small.toml --run-dir new --set train.init_from=f32/model.safetensors";
    assert!(dir.run(line).expect(65, line).error().contains("none of its weights fits this model"));
}

#[test]
fn what_a_model_does_not_have_is_told() {
    let dir = trained("init-unused");
    dir.ok("train small.toml --run-dir scaled --set model.attention.dot.use_scale=true");
    let (told, _) = still(&dir, "scaled", "");
    assert!(told.contains("not used: attention.scale"), "{told}");
}

#[test]
fn a_run_that_started_from_another_is_verified_with_it() {
    let dir = trained("init-verify");
    dir.ok("train small.toml --run-dir again --set train.init_from=bundle");
    assert!(dir.ok("verify again").contains("everything is as it should be"));
}

#[test]
fn a_run_goes_on_when_what_it_started_from_is_gone() {
    let dir = trained("init-gone");
    dir.ok("train small.toml --run-dir whole --set train.init_from=bundle --set train.epochs=3");
    dir.ok("train small.toml --run-dir again --set train.init_from=bundle --set train.epochs=1");
    let account = dir.json("again/split.json")["start"].clone();
    std::fs::rename(dir.path("bundle"), dir.path("gone")).unwrap();
    dir.ok("train small.toml --run-dir again --resume --set train.init_from=bundle --set train.epochs=3");
    assert_eq!(dir.json("again/split.json")["start"], account);
    let weights = |run: &str| dir.json(format!("{run}/report.json"))["weights_sha256"].clone();
    assert_eq!(weights("again"), weights("whole"));
}

#[test]
fn the_weights_it_started_from_are_in_every_checkpoint() {
    let dir = trained("init-origin");
    dir.ok("train small.toml --run-dir again --set train.init_from=bundle");
    let started = dir.json("again/split.json")["start"]["weights_sha256"].clone();
    for checkpoint in dir.list("again/checkpoints") {
        let manifest = dir.text(format!("again/checkpoints/{checkpoint}/MANIFEST.json"));
        assert!(manifest.contains(&format!("\"start\": {started}")), "{manifest}");
    }
    // Other weights at the same place: the replay says so, instead of steps that come out otherwise.
    dir.ok("train small.toml --run-dir other --set seed=8");
    dir.ok("export other --format bundle --output new");
    std::fs::rename(dir.path("bundle"), dir.path("old")).unwrap();
    std::fs::rename(dir.path("new"), dir.path("bundle")).unwrap();
    let refused = dir.run("verify again").expect(65, "verify");
    assert!(refused.error().contains("start: not the same"), "{}", refused.error());
}

#[test]
fn what_cannot_be_started_from_is_told_before_anything_is_made() {
    let dir = trained("init-bad");
    dir.file("noise.safetensors", b"not a file of tensors");
    dir.file("other.toml", "");
    let bytes = dir.read("bundle/model.safetensors");
    dir.file("bundle/model.safetensors", &bytes[..bytes.len() - 1]);
    for (from, code, told) in [
        ("nowhere", 66, "there is nothing to start from at `nowhere`"),
        ("noise.safetensors", 65, "cannot start from `noise.safetensors`: "),
        ("train.csv", 65, "cannot start from `train.csv`: "),
        ("bundle", 65, "`bundle/model.safetensors` is damaged"),
        ("/dev/null", 65, "it is no file and no directory"),
        ("f32", 66, "`f32` is not a run directory"),
    ] {
        let line = format!("train small.toml --run-dir new --set train.init_from={from}");
        let refused = dir.run(&line).expect(code, &line);
        assert!(refused.error().contains(told) && refused.error().contains("hint:"), "{from}: {}", refused.error());
        assert!(!dir.path("new").exists());
    }
    let both = "train small.toml --run-dir new --set train.init_from=run --set model.embedding.vectors=a.vec";
    assert!(dir.run(both).expect(2, both).error().contains("both say where the token vectors start"));
    let no_source = "train small.toml --run-dir new --set train.init_names.'embedding.weight'=wte";
    assert!(dir.run(no_source).expect(2, no_source).error().contains("`train.init_from`, which is not set"));
    let nowhere = format!("{} --set train.init_from=run", no_source.replace("new", "other"));
    assert!(dir.run(&nowhere).expect(65, &nowhere).error().contains("cannot start from `run`: it has no weight `wte`"));
}
