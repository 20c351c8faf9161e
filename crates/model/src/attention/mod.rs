//! The attention mechanisms, one file each. A mechanism maps token vectors to token vectors of the same length and
//! hands out the weights by which it did so.

mod additive;
mod bidirectional;
mod dot;
mod multi_head;
mod rotary;
mod scaled_dot;
mod transformer;

use burn::module::Module;
use burn::nn::Dropout;
use burn::tensor::{Bool, Device, Tensor};

pub use additive::AdditiveAttention;
pub use bidirectional::BidirectionalAttention;
pub use dot::DotAttention;
pub use multi_head::MultiHeadAttention;
pub use scaled_dot::{ScaledDotAttention, scaled_dot_product};
pub use transformer::{Encoder, EncoderBlock};

use crate::config::{AttentionConfig, ModelConfig, Positions};
use crate::init::Initializer;

/// The texts of a batch on their way through the model.
#[derive(Debug, Clone)]
pub struct Sequences {
    /// Token vectors `[batch, length, dim]`.
    pub tokens: Tensor<3>,
    /// `[batch, length]`, true where a token is real; `None` when padding counts as tokens.
    pub mask: Option<Tensor<2, Bool>>,
}

/// What a mechanism makes of token vectors.
#[derive(Debug, Clone)]
pub struct Attended {
    /// `[batch, queries, output_dim]`.
    pub tokens: Tensor<3>,
    /// `[batch, heads, queries, keys]`: how much each query drew from each key, before dropout. A row sums to 1, and
    /// has zeros at padding.
    pub weights: Tensor<4>,
}

/// An attention mechanism.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a model holds one of these")]
pub enum Attention {
    /// Keras' `Attention()([e, e])`.
    Dot(DotAttention),
    /// Linear queries, keys and values.
    ScaledDot(ScaledDotAttention),
    /// a·tanh(query + key).
    Additive(AdditiveAttention),
    /// Several heads and an output projection.
    MultiHead(MultiHeadAttention),
    /// Transformer encoder blocks.
    Transformer(Encoder),
    /// Two texts that look at each other.
    Bidirectional(BidirectionalAttention),
}

impl Attention {
    /// The mechanism of a config with initial weights, also for use outside a [`crate::Classifier`]; `None` for
    /// `attention.none`. Of `config` it reads `attention`, `embedding.dim`, and whether `positions` are rotary.
    pub fn init(config: &ModelConfig, init: &mut Initializer) -> Option<Self> {
        let dim = config.embedding.dim;
        let rotary = config.positions == Positions::Rotary;
        Some(match &config.attention {
            AttentionConfig::None(_) => return None,
            AttentionConfig::Dot(config) => Self::Dot(DotAttention::init(config, init)),
            AttentionConfig::ScaledDot(config) => Self::ScaledDot(ScaledDotAttention::init(config, dim, rotary, init)),
            AttentionConfig::Additive(config) => Self::Additive(AdditiveAttention::init(config, dim, init)),
            AttentionConfig::MultiHead(config) => {
                Self::MultiHead(MultiHeadAttention::init(dim, config.n_heads, rotary, config.dropout, init))
            }
            AttentionConfig::Transformer(config) => Self::Transformer(Encoder::init(config, dim, rotary, init)),
            AttentionConfig::Bidirectional(config) => {
                Self::Bidirectional(BidirectionalAttention::init(config, dim, init))
            }
        })
    }

    /// The mean over the tokens of what they become, `[batch, output_dim]`, without computing that for any of them. `None` where there is no such way: where something that is not linear stands
    /// between the attention and the mean, or weights are dropped out.
    pub(crate) fn mean(&self, texts: impl FnOnce() -> Sequences, device: &Device) -> Option<Tensor<2>> {
        match self {
            Self::Dot(attention) => attention.has_mean(device).then(|| attention.mean(texts())),
            Self::ScaledDot(attention) => attention.has_mean(device).then(|| attention.mean(texts())),
            Self::MultiHead(attention) => attention.has_mean(device).then(|| attention.mean(texts())),
            Self::Additive(_) | Self::Transformer(_) | Self::Bidirectional(_) => None,
        }
    }

    /// Lets the tokens look at each other. `texts` is one batch of texts, or two whose texts form pairs; only
    /// `Bidirectional` lets the two meet. Gives the texts with vectors `[batch, length, output_dim]`, and the weights
    /// `[batch, heads, queries, keys]`: one tensor for each text, for a transformer one for each block of each text.
    pub fn forward(&self, texts: Vec<Sequences>) -> (Vec<Sequences>, Vec<Tensor<4>>) {
        if let (Self::Bidirectional(attention), [first, second]) = (self, texts.as_slice()) {
            return attention.forward(first, second);
        }
        let mut weights = Vec::new();
        let mut attend = |tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>| {
            let attended = match self {
                Self::Dot(attention) => attention.forward(tokens, mask),
                Self::ScaledDot(attention) => attention.forward(tokens, mask),
                Self::Additive(attention) => attention.forward(tokens, mask),
                Self::MultiHead(attention) => attention.forward(tokens, mask),
                Self::Transformer(encoder) => {
                    let (tokens, of_blocks) = encoder.forward(tokens, mask);
                    weights.extend(of_blocks);
                    return tokens;
                }
                // A single text has nothing to look at: its tokens stay as they are.
                Self::Bidirectional(_) => return tokens,
            };
            weights.push(attended.weights);
            attended.tokens
        };
        let texts = texts
            .into_iter()
            .map(|text| Sequences { tokens: attend(text.tokens, text.mask.as_ref()), mask: text.mask })
            .collect();
        (texts, weights)
    }
}

/// Whether dropout changes anything on this device, which is the case where gradients are tracked.
pub(crate) fn drops(dropout: &Dropout, device: &Device) -> bool {
    dropout.prob > 0.0 && device.is_autodiff()
}
