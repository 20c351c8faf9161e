//! What the rows are examples of: their labels and how much each counts.

use crate::error::LinearError;

/// The labels of every example, as ids below the number of labels.
#[derive(Debug, Clone, Copy)]
pub enum Targets<'a> {
    /// Exactly one label each.
    One(&'a [u32]),
    /// Any number of labels each, including none.
    Many(&'a [Vec<u32>]),
}

/// Examples to learn from, in the order of their texts.
#[derive(Debug, Clone, Copy)]
pub struct Examples<'a> {
    /// The labels of each.
    pub targets: Targets<'a>,
    /// How many labels there are: 2 or more if each example has one, else 1 or more.
    pub n_labels: usize,
    /// How much each example counts, 0 to 1e9; all 1 if absent (`sample_weight`).
    pub weights: Option<&'a [f32]>,
    /// How much the examples of each label count besides, 0 to 1e9 (`class_weight`). With several labels an example counts
    /// so much only for the labels that it has.
    pub label_weights: Option<&'a [f32]>,
}

impl<'a> Examples<'a> {
    /// Examples that count alike.
    pub fn new(targets: Targets<'a>, n_labels: usize) -> Self {
        Self { targets, n_labels, weights: None, label_weights: None }
    }

    /// # Errors
    /// What does not fit `n_texts` texts.
    pub(crate) fn check(&self, n_texts: usize) -> Result<(), LinearError> {
        let least = if matches!(self.targets, Targets::One(_)) { 2 } else { 1 };
        if self.n_labels < least {
            let value = self.n_labels as f64;
            return Err(LinearError::Setting { name: "n_labels", expected: "2 or more, or 1 if multi-label", value });
        }
        if n_texts == 0 {
            return Err(LinearError::NoTexts);
        }
        let count = |what, expected, found| {
            if found == expected { Ok(()) } else { Err(LinearError::Count { what, expected, found }) }
        };
        let label = |(example, &label): (usize, &u32)| {
            let n_labels = self.n_labels;
            if (label as usize) < n_labels { Ok(()) } else { Err(LinearError::Label { example, label, n_labels }) }
        };
        match self.targets {
            Targets::One(labels) => {
                count("labels", n_texts, labels.len())?;
                labels.iter().enumerate().try_for_each(label)?;
            }
            Targets::Many(labels) => {
                count("sets of labels", n_texts, labels.len())?;
                let each = labels.iter().enumerate().flat_map(|(example, of)| of.iter().map(move |of| (example, of)));
                each.into_iter().try_for_each(label)?;
            }
        }
        count("weights", n_texts, self.weights.map_or(n_texts, <[f32]>::len))?;
        if self.label_weights.is_some_and(|weights| weights.len() != self.n_labels) {
            return Err(LinearError::Parts { what: "there must be one weight for each label" });
        }
        let all = self.weights.into_iter().chain(self.label_weights).flatten();
        match all.copied().find(|&weight| !(0.0..=1e9).contains(&weight)) {
            Some(value) => Err(LinearError::Setting { name: "weight", expected: "0 to 1e9", value: f64::from(value) }),
            None => Ok(()),
        }
    }

    pub(crate) fn has(&self, example: usize, label: u32) -> bool {
        match self.targets {
            Targets::One(labels) => labels[example] == label,
            Targets::Many(labels) => labels[example].contains(&label),
        }
    }

    /// How many examples each label has.
    pub(crate) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.n_labels];
        match self.targets {
            Targets::One(labels) => labels.iter().for_each(|&label| counts[label as usize] += 1),
            Targets::Many(labels) => labels.iter().flatten().for_each(|&label| counts[label as usize] += 1),
        }
        counts
    }

    /// How much an example counts in the decision about a label.
    pub(crate) fn weight(&self, example: usize, label: u32) -> f64 {
        let weight = self.weights.map_or(1.0, |weights| f64::from(weights[example]));
        let Some(of_labels) = self.label_weights else { return weight };
        let of_label = match self.targets {
            Targets::One(labels) => of_labels[labels[example] as usize],
            Targets::Many(_) if self.has(example, label) => of_labels[label as usize],
            Targets::Many(_) => 1.0,
        };
        weight * f64::from(of_label)
    }
}
