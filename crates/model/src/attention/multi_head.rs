//! Multi-head self-attention: a mechanism of its own, and the first half of an encoder block.

use attentive_ops::attention_pooling;
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::{Bool, Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rotary::turn;
use super::scaled_dot::scaled_dot_weights;
use super::{Attended, Attention, Description, Heads, Mechanism, MechanismConfig, TokenVectors, drops, each};
use crate::init::Initializer;
use crate::outline::{LayerOutline, WeightShapes};
use crate::texts::Sequences;

/// Options of `attention.multi_head`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MultiHeadConfig {
    /// The number of attention heads; it must divide `embedding.dim`. Default 4.
    #[schemars(range(min = 1, max = 256))]
    pub n_heads: usize,
    /// The share of attention weights set to zero while training. Default 0.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
}

impl Default for MultiHeadConfig {
    fn default() -> Self {
        Self { n_heads: 4, dropout: 0.0 }
    }
}

impl MechanismConfig for MultiHeadConfig {
    fn init(&self, tokens: TokenVectors, init: &mut Initializer) -> Option<Attention> {
        Some(Attention::MultiHead(MultiHeadAttention::init(tokens, self.n_heads, self.dropout, init)))
    }

    fn shapes(&self, dim: usize, shapes: &mut WeightShapes) {
        MultiHeadAttention::shapes(dim, shapes);
    }

    fn describe(&self, tokens: TokenVectors) -> Description {
        let kind = format!("Multi-head attention ({} heads{})", self.n_heads, tokens.turned());
        let layers = vec![LayerOutline::new("attention", kind, tokens.dim)];
        let heads = Heads::Shares { key: "attention.multi_head.n_heads", n: self.n_heads };
        Description { layers, width: tokens.dim, heads, compares_texts: false }
    }
}

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
    pub(super) fn init(tokens: TokenVectors, n_heads: usize, dropout: f64, init: &mut Initializer) -> Self {
        let TokenVectors { dim, rotary } = tokens;
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

    pub(super) fn shapes(dim: usize, shapes: &mut WeightShapes) {
        ["query", "key", "value", "output"].into_iter().for_each(|part| shapes.linear(part, dim, dim));
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

impl Mechanism for MultiHeadAttention {
    fn attend(&self, texts: Vec<Sequences>) -> (Vec<Sequences>, Vec<Tensor<4>>) {
        each(texts, |tokens, mask| self.forward(tokens, mask))
    }

    fn mean(&self, texts: &dyn Fn() -> Sequences, device: &Device) -> Option<Tensor<2>> {
        // The output projection is linear, so it waits until the mean is taken; a text without tokens must not get its bias.
        // Positions that turn with the token turn each head apart, which is not done here.
        if self.rotary || drops(&self.dropout, device) {
            return None;
        }
        let Sequences { tokens, mask } = texts();
        let [query, key, value] = [&self.query, &self.key, &self.value].map(|linear| linear.forward(tokens.clone()));
        let [_, _, dim] = tokens.dims();
        let scale = 1.0 / ((dim / self.n_heads) as f32).sqrt();
        let pooled = attention_pooling(query, key, value, mask.as_ref(), None, self.n_heads, scale);
        let output = self.output.forward(pooled.vectors);
        Some(match mask {
            Some(mask) => output * mask.float().sum_dim(1).clamp_max(1.0), // 1 where there is a token: [batch, 1]
            None => output,
        })
    }
}
