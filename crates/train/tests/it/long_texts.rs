//! What a model sees of a text that is longer than its length: a part of it, or all of it in windows.

use std::path::Path;

use attentive_data::{Split, SplitSource, load_examples};
use attentive_model::{AttentionConfig, NoneConfig, Truncate, WindowPool, WindowsConfig};
use attentive_train::{AdamConfig, Config, Monitor, OptimizerConfig, Predictor, Report, RunDir, TrainConfig};

use crate::tiny;

/// Reviews of 30 words that say what they mean in the last three.
fn write_late_evidence(path: &Path, n: usize, seed: u64) {
    const FILLER: [&str; 5] = ["film", "plot", "cast", "scene", "end"];
    let mut state = seed;
    let mut draw = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % n) as usize
    };
    let mut text = "text,label\n".to_string();
    for i in 0..n {
        let (evidence, label) = [("dull poor weak", "bad"), ("fine warm sharp", "good")][i % 2];
        let filler: Vec<&str> = (0..27).map(|_| FILLER[draw(5)]).collect();
        text.push_str(&format!("{} {evidence},{label}\n", filler.join(" ")));
    }
    std::fs::write(path, text).unwrap();
}

fn config(directory: &Path) -> Config {
    let (_, mut model) = tiny::models().remove(0);
    model.attention = AttentionConfig::None(NoneConfig::default());
    let optimizer = OptimizerConfig::Adam(AdamConfig { learning_rate: 0.02, sparse: true, ..Default::default() });
    let train = TrainConfig { epochs: 8, batch_size: 8, optimizer, monitor: Monitor::Loss, ..TrainConfig::default() };
    let mut config = tiny::config(directory, model, train);
    config.data.validation = Some(SplitSource::Files(directory.join("validation.csv").into()));
    config
}

fn windows(stride: usize, pool: WindowPool) -> Option<WindowsConfig> {
    Some(WindowsConfig { stride, pool, most: 16 })
}

#[test]
fn evidence_at_the_end_is_found_by_those_who_look_there() {
    let directory = temp_dir::TempDir::new().unwrap();
    write_late_evidence(&directory.path().join("train.csv"), 80, 1);
    write_late_evidence(&directory.path().join("validation.csv"), 40, 2);
    let accuracy = |run: &str, change: &dyn Fn(&mut Config)| {
        let mut config = config(directory.path());
        change(&mut config);
        let report: Report = tiny::report(&config, &directory.path().join(run));
        report.splits[&Split::Validation].accuracy
    };
    // Half of the labels are of each kind, and the first ten words are noise.
    let head = accuracy("head", &|_| {});
    assert!(head < 0.75, "{head}");
    assert_eq!(accuracy("tail", &|config| config.model.truncate = Truncate::Tail), 1.0);
    assert_eq!(accuracy("both", &|config| config.model.truncate = Truncate::Both), 1.0);
    assert_eq!(accuracy("mean", &|config| config.model.windows = windows(5, WindowPool::Mean)), 1.0);
    assert_eq!(accuracy("max", &|config| config.model.windows = windows(10, WindowPool::Max)), 1.0);
    // Two windows of ten reach 15 words, but with the end kept they see it.
    let two = |config: &mut Config| {
        config.model.windows = Some(WindowsConfig { stride: 5, pool: WindowPool::Mean, most: 2 });
    };
    let head = accuracy("two", &two);
    assert!(head < 0.75, "{head}");
    let tail = |config: &mut Config| {
        two(config);
        config.model.truncate = Truncate::Tail;
    };
    assert_eq!(accuracy("two-tail", &tail), 1.0);
}

#[test]
fn training_evaluation_and_prediction_read_windows_alike() {
    let directory = temp_dir::TempDir::new().unwrap();
    write_late_evidence(&directory.path().join("train.csv"), 23, 3);
    // Of unequal length, so that batches mix texts of one window and of many.
    let short = tiny::examples(17, 9);
    tiny::write_csv(&directory.path().join("validation.csv"), &short);
    let mixed = std::fs::read_to_string(directory.path().join("train.csv")).unwrap();
    let short: String = short.iter().map(|(text, label)| format!("{text},{label}\n")).collect();
    std::fs::write(directory.path().join("train.csv"), format!("{mixed}{short}")).unwrap();

    for (name, pool) in [("mean", WindowPool::Mean), ("max", WindowPool::Max)] {
        let mut config = config(directory.path());
        config.data.validation = None;
        config.model.windows = windows(4, pool);
        config.features.word_ngrams = 2;
        config.model.embedding.bound = 2.0; // so that windows differ before they are trained
        // A step that changes nothing, on all examples at once: its loss is that of the weights that evaluate.
        config.train = TrainConfig {
            epochs: 1,
            batch_size: 64,
            optimizer: OptimizerConfig::Adam(AdamConfig { learning_rate: 1e-60, ..AdamConfig::default() }),
            ..TrainConfig::default()
        };
        let path = directory.path().join(name);
        let report = tiny::report(&config, &path);
        let lines = tiny::metrics(&path);
        let trained = lines.iter().find_map(|line| line["train"]["loss"].as_f64()).unwrap();
        let evaluated = report.splits[&Split::Train].loss;
        assert!((trained - evaluated).abs() < 1e-6, "{name}: {trained} in training, {evaluated} in evaluation");

        let predictor = Predictor::load(&RunDir::open(&path).unwrap(), &tiny::cpu()).unwrap();
        let (examples, _) =
            load_examples(&config.data.train.as_written()[0], &config.data, predictor.labels()).unwrap();
        let texts: Vec<String> = examples.texts.iter().map(str::to_string).collect();
        let together = predictor.predict(&texts, None).unwrap();
        for (text, together) in texts.iter().zip(&together) {
            let alone = &predictor.predict(std::slice::from_ref(text), None).unwrap()[0];
            let difference = (alone.probabilities[0] - together.probabilities[0]).abs();
            assert!(difference < 1e-6, "{name}: {difference} by the other texts of the batch");
        }
        let evaluated = predictor.evaluate(examples).unwrap();
        assert!((evaluated.loss - report.splits[&Split::Train].loss).abs() < 1e-9);
    }
}

#[test]
fn texts_that_fit_into_one_window_are_read_as_without_windows() {
    let directory = temp_dir::TempDir::new().unwrap();
    tiny::write_csv(&directory.path().join("train.csv"), &tiny::examples(37, 3));
    let run = |name: &str, windows| {
        let mut config = config(directory.path());
        config.data.validation = None;
        config.train.epochs = 2;
        config.model.max_length = 13;
        config.model.windows = windows;
        tiny::trained(directory.path(), name, &config)
    };
    let without = run("without", None);
    assert!(run("mean", windows(4, WindowPool::Mean)) == without);
    assert!(run("max", windows(4, WindowPool::Max)) == without);
}
