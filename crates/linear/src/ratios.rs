//! How much more often a feature occurs with a label than without: the log-count ratios of NBSVM (Wang & Manning 2012, §2.1).

use crate::lanes::{Lanes, add};
use crate::rows::Rows;

/// What is added to every count, so that none is 0.
const SMOOTHING: f64 = 1.0;

/// `[features]`: the ratio of every feature for `L` labels, `ln((p / Σp) / (q / Σq))`, where p is how many examples with the
/// label have the feature, plus one, and q how many of the others. `targets`, `[examples]`, is 1 or 0.
pub(crate) fn ratios<const L: usize>(rows: &Rows, targets: &[Lanes<L>]) -> Vec<Lanes<L>> {
    let mut with = vec![[SMOOTHING; L]; rows.n_columns()];
    let mut without = with.clone();
    for (example, targets) in targets.iter().enumerate() {
        for &column in rows.row(example).0 {
            add(&mut with[column as usize], 1.0, targets);
            add(&mut without[column as usize], 1.0, &targets.map(|target| 1.0 - target));
        }
    }
    let total = |counts: &[Lanes<L>]| {
        counts.iter().fold([0.0; L], |mut sum, counts| {
            add(&mut sum, 1.0, counts);
            sum
        })
    };
    let (all_with, all_without) = (total(&with), total(&without));
    let ratio =
        |(p, q): (&Lanes<L>, &Lanes<L>)| std::array::from_fn(|l| (p[l] / all_with[l] / (q[l] / all_without[l])).ln());
    with.iter().zip(&without).map(ratio).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_those_by_hand() {
        let mut rows = Rows::new(2);
        rows.push([(0, 0.5)]).unwrap();
        rows.push([(0, 0.1), (1, 0.9)]).unwrap();
        rows.push([(1, 1.0)]).unwrap();
        let found = ratios(&rows, &[[1.0], [1.0], [0.0]]);
        // With the label: 2 and 1 texts; without: 0 and 1. So p = (3, 2) of 5 and q = (1, 2) of 3.
        let expected = [(3.0_f64 / 5.0 / (1.0 / 3.0)).ln(), (2.0_f64 / 5.0 / (2.0 / 3.0)).ln()];
        found.iter().zip(expected).for_each(|(found, expected)| assert!((found[0] - expected).abs() < 1e-15));
    }
}
