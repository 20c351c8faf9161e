//! Small classifiers with weights that are drawn, not trained, from a few lines of config.

use std::path::Path;

use attentive_backend::Backend;
use attentive_bundle::{OwnTexts, own_texts};
use attentive_data::{Examples, Findings, Labels, TextEncoder, Texts};
use attentive_linear::{FeatureSettings, Features};
use attentive_model::{Initializer, Sizes, Weight};
use attentive_train::{Config, Parts, Predictor, SplitAccount};
use burn::tensor::Device;

/// What the tokenizers are made from, and the examples taken from.
const TEXTS: [&str; 8] = [
    "the food was not bad at all",
    "a great film, and a fine one",
    "dull, dull, dull",
    "I expected more of it",
    "good",
    "the film was dull but the food was great",
    "not good and not bad",
    "a film about nothing at all",
];

/// Texts of other scripts, which a linear part reads in other pieces.
const SCRIPTS: [&str; 5] = [
    "这部电影真好看，我还想再看一遍。",
    "とても面白かった ｶﾀｶﾅ",
    "หนังดีมาก",
    "यह हिन्दी की फ़िल्म है",
    "Straße, İstanbul 😀 été",
];

/// The device that everything here is computed on.
pub(crate) fn device() -> Device {
    Backend::open_cpu().unwrap().device
}

/// A classifier over so many labels; `config` follows a `[data]` section and may extend it.
pub(crate) fn classifier(config: &str, n_labels: usize) -> Predictor {
    let toml = format!("[data]\ntrain = \"train.csv\"\n{config}");
    let config = Config::from_bytes(Path::new("small.toml"), toml.into_bytes());
    let config = config.unwrap_or_else(|error| panic!("{error}"));
    let encoder = TextEncoder::train(&config.tokenizer, &TEXTS.into_iter().collect()).unwrap();
    let names: Vec<String> = (0..n_labels).map(|n| format!("label {n}")).collect();
    let labels = Labels::from_names(names.iter().map(String::as_str));
    let sizes = Sizes {
        vocab_size: encoder.vocab_size(),
        buckets: config.features.is_on().then_some(config.features.buckets),
        n_labels,
        head: config.model.head.resolve(n_labels, config.data.multi_label).unwrap(),
    };
    let network = config.has_network().then(|| config.model.init(&sizes, &mut Initializer::new(7, &device())));
    let mut weights = network.map_or(Vec::new(), |network| network.weights().unwrap());
    let ngrams = config.features.linear.is_some().then(|| {
        let texts: Vec<&str> = TEXTS.into_iter().chain(SCRIPTS).collect();
        let settings = FeatureSettings { min_df: 1, ..FeatureSettings::default() };
        let features = Features::fit(&texts, &settings, &|| false).unwrap();
        let outputs = sizes.head.outputs(n_labels);
        for (name, shape) in [("weight", vec![features.len(), outputs]), ("bias", vec![outputs]), ("scale", vec![1])] {
            let values = vec![0.1; shape.iter().product()];
            weights.push(Weight { name: format!("linear.{name}"), shape, values });
        }
        serde_json::to_vec(features.parts()).unwrap()
    });
    // Larger than at the start, and without zeros and ones, so that a weight in the wrong place shows.
    let mut state = 1u64;
    for value in weights.iter_mut().flat_map(|weight| &mut weight.values) {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *value += ((state >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * 0.8;
    }
    Predictor::new(Parts { config, labels, encoder, weights, ngrams, thresholds: Vec::new(), step: 3 }, &device())
        .unwrap()
}

/// The texts that a run of such a classifier would have.
pub(crate) fn own(predictor: &Predictor) -> OwnTexts {
    let texts: Texts = TEXTS.into_iter().collect();
    let turned: Texts = TEXTS.into_iter().rev().collect();
    let seconds = predictor.config().data.text.is_pair().then_some(turned);
    let mut examples = Examples::default();
    (examples.texts, examples.seconds) = (texts, seconds);
    own_texts(&examples)
}

/// The account of splits that such a run would have.
pub(crate) fn account() -> SplitAccount {
    serde_json::from_value(serde_json::json!({
        "manifest": {
            "train": { "origin": "file", "examples": 8, "labels": {}, "fingerprint": "0" },
            "validation": null, "test": null, "fingerprint": "0",
        },
        "encoding": {},
        "findings": Findings::default(),
    }))
    .unwrap()
}
