//! Whether the probabilities can be believed: log-loss, Brier score and expected calibration error. A NaN among the
//! probabilities makes all three NaN; no example makes them 0.

use attentive_data::Targets;

use super::scored::{Scored, Task};

/// How many bins of equal width the calibration error parts `0..=1` into.
const BINS: usize = 15;

/// The mean of `-ln p` of what is true: of the target under [`Task::One`]; of each label's presence or absence, over
/// examples and labels, under [`Task::Many`]. Probabilities are clipped to `ε..=1 - ε` with the ε of `f32`, as
/// scikit-learn does for `f32`.
pub(super) fn log_loss(scored: &Scored, task: Task) -> f64 {
    let epsilon = f64::from(f32::EPSILON);
    let surprise = |p: f64| -p.clamp(epsilon, 1.0 - epsilon).ln();
    match task {
        Task::One => mean(
            scored.examples().map(|(probabilities, targets)| surprise(f64::from(probabilities[targets[0] as usize]))),
        ),
        Task::Many => mean(scored.cells().map(|(p, has)| surprise(if has { p } else { 1.0 - p }))),
    }
}

/// The mean squared distance between probabilities and truth: `(p - y)²` of the second label for two labels,
/// `Σ (p_k - y_k)²` over the labels for more, and `(p - y)²` over examples and labels under [`Task::Many`].
pub(super) fn brier(scored: &Scored, task: Task) -> f64 {
    let square = |(p, has): (f64, bool)| (p - f64::from(u8::from(has))).powi(2);
    match (task, scored.n_labels) {
        (Task::One, 2) => mean(scored.cells().skip(1).step_by(2).map(square)),
        (Task::One, n_labels) => mean(scored.cells().map(square)) * n_labels as f64,
        (Task::Many, _) => mean(scored.cells().map(square)),
    }
}

/// The expected calibration error (Guo et al. 2017) in 15 bins of equal width: how far, on average, a stated
/// probability is from the share that turns out true. Under [`Task::One`] the probability is that of the decided label;
/// under [`Task::Many`] that of each label of each example, decided for or not. A bin holds its lower edge.
pub(super) fn calibration_error(scored: &Scored, task: Task, decided: &Targets) -> f64 {
    match task {
        Task::One => expected_gap(scored.examples().zip(decided.iter()).map(|((probabilities, targets), decided)| {
            (f64::from(probabilities[decided[0] as usize]), targets == decided)
        })),
        Task::Many => expected_gap(scored.cells()),
    }
}

fn expected_gap(stated: impl Iterator<Item = (f64, bool)>) -> f64 {
    let mut n = 0_u64;
    // A bin's gap weighted by its share of all is |Σ p - Σ y| / n.
    let mut gaps = [0.0; BINS];
    for (p, is_true) in stated {
        gaps[((p * BINS as f64) as usize).min(BINS - 1)] += p - f64::from(u8::from(is_true));
        n += 1;
    }
    if n == 0 { 0.0 } else { gaps.iter().map(|gap| gap.abs()).sum::<f64>() / n as f64 }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut n, mut sum) = (0_u64, 0.0);
    for value in values {
        n += 1;
        sum += value;
    }
    if n == 0 { 0.0 } else { sum / n as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two of the four that say 0.75 are true, the one that says 0.25 is not: (|3 - 2| + |0.25 - 0|) / 5.
    #[test]
    fn a_calibration_error_by_hand() {
        let stated = [(0.75, true), (0.75, false), (0.75, true), (0.75, false), (0.25, false)];
        assert_eq!(expected_gap(stated.into_iter()), 1.25 / 5.0);
    }

    /// In one bin the gaps of a sure hit and a sure miss would cancel.
    #[test]
    fn zero_and_one_lie_in_the_outer_bins() {
        assert_eq!(expected_gap([(1.0, false), (0.0, true)].into_iter()), 1.0);
        assert_eq!(expected_gap([(1.0, true), (0.0, false)].into_iter()), 0.0);
        assert!(expected_gap([(f64::NAN, true), (0.5, true)].into_iter()).is_nan());
    }
}
