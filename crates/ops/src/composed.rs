//! The same operations in tensor operations of Burn, with the gradients of its autodiff: what runs where memory is not the
//! host's, and what the fused ones are tested against.

use burn::tensor::activation::softmax;
use burn::tensor::module::embedding;
use burn::tensor::{Bool, IndexingUpdateOp, Int, Tensor};

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

/// See [`crate::adam`].
pub(crate) fn adam(step: &Adam, [value, m, v]: [Tensor<1>; 3], gradient: Tensor<1>) -> [Tensor<1>; 3] {
    let value = if step.decay == 0.0 { value } else { value.clone() - value * step.decay };
    let m = m.clone() + (gradient.clone() - m) * step.one_minus_beta_1;
    let v = v.clone() + (gradient.square() - v) * step.one_minus_beta_2;
    let value = value - (m.clone() * step.alpha) / (v.clone().sqrt() + step.epsilon);
    [value, m, v]
}

/// A table of `n_values` zeros, flattened, with the rows `indices` of `width` values in their places.
pub(crate) fn spread(rows: Tensor<1>, indices: Tensor<1, Int>, width: usize, n_values: usize) -> Tensor<1> {
    let table = Tensor::<2>::zeros([n_values / width, width], &rows.device());
    table.select_assign(0, indices, rows.reshape([-1, width as i32]), IndexingUpdateOp::Assign).reshape([-1])
}
