//! The probabilities of a split beside its targets, and ways to go through them.

use attentive_data::Targets;
use serde::{Deserialize, Serialize};

/// How many labels an example has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    /// Exactly one.
    One,
    /// Any number, also none: multi-label classification.
    Many,
}

/// The model's probabilities for a split beside its targets: what everything here is computed from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scored<'a> {
    pub(super) n_labels: usize,
    pub(super) probabilities: &'a [f32],
    pub(super) targets: &'a Targets,
}

impl<'a> Scored<'a> {
    /// `probabilities` is `[targets.len(), n_labels]` row-major (`[1 - p, p]` for two labels of which an example has
    /// one); targets are ascending label ids.
    ///
    /// # Panics
    /// If `n_labels` is 0, the lengths do not fit together or a target is not below `n_labels`.
    pub(crate) fn new(n_labels: usize, probabilities: &'a [f32], targets: &'a Targets) -> Self {
        assert!(n_labels > 0, "a classifier has at least one label");
        assert_eq!(probabilities.len(), targets.len() * n_labels, "one probability per example and label");
        assert!(targets.iter().flatten().all(|&id| (id as usize) < n_labels), "a target is the id of a label");
        Self { n_labels, probabilities, targets }
    }

    /// Each example's probabilities and targets.
    pub(super) fn examples(&self) -> impl Iterator<Item = (&'a [f32], &'a [u32])> {
        self.probabilities.chunks_exact(self.n_labels).zip(self.targets.iter())
    }

    /// For each example the probability of a label, and whether the example has it.
    pub(super) fn of_label(&self, id: usize) -> impl Iterator<Item = (f32, bool)> {
        self.examples().map(move |(probabilities, targets)| (probabilities[id], targets.contains(&(id as u32))))
    }

    /// For each label of each example its probability, and whether the example has it.
    pub(super) fn cells(&self) -> impl Iterator<Item = (f64, bool)> {
        self.examples().flat_map(|(probabilities, targets)| {
            (0_u32..).zip(probabilities).map(|(id, &p)| (f64::from(p), targets.contains(&id)))
        })
    }
}
