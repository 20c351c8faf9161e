//! The classifier: texts in, logits out.

use rayon::prelude::*;

use crate::error::{LinearError, Stop};
use crate::examples::Examples;
use crate::features::{FeatureParts, Features};
use crate::rows::Rows;
use crate::settings::{FeatureSettings, SolverSettings};
use crate::solve::{Weights, solve};

/// A trained classifier.
#[derive(Debug, Clone)]
pub struct LinearModel {
    features: Features,
    weights: Weights,
}

impl LinearModel {
    /// Learns from texts and their labels.
    ///
    /// # Errors
    /// Those of [`Features::fit`] and [`solve`].
    pub fn fit(
        texts: &[&str],
        examples: &Examples,
        features: &FeatureSettings,
        solver: &SolverSettings,
        stop: Stop,
    ) -> Result<Self, LinearError> {
        solver.check()?;
        examples.check(texts.len())?;
        let features = Features::fit(texts, features, stop)?;
        let rows = features.rows(texts, stop)?;
        let weights = solve(&rows, examples, solver, stop)?.weights;
        Ok(Self { features, weights })
    }

    /// A classifier from what was saved, or from features and weights that were found one by one.
    ///
    /// # Errors
    /// [`LinearError::Parts`] if the weights are not `[features, labels]`, or one is not finite.
    pub fn new(features: Features, weights: Weights) -> Result<Self, LinearError> {
        if weights.bias.is_empty() || weights.weights.len() != features.len() * weights.bias.len() {
            return Err(LinearError::Parts { what: "there must be one weight for each feature and label" });
        }
        if !weights.weights.iter().chain(&weights.bias).all(|weight| weight.is_finite()) {
            return Err(LinearError::Parts { what: "every weight must be finite" });
        }
        Ok(Self { features, weights })
    }

    /// The features.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// The weights.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// What is to be saved. [`Features::new`] and [`LinearModel::new`] give back a classifier with the same logits, bit by bit.
    pub fn into_parts(self) -> (FeatureParts, Weights) {
        (self.features.into_parts(), self.weights)
    }

    /// How many labels there are.
    pub fn n_labels(&self) -> usize {
        self.weights.bias.len()
    }

    /// The logits `[texts, labels]` of `texts`, on all cores. Those of a text depend on it alone.
    ///
    /// # Errors
    /// [`LinearError::Stopped`].
    pub fn logits(&self, texts: &[&str], stop: Stop) -> Result<Vec<f32>, LinearError> {
        Ok(self.weights.logits(&self.features.rows(texts, stop)?))
    }

    /// Keeps the `most` features whose weights are longest (L2 norm over the labels, times idf; the first ones of equals).
    /// Logits change: each text loses what the other features said.
    #[must_use]
    pub fn pruned(self, most: usize) -> Self {
        let n_labels = self.n_labels();
        let (features, weights) = self.into_parts();
        let rows = || weights.weights.chunks_exact(n_labels);
        let size = |(row, &idf): (&[f32], &f32)| idf * idf * row.iter().map(|weight| weight * weight).sum::<f32>();
        let sizes = rows().zip(&features.idf).map(size).collect::<Vec<_>>();
        let mut order = (0..sizes.len()).collect::<Vec<_>>();
        order.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]));
        let mut kept = vec![false; sizes.len()];
        order.iter().take(most).for_each(|&id| kept[id] = true);
        let (of_words, of_characters) = kept.split_at(features.words.len());
        let parts = FeatureParts {
            settings: features.settings,
            words: only(features.words, of_words),
            characters: only(features.characters, of_characters),
            idf: only(features.idf, &kept),
        };
        let rows = rows().zip(&kept).filter(|&(_, &kept)| kept);
        let weights = Weights { weights: rows.flat_map(|(row, _)| row).copied().collect(), bias: weights.bias };
        let features = Features::new(parts).expect("a part of sorted n-grams is sorted");
        Self { features, weights }
    }
}

/// The items that are kept, in their order.
fn only<T>(items: Vec<T>, kept: &[bool]) -> Vec<T> {
    items.into_iter().zip(kept).filter(|&(_, &kept)| kept).map(|(item, _)| item).collect()
}

impl Weights {
    /// The logits `[rows, labels]` of rows, on all cores. Panics if the rows have other features.
    pub fn logits(&self, rows: &Rows) -> Vec<f32> {
        let n_labels = self.bias.len();
        assert_eq!(rows.n_columns() * n_labels, self.weights.len(), "rows and weights must have the same features");
        let mut logits = vec![0.0; rows.len() * n_labels];
        logits.par_chunks_exact_mut(n_labels).enumerate().for_each(|(index, logits)| {
            let mut sums = self.bias.iter().map(|&bias| f64::from(bias)).collect::<Vec<_>>();
            let (columns, values) = rows.row(index);
            for (&column, &value) in columns.iter().zip(values) {
                let weights = &self.weights[column as usize * n_labels..][..n_labels];
                sums.iter_mut().zip(weights).for_each(|(sum, &weight)| *sum += f64::from(value) * f64::from(weight));
            }
            logits.iter_mut().zip(sums).for_each(|(logit, sum)| *logit = sum as f32);
        });
        logits
    }
}
