//! Multi-head self-attention, the first half of an encoder block.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};

use crate::init::Initializer;
use crate::mask::hide_keys;

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
}

impl MultiHeadAttention {
    /// `n_heads` must divide `dim`; the config is checked for it.
    pub(crate) fn init(dim: usize, n_heads: usize, dropout: f64, init: &mut Initializer) -> Self {
        Self {
            query: init.linear(dim, dim),
            key: init.linear(dim, dim),
            value: init.linear(dim, dim),
            output: init.linear(dim, dim),
            dropout: DropoutConfig::new(dropout).init(),
            n_heads,
        }
    }

    /// `[batch, length, dim]` → `[batch, length, dim]`.
    pub fn forward(&self, tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Tensor<3> {
        let [batch, length, dim] = tokens.dims();
        let d_head = dim / self.n_heads;
        let heads = |linear: &Linear, tokens: Tensor<3>| {
            linear.forward(tokens).reshape([batch, length, self.n_heads, d_head]).swap_dims(1, 2).reshape([
                batch * self.n_heads,
                length,
                d_head,
            ]) // one attention for each text and head
        };
        let query = heads(&self.query, tokens.clone());
        let key = heads(&self.key, tokens.clone());
        let value = heads(&self.value, tokens);
        let mask = mask.map(|mask| {
            mask.clone().unsqueeze_dim::<3>(1).repeat_dim(1, self.n_heads).reshape([batch * self.n_heads, length])
        });
        let scores = query.matmul(key.swap_dims(1, 2)) / (d_head as f32).sqrt();
        let weights = softmax(hide_keys(scores, mask.as_ref()), 2);
        let context = self
            .dropout
            .forward(weights)
            .matmul(value)
            .reshape([batch, self.n_heads, length, d_head])
            .swap_dims(1, 2)
            .reshape([batch, length, dim]);
        self.output.forward(context)
    }
}
