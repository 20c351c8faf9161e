//! Pretrained vectors: where they land, what they cover, and that frozen ones stay.

use std::path::Path;

use attentive_data::UNWATCHED;
use attentive_model::Weight;
use attentive_train::{AdamwConfig, Config, Coverage, LionConfig, OptimizerConfig, SgdConfig, TrainConfig, prepare};

use crate::tiny::{self, trained};

/// Vectors of width 8 with a header; `absent` is no word of the texts, `film` comes twice.
const VECTORS: &str =
    "4 8\nfilm 1 2 3 4 5 6 7 8\nabsent 9 9 9 9 9 9 9 9\ndull -1 2 0.5 7 3 -4 1 1e-3\nfilm 0 0 0 0 0 0 0 0\n";
const FILM: [f32; 8] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
const DULL: [f32; 8] = [-1.0, 2.0, 0.5, 7.0, 3.0, -4.0, 1.0, 1e-3];

fn config(directory: &Path, frozen: bool, train: TrainConfig) -> Config {
    tiny::write_csv(&directory.join("train.csv"), &tiny::examples(37, 3));
    std::fs::write(directory.join("words.vec"), VECTORS).unwrap();
    let (_, model) = tiny::models().remove(0);
    let mut config = tiny::config(directory, model, train);
    config.model.embedding.vectors = Some(directory.join("words.vec"));
    config.model.embedding.frozen = frozen;
    config
}

fn sgd(learning_rate: f64) -> TrainConfig {
    let optimizer = OptimizerConfig::Sgd(SgdConfig { learning_rate, ..SgdConfig::default() });
    TrainConfig { epochs: 1, optimizer, ..TrainConfig::default() }
}

fn embedding(weights: &[Weight]) -> &[f32] {
    &weights.iter().find(|weight| weight.name == "embedding.weight").unwrap().values
}

/// The vector of a word.
fn row<'a>(weights: &'a [Weight], config: &Config, word: &str) -> &'a [f32] {
    let id = prepare(config, UNWATCHED).unwrap().encoder.id(word).unwrap() as usize;
    &embedding(weights)[id * 8..][..8]
}

#[test]
fn each_vector_lands_in_the_row_of_its_word() {
    let directory = temp_dir::TempDir::new().unwrap();
    // A learning rate that is 0 in f32.
    let with = config(directory.path(), false, sgd(1e-60));
    let mut without = with.clone();
    without.model.embedding.vectors = None;
    let start = trained(directory.path(), "with", &with);
    let random = trained(directory.path(), "without", &without);
    assert_eq!((row(&start, &with, "film"), row(&start, &with, "dull")), (&FILM[..], &DULL[..]));
    let differing = embedding(&start).chunks(8).zip(embedding(&random).chunks(8)).filter(|(a, b)| a != b).count();
    assert_eq!(differing, 2, "the other rows start as without vectors");
    assert_eq!(start[1..], random[1..], "and so does the rest of the model");
}

#[test]
fn coverage_by_hand() {
    let directory = temp_dir::TempDir::new().unwrap();
    let mut config = config(directory.path(), false, sgd(0.1));
    std::fs::write(&config.data.train.as_written()[0], "text,label\ndull dull film,bad\na fine film,good\n").unwrap();
    // Words: dull, film, a, fine, and [PAD] and [UNK]; of six tokens dull, dull, film and film have vectors.
    let Coverage { in_file, found, vocab_size, of_tokens, sha256 } =
        prepare(&config, UNWATCHED).unwrap().account.vectors.unwrap();
    assert_eq!((in_file, found, vocab_size, of_tokens, sha256.len()), (4, 2, 6, 4.0 / 6.0, 64));
    config.model.embedding.vectors = None;
    assert_eq!(prepare(&config, UNWATCHED).unwrap().account.vectors, None);
}

#[test]
fn frozen_vectors_never_move() {
    let directory = temp_dir::TempDir::new().unwrap();
    let adamw = |sparse| {
        OptimizerConfig::Adamw(AdamwConfig { learning_rate: 0.1, weight_decay: 0.5, sparse, ..Default::default() })
    };
    let lion = OptimizerConfig::Lion(LionConfig { learning_rate: 0.1, weight_decay: 0.5, ..Default::default() });
    let start = trained(directory.path(), "start", &config(directory.path(), true, sgd(1e-60)));
    for (name, optimizer) in [("dense", adamw(false)), ("sparse", adamw(true)), ("lion", lion)] {
        let train = TrainConfig { epochs: 3, batch_size: 8, optimizer, ema: Some(0.5), ..TrainConfig::default() };
        let end = trained(directory.path(), name, &config(directory.path(), true, train.clone()));
        assert_eq!(embedding(&end), embedding(&start), "{name}");
        assert_ne!(end, start, "{name}: the head moves");
        let free = trained(directory.path(), &format!("{name}-free"), &config(directory.path(), false, train));
        assert_ne!(embedding(&free), embedding(&start), "{name}");
    }
}
