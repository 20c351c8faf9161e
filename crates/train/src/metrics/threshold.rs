//! How probabilities become labels, and which thresholds fit a split best.

use super::confusion::Count;
use super::scored::{Scored, Task};

/// The threshold where none was chosen.
const ONE_HALF: f32 = 0.5;

/// The rule by which probabilities become labels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    /// How many labels an example has.
    pub task: Task,
    /// Under [`Task::Many`] one for each label; for two labels under [`Task::One`] a single one, on the second label's
    /// probability; otherwise nothing. Empty is one half everywhere.
    pub thresholds: Vec<f32>,
}

/// What thresholds are chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Criterion {
    /// The share of examples decided right.
    Accuracy,
    /// The mean of the labels' F1.
    MacroF1,
    /// F1 over all decisions pooled.
    MicroF1,
}

impl Decision {
    /// The rule without thresholds of its own.
    pub(crate) fn new(task: Task) -> Self {
        Self { task, thresholds: Vec::new() }
    }

    /// The rule whose thresholds fit a split best.
    ///
    /// The candidates are the midpoints between neighbouring scores, and between the outer scores and the ends of the
    /// scale; a gap between scores that holds one half stands for one half. Of equally good ones the closest to one
    /// half is taken, of two equally close the higher. One half stays where the examples with or those without the
    /// label are missing, and where a score is NaN.
    ///
    /// Under [`Task::Many`] each label's F1 is maximised, which maximises macro F1, also for subset accuracy, which does
    /// not fall into labels; for micro F1 the labels' thresholds are chosen together. Under [`Task::One`] micro F1 is
    /// accuracy, and more than two labels have no threshold.
    pub(crate) fn tuned(task: Task, scored: &Scored, criterion: Criterion) -> Self {
        let n = scored.targets.len() as u64;
        let other = |count: Count| {
            let hits = n + count.hits - count.support - count.predicted;
            Count { hits, support: n - count.support, predicted: n - count.predicted }
        };
        let thresholds = match (task, scored.n_labels, criterion) {
            (Task::Many, n_labels, Criterion::MicroF1) => best_together(n_labels, |id| scored.of_label(id).collect()),
            (Task::Many, n_labels, _) => {
                (0..n_labels).map(|id| best(scored.of_label(id).collect(), |count| count.f1())).collect()
            }
            (Task::One, 2, Criterion::Accuracy | Criterion::MicroF1) => {
                vec![best(scored.of_label(1).collect(), |count| (count.hits + other(count).hits) as f64)]
            }
            (Task::One, 2, Criterion::MacroF1) => {
                vec![best(scored.of_label(1).collect(), |count| count.f1() + other(count).f1())]
            }
            (Task::One, ..) => Vec::new(),
        };
        Self { task, thresholds }
    }

    /// The rule whose one threshold for all labels has the highest micro F1 on a split; under [`Task::One`] that of
    /// [`Decision::tuned`].
    pub(crate) fn shared(task: Task, scored: &Scored) -> Self {
        match task {
            Task::One => Self::tuned(task, scored, Criterion::MicroF1),
            Task::Many => {
                let decisions = (0..scored.n_labels).flat_map(|id| scored.of_label(id)).collect();
                Self { task, thresholds: vec![best(decisions, |count| count.f1()); scored.n_labels] }
            }
        }
    }

    /// The labels of an example, given the probability of each: their ids, ascending; exactly one under [`Task::One`].
    ///
    /// Two labels under `One` are one sigmoid, `[1 - p, p]`: label 1 if and only if `p` is above the threshold, as
    /// Keras' `BinaryAccuracy` has it with one half. Of more labels the most probable, the first on a tie. Where a
    /// probability is NaN the answer is label 0, or not the label under `Many`: the loss, which is NaN with it, tells
    /// the story.
    pub(crate) fn decide(&self, probabilities: &[f32]) -> Vec<u32> {
        match (self.task, probabilities) {
            (Task::Many, _) => {
                let above = probabilities.iter().enumerate().filter(|(id, p)| **p > self.above(*id));
                above.map(|(id, _)| id as u32).collect()
            }
            (Task::One, [_, p]) => vec![u32::from(*p > self.above(0))],
            (Task::One, _) => vec![most_probable(probabilities)],
        }
    }

    /// The threshold of a label, where its metrics are to name one.
    pub(super) fn named(&self, id: usize) -> Option<f32> {
        match self.task {
            Task::Many => Some(self.above(id)),
            Task::One if id == 1 => self.thresholds.first().copied(),
            Task::One => None,
        }
    }

    fn above(&self, index: usize) -> f32 {
        self.thresholds.get(index).copied().unwrap_or(ONE_HALF)
    }
}

fn most_probable(probabilities: &[f32]) -> u32 {
    if probabilities.iter().any(|p| p.is_nan()) {
        return 0;
    }
    let mut best = 0;
    for (id, p) in probabilities.iter().enumerate() {
        if *p > probabilities[best] {
            best = id;
        }
    }
    best as u32
}

/// The thresholds with the highest micro F1, of each label's scores. One label's at a time are in memory.
///
/// Micro F1 is the ratio Σ 2·hits / Σ (support + predicted) over the labels, and the best one is the value f at which
/// the best Σ (2·hits − f·(support + predicted)), which falls into labels, is zero (Dinkelbach 1967). From any f, the
/// thresholds that are best for it have a micro F1 that is at least f, until it is found.
fn best_together(n_labels: usize, of_label: impl Fn(usize) -> Vec<(f32, bool)>) -> Vec<f32> {
    let mut f = 0.0;
    loop {
        let (mut hits, mut both) = (0u64, 0u64);
        let mut choose = |id| {
            let scored = of_label(id);
            let threshold = best(scored.clone(), |c| 2.0 * c.hits as f64 - f * c.predicted as f64);
            hits += scored.iter().filter(|(score, has)| *has && *score > threshold).count() as u64;
            both += scored.iter().map(|(score, has)| u64::from(*has) + u64::from(*score > threshold)).sum::<u64>();
            threshold
        };
        let thresholds: Vec<f32> = (0..n_labels).map(&mut choose).collect();
        let found = if both == 0 { 0.0 } else { 2.0 * hits as f64 / both as f64 };
        if found <= f {
            return thresholds;
        }
        f = found;
    }
}

/// The threshold with the highest quality, of each example's score and whether it has the label.
fn best(mut scored: Vec<(f32, bool)>, quality: impl Fn(Count) -> f64) -> f32 {
    let support = scored.iter().filter(|(_, has)| *has).count() as u64;
    if support == 0 || support == scored.len() as u64 || scored.iter().any(|(score, _)| score.is_nan()) {
        return ONE_HALF;
    }
    scored.sort_unstable_by(|left, right| right.0.total_cmp(&left.0));

    let mut best = (f64::NEG_INFINITY, ONE_HALF);
    let mut consider = |low: f32, high: f32, count: Count| {
        let (quality, threshold) = (quality(count), between(low, high));
        let closer = (threshold - ONE_HALF).abs() < (best.1 - ONE_HALF).abs();
        if quality > best.0 || (quality == best.0 && closer) {
            best = (quality, threshold);
        }
    };
    // With a threshold in `low..high` the examples counted so far are those decided for.
    let mut count = Count { hits: 0, support, predicted: 0 };
    let mut high = 1.0;
    for tied in scored.chunk_by(|left, right| left.0 == right.0) {
        let low = tied[0].0;
        consider(low, high, count);
        count.hits += tied.iter().filter(|(_, has)| *has).count() as u64;
        count.predicted += tied.len() as u64;
        high = low;
    }
    // Nothing is below a score of 0, so that score is never decided for.
    if high > 0.0 {
        consider(0.0, high, count);
    }
    best.1
}

/// A threshold `t` with `low <= t < high`, or `low` itself if they are one: one half if possible, else the midpoint.
fn between(low: f32, high: f32) -> f32 {
    if low <= ONE_HALF && ONE_HALF < high {
        return ONE_HALF;
    }
    let middle = low + (high - low) / 2.0;
    // Between neighbouring floats the midpoint may round to the upper one, which is not below itself.
    if middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use attentive_data::Targets;

    use super::*;

    fn one(probabilities: &[f32]) -> Vec<u32> {
        Decision::new(Task::One).decide(probabilities)
    }

    #[test]
    fn one_half_is_the_first_label_and_the_first_of_a_tie_wins() {
        assert_eq!(one(&[0.5, 0.5]), [0]);
        assert_eq!(one(&[0.5, 0.5 + f32::EPSILON]), [1]);
        assert_eq!(one(&[0.2, 0.4, 0.4]), [1]);
        assert_eq!(one(&[0.1, 0.2, 0.7]), [2]);
        assert_eq!(one(&[1.0]), [0]);
    }

    /// Two labels of three examples: above 0.3 are 0.9, 0.6 and 0.4, of which two are right, and one more is to be found: F1 is ⅔;
    /// above 0.2 it is 2·3 / (3 + 4), above 0.1 2·3 / (3 + 5).
    #[test]
    fn a_shared_threshold_by_hand() {
        let mut targets = Targets::default();
        [&[0][..], &[0, 1], &[]].iter().for_each(|ids| targets.push(ids));
        let probabilities = [0.9, 0.1, 0.25, 0.6, 0.4, 0.15];
        let decision = Decision::shared(Task::Many, &Scored::new(2, &probabilities, &targets));
        assert_eq!(decision.thresholds, [0.2, 0.2]);
    }

    #[test]
    fn nan_is_the_first_label_or_none() {
        assert_eq!(one(&[f32::NAN, f32::NAN]), [0]);
        assert_eq!(one(&[0.1, f32::NAN, 0.9]), [0]);
        assert_eq!(Decision::new(Task::Many).decide(&[f32::NAN, 0.9]), [1]);
    }

    #[test]
    fn every_label_above_its_threshold_is_decided_for() {
        let many = Decision::new(Task::Many);
        assert_eq!(many.decide(&[0.9, 0.5, 0.6]), [0, 2]);
        assert_eq!(many.decide(&[0.1, 0.2]), [0u32; 0]);
        let uneven = Decision { task: Task::Many, thresholds: vec![0.95, 0.25] };
        assert_eq!(uneven.decide(&[0.9, 0.5]), [1]);
        let low = Decision { task: Task::One, thresholds: vec![0.25] };
        assert_eq!((low.decide(&[0.75, 0.25]), low.decide(&[0.7, 0.3])), (vec![0], vec![1]));
    }

    fn f1(scored: &[(f32, bool)]) -> f32 {
        best(scored.to_vec(), |count| count.f1())
    }

    /// Above 0.375: one of two found, F1 2/3. Above 0.125: both found with one too many, F1 4/5.
    #[test]
    fn a_threshold_by_hand() {
        assert_eq!(f1(&[(0.75, true), (0.375, false), (0.375, true), (0.125, false)]), 0.25);
        // To take the first alone and to take all four are both worth 2/3: the gap closer to one half wins.
        assert_eq!(f1(&[(0.375, true), (0.25, false), (0.125, false), (0.0625, true)]), 0.3125);
        assert_eq!(f1(&[(0.96875, true), (0.9375, false), (0.875, false), (0.625, true)]), 0.5);
        // Any threshold from 0.25 up to 0.75 is perfect: it stays one half.
        assert_eq!(f1(&[(0.75, true), (0.25, false)]), 0.5);
    }

    /// Thresholds chosen together reach what a search through all of them reaches.
    #[test]
    fn micro_f1_is_maximised_over_all_labels_together() {
        for seed in 0..20_u32 {
            let cell = |label: u32, example: u32| {
                let drawn = (seed * 97 + label * 31 + example * 17).wrapping_mul(2_654_435_761) >> 16;
                (f32::from((drawn % 16) as u8) / 16.0, drawn.is_multiple_of(3))
            };
            let labels: Vec<Vec<(f32, bool)>> =
                (0..3).map(|label| (0..6).map(|example| cell(label, example)).collect()).collect();
            let micro_f1 = |thresholds: &[f32]| {
                let (mut hits, mut both) = (0, 0);
                for (scored, threshold) in labels.iter().zip(thresholds) {
                    for (score, has) in scored {
                        hits += u32::from(*has && score > threshold);
                        both += u32::from(*has) + u32::from(score > threshold);
                    }
                }
                f64::from(2 * hits) / f64::from(both.max(1))
            };
            let candidates: Vec<f32> = (1..=16).map(|k| (k as f32 - 0.5) / 16.0).collect();
            let mut most = 0.0_f64;
            for a in &candidates {
                for b in &candidates {
                    most = candidates.iter().map(|c| micro_f1(&[*a, *b, *c])).fold(most, f64::max);
                }
            }
            let chosen = best_together(labels.len(), |id| labels[id].clone());
            // A label that no example has, or all, keeps one half.
            if labels.iter().all(|l| l.iter().any(|(_, has)| *has) && l.iter().any(|(_, has)| !has)) {
                assert!((micro_f1(&chosen) - most).abs() < 1e-12, "seed {seed}: {} of {most}", micro_f1(&chosen));
            }
        }
    }

    #[test]
    fn the_ends_of_the_scale_are_candidates() {
        // The label's own example has the lowest score, so taking all is best: F1 2/3.
        assert_eq!(f1(&[(0.25, true), (0.75, false)]), 0.125);
        // For the number of right decisions it is as good to take neither.
        let right = |count: Count| (count.hits + (2 + count.hits - count.support - count.predicted)) as f64;
        assert_eq!(best(vec![(0.125, true), (0.75, false)], right), 0.875);
        // A score of 0 is never above a threshold.
        assert_eq!(f1(&[(0.0, true), (0.75, true), (0.625, false)]), 0.6875);
    }

    #[test]
    fn one_sided_and_broken_scores_keep_one_half() {
        assert_eq!(f1(&[(0.75, false), (0.25, false)]), 0.5);
        assert_eq!(f1(&[(0.25, true), (0.125, true)]), 0.5);
        assert_eq!(f1(&[(0.25, true), (f32::NAN, false)]), 0.5);
    }

    #[test]
    fn neighbouring_scores_are_told_apart() {
        let low = 0.7_f32;
        let high = low.next_up();
        let threshold = f1(&[(high, true), (low, false)]);
        assert!(low <= threshold && threshold < high, "{threshold}");
    }

    #[test]
    fn only_two_labels_or_any_number_have_thresholds() {
        let probabilities = [0.2, 0.3, 0.5, 0.6, 0.3, 0.1];
        let targets = Targets::single(vec![0, 2]);
        let scored = Scored::new(3, &probabilities, &targets);
        assert!(Decision::tuned(Task::One, &scored, Criterion::Accuracy).thresholds.is_empty());
        assert_eq!(Decision::tuned(Task::Many, &scored, Criterion::Accuracy).thresholds.len(), 3);
    }
}
