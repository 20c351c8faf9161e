//! A config that a run writes down is read again as the same config.

use std::path::Path;

use attentive_backend::Backend;
use attentive_train::Config;

fn load(path: &Path) -> Config {
    Config::load(path, &[], &Backend::names()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes the config as a run does, and reads it.
fn written_and_read(config: &Config) -> Config {
    let directory = temp_dir::TempDir::new().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, config.to_toml()).unwrap();
    load(&path)
}

#[test]
fn defaults_survive() {
    // What has no default: the name comes from the file's, the training file from the user.
    let mut config = Config { name: "mine".to_string(), ..Config::default() };
    config.data.train = "train.csv".into();
    assert_eq!(written_and_read(&config), config);
}

#[test]
fn every_shipped_config_survives() {
    let configs = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../configs");
    let mut n = 0;
    for entry in std::fs::read_dir(configs).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let config = load(&path);
            assert_eq!(written_and_read(&config), config, "{}", path.display());
            n += 1;
        }
    }
    assert!(n >= 5, "the configs are found");
}

/// One text with one label, read as Keras reads it.
const UNUSUAL: &str = r#"
        seed = 9223372036854775807
        backend = "flex"

        [data]
        train = "a \"quoted\" name.csv"
        validation = { fraction = 0.1 }
        text = 0
        label = 1
        header = false
        delimiter = ";"
        encoding = "windows-1252"
        labels = { "0" = "no", "a.b" = "yes" }

        [tokenizer.file]
        path = "tokenizer.json"

        [model]
        masking = false
        padding = "max_length"
        dropout = 0.1
        attention.scaled_dot = { dim = 3, dropout = 0.30000000000000004 }
        windows = { stride = 50, pool = "max", most = 3 }

        [train]
        optimizer.sgd = { momentum = 0.9, nesterov = true }
        schedule.linear = { warmup_steps = 3, final_ratio = 0.1 }
        max_grad_norm = 1.0
        monitor = "macro_f1"
        early_stopping = { patience = 2, min_delta = 1e-4 }
        checkpoint_every = 7
        batch_tokens = 4_000
        bucket_batches = 20
    "#;

/// Pairs with any number of labels, and all that steadies training.
const MORE_UNUSUAL: &str = r#"
        [data]
        train = "train.jsonl"
        validation = "validation.jsonl"
        text = ["premise", "hypothesis"]
        multi_label = true
        label_separator = "|"
        labels = { "0" = "no", "1" = "yes.and" }

        [tokenizer.char]
        lowercase = false

        [model]
        embedding = { dim = 6, vectors = "words.vec", frozen = true }
        attention.bidirectional = { d_compare = 5 }
        truncate = "both"
        pooling = "attention"
        positions = "learned"
        head = "sigmoid"

        [train]
        optimizer.rmsprop = { centered = true, momentum = 0.1, sparse = true }
        learning_rates = { head = 0.3, attention = 1e-5 }
        schedule.plateau = { patience = 2, factor = 0.3 }
        loss.focal = { gamma = 1.5 }
        label_smoothing = 0.1
        class_weights = { no = 0.1, "yes.and" = 2 }
        threshold = "tuned"
        ema = 0.999
        average_best = 3
        monitor = "micro_f1"
    "#;

#[test]
fn what_no_default_holds_survives() {
    survives(UNUSUAL);
    survives(MORE_UNUSUAL);
}

/// A config of this text is read again as it is written.
fn survives(text: &str) {
    let directory = temp_dir::TempDir::new().unwrap();
    let path = directory.path().join("unusual.toml");
    std::fs::write(&path, text).unwrap();
    let config = load(&path);
    assert_eq!(config.name, "unusual");
    assert_eq!(written_and_read(&config), config);
    assert_eq!(written_and_read(&written_and_read(&config)).to_toml(), config.to_toml());
}
