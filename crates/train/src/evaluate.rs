//! Running a model without training it: logits, probabilities and metrics of encoded texts.

use attentive_data::{EncodedTexts, Padding, batch, by_length};
use attentive_model::{Classifier, ModelConfig, Tokens};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use crate::config::Config;
use crate::error::TrainError;
use crate::loss;
use crate::metrics::{Accumulator, Metrics};
use crate::prepare::EncodedSplit;

/// How texts become batches on a device: what the model's config says about padding and masking.
#[derive(Debug, Clone)]
pub(crate) struct Batching {
    /// Whether padding is hidden from the model.
    pub masking: bool,
    /// How far texts are padded.
    pub padding: Padding,
    /// The longest text in tokens.
    pub max_length: usize,
    /// The id that fills the padding.
    pub pad_id: u32,
}

impl Batching {
    /// What `config` says, with the tokenizer's padding id.
    pub(crate) fn new(config: &ModelConfig, pad_id: u32) -> Self {
        let padding = match config.padding {
            attentive_model::Padding::Longest => Padding::Longest,
            attentive_model::Padding::MaxLength => Padding::MaxLength,
        };
        Self { masking: config.masking, padding, max_length: config.max_length, pad_id }
    }

    /// Some of the texts as a batch on the device.
    pub(crate) fn tokens(&self, texts: &EncodedTexts, indices: &[usize], device: &Device) -> Tokens {
        let batch = batch(texts, indices, self.padding, self.max_length, self.pad_id);
        let shape = [batch.n, batch.length];
        let mask = self.masking.then(|| {
            let real: Vec<bool> = batch.lengths.iter().flat_map(|&n| (0..batch.length).map(move |t| t < n)).collect();
            Tensor::<2, Bool>::from_data(TensorData::new(real, shape), device)
        });
        Tokens { ids: Tensor::<2, Int>::from_data(TensorData::new(batch.ids, shape), device), mask }
    }
}

/// The logits of texts on the host, in the order of the texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Logits {
    /// `[texts, outputs]`, row-major.
    pub values: Vec<f32>,
    /// 1 for a sigmoid, else the number of labels.
    pub outputs: usize,
}

impl Logits {
    /// The probabilities `[texts, n_labels]`, row-major; each row sums to 1.
    pub fn probabilities(&self) -> Vec<f32> {
        let rows = self.values.chunks_exact(self.outputs);
        if self.outputs == 1 {
            let sigmoid = |z: f32| (1.0 / (1.0 + (-f64::from(z)).exp())) as f32;
            rows.flat_map(|row| [sigmoid(-row[0]), sigmoid(row[0])]).collect()
        } else {
            rows.flat_map(|row| {
                let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let powers: Vec<f64> = row.iter().map(|&z| f64::from(z - max).exp()).collect();
                let sum: f64 = powers.iter().sum();
                powers.into_iter().map(move |power| (power / sum) as f32)
            })
            .collect()
        }
    }
}

/// The logits of all texts. Texts of like length share a batch; the order of the texts is kept in the result.
///
/// # Errors
/// When the device fails.
pub(crate) fn logits(
    model: &Classifier,
    texts: &EncodedTexts,
    batching: &Batching,
    batch_size: usize,
    device: &Device,
) -> Result<Logits, TrainError> {
    let outputs = match model.n_labels() {
        2 => 1,
        n => n,
    };
    let mut values = vec![0f32; texts.len() * outputs];
    for indices in by_length(texts).chunks(batch_size) {
        let tokens = batching.tokens(texts, indices, device);
        let rows = model.forward(tokens).try_into_vec_as::<f32>().map_err(TrainError::device)?;
        for (&index, row) in indices.iter().zip(rows.chunks_exact(outputs)) {
            values[index * outputs..][..outputs].copy_from_slice(row);
        }
    }
    Ok(Logits { values, outputs })
}

/// The metrics of a split.
///
/// # Errors
/// When the device fails.
pub(crate) fn evaluate(
    model: &Classifier,
    split: &EncodedSplit,
    config: &Config,
    labels: &[String],
    batching: &Batching,
    device: &Device,
) -> Result<Metrics, TrainError> {
    let logits = logits(model, &split.texts, batching, config.train.evaluation_batch_size, device)?;
    let mut accumulator = Accumulator::new(labels.len());
    accumulator.add(
        &logits.probabilities(),
        &split.targets,
        loss::value(&logits.values, logits.outputs, &split.targets),
    );
    Ok(accumulator.finish(labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_by_hand() {
        let sigmoid = Logits { values: vec![0.0, 2.0], outputs: 1 }.probabilities();
        assert_eq!(sigmoid[..2], [0.5, 0.5]);
        assert!((sigmoid[3] - 0.880_797_1).abs() < 1e-7, "{sigmoid:?}");
        let softmax = Logits { values: vec![0.0, 0.0, 2f32.ln()], outputs: 3 }.probabilities();
        assert!((softmax[2] - 0.5).abs() < 1e-7 && (softmax[0] - 0.25).abs() < 1e-7, "{softmax:?}");
    }
}
