//! The mean of some rows weighted by the softmax of their products with a query, for one text.

use macerator::Simd;

use super::lanes::dot;
use super::rows::{Rows, sum_rows};

/// Writes the weight of each row, of as many copies as `counts` says, and adds the mean to `pooled` `[dim]`.
#[macerator::with_simd]
pub(crate) fn pool_by_query<'a, S: Simd>(
    rows: Rows<'a>,
    counts: &[f32],
    query: &[f32],
    weights: &mut [f32],
    pooled: &mut [f32],
) {
    let mut max = f32::MIN;
    for (weight, row) in weights.iter_mut().zip(rows.iter()) {
        *weight = dot::<S>(row, query);
        max = max.max(*weight);
    }
    let mut sum = 0.0;
    for (weight, count) in weights.iter_mut().zip(counts) {
        *weight = count * (*weight - max).exp();
        sum += *weight;
    }
    weights.iter_mut().for_each(|weight| *weight /= sum);
    sum_rows(rows, weights, pooled);
}

/// Writes the gradient of each score, A_j (u_j − t) with u_j = G·E_j and t = Σ_k A_k u_k, and adds that of the query to
/// `of_query` `[dim]`, where A are the weights and G is the gradient of the mean.
#[macerator::with_simd]
pub(crate) fn pool_by_query_backward<'a, S: Simd>(
    rows: Rows<'a>,
    weights: &[f32],
    gradient: &[f32],
    of_scores: &mut [f32],
    of_query: &mut [f32],
) {
    let mut t = 0.0;
    for ((u, row), weight) in of_scores.iter_mut().zip(rows.iter()).zip(weights) {
        *u = dot::<S>(row, gradient);
        t += weight * *u;
    }
    of_scores.iter_mut().zip(weights).for_each(|(of_score, weight)| *of_score = weight * (*of_score - t));
    sum_rows(rows, of_scores, of_query);
}
