//! The transformer encoder: blocks of multi-head self-attention and a feed-forward layer.

use std::f32::consts::FRAC_1_SQRT_2;

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, LayerNorm, Linear};
use burn::tensor::activation::relu;
use burn::tensor::{Bool, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attention, Description, Heads, Mechanism, MechanismConfig, MultiHeadAttention, TokenVectors};
use crate::init::Initializer;
use crate::outline::{LayerOutline, WeightShapes};
use crate::texts::Sequences;

/// Options of `attention.transformer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TransformerConfig {
    /// The number of encoder blocks. Default 2: enough for a small corpus.
    #[schemars(range(min = 1, max = 64))]
    pub n_layers: usize,
    /// The number of attention heads; it must divide `embedding.dim`. Default 4.
    #[schemars(range(min = 1, max = 256))]
    pub n_heads: usize,
    /// The inner width of the feed-forward layer. Default 128: twice the default embedding.
    #[schemars(range(min = 1, max = 65536))]
    pub d_feed_forward: usize,
    /// Activation of the feed-forward layer. Default `relu`, as in the source.
    pub activation: Activation,
    /// Where the layer norms stand. Default `pre`: it trains without warm-up (Xiong et al. 2020).
    pub norm: Norm,
    /// The share of values set to zero while training, on the attention weights and on both residual branches.
    /// Default 0.1, as in the source.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
}

impl Default for TransformerConfig {
    fn default() -> Self {
        Self {
            n_layers: 2,
            n_heads: 4,
            d_feed_forward: 128,
            activation: Activation::Relu,
            norm: Norm::Pre,
            dropout: 0.1,
        }
    }
}

/// Activation of a feed-forward layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// x·Φ(x), with the exact error function (Hendrycks & Gimpel 2016).
    Gelu,
}

/// Where the layer norms of an encoder block stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Before each branch, and once after the last block (Xiong et al. 2020, fig. 1b).
    Pre,
    /// After each residual sum (Vaswani et al. 2017, §3.1).
    Post,
}

impl MechanismConfig for TransformerConfig {
    fn init(&self, tokens: TokenVectors, init: &mut Initializer) -> Option<Attention> {
        Some(Attention::Transformer(Transformer {
            layers: (0..self.n_layers).map(|_| TransformerBlock::init(self, tokens, init)).collect(),
            norm: (self.norm == Norm::Pre).then(|| init.layer_norm(tokens.dim)),
        }))
    }

    fn shapes(&self, dim: usize, shapes: &mut WeightShapes) {
        for layer in 0..self.n_layers {
            shapes.within(&format!("layers.{layer}"), |shapes| {
                shapes.layer_norm("attention_norm", dim);
                shapes.within("attention", |shapes| MultiHeadAttention::shapes(dim, shapes));
                shapes.layer_norm("feed_forward_norm", dim);
                shapes.linear("inner", dim, self.d_feed_forward);
                shapes.linear("outer", self.d_feed_forward, dim);
            });
        }
        if self.norm == Norm::Pre {
            shapes.layer_norm("norm", dim);
        }
    }

    fn describe(&self, tokens: TokenVectors) -> Description {
        let kind = format!("Encoder block ({} heads{})", self.n_heads, tokens.turned());
        let blocks =
            (0..self.n_layers).map(|block| LayerOutline::new(format!("attention.layers.{block}"), &*kind, tokens.dim));
        let norm = (self.norm == Norm::Pre).then(|| LayerOutline::new("attention.norm", "Layer norm", tokens.dim));
        let heads = Heads::Shares { key: "attention.transformer.n_heads", n: self.n_heads };
        Description { layers: blocks.chain(norm).collect(), width: tokens.dim, heads, compares_texts: false }
    }
}

/// Encoder blocks, and for pre-norm blocks a final layer norm (Xiong et al. 2020, fig. 1b).
#[derive(Module, Debug)]
pub struct Transformer {
    layers: Vec<TransformerBlock>,
    norm: Option<LayerNorm>,
}

/// With pre-norm x + attention(norm(x)), then x + feed_forward(norm(x)); with post-norm norm(x + attention(x)), then
/// norm(x + feed_forward(x)). Dropout is on both branches. The feed-forward layer is linear → activation → linear
/// (Vaswani et al. 2017, §3.3).
#[derive(Module, Debug)]
pub struct TransformerBlock {
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

impl Transformer {
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

impl Mechanism for Transformer {
    fn attend(&self, texts: Vec<Sequences>) -> (Vec<Sequences>, Vec<Tensor<4>>) {
        let (mut attended, mut weights) = (Vec::with_capacity(texts.len()), Vec::new());
        for Sequences { tokens, mask } in texts {
            let (tokens, of_blocks) = self.forward(tokens, mask.as_ref());
            weights.extend(of_blocks);
            attended.push(Sequences { tokens, mask });
        }
        (attended, weights)
    }
}

impl TransformerBlock {
    fn init(config: &TransformerConfig, tokens: TokenVectors, init: &mut Initializer) -> Self {
        let dim = tokens.dim;
        Self {
            attention_norm: init.layer_norm(dim),
            attention: MultiHeadAttention::init(tokens, config.n_heads, config.dropout, init),
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
