//! Additive self-attention, which scores two tokens by a small network instead of a product.

use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attended, Attention, Description, Heads, Mechanism, MechanismConfig, TokenVectors, each};
use crate::init::Initializer;
use crate::mask::hide_keys;
use crate::outline::{LayerOutline, WeightShapes};
use crate::texts::Sequences;

/// Options of `attention.additive`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdditiveConfig {
    /// The width of queries and keys. Default: that of the embedding.
    #[schemars(range(min = 1, max = 8192))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dim: Option<usize>,
    /// The share of attention weights set to zero while training. Default 0.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
}

impl MechanismConfig for AdditiveConfig {
    fn init(&self, tokens: TokenVectors, init: &mut Initializer) -> Option<Attention> {
        let (dim, inner) = (tokens.dim, self.dim.unwrap_or(tokens.dim));
        Some(Attention::Additive(AdditiveAttention {
            query: init.linear(dim, inner),
            key: init.linear(dim, inner),
            additive_weight: init.glorot_vector(inner),
            dropout: DropoutConfig::new(self.dropout).init(),
        }))
    }

    fn shapes(&self, dim: usize, shapes: &mut WeightShapes) {
        let inner = self.dim.unwrap_or(dim);
        shapes.linear("query", dim, inner);
        shapes.linear("key", dim, inner);
        shapes.add("additive_weight", &[inner]);
    }

    fn describe(&self, tokens: TokenVectors) -> Description {
        let layers = vec![LayerOutline::new("attention", "Additive attention", tokens.dim)];
        Description { layers, width: tokens.dim, heads: Heads::None, compares_texts: false }
    }
}

/// softmax over j of a·tanh(qᵢ + kⱼ), times the tokens, with q and k linear in the tokens (Bahdanau et al. 2015,
/// §A.1.2). It is Keras' `AdditiveAttention()([Dense(e), e, Dense(e)])`, whose `scale` is a.
#[derive(Module, Debug)]
pub struct AdditiveAttention {
    query: Linear,
    key: Linear,
    additive_weight: Param<Tensor<1>>,
    dropout: Dropout,
}

impl AdditiveAttention {
    /// `[batch, length, dim]` → `[batch, length, dim]`, one head. Memory is `[batch, length, length, inner]`.
    pub fn forward(&self, tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Attended {
        let query = self.query.forward(tokens.clone()).unsqueeze_dim::<4>(2); // [batch, length, 1, inner]
        let key = self.key.forward(tokens.clone()).unsqueeze_dim::<4>(1); // [batch, 1, length, inner]
        let [inner] = self.additive_weight.val().dims();
        let bent = (query + key).tanh() * self.additive_weight.val().reshape([1, 1, 1, inner]);
        let scores = bent.sum_dim(3).squeeze_dim::<3>(3); // [batch, length, length]
        let weights = softmax(hide_keys(scores, mask), 2);
        Attended { weights: weights.clone().unsqueeze_dim(1), tokens: self.dropout.forward(weights).matmul(tokens) }
    }
}

impl Mechanism for AdditiveAttention {
    fn attend(&self, texts: Vec<Sequences>) -> (Vec<Sequences>, Vec<Tensor<4>>) {
        each(texts, |tokens, mask| self.forward(tokens, mask))
    }
}
