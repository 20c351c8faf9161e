//! Scaled dot-product self-attention with linear queries, keys and values.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};

use crate::config::ScaledDotConfig;
use crate::init::Initializer;
use crate::mask::hide_keys;

/// softmax(Q·Kᵀ/√d)·V with Q, K, V linear in the tokens (Vaswani et al. 2017, §3.2.1, eq. 1).
#[derive(Module, Debug)]
pub struct ScaledDotAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    dropout: Dropout,
}

impl ScaledDotAttention {
    pub(crate) fn init(config: &ScaledDotConfig, dim: usize, init: &mut Initializer) -> Self {
        let inner = config.dim.unwrap_or(dim);
        Self {
            query: init.linear(dim, inner),
            key: init.linear(dim, inner),
            value: init.linear(dim, inner),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

    /// `[batch, length, dim]` → `[batch, length, inner]`, where inner is the width of the values.
    pub fn forward(&self, tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Tensor<3> {
        let query = self.query.forward(tokens.clone());
        let key = self.key.forward(tokens.clone());
        let value = self.value.forward(tokens);
        let [_, _, inner] = query.dims();
        let scores = query.matmul(key.swap_dims(1, 2)) / (inner as f32).sqrt(); // [batch, length, length]
        let weights = softmax(hide_keys(scores, mask), 2);
        self.dropout.forward(weights).matmul(value)
    }
}
