//! A classifier without the rows of its table that no text uses.

use attentive_data::{Examples, UNWATCHED};
use attentive_model::Table;
use attentive_train::{Parts, Predictor, TrainError, limit};
use burn::tensor::Device;

use crate::error::ExportError;

/// A classifier that knows fewer tokens.
#[derive(Debug)]
pub struct Pruned {
    /// It gives the texts that it was pruned to the very probabilities that they had before.
    pub predictor: Predictor,
    /// How many tokens it knows.
    pub kept: usize,
    /// How many it knew.
    pub of: usize,
}

/// The classifier with only the tokens that it sees of these texts, and those that pad and that stand for unknown ones. Hashed
/// n-grams keep all their rows.
///
/// # Errors
/// [`ExportError::Unprunable`] for a tokenizer of pieces, of which none can go; when the device fails.
pub fn prune(predictor: &Predictor, splits: &[&Examples], device: &Device) -> Result<Pruned, ExportError> {
    let (encoder, config) = (predictor.encoder(), predictor.config());
    let of = encoder.vocab_size();
    let mut used = vec![false; of];
    for texts in splits.iter().flat_map(|examples| std::iter::once(&examples.texts).chain(&examples.seconds)) {
        let encoded = encoder.encode(texts, limit(&config.model), UNWATCHED).map_err(TrainError::from)?;
        for index in 0..encoded.len() {
            encoded.ids(index).iter().for_each(|&id| used[id as usize] = true);
        }
    }
    let (encoder, rows) = encoder.pruned(&used).ok_or(ExportError::Unprunable)?;
    let mut weights = predictor.weights()?;
    for table in weights.iter_mut().filter(|weight| weight.name == Table::Embedding.weight()) {
        let width = table.shape.get(1).copied().unwrap_or(1);
        table.values = rows.iter().flat_map(|&row| table.values[row as usize * width..][..width].to_vec()).collect();
        table.shape = vec![rows.len(), width];
    }
    let parts = Parts {
        config: config.clone(),
        labels: predictor.labels().clone(),
        encoder,
        weights,
        ngrams: predictor.ngrams(),
        thresholds: predictor.thresholds().to_vec(),
        step: predictor.step(),
    };
    Ok(Pruned { predictor: Predictor::new(parts, device)?, kept: rows.len(), of })
}
