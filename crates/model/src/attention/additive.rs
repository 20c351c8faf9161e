//! Additive self-attention, which scores two tokens by a small network instead of a product.

use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};

use super::Attended;
use crate::config::AdditiveConfig;
use crate::init::Initializer;
use crate::mask::hide_keys;

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
    pub(crate) fn init(config: &AdditiveConfig, dim: usize, init: &mut Initializer) -> Self {
        let inner = config.dim.unwrap_or(dim);
        Self {
            query: init.linear(dim, inner),
            key: init.linear(dim, inner),
            additive_weight: init.glorot_vector(inner),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

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
