//! What a classifier got right on one split: loss, accuracy, precision, recall, F1, agreement, ranking and calibration,
//! with one label per example or any number. Slices in, numbers out; no tensors, no printing, and no training history.
//! The definitions are scikit-learn's with `zero_division=0`, over every label the model knows, seen in the split or not.

mod confusion;
mod scored;
mod agreement;
mod ranking;
mod calibration;
mod threshold;
mod balance;
mod bootstrap;
mod figures;

#[cfg(test)]
mod golden;

pub use balance::Balance;
pub(crate) use balance::likeliest;
pub use bootstrap::Intervals;
pub use confusion::{Average, Baseline, BaselineFigures, ConfusionCount, LabelMetrics};
pub use figures::Metrics;
pub(crate) use scored::{Scored, Task};
pub(crate) use threshold::{Criterion, Decision};
