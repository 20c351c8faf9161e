//! From encoded texts to a batch, padded and masked as the model's config says: first on the host, then on a device; with
//! all rows of the model's tables, or with only those that some examples use.

use std::borrow::Cow;

use attentive_data::{EncodedTexts, Extent, PaddingStrategy, batch};
use attentive_model::{Classifier, Input, ModelConfig, Table, Tokens};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use crate::batches::windows::{WindowPooling, Windows};
use crate::preparation::prepare::EncodedInputs;

/// What the model's config says about the texts of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Batching {
    masking: bool,
    padding: PaddingStrategy,
    pad_id: u32,
    windows: Windows,
}

/// Some texts as a batch on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostBatch {
    texts: Rectangle,
    seconds: Option<Rectangle>,
    ngrams: Option<Rectangle>,
    /// Where some text has several windows, each of which is a row.
    pool: Option<WindowPooling>,
}

/// Padded rows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rectangle {
    ids: Vec<i32>,
    /// True where an id is real; `None` where padding is a token like any other.
    mask: Option<Vec<bool>>,
    shape: [usize; 2],
}

impl Batching {
    /// What `config` says, with the tokenizer's padding id.
    pub(crate) fn new(config: &ModelConfig, pad_id: u32) -> Self {
        let padding = match config.padding {
            attentive_model::Padding::Longest => PaddingStrategy::Longest,
            attentive_model::Padding::MaxLength => PaddingStrategy::To(config.max_length),
        };
        Self { masking: config.masking, padding, pad_id, windows: Windows::new(config) }
    }

    /// How many rows a text has.
    pub(crate) fn rows(&self, inputs: &EncodedInputs, index: u32) -> usize {
        self.windows.count(inputs.texts.length(index as usize))
    }

    /// What a text, or a pair, takes of a batch.
    pub(crate) fn extent(&self, inputs: &EncodedInputs, index: u32) -> Extent {
        let width = |texts: &EncodedTexts| match self.padding {
            PaddingStrategy::Longest => self.windows.width(texts.length(index as usize)).max(1),
            PaddingStrategy::To(width) => width,
        };
        let lengths = [width(&inputs.texts), inputs.seconds.as_ref().map_or(0, width)];
        Extent { rows: self.rows(inputs, index), lengths }
    }

    /// The rows that the examples `indices` use of the tables.
    pub(crate) fn used_rows(&self, inputs: &EncodedInputs, indices: &[u32], config: &ModelConfig) -> UsedRows {
        let ids = |texts: &EncodedTexts| -> Vec<u32> {
            indices.iter().flat_map(|&index| texts.ids(index as usize).into_owned()).collect()
        };
        let embedding = (!config.embedding.frozen).then(|| {
            let seconds = inputs.seconds.as_ref().map(ids);
            // Padding that is not masked is a token like any other.
            let padding = (!self.masking).then_some(self.pad_id);
            distinct(ids(&inputs.texts).into_iter().chain(seconds.into_iter().flatten()).chain(padding).collect())
        });
        UsedRows { embedding, ngrams: inputs.ngrams.as_ref().map(ids).map(distinct) }
    }

    /// Some of the texts as a batch. With `used`, ids count among the rows used.
    pub(crate) fn batch(&self, inputs: &EncodedInputs, indices: &[u32], used: Option<&UsedRows>) -> HostBatch {
        let counts: Vec<usize> = indices.iter().map(|&index| self.rows(inputs, index)).collect();
        let ids = |texts: &EncodedTexts| {
            let texts: Vec<Cow<'_, [u32]>> = indices.iter().map(|&index| texts.ids(index as usize)).collect();
            let rows: Vec<&[u32]> = texts.iter().flat_map(|ids| self.windows.of(ids)).collect();
            let used = used.and_then(|used| used.embedding.as_deref());
            rectangle(batch(&rows, self.padding, self.pad_id), self.masking, used)
        };
        // N-grams are a set of any size, always masked: the config's lengths are those of texts. Each window of a text
        // has all of them.
        let ngrams = |ngrams: &EncodedTexts| {
            let texts: Vec<Cow<'_, [u32]>> = indices.iter().map(|&index| ngrams.ids(index as usize)).collect();
            let repeated = texts.iter().zip(&counts).flat_map(|(ids, &count)| std::iter::repeat_n(ids.as_ref(), count));
            let rows: Vec<&[u32]> = repeated.collect();
            rectangle(batch(&rows, PaddingStrategy::Longest, 0), true, used.and_then(|used| used.ngrams.as_deref()))
        };
        HostBatch {
            texts: ids(&inputs.texts),
            seconds: inputs.seconds.as_ref().map(ids),
            ngrams: inputs.ngrams.as_ref().map(ngrams),
            pool: self.windows.pool(&counts),
        }
    }
}

impl HostBatch {
    /// The logits `[texts, outputs]` of the batch.
    pub(crate) fn logits(self, model: &Classifier, device: &Device) -> Tensor<2> {
        let upload = |rectangle: Rectangle| rectangle.upload(device);
        let (texts, seconds, ngrams) = (upload(self.texts), self.seconds.map(upload), self.ngrams.map(upload));
        let logits = model.forward(Input { texts, seconds, ngrams });
        match self.pool {
            Some(pool) => pool.logits(logits, device),
            None => logits,
        }
    }
}

impl Rectangle {
    fn upload(self, device: &Device) -> Tokens {
        let mask = |mask| Tensor::<2, Bool>::from_data(TensorData::new(mask, self.shape), device);
        let ids = Tensor::<2, Int>::from_data(TensorData::new(self.ids, self.shape), device);
        Tokens { ids, mask: self.mask.map(mask) }
    }
}

fn rectangle(mut batch: attentive_data::Batch, masking: bool, rows: Option<&[u32]>) -> Rectangle {
    if let Some(rows) = rows {
        for (row, &length) in batch.ids.chunks_exact_mut(batch.length).zip(&batch.lengths) {
            // Padding that is masked may be any row.
            let n = if masking { length as usize } else { batch.length };
            let (own, padding) = row.split_at_mut(n);
            for id in own {
                let place = rows.binary_search(&(*id as u32));
                *id = place.expect("the rows used are those of all texts of the batch") as i32;
            }
            padding.fill(0);
        }
    }
    let shape = [batch.lengths.len(), batch.length];
    let real = |&own: &u32| (0..batch.length).map(move |place| place < own as usize);
    Rectangle { mask: masking.then(|| batch.lengths.iter().flat_map(real).collect()), ids: batch.ids, shape }
}

/// Which rows of the model's tables some examples use, ascending; never none, so that padding has a row to point to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UsedRows {
    /// `None` where the table is frozen, and needs no gradient.
    embedding: Option<Vec<u32>>,
    /// `None` where there is no such table.
    ngrams: Option<Vec<u32>>,
}

impl UsedRows {
    /// The tables with the rows used, as indices on the device.
    pub(crate) fn tables(&self, device: &Device) -> Vec<(Table, Tensor<1, Int>)> {
        let upload = |rows: &[u32]| {
            let ids: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
            Tensor::<1, Int>::from_data(TensorData::new(ids, [rows.len()]), device)
        };
        let embedding = self.embedding.as_deref().map(|rows| (Table::Embedding, upload(rows)));
        let ngrams = self.ngrams.as_deref().map(|rows| (Table::Ngrams, upload(rows)));
        embedding.into_iter().chain(ngrams).collect()
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
