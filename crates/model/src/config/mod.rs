//! The `[model]` section of a config: what the classifier is made of. Holds no tensors; [`crate::Classifier`] is
//! built from it.

mod pair;
mod windows;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use pair::Pair;
pub use windows::{WindowPool, WindowsConfig};

use crate::attention::{AttentionConfig, Heads, TokenVectors};

/// The classifier: token embeddings, positions, an attention mechanism, pooling, and a head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// The longest text in tokens, of a pair each text; of what is longer there stays the part that `truncate` says, unless `windows` reads
    /// all of it. Longer costs time: the attention scores grow with its square. Default 100, the length of the
    /// reference model.
    #[schemars(range(min = 1, max = 65536))]
    pub max_length: usize,
    /// Which part is kept of a text that is too long, of each text of a pair; n-grams are those of the same part. The
    /// tokens that a `tokenizer.json` puts in front of every text, such as `[CLS]`, are always kept. Default `head`.
    pub truncate: Truncate,
    /// Read a text that is longer than `max_length` in windows of `max_length` tokens, each classified like a text of its
    /// own beside the n-grams of the whole text, and pool their logits; the same in training, evaluation and prediction.
    /// Not for pairs of texts. Default: none, a long text is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows: Option<WindowsConfig>,
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
    /// How the two texts of a pair are read by a mechanism that does not bring them together itself, as
    /// `attention.bidirectional` does. Default: none, for single texts and for that mechanism.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<Pair>,
    /// How the token vectors become one text vector. Default `mean`.
    pub pooling: Pooling,
    /// What turns the text vector into probabilities. Default `auto`, by the labels.
    pub head: HeadConfig,
    /// The share of values set to zero while training, on the embedded tokens and on the pooled vector. Default 0,
    /// as in the reference model; 0.1 to 0.5 helps where training accuracy runs ahead of validation accuracy.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            max_length: 100,
            truncate: Truncate::Head,
            windows: None,
            masking: true,
            padding: Padding::Longest,
            embedding: EmbeddingConfig::default(),
            positions: Positions::None,
            attention: AttentionConfig::default(),
            pair: None,
            pooling: Pooling::Mean,
            head: HeadConfig::Auto,
            dropout: 0.0,
        }
    }
}

/// Which part is kept of a text that is too long (Sun et al. 2019, "How to Fine-Tune BERT for Text Classification",
/// §5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Truncate {
    /// Its beginning.
    Head,
    /// Its end, where reviews and letters often say what they come to.
    Tail,
    /// Half of each, one after the other.
    Both,
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
    /// Vectors that are not pretrained start at random between −`bound` and `bound`. Default 0.05, as Keras. Two
    /// random vectors of 1.0 are told apart by their dot product from the first step on, which lets
    /// `attention.bidirectional` find the words that two texts share.
    #[schemars(range(max = 10.0), extend("exclusiveMinimum" = 0.0))]
    pub bound: f64,
    /// Pretrained vectors to start from: a text file of word2vec, GloVe or fastText (`.vec`), one token and its
    /// numbers a line. Tokens that are not in it start as without a file. Default: none. Relative to the directory the
    /// command runs in. A run with a checkpoint is resumed without the file; to verify it, it must be the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vectors: Option<PathBuf>,
    /// Whether the token vectors stay as they start. Default false: they are trained. True keeps pretrained vectors of
    /// words that are rare or absent in training where they belong among the others.
    pub frozen: bool,
}

impl Default for EmbeddingConfig {
    fn default() -> Self {
        Self { dim: 64, bound: 0.05, vectors: None, frozen: false }
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
    /// Queries and keys are turned by an angle that grows with their position, so that a score depends on the distance
    /// of two tokens (Su et al. 2021, §3.2). For mechanisms with queries and keys: `scaled_dot`, `multi_head` and
    /// `transformer`. Needs an even width of each head.
    Rotary,
}

/// How the token vectors become one text vector; padding never counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The mean over the tokens of the text; without `masking`, over the padding too (Keras'
    /// `GlobalAveragePooling1D`).
    Mean,
    /// The largest value of each dimension over the tokens (Keras' `GlobalMaxPooling1D`).
    Max,
    /// The first token, for tokenizers that put a token such as `[CLS]` in front (Devlin et al. 2019, §3).
    First,
    /// A weighted mean whose weights are the softmax of each token's dot product with one trained query (Yang et al.
    /// 2016, §2.2, without its hidden layer).
    Attention,
}

/// What turns the text vector into probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeadConfig {
    /// One sigmoid for two labels, a softmax for more, and a sigmoid for each label with `data.multi_label`.
    Auto,
    /// One sigmoid, whose probability is that of the second of two labels; with `data.multi_label` one for each label.
    Sigmoid,
    /// A softmax over the labels, two included.
    Softmax,
}

/// What the head of a model computes: [`HeadConfig`] once the labels are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// One logit; its sigmoid is the probability of the second of two labels.
    Sigmoid,
    /// One logit for each label; their softmax are the probabilities.
    Softmax,
    /// One logit for each label, each with a sigmoid of its own: any number of labels may hold.
    MultiLabel,
}

impl HeadConfig {
    /// The head for a task; `None` where the config does not fit it: a single sigmoid for more than two labels, or a
    /// softmax for several labels per text.
    pub fn resolve(self, n_labels: usize, multi_label: bool) -> Option<Head> {
        match (self, multi_label) {
            (Self::Auto | Self::Sigmoid, true) => Some(Head::MultiLabel),
            (Self::Softmax, true) => None,
            (Self::Auto | Self::Sigmoid, false) if n_labels == 2 => Some(Head::Sigmoid),
            (Self::Sigmoid, false) => None,
            (Self::Auto | Self::Softmax, false) => Some(Head::Softmax),
        }
    }
}

impl Head {
    /// How many logits it computes.
    pub fn outputs(self, n_labels: usize) -> usize {
        match self {
            Self::Sigmoid => 1,
            Self::Softmax | Self::MultiLabel => n_labels,
        }
    }
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
        if let Some(windows) = &self.windows
            && windows.stride > self.max_length
        {
            problems.push((
                "windows.stride",
                format!(
                    "`stride` is {}, which leaves gaps between windows of {} tokens: it can be at most `max_length`",
                    windows.stride, self.max_length
                ),
            ));
        }
        if self.positions == Positions::Sinusoidal && !dim.is_multiple_of(2) {
            problems.push((
                "embedding.dim",
                format!("`positions = \"sinusoidal\"` pairs a sine with a cosine and needs an even `embedding.dim`, not {dim}"),
            ));
        }
        if self.pair.is_some() && self.attention.compares_texts() {
            problems.push((
                "pair",
                format!("`attention.{}` brings two texts together itself: leave `pair` out", self.attention.name()),
            ));
        }
        let tokens = TokenVectors { dim, rotary: self.positions == Positions::Rotary };
        match (self.attention.describe(tokens).heads, self.positions) {
            (Heads::Shares { key, n }, _) if !dim.is_multiple_of(n) => problems.push((
                key,
                format!(
                    "`n_heads` is {n}, but must divide `embedding.dim`, which is {dim}: each head takes an equal share"
                ),
            )),
            (heads, Positions::Rotary) => problems.extend(self.rotary_problem(heads)),
            (_, Positions::None | Positions::Learned | Positions::Sinusoidal) => {}
        }
        if self.embedding.frozen && self.embedding.vectors.is_none() {
            problems.push((
                "embedding.frozen",
                "`frozen = true` would keep random vectors as they are: name pretrained ones in `embedding.vectors`"
                    .to_string(),
            ));
        }
        problems
    }

    /// Rotary positions need queries and keys to turn, two numbers at a time.
    fn rotary_problem(&self, heads: Heads) -> Option<(&'static str, String)> {
        let (key, width) = match heads {
            Heads::One { key, width } => (key, width),
            Heads::Shares { key, n } => (key, self.embedding.dim / n),
            Heads::None => {
                return Some((
                    "positions",
                    format!(
                        "`positions = \"rotary\"` turns queries and keys, which `attention.{}` does not have: choose \
                         `scaled_dot`, `multi_head` or `transformer`, or other positions",
                        self.attention.name()
                    ),
                ));
            }
        };
        (!width.is_multiple_of(2)).then(|| {
            (
                key,
                format!(
                    "`positions = \"rotary\"` turns numbers in pairs and needs an even width of each head, not {width}"
                ),
            )
        })
    }

    /// The most tokens that the model reads at once: those of a text, or of two with one between them.
    pub fn longest_row(&self) -> usize {
        match self.pair {
            Some(Pair::Join) => 2 * self.max_length + 1,
            Some(Pair::Compare) | None => self.max_length,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attention::{MultiHeadConfig, ScaledDotConfig, TransformerConfig};

    fn keys(config: &ModelConfig) -> Vec<&'static str> {
        config.problems().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn options_that_exclude_each_other_are_named() {
        let config = ModelConfig {
            masking: false,
            positions: Positions::Sinusoidal,
            embedding: EmbeddingConfig { dim: 7, frozen: true, ..Default::default() },
            attention: AttentionConfig::Transformer(TransformerConfig { n_heads: 2, ..Default::default() }),
            ..Default::default()
        };
        assert_eq!(keys(&config), ["masking", "embedding.dim", "attention.transformer.n_heads", "embedding.frozen"]);
        assert!(ModelConfig::default().problems().is_empty());
    }

    #[test]
    fn rotary_positions_need_queries_and_keys_of_even_width() {
        let config = |attention, dim| ModelConfig {
            positions: Positions::Rotary,
            attention,
            embedding: EmbeddingConfig { dim, ..Default::default() },
            ..Default::default()
        };
        let scaled_dot = |dim| AttentionConfig::ScaledDot(ScaledDotConfig { dim, dropout: 0.0 });
        let multi_head = |n_heads| AttentionConfig::MultiHead(MultiHeadConfig { n_heads, dropout: 0.0 });
        assert_eq!(keys(&config(AttentionConfig::default(), 8)), ["positions"]);
        assert_eq!(keys(&config(scaled_dot(None), 7)), ["embedding.dim"]);
        assert_eq!(keys(&config(scaled_dot(Some(5)), 8)), ["attention.scaled_dot.dim"]);
        assert_eq!(keys(&config(scaled_dot(Some(4)), 7)), [""; 0]);
        assert_eq!(keys(&config(multi_head(4), 12)), ["attention.multi_head.n_heads"]);
        assert_eq!(keys(&config(multi_head(3), 12)), [""; 0]);
    }

    #[test]
    fn the_head_follows_from_the_labels() {
        assert_eq!(HeadConfig::Auto.resolve(2, false), Some(Head::Sigmoid));
        assert_eq!(HeadConfig::Auto.resolve(3, false), Some(Head::Softmax));
        assert_eq!(HeadConfig::Auto.resolve(2, true), Some(Head::MultiLabel));
        assert_eq!(HeadConfig::Softmax.resolve(2, false), Some(Head::Softmax));
        assert_eq!(HeadConfig::Sigmoid.resolve(3, false), None);
        assert_eq!(HeadConfig::Softmax.resolve(3, true), None);
    }
}
