//! Which rows of a table the texts of a batch have. Tokens with the same row are the same vector: what is computed once for a row
//! holds for all of them.

use std::ops::Range;

use rayon::prelude::*;

use crate::kernels::Rows;
use crate::texts::range;

/// What a token has instead of a row if it is padding.
const PADDING: u32 = u32::MAX;

/// About so many tokens are looked through at once.
const TOKENS_AT_ONCE: usize = 1 << 13;

/// The distinct rows of the texts of a batch, in the order in which each text first has them.
#[derive(Debug)]
pub(crate) struct DistinctRows {
    /// How many texts there are, and how many tokens each has with its padding.
    pub shape: [usize; 2],
    /// The rows of one text after those of the other.
    pub rows: Vec<u32>,
    /// How many tokens have each of them.
    pub counts: Vec<f32>,
    /// Which of its text's rows each token `[batch, length]` has.
    of_tokens: Vec<u32>,
    /// Where in `rows` each text ends.
    ends: Vec<usize>,
}

/// The rows of some texts, and where among them each text ends.
#[derive(Default)]
struct Piece {
    rows: Vec<u32>,
    counts: Vec<f32>,
    ends: Vec<usize>,
}

impl DistinctRows {
    /// Those of the tokens `ids` `[batch, length]`, each below `n_rows`, that are real by the mask; without one all are. There is at
    /// least one token.
    pub(crate) fn new(shape: [usize; 2], ids: &[u32], mask: Option<&[bool]>, n_rows: usize) -> Self {
        let [batch, length] = shape;
        let texts_at_once = (TOKENS_AT_ONCE / length).max(1);
        let mut of_tokens = vec![PADDING; ids.len()];
        let work = of_tokens.par_chunks_mut(texts_at_once * length).zip(ids.par_chunks(texts_at_once * length));
        let pieces: Vec<Piece> = work
            .enumerate()
            .map(|(piece, (of_tokens, ids))| {
                let mask = mask.map(|mask| &mask[piece * texts_at_once * length..][..ids.len()]);
                Piece::new(length, ids, mask, n_rows, of_tokens)
            })
            .collect();
        let n = pieces.iter().map(|piece| piece.rows.len()).sum();
        let (mut rows, mut counts) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let mut ends = Vec::with_capacity(batch);
        for piece in &pieces {
            ends.extend(piece.ends.iter().map(|end| rows.len() + end));
            rows.extend_from_slice(&piece.rows);
            counts.extend_from_slice(&piece.counts);
        }
        Self { shape, rows, counts, of_tokens, ends }
    }

    /// How many texts there are.
    pub(crate) fn batch(&self) -> usize {
        self.ends.len()
    }

    /// Where the rows of each text stand.
    pub(crate) fn ranges(&self) -> impl ExactSizeIterator<Item = Range<usize>> + Clone + '_ {
        (0..self.batch()).map(|text| self.range(text))
    }

    /// Where the rows of a text stand.
    pub(crate) fn range(&self, text: usize) -> Range<usize> {
        range(&self.ends, text)
    }

    /// The rows of a text in their table, whose rows have `width` values.
    pub(crate) fn of<'a>(&'a self, text: usize, table: &'a [f32], width: usize) -> Rows<'a> {
        Rows { matrix: table, stride: width, offset: 0, width, places: &self.rows[self.range(text)] }
    }

    /// Values of all rows, `width` of each, cut into those of each text.
    pub(crate) fn cut<'a>(&self, mut values: &'a mut [f32], width: usize) -> Vec<&'a mut [f32]> {
        self.ranges().map(|range| values.split_off_mut(..range.len() * width).unwrap_or_default()).collect()
    }

    /// What each row counts in a plain mean over the real tokens of its text.
    pub(crate) fn mean_weights(&self) -> Vec<f32> {
        let mut weights = self.counts.clone();
        for range in self.ranges() {
            let tokens: f32 = weights[range.clone()].iter().sum();
            weights[range].iter_mut().for_each(|weight| *weight /= tokens);
        }
        weights
    }

    /// For each row the sum of the values `[batch, length]` of the tokens that have it.
    pub(crate) fn sums(&self, values: &[f32]) -> Vec<f32> {
        let mut sums = vec![0.0; self.rows.len()];
        self.tokens().for_each(|(token, row)| sums[row] += values[token]);
        sums
    }

    /// For each token `[batch, length]` an equal share of the value of its row, 0 for padding.
    pub(crate) fn shares(&self, of_rows: &[f32]) -> Vec<f32> {
        let mut shares = vec![0.0; self.of_tokens.len()];
        self.tokens().for_each(|(token, row)| shares[token] = of_rows[row] / self.counts[row]);
        shares
    }

    /// Each real token and its row.
    fn tokens(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let [_, length] = self.shape;
        let real = self.of_tokens.iter().enumerate().filter(|(_, row)| **row != PADDING);
        real.map(move |(token, row)| (token, self.range(token / length).start + *row as usize))
    }
}

impl Piece {
    fn new(length: usize, ids: &[u32], mask: Option<&[bool]>, n_rows: usize, of_tokens: &mut [u32]) -> Self {
        let mut piece = Self::default();
        // Where a row was found last, perhaps in an earlier text.
        let mut found = vec![0_u32; n_rows];
        let is_real = |token: usize| mask.is_none_or(|mask| mask[token]);
        for first in (0..ids.len()).step_by(length) {
            let start = piece.rows.len();
            for token in (first..first + length).filter(|&token| is_real(token)) {
                let row = ids[token];
                let known = &mut found[row as usize];
                if (*known as usize) < start || piece.rows.get(*known as usize) != Some(&row) {
                    *known = piece.rows.len() as u32;
                    piece.rows.push(row);
                    piece.counts.push(0.0);
                }
                piece.counts[*known as usize] += 1.0;
                of_tokens[token] = *known - start as u32;
            }
            piece.ends.push(piece.rows.len());
        }
        piece
    }
}
