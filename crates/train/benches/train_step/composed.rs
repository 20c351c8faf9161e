//! The step as one would write it with Burn alone: its own operations, its autodiff, its Adam. The shortest loop that trains,
//! on tensors in memory, without reading a loss back.

use std::error::Error;
use std::time::Instant;

use attentive_backend::Opened;
use burn::module::Module;
use burn::nn::loss::BinaryCrossEntropyLossConfig;
use burn::nn::{Embedding, EmbeddingConfig, Initializer, Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_optim::{AdamConfig, GradientsParams};

use crate::arguments::{Arguments, Measured};
use crate::clock::{Clock, draws};

/// The reference model.
#[derive(Module, Debug)]
struct Reference {
    embedding: Embedding,
    head: Linear,
}

impl Reference {
    /// The logits `[batch]` of ids `[batch, length]`.
    fn forward(&self, ids: Tensor<2, Int>) -> Tensor<1> {
        let tokens = self.embedding.forward(ids);
        let weights = softmax(tokens.clone().matmul(tokens.clone().transpose()), 2);
        let pooled = weights.matmul(tokens).mean_dim(1).squeeze_dim::<2>(1);
        self.head.forward(pooled).squeeze_dim::<1>(1)
    }
}

/// Some batches of ids and targets, over and over.
fn batches(arguments: &Arguments, device: &Device) -> Vec<(Tensor<2, Int>, Tensor<1, Int>)> {
    let [batch, length] = [arguments.batch_size, arguments.length];
    let mut draw = draws();
    let ids = |_| {
        let ids: Vec<i32> = (0..batch * length).map(|_| draw(arguments.vocab_size) as i32).collect();
        let targets: Vec<i32> = (0..batch).map(|i| (i % 2) as i32).collect();
        let ids = Tensor::from_data(TensorData::new(ids, [batch, length]), device);
        (ids, Tensor::from_data(TensorData::new(targets, [batch]), device))
    };
    (0..16).map(ids).collect()
}

/// Trains until enough steps are timed, then tells of them.
pub(crate) fn steps(
    arguments: &Arguments,
    opened: &Opened,
    tell: &dyn Fn(&Measured<'_>),
) -> Result<(), Box<dyn Error>> {
    if !arguments.set.is_empty() {
        return Err("`--set` is of the config, which the composed step has not".into());
    }
    let device = opened.device.clone().autodiff();
    let bound = Initializer::Uniform { min: -0.05, max: 0.05 };
    let mut model = Reference {
        embedding: EmbeddingConfig::new(arguments.vocab_size, arguments.dim).with_initializer(bound).init(&device),
        head: LinearConfig::new(arguments.dim, 1).init(&device),
    };
    let parameters = model.num_params();
    let loss = BinaryCrossEntropyLossConfig::new().with_logits(true).init(&device);
    let mut optimizer = AdamConfig::new().with_epsilon(1e-7).init();
    let batches = batches(arguments, &device);
    let mut clock = Clock { started: Instant::now(), told: Vec::new() };
    for (ids, targets) in batches.iter().cycle().take(arguments.steps) {
        let gradients = loss.forward(model.forward(ids.clone()), targets.clone()).backward();
        let gradients = GradientsParams::from_grads(gradients, &model);
        model = optimizer.step(1e-3, model, gradients);
        if clock.tick(arguments) {
            break;
        }
    }
    tell(&Measured { clock: &clock, vocab_size: arguments.vocab_size, parameters });
    Ok(())
}
