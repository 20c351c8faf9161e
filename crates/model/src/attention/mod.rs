//! The attention mechanisms, one file each: its options, its weights, how it is described, and what it computes. A
//! mechanism maps token vectors to token vectors of the same length and hands out the weights by which it did so.

mod additive;
mod bidirectional;
mod dot;
mod multi_head;
mod none;
mod rotary;
mod scaled_dot;
mod transformer;

use burn::module::Module;
use burn::nn::Dropout;
use burn::tensor::{Bool, Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use additive::{AdditiveAttention, AdditiveConfig};
pub use bidirectional::{BidirectionalAttention, BidirectionalConfig};
pub use dot::{DotAttention, DotConfig, ScoreMode};
pub use multi_head::{MultiHeadAttention, MultiHeadConfig};
pub use none::NoneConfig;
pub use rotary::rotations;
pub use scaled_dot::{ScaledDotAttention, ScaledDotConfig, scaled_dot_product};
pub use transformer::{Activation, Norm, Transformer, TransformerBlock, TransformerConfig};

use crate::init::Initializer;
use crate::outline::{LayerOutline, WeightShapes};
use crate::texts::{Sequences, Tokens};

/// How tokens look at each other. One mechanism, named by its key: `attention.dot = {}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttentionConfig {
    /// No attention: the text vector is pooled from the token vectors themselves (a bag of embeddings).
    None(NoneConfig),
    /// Keras' `Attention()([e, e])`: softmax(E·Eᵀ)·E, without projections. Fast, and each token's share of the
    /// decision is exact; it cannot express that one token changes the sign of another ("not good").
    Dot(DotConfig),
    /// Scaled dot-product self-attention with linear queries, keys and values (Vaswani et al. 2017, §3.2.1). It
    /// shares the limit of `dot`: attention chooses weights, never signs.
    ScaledDot(ScaledDotConfig),
    /// Additive self-attention (Bahdanau et al. 2015, §3.1 and §A.1.2; Keras' `AdditiveAttention` behind two dense
    /// layers): the score of two tokens is a·tanh(query + key), and the values are the tokens themselves. Memory grows
    /// with length² × width: keep `max_length` short.
    Additive(AdditiveConfig),
    /// Multi-head scaled dot-product self-attention with an output projection (Vaswani et al. 2017, §3.2.2; Keras'
    /// `MultiHeadAttention`): several patterns of attention side by side.
    MultiHead(MultiHeadConfig),
    /// Transformer encoder blocks: multi-head self-attention and a feed-forward layer, each with a residual
    /// (Vaswani et al. 2017, §3.1). The feed-forward layer composes tokens: choose it where negation and contrast
    /// decide.
    Transformer(TransformerConfig),
    /// For pairs of texts: each token of either text attends to the other text, is compared with what it found there,
    /// and the comparisons are pooled (Parikh et al. 2016). Needs two text columns.
    Bidirectional(BidirectionalConfig),
}

impl Default for AttentionConfig {
    fn default() -> Self {
        Self::Dot(DotConfig::default())
    }
}

impl AttentionConfig {
    /// The mechanism's own options, by which it answers for itself, and its name in a config.
    fn mechanism(&self) -> (&'static str, &dyn MechanismConfig) {
        match self {
            Self::None(config) => ("none", config),
            Self::Dot(config) => ("dot", config),
            Self::ScaledDot(config) => ("scaled_dot", config),
            Self::Additive(config) => ("additive", config),
            Self::MultiHead(config) => ("multi_head", config),
            Self::Transformer(config) => ("transformer", config),
            Self::Bidirectional(config) => ("bidirectional", config),
        }
    }

    /// Its name in a config.
    pub fn name(&self) -> &'static str {
        self.mechanism().0
    }

    /// The mechanism over these token vectors with initial weights; `None` for `attention.none`.
    pub fn init(&self, tokens: TokenVectors, init: &mut Initializer) -> Option<Attention> {
        self.mechanism().1.init(tokens, init)
    }

    /// Whether it lets the two texts of a pair look at each other.
    pub fn compares_texts(&self) -> bool {
        self.describe(TokenVectors { dim: 1, rotary: false }).compares_texts
    }

    /// What it is over these token vectors.
    pub(crate) fn describe(&self, tokens: TokenVectors) -> Description {
        self.mechanism().1.describe(tokens)
    }

    /// The weights of [`AttentionConfig::init`] over token vectors of `dim` numbers.
    pub(crate) fn shapes(&self, dim: usize, shapes: &mut WeightShapes) {
        self.mechanism().1.shapes(dim, shapes);
    }
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
    Transformer(Transformer),
    /// Two texts that look at each other.
    Bidirectional(BidirectionalAttention),
}

impl Attention {
    pub(crate) fn mechanism(&self) -> &dyn Mechanism {
        match self {
            Self::Dot(attention) => attention,
            Self::ScaledDot(attention) => attention,
            Self::Additive(attention) => attention,
            Self::MultiHead(attention) => attention,
            Self::Transformer(attention) => attention,
            Self::Bidirectional(attention) => attention,
        }
    }

    /// Lets the tokens look at each other. `texts` is one batch of texts, or two whose texts form pairs; only
    /// `Bidirectional` lets the two meet. Gives the texts with vectors `[batch, length, output_dim]`, and the weights
    /// `[batch, heads, queries, keys]`: one tensor for each text, for a transformer one for each block of each text.
    pub fn forward(&self, texts: Vec<Sequences>) -> (Vec<Sequences>, Vec<Tensor<4>>) {
        self.mechanism().attend(texts)
    }
}

/// What is asked of the options of a mechanism. Nothing is answered for one that does not.
pub(crate) trait MechanismConfig {
    /// The mechanism over these token vectors with initial weights; `None` if it leaves them as they are.
    fn init(&self, tokens: TokenVectors, init: &mut Initializer) -> Option<Attention>;

    /// The weights of [`MechanismConfig::init`] over token vectors of `dim` numbers, in the order of its fields.
    fn shapes(&self, dim: usize, shapes: &mut WeightShapes);

    /// What it is over these token vectors.
    fn describe(&self, tokens: TokenVectors) -> Description;
}

/// What is asked of a mechanism.
pub(crate) trait Mechanism {
    /// As [`Attention::forward`].
    fn attend(&self, texts: Vec<Sequences>) -> (Vec<Sequences>, Vec<Tensor<4>>);

    /// Mean-pooled output `[batch, output_dim]` without materialising the token outputs; `None` if impossible: where something
    /// that is not linear stands between the attention and the mean, or weights are dropped out.
    fn mean(&self, _texts: &dyn Fn() -> Sequences, _device: &Device) -> Option<Tensor<2>> {
        None
    }

    /// As [`Mechanism::mean`], of tokens that are rows of a table as they are there.
    fn mean_of_rows(&self, _table: Tensor<2>, _texts: &Tokens) -> Option<Tensor<2>> {
        None
    }
}

/// The token vectors that a mechanism is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenVectors {
    /// Their width.
    pub dim: usize,
    /// Whether queries and keys are turned by their positions; the config is checked for a mechanism that has them.
    pub rotary: bool,
}

impl TokenVectors {
    /// How a summary tells of rotary positions.
    fn turned(self) -> &'static str {
        if self.rotary { ", rotary" } else { "" }
    }
}

/// What a mechanism is, before it is built.
#[derive(Debug)]
pub(crate) struct Description {
    /// Its layers.
    pub layers: Vec<LayerOutline>,
    /// The width of a token vector behind it.
    pub width: usize,
    /// Its queries and keys.
    pub heads: Heads,
    /// Whether it lets the two texts of a pair look at each other.
    pub compares_texts: bool,
}

/// The queries and keys of a mechanism, with the key below `[model]` that decides their width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heads {
    /// It has none that positions could turn.
    None,
    /// Queries and keys of this width.
    One { key: &'static str, width: usize },
    /// `n` heads, which have the width of the token vectors in equal shares.
    Shares { key: &'static str, n: usize },
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

/// Lets the tokens of each text look at each other.
fn each(
    texts: Vec<Sequences>,
    attend: impl Fn(Tensor<3>, Option<&Tensor<2, Bool>>) -> Attended,
) -> (Vec<Sequences>, Vec<Tensor<4>>) {
    let attended = texts.into_iter().map(|Sequences { tokens, mask }| {
        let Attended { tokens, weights } = attend(tokens, mask.as_ref());
        (Sequences { tokens, mask }, weights)
    });
    attended.unzip()
}

/// Whether dropout changes anything on this device, which is the case where gradients are tracked.
pub(crate) fn drops(dropout: &Dropout, device: &Device) -> bool {
    dropout.prob > 0.0 && device.is_autodiff()
}
