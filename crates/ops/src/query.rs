//! Pooling by a trained query in host memory: the texts of a batch on all cores, each computed by one thread.

use std::sync::Arc;

use rayon::prelude::*;

use crate::host::Fused;
use crate::kernels::{Rows, pool_by_query, pool_by_query_backward};
use crate::scatter::scatter;
use crate::texts::DistinctRows;

/// For each text the mean of its tokens' rows, weighted by the softmax of their products with a query. Tokens with the same
/// row share one product.
#[derive(Debug, Clone)]
pub(crate) struct QueryPooling {
    /// How many texts there are.
    pub batch: usize,
    /// The rows of each text.
    pub distinct: DistinctRows,
    /// How many tokens have each row.
    pub counts: Arc<[f32]>,
    /// The shape of the table.
    pub table: [usize; 2],
}

impl QueryPooling {
    fn rows<'a>(&'a self, text: usize, table: &'a [f32]) -> Rows<'a> {
        let [_, dim] = self.table;
        Rows {
            matrix: table,
            stride: dim,
            offset: 0,
            width: dim,
            places: &self.distinct.rows[self.distinct.range(text)],
        }
    }

    /// Values of all rows cut into those of each text.
    fn pieces<'a>(&self, mut values: &'a mut [f32]) -> Vec<&'a mut [f32]> {
        self.distinct.ranges().map(|range| values.split_off_mut(..range.len()).unwrap_or_default()).collect()
    }
}

impl Fused<2> for QueryPooling {
    /// The weight of each row.
    type Saved = Arc<Vec<f32>>;

    fn shape(&self) -> Vec<usize> {
        vec![self.batch, self.table[1]]
    }

    fn forward(&self, [table, query]: [&[f32]; 2]) -> (Vec<f32>, Self::Saved) {
        let [_, dim] = self.table;
        let (mut pooled, mut weights) = (vec![0.0; self.batch * dim], vec![0.0; self.distinct.rows.len()]);
        let work = pooled.par_chunks_mut(dim).zip(self.pieces(&mut weights)).enumerate();
        work.for_each(|(text, (pooled, weights))| {
            if !weights.is_empty() {
                let counts = &self.counts[self.distinct.range(text)];
                pool_by_query(self.rows(text, table), counts, query, weights, pooled);
            }
        });
        (pooled, Arc::new(weights))
    }

    fn backward(&self, [table, query]: [&[f32]; 2], weights: &Self::Saved, gradient: &[f32]) -> [Vec<f32>; 2] {
        let [n_rows, dim] = self.table;
        let (mut of_scores, mut of_query) = (vec![0.0; weights.len()], vec![0.0; self.batch * dim]);
        let work =
            of_query.par_chunks_mut(dim).zip(self.pieces(&mut of_scores)).zip(gradient.par_chunks(dim)).enumerate();
        work.for_each(|(text, ((of_query, of_scores), gradient))| {
            let weights = &weights[self.distinct.range(text)];
            pool_by_query_backward(self.rows(text, table), weights, gradient, of_scores, of_query);
        });
        let text_of: Vec<u32> =
            self.distinct.ranges().zip(0..).flat_map(|(range, text)| std::iter::repeat_n(text, range.len())).collect();
        let of_table = scatter(n_rows, dim, &self.distinct.rows, |i, row| {
            let gradient = &gradient[text_of[i] as usize * dim..][..dim];
            for ((sum, query), gradient) in row.iter_mut().zip(query).zip(gradient) {
                *sum += of_scores[i] * query + weights[i] * gradient;
            }
        });
        let mut whole = vec![0.0; dim];
        for of_text in of_query.chunks_exact(dim) {
            whole.iter_mut().zip(of_text).for_each(|(sum, value)| *sum += value);
        }
        [of_table, whole]
    }
}
