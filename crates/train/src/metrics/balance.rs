//! How much the network and the linear part of a classifier count: a factor for the logits of each, so that the probabilities of
//! texts that neither was trained on are as likely as can be. With one part alone this is temperature scaling (Guo et al. 2017).

use attentive_data::Targets;
use attentive_model::Head;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Pulls the factors towards 0, as much as a tenth of an example would, so that there is a best one even where all is decided right.
const RIDGE: f64 = 0.1;

/// The factor where held-out texts say that none is better than chance: small, so that probabilities are as unsure as they should
/// be, but not 0, which would decide for the same label everywhere.
const FAINT: f64 = 0.1;

/// Newton's method is at its end where no factor moves by more.
const STEP: f64 = 1e-9;

/// Steps after which it ends in any case; ten are usual.
const MAX_STEPS: usize = 100;

/// So many examples are summed by one thread, whatever the number of threads.
const AT_ONCE: usize = 1024;

/// What the logits of each part are multiplied by before they are added.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    /// The factor of the network's logits, 0 or above.
    pub network: f32,
    /// The factor of the linear part's, 0 or above.
    pub linear: f32,
}

impl Balance {
    /// Both parts as they are.
    pub(crate) const PLAIN: Self = Self { network: 1.0, linear: 1.0 };

    /// Whether it can be one that was found.
    pub(crate) fn is_valid(self) -> bool {
        [self.network, self.linear].iter().all(|factor| factor.is_finite() && *factor >= 0.0)
    }

    /// The factors under which the targets are most likely, given the logits of each part there is.
    pub(crate) fn fitted(network: Option<&[f32]>, linear: Option<&[f32]>, targets: &Targets, head: Head) -> Self {
        let [network, linear] = likeliest([network, linear], targets, head);
        Self { network, linear }
    }
}

/// The factors of two sets of logits `[examples, outputs]` under which the targets are most likely; 0 for one that is not there.
/// The bits depend on the logits and the targets alone.
pub(crate) fn likeliest(parts: [Option<&[f32]>; 2], targets: &Targets, head: Head) -> [f32; 2] {
    let mut factors = parts.map(|part| if part.is_some() { 1.0 } else { 0.0 });
    let mut is_free = parts.map(|part| part.is_some());
    loop {
        minimise(&mut factors, is_free, &|factors| Slopes::of(parts, factors, targets, head));
        // A part that is better turned round is left out.
        match factors.iter().position(|&factor| factor < 0.0) {
            Some(part) => (factors[part], is_free[part]) = (0.0, false),
            None => break,
        }
    }
    if factors == [0.0, 0.0] {
        factors = parts.map(|part| if part.is_some() { FAINT } else { 0.0 });
    }
    factors.map(|factor| factor as f32)
}

/// Newton's method, halving steps that go too far. What it minimises is convex.
fn minimise(factors: &mut [f64; 2], is_free: [bool; 2], slopes: &dyn Fn([f64; 2]) -> Slopes) {
    let mut now = slopes(*factors);
    if !now.loss.is_finite() {
        return; // a network that diverged
    }
    for _ in 0..MAX_STEPS {
        let mut step = now.newton(is_free);
        let (next, there) = loop {
            let next = [factors[0] - step[0], factors[1] - step[1]];
            let there = slopes(next);
            let is_small = step.iter().all(|size| size.abs() <= STEP);
            if is_small {
                return;
            }
            if there.loss <= now.loss {
                break (next, there);
            }
            step = step.map(|size| 0.5 * size);
        };
        (*factors, now) = (next, there);
    }
}

/// The loss at some factors, with its derivatives by them.
#[derive(Debug, Clone, Copy, Default)]
struct Slopes {
    loss: f64,
    first: [f64; 2],
    /// By the network's factor twice, by both, by the linear part's twice.
    second: [f64; 3],
}

impl Slopes {
    fn of(parts: [Option<&[f32]>; 2], factors: [f64; 2], targets: &Targets, head: Head) -> Self {
        let outputs = parts.iter().flatten().map(|part| part.len()).max().unwrap_or(0) / targets.len().max(1);
        let examples: Vec<usize> = (0..targets.len()).collect();
        let sums = examples.par_chunks(AT_ONCE).map(|examples| {
            let mut sum = Self::default();
            for &example in examples {
                let of =
                    |part: Option<&[f32]>, k: usize| part.map_or(0.0, |part| f64::from(part[example * outputs + k]));
                let each = (0..outputs).map(|k| [of(parts[0], k), of(parts[1], k)]);
                match head {
                    Head::Sigmoid => sum.add_sigmoids(factors, each, |_| targets.of(example).first() == Some(&1)),
                    Head::MultiLabel => sum.add_sigmoids(factors, each, |k| targets.of(example).contains(&k)),
                    Head::Softmax => {
                        sum.add_softmax(factors, each, targets.of(example).first().copied().unwrap_or_default());
                    }
                }
            }
            sum
        });
        let ridge = Self {
            loss: 0.5 * RIDGE * (factors[0].powi(2) + factors[1].powi(2)),
            first: factors.map(|factor| RIDGE * factor),
            second: [RIDGE, 0.0, RIDGE],
        };
        sums.collect::<Vec<_>>().into_iter().fold(ridge, Self::plus)
    }

    fn plus(mut self, other: Self) -> Self {
        self.loss += other.loss;
        (0..2).for_each(|i| self.first[i] += other.first[i]);
        (0..3).for_each(|i| self.second[i] += other.second[i]);
        self
    }

    /// `ln(1 + exp(z)) − t·z` of each output.
    fn add_sigmoids(&mut self, factors: [f64; 2], each: impl Iterator<Item = [f64; 2]>, has: impl Fn(u32) -> bool) {
        for (k, x) in (0..).zip(each) {
            let z = factors[0] * x[0] + factors[1] * x[1];
            let (p, t) = (1.0 / (1.0 + (-z).exp()), f64::from(u8::from(has(k))));
            self.loss += z.max(0.0) + (-z.abs()).exp().ln_1p() - t * z;
            self.add(p - t, x, p * (1.0 - p));
        }
    }

    /// `ln Σ exp(z) − z` of the target.
    fn add_softmax(&mut self, factors: [f64; 2], each: impl Iterator<Item = [f64; 2]> + Clone, target: u32) {
        let logit = |x: [f64; 2]| factors[0] * x[0] + factors[1] * x[1];
        let most = each.clone().map(logit).fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = each.clone().map(|x| (logit(x) - most).exp()).sum();
        let mut mean = [0.0; 2];
        for (k, x) in (0..).zip(each) {
            let p = (logit(x) - most).exp() / total;
            if k == target {
                self.loss += most + total.ln() - logit(x);
                self.add(-1.0, x, 0.0);
            }
            self.add(p, x, p);
            (0..2).for_each(|i| mean[i] += p * x[i]);
        }
        self.add(0.0, mean, -1.0);
    }

    fn add(&mut self, first: f64, x: [f64; 2], second: f64) {
        (0..2).for_each(|i| self.first[i] += first * x[i]);
        self.second[0] += second * x[0] * x[0];
        self.second[1] += second * x[0] * x[1];
        self.second[2] += second * x[1] * x[1];
    }

    /// What Newton's method subtracts from the factors that are free.
    fn newton(&self, is_free: [bool; 2]) -> [f64; 2] {
        let ([g, h], [gg, gh, hh]) = (self.first, self.second);
        match is_free {
            [true, true] => {
                let determinant = gg * hh - gh * gh;
                [(hh * g - gh * h) / determinant, (gg * h - gh * g) / determinant]
            }
            [true, false] => [g / gg, 0.0],
            [false, true] => [0.0, h / hh],
            [false, false] => [0.0, 0.0],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(ids: &[u32]) -> Targets {
        Targets::single(ids.to_vec())
    }

    /// Right in three of four with a logit of 2 each: the probability must become ¾ but for the ridge, so the logit ln 3.
    #[test]
    fn one_part_alone_gets_its_temperature() {
        let (ids, logits): (Vec<u32>, Vec<f32>) = (0..40_000).map(|i| (u32::from(i % 4 != 0), 2.0)).unzip();
        let found = Balance::fitted(Some(&logits), None, &one(&ids), Head::Sigmoid);
        assert!((f64::from(found.network) - 3.0_f64.ln() / 2.0).abs() < 1e-4, "{found:?}");
        assert_eq!(found.linear, 0.0);
        let both: Vec<f32> = logits.iter().flat_map(|&z| [-0.5 * z, 0.5 * z]).collect();
        let found = Balance::fitted(None, Some(&both), &one(&ids), Head::Softmax);
        assert!((f64::from(found.linear) - 3.0_f64.ln() / 2.0).abs() < 1e-4, "{found:?}");
    }

    /// scipy.optimize.minimize of the same sum, with bounds at 0, on these numbers (scripts/balance_golden.py).
    #[test]
    fn both_parts_are_balanced_as_scipy_does() {
        let network = [0.5, -1.0, 1.5, 0.25, -0.75, 2.0, -0.5, 0.1, 1.0, -1.25];
        let linear = [1.0, 0.2, 0.3, -0.4, -1.0, 0.6, 0.5, -0.2, -0.1, -0.9];
        let targets = one(&[1, 0, 1, 0, 0, 1, 1, 0, 0, 0]);
        let found = Balance::fitted(Some(&network), Some(&linear), &targets, Head::Sigmoid);
        let expected = [0.623_910_3, 3.394_514_0];
        for (found, expected) in [found.network, found.linear].into_iter().zip(expected) {
            assert!((f64::from(found) - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    #[test]
    fn a_part_that_is_wrong_is_left_out() {
        let (good, bad) = ([1.0, -1.0, 2.0, -0.5, 0.3], [-1.0, 1.0, -0.9, 1.0, 0.5]);
        let targets = one(&[1, 0, 1, 0, 0]);
        let found = Balance::fitted(Some(&bad), Some(&good), &targets, Head::Sigmoid);
        let alone = Balance::fitted(None, Some(&good), &targets, Head::Sigmoid);
        assert_eq!((found.network, found.linear), (0.0, alone.linear));
    }

    /// Few texts may say by chance that what was learned is wrong: a classifier that has learned something still decides by it.
    #[test]
    fn what_is_always_wrong_still_decides() {
        let (logits, targets) = ([1.0, -1.0, 2.0, -2.0], one(&[0, 1, 0, 1]));
        assert_eq!(likeliest([Some(&logits), Some(&logits)], &targets, Head::Sigmoid), [0.1, 0.1]);
        assert_eq!(likeliest([None, Some(&logits)], &targets, Head::Sigmoid), [0.0, 0.1]);
    }

    #[test]
    fn what_is_always_right_gets_finite_factors() {
        let logits = [1.0, -1.0, 1.0, -1.0];
        let found = Balance::fitted(Some(&logits), Some(&logits), &one(&[1, 0, 1, 0]), Head::Sigmoid);
        assert!(found.is_valid() && found.network > 0.5, "{found:?}");
    }
}
