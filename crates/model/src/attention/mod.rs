//! The attention mechanisms, one file each. A mechanism maps token vectors `[batch, length, dim]` to token vectors of
//! the same length.

mod dot;
mod multi_head;
mod scaled_dot;
mod transformer;

use burn::module::Module;
use burn::tensor::{Bool, Tensor};

pub use dot::DotAttention;
pub use multi_head::MultiHeadAttention;
pub use scaled_dot::ScaledDotAttention;
pub use transformer::{Encoder, EncoderBlock};

use crate::config::AttentionConfig;
use crate::init::Initializer;

/// An attention mechanism.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a model holds one of these")]
pub enum Attention {
    /// Keras' `Attention()([e, e])`.
    Dot(DotAttention),
    /// Linear queries, keys and values.
    ScaledDot(ScaledDotAttention),
    /// Transformer encoder blocks.
    Transformer(Encoder),
}

impl Attention {
    pub(crate) fn init(config: &AttentionConfig, dim: usize, init: &mut Initializer) -> Option<Self> {
        match config {
            AttentionConfig::None(_) => None,
            AttentionConfig::Dot(config) => Some(Self::Dot(DotAttention::init(config))),
            AttentionConfig::ScaledDot(config) => Some(Self::ScaledDot(ScaledDotAttention::init(config, dim, init))),
            AttentionConfig::Transformer(config) => Some(Self::Transformer(Encoder::init(config, dim, init))),
        }
    }

    /// Lets the tokens look at each other: `[batch, length, dim]` → `[batch, length, output_dim]`. Positions that the
    /// mask hides receive no weight.
    pub fn forward(&self, tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Tensor<3> {
        match self {
            Self::Dot(attention) => attention.forward(tokens, mask),
            Self::ScaledDot(attention) => attention.forward(tokens, mask),
            Self::Transformer(encoder) => encoder.forward(tokens, mask),
        }
    }
}
