//! Every mechanism learns four examples by heart, in the whole way from a csv file to a report.

use attentive_backend::Backend;
use attentive_data::Split;
use attentive_model::{
    AttentionConfig, DotConfig, EmbeddingConfig, ModelConfig, NoneConfig, Positions, ScaledDotConfig, TransformerConfig,
};
use attentive_train::{AdamConfig, Config, Event, OptimizerConfig, Outcome, RunDir, TrainConfig, Watch, fit, prepare};

#[test]
fn four_examples_are_learned_by_heart() {
    let transformer = TransformerConfig { n_layers: 1, n_heads: 2, d_feed_forward: 16, dropout: 0.0 };
    let mechanisms = [
        (AttentionConfig::None(NoneConfig {}), Positions::None),
        (AttentionConfig::Dot(DotConfig::default()), Positions::None),
        (AttentionConfig::ScaledDot(ScaledDotConfig::default()), Positions::None),
        (AttentionConfig::ScaledDot(ScaledDotConfig { dim: Some(5), dropout: 0.0 }), Positions::Learned),
        (AttentionConfig::Transformer(transformer), Positions::Sinusoidal),
    ];
    let corpora = [
        ("two labels", "text,label\nfine film,good\ndull film,bad\nwarm and fine plot,good\na dull plot,bad\n"),
        ("three labels", "text,label\nfine film,good\ndull film,bad\na film,neither\ndull plot,bad\n"),
    ];
    let device = Backend::Flex.open().unwrap().device;
    for (corpus, rows) in corpora {
        for (attention, positions) in &mechanisms {
            let directory = temp_dir::TempDir::new().unwrap();
            let mut config = Config {
                name: "by-heart".to_string(),
                model: ModelConfig {
                    embedding: EmbeddingConfig { dim: 8 },
                    attention: attention.clone(),
                    positions: *positions,
                    ..ModelConfig::default()
                },
                train: TrainConfig {
                    epochs: 120,
                    batch_size: 3, // and a step of one example
                    optimizer: OptimizerConfig::Adam(AdamConfig { learning_rate: 0.02, ..AdamConfig::default() }),
                    ..TrainConfig::default()
                },
                ..Config::default()
            };
            config.data.train = directory.path().join("train.csv");
            std::fs::write(&config.data.train, rows).unwrap();

            let prepared = prepare(&config).unwrap();
            let run = RunDir::create(&directory.path().join("run"), false).unwrap();
            let mut watch = Watch { observer: &mut |_: &Event| {}, interrupted: &|| false };
            let outcome = fit(&run, &config, &prepared, &device, &mut watch).unwrap();
            let Outcome::Finished(report) = outcome else { panic!("interrupted") };
            let metrics = &report.splits[&Split::Train];
            let what = format!("{attention:?}, {corpus}: loss {}", metrics.loss);
            assert_eq!(metrics.accuracy, 1.0, "{what}");
            assert!(metrics.loss < 0.1, "{what}");
        }
    }
}
