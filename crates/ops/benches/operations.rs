//! How long the operations take on the CPU, on flex; the gradient's time includes the forward pass.
//!
//! Usage: cargo bench -p attentive-ops --bench operations

use attentive_backend::Backend;
use attentive_ops::{Adam, GradientRows, Pooled, adam, attention_pooling, embedding_pooling, self_attention_pooling};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use divan::Bencher;

/// Texts, tokens and dimensions.
const SHAPES: [[usize; 3]; 5] = [[32, 20, 64], [32, 100, 64], [256, 20, 64], [32, 512, 128], [1, 4096, 64]];
const VOCAB_SIZE: usize = 10_000;

fn device() -> Device {
    Backend::Flex.open().expect("flex is always there").device
}

fn ids([batch, length, _]: [usize; 3], device: &Device) -> Tensor<2, Int> {
    let ids = (0..batch * length).map(|i| (i * 7919 % VOCAB_SIZE) as i32).collect();
    Tensor::from_data(TensorData::new(ids, [batch, length]), device)
}

fn uniform<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Uniform(-0.05, 0.05), device)
}

#[divan::bench(args = SHAPES)]
fn self_attention(bencher: Bencher<'_, '_>, shape: [usize; 3]) {
    let device = device();
    let (table, ids) = (uniform([VOCAB_SIZE, shape[2]], &device), ids(shape, &device));
    bencher.bench_local(|| self_attention_pooling(table.clone(), ids.clone(), None, None, 1.0));
}

#[divan::bench(args = SHAPES)]
fn self_attention_with_gradient(bencher: Bencher<'_, '_>, shape: [usize; 3]) {
    let device = device().autodiff();
    let (table, ids) = (uniform([VOCAB_SIZE, shape[2]], &device).require_grad(), ids(shape, &device));
    bencher.bench_local(|| {
        let Pooled { vectors, .. } = self_attention_pooling(table.clone(), ids.clone(), None, None, 1.0);
        vectors.sum().backward()
    });
}

#[divan::bench(args = SHAPES)]
fn attention_with_gradient(bencher: Bencher<'_, '_>, shape: [usize; 3]) {
    let device = device().autodiff();
    let [query, key, value] = [(); 3].map(|()| uniform(shape, &device).require_grad());
    bencher.bench_local(|| {
        let Pooled { vectors, .. } = attention_pooling(query.clone(), key.clone(), value.clone(), None, None, 1, 0.125);
        vectors.sum().backward()
    });
}

#[divan::bench(args = SHAPES)]
fn embedding_with_gradient(bencher: Bencher<'_, '_>, shape: [usize; 3]) {
    let device = device().autodiff();
    let (table, ids) = (uniform([VOCAB_SIZE, shape[2]], &device).require_grad(), ids(shape, &device));
    bencher.bench_local(|| embedding_pooling(table.clone(), ids.clone(), None, None).sum().backward());
}

const STEP: Adam = Adam { alpha: 1e-3, one_minus_beta_1: 0.1, one_minus_beta_2: 1e-3, epsilon: 1e-7, decay: 0.0 };

#[divan::bench(args = [10_000, 100_000])]
fn adam_of_all_rows(bencher: Bencher<'_, '_>, n_rows: usize) {
    let device = device();
    let gradient = uniform([n_rows * 64], &device);
    let mut tensors = [(); 3].map(|()| Some(uniform([n_rows * 64], &device).abs()));
    bencher.bench_local(|| {
        let taken = tensors.each_mut().map(|tensor| tensor.take().expect("put back below"));
        tensors = adam(&STEP, taken, gradient.clone(), None).map(Some);
    });
}

#[divan::bench(args = [10_000, 100_000])]
fn adam_of_some_rows(bencher: Bencher<'_, '_>, n_rows: usize) {
    let device = device();
    let indices: Vec<i32> = (0..2_000).map(|i| (i * n_rows / 2_000) as i32).collect();
    let rows = GradientRows {
        indices: Tensor::from_data(TensorData::new(indices, [2_000]), &device),
        width: 64,
        moves_others: true,
    };
    let gradient = uniform([2_000 * 64], &device);
    let mut tensors = [(); 3].map(|()| Some(uniform([n_rows * 64], &device).abs()));
    bencher.bench_local(|| {
        let taken = tensors.each_mut().map(|tensor| tensor.take().expect("put back below"));
        tensors = adam(&STEP, taken, gradient.clone(), Some(&rows)).map(Some);
    });
}

fn main() {
    divan::main();
}
