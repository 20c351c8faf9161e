//! Pooling by a trained query in host memory: the texts of a batch on all cores, each computed by one thread.

use std::sync::Arc;

use rayon::prelude::*;

use crate::distinct::DistinctRows;
use crate::host::Fused;
use crate::kernels::{pool_by_query, pool_by_query_backward};
use crate::scatter::scatter;

/// For each text the mean of its tokens' rows, weighted by the softmax of their products with a query. Tokens with the same
/// row share one product.
#[derive(Debug, Clone)]
pub(crate) struct QueryPooling {
    /// The rows of each text.
    pub distinct: Arc<DistinctRows>,
    /// The shape of the table.
    pub table: [usize; 2],
}

impl Fused<2> for QueryPooling {
    /// The weight of each row.
    type Saved = Arc<Vec<f32>>;

    fn shape(&self) -> Vec<usize> {
        vec![self.distinct.batch(), self.table[1]]
    }

    fn forward(&self, [table, query]: [&[f32]; 2]) -> (Vec<f32>, Self::Saved) {
        let [_, dim] = self.table;
        let (mut pooled, mut weights) = (vec![0.0; self.distinct.batch() * dim], vec![0.0; self.distinct.rows.len()]);
        let work = pooled.par_chunks_mut(dim).zip(self.distinct.cut(&mut weights, 1)).enumerate();
        work.for_each(|(text, (pooled, weights))| {
            if !weights.is_empty() {
                let counts = &self.distinct.counts[self.distinct.range(text)];
                pool_by_query(self.distinct.of(text, table, dim), counts, query, weights, pooled);
            }
        });
        (pooled, Arc::new(weights))
    }

    fn backward(&self, [table, query]: [&[f32]; 2], weights: &Self::Saved, gradient: &[f32]) -> [Vec<f32>; 2] {
        let [n_rows, dim] = self.table;
        let (mut of_scores, mut of_query) = (vec![0.0; weights.len()], vec![0.0; self.distinct.batch() * dim]);
        let work = of_query
            .par_chunks_mut(dim)
            .zip(self.distinct.cut(&mut of_scores, 1))
            .zip(gradient.par_chunks(dim))
            .enumerate();
        work.for_each(|(text, ((of_query, of_scores), gradient))| {
            let weights = &weights[self.distinct.range(text)];
            pool_by_query_backward(self.distinct.of(text, table, dim), weights, gradient, of_scores, of_query);
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
