//! What labels have of their own: weights in the loss, thresholds of decision; and what is kept of the epochs.

use std::collections::BTreeMap;
use std::path::Path;

use attentive_data::{DataConfig, Split, SplitSource, UNWATCHED};
use attentive_model::Weight;
use attentive_train::{
    AdamConfig, ClassWeights, Config, Monitor, OptimizerConfig, Predictor, RunDir, Threshold, TrainConfig, TrainError,
    prepare,
};

use crate::tiny::{self, largest_difference, trained};

fn train() -> TrainConfig {
    let optimizer = OptimizerConfig::Adam(AdamConfig { learning_rate: 0.05, ..AdamConfig::default() });
    // The best epoch by loss: that of a small split stays the same for many epochs by any other metric.
    TrainConfig { epochs: 40, batch_size: 8, optimizer, monitor: Monitor::Loss, ..TrainConfig::default() }
}

/// A config on these rows, with the same rows for validation.
fn config(directory: &Path, rows: &str, train: TrainConfig) -> Config {
    std::fs::write(directory.join("train.csv"), rows).unwrap();
    std::fs::write(directory.join("validation.csv"), rows).unwrap();
    let (_, model) = tiny::models().remove(0);
    let mut config = tiny::config(directory, model, train);
    config.data.validation = Some(SplitSource::Files(directory.join("validation.csv").into()));
    config
}

/// Six texts of one label and two of the other, which only the order of the rows tells apart.
const UNEVEN: &str =
    "text,label\na film,yes\na film,no\nthe film,no\na plot,no\na film,no\na film,yes\nthe cast,no\na film,no\n";

#[test]
fn balanced_weights_are_those_of_equal_shares() {
    let directory = temp_dir::TempDir::new().unwrap();
    let run = |name: &str, class_weights| {
        let train = TrainConfig { class_weights, ..train() };
        trained(directory.path(), name, &config(directory.path(), UNEVEN, train))
    };
    let given = |no: f64, yes: f64| {
        Some(ClassWeights::Given(BTreeMap::from([("no".to_string(), no), ("yes".to_string(), yes)])))
    };
    let balanced = run("balanced", Some(ClassWeights::Balanced));
    assert!(balanced == run("given", given(8.0 / (2.0 * 6.0), 8.0 / (2.0 * 2.0))));
    assert!(run("ones", given(1.0, 1.0)) == run("none", None));
    assert!(balanced != run("none-again", None));
}

#[test]
fn weights_of_labels_that_are_not_there_are_refused() {
    let directory = temp_dir::TempDir::new().unwrap();
    let weights = ClassWeights::Given(BTreeMap::from([("maybe".to_string(), 2.0)]));
    let error =
        prepare(&config(directory.path(), UNEVEN, TrainConfig { class_weights: Some(weights), ..train() }), UNWATCHED);
    let error = error.unwrap_err();
    assert!(matches!(error, TrainError::ClassWeight { .. }), "{error}");
    assert_eq!(error.to_string(), "`train.class_weights` names `maybe`, which is no label: the labels are `no`, `yes`");
}

#[test]
fn a_given_threshold_decides() {
    let directory = temp_dir::TempDir::new().unwrap();
    let decided = |name: &str, threshold| {
        let config = config(directory.path(), UNEVEN, TrainConfig { threshold: Threshold::At(threshold), ..train() });
        let path = directory.path().join(name);
        let report = tiny::report(&config, &path);
        let run = RunDir::open(&path).unwrap();
        let predictor = Predictor::load(&run, &tiny::cpu()).unwrap();
        let predictions = predictor.predict(&["a film".to_string(), "the film".to_string()], None).unwrap();
        let predicted: Vec<u64> = report.splits[&Split::Train].per_label.iter().map(|label| label.predicted).collect();
        (predictions.into_iter().map(|prediction| prediction.ids[0]).collect::<Vec<_>>(), predicted)
    };
    // Of the five texts "a film" two are "yes", of the others none.
    assert_eq!(decided("half", 0.5), (vec![0, 0], vec![8, 0]));
    assert_eq!(decided("third", 0.3), (vec![1, 0], vec![3, 5]));
}

#[test]
fn tuned_thresholds_are_kept_with_the_run() {
    let directory = temp_dir::TempDir::new().unwrap();
    // Every "bright" text has the label `light`, one in four of them has the label `rare` too.
    let rows =
        format!("text,label\n{}", "bright,light\nbright,light\nbright,\"light,rare\"\nbright,light\ndull,\n".repeat(4));
    let run = |name: &str, threshold, average_best| {
        let train = TrainConfig { threshold, average_best, ..train() };
        let mut config = config(directory.path(), &rows, train);
        config.data = DataConfig { multi_label: true, ..config.data };
        let report = tiny::report(&config, &directory.path().join(name));
        let run = RunDir::open(&directory.path().join(name)).unwrap();
        let predictor = Predictor::load(&run, &tiny::cpu()).unwrap();
        let labels = predictor.predict(&["bright".to_string()], None).unwrap().remove(0).ids;
        let recall = |split, label: usize| report.splits[&split].per_label[label].recall;
        (predictor.thresholds().to_vec(), labels, recall(Split::Validation, 1), recall(Split::Train, 1))
    };
    let (thresholds, labels, ..) = run("half", Threshold::default(), 1);
    assert_eq!((thresholds.len(), labels), (0, vec![0]));
    for average_best in [1, 3] {
        let (thresholds, labels, validation, train) =
            run(&format!("tuned-{average_best}"), Threshold::Tuned, average_best);
        assert!((0.0..0.3).contains(&thresholds[1]), "a quarter of the bright texts are rare: {thresholds:?}");
        assert_eq!((labels, validation, train), (vec![0, 1], 1.0, 1.0));
    }
}

/// The weights of a checkpoint as they stand on the disk.
fn saved(run: &Path, step: u64) -> BTreeMap<String, Vec<f32>> {
    let bytes = std::fs::read(run.join(format!("checkpoints/step-{step:010}/model.safetensors"))).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let floats = |data: &[u8]| data.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
    tensors.tensors().into_iter().map(|(name, tensor)| (name, floats(tensor.data()))).collect()
}

#[test]
fn the_mean_of_the_best_epochs_predicts() {
    let directory = temp_dir::TempDir::new().unwrap();
    let rows = tiny::examples(40, 5);
    let path = directory.path().join("run");
    let train = TrainConfig { epochs: 4, average_best: 3, keep_checkpoints: 1, ..train() };
    let mut config = config(directory.path(), "", train);
    for file in ["train.csv", "validation.csv"] {
        tiny::write_csv(&directory.path().join(file), &rows);
    }
    config.name = "mean".to_string();
    let report = tiny::report(&config, &path);
    // Measured on the training texts the loss falls from epoch to epoch, of five steps each.
    assert_eq!((report.epoch, report.step), (4, 20));
    let best: Vec<_> = [10, 15, 20].map(|step| saved(&path, step)).into();
    assert!(!path.join("checkpoints/step-0000000005").exists(), "only those that are needed are kept");
    let chosen: Vec<Weight> = tiny::weights(&path);
    for Weight { name, values, .. } in &chosen {
        for (i, value) in values.iter().enumerate() {
            let mean = best.iter().map(|weights| f64::from(weights[name][i])).sum::<f64>() / 3.0;
            assert!((f64::from(*value) - mean).abs() < 1e-7, "{name}[{i}]: {value} is not {mean}");
        }
    }
}

#[test]
fn an_average_that_keeps_nothing_is_the_last_weights() {
    let directory = temp_dir::TempDir::new().unwrap();
    tiny::write_csv(&directory.path().join("train.csv"), &tiny::examples(37, 3));
    let (_, model) = tiny::models().remove(1);
    let run = |name: &str, ema| {
        let train = TrainConfig { epochs: 2, ema, ..train() };
        trained(directory.path(), name, &tiny::config(directory.path(), model.clone(), train))
    };
    let last = run("last", None);
    assert!(run("nothing", Some(0.0)) == last);
    assert!(largest_difference(&run("much", Some(0.9)), &last) > 1e-3);
}
