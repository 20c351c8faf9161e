//! Dot-product self-attention without weights: Keras' `Attention()([e, e])`.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};

use crate::config::DotConfig;
use crate::mask::hide_keys;

/// softmax(E·Eᵀ)·E with query = key = value = E, no scale and no weights (keras `layers/attention/attention.py`,
/// `score_mode="dot"`, `use_scale=False`). Like Keras' layer it does not scale by 1/√dim.
#[derive(Module, Debug)]
pub struct DotAttention {
    dropout: Dropout,
}

impl DotAttention {
    pub(crate) fn init(config: &DotConfig) -> Self {
        Self { dropout: DropoutConfig::new(config.dropout).init() }
    }

    /// `[batch, length, dim]` → `[batch, length, dim]`.
    pub fn forward(&self, tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Tensor<3> {
        let scores = tokens.clone().matmul(tokens.clone().swap_dims(1, 2)); // [batch, length, length]
        let weights = softmax(hide_keys(scores, mask), 2);
        self.dropout.forward(weights).matmul(tokens)
    }
}
