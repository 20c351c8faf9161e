//! What sparse steps promise: the same as dense ones wherever the rule says so.

use attentive_data::{CharacterNgrams, FeaturesConfig};
use attentive_model::Weight;
use attentive_train::{AdagradConfig, AdamConfig, Config, OptimizerConfig, SgdConfig, TrainConfig};

use crate::tiny::{self, largest_difference, trained};

fn features() -> FeaturesConfig {
    let character_ngrams = Some(CharacterNgrams { min: 3, max: 4 });
    FeaturesConfig { word_ngrams: 2, character_ngrams, buckets: 300, ..FeaturesConfig::default() }
}

/// The weights of a run of each model, on n-grams too where it reads one text, by (model, optimizer's key).
fn of_every_model(
    train: &TrainConfig,
    optimizers: &[(&str, OptimizerConfig)],
) -> Vec<(&'static str, Vec<Vec<Weight>>)> {
    let directory = temp_dir::TempDir::new().unwrap();
    tiny::write_csv(&directory.path().join("train.csv"), &tiny::examples(37, 3));
    let run = |name: &str, model: &attentive_model::ModelConfig, optimizer: &(&str, OptimizerConfig)| {
        let train = TrainConfig { optimizer: optimizer.1.clone(), ..train.clone() };
        let mut config: Config = tiny::config(directory.path(), model.clone(), train);
        if !config.data.text.is_pair() {
            config.features = features();
        }
        trained(directory.path(), &format!("{name}-{}", optimizer.0), &config)
    };
    let models = tiny::models().into_iter().chain(tiny::other_models());
    models
        .map(|(name, model)| (name, optimizers.iter().map(|optimizer| run(name, &model, optimizer)).collect()))
        .collect()
}

#[test]
fn where_every_step_uses_every_row_sparse_is_dense() {
    let adam = |sparse| OptimizerConfig::Adam(AdamConfig { learning_rate: 0.02, sparse, ..AdamConfig::default() });
    let train = TrainConfig { epochs: 15, batch_size: 37, ..TrainConfig::default() };
    for (name, weights) in of_every_model(&train, &[("dense", adam(false)), ("sparse", adam(true))]) {
        assert!(weights[0] == weights[1], "{name}: {}", largest_difference(&weights[0], &weights[1]));
    }
}

#[test]
fn rules_that_forget_nothing_are_the_same_sparse_and_dense() {
    let sgd = |sparse| OptimizerConfig::Sgd(SgdConfig { learning_rate: 0.1, sparse, ..SgdConfig::default() });
    let adagrad =
        |sparse| OptimizerConfig::Adagrad(AdagradConfig { learning_rate: 0.1, sparse, ..AdagradConfig::default() });
    let adam = |sparse| OptimizerConfig::Adam(AdamConfig { learning_rate: 0.02, sparse, ..AdamConfig::default() });
    let train = TrainConfig { epochs: 3, batch_size: 4, ..TrainConfig::default() };
    let optimizers = [
        ("sgd", sgd(false)),
        ("sgd-sparse", sgd(true)),
        ("adagrad", adagrad(false)),
        ("adagrad-sparse", adagrad(true)),
        ("adam", adam(false)),
        ("adam-sparse", adam(true)),
    ];
    for (name, weights) in of_every_model(&train, &optimizers) {
        let difference = |i: usize| largest_difference(&weights[i], &weights[i + 1]);
        assert!(difference(0) < 1e-6 && difference(2) < 1e-6, "{name}: {}, {}", difference(0), difference(2));
        // Adam's moments fade in a dense step: were the batches full of every token, this test would show nothing.
        assert!(difference(4) > 1e-3, "{name}: {}", difference(4));
    }
}

#[test]
fn sparse_accumulation_gives_the_weights_of_the_whole_batch() {
    let sgd = OptimizerConfig::Sgd(SgdConfig { learning_rate: 0.1, momentum: 0.5, nesterov: true, sparse: true });
    let of = |accumulation_steps| {
        let train = TrainConfig {
            epochs: 2,
            batch_size: 8,
            accumulation_steps,
            max_grad_norm: Some(0.3),
            ..TrainConfig::default()
        };
        of_every_model(&train, &[("sgd", sgd.clone())])
    };
    for ((name, whole), (_, parts)) in of(1).into_iter().zip(of(4)) {
        let difference = largest_difference(&whole[0], &parts[0]);
        assert!(difference < 1e-6, "{name}: {difference}");
    }
}
