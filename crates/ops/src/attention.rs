//! Attention with pooling in host memory: the texts of a batch, and their heads, on all cores. Each text is computed by one
//! thread in one order, so that nothing depends on the number of threads.

use std::sync::Arc;

use rayon::prelude::*;

use crate::distinct::DistinctRows;
use crate::host::Fused;
use crate::kernels::{
    Attended, Attending, Normalizer, Rows, Scratch, WIDEST, backward, backward_shared, forward, is_narrow,
};
use crate::scatter::scatter;
use crate::texts::Texts;

/// So many numbers are kept for the gradient of a batch, 64 MiB; where there would be more, they are computed anew.
const KEPT_AT_MOST: usize = 1 << 24;

/// Attention of texts to themselves whose queries, keys and values are rows of one table, and the mean over their tokens.
///
/// Tokens with the same row are the same query, key and value: each row is computed once, and counts as often as it is there. In a
/// text that is filled up with padding, which is not masked, that is most of it.
#[derive(Debug, Clone)]
pub(crate) struct SelfAttention {
    /// The rows of each text.
    pub distinct: Arc<DistinctRows>,
    /// What each row counts in the mean, as a query.
    pub query_weights: Arc<[f32]>,
    /// What the scores are multiplied with.
    pub scale: f32,
    /// The shape of the table.
    pub table: [usize; 2],
    /// Whether there will be a gradient.
    pub has_gradient: bool,
}

impl SelfAttention {
    fn attending<'a>(&'a self, text: usize, table: &'a [f32]) -> Attending<'a> {
        let (tokens, range) = (self.distinct.of(text, table, self.table[1]), self.distinct.range(text));
        let (query_weights, counts) = (&self.query_weights[range.clone()], &self.distinct.counts[range]);
        Attending {
            query: tokens,
            key: tokens,
            value: tokens,
            query_weights,
            key_counts: Some(counts),
            scale: self.scale,
        }
    }

    fn of_tokens(
        &self,
        attending: &Attending,
        attended: &Attended,
        gradient: &[f32],
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        match &attended.exponentials {
            Some(kept) if is_narrow(&attended.normalizers) => {
                backward_shared(attending, attended, kept, gradient, scratch, out);
            }
            _ => {
                let (mut of_query, mut of_key) = (vec![0.0; out.len()], vec![0.0; out.len()]);
                backward(attending, attended, gradient, scratch, [&mut of_query, &mut of_key, out]);
                let others = of_query.iter().zip(&of_key);
                out.iter_mut().zip(others).for_each(|(sum, (query, key))| *sum += query + key);
            }
        }
    }
}

impl Fused<1> for SelfAttention {
    type Saved = Arc<Vec<Attended>>;

    fn shape(&self) -> Vec<usize> {
        vec![self.distinct.batch(), self.table[1]]
    }

    fn forward(&self, [table]: [&[f32]; 1]) -> (Vec<f32>, Self::Saved) {
        let (batch, [_, dim]) = (self.distinct.batch(), self.table);
        let kept: usize = self.distinct.ranges().map(|range| range.len() * range.len()).sum();
        let keeps = self.has_gradient && kept <= KEPT_AT_MOST;
        let mut pooled = vec![0.0; batch * dim];
        let of_texts = pooled.par_chunks_mut(dim).enumerate().map_init(Scratch::default, |scratch, (text, pooled)| {
            head(&self.attending(text, table), keeps, scratch, pooled)
        });
        let of_texts = of_texts.collect();
        (pooled, Arc::new(of_texts))
    }

    fn backward(&self, [table]: [&[f32]; 1], saved: &Self::Saved, gradient: &[f32]) -> [Vec<f32>; 1] {
        let [n_rows, dim] = self.table;
        let mut of_tokens = vec![0.0; self.distinct.rows.len() * dim];
        let pieces = self.distinct.cut(&mut of_tokens, dim);
        let work = pieces.into_par_iter().zip(saved.par_iter()).zip(gradient.par_chunks(dim)).enumerate();
        work.for_each_init(Scratch::default, |scratch, (text, ((out, saved), gradient))| {
            if !out.is_empty() {
                self.of_tokens(&self.attending(text, table), saved, gradient, scratch, out);
            }
        });
        [scatter(n_rows, dim, &self.distinct.rows, |token, row| {
            row.iter_mut().zip(&of_tokens[token * dim..]).for_each(|(sum, value)| *sum += value);
        })]
    }
}

/// One head of one text; `pooled` is zeros before.
fn head(attending: &Attending, keeps: bool, scratch: &mut Scratch, pooled: &mut [f32]) -> Attended {
    let (queries, keys) = (attending.query.len(), attending.key.len());
    let mut attended = Attended {
        key_weights: vec![0.0; keys],
        normalizers: vec![Normalizer { max: 0.0, inverse_sum: 0.0 }; queries],
        exponentials: keeps.then(|| vec![0.0; queries.next_multiple_of(WIDEST) * keys.next_multiple_of(WIDEST)]),
    };
    if queries > 0 && keys > 0 {
        forward(attending, scratch, pooled, &mut attended);
    }
    attended
}

/// Attention with queries, keys and values of their own, in heads, and a mean over the queries.
#[derive(Debug, Clone)]
pub(crate) struct CrossAttention {
    /// The texts whose tokens are keys.
    pub keys: Texts,
    /// The texts whose tokens are queries; only those are listed that count.
    pub queries: Texts,
    /// What each query listed counts.
    pub query_weights: Arc<[f32]>,
    /// What the scores are multiplied with.
    pub scale: f32,
    /// How many slices the widths are cut into.
    pub n_heads: usize,
    /// The width of queries and keys, and of values, over all heads.
    pub widths: [usize; 2],
}

impl CrossAttention {
    fn attending<'a>(&'a self, index: usize, [query, key, value]: [&'a [f32]; 3]) -> Attending<'a> {
        let (text, head) = (index / self.n_heads, index % self.n_heads);
        let rows = |matrix, stride: usize, texts: &'a Texts| {
            let width = stride / self.n_heads;
            Rows { matrix, stride, offset: head * width, width, places: &texts.places[texts.range(text)] }
        };
        let [dim, value_dim] = self.widths;
        Attending {
            query: rows(query, dim, &self.queries),
            key: rows(key, dim, &self.keys),
            value: rows(value, value_dim, &self.keys),
            query_weights: &self.query_weights[self.queries.range(text)],
            key_counts: None,
            scale: self.scale,
        }
    }
}

impl Fused<3> for CrossAttention {
    type Saved = Arc<Vec<Attended>>;

    fn shape(&self) -> Vec<usize> {
        vec![self.keys.shape[0], self.widths[1]]
    }

    fn forward(&self, inputs: [&[f32]; 3]) -> (Vec<f32>, Self::Saved) {
        let [batch, _] = self.keys.shape;
        let mut pooled = vec![0.0; batch * self.widths[1]];
        let heads = pooled.par_chunks_mut(self.widths[1] / self.n_heads).enumerate();
        let of_heads = heads.map_init(Scratch::default, |scratch, (index, pooled)| {
            head(&self.attending(index, inputs), false, scratch, pooled)
        });
        let of_heads = of_heads.collect();
        (pooled, Arc::new(of_heads))
    }

    fn backward(&self, inputs: [&[f32]; 3], saved: &Self::Saved, gradient: &[f32]) -> [Vec<f32>; 3] {
        let gradients = gradient.par_chunks(self.widths[1] / self.n_heads);
        let work = saved.par_iter().zip(gradients).enumerate();
        let of_heads: Vec<[Vec<f32>; 3]> = work
            .map_init(Scratch::default, |scratch, (index, (saved, gradient))| {
                let attending = self.attending(index, inputs);
                let zeros = |rows: Rows<'_>| vec![0.0; rows.len() * rows.width];
                let mut found = [attending.query, attending.key, attending.value].map(zeros);
                if attending.query.len() > 0 && attending.key.len() > 0 {
                    let [query, key, value] = &mut found;
                    backward(&attending, saved, gradient, scratch, [query, key, value]);
                }
                found
            })
            .collect();
        let [dim, value_dim] = self.widths;
        let gather = |which: usize, texts: &Texts, stride: usize| {
            let [batch, length] = texts.shape;
            let width = stride / self.n_heads;
            let mut whole = vec![0.0; batch * length * stride];
            for (index, of_head) in of_heads.iter().enumerate() {
                let (text, head) = (index / self.n_heads, index % self.n_heads);
                let places = &texts.places[texts.range(text)];
                for (&place, row) in places.iter().zip(of_head[which].chunks_exact(width)) {
                    whole[place as usize * stride + head * width..][..width].copy_from_slice(row);
                }
            }
            whole
        };
        [gather(0, &self.queries, dim), gather(1, &self.keys, dim), gather(2, &self.keys, value_dim)]
    }
}
