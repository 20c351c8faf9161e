//! Encoded texts to rectangles of ids, and the order of evaluation. Knows no tensors.

use crate::encoded::EncodedTexts;

/// How wide a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// As wide as its longest text.
    Longest,
    /// Always `max_length` wide.
    MaxLength,
}

/// Texts of one step, padded at the end to equal length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The ids, `n` rows of `length`, row by row.
    pub ids: Vec<i32>,
    /// How many ids of each row are the text's own, 0 for an empty text.
    pub lengths: Vec<usize>,
    /// The number of rows.
    pub n: usize,
    /// The width of a row, at least 1 even if every text is empty.
    pub length: usize,
    /// Which text each row is.
    pub indices: Vec<usize>,
}

/// Puts the texts `indices` into a rectangle. Texts longer than `max_length` are cut at its end. Panics if an index is
/// out of range.
pub fn batch(texts: &EncodedTexts, indices: &[usize], padding: Padding, max_length: usize, pad_id: u32) -> Batch {
    let max_length = max_length.max(1);
    let lengths: Vec<usize> = indices.iter().map(|&index| texts.length(index).min(max_length)).collect();
    let length = match padding {
        Padding::Longest => lengths.iter().copied().max().unwrap_or(0).max(1),
        Padding::MaxLength => max_length,
    };
    // Ids are below 2^31: the tokenizer's guard caps them.
    let mut ids = vec![pad_id as i32; indices.len() * length];
    for ((row, &index), &own) in ids.chunks_exact_mut(length).zip(indices).zip(&lengths) {
        for (slot, &id) in row.iter_mut().zip(&texts.ids(index)[..own]) {
            *slot = id as i32;
        }
    }
    Batch { ids, lengths, n: indices.len(), length, indices: indices.to_vec() }
}

/// The texts from short to long, equally long ones in their own order: batches of it need little padding.
pub fn by_length(texts: &EncodedTexts) -> Vec<usize> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&index| texts.length(index));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoded::{EncodedText, EncodedTextsBuilder};

    fn texts(all: &[&[u32]]) -> EncodedTexts {
        let mut texts = EncodedTextsBuilder::new();
        for ids in all {
            texts.push(&EncodedText { ids: ids.to_vec(), n_tokens: ids.len(), n_unknown: 0 });
        }
        texts.finish().unwrap()
    }

    #[test]
    fn rows_are_padded_at_the_end() {
        let texts = texts(&[&[5, 6, 7], &[], &[8]]);
        let batch = batch(&texts, &[2, 0], Padding::Longest, 10, 9);
        assert_eq!(batch.ids, [8, 9, 9, 5, 6, 7]);
        assert_eq!((batch.n, batch.length), (2, 3));
        assert_eq!(batch.lengths, [1, 3]);
        assert_eq!(batch.indices, [2, 0]);
    }

    #[test]
    fn max_length_fixes_the_width_and_cuts() {
        let texts = texts(&[&[5, 6, 7], &[8]]);
        let wide = batch(&texts, &[1], Padding::MaxLength, 2, 0);
        assert_eq!((wide.ids, wide.length), (vec![8, 0], 2));
        let cut = batch(&texts, &[0], Padding::MaxLength, 2, 0);
        assert_eq!((cut.ids, cut.lengths), (vec![5, 6], vec![2]));
    }

    #[test]
    fn empty_texts_still_have_a_width() {
        let texts = texts(&[&[], &[]]);
        let batch = batch(&texts, &[0, 1], Padding::Longest, 10, 0);
        assert_eq!((batch.ids, batch.lengths, batch.length), (vec![0, 0], vec![0, 0], 1));
    }

    #[test]
    fn equally_long_texts_keep_their_order() {
        assert_eq!(by_length(&texts(&[&[1, 2], &[3], &[], &[4], &[5, 6]])), [2, 1, 3, 0, 4]);
    }

    #[test]
    fn figures_are_shares() {
        let mut texts = EncodedTextsBuilder::new();
        texts.push(&EncodedText { ids: vec![1, 2], n_tokens: 5, n_unknown: 1 });
        texts.push(&EncodedText { ids: vec![3], n_tokens: 1, n_unknown: 1 });
        let stats = texts.finish().unwrap().stats();
        assert_eq!((stats.texts, stats.truncated, stats.dropped), (2, 0.5, 0.5));
        assert_eq!((stats.unknown, stats.mean_length, stats.max_length), (2.0 / 6.0, 3.0, 5));
    }
}
