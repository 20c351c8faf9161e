//! From token vectors to one text vector: `[batch, length, dim]` → `[batch, dim]`. Padding never counts, and a text
//! without tokens gives zeros.

use burn::module::{Module, Param};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};

use crate::config::Pooling;
use crate::init::Initializer;
use crate::mask::{hide_keys, zero_padding};
use crate::outline::WeightShapes;
use crate::texts::Sequences;

/// How token vectors become one text vector.
#[derive(Module, Debug)]
pub(crate) struct Pool {
    query: Option<Param<Tensor<1>>>,
    #[module(skip)]
    kind: Pooling,
}

impl Pool {
    pub(crate) fn init(kind: Pooling, dim: usize, init: &mut Initializer) -> Self {
        Self { query: (kind == Pooling::Attention).then(|| init.glorot_vector(dim)), kind }
    }

    /// The weights of [`Pool::init`].
    pub(crate) fn shapes(kind: Pooling, dim: usize, shapes: &mut WeightShapes) {
        match kind {
            Pooling::Attention => shapes.add("pooling.query", &[dim]),
            Pooling::Mean | Pooling::Max | Pooling::First => {}
        }
    }

    /// Whether it is the plain mean.
    pub(crate) fn is_mean(&self) -> bool {
        self.kind == Pooling::Mean
    }

    /// The trained query of attention pooling, `[dim]`.
    pub(crate) fn query(&self) -> Option<Tensor<1>> {
        self.query.as_ref().map(Param::val)
    }

    /// One vector for each text; with a trained query also the weight `[batch, length]` of each token.
    pub(crate) fn forward(&self, texts: Sequences) -> (Tensor<2>, Option<Tensor<2>>) {
        let Sequences { tokens, mask } = texts;
        let mask = mask.as_ref();
        match (self.kind, &self.query) {
            (Pooling::Attention, Some(query)) => {
                let (pooled, weights) = attention(tokens, query.val(), mask);
                (pooled, Some(weights))
            }
            (Pooling::Max, _) => (max(tokens, mask), None),
            (Pooling::First, _) => (zero_padding(tokens, mask).narrow(1, 0, 1).squeeze_dim::<2>(1), None),
            (Pooling::Mean | Pooling::Attention, _) => (mean(tokens, mask), None),
        }
    }
}

/// The mean over the tokens that the mask shows, or over all of them without a mask: Keras'
/// `GlobalAveragePooling1D`, but for a row that is all padding, where Keras divides zero by zero.
fn mean(tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Tensor<2> {
    match mask {
        None => tokens.mean_dim(1).squeeze_dim::<2>(1),
        Some(mask) => {
            let count = mask.clone().float().sum_dim(1).clamp_min(1.0); // [batch, 1]
            zero_padding(tokens, Some(mask)).sum_dim(1).squeeze_dim::<2>(1) / count
        }
    }
}

/// The largest value of each dimension.
fn max(tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Tensor<2> {
    let Some(mask) = mask else { return tokens.max_dim(1).squeeze_dim::<2>(1) };
    let [_, _, dim] = tokens.dims();
    let padding = mask.clone().bool_not().unsqueeze_dim::<3>(2).repeat_dim(2, dim);
    let largest = tokens.mask_fill(padding, f32::MIN).max_dim(1).squeeze_dim::<2>(1);
    // A text without tokens has only what was filled in.
    let empty = mask.clone().float().sum_dim(1).equal_elem(0.0).repeat_dim(1, dim);
    largest.mask_fill(empty, 0.0)
}

/// The mean weighted by the softmax of each token's product with the query `[dim]`, and the weights `[batch, length]`.
fn attention(tokens: Tensor<3>, query: Tensor<1>, mask: Option<&Tensor<2, Bool>>) -> (Tensor<2>, Tensor<2>) {
    let [batch, length, dim] = tokens.dims();
    let scores = (tokens.clone() * query.reshape([1, 1, dim])).sum_dim(2).reshape([batch, 1, length]);
    let weights = softmax(hide_keys(scores, mask), 2);
    let pooled = weights.clone().matmul(zero_padding(tokens, mask)).squeeze_dim::<2>(1);
    (pooled, weights.squeeze_dim::<2>(1))
}
