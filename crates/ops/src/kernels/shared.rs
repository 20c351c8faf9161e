//! The gradient of attention with pooling where query, key and value are the same vectors E, as in Keras'
//! `Attention()([e, e])`, from exponentials that were kept.
//!
//! The two products of the general gradient become one: dE = scale·(dS + dSᵀ)·E + ā Gᵀ, and with scores that are symmetric,
//! row i of dSᵀ needs nothing but row i of the exponentials X and a few numbers of each token:
//!
//!   dS_ij + dS_ji = X_ij · (ω_i r_i (u_j − t_i) + e^(m_i − m_j) ω_j r_j (u_i − t_j))
//!
//! where m is a token's largest score, r one by its sum, u_j = G·E_j and t_i = r_i Σ_j X_ij u_j.

use macerator::Simd;

use super::attention::{Normalizer, Scratch, zeroed};
use super::lanes::{WIDEST, dot, load, splat, store, width};
use super::product::{ROWS, multiply};
use super::rows::Rows;

/// How far the largest scores of a text's tokens may lie apart.
const NARROW: f32 = 40.0;

/// Whether e^(m_i − m_j) is harmless for every two tokens of a text.
pub(crate) fn is_narrow(normalizers: &[Normalizer]) -> bool {
    let (least, largest) = range(normalizers);
    largest - least <= NARROW
}

fn range(normalizers: &[Normalizer]) -> (f32, f32) {
    let maxima = normalizers.iter().map(|normalizer| normalizer.max);
    maxima.fold((f32::INFINITY, f32::NEG_INFINITY), |(least, largest), max| (least.min(max), largest.max(max)))
}

/// Writes the gradient of the tokens, `[tokens, dim]`, to `of_tokens`, from that of the pooled vector. `kept` is what
/// [`super::forward`] kept, and the normalizers are narrow.
#[macerator::with_simd]
pub(crate) fn backward_shared<'a, S: Simd>(
    tokens: Rows<'a>,
    query_weights: &[f32],
    scale: f32,
    scratch: &mut Scratch,
    key_weights: &[f32],
    normalizers: &[Normalizer],
    kept: &[f32],
    gradient: &[f32],
    of_tokens: &mut [f32],
) {
    let n = tokens.len();
    let (keys, dim) = (n.next_multiple_of(WIDEST), tokens.width.next_multiple_of(WIDEST));
    let Scratch { keys_by_row, panel, out, of_keys: [u, f, t], .. } = scratch;
    keys_by_row.reset(n, dim);
    tokens.iter().enumerate().for_each(|(row, values)| keys_by_row.set_row(row, values));
    let (u, f, t) = (zeroed(u, keys), zeroed(f, keys), zeroed(t, keys));
    u.iter_mut().zip(tokens.iter()).for_each(|(u, row)| *u = dot::<S>(row, gradient));

    let (least, largest) = range(normalizers);
    let middle = least + (largest - least) / 2.0;
    for (j, (normalizer, weight)) in normalizers.iter().zip(query_weights).enumerate() {
        t[j] = normalizer.inverse_sum * dot::<S>(&kept[j * keys..][..keys], u);
        f[j] = weight * normalizer.inverse_sum * (middle - normalizer.max).exp();
    }

    let panel = zeroed(panel, ROWS * keys);
    let out = zeroed(out, ROWS * dim);
    for (first, of_tokens) in (0..).step_by(ROWS).zip(of_tokens.chunks_mut(ROWS * tokens.width)) {
        let rows = ROWS.min(n - first);
        for (i, row) in (first..first + rows).zip(panel.chunks_exact_mut(keys)) {
            let own = splat::<S>((normalizers[i].max - middle).exp());
            let alpha = splat::<S>(query_weights[i] * normalizers[i].inverse_sum);
            let (u_i, t_i) = (splat::<S>(u[i]), splat::<S>(t[i]));
            for (j, (place, exponentials)) in
                (0..).step_by(width::<S>()).zip(row.chunks_exact_mut(width::<S>()).zip(kept[i * keys..].chunks_exact(width::<S>())))
            {
                let (u_j, f_j, t_j) = (load::<S>(&u[j..]), load::<S>(&f[j..]), load::<S>(&t[j..]));
                let of_both = alpha.mul_add(u_j - t_i, own * f_j * (u_i - t_j));
                store(place, load::<S>(exponentials) * of_both);
            }
        }
        multiply::<S>(panel, keys, ROWS, keys_by_row, out);
        let places = of_tokens.chunks_exact_mut(tokens.width).zip(out.chunks_exact(dim)).zip(&key_weights[first..]);
        for ((to, from), weight) in places {
            for ((to, from), gradient) in to.iter_mut().zip(from).zip(gradient) {
                *to = scale * from + weight * gradient;
            }
        }
    }
}
