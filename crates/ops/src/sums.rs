//! Weighted sums of rows of a table, in host memory: what pools texts without attention, and n-grams.

use std::sync::Arc;

use rayon::prelude::*;

use crate::host::Fused;
use crate::kernels::{Rows, sum_rows};
use crate::scatter::scatter;
use crate::texts::Texts;

/// For each text the sum of its tokens' rows, each times a factor.
#[derive(Debug, Clone)]
pub(crate) struct SumOfRows {
    /// The texts.
    pub texts: Texts,
    /// The row of each real token.
    pub rows: Arc<[u32]>,
    /// The factor of each real token.
    pub factors: Arc<[f32]>,
    /// The shape of the table.
    pub table: [usize; 2],
}

impl Fused<1> for SumOfRows {
    type Saved = ();

    fn shape(&self) -> Vec<usize> {
        vec![self.texts.shape[0], self.table[1]]
    }

    fn forward(&self, [table]: [&[f32]; 1]) -> (Vec<f32>, ()) {
        let ([batch, _], [_, dim]) = (self.texts.shape, self.table);
        let mut sums = vec![0.0; batch * dim];
        sums.par_chunks_mut(dim).enumerate().for_each(|(text, sum)| {
            let range = self.texts.range(text);
            let rows = Rows { matrix: table, stride: dim, offset: 0, width: dim, places: &self.rows[range.clone()] };
            sum_rows(rows, &self.factors[range], sum);
        });
        (sums, ())
    }

    fn backward(&self, _: [&[f32]; 1], _: &(), gradient: &[f32]) -> [Vec<f32>; 1] {
        let [n_rows, dim] = self.table;
        let text_of: Vec<u32> =
            self.texts.ranges().enumerate().flat_map(|(text, range)| range.map(move |_| text as u32)).collect();
        [scatter(n_rows, dim, &self.rows, |token, row| {
            let (gradient, factor) = (&gradient[text_of[token] as usize * dim..], self.factors[token]);
            row.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += factor * value);
        })]
    }
}
