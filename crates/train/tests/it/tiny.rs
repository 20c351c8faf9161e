//! A corpus and models small enough to train in a test. Nothing here drops out, because tests share the device's
//! generator.

use std::path::Path;

use attentive_backend::Backend;
use attentive_model::{AttentionConfig, DotConfig, EmbeddingConfig, ModelConfig, Positions, TransformerConfig};
use attentive_train::{Config, Event, Outcome, RunDir, TrainConfig, TrainError, Watch, fit, prepare};
use burn::tensor::Device;

/// A text and its label.
pub(crate) type Example = (String, &'static str);

/// Texts of 1 to 12 words that lean towards their label, which is the first or second of two.
pub(crate) fn examples(n: usize, seed: u64) -> Vec<Example> {
    const WORDS: [[&str; 4]; 3] =
        [["dull", "poor", "weak", "loud"], ["bright", "fine", "warm", "sharp"], ["film", "plot", "cast", "end"]];
    let mut state = seed;
    let mut draw = |n: u64| {
        // The generator of Knuth's MMIX; its high bits are good.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % n) as usize
    };
    (0..n)
        .map(|i| {
            let label = i % 2;
            let words: Vec<&str> = (0..=draw(12))
                .map(|_| {
                    let kind = [label, label, 1 - label, 2, 2][draw(5)];
                    WORDS[kind][draw(4)]
                })
                .collect();
            (words.join(" "), ["bad", "good"][label])
        })
        .collect()
}

/// Writes a csv file of examples; the texts hold no commas or quotes.
pub(crate) fn write_csv(path: &Path, examples: &[Example]) {
    let lines = examples.iter().map(|(text, label)| format!("{text},{label}\n"));
    std::fs::write(path, format!("text,label\n{}", lines.collect::<String>())).unwrap();
}

/// The reference model and a small transformer, without dropout.
pub(crate) fn models() -> Vec<(&'static str, ModelConfig)> {
    let transformer = TransformerConfig { n_layers: 1, n_heads: 2, d_feed_forward: 12, dropout: 0.0 };
    let model = |attention, positions| ModelConfig {
        max_length: 10,
        embedding: EmbeddingConfig { dim: 8 },
        positions,
        attention,
        ..ModelConfig::default()
    };
    vec![
        ("dot", model(AttentionConfig::Dot(DotConfig::default()), Positions::None)),
        ("transformer", model(AttentionConfig::Transformer(transformer), Positions::Learned)),
    ]
}

/// A config that trains `model` on `train.csv` in `directory`.
pub(crate) fn config(directory: &Path, model: ModelConfig, train: TrainConfig) -> Config {
    let mut config = Config { name: "tiny".to_string(), model, train, ..Config::default() };
    config.data.train = directory.join("train.csv");
    config
}

/// Trains in a new run directory.
pub(crate) fn train(config: &Config, path: &Path, device: &Device) -> Result<Outcome, TrainError> {
    let prepared = prepare(config)?;
    let run = RunDir::create(path, false)?;
    run.describe(config, &"a test", &prepared.labels, &prepared.encoder, &prepared.account)?;
    let mut watch = Watch { observer: &mut |_: &Event| {}, interrupted: &|| false };
    fit(&run, config, &prepared, device, &mut watch)
}

/// The lines of the run's `metrics.jsonl`.
pub(crate) fn metrics(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(RunDir::open(path).unwrap().metrics()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A device of the backend that is always there.
pub(crate) fn cpu() -> Device {
    Backend::Flex.open().unwrap().device
}
