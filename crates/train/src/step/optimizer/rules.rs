//! What each optimizer does to one weight, value by value: operation for operation as Keras computes it in f32. All
//! tensors are flattened and of one length, but for a gradient of which only some rows are there.

use attentive_ops::Adam;
use burn::tensor::Tensor;

use crate::config::{AdagradConfig, AdamConfig, AdamwConfig, LionConfig, OptimizerConfig, RmspropConfig, SgdConfig};
use crate::step::rows::StepRows;

/// The values after a step, which counts from 0. The moments, in the order of their names, change in place.
pub(super) fn apply(
    config: &OptimizerConfig,
    value: Tensor<1>,
    gradient: Tensor<1>,
    rows: Option<&StepRows>,
    moments: &mut [Tensor<1>],
    step: u64,
    lr: f64,
) -> Tensor<1> {
    let (beta_1, beta_2, epsilon, weight_decay) = match config {
        OptimizerConfig::Adam(AdamConfig { beta_1, beta_2, epsilon, .. }) => (*beta_1, *beta_2, *epsilon, 0.0),
        OptimizerConfig::Adamw(AdamwConfig { beta_1, beta_2, epsilon, weight_decay, .. }) => {
            (*beta_1, *beta_2, *epsilon, *weight_decay)
        }
        _ => {
            return match rows {
                Some(rows) if config.is_sparse() => apply_to_rows(config, value, gradient, rows, moments, lr),
                Some(rows) => {
                    let gradient = rows.spread(gradient, value.dims()[0]);
                    apply_to_all(config, value, gradient, moments, lr)
                }
                None => apply_to_all(config, value, gradient, moments, lr),
            };
        }
    };
    let [m, v] = moments else { return value };
    let t = (step + 1) as f64;
    let step = Adam {
        alpha: (lr * (1.0 - beta_2.powf(t)).sqrt() / (1.0 - beta_1.powf(t))) as f32,
        one_minus_beta_1: (1.0 - beta_1) as f32,
        one_minus_beta_2: (1.0 - beta_2) as f32,
        epsilon: epsilon as f32,
        decay: (lr * weight_decay) as f32,
    };
    // The moments leave their places, so that they have no second handle and are written in place.
    let empty = Tensor::empty([0], &value.device());
    let tensors = [value, std::mem::replace(m, empty.clone()), std::mem::replace(v, empty)];
    let rows = rows.map(|rows| rows.of_gradient(!config.is_sparse()));
    let value;
    [value, *m, *v] = attentive_ops::adam(&step, tensors, gradient, rows.as_ref());
    value
}

/// The other optimizers on the rows of a table that have a gradient; the others keep every bit.
fn apply_to_rows(
    config: &OptimizerConfig,
    value: Tensor<1>,
    gradient: Tensor<1>,
    rows: &StepRows,
    moments: &mut [Tensor<1>],
    lr: f64,
) -> Tensor<1> {
    if rows.is_empty() {
        return value;
    }
    let mut of_rows: Vec<Tensor<1>> = moments.iter().map(|moment| rows.of(moment)).collect();
    let updated = apply_to_all(config, rows.of(&value), gradient, &mut of_rows, lr);
    for (table, of_rows) in moments.iter_mut().zip(of_rows) {
        // The table leaves its place, so that it has no second handle and is written in place.
        let whole = std::mem::replace(table, Tensor::empty([0], &of_rows.device()));
        *table = rows.put(whole, of_rows);
    }
    rows.put(value, updated)
}

/// The other optimizers, whose gradient is that of all values.
fn apply_to_all(
    config: &OptimizerConfig,
    value: Tensor<1>,
    gradient: Tensor<1>,
    moments: &mut [Tensor<1>],
    lr: f64,
) -> Tensor<1> {
    match config {
        OptimizerConfig::Adam(_) | OptimizerConfig::Adamw(_) => value,
        OptimizerConfig::Sgd(config) => sgd(value, gradient, moments, config, lr),
        OptimizerConfig::Rmsprop(config) => rmsprop(value, gradient, moments, config, lr),
        OptimizerConfig::Adagrad(config) => adagrad(value, gradient, moments, config, lr),
        OptimizerConfig::Lion(config) => lion(decay(value, config.weight_decay, lr), gradient, moments, config, lr),
    }
}

/// Decoupled weight decay, as Keras' optimizers apply it before a step.
fn decay(value: Tensor<1>, weight_decay: f64, lr: f64) -> Tensor<1> {
    if weight_decay == 0.0 {
        return value;
    }
    value.clone() - value * (lr * weight_decay) as f32
}

/// Gradient descent as `keras/src/optimizers/sgd.py` computes it.
fn sgd(value: Tensor<1>, gradient: Tensor<1>, moments: &mut [Tensor<1>], config: &SgdConfig, lr: f64) -> Tensor<1> {
    let change = gradient * -(lr as f32);
    let [m] = moments else { return value + change };
    let momentum = config.momentum as f32;
    *m = m.clone() * momentum + change.clone();
    if config.nesterov { value + m.clone() * momentum + change } else { value + m.clone() }
}

/// RMSprop as `keras/src/optimizers/rmsprop.py` computes it.
fn rmsprop(
    value: Tensor<1>,
    gradient: Tensor<1>,
    moments: &mut [Tensor<1>],
    config: &RmspropConfig,
    lr: f64,
) -> Tensor<1> {
    let [velocity, others @ ..] = moments else { return value };
    let (momentum, average) = match others {
        [momentum, average] => (Some(momentum), Some(average)),
        [momentum] if !config.centered => (Some(momentum), None),
        [average] => (None, Some(average)),
        _ => (None, None),
    };
    let (rho, rest) = (config.rho as f32, (1.0 - config.rho) as f32);
    *velocity = velocity.clone() * rho + gradient.clone().square() * rest;
    let mut variance = velocity.clone();
    if let Some(average) = average {
        *average = average.clone() * rho + gradient.clone() * rest;
        variance = variance - average.clone().square();
    }
    let increment = gradient * lr as f32 / (variance + config.epsilon as f32).sqrt();
    let Some(momentum) = momentum else { return value - increment };
    *momentum = momentum.clone() * config.momentum as f32 + increment;
    value - momentum.clone()
}

/// Adagrad as `keras/src/optimizers/adagrad.py` computes it.
fn adagrad(
    value: Tensor<1>,
    gradient: Tensor<1>,
    moments: &mut [Tensor<1>],
    config: &AdagradConfig,
    lr: f64,
) -> Tensor<1> {
    let [accumulator] = moments else { return value };
    *accumulator = accumulator.clone() + gradient.clone().square();
    value - gradient * lr as f32 / (accumulator.clone() + config.epsilon as f32).sqrt()
}

/// Lion as `keras/src/optimizers/lion.py` computes it, where 1 − β, too, is taken in f32.
fn lion(value: Tensor<1>, gradient: Tensor<1>, moments: &mut [Tensor<1>], config: &LionConfig, lr: f64) -> Tensor<1> {
    let [m] = moments else { return value };
    let (beta_1, beta_2) = (config.beta_1 as f32, config.beta_2 as f32);
    let direction = (m.clone() * beta_1 + gradient.clone() * (1.0 - beta_1)).sign();
    *m = m.clone() * beta_2 + gradient * (1.0 - beta_2);
    value - direction * lr as f32
}
