//! Bidirectional attention: two texts look at each other, and each token is compared with what it found.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;

use super::Sequences;
use super::scaled_dot::scaled_dot_product;
use crate::config::BidirectionalConfig;
use crate::init::Initializer;
use crate::mask::zero_padding;

/// For two texts with token vectors H_d and H_e: A_e = softmax(H_d·H_eᵀ/√d) and C_e = A_e·H_e, what each token of the
/// first text finds in the second; A_d = softmax(H_e·H_dᵀ/√d) and C_d = A_d·H_d the other way round. Each token h is
/// then compared with what it found, c: relu(W·[h; c; h − c; h∘c] + b), the attend and compare steps of decomposable
/// attention (Parikh et al. 2016, §3.1 and §3.2; difference and product as in Chen et al. 2017, §3.2). Pooling does
/// the third, aggregate.
#[derive(Module, Debug)]
pub struct BidirectionalAttention {
    compare: Linear,
    dropout: Dropout,
}

impl BidirectionalAttention {
    pub(crate) fn init(config: &BidirectionalConfig, dim: usize, init: &mut Initializer) -> Self {
        Self {
            compare: init.linear(4 * dim, config.d_compare.unwrap_or(dim)),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

    /// Both texts with comparisons `[batch, length, d_compare]` for their tokens, and the weights A_e `[batch, 1,
    /// length_d, length_e]` and A_d `[batch, 1, length_e, length_d]`.
    pub fn forward(&self, first: &Sequences, second: &Sequences) -> (Vec<Sequences>, Vec<Tensor<4>>) {
        let (mut texts, mut weights) = (Vec::with_capacity(2), Vec::with_capacity(2));
        for (own, other) in [(first, second), (second, first)] {
            let (h, mask) = (own.tokens.clone(), other.mask.as_ref());
            // In a text without tokens there is nothing to find: its padding must count as zeros.
            let values = zero_padding(other.tokens.clone(), mask);
            let (c, of_own) = scaled_dot_product(h.clone(), other.tokens.clone(), values, mask);
            let compared = Tensor::cat(vec![h.clone(), c.clone(), h.clone() - c.clone(), h * c], 2);
            let tokens = relu(self.compare.forward(self.dropout.forward(compared)));
            texts.push(Sequences { tokens, mask: own.mask.clone() });
            weights.push(of_own.unsqueeze_dim(1));
        }
        (texts, weights)
    }
}
