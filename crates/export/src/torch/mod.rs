//! Weights as safetensors, with all that it takes to use them in Python: a config in the style of Hugging Face, the
//! tokenizer, and a PyTorch module in one file that is the same for every model. For a linear part its n-grams, and what finds them
//! in a text, come along; where it is alone, the tokenizer does not.

use std::path::Path;

use attentive_train::{Precision, Predictor, StagedDirectory, ngram_characters};
use burn::tensor::Device;
use serde_json::{Map, Value, json};

use crate::error::ExportError;
use attentive_bundle::{Example, OwnTexts};
use attentive_bundle::{ExportModel, WEIGHTS};
use attentive_bundle::{head_name, thresholds_of};

/// The PyTorch module.
const MODULE: &str = include_str!("model_torch.py");
/// What finds the n-grams of the linear part in a text.
const NGRAMS_MODULE: &str = include_str!("model_ngrams.py");

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
/// `examples.jsonl`, whose probabilities are those of the weights as they are written; for a linear part also `ngrams.json`,
/// `characters.json` and `model_ngrams.py`.
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
    let staged = StagedDirectory::new(output)?;
    let rounded_model = ExportModel::new(predictor, precision, device)?;
    let rounded = &rounded_model.predictor;
    let (before, examples) = (Example::all(own, predictor)?, Example::all(own, rounded)?);
    let mut files = vec![
        (WEIGHTS, rounded_model.weights.clone()),
        ("config.json", (format!("{:#}\n", config(predictor, precision))).into_bytes()),
        ("model_torch.py", MODULE.into()),
        ("examples.jsonl", Example::to_jsonl(&examples).into_bytes()),
    ];
    if predictor.network().is_some() {
        files.push(("tokenizer.json", predictor.encoder().to_json().into_bytes()));
    }
    if let Some(ngrams) = predictor.ngrams() {
        files.extend([
            ("ngrams.json", ngrams),
            ("characters.json", ngram_characters()),
            ("model_ngrams.py", NGRAMS_MODULE.into()),
        ]);
    }
    for (name, bytes) in &files {
        staged.write(name, bytes)?;
    }
    let moved = Example::differences(&before, rounded)?.into_iter().fold(0.0, f32::max);
    let decided_otherwise = before.iter().zip(&examples).filter(|(before, after)| !before.decides_as(after)).count();
    staged.publish()?;
    Ok(Rounded { n: examples.len(), moved, decided_otherwise })
}

/// What `config.json` holds: the names that Hugging Face's configs have, and what this model is made of. What is said of the
/// network is left out where there is none.
fn config(predictor: &Predictor, precision: Precision) -> Value {
    let (config, sizes) = (predictor.config(), predictor.sizes());
    let names = predictor.labels().names();
    let of = |value: Result<Value, serde_json::Error>| value.expect("a config holds only what JSON can write");
    let id2label: Map<String, Value> =
        names.iter().enumerate().map(|(id, name)| (id.to_string(), json!(name))).collect();
    let label2id: Map<String, Value> = names.iter().enumerate().map(|(id, name)| (name.clone(), json!(id))).collect();
    let problem = if config.data.multi_label { "multi_label_classification" } else { "single_label_classification" };
    let mut about = json!({
        "model_type": "attentive",
        "architectures": ["Classifier"],
        "attentive_version": env!("CARGO_PKG_VERSION"),
        "dtype": precision.name(),
        "problem_type": problem,
        "id2label": id2label,
        "label2id": label2id,
        "head": head_name(sizes.head),
        "thresholds": thresholds_of(sizes.head, names.len(), predictor.thresholds()),
        "text_pair": config.data.text.is_pair(),
        "features": of(serde_json::to_value(&config.features)),
    });
    if predictor.network().is_some() {
        about["vocab_size"] = json!(sizes.vocab_size);
        about["hidden_size"] = json!(config.model.embedding.dim);
        about["max_position_embeddings"] = json!(config.model.longest_row());
        about["pad_token_id"] = json!(predictor.encoder().pad_id());
        about["ngram_buckets"] = json!(sizes.buckets);
        about["ngrams_of_words"] = json!(predictor.encoder().spells_words());
        about["model"] = of(serde_json::to_value(&config.model));
    }
    if let Some(n_ngrams) = predictor.n_ngrams() {
        about["linear_ngrams"] = json!(n_ngrams);
    }
    about
}
