//! Which epochs of a run are its best, by the metric that the config monitors.

use serde::{Deserialize, Serialize};

use crate::config::Monitor;
use crate::metrics::Metrics;

/// An evaluation on the validation split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Best {
    /// The step after which.
    pub step: u64,
    /// The epoch after which, counted from 1.
    pub epoch: u64,
    /// The value of the monitored metric; higher is better.
    pub value: f64,
}

/// The best evaluations of a run so far, and how long ago the last improvement was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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

    /// The steps whose checkpoints are to be kept.
    pub(crate) fn steps(&self) -> Vec<u64> {
        self.best.iter().map(|best| best.step).collect()
    }
}

/// The monitored metric; higher is better.
pub(crate) fn monitored(monitor: Monitor, metrics: &Metrics) -> f64 {
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

    fn observe(selection: &mut Selection, epoch: u64, value: f64) -> bool {
        selection.observe(Best { step: 10 * epoch, epoch, value }, 2, 0.05)
    }

    #[test]
    fn the_best_are_kept_and_the_earlier_of_equals_comes_first() {
        let mut selection = Selection::default();
        assert!(!observe(&mut selection, 1, f64::NAN));
        assert!(observe(&mut selection, 2, 0.5));
        assert!(!observe(&mut selection, 3, 0.5));
        assert_eq!(selection.steps(), [20, 30]);
        assert!(observe(&mut selection, 4, 0.6));
        assert_eq!(selection.steps(), [40, 20]);
        assert!(!observe(&mut selection, 5, 0.4));
        assert_eq!(selection.steps(), [40, 20]);
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
