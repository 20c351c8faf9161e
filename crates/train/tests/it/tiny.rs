//! A corpus and models small enough to train in a test. Nothing here drops out, because tests share the device's
//! generator.

use std::collections::BTreeMap;
use std::path::Path;

use attentive_backend::{Backend, Opened};
use attentive_data::{Column, TextColumns};
use attentive_model::{
    AdditiveConfig, AttentionConfig, BidirectionalConfig, DotConfig, EmbeddingConfig, ModelConfig, MultiHeadConfig,
    Pair, Positions, TransformerConfig, Weight,
};
use attentive_train::{
    Callbacks, Config, Event, Machine, Outcome, Predictor, PreparedRun, Preparing, Report, Request, Run, RunDir,
    StoppedRun, TrainConfig, TrainError,
};
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

/// The second text of each pair: that of the next example but one, which has the same label.
pub(crate) fn seconds(examples: &[Example]) -> Vec<String> {
    (0..examples.len()).map(|i| examples[(i + 2) % examples.len()].0.clone()).collect()
}

/// Writes a csv file of examples as texts and as pairs; the texts hold no commas or quotes.
pub(crate) fn write_csv(path: &Path, examples: &[Example]) {
    let lines =
        examples.iter().zip(seconds(examples)).map(|((text, label), second)| format!("{text},{second},{label}\n"));
    std::fs::write(path, format!("text,second,label\n{}", lines.collect::<String>())).unwrap();
}

fn model(attention: AttentionConfig, positions: Positions) -> ModelConfig {
    let embedding = EmbeddingConfig { dim: 8, ..EmbeddingConfig::default() };
    ModelConfig { max_length: 10, embedding, positions, attention, ..ModelConfig::default() }
}

fn dot() -> ModelConfig {
    model(AttentionConfig::Dot(DotConfig::default()), Positions::None)
}

/// The reference model and a small transformer, without dropout.
pub(crate) fn models() -> Vec<(&'static str, ModelConfig)> {
    let transformer =
        TransformerConfig { n_layers: 1, n_heads: 2, d_feed_forward: 12, dropout: 0.0, ..Default::default() };
    vec![("dot", dot()), ("transformer", model(AttentionConfig::Transformer(transformer), Positions::Learned))]
}

/// Models with other mechanisms, without dropout.
pub(crate) fn other_models() -> Vec<(&'static str, ModelConfig)> {
    let multi_head = MultiHeadConfig { n_heads: 2, dropout: 0.0 };
    let bidirectional = BidirectionalConfig { d_compare: Some(6), dropout: 0.0 };
    vec![
        ("additive", model(AttentionConfig::Additive(AdditiveConfig::default()), Positions::None)),
        ("multi_head", model(AttentionConfig::MultiHead(multi_head), Positions::Rotary)),
        ("bidirectional", model(AttentionConfig::Bidirectional(bidirectional), Positions::None)),
        ("compared", ModelConfig { pair: Some(Pair::Compare), ..dot() }),
        ("joined", ModelConfig { pair: Some(Pair::Join), ..models().remove(1).1 }),
    ]
}

/// A config that trains `model` on `train.csv` in `directory`: on pairs if it compares two texts.
pub(crate) fn config(directory: &Path, model: ModelConfig, train: TrainConfig) -> Config {
    let mut config = Config { name: "tiny".to_string(), model, train, ..Config::default() };
    config.data.train = directory.join("train.csv").into();
    if config.model.reads_pairs() {
        let column = |name: &str| Column::Name(name.to_string());
        config.data.text = TextColumns::Two(column("text"), column("second"));
    }
    config
}

/// What computes in a test.
pub(crate) fn machine(opened: &Opened) -> Machine {
    let Opened { backend, device, description, .. } = opened.clone();
    Machine { device, backend: backend.name().to_string(), description, build: BTreeMap::new() }
}

/// A run that is about to be made, on the backend that is always there.
pub(crate) fn new_run(config: &Config) -> PreparedRun {
    PreparedRun::prepare(config.clone(), machine(&flex()), Preparing::unwatched()).unwrap()
}

/// A run to be trained on.
pub(crate) fn resumed(path: &Path) -> Run {
    let stopped = StoppedRun::open(RunDir::open(path).unwrap(), None, &[]).unwrap();
    stopped.prepare(machine(&flex()), Preparing::unwatched()).unwrap()
}

/// Trains to the end, with these answers to what is asked of a run after every step.
pub(crate) fn fit(run: &mut Run, request: &dyn Fn() -> Option<Request>) -> Result<Outcome, TrainError> {
    run.fit(&mut Callbacks { on_event: &mut |_: &Event| {}, request })
}

/// Trains in a new run directory.
pub(crate) fn train(config: &Config, path: &Path, opened: &Opened) -> Result<Outcome, TrainError> {
    let new = PreparedRun::prepare(config.clone(), machine(opened), Preparing::unwatched())?;
    fit(&mut new.create(path, false)?, &|| None)
}

/// Trains in a new run directory to the end.
pub(crate) fn report(config: &Config, path: &Path) -> Report {
    match train(config, path, &flex()).unwrap() {
        Outcome::Finished(report) => report,
        Outcome::Interrupted { step } => panic!("interrupted at step {step:?}"),
    }
}

/// The weights that a run predicts with.
pub(crate) fn weights(path: &Path) -> Vec<Weight> {
    let run = RunDir::open(path).unwrap();
    Predictor::load(&run, &cpu()).unwrap().weights().unwrap()
}

/// Trains into `directory` and gives the weights.
pub(crate) fn trained(directory: &Path, run: &str, config: &Config) -> Vec<Weight> {
    let path = directory.join(run);
    report(config, &path);
    weights(&path)
}

/// The largest difference of two values in the same place.
pub(crate) fn largest_difference(a: &[Weight], b: &[Weight]) -> f32 {
    let values = |weights: &[Weight]| weights.iter().flat_map(|weight| weight.values.clone()).collect::<Vec<f32>>();
    let (a, b) = (values(a), values(b));
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The lines of the run's `metrics.jsonl`.
pub(crate) fn metrics(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(RunDir::open(path).unwrap().metrics()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The backend that is always there.
pub(crate) fn flex() -> Opened {
    Backend::Flex.open().unwrap()
}

/// A device of the backend that is always there.
pub(crate) fn cpu() -> Device {
    flex().device
}
