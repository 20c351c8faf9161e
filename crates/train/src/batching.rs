//! From encoded texts to a batch on a device, padded and masked as the model's config says; with all rows of the
//! model's tables, or with only those that some examples use.

use attentive_data::{EncodedTexts, Padding, batch};
use attentive_model::{Classifier, Input, ModelConfig, Table, Tokens};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use crate::prepare::EncodedInputs;

/// What the model's config says about padding and masking.
#[derive(Debug, Clone)]
pub(crate) struct Batching {
    masking: bool,
    padding: Padding,
    max_length: usize,
    pad_id: u32,
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

    /// Some of the texts as a batch on the device. With `used`, ids count among the rows used.
    pub(crate) fn input(
        &self,
        inputs: &EncodedInputs,
        indices: &[usize],
        used: Option<&UsedRows>,
        device: &Device,
    ) -> Input {
        let texts = |texts: &EncodedTexts| {
            let padded = batch(texts, indices, self.padding, self.max_length, self.pad_id);
            upload(padded, self.masking, used.and_then(|used| used.embedding.as_deref()), device)
        };
        // N-grams are a set of any size, always masked: the config's lengths are those of texts.
        let ngrams = |ngrams: &EncodedTexts| {
            let padded = batch(ngrams, indices, Padding::Longest, usize::MAX, 0);
            upload(padded, true, used.map(|used| used.ngrams.as_slice()), device)
        };
        Input {
            texts: texts(&inputs.texts),
            seconds: inputs.seconds.as_ref().map(texts),
            ngrams: inputs.ngrams.as_ref().map(ngrams),
        }
    }
}

fn upload(mut batch: attentive_data::Batch, masking: bool, rows: Option<&[u32]>, device: &Device) -> Tokens {
    let shape = [batch.n, batch.length];
    if let Some(rows) = rows {
        for (row, &length) in batch.ids.chunks_exact_mut(batch.length).zip(&batch.lengths) {
            let (own, padding) = row.split_at_mut(length);
            for id in own {
                let place = rows.binary_search(&(*id as u32));
                *id = place.expect("the rows used are those of all texts of the batch") as i32;
            }
            padding.fill(0);
        }
    }
    let mask = masking.then(|| {
        let real: Vec<bool> = batch.lengths.iter().flat_map(|&n| (0..batch.length).map(move |t| t < n)).collect();
        Tensor::<2, Bool>::from_data(TensorData::new(real, shape), device)
    });
    Tokens { ids: Tensor::<2, Int>::from_data(TensorData::new(batch.ids, shape), device), mask }
}

/// Which rows of the model's tables some examples use, ascending; never none, so that padding has a row to point to.
#[derive(Debug)]
pub(crate) struct UsedRows {
    /// `None` where the whole table is used: it is frozen, or padding is a token like any other.
    embedding: Option<Vec<u32>>,
    ngrams: Vec<u32>,
}

impl UsedRows {
    /// Those of the examples `indices`.
    pub(crate) fn of(inputs: &EncodedInputs, indices: &[usize], config: &ModelConfig) -> Self {
        let ids = |texts: &EncodedTexts| -> Vec<u32> {
            indices.iter().flat_map(|&index| texts.ids(index).iter().copied()).collect()
        };
        let embedding = (config.masking && !config.embedding.frozen).then(|| {
            let seconds = inputs.seconds.as_ref().map(ids);
            distinct(ids(&inputs.texts).into_iter().chain(seconds.into_iter().flatten()).collect())
        });
        Self { embedding, ngrams: inputs.ngrams.as_ref().map(ids).map_or(vec![0], distinct) }
    }

    /// The tables with the rows used, as indices on the device.
    pub(crate) fn tables(&self, device: &Device) -> Vec<(Table, Tensor<1, Int>)> {
        let upload = |rows: &[u32]| {
            let ids: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
            Tensor::<1, Int>::from_data(TensorData::new(ids, [rows.len()]), device)
        };
        let embedding = self.embedding.as_deref().map(|rows| (Table::Embedding, upload(rows)));
        embedding.into_iter().chain([(Table::Ngrams, upload(&self.ngrams))]).collect()
    }
}

/// The model with only the rows of `tables`.
pub(crate) fn with_tables(model: Classifier, tables: &[(Table, Tensor<1, Int>)]) -> Classifier {
    tables.iter().fold(model, |model, (table, rows)| model.with_rows(*table, rows))
}

fn distinct(mut ids: Vec<u32>) -> Vec<u32> {
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        ids.push(0);
    }
    ids
}
