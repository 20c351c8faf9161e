//! The same run on every backend: the same losses while training, the same predictions of the same weights.

use crate::tiny;
use attentive_backend::{Backend, Opened};
use attentive_train::{OptimizerConfig, Outcome, Predictor, RunDir, TrainConfig};

/// Between two of them a GPU is given several steps at once.
const LOG_EVERY: usize = 3;

/// Every backend that opens here, flex first; says why another does not.
fn backends() -> Vec<Opened> {
    let opened: Vec<Opened> = Backend::ALL
        .into_iter()
        .filter_map(|backend| backend.open().map_err(|error| println!("{backend} is skipped: {error}")).ok())
        .collect();
    assert_eq!(opened[0].backend, Backend::Flex);
    assert!(opened.len() >= 2, "there is something to compare");
    opened
}

#[test]
fn losses_and_predictions_agree() {
    let directory = temp_dir::TempDir::new().unwrap();
    let reviews = tiny::examples(75, 1); // 10 steps an epoch, the last of 3 examples
    tiny::write_csv(&directory.path().join("train.csv"), &reviews);
    let others = tiny::examples(30, 2);
    let seconds: Vec<String> = tiny::seconds(&others).into_iter().chain([String::new()]).collect();
    let texts: Vec<String> = others.into_iter().map(|(text, _)| text).chain([String::new()]).collect();

    for (name, model) in tiny::models().into_iter().chain(tiny::other_models()) {
        let train = TrainConfig {
            epochs: 5,
            batch_size: 8,
            log_every: LOG_EVERY as u64,
            max_grad_norm: Some(0.5),
            optimizer: OptimizerConfig::Adam(attentive_train::AdamConfig { learning_rate: 0.01, ..Default::default() }),
            ..TrainConfig::default()
        };
        let config = tiny::config(directory.path(), model, train);
        let mut curves: Vec<(Backend, Vec<f64>)> = Vec::new();
        for opened in backends() {
            let path = directory.path().join(format!("{name}-{}", opened.backend));
            let outcome = tiny::train(&config, &path, &opened).unwrap();
            assert!(matches!(outcome, Outcome::Finished(_)));
            let losses: Vec<f64> = tiny::metrics(&path).iter().filter_map(|line| line["loss"].as_f64()).collect();
            assert_eq!(losses.len(), 50 / LOG_EVERY);
            let last = losses[losses.len() - 1];
            assert!(last < 0.9 * losses[0], "{name} learns nothing on {}: {losses:?}", opened.backend);
            curves.push((opened.backend, losses));
        }
        let (_, expected) = &curves[0];
        for (backend, losses) in &curves[1..] {
            // Rounding grows from step to step, that of a transformer from 1e-8 to 1e-3 in fifty: the first thirty are held.
            for (step, (found, expected)) in losses.iter().zip(expected).take(30 / LOG_EVERY).enumerate() {
                let difference = (found - expected).abs() / expected;
                assert!(
                    difference < 1e-3,
                    "{name}, {backend}, step {}: {found} is not {expected}",
                    (step + 1) * LOG_EVERY
                );
            }
        }

        // The weights that flex trained, read from its run by every backend.
        let run = RunDir::open(&directory.path().join(format!("{name}-flex"))).unwrap();
        let seconds = config.data.text.is_pair().then_some(seconds.as_slice());
        let mut expected = None;
        for opened in backends() {
            let predictor = Predictor::load(&run, &opened.device).unwrap();
            let predictions = predictor.predict(&texts, seconds).unwrap().into_iter();
            let found: Vec<Vec<f32>> = predictions.map(|prediction| prediction.probabilities).collect();
            let expected = expected.get_or_insert_with(|| found.clone());
            for ((found, expected), text) in found.iter().zip(expected.iter()).zip(&texts) {
                for (found, expected) in found.iter().zip(expected) {
                    let difference = (found - expected).abs();
                    assert!(difference < 1e-4, "{name}, {}, `{text}`: {found} is not {expected}", opened.backend);
                }
            }
        }
        let spread = expected.unwrap().iter().map(|probabilities| probabilities[1]).fold(0.0, f32::max);
        assert!(spread > 0.6, "{name} decides something");
    }
}

/// A step whose numbers are not finite, among those that a GPU is given at once.
#[test]
fn the_same_steps_are_skipped() {
    let directory = temp_dir::TempDir::new().unwrap();
    let mut reviews = tiny::examples(59, 6);
    reviews.push(("boom boom".to_string(), "bad"));
    tiny::write_csv(&directory.path().join("train.csv"), &reviews);
    std::fs::write(directory.path().join("words.vec"), format!("boom{}\n", " 1e25".repeat(8))).unwrap();
    let (_, mut model) = tiny::models().remove(0);
    model.embedding.vectors = Some(directory.path().join("words.vec"));
    let train = TrainConfig { epochs: 3, batch_size: 4, log_every: 7, ..TrainConfig::default() };
    let config = tiny::config(directory.path(), model, train);
    let logs = backends().into_iter().map(|opened| {
        let path = directory.path().join(opened.backend.to_string());
        let Outcome::Finished(report) = tiny::train(&config, &path, &opened).unwrap() else { panic!() };
        assert_eq!((report.skipped_steps, report.rollbacks), (3, 0), "{}", opened.backend);
        let lines = tiny::metrics(&path);
        let skipped = lines.iter().filter(|line| line.get("skipped").is_some()).cloned().collect::<Vec<_>>();
        let losses = lines.iter().filter_map(|line| line["loss"].as_f64()).collect::<Vec<_>>();
        (opened.backend, skipped, losses)
    });
    let logs: Vec<_> = logs.collect();
    let (_, expected_skipped, expected_losses) = &logs[0];
    assert_eq!(expected_losses.len(), 45 / 7);
    for (backend, skipped, losses) in &logs[1..] {
        assert_eq!(skipped, expected_skipped, "{backend}");
        let agree = losses.iter().zip(expected_losses).all(|(found, expected)| (found - expected).abs() < 1e-4);
        assert!(agree, "{backend}: {losses:?} is not {expected_losses:?}");
    }
}
