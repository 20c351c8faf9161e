//! The transformer encoder: blocks of multi-head self-attention and a feed-forward layer.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, Linear};
use burn::tensor::activation::relu;
use burn::tensor::{Bool, Tensor};

use super::MultiHeadAttention;
use crate::config::TransformerConfig;
use crate::init::Initializer;

/// Encoder blocks and a final layer norm (pre-norm: Xiong et al. 2020, fig. 1b).
#[derive(Module, Debug)]
pub struct Encoder {
    layers: Vec<EncoderBlock>,
    norm: LayerNorm,
}

/// x + attention(norm(x)), then x + feed_forward(norm(x)), with dropout on both branches. The feed-forward layer is
/// linear → ReLU → linear (Vaswani et al. 2017, §3.3).
#[derive(Module, Debug)]
pub struct EncoderBlock {
    attention_norm: LayerNorm,
    attention: MultiHeadAttention,
    feed_forward_norm: LayerNorm,
    inner: Linear,
    outer: Linear,
    dropout: Dropout,
}

impl Encoder {
    pub(crate) fn init(config: &TransformerConfig, dim: usize, init: &mut Initializer) -> Self {
        Self {
            layers: (0..config.n_layers).map(|_| EncoderBlock::init(config, dim, init)).collect(),
            norm: init.layer_norm(dim),
        }
    }

    /// `[batch, length, dim]` → `[batch, length, dim]`.
    pub fn forward(&self, tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Tensor<3> {
        let tokens = self.layers.iter().fold(tokens, |tokens, layer| layer.forward(tokens, mask));
        self.norm.forward(tokens)
    }
}

impl EncoderBlock {
    fn init(config: &TransformerConfig, dim: usize, init: &mut Initializer) -> Self {
        Self {
            attention_norm: init.layer_norm(dim),
            attention: MultiHeadAttention::init(dim, config.n_heads, config.dropout, init),
            feed_forward_norm: init.layer_norm(dim),
            inner: init.linear(dim, config.d_feed_forward),
            outer: init.linear(config.d_feed_forward, dim),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

    fn forward(&self, tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Tensor<3> {
        let attended = self.attention.forward(self.attention_norm.forward(tokens.clone()), mask);
        let tokens = tokens + self.dropout.forward(attended);
        let inner = relu(self.inner.forward(self.feed_forward_norm.forward(tokens.clone())));
        tokens + self.dropout.forward(self.outer.forward(inner))
    }
}
