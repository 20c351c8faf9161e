//! What each feature of a text adds to a logit. The logit is the bias and these, and nothing else.

use std::ops::Range;

use crate::model::LinearModel;
use crate::ngrams::{of_piece, pieces};
use crate::text::{origins, push_lower};

/// A feature of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// The id of the feature.
    pub feature: u32,
    /// Where in the text it occurs, in bytes, in the order of the text. An n-gram of words spans what is between them.
    pub places: Vec<Range<usize>>,
    /// What it adds to the logit of each label, all places together.
    pub logits: Vec<f32>,
}

impl LinearModel {
    /// What each feature of a text adds to the logits, in the order of the features.
    pub fn contributions(&self, text: &str) -> Vec<Contribution> {
        let (features, settings) = (self.features(), &self.features().parts().settings);
        let mut lower = String::new();
        push_lower(text, &mut lower);
        let origins = origins(text);
        let mut found: Vec<(u32, Range<usize>)> = Vec::new();
        features.each_word_ngram(&lower, |id, range| found.push((id, range)));
        if settings.characters > 0 {
            pieces(&lower, settings, |piece, start| {
                of_piece(piece, settings, |key, range| {
                    found.extend(features.character_ngram(key).map(|id| (id, start + range.start..start + range.end)));
                });
            });
        }
        found.sort_unstable_by_key(|(id, range)| (*id, range.start));
        let mut ids = found.iter().map(|&(id, _)| id).collect::<Vec<_>>();
        let row = features.weighted(&mut ids);
        let n_labels = self.n_labels();
        let each = found.chunk_by(|a, b| a.0 == b.0).zip(row).map(|(places, (feature, value))| {
            let weights = &self.weights().weights[feature as usize * n_labels..][..n_labels];
            Contribution {
                feature,
                places: places
                    .iter()
                    .map(|(_, range)| origins[range.start].start..origins[range.end - 1].end)
                    .collect(),
                logits: weights.iter().map(|&weight| value * weight).collect(),
            }
        });
        each.collect()
    }
}
