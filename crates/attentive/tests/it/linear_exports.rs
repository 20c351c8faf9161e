//! Exports of a classifier with a linear part, beside the network or alone. That PyTorch and onnxruntime compute the same is for
//! `scripts/check_exports.py`.

use crate::directory::{Dir, with_data};

/// A run with a linear part, and its exports.
fn exported(name: &str, labels: usize, alone: bool) -> Dir {
    let dir = with_data(name, labels);
    dir.ok(&format!("train small.toml --run-dir run --set features.linear.alone={alone}"));
    dir.ok("export run --format bundle --output bundle");
    dir
}

#[test]
fn a_linear_part_beside_a_network_is_exported() {
    let dir = exported("linear-beside", 3, false);
    let readme = dir.text("bundle/README.md");
    for told in [
        "It is a network and a linear part, whose logits are added. Of a longer text the network reads the first 16 tokens, the \
         linear part the whole. The network has `dot` attention over vectors of 8 numbers for ",
        " tokens, the linear part a weight for each of ",
        "| `tokenizer.json` | from text to ids",
        "| `ngrams.json` | the n-grams that the linear part reads",
    ] {
        assert!(readme.contains(told), "no {told} in\n{readme}");
    }
    let torch = dir.ok("export run --format safetensors --output torch");
    assert!(torch.contains("with torch, safetensors and tokenizers"), "{torch}");
    assert_eq!(
        dir.list("torch"),
        [
            "characters.json",
            "config.json",
            "examples.jsonl",
            "model.safetensors",
            "model_ngrams.py",
            "model_torch.py",
            "ngrams.json",
            "tokenizer.json"
        ]
    );
    assert_eq!(dir.read("torch/ngrams.json"), dir.read("bundle/ngrams.json"));
    assert_eq!(dir.read("torch/examples.jsonl"), dir.read("bundle/examples.jsonl"));
    let onnx = dir.ok("export run --format onnx --output model.onnx");
    for told in [
        "84 examples come out the same in another engine (rten)",
        "labels, thresholds and padding are in its metadata, its tokenizer is `run/tokenizer.json`",
        "the n-grams of its linear part are in its metadata, and `model_ngrams.py` of `--format safetensors` finds them in a text",
    ] {
        assert!(onnx.contains(told), "no {told} in\n{onnx}");
    }
    // From the bundle the same, with nothing of the run.
    for (format, output) in [("onnx", "again.onnx"), ("safetensors", "again")] {
        dir.ok(&format!("export bundle --format {format} --output {output}"));
    }
    assert_eq!(dir.read("again.onnx"), dir.read("model.onnx"));
    for file in dir.list("torch") {
        assert_eq!(dir.read(format!("again/{file}")), dir.read(format!("torch/{file}")), "{file}");
    }
}

#[test]
fn a_linear_part_alone_is_exported_without_a_tokenizer() {
    for labels in [2, 3] {
        let dir = exported("linear-alone", labels, true);
        let readme = dir.text("bundle/README.md");
        for told in [
            "It is a linear part alone, without a network. It reads the whole of every text, and has a weight for each of ",
            "| `tokenizer.json` | the tokenizer of the run, which a linear part alone does not use |",
        ] {
            assert!(readme.contains(told), "no {told} in\n{readme}");
        }
        assert!(!readme.contains("attention") && !readme.contains("Of a longer text"), "{readme}");
        let torch = dir.ok("export run --format safetensors --output torch");
        assert!(torch.contains("with torch and safetensors\n"), "{torch}");
        assert!(!dir.path("torch/tokenizer.json").exists() && dir.path("torch/ngrams.json").exists());
        let config = dir.json("torch/config.json");
        let n_ngrams = dir.json("torch/ngrams.json")["idf"].as_array().unwrap().len();
        assert!(config["linear_ngrams"] == n_ngrams && config.get("model").is_none(), "{config}");
        let onnx = dir.ok("export run --format onnx --output model.onnx");
        assert!(onnx.contains("84 examples come out the same in another engine (rten)"), "{onnx}");
        assert!(onnx.contains("labels and thresholds are in its metadata\n") && !onnx.contains("tokenizer"), "{onnx}");
    }
}

#[test]
fn a_linear_part_in_eight_bits_and_without_unused_words() {
    let dir = exported("linear-small", 3, false);
    let told = dir.ok("export run --format bundle --dtype int8 --prune-vocabulary --output small");
    assert!(told.contains("int8: the weights have") && dir.ok("verify small").contains("as it should be"), "{told}");
    let length = |file: &str| dir.read(file).len();
    assert!(length("small/model.safetensors") * 5 < 2 * length("bundle/model.safetensors"));
    let alone = exported("linear-small-alone", 2, true);
    let told = alone.ok("export run --format safetensors --dtype int8 --prune-vocabulary --output small");
    assert!(told.contains("a linear part alone has no table of tokens: none goes"), "{told}");
}

#[test]
fn keras_has_nothing_for_a_linear_part() {
    for alone in [false, true] {
        let dir = exported("linear-keras", 2, alone);
        let refused = dir.run("export run --format keras --output model.keras").expect(2, "keras");
        let (told, hint) =
            ("the format keras has nothing for `features.linear`", "without positions, windows and all of");
        assert!(refused.error().contains(told) && refused.error().contains(hint), "{}", refused.error());
        assert!(!dir.path("model.keras").exists());
    }
}

#[test]
fn a_linear_part_without_any_n_gram_is_exported() {
    let dir = with_data("linear-empty", 2);
    dir.ok("train small.toml --run-dir run --set features.linear.alone=true --set features.linear.min_texts=1000");
    assert!(dir.ok("export run --format onnx --output model.onnx").contains("84 examples come out the same"));
    dir.ok("export run --format safetensors --dtype int8 --output torch");
    assert_eq!(dir.json("torch/config.json")["linear_ngrams"], 0);
}
