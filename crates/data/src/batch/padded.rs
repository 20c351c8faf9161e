//! Rows of ids to rectangles, and the order of evaluation. Knows no tensors.

use crate::storage::EncodedTexts;

/// How wide a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaddingStrategy {
    /// As wide as its longest row.
    Longest,
    /// So many ids wide, whatever the rows hold.
    To(usize),
}

/// Rows of one step, padded at the end to equal length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The ids, row by row.
    pub ids: Vec<i32>,
    /// How many ids of each row are its own, 0 for an empty text.
    pub lengths: Vec<u32>,
    /// The width of a row, at least 1 even if every row is empty.
    pub length: usize,
}

/// Puts rows of ids into a rectangle. A row that is wider than the padding says is cut at its end.
pub fn batch(rows: &[&[u32]], padding: PaddingStrategy, pad_id: u32) -> Batch {
    let length = match padding {
        PaddingStrategy::Longest => rows.iter().map(|row| row.len()).max().unwrap_or(0),
        PaddingStrategy::To(length) => length,
    };
    let length = length.max(1);
    // Ids are below 2^31: the tokenizer's guard caps them.
    let mut ids = vec![pad_id as i32; rows.len() * length];
    for (slots, row) in ids.chunks_exact_mut(length).zip(rows) {
        for (slot, &id) in slots.iter_mut().zip(*row) {
            *slot = id as i32;
        }
    }
    Batch { ids, lengths: rows.iter().map(|row| row.len().min(length) as u32).collect(), length }
}

/// The texts from short to long, equally long ones in their own order: batches of it need little padding. Takes 4 bytes
/// a text, and 4 for each length up to the longest.
pub fn by_length(texts: &EncodedTexts) -> Vec<u32> {
    let longest = (0..texts.len()).map(|index| texts.length(index)).max().unwrap_or(0);
    // Where the texts of each length go: behind all shorter ones.
    let mut places = vec![0u32; longest + 2];
    (0..texts.len()).for_each(|index| places[texts.length(index) + 1] += 1);
    (1..places.len()).for_each(|length| places[length] += places[length - 1]);
    let mut order = vec![0; texts.len()];
    for index in 0..texts.len() {
        let place = &mut places[texts.length(index)];
        order[*place as usize] = index as u32;
        *place += 1;
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::mix;
    use crate::storage::{EncodedText, EncodedTextsBuilder};

    fn texts(all: &[&[u32]]) -> EncodedTexts {
        let mut texts = EncodedTextsBuilder::new();
        for ids in all {
            texts.push(&EncodedText { ids: ids.to_vec(), n_tokens: ids.len(), n_unknown: 0 });
        }
        texts.finish().unwrap()
    }

    #[test]
    fn rows_are_padded_at_the_end() {
        let batch = batch(&[&[8], &[5, 6, 7]], PaddingStrategy::Longest, 9);
        assert_eq!(batch, Batch { ids: vec![8, 9, 9, 5, 6, 7], lengths: vec![1, 3], length: 3 });
    }

    #[test]
    fn a_fixed_width_pads_and_cuts() {
        let batch = batch(&[&[8], &[5, 6, 7]], PaddingStrategy::To(2), 0);
        assert_eq!(batch, Batch { ids: vec![8, 0, 5, 6], lengths: vec![1, 2], length: 2 });
    }

    #[test]
    fn empty_texts_still_have_a_width() {
        let batch = batch(&[&[], &[]], PaddingStrategy::Longest, 0);
        assert_eq!(batch, Batch { ids: vec![0, 0], lengths: vec![0, 0], length: 1 });
    }

    #[test]
    fn equally_long_texts_keep_their_order() {
        assert_eq!(by_length(&texts(&[&[1, 2], &[3], &[], &[4], &[5, 6]])), [2, 1, 3, 0, 4]);
        assert_eq!(by_length(&texts(&[])), [0; 0]);
        // The standard library's stable sort, on lengths with a gap.
        let long = [7u32; 40];
        let many: Vec<&[u32]> = (0..500).map(|i| &long[..[0, 3, 17, 39, 40][mix(i) as usize % 5]]).collect();
        let mut expected: Vec<u32> = (0..500).collect();
        expected.sort_by_key(|&index| many[index as usize].len());
        assert_eq!(by_length(&texts(&many)), expected);
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
