//! The `[model]` section of a config: what the classifier is made of. Holds no tensors; [`crate::Classifier`] is
//! built from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The classifier: token embeddings, positions, an attention mechanism, pooling, and a head that follows from the
/// number of labels (one sigmoid for two labels, a softmax for more).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// The longest text in tokens; what is longer is cut at the end. Longer costs time: the attention scores grow
    /// with its square. Default 100, the length of the reference model.
    #[schemars(range(min = 1, max = 65536))]
    pub max_length: usize,
    /// Whether padding is hidden from attention and pooling. Default true: a prediction then does not depend on
    /// how far its text was padded. `false` reproduces Keras with `mask_zero=False`, where padding is a token like
    /// any other, and needs `padding = "max_length"`.
    pub masking: bool,
    /// How far the texts of a batch are padded. Default `longest`, which wastes the least.
    pub padding: Padding,
    /// The token vectors.
    pub embedding: EmbeddingConfig,
    /// How the model is told the order of the tokens. Default `none`: the text is a set of tokens, as in the
    /// reference model.
    pub positions: Positions,
    /// How tokens look at each other. Default `dot`, the reference model.
    pub attention: AttentionConfig,
    /// How the token vectors become one text vector. Default `mean`.
    pub pooling: Pooling,
    /// The share of values set to zero while training, on the embedded tokens and on the pooled vector. Default 0,
    /// as in the reference model; 0.1 to 0.5 helps where training accuracy runs ahead of validation accuracy.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            max_length: 100,
            masking: true,
            padding: Padding::Longest,
            embedding: EmbeddingConfig::default(),
            positions: Positions::None,
            attention: AttentionConfig::default(),
            pooling: Pooling::Mean,
            dropout: 0.0,
        }
    }
}

/// How far the texts of a batch are padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// To the longest text of the batch.
    Longest,
    /// To `max_length`, whatever the batch holds, as `keras.utils.pad_sequences` does.
    MaxLength,
}

/// The token vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EmbeddingConfig {
    /// The width of a token vector, and of everything up to the head. Default 64, as in the reference model.
    #[schemars(range(min = 1, max = 8192))]
    pub dim: usize,
}

impl Default for EmbeddingConfig {
    fn default() -> Self {
        Self { dim: 64 }
    }
}

/// How the model is told the order of the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Positions {
    /// Not at all.
    None,
    /// One trained vector for each position up to `max_length`, added to the token vector (Gehring et al. 2017, §3.1).
    Learned,
    /// Fixed sines and cosines, added to the token vectors after these are scaled by √dim (Vaswani et al. 2017, §3.4
    /// and §3.5). Needs an even `embedding.dim`.
    Sinusoidal,
}

/// How tokens look at each other. One mechanism, named by its key: `attention.dot = {}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttentionConfig {
    /// No attention: the text vector is pooled from the token vectors themselves (a bag of embeddings).
    None(NoneConfig),
    /// Keras' `Attention()([e, e])`: softmax(E·Eᵀ)·E, without weights of its own. Fast, and each token's share of
    /// the decision is exact; it cannot express that one token changes the sign of another ("not good").
    Dot(DotConfig),
    /// Scaled dot-product self-attention with linear queries, keys and values (Vaswani et al. 2017, §3.2.1). It
    /// shares the limit of `dot`: attention chooses weights, never signs.
    ScaledDot(ScaledDotConfig),
    /// Pre-norm transformer encoder blocks: multi-head self-attention and a feed-forward layer, each with a residual
    /// (Vaswani et al. 2017, §3.1; Xiong et al. 2020). The feed-forward layer composes tokens: choose it where
    /// negation and contrast decide.
    Transformer(TransformerConfig),
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

/// Options of `attention.dot`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DotConfig {
    /// The share of attention weights set to zero while training, as Keras' `dropout`. Default 0.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
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
    /// The share of values set to zero while training, on the attention weights and on both residual branches.
    /// Default 0.1, as in the source.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
}

impl Default for TransformerConfig {
    fn default() -> Self {
        Self { n_layers: 2, n_heads: 4, d_feed_forward: 128, dropout: 0.1 }
    }
}

/// How the token vectors become one text vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The mean over the tokens of the text; without `masking`, over the padding too (Keras'
    /// `GlobalAveragePooling1D`).
    Mean,
}

impl ModelConfig {
    /// What is wrong between options that are each in range: (key below `[model]`, what to change).
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let dim = self.embedding.dim;
        if !self.masking && self.padding == Padding::Longest {
            problems.push((
                "masking",
                "`masking = false` needs `padding = \"max_length\"`: a prediction would otherwise depend on the other \
                 texts of its batch"
                    .to_string(),
            ));
        }
        if self.positions == Positions::Sinusoidal && !dim.is_multiple_of(2) {
            problems.push((
                "embedding.dim",
                format!("`positions = \"sinusoidal\"` pairs a sine with a cosine and needs an even `embedding.dim`, not {dim}"),
            ));
        }
        if let AttentionConfig::Transformer(transformer) = &self.attention
            && !dim.is_multiple_of(transformer.n_heads)
        {
            problems.push((
                "attention.transformer.n_heads",
                format!(
                    "`n_heads` is {}, but must divide `embedding.dim`, which is {dim}: each head takes an equal share",
                    transformer.n_heads
                ),
            ));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_exclude_each_other_are_named() {
        let config = ModelConfig {
            masking: false,
            positions: Positions::Sinusoidal,
            embedding: EmbeddingConfig { dim: 7 },
            attention: AttentionConfig::Transformer(TransformerConfig { n_heads: 2, ..Default::default() }),
            ..Default::default()
        };
        let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["masking", "embedding.dim", "attention.transformer.n_heads"]);
        assert!(ModelConfig::default().problems().is_empty());
    }
}
