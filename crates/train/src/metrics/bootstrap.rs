//! How far the headline numbers would move with other examples: 95 % intervals by the percentile bootstrap (Efron 1979).
//! They speak of the choice of the examples alone, not of the seed a model was trained with.

use std::collections::BTreeMap;

use attentive_data::Targets;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::confusion::ratio;

/// How many times the examples are drawn anew.
const RESAMPLES: u64 = 1000;

/// The increment of SplitMix64: 2^64 divided by the golden ratio, made odd.
const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// 95 % bootstrap intervals, `[low, high]`: of 1,000 splits drawn from the examples with replacement, each as large as
/// the split, the middle 95 % lie between them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// Of the accuracy.
    pub accuracy: [f64; 2],
    /// Of the mean of the labels' F1.
    pub macro_f1: [f64; 2],
    /// Of the F1 of all decisions pooled.
    pub micro_f1: [f64; 2],
}

impl Intervals {
    /// Of the targets and the decided labels of each example. The same examples give the same intervals, whatever the
    /// number of threads. `None` without examples.
    pub(super) fn new(n_labels: usize, targets: &Targets, decided: &Targets) -> Option<Self> {
        if decided.is_empty() {
            return None;
        }
        let (outcomes, of_example) = outcomes(targets, decided);
        let resample = |index| {
            let mut times = vec![0_u32; outcomes.len()];
            draw(index, of_example.len(), |example| times[of_example[example] as usize] += 1);
            measure(n_labels, &outcomes, &times)
        };
        let measured: Vec<[f64; 3]> = (0..RESAMPLES).into_par_iter().map(resample).collect();
        let interval = |metric: usize| {
            let mut values: Vec<f64> = measured.iter().map(|measured| measured[metric]).collect();
            values.sort_unstable_by(f64::total_cmp);
            [0.025, 0.975].map(|share| quantile(&values, share))
        };
        Some(Self { accuracy: interval(0), macro_f1: interval(1), micro_f1: interval(2) })
    }
}

/// What an example adds to the counts: `2·id + 1` for a label that is both meant and decided for, `2·id` for one that
/// is only one of the two. It is right if it has none of the latter.
type ExampleOutcome = Vec<u32>;

/// The distinct outcomes, and which of them each example has. Examples with the same outcome need not be told apart,
/// and there are few outcomes.
fn outcomes(targets: &Targets, decided: &Targets) -> (Vec<ExampleOutcome>, Vec<u32>) {
    let mut ids = BTreeMap::<ExampleOutcome, u32>::new();
    let of_example = targets.iter().zip(decided.iter()).map(|(targets, decided)| {
        let found = decided.iter().map(|id| 2 * id + u32::from(targets.contains(id)));
        let missed = targets.iter().filter(|id| !decided.contains(id)).map(|id| 2 * id);
        let mut outcome: ExampleOutcome = found.chain(missed).collect();
        outcome.sort_unstable();
        let next = ids.len() as u32;
        *ids.entry(outcome).or_insert(next)
    });
    let of_example = of_example.collect();
    let mut outcomes = vec![ExampleOutcome::new(); ids.len()];
    for (outcome, id) in ids {
        outcomes[id as usize] = outcome;
    }
    (outcomes, of_example)
}

/// Accuracy, macro F1 and micro F1 of a split that has each outcome so many times.
fn measure(n_labels: usize, outcomes: &[ExampleOutcome], times: &[u32]) -> [f64; 3] {
    let mut right = 0;
    // How often each label is meant or decided for but not both, and how often it is both.
    let mut counts = vec![[0_u64; 2]; n_labels];
    for (outcome, &times) in outcomes.iter().zip(times) {
        for code in outcome {
            counts[(code / 2) as usize][(code % 2) as usize] += u64::from(times);
        }
        if outcome.iter().all(|code| code % 2 == 1) {
            right += u64::from(times);
        }
    }
    let f1 = |[either, both]: [u64; 2]| ratio(2 * both, 2 * both + either);
    let n = times.iter().copied().map(u64::from).sum();
    let pooled = counts.iter().fold([0, 0], |sum, count| [sum[0] + count[0], sum[1] + count[1]]);
    [ratio(right, n), counts.iter().copied().map(f1).sum::<f64>() / n_labels as f64, f1(pooled)]
}

/// Draws `n` of `n` examples with replacement. Draw `k` is the high half of `n` times output `k` of SplitMix64 started
/// at `mix(index)`; no example is favoured by more than one part in 2^64 / `n`.
fn draw(index: u64, n: usize, mut take: impl FnMut(usize)) {
    let mut state = mix(index);
    for _ in 0..n {
        state = state.wrapping_add(GAMMA);
        take(((u128::from(mix(state)) * n as u128) >> 64) as usize);
    }
}

/// The output function of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The value below which the share of the sorted values lies, linear between neighbours.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    low + (high - low) * position.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intervals(n_labels: usize, targets: &[Vec<u32>], decided: &[Vec<u32>]) -> Option<Intervals> {
        let of = |lists: &[Vec<u32>]| {
            let mut all = Targets::default();
            lists.iter().for_each(|ids| all.push(ids));
            all
        };
        Intervals::new(n_labels, &of(targets), &of(decided))
    }

    /// All examples are alike, so every draw gives the same: never right as a whole; label 0 always found, label 1
    /// always missed, label 2 never in play. Macro F1 is a third, micro F1 is 2·1 / (2 + 1).
    #[test]
    fn examples_that_are_all_alike_leave_nothing_to_chance() {
        let found = intervals(3, &vec![vec![0, 1]; 7], &vec![vec![0]; 7]).unwrap();
        assert_eq!((found.accuracy, found.macro_f1), ([0.0; 2], [1.0 / 3.0; 2]));
        assert_eq!(found.micro_f1, [2.0 / 3.0; 2]);
        // An example without labels that gets none is right, and there is no label to count.
        let empty = intervals(1, &vec![vec![]; 3], &vec![vec![]; 3]).unwrap();
        assert_eq!((empty.accuracy, empty.micro_f1), ([1.0; 2], [0.0; 2]));
        assert_eq!(intervals(1, &[], &[]), None);
    }

    /// With 400 examples of which 300 are right the accuracy has a standard error of √(0.75·0.25/400) = 0.02165, so the
    /// normal interval is 0.75 ± 0.0424. The ends of 1,000 resamples wander by about 0.002.
    #[test]
    fn the_interval_of_a_share_is_close_to_the_normal_one() {
        let decided: Vec<Vec<u32>> = (0..400).map(|i| vec![u32::from(i % 4 == 0)]).collect();
        let [low, high] = intervals(2, &vec![vec![0]; 400], &decided).unwrap().accuracy;
        assert!((low - 0.7076).abs() < 0.008 && (high - 0.7924).abs() < 0.008, "{low} {high}");
    }

    #[test]
    fn the_stream_is_splitmix64() {
        // The first output for seed 1234567 in the reference implementation by Vigna.
        assert_eq!(mix(1_234_567_u64.wrapping_add(GAMMA)), 6_457_827_717_110_365_317);
    }

    #[test]
    fn quantiles_by_hand() {
        let values = [1.0, 2.0, 4.0, 8.0, 16.0];
        assert_eq!([0.0, 0.125, 0.5, 1.0].map(|share| quantile(&values, share)), [1.0, 1.5, 4.0, 16.0]);
        assert_eq!(quantile(&[3.0], 0.975), 3.0);
    }
}
