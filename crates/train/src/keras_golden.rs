//! The reference model against Keras 3.15.1, step by step: weights, losses, accuracies and predictions that Keras
//! produced (`scripts/keras_golden.py`) from the same initial weights on the same batches.

use attentive_backend::Backend;
use attentive_model::{Classifier, Head, Initializer, ModelConfig, Padding, Sizes, Tokens, Weight};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use serde::Deserialize;

use crate::config::LossConfig;
use crate::config::OptimizerConfig;
use crate::evaluation::evaluate::Logits;
use crate::metrics::{Decision, Task};
use crate::step::gradients::Gradients;
use crate::step::loss::Loss;

#[derive(Deserialize)]
struct Golden {
    mask_zero: bool,
    x: Vec<Vec<i32>>,
    y: Vec<u32>,
    batch_size: usize,
    init: Variables,
    steps: Vec<GoldenStep>,
    history: History,
    predict: Vec<f64>,
}

#[derive(Deserialize)]
struct GoldenStep {
    weights: Variables,
}

#[derive(Deserialize)]
struct History {
    loss: Vec<f64>,
    accuracy: Vec<f64>,
    val_loss: Vec<f64>,
    val_accuracy: Vec<f64>,
}

/// `embeddings` [12, 4], `kernel` [4, 1], `bias` [1].
#[derive(Deserialize)]
struct Variables(Vec<Vec<f32>>, Vec<[f32; 1]>, Vec<f32>);

impl Variables {
    fn to_weights(&self) -> Vec<Weight> {
        let weight = |name: &str, shape: &[usize], values: Vec<f32>| Weight {
            name: name.to_string(),
            shape: shape.to_vec(),
            values,
        };
        vec![
            weight("embedding.weight", &[12, 4], self.0.concat()),
            weight("head.weight", &[4, 1], self.1.concat()),
            weight("head.bias", &[1], self.2.clone()),
        ]
    }
}

fn golden(name: &str) -> Golden {
    let path = format!("{}/tests/data/{name}", std::env::var("CARGO_MANIFEST_DIR").unwrap());
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn tokens(golden: &Golden, range: std::ops::Range<usize>, device: &Device) -> Tokens {
    let rows = &golden.x[range];
    let shape = [rows.len(), rows[0].len()];
    let ids: Vec<i32> = rows.concat();
    let real: Vec<bool> = ids.iter().map(|&id| id != 0).collect();
    Tokens {
        ids: Tensor::<2, Int>::from_data(TensorData::new(ids, shape), device),
        mask: golden.mask_zero.then(|| Tensor::<2, Bool>::from_data(TensorData::new(real, shape), device)),
    }
}

/// The mean loss, the accuracy, and the probabilities of the second label.
fn measure(model: &Classifier, golden: &Golden, n: usize, device: &Device) -> (f64, f64, Vec<f32>) {
    let values = model.forward(tokens(golden, 0..n, device)).inner().try_into_vec_as::<f32>().unwrap();
    let (loss, correct, probabilities) = judge(values, &golden.y[..n]);
    (loss / n as f64, correct as f64 / n as f64, probabilities.chunks(2).map(|row| row[1]).collect())
}

fn binary() -> Loss {
    Loss::new(Head::Sigmoid, &LossConfig::default(), 0.0, vec![1.0; 2])
}

/// The sum of the losses, the number of right decisions, and the probabilities of both labels.
fn judge(values: Vec<f32>, targets: &[u32]) -> (f64, usize, Vec<f32>) {
    let of: Vec<&[u32]> = targets.chunks(1).collect();
    let loss = binary().values(&values, &of).iter().sum();
    let probabilities = Logits { values, head: Head::Sigmoid, n_labels: 2 }.probabilities();
    let decision = Decision::new(Task::One);
    let correct = probabilities.chunks(2).zip(of).filter(|(row, target)| decision.decide(row) == *target).count();
    (loss, correct, probabilities)
}

fn assert_close(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} is not {expected}");
}

/// Trains as Keras did; `tolerance` is for the weights after every step.
fn follow(name: &str, backend: Backend, tolerance: f64) {
    let golden = golden(name);
    let opened = match backend.open() {
        Ok(opened) => opened,
        Err(error) => return println!("skipped on {backend}: {error}"),
    };
    let device = opened.device.autodiff();
    let config = ModelConfig {
        embedding: attentive_model::EmbeddingConfig { dim: 4, ..Default::default() },
        masking: golden.mask_zero,
        padding: Padding::MaxLength,
        max_length: 5,
        ..ModelConfig::default()
    };
    let model = config.init(&Sizes::of_labels(12, 2), &mut Initializer::new(0, &device));
    let mut model = model.with_weights(golden.init.to_weights()).unwrap();
    let mut optimizer = OptimizerConfig::default().init();

    let mut step = 0;
    for epoch in 0..golden.history.loss.len() {
        let (mut loss, mut correct) = (0.0, 0);
        for start in (0..golden.x.len()).step_by(golden.batch_size) {
            let range = start..(start + golden.batch_size).min(golden.x.len());
            let targets = &golden.y[range.clone()];
            let logits = model.forward(tokens(&golden, range, &device));
            let values = logits.clone().inner().try_into_vec_as::<f32>().unwrap();
            let of: Vec<&[u32]> = targets.chunks(1).collect();
            let of_loss = binary().gradient(logits.clone().inner(), &of) / targets.len() as f32;
            let mut gradients = Gradients::default();
            gradients.add(&model, (logits * Tensor::from_inner(of_loss)).sum().backward());
            model = optimizer.step(model, gradients, step, &|_| 1e-3);

            let (of_step, right, _) = judge(values, targets);
            loss += of_step;
            correct += right;
            let expected = golden.steps[step as usize].weights.to_weights();
            for (found, expected) in model.weights().unwrap().iter().zip(&expected) {
                assert_eq!(found.name, expected.name);
                for (found, expected) in found.values.iter().zip(&expected.values) {
                    let what = format!("a weight after step {}", step + 1);
                    assert_close(&what, f64::from(*found), f64::from(*expected), tolerance);
                }
            }
            step += 1;
        }
        let n = golden.x.len() as f64;
        assert_close("epoch loss", loss / n, golden.history.loss[epoch], 1e-6);
        assert_close("epoch accuracy", correct as f64 / n, golden.history.accuracy[epoch], 1e-6);
        let (val_loss, val_accuracy, _) = measure(&model, &golden, 7, &device);
        assert_close("validation loss", val_loss, golden.history.val_loss[epoch], 1e-6);
        assert_close("validation accuracy", val_accuracy, golden.history.val_accuracy[epoch], 1e-6);
    }
    let (_, _, predictions) = measure(&model, &golden, golden.x.len(), &device);
    for (found, expected) in predictions.iter().zip(&golden.predict) {
        assert_close("a prediction", f64::from(*found), *expected, 1e-6);
    }
}

#[test]
fn weights_follow_keras_without_masking() {
    follow("keras_mask0.json", Backend::Flex, 2e-6);
    follow("keras_mask0.json", Backend::NdArray, 2e-6);
}

#[test]
fn weights_follow_keras_with_masking() {
    follow("keras_mask1.json", Backend::Flex, 2e-6);
    follow("keras_mask1.json", Backend::NdArray, 2e-6);
}

#[test]
fn weights_follow_keras_on_wgpu() {
    follow("keras_mask0.json", Backend::Wgpu, 1e-5);
    follow("keras_mask1.json", Backend::Wgpu, 1e-5);
}
