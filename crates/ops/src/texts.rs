//! Which tokens of a batch are real, on the host: padding takes no part in anything.

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Bool, Tensor};

use crate::host::bools_of;
use crate::kernels::Rows;

/// The real tokens of a batch of texts, one text after the other.
#[derive(Debug, Clone)]
pub(crate) struct Texts {
    /// How many texts there are, and how many tokens each has with its padding.
    pub shape: [usize; 2],
    /// `text · length + token` of each real token.
    pub places: Arc<[u32]>,
    /// Where in `places` each text ends.
    ends: Arc<[usize]>,
}

impl Texts {
    /// Those of a mask `[batch, length]`, true where a token is real; without one all are.
    pub(crate) fn new(shape: [usize; 2], mask: Option<&Tensor<2, Bool>>) -> Self {
        match mask {
            None => Self::of(shape, |_| true),
            Some(mask) => {
                let mask = bools_of(mask.clone());
                Self::of(shape, |&place| mask[place as usize])
            }
        }
    }

    /// Those whose value `[batch, length]` is not 0.
    pub(crate) fn of_nonzero(shape: [usize; 2], values: &[f32]) -> Self {
        Self::of(shape, |&place| values[place as usize] != 0.0)
    }

    fn of(shape: [usize; 2], is_real: impl Fn(&u32) -> bool) -> Self {
        let [batch, length] = shape;
        let (mut places, mut ends) = (Vec::with_capacity(batch * length), Vec::with_capacity(batch));
        for text in 0..batch {
            places.extend((text * length..(text + 1) * length).map(|place| place as u32).filter(&is_real));
            ends.push(places.len());
        }
        Self { shape, places: places.into(), ends: ends.into() }
    }

    /// Where the tokens of each text stand among all real tokens.
    pub(crate) fn ranges(&self) -> impl ExactSizeIterator<Item = Range<usize>> + Clone + '_ {
        (0..self.ends.len()).map(|text| self.range(text))
    }

    /// Where the tokens of a text stand among all real tokens.
    pub(crate) fn range(&self, text: usize) -> Range<usize> {
        range(&self.ends, text)
    }

    /// Values `[batch, length]` of the real tokens.
    pub(crate) fn pick<T: Copy>(&self, values: &[T]) -> Vec<T> {
        self.places.iter().map(|&place| values[place as usize]).collect()
    }

    /// The rows of a table that each text has, each once, from those of its real tokens, which are below `n_rows`.
    pub(crate) fn distinct(&self, rows: &[u32], n_rows: usize) -> DistinctRows {
        let (mut distinct, mut of_tokens) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        let mut ends = Vec::with_capacity(self.ends.len());
        // Where a row was found last, perhaps in an earlier text.
        let mut found = vec![0; n_rows];
        for range in self.ranges() {
            let start = distinct.len();
            for &row in &rows[range] {
                let place: &mut u32 = &mut found[row as usize];
                if (*place as usize) < start || distinct.get(*place as usize) != Some(&row) {
                    *place = distinct.len() as u32;
                    distinct.push(row);
                }
                of_tokens.push(*place);
            }
            ends.push(distinct.len());
        }
        let mut counts = vec![0.0; distinct.len()];
        of_tokens.iter().for_each(|&place| counts[place as usize] += 1.0);
        DistinctRows { rows: distinct.into(), counts: counts.into(), of_tokens: of_tokens.into(), ends: ends.into() }
    }

    /// The weights of a plain mean, one for each real token.
    pub(crate) fn mean_weights(&self) -> Vec<f32> {
        self.ranges().flat_map(|range| std::iter::repeat_n(1.0 / range.len() as f32, range.len())).collect()
    }
}

/// The distinct rows of the texts of a batch, in the order in which each text first has them.
#[derive(Debug, Clone)]
pub(crate) struct DistinctRows {
    /// The rows of one text after those of the other.
    pub rows: Arc<[u32]>,
    /// How many tokens have each of them.
    pub counts: Arc<[f32]>,
    /// Which of `rows` each real token has.
    pub of_tokens: Arc<[u32]>,
    /// Where in `rows` each text ends.
    ends: Arc<[usize]>,
}

impl DistinctRows {
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

    /// The sum of the values of the real tokens that have each row.
    pub(crate) fn sums(&self, of_tokens: impl IntoIterator<Item = f32>) -> Vec<f32> {
        let mut sums = vec![0.0; self.rows.len()];
        for (&place, value) in self.of_tokens.iter().zip(of_tokens) {
            sums[place as usize] += value;
        }
        sums
    }
}

fn range(ends: &[usize], text: usize) -> Range<usize> {
    let start = if text == 0 { 0 } else { ends[text - 1] };
    start..ends[text]
}
