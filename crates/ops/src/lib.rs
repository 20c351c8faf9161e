//! The operations that Burn lacks, fused, with hand-written gradients: attention with pooling, weighted sums of rows, and the
//! Adam step.
//!
//! On Burn's CPU backends they compute in host memory, with SIMD chosen at run time and on all cores; the results do not
//! depend on the number of threads. On every other backend they are composed of Burn's own operations. No tensor of
//! `[length, length]` lives longer than a text takes, but for short texts whose weights are kept for the gradient.
//!
//! The modules are listed in the order of their imports: each uses only those above it.
#![cfg_attr(not(any(feature = "flex", feature = "ndarray")), allow(unused, reason = "a GPU alone composes everything"))]

mod kernels;

mod host;
mod scatter;
mod texts;

mod distinct;

mod adam;
mod attention;
mod composed;
mod query;
mod sums;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use burn::tensor::module::embedding;
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use rayon::prelude::*;

pub use self::adam::GradientRows;
use self::attention::{CrossAttention, SelfAttention};
use self::distinct::DistinctRows;
use self::host::{apply, bools_of, floats_of, ids_of, with_values_mut};
pub use self::host::{is_host, with_values};
pub use self::kernels::Adam;
use self::kernels::Attended;
use self::query::QueryPooling;
use self::sums::SumOfRows;
use self::texts::Texts;

/// What attention with pooling makes of a batch of texts.
#[derive(Debug, Clone)]
pub struct Pooled {
    /// One vector for each text, `[batch, value_dim]`: zeros for a text without tokens.
    pub vectors: Tensor<2>,
    of_tokens: TokenWeights,
}

/// What the weights of the tokens are made of.
#[derive(Debug, Clone)]
enum TokenWeights {
    /// They are there.
    Found(Box<Tensor<3>>),
    /// Those of each text's distinct rows.
    OfRows(Arc<DistinctRows>, Arc<Vec<Attended>>),
    /// Those of each head of each text's real tokens.
    OfHeads(Texts, usize, Arc<Vec<Attended>>),
}

impl Pooled {
    /// What each token counted in it, `[batch, n_heads, keys]`: not negative, 0 at padding, and with query weights that sum
    /// to 1 they sum to 1. `vectors` is the sum of the values by these. They have no gradient.
    pub fn token_weights(&self) -> Tensor<3> {
        let (weights, shape) = match &self.of_tokens {
            TokenWeights::Found(weights) => return Tensor::clone(weights),
            TokenWeights::OfRows(distinct, of_texts) => {
                let of_rows: Vec<f32> = of_texts.iter().flat_map(|text| text.key_weights.iter().copied()).collect();
                let [batch, length] = distinct.shape;
                (distinct.shares(&of_rows), [batch, 1, length])
            }
            TokenWeights::OfHeads(keys, n_heads, of_heads) => {
                let [batch, length] = keys.shape;
                let mut weights = vec![0.0; batch * n_heads * length];
                for (index, (of_head, weights)) in of_heads.iter().zip(weights.chunks_exact_mut(length)).enumerate() {
                    let text = index / n_heads;
                    for (&place, weight) in keys.places[keys.range(text)].iter().zip(&of_head.key_weights) {
                        weights[place as usize - text * length] = *weight;
                    }
                }
                (weights, [batch, *n_heads, length])
            }
        };
        Tensor::from_data(TensorData::new(weights, shape), &self.vectors.device())
    }
}

/// The weights of a mean over the real tokens: 1/n for each of n, 0 at padding. Tokens are `[batch, length]`.
fn mean_weights(shape: [usize; 2], mask: Option<&Tensor<2, Bool>>, device: &Device) -> Tensor<2> {
    match mask {
        None => Tensor::full(shape, 1.0 / shape[1].max(1) as f32, device),
        Some(mask) => {
            let real = mask.clone().float();
            real.clone() / real.sum_dim(1).clamp_min(1.0)
        }
    }
}

/// softmax(scale·Q·Kᵀ)·V in `n_heads` slices of the width (Vaswani et al. 2017, §3.2), and the weighted mean of the result
/// over the queries: Σ_i ω_i Σ_j A_ij V_j.
///
/// `query` is `[batch, queries, dim]`, `key` `[batch, keys, dim]`, `value` `[batch, keys, value_dim]`; `n_heads` divides
/// both widths. `mask` `[batch, keys]` is true where a key is real. `query_weights` `[batch, queries]` are constants; queries of
/// weight 0 are not computed. Without them it is the plain mean over the real tokens, which are both queries and keys.
pub fn attention_pooling(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    mask: Option<&Tensor<2, Bool>>,
    query_weights: Option<Tensor<2>>,
    n_heads: usize,
    scale: f32,
) -> Pooled {
    let device = query.device();
    let ([batch, queries, dim], [_, keys, value_dim]) = (query.dims(), value.dims());
    if !is_host(&device) || batch * keys * value_dim == 0 {
        let weights = query_weights.unwrap_or_else(|| mean_weights([batch, queries], mask, &device));
        let (vectors, found) = composed::attention_pooling([query, key, value], mask, weights, n_heads, scale);
        return Pooled { vectors, of_tokens: TokenWeights::Found(found.into()) };
    }
    let keys = Texts::new([batch, keys], mask);
    let (queries, query_weights) = match query_weights {
        None => (keys.clone(), keys.mean_weights().into()),
        Some(weights) => {
            let weights = floats_of(weights);
            let queries = Texts::of_nonzero([batch, queries], &weights);
            let picked = queries.pick(&weights).into();
            (queries, picked)
        }
    };
    let operation =
        CrossAttention { keys: keys.clone(), queries, query_weights, scale, n_heads, widths: [dim, value_dim] };
    let (vectors, of_heads) = apply(operation, [query, key, value]);
    Pooled { vectors, of_tokens: TokenWeights::OfHeads(keys, n_heads, of_heads) }
}

/// [`attention_pooling`] of texts to themselves, where queries, keys and values are the same rows of a table: Keras'
/// `Attention()([e, e])` behind an `Embedding` and before a mean.
///
/// `table` is `[vocab_size, dim]`, `ids` `[batch, length]`, each id below `vocab_size`. `query_weights` `[batch, length]`, which are
/// 0 at padding, are those of a plain mean unless given.
pub fn self_attention_pooling(
    table: Tensor<2>,
    ids: Tensor<2, Int>,
    mask: Option<&Tensor<2, Bool>>,
    query_weights: Option<Tensor<2>>,
    scale: f32,
) -> Pooled {
    let device = table.device();
    let (shape, table_shape) = (ids.dims(), table.dims());
    if !is_host(&device) || shape[0] * shape[1] * table_shape[1] == 0 {
        let tokens = embedding(table, ids);
        let weights = query_weights.unwrap_or_else(|| mean_weights(shape, mask, &device));
        let inputs = [tokens.clone(), tokens.clone(), tokens];
        let (vectors, found) = composed::attention_pooling(inputs, mask, weights, 1, scale);
        return Pooled { vectors, of_tokens: TokenWeights::Found(found.into()) };
    }
    let distinct = distinct_rows(ids, mask, table_shape[0]);
    let operation = SelfAttention {
        query_weights: match query_weights {
            None => distinct.mean_weights(),
            Some(weights) => distinct.sums(&floats_of(weights)),
        }
        .into(),
        distinct: distinct.clone(),
        scale,
        table: table_shape,
        has_gradient: device.is_autodiff(),
    };
    let (vectors, of_texts) = apply(operation, [table]);
    Pooled { vectors, of_tokens: TokenWeights::OfRows(distinct, of_texts) }
}

/// The rows of a table of `n_rows` that each text has.
fn distinct_rows(ids: Tensor<2, Int>, mask: Option<&Tensor<2, Bool>>, n_rows: usize) -> Arc<DistinctRows> {
    let mask = mask.map(|mask| bools_of(mask.clone()));
    Arc::new(DistinctRows::new(ids.dims(), &ids_of(ids), mask.as_deref(), n_rows))
}

/// For each text the weighted sum of its tokens' rows of a table: `[batch, dim]`. `table` is `[vocab_size, dim]`, `ids` are
/// `[batch, length]`, `mask` is true where a token is real; `weights` `[batch, length]` are those of a plain mean unless given,
/// and have no gradient.
pub fn embedding_pooling(
    table: Tensor<2>,
    ids: Tensor<2, Int>,
    mask: Option<&Tensor<2, Bool>>,
    weights: Option<Tensor<2>>,
) -> Tensor<2> {
    let device = table.device();
    let (shape, table_shape) = (ids.dims(), table.dims());
    if !is_host(&device) || shape[0] * shape[1] * table_shape[1] == 0 {
        let weights = weights.unwrap_or_else(|| mean_weights(shape, mask, &device));
        return composed::embedding_pooling(table, ids, weights);
    }
    let texts = Texts::new(shape, mask);
    let operation = SumOfRows {
        rows: texts.pick(&ids_of(ids)).into(),
        factors: match weights {
            None => texts.mean_weights().into(),
            Some(weights) => texts.pick(&floats_of(weights)).into(),
        },
        table: table_shape,
        texts,
    };
    apply(operation, [table]).0
}

/// For each text the mean of its tokens' rows of a table, weighted by the softmax of their products with `query` `[dim]`:
/// `[batch, dim]`. `table` is `[vocab_size, dim]`, `ids` are `[batch, length]`, `mask` is true where a token is real.
pub fn query_pooling(
    table: Tensor<2>,
    query: Tensor<1>,
    ids: Tensor<2, Int>,
    mask: Option<&Tensor<2, Bool>>,
) -> Tensor<2> {
    let (shape, table_shape, device) = (ids.dims(), table.dims(), table.device());
    if !is_host(&device) || shape[0] * shape[1] * table_shape[1] == 0 {
        return composed::query_pooling(embedding(table, ids), query, mask);
    }
    let operation = QueryPooling { distinct: distinct_rows(ids, mask, table_shape[0]), table: table_shape };
    apply(operation, [table, query.unsqueeze()]).0
}

/// Some rows of a table `[rows, width]`, without autodiff: `[indices, width]`.
pub fn select_rows(table: Tensor<2>, indices: &Tensor<1, Int>) -> Tensor<2> {
    let ([_, width], device) = (table.dims(), table.device());
    if !is_host(&device) || width == 0 {
        return table.select(0, indices.clone().inner());
    }
    let indices = ids_of(indices.clone());
    let mut rows = vec![0.0; indices.len() * width];
    with_values(table.reshape([-1]), |table| {
        rows.par_chunks_mut(width).zip(&indices).with_min_len(256).for_each(|(row, &index)| {
            row.copy_from_slice(&table[index as usize * width..][..width]);
        });
    });
    Tensor::from_data(TensorData::new(rows, [indices.len(), width]), &device)
}

/// One step of Adam or AdamW on a weight and its moments, all flattened: `[value, m, v]`, without autodiff. They are changed
/// in place where they have no other handle. `gradient` is that of all values, or of some rows.
pub fn adam(step: &Adam, tensors: [Tensor<1>; 3], gradient: Tensor<1>, rows: Option<&GradientRows>) -> [Tensor<1>; 3] {
    if !is_host(&gradient.device()) {
        return composed::adam_of_rows(step, tensors, gradient, rows);
    }
    let rows = rows.map(|rows| (ids_of(rows.indices.clone()), rows));
    with_values(gradient, |gradient| {
        with_values_mut(tensors, |tables| match &rows {
            None => adam::all(step, tables, gradient),
            Some((indices, rows)) if rows.moves_others => adam::table(step, tables, gradient, indices, rows.width),
            Some((indices, rows)) => adam::rows(step, tables, gradient, indices, rows.width),
        })
    })
}
