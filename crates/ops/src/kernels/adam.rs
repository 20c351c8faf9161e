//! One step of Adam on a piece of a table, in one pass over its memory.

use macerator::Simd;

use super::lanes::{Lanes, load, splat, store, width};

/// A step of Adam as `keras/src/optimizers/adam.py` computes it: θ −= α·m / (√v + ε).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// α: the learning rate with the correction of both moments, lr·√(1 − β₂ᵗ) / (1 − β₁ᵗ).
    pub alpha: f32,
    /// 1 − β₁.
    pub one_minus_beta_1: f32,
    /// 1 − β₂.
    pub one_minus_beta_2: f32,
    /// ε.
    pub epsilon: f32,
    /// What a weight loses before the step, as a part of itself: AdamW's learning rate times weight decay, or 0.
    pub decay: f32,
}

/// Moves values and their moments, `tables`, all of one length. `gradient` is that of some rows of `row_width` values, of which
/// `rows` says the places here, ascending. The others have the gradient 0, and move by their moments if `moves_others` says so.
/// Moments that would be denormal become 0, as in TensorFlow.
#[macerator::with_simd]
pub(crate) fn adam<S: Simd>(
    step: &Adam,
    tables: [&mut [f32]; 3],
    gradient: &[f32],
    rows: &[u32],
    row_width: usize,
    moves_others: bool,
) {
    let ([values, m, v], width) = (tables, row_width.max(1));
    let mut gradients = rows.iter().zip(gradient.chunks_exact(width)).peekable();
    if !moves_others {
        for (&row, gradient) in gradients {
            let own = row as usize * width..(row as usize + 1) * width;
            move_row::<S>(step, &mut values[own.clone()], &mut m[own.clone()], &mut v[own], Some(gradient));
        }
        return;
    }
    let pieces = values.chunks_exact_mut(width).zip(m.chunks_exact_mut(width)).zip(v.chunks_exact_mut(width));
    for (row, ((values, m), v)) in pieces.enumerate() {
        let gradient = gradients.next_if(|(next, _)| **next as usize == row).map(|(_, gradient)| gradient);
        move_row::<S>(step, values, m, v, gradient);
    }
}

#[inline(always)]
fn move_row<S: Simd>(step: &Adam, values: &mut [f32], m: &mut [f32], v: &mut [f32], gradient: Option<&[f32]>) {
    let whole = values.len() - values.len() % width::<S>();
    for i in (0..whole).step_by(width::<S>()) {
        let g = gradient.map_or(splat::<S>(0.0), |gradient| load(&gradient[i..]));
        let moved = move_lanes::<S>(step, load(&values[i..]), load(&m[i..]), load(&v[i..]), g);
        store(&mut values[i..], moved[0]);
        store(&mut m[i..], moved[1]);
        store(&mut v[i..], moved[2]);
    }
    // What is left of a row goes through a vector of its own, so that every value is computed alike.
    let behind = whole..values.len();
    if !behind.is_empty() {
        let padded = |from: &[f32]| {
            let mut lanes = [0.0; super::WIDEST];
            lanes[..behind.len()].copy_from_slice(&from[behind.clone()]);
            load::<S>(&lanes)
        };
        let g = gradient.map_or(splat::<S>(0.0), padded);
        let moved = move_lanes::<S>(step, padded(values), padded(m), padded(v), g);
        for (to, lanes) in [values, m, v].into_iter().zip(moved) {
            let mut from = [0.0; super::WIDEST];
            store(&mut from, lanes);
            to[behind.clone()].copy_from_slice(&from[..behind.len()]);
        }
    }
}

#[inline(always)]
fn move_lanes<S: Simd>(step: &Adam, value: Lanes<S>, m: Lanes<S>, v: Lanes<S>, g: Lanes<S>) -> [Lanes<S>; 3] {
    let least = splat::<S>(f32::MIN_POSITIVE);
    let m = (g - m).mul_add(splat(step.one_minus_beta_1), m);
    let m = m.abs().lt(least).select(splat(0.0), m);
    let v = (g * g - v).mul_add(splat(step.one_minus_beta_2), v);
    let v = v.lt(least).select(splat(0.0), v);
    let value = (value * splat(-step.decay)) + value;
    let value = value - (m * splat(step.alpha)) / (v.sqrt() + splat(step.epsilon));
    [value, m, v]
}
