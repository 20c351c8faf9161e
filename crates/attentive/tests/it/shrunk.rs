//! Exports that are smaller than what was trained, and exports that are made from a bundle.

use std::fs;

use serde_json::Value;

use crate::directory::{Dir, tree, with_data};

/// A run of the words that stand first in a text: the others are in its vocabulary all the same.
fn short_sighted(name: &str) -> Dir {
    let dir = with_data(name, 2);
    dir.ok("train small.toml --run-dir run --set model.max_length=2 --set model.embedding.dim=64");
    dir
}

fn length(dir: &Dir, file: &str) -> u64 {
    fs::metadata(dir.path(file)).unwrap().len()
}

#[test]
fn a_bundle_in_fewer_bits_is_small_measured_and_used_like_any() {
    let dir = short_sighted("shrunk-bits");
    dir.ok("export run --format bundle --output f32");
    for (dtype, at_most, told) in
        [("int8", 0.35, "in 8 bits"), ("bf16", 0.51, "in 16 bits (bfloat16)"), ("f16", 0.51, "in 16 bits (float16)")]
    {
        let export = dir.ok(&format!("export run --format bundle --dtype {dtype} --output {dtype}"));
        let share =
            length(&dir, &format!("{dtype}/model.safetensors")) as f64 / length(&dir, "f32/model.safetensors") as f64;
        assert!(share < at_most, "{dtype}: {share}");
        assert!(
            export.contains("accuracy on the test split of 18 examples: ") && export.contains(" before, "),
            "{export}"
        );
        assert!(dir.text(format!("{dtype}/README.md")).contains(told));
        // What it says of its quality is its own.
        let metrics: Value = serde_json::from_str(&dir.ok(&format!("evaluate {dtype} --json"))).unwrap();
        let measured = &dir.json(format!("{dtype}/MANIFEST.json"))["about"]["measured"];
        assert_eq!(measured["test"]["accuracy"], metrics["accuracy"]);
        assert_eq!(measured.as_object().unwrap().len(), 1, "{measured}");
        assert!(dir.ok(&format!("verify {dtype}")).contains("everything is as it should be"));
        assert!(dir.ok(&format!("inspect {dtype}")).contains("parameters"));
        assert_eq!(dir.ok(&format!("predict {dtype} great dull")).lines().count(), 2);
        let line = format!(
            "train small.toml --run-dir again --overwrite --set model.max_length=2 --set model.embedding.dim=64 \
                            --set train.init_from={dtype}"
        );
        let told = dir.run(&line).expect(0, &line).stderr;
        assert!(told.contains("3 of 3 weights as they are"), "{told}");
    }
    // The numbers of the safetensors export are those of the bundle.
    dir.ok("export run --format safetensors --dtype int8 --output torch");
    assert_eq!(dir.read("torch/model.safetensors"), dir.read("int8/model.safetensors"));
    assert_eq!(dir.read("torch/examples.jsonl"), dir.read("int8/examples.jsonl"));
    assert_ne!(dir.read("torch/examples.jsonl"), dir.read("f32/examples.jsonl"));
}

#[test]
fn a_pruned_vocabulary_says_the_same_of_the_data() {
    let dir = short_sighted("shrunk-words");
    let told = dir.ok("export run --format bundle --prune-vocabulary --output pruned");
    assert!(told.contains(" tokens stay and ") && told.contains(" go, which no text of the data uses"), "{told}");
    let words = |file: &str| dir.json(file)["model"]["vocab"].as_object().unwrap().len();
    let (kept, of) = (words("pruned/tokenizer.json"), words("run/tokenizer.json"));
    assert!(kept < of && told.contains(&format!("{kept} of {of} tokens stay and {} go", of - kept)), "{told}");
    for file in ["train.csv", "validation.csv", "test.csv"] {
        let predict = |from: &str| dir.ok(&format!("predict {from} --input {file} --json"));
        assert_eq!(predict("pruned"), predict("run"), "{file}");
    }
    // It was measured with all of its words, which changes nothing.
    let measured = |bundle: &str| dir.json(format!("{bundle}/MANIFEST.json"))["about"]["measured"].clone();
    dir.ok("export run --format bundle --output whole");
    assert_eq!(measured("pruned"), measured("whole"));
    let both = dir.ok("export run --format bundle --prune-vocabulary --dtype int8 --output small");
    assert!(both.contains("tokens stay") && both.contains("int8: the weights have"), "{both}");
    assert!(length(&dir, "small/model.safetensors") < length(&dir, "pruned/model.safetensors"));
    // Of a small bundle there is nothing more to drop.
    let again = dir.ok("export pruned --format safetensors --prune-vocabulary --output again");
    assert!(again.contains(&format!("all {kept} tokens are in the data: none goes")), "{again}");
}

#[test]
fn what_cannot_be_pruned_or_rounded_is_refused() {
    let dir = with_data("shrunk-refused", 2);
    dir.ok("train small.toml --run-dir run --set tokenizer.bpe={vocab_size=300} --set train.epochs=1");
    for (options, told) in [
        ("--format bundle --prune-vocabulary", "the vocabulary cannot be pruned"),
        ("--format onnx --prune-vocabulary", "`--prune-vocabulary` is not for `--format onnx`"),
        ("--format keras --prune-vocabulary", "`--prune-vocabulary` is not for `--format keras`"),
        ("--format onnx --dtype int8", "`--dtype` is not for `--format onnx`"),
        ("--format keras --dtype f16", "`--dtype` is not for `--format keras`"),
    ] {
        let refused = dir.run(&format!("export run {options} --output out")).expect(2, options);
        assert!(refused.error().contains(told) && refused.error().contains("hint:"), "{}", refused.error());
    }
    assert!(!dir.path("out").exists());
}

#[test]
fn a_bundle_is_exported_as_its_run_is() {
    let dir = with_data("shrunk-from", 2);
    dir.ok("train small.toml --run-dir run");
    dir.ok("export run --format bundle --output bundle");
    for from in ["run", "bundle"] {
        for format in ["safetensors", "onnx"] {
            dir.ok(&format!("export {from} --format {format} --output {from}-{format}"));
        }
        dir.ok(&format!("export {from} --format keras --output {from}.keras"));
    }
    assert_eq!(tree(&dir.path("bundle-safetensors")), tree(&dir.path("run-safetensors")));
    assert_eq!(dir.read("bundle-onnx"), dir.read("run-onnx"));
    // Where Adam stood is in no bundle.
    let told = dir.ok("export bundle --format keras --output again.keras");
    assert!(told.contains("without the state of an optimizer"), "{told}");
    assert!(length(&dir, "bundle.keras") < length(&dir, "run.keras"));
    // It needs none of the run's files.
    for file in ["train.csv", "validation.csv", "test.csv"] {
        fs::remove_file(dir.path(file)).unwrap();
    }
    dir.ok("export bundle --format safetensors --output alone");
    assert_eq!(tree(&dir.path("alone")), tree(&dir.path("run-safetensors")));
}

/// The mean of the best epochs, and moving averages, are what every format holds: `predict` computes with them.
#[test]
fn averages_are_what_is_exported() {
    let dir = with_data("shrunk-averages", 2);
    for set in ["train.ema=0.9", "train.average_best=2"] {
        dir.ok(&format!("train small.toml --run-dir run --overwrite --set train.epochs=3 --set {set}"));
        let name = set.split('=').next().unwrap();
        for format in ["bundle", "safetensors"] {
            dir.ok(&format!("export run --format {format} --output {name}-{format}"));
        }
        let weights = dir.read(format!("{name}-bundle/model.safetensors"));
        assert_eq!(weights, dir.read(format!("{name}-safetensors/model.safetensors")));
        for checkpoint in dir.list("run/checkpoints") {
            assert_ne!(weights, dir.read(format!("run/checkpoints/{checkpoint}/model.safetensors")), "{set}");
        }
        let predict = |from: &str| dir.ok(&format!("predict {from} --input test.csv --json"));
        assert_eq!(predict(&format!("{name}-bundle")), predict("run"), "{set}");
        let report = dir.json("run/report.json");
        assert_eq!(
            dir.json(format!("{name}-bundle/MANIFEST.json"))["files"]["model.safetensors"]["sha256"],
            report["weights_sha256"]
        );
    }
}
