//! A classifier as an ONNX file: one graph from ids to logits and probabilities, weights inside, labels and thresholds
//! beside it; of a linear part also what finds its n-grams in a text. Batch and length are whatever the caller has. Tokenizing,
//! n-grams and windows stay with the caller.

mod account;
mod protobuf;
mod layers;
mod attention;
#[cfg(feature = "onnx-rerun")]
mod rerun;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use attentive_model::{
    EmbeddingEncoderConfig, EncoderConfig, Head, ModelConfig, Pair, Positions, Sizes, Weight, sinusoids,
};
use attentive_train::{Predictor, StagedFile, ngram_characters};
use serde_json::json;

pub use self::account::Rerun;
use self::layers::{Builder, TextNodes};
use self::protobuf::{Attribute, Graph, OPSET, Size};
#[cfg(feature = "onnx-rerun")]
pub use self::rerun::rerun_onnx;
use crate::error::ExportError;
use attentive_bundle::OwnTexts;
use attentive_bundle::{head_name, thresholds_of};

/// A protobuf file has at most 2³¹ − 1 bytes; what is neither weights nor n-grams is small beside this.
const MAX_WEIGHTS: u64 = (1 << 31) - (64 << 20);

const BATCH: Size = Size::Any("batch");

/// Writes the classifier as an ONNX file. With the feature `onnx-rerun`, the file gets its name only after another engine has
/// run it on examples; without, the result is `None`.
///
/// # Errors
/// As [`to_onnx`]; [`ExportError::Rerun`] when the other engine refuses the file or computes something else;
/// [`ExportError::Output`] when there is something already or the file cannot be written.
pub fn write_onnx(predictor: &Predictor, own: &OwnTexts, output: &Path) -> Result<Option<Rerun>, ExportError> {
    let file = to_onnx(predictor)?;
    let staged = StagedFile::new(output)?;
    staged.write(&file)?;
    let rerun = rerun(&file, predictor, own)?;
    staged.publish()?;
    Ok(rerun)
}

#[cfg(feature = "onnx-rerun")]
fn rerun(file: &[u8], predictor: &Predictor, own: &OwnTexts) -> Result<Option<Rerun>, ExportError> {
    rerun_onnx(file, predictor, own).map(Some)
}

#[cfg(not(feature = "onnx-rerun"))]
fn rerun(_: &[u8], _: &Predictor, _: &OwnTexts) -> Result<Option<Rerun>, ExportError> {
    Ok(None)
}

/// The classifier as the bytes of an ONNX file of opset 17; the same classifier gives the same bytes.
///
/// The inputs are whole numbers of 64 bits: `ids` and `mask` `[batch, length]`, 1 where a token is real; for pairs that are
/// not read as one text also `second_ids` and `second_mask` `[batch, second_length]`; with n-grams `ngrams` and `ngram_mask` `[batch, n_ngrams]`. A
/// model without masking has only the ids. With a linear part there are `linear_ids`, whole numbers, and `linear_values`, numbers of 32
/// bits, both `[batch, n_linear]`: the n-grams of the whole text and what each weighs, 0 for padding; where it is alone, there is
/// nothing else. The outputs are `logits` `[batch, outputs]` and `probabilities`
/// `[batch, labels]`.
///
/// # Errors
/// [`ExportError::TooLarge`] when the weights do not fit into one file; when the device fails.
pub fn to_onnx(predictor: &Predictor) -> Result<Vec<u8>, ExportError> {
    let (weights, ngrams) = (predictor.weights()?, predictor.ngrams());
    let bytes = weights.iter().map(|weight| weight.values.len() as u64 * 4).sum::<u64>();
    let bytes = bytes + ngrams.as_ref().map_or(0, |ngrams| ngrams.len() as u64);
    if bytes > MAX_WEIGHTS {
        return Err(ExportError::TooLarge { bytes, limit: MAX_WEIGHTS });
    }
    let weights: BTreeMap<&str, &Weight> = weights.iter().map(|weight| (weight.name.as_str(), weight)).collect();
    let mut builder = Builder { graph: Graph::default(), weights, held: BTreeSet::new() };
    builder.classifier(predictor);
    let mut metadata = metadata(predictor);
    if let Some(ngrams) = ngrams {
        let json = |bytes| String::from_utf8(bytes).expect("JSON is UTF-8");
        metadata.extend([("ngrams.json", json(ngrams)), ("characters.json", json(ngram_characters()))]);
    }
    Ok(builder.graph.file("classifier", &metadata))
}

/// What a caller needs to know: each value is JSON.
fn metadata(predictor: &Predictor) -> Vec<(&'static str, String)> {
    let (config, names) = (predictor.config(), predictor.labels().names());
    let head = predictor.sizes().head;
    let mut metadata = vec![
        ("attentive_version", json!(env!("CARGO_PKG_VERSION")).to_string()),
        ("opset", json!(OPSET).to_string()),
        ("name", json!(config.name).to_string()),
        ("labels", json!(names).to_string()),
        ("head", json!(head_name(head)).to_string()),
        ("thresholds", json!(thresholds_of(head, names.len(), predictor.thresholds())).to_string()),
        ("features", json!(config.features).to_string()),
    ];
    if predictor.network().is_none() {
        return metadata;
    }
    metadata.extend([
        ("max_length", json!(config.model.max_length).to_string()),
        ("pad_id", json!(predictor.encoder().pad_id()).to_string()),
        ("padding", json!(config.model.padding).to_string()),
        ("truncate", json!(config.model.truncate).to_string()),
        ("windows", json!(config.model.windows).to_string()),
        ("ngrams_of_words", json!(predictor.encoder().spells_words()).to_string()),
    ]);
    metadata.extend(config.model.pair.map(|pair| ("pair", json!(pair).to_string())));
    metadata
}

impl Builder<'_> {
    /// The whole graph.
    fn classifier(&mut self, predictor: &Predictor) {
        let sizes = predictor.sizes();
        let network = predictor.network().map(|_| self.network(&predictor.config().model, sizes));
        let linear =
            predictor.n_ngrams().map(|n_ngrams| self.linear_part(n_ngrams, sizes.head.outputs(sizes.n_labels)));
        let logits = match (network, linear) {
            (Some(network), Some(linear)) => self.node("Add", &[&network, &linear]),
            (one, other) => one.or(other).expect("a classifier has a network or a linear part"),
        };
        self.outputs(&logits, sizes.head, sizes.n_labels);
    }

    /// The logits of the network.
    fn network(&mut self, config: &ModelConfig, sizes: &Sizes) -> String {
        let mut texts = vec![self.inputs("ids", config.masking.then_some("mask"), "length")];
        if config.rows_of_example() == 2 {
            texts.push(self.inputs("second_ids", config.masking.then_some("second_mask"), "second_length"));
        }
        let ngrams = sizes.buckets.map(|_| self.inputs("ngrams", Some("ngram_mask"), "n_ngrams"));

        let read = match config.encoder() {
            EncoderConfig::Embedding(encoder) => self.embedded(encoder, texts),
        };
        let mut pooled: Vec<String> = read.iter().map(|text| self.pooled(text, config.pooling)).collect();
        if let (Some(Pair::Compare), [u, v]) = (config.pair, pooled.as_slice()) {
            let (difference, product) = (self.node("Sub", &[u, v]), self.node("Mul", &[u, v]));
            pooled.extend([self.node("Abs", &[&difference]), product]);
        }
        let mut parts: Vec<&str> = pooled.iter().map(String::as_str).collect();
        let of_ngrams = ngrams.map(|ngrams| {
            let table = self.weight("ngrams.weight");
            let tokens = self.rows(&table, &ngrams.tokens);
            self.mean(&TextNodes { tokens, mask: ngrams.mask })
        });
        parts.extend(of_ngrams.as_deref());
        let text = self.joined(&parts, 1);
        self.linear("head", &text)
    }

    /// The logits of the linear part.
    fn linear_part(&mut self, n_ngrams: usize, outputs: usize) -> String {
        let sizes = [BATCH, Size::Any("n_linear")];
        let (ids, values) = (self.graph.input("linear_ids", &sizes), self.graph.numbers("linear_values", &sizes));
        let table = match n_ngrams {
            // Padding has the id 0.
            0 => self.graph.floats("linear.weight", &[1, outputs], &vec![0.0; outputs]),
            _ => self.weight("linear.weight"),
        };
        let (weights, values) = (self.rows(&table, &ids), self.unsqueezed(&values, &[1]));
        let sums = self.node("MatMul", &[&values, &weights]);
        let sums = self.squeezed(&sums, 1);
        let (bias, scale) = (self.weight("linear.bias"), self.weight("linear.scale"));
        let logits = self.node("Add", &[&sums, &bias]);
        self.node("Mul", &[&logits, &scale])
    }

    /// What the encoder of token vectors, positions and attention makes of texts as ids.
    fn embedded(&mut self, encoder: EmbeddingEncoderConfig, texts: Vec<TextNodes>) -> Vec<TextNodes> {
        let dim = encoder.table.dim;
        let embedding = self.weight("embedding.weight");
        let positions = match encoder.positions {
            Positions::None | Positions::Rotary => None,
            Positions::Learned => Some(self.weight("positions.weight")),
            Positions::Sinusoidal => {
                let values = sinusoids(encoder.longest_row, dim);
                Some(self.graph.floats("positions", &[encoder.longest_row, dim], &values))
            }
        };
        let embedded = texts.into_iter().map(|text| {
            let mut x = self.rows(&embedding, &text.tokens);
            if encoder.positions == Positions::Sinusoidal {
                x = self.scaled(&x, (dim as f32).sqrt());
            }
            if let Some(positions) = &positions {
                let rows = self.first_rows(positions, &x);
                x = self.node("Add", &[&x, &rows]);
            }
            TextNodes { tokens: x, mask: text.mask }
        });
        let embedded: Vec<TextNodes> = embedded.collect();
        self.attended(encoder, &embedded)
    }

    /// Ids, and the mask as numbers.
    fn inputs(&mut self, ids: &str, mask: Option<&str>, length: &'static str) -> TextNodes {
        let sizes = [BATCH, Size::Any(length)];
        let tokens = self.graph.input(ids, &sizes);
        let mask = mask.map(|mask| {
            let mask = self.graph.input(mask, &sizes);
            self.graph.node_with("Cast", &[&mask], &[("to", Attribute::Int(1))])
        });
        TextNodes { tokens, mask }
    }

    /// The rows of a table by their ids.
    fn rows(&mut self, table: &str, ids: &str) -> String {
        self.graph.node_with("Gather", &[table, ids], &[("axis", Attribute::Int(0))])
    }

    fn outputs(&mut self, logits: &str, head: Head, n_labels: usize) {
        self.graph.node_to("Identity", &[logits], "logits", &[]);
        self.graph.output("logits", &[BATCH, Size::Fixed(head.outputs(n_labels))]);
        match head {
            Head::Sigmoid => {
                let negative = self.node("Neg", &[logits]);
                let both = self.joined(&[&negative, logits], 1);
                self.graph.node_to("Sigmoid", &[&both], "probabilities", &[]);
            }
            Head::MultiLabel => self.graph.node_to("Sigmoid", &[logits], "probabilities", &[]),
            Head::Softmax => {
                self.graph.node_to("Softmax", &[logits], "probabilities", &[("axis", Attribute::Int(-1))]);
            }
        }
        self.graph.output("probabilities", &[BATCH, Size::Fixed(n_labels)]);
    }
}
