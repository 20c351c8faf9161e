//! The model before its first step: random weights, pretrained vectors where there are any, and what another training made.

use std::borrow::Cow;
use std::path::Path;

use attentive_data::Vectors;
use attentive_model::{Classifier, EmbeddingConfig, Initializer, ModelConfig, Sizes, Table};
use burn::tensor::Device;

use crate::config::Config;
use crate::error::TrainError;
use crate::preparation::prepare::{Prepared, read_vectors};
use crate::step::seed::{Stream, derive};

/// The model that a run starts from; it depends on the config, the data and the seed alone.
///
/// # Errors
/// [`TrainError::NoWayBack`] when what the run started from was not read and is no longer the same; when the device fails.
pub(crate) fn model(config: &Config, prepared: &Prepared, device: &Device) -> Result<Classifier, TrainError> {
    let mut init = Initializer::new(derive(config.seed, Stream::Weights, 0), device);
    let model = config.model.init(&prepared.sizes, &mut init);
    let vectors = vectors(config, prepared)?;
    check_start(config, prepared)?;
    if vectors.is_none() && prepared.start.is_none() {
        return Ok(model);
    }
    let mut weights = model.weights()?;
    let dim = config.model.embedding.dim;
    if let Some(vectors) = vectors
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

/// The pretrained vectors. A run that was resumed reads them only here, where it goes back to its start.
fn vectors<'a>(config: &Config, prepared: &'a Prepared) -> Result<Option<Cow<'a, Vectors>>, TrainError> {
    match (&prepared.vectors, &prepared.account.vectors, &config.model.embedding.vectors) {
        (Some(vectors), ..) => Ok(Some(Cow::Borrowed(vectors))),
        (None, Some(held), Some(path)) => {
            let read = read_vectors(config, &prepared.encoder).ok().flatten();
            let same = read.filter(|vectors| vectors.sha256 == held.sha256);
            same.map(|vectors| Some(Cow::Owned(vectors))).ok_or_else(|| no_way_back(path))
        }
        _ => Ok(None),
    }
}

/// The weights of another training are not read again.
fn check_start(config: &Config, prepared: &Prepared) -> Result<(), TrainError> {
    match &config.train.init_from {
        Some(path) if prepared.start.is_none() => Err(no_way_back(path)),
        _ => Ok(()),
    }
}

fn no_way_back(path: &Path) -> TrainError {
    TrainError::NoWayBack { path: path.to_path_buf() }
}

/// A model whose weights are all still to be given.
pub(crate) fn unfilled(config: &Config, prepared: &Prepared, device: &Device) -> Classifier {
    config.model.init(&prepared.sizes, &mut Initializer::zeros(device))
}

/// The smallest model there is, to keep the place of one that has been moved out.
pub(crate) fn placeholder(device: &Device) -> Classifier {
    let config = ModelConfig { embedding: EmbeddingConfig { dim: 1, ..Default::default() }, ..ModelConfig::default() };
    config.init(&Sizes::of_labels(1, 2), &mut Initializer::new(0, device))
}
