//! Which epochs of a run are its best, by the metric that the config monitors.

use serde::{Deserialize, Serialize};

use crate::config::Monitor;
use crate::metrics::Metrics;

/// An evaluation on the validation split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Best {
    /// The step after which.
    pub step: u64,
    /// The epoch after which, counted from 1.
    pub epoch: u64,
    /// The value of the monitored metric; higher is better.
    pub value: f64,
    /// The SHA-256 of the weights in its checkpoint: others are never taken for them.
    pub weights_sha256: String,
}

/// The best evaluations of a run so far, and how long ago the last improvement was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Selection {
    /// The best first, of equals the earlier.
    pub best: Vec<Best>,
    /// Evaluations since the last improvement that counted.
    pub since_improved: u64,
    /// The value of that improvement.
    improved_to: Option<f64>,
}

impl Selection {
    /// Takes in an evaluation and keeps the `keep` best ones. A value counts as an improvement if it is better by more
    /// than `min_delta`. Gives whether it is the best so far. NaN is worse than anything.
    pub(crate) fn observe(&mut self, evaluation: Best, keep: usize, min_delta: f64) -> bool {
        let value = evaluation.value;
        if value.is_nan() {
            self.since_improved += 1;
            return false;
        }
        if self.improved_to.is_none_or(|reference| value - min_delta > reference) {
            (self.improved_to, self.since_improved) = (Some(value), 0);
        } else {
            self.since_improved += 1;
        }
        let place = self.best.partition_point(|other| other.value >= value);
        self.best.insert(place, evaluation);
        self.best.truncate(keep);
        place == 0
    }

    /// Whether the evaluation after `step` is among the best.
    pub(crate) fn has(&self, step: u64) -> bool {
        self.best.iter().any(|best| best.step == step)
    }
}

/// The monitored metric; higher is better.
pub(crate) fn monitored(monitor: Monitor, metrics: &Metrics) -> f64 {
    if !metrics.loss.is_finite() {
        return f64::NAN; // decisions by what is no number are not the best, whatever they come to
    }
    match monitor {
        Monitor::Accuracy => metrics.accuracy,
        Monitor::MacroF1 => metrics.macro_avg.f1,
        Monitor::MicroF1 => metrics.micro_avg.f1,
        Monitor::Loss => -metrics.loss,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(selection: &Selection) -> Vec<u64> {
        selection.best.iter().map(|best| best.step).collect()
    }

    fn observe(selection: &mut Selection, epoch: u64, value: f64) -> bool {
        let weights_sha256 = String::new();
        selection.observe(Best { step: 10 * epoch, epoch, value, weights_sha256 }, 2, 0.05)
    }

    #[test]
    fn the_best_are_kept_and_the_earlier_of_equals_comes_first() {
        let mut selection = Selection::default();
        assert!(!observe(&mut selection, 1, f64::NAN));
        assert!(observe(&mut selection, 2, 0.5));
        assert!(!observe(&mut selection, 3, 0.5));
        assert_eq!(steps(&selection), [20, 30]);
        assert!(observe(&mut selection, 4, 0.6));
        assert_eq!(steps(&selection), [40, 20]);
        assert!(!observe(&mut selection, 5, 0.4));
        assert_eq!(steps(&selection), [40, 20]);
    }

    #[test]
    fn small_steps_are_no_improvement_but_may_be_the_best() {
        let mut selection = Selection::default();
        observe(&mut selection, 1, 0.5);
        assert!(observe(&mut selection, 2, 0.54));
        assert_eq!(selection.since_improved, 1);
        // Against 0.5, the last improvement that counted.
        assert!(observe(&mut selection, 3, 0.56));
        assert_eq!(selection.since_improved, 0);
        observe(&mut selection, 4, f64::NAN);
        assert_eq!(selection.since_improved, 1);
    }
}
