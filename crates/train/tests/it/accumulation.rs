//! What the loop promises about its steps: accumulated batches, clipped gradients, early stopping.

use std::path::Path;

use attentive_data::{Split, SplitSource};
use attentive_model::Weight;
use attentive_train::{EarlyStoppingConfig, Monitor, OptimizerConfig, Outcome, Report, SgdConfig, TrainConfig};

use crate::tiny::{self, largest_difference, trained};

fn sgd(learning_rate: f64) -> OptimizerConfig {
    OptimizerConfig::Sgd(SgdConfig { learning_rate, ..SgdConfig::default() })
}

#[test]
fn accumulation_gives_the_weights_of_the_whole_batch() {
    let directory = temp_dir::TempDir::new().unwrap();
    // Five steps an epoch: four of 8 examples in parts of 2, one of 5 in parts of 2, 2 and 1.
    tiny::write_csv(&directory.path().join("train.csv"), &tiny::examples(37, 3));
    for (name, model) in tiny::models() {
        let train = |accumulation_steps, epochs| TrainConfig {
            epochs,
            batch_size: 8,
            accumulation_steps,
            optimizer: sgd(0.1),
            ..TrainConfig::default()
        };
        let run = |steps, epochs| {
            let config = tiny::config(directory.path(), model.clone(), train(steps, epochs));
            trained(directory.path(), &format!("{name}-{steps}-{epochs}"), &config)
        };
        let (whole, parts, early) = (run(1, 2), run(4, 2), run(1, 1));
        assert!(largest_difference(&whole, &early) > 1e-2, "{name} moves");
        assert!(largest_difference(&whole, &parts) < 1e-6, "{name}: {}", largest_difference(&whole, &parts));
    }
}

#[test]
fn clipping_scales_all_weights_alike() {
    let directory = temp_dir::TempDir::new().unwrap();
    tiny::write_csv(&directory.path().join("train.csv"), &tiny::examples(13, 4));
    for (name, model) in tiny::models() {
        // One step, so with a learning rate of 1 the weights move by the gradient, and with 1e-30 not at all.
        let after = |run: &str, learning_rate, max_grad_norm| {
            let train =
                TrainConfig { epochs: 1, max_grad_norm, optimizer: sgd(learning_rate), ..TrainConfig::default() };
            trained(directory.path(), &format!("{name}-{run}"), &tiny::config(directory.path(), model.clone(), train))
        };
        let (start, free) = (after("start", 1e-30, None), after("free", 1.0, None));
        let moves = |end: &[Weight]| -> Vec<(String, Vec<f64>)> {
            let values = |a: &Weight, b: &Weight| {
                a.values.iter().zip(&b.values).map(|(a, b)| f64::from(*a) - f64::from(*b)).collect()
            };
            start.iter().zip(end).map(|(a, b)| (a.name.clone(), values(a, b))).collect()
        };
        let gradients = moves(&free);
        let norm = gradients.iter().flat_map(|(_, values)| values).map(|value| value * value).sum::<f64>().sqrt();
        for weight in ["embedding.weight", "head.weight", "head.bias"] {
            let (_, values) = gradients.iter().find(|(found, _)| found == weight).unwrap();
            assert!(values.iter().any(|value| value.abs() > 1e-4), "{name}: `{weight}` has a part in the norm");
        }

        let clipped = moves(&after("clipped", 1.0, Some(norm / 4.0)));
        for ((weight, free), (_, clipped)) in gradients.iter().zip(&clipped) {
            for (free, clipped) in free.iter().zip(clipped) {
                assert!((clipped - free / 4.0).abs() < 1e-6, "{name}, {weight}: {clipped} is not a quarter of {free}");
            }
        }
        assert_eq!(after("untouched", 1.0, Some(norm * 1.01)), free, "{name}: a norm below the limit changes nothing");
    }
}

#[test]
fn a_part_with_a_rate_of_its_own_moves_by_it() {
    let directory = temp_dir::TempDir::new().unwrap();
    tiny::write_csv(&directory.path().join("train.csv"), &tiny::examples(37, 3));
    let (_, model) = tiny::models().remove(1);
    let run = |name: &str, learning_rate, parts: &[(&str, f64)]| {
        let learning_rates = parts.iter().map(|(part, rate)| ((*part).to_string(), *rate)).collect();
        let train = TrainConfig { epochs: 1, optimizer: sgd(learning_rate), learning_rates, ..TrainConfig::default() };
        trained(directory.path(), name, &tiny::config(directory.path(), model.clone(), train))
    };
    let all = run("all", 0.1, &[]);
    // A rate of 1e-60 is 0 in f32: what has it stays where it starts.
    let start = run("start", 1e-60, &[]);
    for (name, rates) in [("head", [("head", 1e-60)]), ("attention", [("attention", 1e-60)])] {
        let weights = run(name, 0.1, &rates);
        for ((weight, start), all) in weights.iter().zip(&start).zip(&all) {
            let still = weight.name.starts_with(&format!("{name}."));
            assert!(start.values != all.values, "{} moves", weight.name);
            assert_eq!(weight.values == start.values, still, "{name}: {}", weight.name);
        }
    }
    let every = ["embedding", "positions", "attention", "head"].map(|part| (part, 0.1));
    assert!(run("every", 3.0, &every) == all, "the optimizer's rate is for parts that have none");
}

/// Trains with early stopping after two epochs without improvement.
fn stop_early(directory: &Path, run: &str, monitor: Monitor, epochs: u64) -> (Report, Vec<serde_json::Value>) {
    let (_, model) = tiny::models().remove(0);
    let train = TrainConfig {
        epochs,
        batch_size: 8,
        optimizer: OptimizerConfig::Adam(attentive_train::AdamConfig { learning_rate: 0.02, ..Default::default() }),
        monitor,
        early_stopping: Some(EarlyStoppingConfig { patience: 2, min_delta: 0.0 }),
        ..TrainConfig::default()
    };
    let mut config = tiny::config(directory, model, train);
    config.data.validation = Some(SplitSource::Files(directory.join("validation.csv").into()));
    let path = directory.join(run);
    let Outcome::Finished(report) = tiny::train(&config, &path, &tiny::flex()).unwrap() else { panic!("interrupted") };
    let epochs = tiny::metrics(&path).into_iter().filter(|line| line.get("validation").is_some()).collect();
    (report, epochs)
}

#[test]
fn early_stopping_ends_the_run_and_reports_the_best_epoch() {
    let directory = temp_dir::TempDir::new().unwrap();
    let reviews = tiny::examples(40, 5);
    tiny::write_csv(&directory.path().join("train.csv"), &reviews);

    // Validation with every label wrong: the better the model learns, the worse its loss, from the first epoch on.
    let wrong: Vec<_> =
        reviews.iter().map(|(text, label)| (text.clone(), if *label == "bad" { "good" } else { "bad" })).collect();
    tiny::write_csv(&directory.path().join("validation.csv"), &wrong);
    let (report, epochs) = stop_early(directory.path(), "wrong", Monitor::Loss, 30);
    assert_eq!((report.epoch, report.step, report.epochs_trained, report.stopped_early), (1, 5, 3, true));
    let loss = |epoch: usize| epochs[epoch]["validation"]["loss"].as_f64().unwrap();
    assert!(loss(0) < loss(1) && loss(1) < loss(2));
    assert_eq!(report.splits[&Split::Validation].loss, loss(0), "the weights of the best epoch were evaluated");

    // Validation on the training texts: accuracy rises for some epochs, then no further.
    tiny::write_csv(&directory.path().join("validation.csv"), &reviews);
    let (report, epochs) = stop_early(directory.path(), "same", Monitor::Accuracy, 200);
    let accuracies: Vec<f64> = epochs.iter().map(|line| line["validation"]["accuracy"].as_f64().unwrap()).collect();
    let best = accuracies.iter().copied().fold(0.0, f64::max);
    let first_best = accuracies.iter().position(|&accuracy| accuracy == best).unwrap() as u64 + 1;
    assert!(first_best > 1, "{accuracies:?}");
    assert_eq!((report.epoch, report.epochs_trained), (first_best, first_best + 2), "{accuracies:?}");
    assert!(report.stopped_early);
    assert_eq!(report.splits[&Split::Validation].accuracy, best);

    // Epochs run out first.
    let (report, _) = stop_early(directory.path(), "short", Monitor::Accuracy, 1);
    assert_eq!((report.epochs_trained, report.stopped_early), (1, false));
}
