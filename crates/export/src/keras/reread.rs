//! A Keras file read again as an import reads it, before it has its name: it must be the classifier that was written.

use std::path::Path;

use attentive_model::{AttentionConfig, Pooling, Weight};
use attentive_train::{Config, OptimizerState, Predictor};

use super::import::KerasModel;
use crate::error::ExportError;

/// Reads the bytes of a file. `state` is that of the optimizer, if it was written.
///
/// # Errors
/// [`ExportError::Rerun`] when the model, a weight or the state of the optimizer is another; whatever an import refuses.
pub(super) fn read_again(
    bytes: Vec<u8>,
    output: &Path,
    predictor: &Predictor,
    weights: &[Weight],
    state: Option<&OptimizerState>,
) -> Result<(), ExportError> {
    let sizes = predictor.sizes();
    let mut model = KerasModel::of(output, bytes)?;
    let mut config = predictor.config().clone();
    model.configure(&mut config);
    let order: Vec<usize> = (0..sizes.n_labels).collect();
    let found = model.trained(&config, sizes, &order)?;
    let differs = [
        (computed(&config) != computed(predictor.config()), "the model is read as another one"),
        (found.weights != weights, "the weights are read as others"),
        (state.is_some() && found.optimizer.as_ref() != state, "the state of the optimizer is read as another one"),
    ];
    match differs.into_iter().find(|(differs, _)| *differs) {
        Some((_, reason)) => Err(ExportError::Rerun { format: "keras", reason: reason.to_string() }),
        None => Ok(()),
    }
}

/// What of a config decides what the model computes where nothing is dropped out.
fn computed(config: &Config) -> (AttentionConfig, Pooling, bool, usize) {
    let mut attention = config.model.attention.clone();
    if let AttentionConfig::Dot(dot) = &mut attention {
        dot.dropout = 0.0;
    }
    (attention, config.model.pooling, config.model.masking, config.model.embedding.dim)
}
