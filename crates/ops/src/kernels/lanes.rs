//! Vectors of f32 of the machine's width, loaded from and stored to slices. The arithmetic is macerator's, which chooses the
//! instructions at run time; the only unsafe code of this crate is here.
#![allow(unsafe_code, reason = "macerator loads and stores by pointer")]

use macerator::{Scalar, Simd, Vector, vload_unaligned, vstore_unaligned};

/// As many f32 as the instruction set computes at once.
pub(crate) type Lanes<S> = Vector<S, f32>;

/// Rows in scratch memory are padded to a multiple of this: the widest vector there is, so that results are laid out alike
/// on every machine.
pub(crate) const WIDEST: usize = 16;

/// How many values a vector has.
#[inline(always)]
pub(crate) fn width<S: Simd>() -> usize {
    f32::lanes::<S>()
}

/// The first values of a slice, which must hold a vector.
#[inline(always)]
pub(crate) fn load<S: Simd>(from: &[f32]) -> Lanes<S> {
    assert!(from.len() >= width::<S>());
    // SAFETY: the slice holds at least as many values as are read, and the load asks for no alignment.
    unsafe { vload_unaligned(from.as_ptr()) }
}

/// Puts a vector at the front of a slice, which must have room for it.
#[inline(always)]
pub(crate) fn store<S: Simd>(to: &mut [f32], values: Lanes<S>) {
    assert!(to.len() >= width::<S>());
    // SAFETY: the slice has room for as many values as are written, and the store asks for no alignment.
    unsafe { vstore_unaligned(to.as_mut_ptr(), values) }
}

/// The sum of elementwise products of two slices of one length.
#[inline(always)]
pub(crate) fn dot<S: Simd>(left: &[f32], right: &[f32]) -> f32 {
    let (lefts, rights) = (left.chunks_exact(width::<S>()), right.chunks_exact(width::<S>()));
    let behind = lefts.remainder().iter().zip(rights.remainder());
    let mut sum: Lanes<S> = splat(0.0);
    for (left, right) in lefts.zip(rights) {
        sum = load::<S>(left).mul_add(load(right), sum);
    }
    behind.fold(sum.reduce_add(), |sum, (left, right)| sum + left * right)
}

/// Adds `factor` times a slice to another of one length, a multiple of [`WIDEST`].
#[inline(always)]
pub(crate) fn add_scaled<S: Simd>(to: &mut [f32], factor: f32, from: &[f32]) {
    let factor = splat::<S>(factor);
    for (to, from) in to.chunks_exact_mut(width::<S>()).zip(from.chunks_exact(width::<S>())) {
        let sum = factor.mul_add(load(from), load(to));
        store(to, sum);
    }
}

/// The same value in every lane.
#[inline(always)]
pub(crate) fn splat<S: Simd>(value: f32) -> Lanes<S> {
    value.splat()
}

/// e^x for x ≤ 0, to two units in the last place. Below −50 it is exactly 0: beside a largest weight of 1 no f32 tells the
/// difference, and products with such numbers would be denormal, which takes a hundred times as long to compute.
#[inline(always)]
pub(crate) fn exp<S: Simd>(x: Lanes<S>) -> Lanes<S> {
    const LN_2_HIGH: f32 = 0.693_359_4; // 355/512, so that its products with small integers are exact
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let least: Lanes<S> = splat(-50.0);
    let x = x.max(least); // also what stands for −∞
    let halvings = (x * splat(std::f32::consts::LOG2_E)).round_to_int();
    let n = halvings.to_float();
    let r = n.mul_add(splat(-LN_2_LOW), n.mul_add(splat(-LN_2_HIGH), x)); // within ±ln 2 / 2
    // The Taylor series up to r⁷/5040, which leaves 1e-8 of the value.
    let taylor = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let power = taylor.into_iter().fold(splat(1.0 / 5040.0), |sum: Lanes<S>, next| sum.mul_add(r, splat(next)));
    // 2ⁿ by its exponent: n is at least −72.
    let bias: Vector<S, i32> = 127.splat();
    let power_of_two = ((halvings + bias) << 23).reinterpret::<f32>();
    x.le(least).select(splat(0.0), power * power_of_two)
}
