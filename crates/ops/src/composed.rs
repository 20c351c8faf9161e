//! The same operations in tensor operations of Burn, with the gradients of its autodiff: what runs where memory is not the
//! host's, and what the fused ones are tested against.

use burn::tensor::activation::softmax;
use burn::tensor::module::embedding;
use burn::tensor::{Bool, IndexingUpdateOp, Int, Tensor};

use crate::adam::GradientRows;
use crate::kernels::Adam;

/// What is added to the score of a hidden key, as in Keras: beside a real score its weight is exactly zero, and a text
/// without tokens gives no NaN.
const HIDDEN: f32 = -1e9;

/// 1 where a token is real, 0 elsewhere: `[batch, length]`.
fn real(mask: Option<&Tensor<2, Bool>>, [batch, length]: [usize; 2], beside: &Tensor<3>) -> Tensor<2> {
    match mask {
        Some(mask) => mask.clone().float(),
        None => Tensor::ones([batch, length], &beside.device()),
    }
}

/// See [`crate::attention_pooling`].
pub(crate) fn attention_pooling(
    [query, key, value]: [Tensor<3>; 3],
    mask: Option<&Tensor<2, Bool>>,
    query_weights: Tensor<2>,
    n_heads: usize,
    scale: f32,
) -> (Tensor<2>, Tensor<3>) {
    let [batch, queries, _] = query.dims();
    let [_, keys, value_dim] = value.dims();
    let real = real(mask, [batch, keys], &key);
    let heads = |tensor: Tensor<3>| {
        let [batch, length, dim] = tensor.dims();
        tensor.reshape([batch, length, n_heads, dim / n_heads]).swap_dims(1, 2) // [batch, heads, length, d]
    };
    let scores = heads(query).matmul(heads(key).swap_dims(2, 3)) * scale;
    let hidden = (real.clone() - 1.0) * -HIDDEN;
    let weights = softmax(scores + hidden.reshape([batch, 1, 1, keys]), 3);
    // A text without tokens has no weights.
    let weights = weights * real.reshape([batch, 1, 1, keys]);
    let of_keys = query_weights.reshape([batch, 1, 1, queries]).repeat_dim(1, n_heads).matmul(weights);
    let pooled = of_keys.clone().matmul(heads(value)).reshape([batch, value_dim]);
    (pooled, of_keys.reshape([batch, n_heads, keys]))
}

/// See [`crate::embedding_pooling`].
pub(crate) fn embedding_pooling(table: Tensor<2>, ids: Tensor<2, Int>, weights: Tensor<2>) -> Tensor<2> {
    let [batch, length] = weights.dims();
    weights.reshape([batch, 1, length]).matmul(embedding(table, ids)).squeeze_dim::<2>(1)
}

/// See [`crate::query_pooling`].
pub(crate) fn query_pooling(tokens: Tensor<3>, query: Tensor<1>, mask: Option<&Tensor<2, Bool>>) -> Tensor<2> {
    let [batch, length, dim] = tokens.dims();
    let real = real(mask, [batch, length], &tokens);
    let scores = (tokens.clone() * query.reshape([1, 1, dim])).sum_dim(2).reshape([batch, length]);
    let weights = softmax(scores + (real.clone() - 1.0) * -HIDDEN, 1) * real;
    weights.reshape([batch, 1, length]).matmul(tokens).squeeze_dim::<2>(1)
}

/// See [`crate::adam()`].
pub(crate) fn adam_of_rows(
    step: &Adam,
    tensors: [Tensor<1>; 3],
    gradient: Tensor<1>,
    rows: Option<&GradientRows>,
) -> [Tensor<1>; 3] {
    let Some(GradientRows { indices, width, moves_others }) = rows else { return adam(step, tensors, gradient) };
    let (indices, width) = (indices.clone().inner(), *width as i32);
    let matrix = |flat: Tensor<1>| flat.reshape([-1, width]);
    let put = |table: Tensor<1>, rows: Tensor<1>| {
        matrix(table).select_assign(0, indices.clone(), matrix(rows), IndexingUpdateOp::Assign).reshape([-1])
    };
    if *moves_others {
        let gradient = put(tensors[0].zeros_like(), gradient);
        return adam(step, tensors, gradient);
    }
    if indices.dims() == [0] {
        return tensors;
    }
    let own = tensors.each_ref().map(|table| matrix(table.clone()).select(0, indices.clone()).reshape([-1]));
    let mut moved = adam(step, own, gradient).into_iter();
    tensors.map(|table| match moved.next() {
        Some(rows) => put(table, rows),
        None => table,
    })
}

/// Adam of all values.
pub(crate) fn adam(step: &Adam, [value, m, v]: [Tensor<1>; 3], gradient: Tensor<1>) -> [Tensor<1>; 3] {
    let value = if step.decay == 0.0 { value } else { value.clone() - value * step.decay };
    let m = m.clone() + (gradient.clone() - m) * step.one_minus_beta_1;
    let v = v.clone() + (gradient.square() - v) * step.one_minus_beta_2;
    let value = value - (m.clone() * step.alpha) / (v.clone().sqrt() + step.epsilon);
    [value, m, v]
}
