//! Multi-head self-attention: a mechanism of its own, and the first half of an encoder block.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Bool, Tensor};

use super::Attended;
use super::rotary::turn;
use super::scaled_dot::scaled_dot_weights;
use crate::init::Initializer;

/// Scaled dot-product attention in `n_heads` slices of the width, joined by an output projection
/// (Vaswani et al. 2017, §3.2.2).
#[derive(Module, Debug)]
pub struct MultiHeadAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    dropout: Dropout,
    n_heads: usize,
    rotary: bool,
}

impl MultiHeadAttention {
    /// `n_heads` must divide `dim`; the config is checked for it.
    pub(crate) fn init(dim: usize, n_heads: usize, rotary: bool, dropout: f64, init: &mut Initializer) -> Self {
        Self {
            query: init.linear(dim, dim),
            key: init.linear(dim, dim),
            value: init.linear(dim, dim),
            output: init.linear(dim, dim),
            dropout: DropoutConfig::new(dropout).init(),
            n_heads,
            rotary,
        }
    }

    /// `[batch, length, dim]` → `[batch, length, dim]`.
    pub fn forward(&self, tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Attended {
        let [batch, length, dim] = tokens.dims();
        let (n_heads, d_head) = (self.n_heads, dim / self.n_heads);
        let heads = |linear: &Linear, tokens: Tensor<3>| {
            linear.forward(tokens).reshape([batch, length, n_heads, d_head]).swap_dims(1, 2).reshape([
                batch * n_heads,
                length,
                d_head,
            ]) // one attention for each text and head
        };
        let query = turn(heads(&self.query, tokens.clone()), self.rotary);
        let key = turn(heads(&self.key, tokens.clone()), self.rotary);
        let value = heads(&self.value, tokens);
        let mask = mask
            .map(|mask| mask.clone().unsqueeze_dim::<3>(1).repeat_dim(1, n_heads).reshape([batch * n_heads, length]));
        let weights = scaled_dot_weights(query, key, mask.as_ref());
        let context = self
            .dropout
            .forward(weights.clone())
            .matmul(value)
            .reshape([batch, n_heads, length, d_head])
            .swap_dims(1, 2)
            .reshape([batch, length, dim]);
        Attended { tokens: self.output.forward(context), weights: weights.reshape([batch, n_heads, length, length]) }
    }
}
