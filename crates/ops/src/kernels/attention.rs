//! Attention whose result is a weighted mean over the queries, for one text and one head.
//!
//! Because the mean is linear, only the weight of each key is needed, ā_j = Σ_i ω_i A_ij, and the pooled vector is
//! Σ_j ā_j V_j: the context of each query never exists, and of the weights A only the rows of some queries at a time. For the
//! gradient they are computed anew. Since the gradient of A has rank one, dA_ij = ω_i u_j with u_j = G·V_j, where G is the
//! gradient of the pooled vector, it costs two products instead of four.

use macerator::Simd;

use super::lanes::{Lanes, WIDEST, add_scaled, dot, exp, load, splat, store, width};
use super::product::{Below, Packed, ROWS, add_transposed, multiply, multiply_transposed, multiply_with_itself};
use super::rows::{Rows, add_rows, sum_rows};

/// Queries whose weights are in memory at once: enough that a packed key is read seldom.
const GROUP: usize = 4 * ROWS;

/// Keys whose gradients stay in the cache while a group of queries adds to them.
const KEYS_AT_ONCE: usize = 256;

/// What one head of one text attends to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attending<'a> {
    /// `[queries, dim]`.
    pub query: Rows<'a>,
    /// `[keys, dim]`.
    pub key: Rows<'a>,
    /// `[keys, value_dim]`.
    pub value: Rows<'a>,
    /// ω: what each query counts in the mean.
    pub query_weights: &'a [f32],
    /// How many keys each key stands for that are the same; one if not given.
    pub key_counts: Option<&'a [f32]>,
    /// What the products are multiplied with.
    pub scale: f32,
}

/// What turns the scores s of a query into weights: count · e^(s − max) · inverse_sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Normalizer {
    /// The largest score.
    pub max: f32,
    /// One by the sum of count · e^(s − max).
    pub inverse_sum: f32,
}

/// What the forward pass finds besides the pooled vector.
#[derive(Debug, Clone)]
pub(crate) struct Attended {
    /// ā: the weight of each key, of all that it stands for together.
    pub key_weights: Vec<f32>,
    /// One for each query.
    pub normalizers: Vec<Normalizer>,
    /// count · e^(score − max), `[queries, keys]` with both padded to a multiple of [`WIDEST`], where it is kept for the gradient.
    pub exponentials: Option<Vec<f32>>,
}

/// Memory that is used from text to text.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    queries_by_column: Packed,
    keys_by_column: Packed,
    pub(super) keys_by_row: Packed,
    pub(super) panel: Vec<f32>,
    pub(super) out: Vec<f32>,
    pub(super) sums: Vec<f32>,
    pub(super) of_keys: [Vec<f32>; 4],
    counts: Vec<f32>,
}

/// Room for n numbers, whatever they are.
#[inline(always)]
pub(super) fn sized(values: &mut Vec<f32>, n: usize) -> &mut [f32] {
    if values.len() < n {
        values.resize(n, 0.0);
    }
    &mut values[..n]
}

/// A vector of zeros.
#[inline(always)]
pub(super) fn zeroed(values: &mut Vec<f32>, n: usize) -> &mut [f32] {
    values.clear();
    values.resize(n, 0.0);
    values
}

/// How many keys each key stands for, with zeros behind them up to a whole vector.
#[inline(always)]
fn padded_counts<'s>(values: &'s mut Vec<f32>, input: &Attending<'_>) -> &'s [f32] {
    let counts = zeroed(values, input.key.len().next_multiple_of(WIDEST));
    match input.key_counts {
        Some(given) => counts[..given.len()].copy_from_slice(given),
        None => counts[..input.key.len()].fill(1.0),
    }
    counts
}

/// Scores in place as count·e^(scale·score − max), with zeros behind the first `n`.
#[inline(always)]
fn exponentials<S: Simd>(row: &mut [f32], n: usize, scale: f32, counts: &[f32]) -> Normalizer {
    let (real, behind) = row.split_at_mut(n);
    behind.fill(f32::MIN);
    let (whole, rest) = real.split_at_mut(n - n % width::<S>());
    let mut largest: Lanes<S> = splat(f32::MIN);
    for scores in whole.chunks_exact_mut(width::<S>()) {
        let scaled = load::<S>(scores) * splat(scale);
        largest = largest.max(scaled);
        store(scores, scaled);
    }
    let mut max = largest.reduce_max();
    for score in rest {
        *score *= scale;
        max = max.max(*score);
    }
    let mut sum: Lanes<S> = splat(0.0);
    for (scores, counts) in row.chunks_exact_mut(width::<S>()).zip(counts.chunks_exact(width::<S>())) {
        let value = exp(load::<S>(scores) - splat(max)) * load(counts);
        sum += value;
        store(scores, value);
    }
    Normalizer { max, inverse_sum: 1.0 / sum.reduce_add() }
}

/// Adds the pooled vector to `pooled` `[value_dim]`, and fills in what is attended to; its vectors have their lengths already.
#[macerator::with_simd]
pub(crate) fn forward<'a, S: Simd>(
    input: &Attending<'a>,
    scratch: &mut Scratch,
    pooled: &mut [f32],
    attended: &mut Attended,
) {
    let Attended { key_weights, normalizers, exponentials: kept } = attended;
    let Attending { query, key, value, query_weights, scale, .. } = *input;
    let (queries, keys) = (query.len(), key.len().next_multiple_of(WIDEST));
    let counts = padded_counts(&mut scratch.counts, input);
    scratch.keys_by_column.set_transposed(key);
    // In self-attention, queries are keys.
    let is_shared = query.is(&key);
    if !is_shared {
        scratch.queries_by_column.set_transposed(query);
    }
    let left = if is_shared { &scratch.keys_by_column } else { &scratch.queries_by_column };
    let are_scores = is_shared && kept.is_some();
    if let (true, Some(kept)) = (is_shared, &mut *kept) {
        multiply_with_itself::<S>(&scratch.keys_by_column, kept);
    }
    let weights = zeroed(&mut scratch.sums, keys);
    let own = sized(&mut scratch.panel, if kept.is_some() { 0 } else { GROUP * keys });
    for first in (0..queries).step_by(GROUP) {
        let rows = GROUP.min(queries - first);
        let panel = match kept {
            Some(kept) => &mut kept[first * keys..],
            None => &mut *own,
        };
        if !are_scores {
            multiply_transposed::<S>(left, first, rows, &scratch.keys_by_column, panel);
        }
        let normalizers = normalizers[first..].iter_mut().zip(&query_weights[first..]);
        for (row, (normalizer, weight)) in panel.chunks_exact_mut(keys).take(rows).zip(normalizers) {
            *normalizer = exponentials::<S>(row, key.len(), scale, counts);
            add_scaled::<S>(weights, weight * normalizer.inverse_sum, row);
        }
    }
    key_weights.copy_from_slice(&weights[..key.len()]);
    sum_rows(value, key_weights, pooled);
}

/// The gradients of query `[queries, dim]`, key `[keys, dim]` and value `[keys, value_dim]`, added to what is there, from that of
/// the pooled vector. Rows there lie as densely as here.
#[macerator::with_simd]
pub(crate) fn backward<'a, S: Simd>(
    input: &Attending<'a>,
    attended: &Attended,
    gradient: &[f32],
    scratch: &mut Scratch,
    found: [&mut [f32]; 3],
) {
    let Attended { key_weights, normalizers, .. } = attended;
    let [of_query, of_key, of_value] = found;
    let Attending { query, key, value, query_weights, scale, .. } = *input;
    let (queries, keys) = (query.len(), key.len().next_multiple_of(WIDEST));
    let dim = key.width.next_multiple_of(WIDEST);
    let Scratch {
        queries_by_column,
        keys_by_column,
        keys_by_row,
        panel,
        out,
        sums,
        of_keys: [of_weights, padded_query, ..],
        counts,
    } = scratch;
    let counts = padded_counts(counts, input);
    keys_by_column.set_transposed(key);
    queries_by_column.set_transposed(query);
    keys_by_row.set_rows(key);
    let of_weights = zeroed(of_weights, keys); // u
    for (u, row) in of_weights.iter_mut().zip(value.iter()) {
        *u = dot::<S>(row, gradient);
    }
    add_rows(of_value, key_weights, gradient);

    let panel = sized(panel, GROUP * keys);
    let out = sized(out, GROUP * dim);
    let sums = zeroed(sums, key.len() * dim);
    let padded_query = zeroed(padded_query, GROUP * dim);
    for first in (0..queries).step_by(GROUP) {
        let rows = GROUP.min(queries - first);
        multiply_transposed::<S>(queries_by_column, first, rows, keys_by_column, panel);
        // The scores become their gradients, without the scale.
        for (r, row) in panel.chunks_exact_mut(keys).take(rows.next_multiple_of(ROWS)).enumerate() {
            match (normalizers.get(first + r), query_weights.get(first + r)) {
                (Some(normalizer), Some(&weight)) => {
                    of_scores::<S>(row, scale, *normalizer, weight, counts, of_weights);
                }
                _ => row.fill(0.0),
            }
        }
        for row in (0..rows).step_by(ROWS) {
            multiply::<S>(Below { values: &panel[row * keys..], stride: keys }, keys_by_row, &mut out[row * dim..]);
        }
        let of_query = of_query[first * query.width..].chunks_exact_mut(query.width.max(1));
        for (to, from) in of_query.zip(out.chunks_exact(dim)).take(rows) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += scale * from);
        }
        for (to, row) in padded_query.chunks_exact_mut(dim).zip(first..first + rows) {
            to[..query.width].copy_from_slice(query.row(row));
        }
        for (piece, sums) in sums.chunks_mut(KEYS_AT_ONCE * dim).enumerate() {
            for row in (0..rows).step_by(ROWS) {
                let block = &panel[row * keys + piece * KEYS_AT_ONCE..];
                add_transposed::<S>(block, keys, &padded_query[row * dim..], dim, sums);
            }
        }
    }
    for (to, from) in of_key.chunks_exact_mut(key.width.max(1)).zip(sums.chunks_exact(dim)) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to += scale * from);
    }
}

/// The scores of a query as their gradients: ω A_j (u_j − t) with t = Σ_k A_k u_k.
#[inline(always)]
fn of_scores<S: Simd>(
    row: &mut [f32],
    scale: f32,
    normalizer: Normalizer,
    weight: f32,
    counts: &[f32],
    of_weights: &[f32],
) {
    let (scale, max) = (splat::<S>(scale), splat::<S>(normalizer.max));
    for (scores, counts) in row.chunks_exact_mut(width::<S>()).zip(counts.chunks_exact(width::<S>())) {
        // What stands behind the keys is made zero by its count; until then it must not overflow.
        let value = exp((load::<S>(scores) * scale - max).min(splat(0.0))) * load(counts);
        store(scores, value);
    }
    let t = normalizer.inverse_sum * dot::<S>(row, of_weights);
    let (factor, t) = (splat::<S>(weight * normalizer.inverse_sum), splat::<S>(t));
    for (values, of_weights) in row.chunks_exact_mut(width::<S>()).zip(of_weights.chunks_exact(width::<S>())) {
        let value = load::<S>(values) * factor * (load::<S>(of_weights) - t);
        store(values, value);
    }
}
