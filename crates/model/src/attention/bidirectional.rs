//! Bidirectional attention: two texts look at each other, and each token is compared with what it found.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scaled_dot::scaled_dot_product;
use super::{Attention, Description, Heads, Mechanism, MechanismConfig, TokenVectors};
use crate::init::Initializer;
use crate::mask::zero_padding;
use crate::outline::{LayerOutline, WeightShapes};
use crate::texts::Sequences;

/// Options of `attention.bidirectional`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BidirectionalConfig {
    /// The width of a comparison. Default: that of the embedding.
    #[schemars(range(min = 1, max = 8192))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub d_compare: Option<usize>,
    /// The share of values set to zero while training, on the inputs of the comparison. Default 0.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
}

impl MechanismConfig for BidirectionalConfig {
    fn init(&self, tokens: TokenVectors, init: &mut Initializer) -> Option<Attention> {
        Some(Attention::Bidirectional(BidirectionalAttention {
            compare: init.linear(4 * tokens.dim, self.d_compare.unwrap_or(tokens.dim)),
            dropout: DropoutConfig::new(self.dropout).init(),
        }))
    }

    fn shapes(&self, dim: usize, shapes: &mut WeightShapes) {
        shapes.linear("compare", 4 * dim, self.d_compare.unwrap_or(dim));
    }

    fn describe(&self, tokens: TokenVectors) -> Description {
        let width = self.d_compare.unwrap_or(tokens.dim);
        let layers = vec![LayerOutline::new("attention", "Bidirectional attention, for both texts", width)];
        Description { layers, width, heads: Heads::None, compares_texts: true }
    }
}

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

impl Mechanism for BidirectionalAttention {
    fn attend(&self, texts: Vec<Sequences>) -> (Vec<Sequences>, Vec<Tensor<4>>) {
        match texts.as_slice() {
            [first, second] => self.forward(first, second),
            // A single text has nothing to look at: its tokens stay as they are.
            _ => (texts, Vec::new()),
        }
    }
}
