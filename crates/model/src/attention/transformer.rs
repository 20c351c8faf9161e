//! The transformer encoder: blocks of multi-head self-attention and a feed-forward layer.

use std::f32::consts::FRAC_1_SQRT_2;

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, Linear};
use burn::tensor::activation::relu;
use burn::tensor::{Bool, Tensor};

use super::MultiHeadAttention;
use crate::config::{Activation, Norm, TransformerConfig};
use crate::init::Initializer;

/// Encoder blocks, and for pre-norm blocks a final layer norm (Xiong et al. 2020, fig. 1b).
#[derive(Module, Debug)]
pub struct Encoder {
    layers: Vec<EncoderBlock>,
    norm: Option<LayerNorm>,
}

/// With pre-norm x + attention(norm(x)), then x + feed_forward(norm(x)); with post-norm norm(x + attention(x)), then
/// norm(x + feed_forward(x)). Dropout is on both branches. The feed-forward layer is linear → activation → linear
/// (Vaswani et al. 2017, §3.3).
#[derive(Module, Debug)]
pub struct EncoderBlock {
    attention_norm: LayerNorm,
    attention: MultiHeadAttention,
    feed_forward_norm: LayerNorm,
    inner: Linear,
    outer: Linear,
    dropout: Dropout,
    #[module(skip)]
    activation: Activation,
    #[module(skip)]
    norm: Norm,
}

impl Encoder {
    pub(crate) fn init(config: &TransformerConfig, dim: usize, rotary: bool, init: &mut Initializer) -> Self {
        Self {
            layers: (0..config.n_layers).map(|_| EncoderBlock::init(config, dim, rotary, init)).collect(),
            norm: (config.norm == Norm::Pre).then(|| init.layer_norm(dim)),
        }
    }

    /// `[batch, length, dim]` → `[batch, length, dim]`, and the attention weights `[batch, heads, queries, keys]` of
    /// each block.
    pub fn forward(&self, mut tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> (Tensor<3>, Vec<Tensor<4>>) {
        let mut weights = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let (output, of_layer) = layer.forward(tokens, mask);
            tokens = output;
            weights.push(of_layer);
        }
        let tokens = match &self.norm {
            Some(norm) => norm.forward(tokens),
            None => tokens,
        };
        (tokens, weights)
    }
}

impl EncoderBlock {
    fn init(config: &TransformerConfig, dim: usize, rotary: bool, init: &mut Initializer) -> Self {
        Self {
            attention_norm: init.layer_norm(dim),
            attention: MultiHeadAttention::init(dim, config.n_heads, rotary, config.dropout, init),
            feed_forward_norm: init.layer_norm(dim),
            inner: init.linear(dim, config.d_feed_forward),
            outer: init.linear(config.d_feed_forward, dim),
            dropout: DropoutConfig::new(config.dropout).init(),
            activation: config.activation,
            norm: config.norm,
        }
    }

    fn forward(&self, tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> (Tensor<3>, Tensor<4>) {
        let attend = |tokens: Tensor<3>| {
            let attended = self.attention.forward(tokens, mask);
            (self.dropout.forward(attended.tokens), attended.weights)
        };
        match self.norm {
            Norm::Pre => {
                let (attended, weights) = attend(self.attention_norm.forward(tokens.clone()));
                let tokens = tokens + attended;
                let fed = self.feed_forward(self.feed_forward_norm.forward(tokens.clone()));
                (tokens + fed, weights)
            }
            Norm::Post => {
                let (attended, weights) = attend(tokens.clone());
                let tokens = self.attention_norm.forward(tokens + attended);
                let fed = self.feed_forward(tokens.clone());
                (self.feed_forward_norm.forward(tokens + fed), weights)
            }
        }
    }

    fn feed_forward(&self, tokens: Tensor<3>) -> Tensor<3> {
        let inner = self.inner.forward(tokens);
        let bent = match self.activation {
            Activation::Relu => relu(inner),
            Activation::Gelu => gelu(inner),
        };
        self.dropout.forward(self.outer.forward(bent))
    }
}

/// x·Φ(x) = x·(1 + erf(x/√2))/2. Burn's own `gelu` computes the same, but on some backends its gradient is that of an
/// approximation by tanh, which is wrong from the third digit on.
fn gelu(x: Tensor<3>) -> Tensor<3> {
    let phi = ((x.clone() * FRAC_1_SQRT_2).erf() + 1.0) * 0.5;
    x * phi
}
