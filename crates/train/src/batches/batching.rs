//! From encoded texts to a batch, padded and masked as the model's config says: first on the host, then on a device; with
//! all rows of the model's tables, or with only those that some examples use.

use std::borrow::Cow;

use attentive_data::{EncodedTexts, Extent, PaddingStrategy, batch};
use attentive_model::{Classifier, Input, ModelConfig, Pair, Table, Tokens};
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
    /// Whether the two texts of a pair are one row, with a padding token between them.
    joins: bool,
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
            attentive_model::Padding::MaxLength => PaddingStrategy::To(config.longest_row()),
        };
        let joins = config.pair == Some(Pair::Join);
        Self { masking: config.masking, padding, pad_id, windows: Windows::new(config), joins }
    }

    /// The ids of an example's text, or of both of its texts as one.
    fn first<'a>(&self, inputs: &'a EncodedInputs, index: u32) -> Cow<'a, [u32]> {
        let first = inputs.texts.ids(index as usize);
        match &inputs.seconds {
            Some(seconds) if self.joins => {
                Cow::Owned([&first, &[self.pad_id][..], &seconds.ids(index as usize)].concat())
            }
            Some(_) | None => first,
        }
    }

    /// How many ids [`Batching::first`] gives.
    fn first_length(&self, inputs: &EncodedInputs, index: u32) -> usize {
        let first = inputs.texts.length(index as usize);
        match &inputs.seconds {
            Some(seconds) if self.joins => first + 1 + seconds.length(index as usize),
            Some(_) | None => first,
        }
    }

    /// The second texts, where they are rows of their own.
    fn seconds<'a>(&self, inputs: &'a EncodedInputs) -> Option<&'a EncodedTexts> {
        inputs.seconds.as_ref().filter(|_| !self.joins)
    }

    /// How many rows a text has.
    pub(crate) fn rows(&self, inputs: &EncodedInputs, index: u32) -> usize {
        self.windows.count(self.first_length(inputs, index))
    }

    /// What a text, or a pair, takes of a batch.
    pub(crate) fn extent(&self, inputs: &EncodedInputs, index: u32) -> Extent {
        let width = |length: usize| match self.padding {
            PaddingStrategy::Longest => self.windows.width(length).max(1),
            PaddingStrategy::To(width) => width,
        };
        let second = self.seconds(inputs).map(|seconds| seconds.length(index as usize));
        let lengths = [width(self.first_length(inputs, index)), second.map_or(0, width)];
        Extent { rows: self.rows(inputs, index), lengths }
    }

    /// The rows that the examples `indices` use of the tables.
    pub(crate) fn used_rows(&self, inputs: &EncodedInputs, indices: &[u32], config: &ModelConfig) -> UsedRows {
        let ids = |texts: &EncodedTexts| -> Vec<u32> {
            indices.iter().flat_map(|&index| texts.ids(index as usize).into_owned()).collect()
        };
        let embedding = (!config.embedding.frozen).then(|| {
            let seconds = inputs.seconds.as_ref().map(ids);
            // Padding that is not masked, or stands between two texts, is a token like any other.
            let padding = (!self.masking || self.joins).then_some(self.pad_id);
            distinct(ids(&inputs.texts).into_iter().chain(seconds.into_iter().flatten()).chain(padding).collect())
        });
        UsedRows { embedding, ngrams: inputs.ngrams.as_ref().map(ids).map(distinct) }
    }

    /// Some of the texts as a batch. With `used`, ids count among the rows used.
    pub(crate) fn batch(&self, inputs: &EncodedInputs, indices: &[u32], used: Option<&UsedRows>) -> HostBatch {
        let counts: Vec<usize> = indices.iter().map(|&index| self.rows(inputs, index)).collect();
        let ids = |texts: Vec<Cow<'_, [u32]>>| {
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
            texts: ids(indices.iter().map(|&index| self.first(inputs, index)).collect()),
            seconds: self
                .seconds(inputs)
                .map(|seconds| ids(indices.iter().map(|&index| seconds.ids(index as usize)).collect())),
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

#[cfg(test)]
mod tests {
    use attentive_data::{TextEncoder, TokenizerConfig, UNWATCHED};

    use super::*;

    /// Pairs, the last of them empty, as ids: [PAD] 0, [UNK] 1, a 2, b 3, c 4.
    fn pairs() -> EncodedInputs {
        let encoder = TextEncoder::train(&TokenizerConfig::default(), &["a a a b b c"].into_iter().collect()).unwrap();
        let encode = |texts: [&str; 3]| encoder.encode(&texts.into_iter().collect(), 3, UNWATCHED).unwrap();
        EncodedInputs { texts: encode(["a b c", "c", ""]), seconds: Some(encode(["b", "a c a", ""])), ngrams: None }
    }

    fn batching(pair: Option<Pair>) -> Batching {
        Batching::new(&ModelConfig { max_length: 3, pair, ..ModelConfig::default() }, 0)
    }

    #[test]
    fn a_joined_pair_is_one_row_with_padding_between_its_texts() {
        let (inputs, batching, config) = (pairs(), batching(Some(Pair::Join)), ModelConfig::default());
        let batch = batching.batch(&inputs, &[0, 1, 2], None);
        assert_eq!((batch.seconds, batch.texts.shape), (None, [3, 5]));
        assert_eq!(batch.texts.ids, [2, 3, 4, 0, 3, 4, 0, 2, 4, 2, 0, 0, 0, 0, 0]);
        let real = [[true; 5], [true; 5], [true, false, false, false, false]];
        assert_eq!(batch.texts.mask.unwrap(), real.concat());
        assert_eq!(batching.extent(&inputs, 0), Extent { rows: 1, lengths: [5, 0] });
        // What stands between the texts is a row of the table that a step trains.
        let used = batching.used_rows(&inputs, &[1], &config);
        assert_eq!(used.embedding.as_deref(), Some(&[0, 2, 4][..]));
        assert_eq!(batching.batch(&inputs, &[1], Some(&used)).texts.ids, [2, 0, 1, 2, 1]);
    }

    #[test]
    fn a_compared_pair_is_two_rows() {
        let (inputs, batching) = (pairs(), batching(Some(Pair::Compare)));
        let batch = batching.batch(&inputs, &[0, 1], None);
        assert_eq!((batch.texts.ids, batch.texts.shape), (vec![2, 3, 4, 4, 0, 0], [2, 3]));
        assert_eq!(batch.seconds.unwrap().ids, [3, 0, 0, 2, 4, 2]);
        assert_eq!(batching.extent(&inputs, 0), Extent { rows: 1, lengths: [3, 1] });
    }
}
