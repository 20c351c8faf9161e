//! The gradient of attention with pooling where query, key and value are the same vectors E, as in Keras'
//! `Attention()([e, e])`, from exponentials that were kept.
//!
//! The two products of the general gradient become one: dE = scale·(dS + dSᵀ)·E + ā Gᵀ, and with scores that are symmetric,
//! row j of both needs nothing but row j of the exponentials X and a few numbers of each token:
//!
//!   dS_ji + dS_ij = X_ji · (ω_j r_j (u_i − t_j) + e^(m_j − m_i) c_j/c_i ω_i r_i (u_j − t_i))
//!
//! where m is a token's largest score, r one by its sum, c how many tokens it stands for, by which X_ij = c_j e^(s_ij − m_i),
//! u_j = G·E_j and t_i = r_i Σ_j X_ij u_j.

use macerator::Simd;

use super::attention::{Attended, Attending, Normalizer, Scratch, sized, zeroed};
use super::lanes::{WIDEST, dot, load, splat, store, width};
use super::product::{Columns, ROWS, multiply};

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

/// Writes the gradient of the tokens, `[tokens, dim]`, to `of_tokens`, from that of the pooled vector. `kept` are the
/// exponentials of what is attended to, and its normalizers are narrow.
#[macerator::with_simd]
pub(crate) fn backward_shared<'a, S: Simd>(
    input: &Attending<'a>,
    attended: &Attended,
    kept: &[f32],
    gradient: &[f32],
    scratch: &mut Scratch,
    of_tokens: &mut [f32],
) {
    let Attending { key: tokens, query_weights, key_counts, scale, .. } = *input;
    let Attended { key_weights, normalizers, .. } = attended;
    let n = tokens.len();
    let (keys, dim) = (n.next_multiple_of(WIDEST), tokens.width.next_multiple_of(WIDEST));
    let Scratch { keys_by_row, panel, out, of_keys: [u, f, t, own], .. } = scratch;
    keys_by_row.set_rows(tokens);
    let [u, f, t, own] = [u, f, t, own].map(|values| zeroed(values, keys));
    for (row, u) in u[..n].iter_mut().enumerate() {
        *u = dot::<S>(tokens.row(row), gradient);
    }

    let (least, largest) = range(normalizers);
    let middle = least + (largest - least) / 2.0;
    for (j, (normalizer, weight)) in normalizers.iter().zip(query_weights).enumerate() {
        t[j] = normalizer.inverse_sum * dot::<S>(&kept[j * keys..][..keys], u);
        let count = key_counts.map_or(1.0, |counts| counts[j]);
        f[j] = weight * normalizer.inverse_sum * (middle - normalizer.max).exp() / count;
        own[j] = (normalizer.max - middle).exp() * count;
    }

    // The pairs of sixteen tokens with all others, as columns: row j holds those of token j.
    let panel = sized(panel, n * WIDEST);
    let out = sized(out, ROWS * dim);
    for (first, of_tokens) in (0..n).step_by(WIDEST).zip(of_tokens.chunks_mut(WIDEST * tokens.width)) {
        for (j, row) in panel.chunks_exact_mut(WIDEST).enumerate() {
            let (u_j, t_j, own) = (splat::<S>(u[j]), splat::<S>(t[j]), splat::<S>(own[j]));
            let alpha = splat::<S>(query_weights[j] * normalizers[j].inverse_sum);
            for i in (0..WIDEST).step_by(width::<S>()) {
                let (u_i, f_i, t_i) =
                    (load::<S>(&u[first + i..]), load::<S>(&f[first + i..]), load::<S>(&t[first + i..]));
                let of_both = alpha.mul_add(u_i - t_j, own * f_i * (u_j - t_i));
                store(&mut row[i..], load::<S>(&kept[j * keys + first + i..]) * of_both);
            }
        }
        for (block, of_tokens) in (0..WIDEST).step_by(ROWS).zip(of_tokens.chunks_mut(ROWS * tokens.width)) {
            multiply::<S>(Columns { values: &panel[block..], stride: WIDEST }, keys_by_row, out);
            let places = of_tokens.chunks_exact_mut(tokens.width).zip(out.chunks_exact(dim));
            for ((to, from), weight) in places.zip(&key_weights[first + block..]) {
                for ((to, from), gradient) in to.iter_mut().zip(from).zip(gradient) {
                    *to = scale * from + weight * gradient;
                }
            }
        }
    }
}
