//! The model before its first step: random weights, pretrained vectors where there are any, and what another training made.

use attentive_model::{Classifier, EmbeddingConfig, Initializer, ModelConfig, Sizes, Table};
use burn::tensor::Device;

use crate::config::Config;
use crate::error::TrainError;
use crate::prepare::Prepared;
use crate::seed::{Stream, derive};

/// The model that a run starts from; it depends on the config, the data and the seed alone.
///
/// # Errors
/// When the device fails.
pub(crate) fn model(config: &Config, prepared: &Prepared, device: &Device) -> Result<Classifier, TrainError> {
    let mut init = Initializer::new(derive(config.seed, Stream::Weights, 0), device);
    let model = config.model.init(&prepared.sizes, &mut init);
    if prepared.vectors.is_none() && prepared.start.is_none() {
        return Ok(model);
    }
    let mut weights = model.weights()?;
    let dim = config.model.embedding.dim;
    if let Some(vectors) = &prepared.vectors
        && let Some(table) = weights.iter_mut().find(|weight| weight.name == Table::Embedding.weight())
    {
        for (id, vector) in &vectors.rows {
            table.values[*id as usize * dim..][..dim].copy_from_slice(vector);
        }
    }
    if let Some(start) = &prepared.start {
        start.apply(&mut weights);
    }
    Ok(model.with_weights(weights)?)
}

/// The smallest model there is, to keep the place of one that has been moved out.
pub(crate) fn placeholder(device: &Device) -> Classifier {
    let config = ModelConfig { embedding: EmbeddingConfig { dim: 1, ..Default::default() }, ..ModelConfig::default() };
    config.init(&Sizes::of_labels(1, 2), &mut Initializer::new(0, device))
}
