//! `export --format keras`: what is in the files, and which models are refused. That Keras opens them and trains on is for
//! `scripts/check_exports.py`.

use crate::directory::{CPU, with_data};

#[test]
fn a_keras_file_holds_the_model_and_the_state_of_adam() {
    let dir = with_data("keras", 2);
    dir.ok(&format!("train small.toml --run-dir run --backend {CPU}"));
    let told = dir.ok("export run --format keras --output model.keras");
    assert!(told.contains("with the state of Adam after 12 updates") || told.contains("after 6 updates"), "{told}");
    dir.ok("export run --format keras --output model.weights.h5");
    dir.ok("export run --format keras --output again.keras");
    let (archive, weights) = (dir.read("model.keras"), dir.read("model.weights.h5"));
    assert_eq!(dir.read("again.keras"), archive);
    assert!(weights.starts_with(b"\x89HDF\r\n\x1a\n"));
    // The length that the file says it has.
    assert_eq!(u64::from_le_bytes(weights[40..48].try_into().unwrap()), weights.len() as u64);
    // The members are stored as they are.
    let holds = |part: &[u8]| archive.windows(part.len()).any(|window| window == part);
    assert!(archive.starts_with(b"PK\x03\x04") && holds(&weights) && holds(br#""class_name":"Attention""#));
    // The values themselves: those of the embedding, one behind the other.
    dir.ok("export run --format safetensors --output torch");
    let safetensors = dir.read("torch/model.safetensors");
    let start = 8 + u64::from_le_bytes(safetensors[..8].try_into().unwrap()) as usize;
    let embedding = &safetensors[start..start + 256];
    assert!(weights.windows(256).any(|window| window == embedding));
}

#[test]
fn what_keras_has_no_layer_for_is_refused() {
    let dir = with_data("keras-refused", 2);
    for (set, key) in [
        ("model.attention.multi_head.n_heads=2", "`model.attention`"),
        ("model.positions=\"learned\"", "`model.positions`"),
        ("model.pooling=\"max\"", "`model.pooling`"),
        ("model.windows.stride=4", "`model.windows`"),
        ("features.word_ngrams=2", "`features`"),
    ] {
        dir.ok(&format!("train small.toml --run-dir run --overwrite --set train.epochs=1 --set {set}"));
        let refused = dir.run("export run --format keras --output model.keras").expect(2, set);
        let told = format!("the format keras has nothing for {key}");
        assert!(refused.error().contains(&told) && refused.error().contains("hint:"), "{}", refused.error());
        assert!(!dir.path("model.keras").exists());
    }
}

#[test]
fn averages_have_no_optimizer_and_other_optimizers_are_left_out() {
    let dir = with_data("keras-anew", 2);
    for set in ["train.ema=0.9", "train.average_best=2", "train.optimizer.sgd.learning_rate=0.1"] {
        dir.file("other.toml", dir.text("small.toml").replace("optimizer.adam = { learning_rate = 0.05 }", ""));
        let config = if set.contains("sgd") { "other.toml" } else { "small.toml" };
        dir.ok(&format!("train {config} --run-dir run --overwrite --set {set}"));
        let told = dir.ok("export run --format keras --output model.keras");
        assert!(told.contains("without the state of an optimizer"), "{set}: {told}");
        std::fs::remove_file(dir.path("model.keras")).unwrap();
    }
}
