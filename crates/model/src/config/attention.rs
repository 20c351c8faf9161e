//! The `[model.attention]` section: one mechanism, named by its key, with its options.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// `attention.none` has no options.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NoneConfig {}

/// Options of `attention.dot`, those of Keras' `Attention` layer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DotConfig {
    /// Whether the scores are multiplied by one trained number, 1 at the start. Default false, as Keras.
    pub use_scale: bool,
    /// How two tokens are scored. Default `dot`, as Keras.
    pub score_mode: ScoreMode,
    /// The share of attention weights set to zero while training, as Keras' `dropout`. Default 0.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
}

/// How Keras' `Attention` layer scores two tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScoreMode {
    /// Their dot product.
    #[default]
    Dot,
    /// w·Σ tanh(scale·(query + key)) with one trained number w. Memory grows with length² × width.
    Concat,
}

/// Options of `attention.scaled_dot`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScaledDotConfig {
    /// The width of queries, keys and values. Default: that of the embedding.
    #[schemars(range(min = 1, max = 8192))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dim: Option<usize>,
    /// The share of attention weights set to zero while training. Default 0.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
}

/// Options of `attention.additive`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdditiveConfig {
    /// The width of queries and keys. Default: that of the embedding.
    #[schemars(range(min = 1, max = 8192))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dim: Option<usize>,
    /// The share of attention weights set to zero while training. Default 0.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
}

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
    /// What bends the inner values of the feed-forward layer. Default `relu`, as in the source.
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

/// What bends the inner values of a feed-forward layer.
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

/// Options of `attention.bidirectional`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BidirectionalConfig {
    /// The width of a comparison. Default: that of the embedding.
    #[schemars(range(min = 1, max = 8192))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub d_compare: Option<usize>,
    /// The share of values set to zero while training, on the inputs of the comparison. Default 0.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
}
