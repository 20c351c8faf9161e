//! Everything learns four examples by heart, in the whole way from a csv file to a report: mechanisms, poolings, n-grams,
//! optimizers, schedules and losses, for two labels, three, and any number of them.

use attentive_data::{CharacterNgrams, Column, Cut, DataConfig, FeaturesConfig, Split, SplitSource, TextColumns};
use attentive_model::{
    Activation, AdditiveConfig, AttentionConfig, BidirectionalConfig, DotConfig, EmbeddingConfig, ModelConfig,
    MultiHeadConfig, NoneConfig, Norm, Pair, Pooling, Positions, ScaledDotConfig, ScoreMode, TransformerConfig,
};
use attentive_train::{
    AdagradConfig, AdamConfig, AdamwConfig, ClassWeights, Config, FocalConfig, LionConfig, LossConfig, Metrics,
    OptimizerConfig, RmspropConfig, ScheduleConfig, SgdConfig, TrainConfig,
};

use crate::tiny;

const TWO_LABELS: &str = "text,label\nfine film,good\ndull film,bad\nwarm and fine plot,good\na dull plot,bad\n";
const THREE_LABELS: &str = "text,label\nfine film,good\ndull film,bad\na film,neither\ndull plot,bad\n";
const ANY_LABELS: &str =
    "text,label\nfine film,\"film, good\"\ndull film,film\nwarm and fine plot,good\na dull plot,\n";
const PAIRS: &str = "first,second,label\na dog runs,a dog moves,yes\na dog runs,a cat sleeps,no\n\
                     a cat sleeps,a dog moves,no\na cat sleeps,a cat rests,yes\n";
const PAIRS_ANY_LABELS: &str = "first,second,label\na dog runs,a dog moves,\"same, dog\"\na dog runs,a cat sleeps,dog\n\
                                a cat sleeps,a bird flies,\na cat sleeps,a cat rests,same\n";

/// Adam, dense or sparse.
fn adam(sparse: bool) -> OptimizerConfig {
    OptimizerConfig::Adam(AdamConfig { learning_rate: 0.02, sparse, ..AdamConfig::default() })
}

/// The reference model, small.
fn dot() -> ModelConfig {
    ModelConfig {
        embedding: EmbeddingConfig { dim: 8, ..EmbeddingConfig::default() },
        attention: AttentionConfig::Dot(DotConfig::default()),
        ..ModelConfig::default()
    }
}

fn config(model: ModelConfig, optimizer: OptimizerConfig) -> Config {
    let train = TrainConfig {
        epochs: 18, // of 14 steps, the last of them on one example
        batch_size: 3,
        optimizer,
        ..TrainConfig::default()
    };
    Config { name: "by-heart".to_string(), model, train, ..Config::default() }
}

/// Trains on these rows and gives the metrics on them; every example must be decided right.
#[track_caller]
fn learned(rows: &str, mut config: Config, what: &str) -> Metrics {
    let directory = temp_dir::TempDir::new().unwrap();
    let path = directory.path().join("train.csv");
    let (header, examples) = rows.split_once('\n').unwrap();
    std::fs::write(&path, format!("{header}\n{}", examples.repeat(10))).unwrap(); // an epoch ends with a slow checkpoint
    if config.data.validation.is_some() {
        let validation = directory.path().join("validation.csv");
        std::fs::copy(&path, &validation).unwrap();
        config.data.validation = Some(SplitSource::Files(validation.into()));
    }
    let column = |name: &str| Column::Name(name.to_string());
    if rows.starts_with("first") {
        config.data.text = TextColumns::Two(column("first"), column("second"));
    }
    let multi_label = rows == ANY_LABELS || rows == PAIRS_ANY_LABELS;
    config.data = DataConfig { train: path.into(), multi_label, ..config.data };
    let report = tiny::report(&config, &directory.path().join("run"));
    let metrics = report.splits[&Split::Train].clone();
    assert_eq!(metrics.accuracy, 1.0, "{what}: loss {}", metrics.loss);
    metrics
}

/// As [`learned`], with dense and sparse steps, and nearly without loss.
#[track_caller]
fn by_heart(rows: &str, model: &ModelConfig, features: &FeaturesConfig, what: &str) {
    for sparse in [false, true] {
        let config = Config { features: features.clone(), ..config(model.clone(), adam(sparse)) };
        let loss = learned(rows, config, what).loss;
        assert!(loss < 0.1, "{what}, sparse {sparse}: loss {loss}");
    }
}

#[test]
fn every_mechanism() {
    let transformer = |norm, activation| {
        let small = TransformerConfig { n_layers: 1, n_heads: 2, d_feed_forward: 16, ..TransformerConfig::default() };
        AttentionConfig::Transformer(TransformerConfig { norm, activation, dropout: 0.0, ..small })
    };
    let dot = |score_mode| AttentionConfig::Dot(DotConfig { use_scale: true, score_mode, dropout: 0.0 });
    let multi_head = || AttentionConfig::MultiHead(MultiHeadConfig { n_heads: 2, dropout: 0.0 });
    let mechanisms = [
        ("none", AttentionConfig::None(NoneConfig {}), Positions::None),
        ("dot", AttentionConfig::Dot(DotConfig::default()), Positions::None),
        ("dot with a scale", dot(ScoreMode::Dot), Positions::None),
        ("dot of sums", dot(ScoreMode::Concat), Positions::None),
        ("scaled dot", AttentionConfig::ScaledDot(ScaledDotConfig::default()), Positions::Rotary),
        (
            "scaled dot, narrow",
            AttentionConfig::ScaledDot(ScaledDotConfig { dim: Some(5), dropout: 0.0 }),
            Positions::Learned,
        ),
        ("additive", AttentionConfig::Additive(AdditiveConfig { dim: Some(6), dropout: 0.0 }), Positions::None),
        ("multi-head", multi_head(), Positions::None),
        ("multi-head, rotary", multi_head(), Positions::Rotary),
        ("transformer, pre-norm", transformer(Norm::Pre, Activation::Relu), Positions::Sinusoidal),
        ("transformer, post-norm", transformer(Norm::Post, Activation::Gelu), Positions::Rotary),
    ];
    for (name, attention, positions) in mechanisms {
        for (labels, rows) in [("two labels", TWO_LABELS), ("three labels", THREE_LABELS), ("any", ANY_LABELS)] {
            let model = ModelConfig { attention: attention.clone(), positions, ..self::dot() };
            by_heart(rows, &model, &FeaturesConfig::default(), &format!("{name}, {labels}"));
        }
    }
}

#[test]
fn pairs_of_texts() {
    for d_compare in [None, Some(5)] {
        let attention = AttentionConfig::Bidirectional(BidirectionalConfig { d_compare, dropout: 0.0 });
        for (labels, rows) in [("two labels", PAIRS), ("any", PAIRS_ANY_LABELS)] {
            for pooling in [Pooling::Mean, Pooling::Max, Pooling::Attention] {
                let model = ModelConfig { attention: attention.clone(), pooling, ..dot() };
                by_heart(rows, &model, &FeaturesConfig::default(), &format!("{labels}, {d_compare:?}, {pooling:?}"));
            }
        }
    }
}

#[test]
fn pairs_that_are_compared_or_joined() {
    // Which texts stand beside each other is all that tells the labels apart, so it takes what sees both of them.
    let transformer =
        TransformerConfig { n_layers: 1, n_heads: 2, d_feed_forward: 16, dropout: 0.0, ..Default::default() };
    let multi_head = AttentionConfig::MultiHead(MultiHeadConfig { n_heads: 2, dropout: 0.0 });
    for (pair, attention, positions) in [
        (Pair::Compare, AttentionConfig::None(NoneConfig {}), Positions::None),
        (Pair::Compare, AttentionConfig::Dot(DotConfig::default()), Positions::None),
        (Pair::Compare, multi_head, Positions::Rotary),
        (Pair::Join, AttentionConfig::Transformer(transformer), Positions::Learned),
    ] {
        for (labels, rows) in [("two labels", PAIRS), ("any", PAIRS_ANY_LABELS)] {
            let what = format!("{labels}, {pair:?}, {}", attention.name());
            let embedding = EmbeddingConfig { bound: 1.0, ..dot().embedding };
            let model = ModelConfig { attention: attention.clone(), positions, pair: Some(pair), embedding, ..dot() };
            by_heart(rows, &model, &FeaturesConfig::default(), &what);
        }
    }
}

#[test]
fn every_pooling() {
    // The first tokens alone do not tell these apart, so attention has to bring the others to them.
    let scaled_dot = AttentionConfig::ScaledDot(ScaledDotConfig::default());
    for pooling in [Pooling::Mean, Pooling::Max, Pooling::First, Pooling::Attention] {
        let model = ModelConfig { attention: scaled_dot.clone(), pooling, ..dot() };
        by_heart(TWO_LABELS, &model, &FeaturesConfig::default(), &format!("{pooling:?}"));
        by_heart(ANY_LABELS, &model, &FeaturesConfig::default(), &format!("{pooling:?}, any"));
    }
}

#[test]
fn n_grams_tell_what_a_bag_of_words_cannot() {
    // Both labels have the same words: without order and without n-grams nothing can be learned.
    let rows = "text,label\nnot good but bad,no\nnot bad but good,yes\ngood but not bad,yes\nbad but not good,no\n";
    let bag = ModelConfig { attention: AttentionConfig::None(NoneConfig {}), ..dot() };
    let words = FeaturesConfig { word_ngrams: 2, buckets: 500, ..FeaturesConfig::default() };
    by_heart(rows, &bag, &words, "pairs of words");
    // Words of one spelling, told apart by their ends; the vocabulary has no room for them.
    let rows = "text,label\nkindly,adverb\nbadly,adverb\nkindness,noun\nbadness,noun\n";
    let characters = Some(CharacterNgrams { min: 2, max: 3 });
    let characters = FeaturesConfig { character_ngrams: characters, buckets: 500, ..FeaturesConfig::default() };
    by_heart(rows, &bag, &characters, "characters");
    by_heart(ANY_LABELS, &dot(), &words, "pairs of words, any");
}

#[test]
fn every_optimizer() {
    let optimizers = |sparse| {
        [
            OptimizerConfig::Adamw(AdamwConfig { learning_rate: 0.02, sparse, ..Default::default() }),
            OptimizerConfig::Sgd(SgdConfig { learning_rate: 0.5, momentum: 0.9, nesterov: true, sparse }),
            OptimizerConfig::Rmsprop(RmspropConfig { learning_rate: 0.01, sparse, ..Default::default() }),
            OptimizerConfig::Rmsprop(RmspropConfig {
                learning_rate: 0.003,
                momentum: 0.5,
                centered: true,
                epsilon: 1e-3,
                sparse,
                ..Default::default()
            }),
            OptimizerConfig::Adagrad(AdagradConfig { learning_rate: 0.3, sparse, ..Default::default() }),
            OptimizerConfig::Lion(LionConfig { learning_rate: 0.005, ..Default::default() }),
        ]
    };
    for optimizer in [false, true].into_iter().flat_map(optimizers) {
        for rows in [TWO_LABELS, ANY_LABELS] {
            let loss = learned(rows, config(dot(), optimizer.clone()), &format!("{optimizer:?}")).loss;
            assert!(loss < 0.1, "{optimizer:?}: loss {loss}");
        }
    }
}

#[test]
fn every_schedule() {
    for json in [
        r#"{"constant":{"warmup_steps":20}}"#,
        r#"{"linear":{}}"#,
        r#"{"cosine":{"warmup_steps":5}}"#,
        r#"{"one_cycle":{}}"#,
        r#"{"polynomial":{}}"#,
        r#"{"inverse_sqrt":{"warmup_steps":30}}"#,
        r#"{"plateau":{"patience":5}}"#,
    ] {
        let schedule: ScheduleConfig = serde_json::from_str(json).unwrap();
        let mut config = config(dot(), adam(false));
        if matches!(schedule, ScheduleConfig::Plateau(_)) {
            config.data.validation = Some(SplitSource::Cut(Cut::by_label(0.5))); // any: the rows themselves are taken
        }
        config.train.schedule = schedule;
        learned(TWO_LABELS, config, json);
    }
}

#[test]
fn every_loss_and_what_steadies_training() {
    let focal = || LossConfig::Focal(FocalConfig::default());
    for rows in [TWO_LABELS, THREE_LABELS, ANY_LABELS] {
        let learn = |change: &dyn Fn(&mut Config), what: &str| {
            let mut config = config(dot(), adam(false));
            change(&mut config);
            learned(rows, config, what)
        };
        learn(&|config| config.train.loss = focal(), "focal");
        learn(&|config| config.train.class_weights = Some(ClassWeights::Balanced), "balanced");
        learn(&|config| config.train.learning_rates = [("embedding".to_string(), 0.05)].into(), "learning rates");
        let smoothed = learn(&|config| config.train.label_smoothing = 0.1, "smoothed").loss;
        assert!(smoothed > 0.15, "{smoothed}: no output can reach its target, which is not certain");
        let everything = |config: &mut Config| {
            config.data.validation = Some(SplitSource::Cut(Cut::by_label(0.5)));
            config.train.loss = focal();
            config.train.class_weights = Some(ClassWeights::Balanced);
            config.train.ema = Some(0.9);
            config.train.average_best = 3;
            if rows != THREE_LABELS {
                config.train.threshold = attentive_train::Threshold::Tuned;
            }
            config.train.max_grad_norm = Some(1.0);
        };
        learn(&everything, "everything");
    }
}
