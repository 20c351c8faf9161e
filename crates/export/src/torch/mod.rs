//! Weights as safetensors, with all that it takes to use them in Python: a config in the style of Hugging Face, the
//! tokenizer, and a PyTorch module in one file that is the same for every model.

use std::path::Path;

use attentive_train::{Precision, Predictor, StagedDirectory};
use burn::tensor::Device;
use serde_json::{Map, Value, json};

use crate::error::ExportError;
use attentive_bundle::{Example, OwnTexts};
use attentive_bundle::{ExportModel, WEIGHTS};
use attentive_bundle::{head_name, thresholds_of};

/// The PyTorch module.
const MODULE: &str = include_str!("model_torch.py");

/// What writing weights in fewer bits did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounded {
    /// How many examples were tried.
    pub n: usize,
    /// By how much a probability moved at most; 0 in 32 bits.
    pub moved: f32,
    /// How many examples are decided otherwise.
    pub decided_otherwise: usize,
}

/// Writes the classifier as safetensors to the directory `output`, with `config.json`, `tokenizer.json`, `model_torch.py` and
/// `examples.jsonl`, whose probabilities are those of the weights as they are written.
///
/// # Errors
/// [`ExportError::Output`] when there is something already or a file cannot be written; [`ExportError::Encode`] when a weight
/// does not fit into the precision. Nothing stays of an export that could not be finished.
pub fn write_torch(
    predictor: &Predictor,
    own: &OwnTexts,
    precision: Precision,
    output: &Path,
    device: &Device,
) -> Result<Rounded, ExportError> {
    if predictor.has_linear() {
        return Err(ExportError::Unsupported { format: "safetensors", part: "`features.linear`".to_string() });
    }
    let staged = StagedDirectory::new(output)?;
    let rounded_model = ExportModel::new(predictor, precision, device)?;
    let rounded = &rounded_model.predictor;
    let (before, examples) = (Example::all(own, predictor)?, Example::all(own, rounded)?);
    let files = [
        (WEIGHTS, rounded_model.weights.clone()),
        ("config.json", (format!("{:#}\n", config(predictor, precision))).into_bytes()),
        ("tokenizer.json", predictor.encoder().to_json().into_bytes()),
        ("model_torch.py", MODULE.into()),
        ("examples.jsonl", Example::to_jsonl(&examples).into_bytes()),
    ];
    for (name, bytes) in &files {
        staged.write(name, bytes)?;
    }
    let moved = Example::differences(&before, rounded)?.into_iter().fold(0.0, f32::max);
    let decided_otherwise = before.iter().zip(&examples).filter(|(before, after)| !before.decides_as(after)).count();
    staged.publish()?;
    Ok(Rounded { n: examples.len(), moved, decided_otherwise })
}

/// What `config.json` holds: the names that Hugging Face's configs have, and what this model is made of.
fn config(predictor: &Predictor, precision: Precision) -> Value {
    let (config, sizes) = (predictor.config(), predictor.sizes());
    let names = predictor.labels().names();
    let of = |value: Result<Value, serde_json::Error>| value.expect("a config holds only what JSON can write");
    let id2label: Map<String, Value> =
        names.iter().enumerate().map(|(id, name)| (id.to_string(), json!(name))).collect();
    let label2id: Map<String, Value> = names.iter().enumerate().map(|(id, name)| (name.clone(), json!(id))).collect();
    let problem = if config.data.multi_label { "multi_label_classification" } else { "single_label_classification" };
    json!({
        "model_type": "attentive",
        "architectures": ["Classifier"],
        "attentive_version": env!("CARGO_PKG_VERSION"),
        "dtype": precision.name(),
        "problem_type": problem,
        "id2label": id2label,
        "label2id": label2id,
        "vocab_size": sizes.vocab_size,
        "hidden_size": config.model.embedding.dim,
        "max_position_embeddings": config.model.longest_row(),
        "pad_token_id": predictor.encoder().pad_id(),
        "head": head_name(sizes.head),
        "thresholds": thresholds_of(sizes.head, names.len(), predictor.thresholds()),
        "text_pair": config.data.text.is_pair(),
        "ngram_buckets": sizes.buckets,
        "ngrams_of_words": predictor.encoder().spells_words(),
        "features": of(serde_json::to_value(&config.features)),
        "model": of(serde_json::to_value(&config.model)),
    })
}
