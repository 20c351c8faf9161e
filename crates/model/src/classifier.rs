//! The classifier: from token ids to logits.

use attentive_ops::{embedding_pooling, query_pooling};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Embedding, Linear};
use burn::tensor::Tensor;
use burn::tensor::module::embedding;

use crate::attention::{Attention, drops};
use crate::config::{Head, HeadConfig, ModelConfig};
use crate::init::Initializer;
use crate::outline::Shapes;
use crate::pooling::Pool;
use crate::positions::PositionVectors;
use crate::texts::{Sequences, Tokens};

/// What a classifier reads of a batch.
#[derive(Debug, Clone)]
pub struct Input {
    /// The texts.
    pub texts: Tokens,
    /// The second texts, if the examples are pairs.
    pub seconds: Option<Tokens>,
    /// The n-grams of the texts, as bucket ids with a mask, if the model has a table for them.
    pub ngrams: Option<Tokens>,
}

impl From<Tokens> for Input {
    fn from(texts: Tokens) -> Self {
        Self { texts, seconds: None, ngrams: None }
    }
}

/// What the data decides about a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Rows of the embedding table, at least 1.
    pub vocab_size: usize,
    /// Rows of the n-gram table, if there is one.
    pub buckets: Option<usize>,
    /// How many labels there are.
    pub n_labels: usize,
    /// What the head computes.
    pub head: Head,
}

impl Sizes {
    /// Those of a task with one label per text and no n-grams, with the head that follows from the labels.
    pub fn of_labels(vocab_size: usize, n_labels: usize) -> Self {
        let head = HeadConfig::Auto.resolve(n_labels, false).unwrap_or(Head::Softmax);
        Self { vocab_size, buckets: None, n_labels, head }
    }
}

/// How much each token counted, on its way to the text vector.
#[derive(Debug, Clone)]
pub struct AttentionWeights {
    /// `[batch, heads, queries, keys]`: for each text, or for each encoder block of each text. For pairs: the first
    /// text's tokens over the second's, then the second's over the first's.
    pub attention: Vec<Tensor<4>>,
    /// `[batch, length]` for each text, where pooling has a trained query.
    pub pooling: Vec<Tensor<2>>,
}

/// Embedding → positions → attention → pooling → head, with the mean of n-gram vectors beside the pooled tokens if the
/// model has a table for them (Joulin et al. 2017, §2.2). Both texts of a pair pass through the same weights.
#[derive(Module, Debug)]
pub struct Classifier {
    pub(crate) embedding: Embedding,
    positions: Option<PositionVectors>,
    dropout: Dropout,
    attention: Option<Attention>,
    pooling: Pool,
    pub(crate) ngrams: Option<Embedding>,
    head: Linear,
    pub(crate) frozen: bool,
}

impl ModelConfig {
    /// Builds the classifier with initial weights that depend on the stream of `init` alone.
    pub fn init(&self, sizes: &Sizes, init: &mut Initializer) -> Classifier {
        let dim = self.embedding.dim;
        Classifier {
            embedding: init.table(sizes.vocab_size, dim, self.embedding.bound as f32),
            positions: PositionVectors::init(self.positions, self.max_length, dim, init),
            dropout: DropoutConfig::new(self.dropout).init(),
            attention: self.attention.init(self.token_vectors(), init),
            pooling: Pool::init(self.pooling, self.attended_dim(), init),
            ngrams: sizes.buckets.map(|buckets| init.zero_table(buckets, dim)),
            head: init.linear(self.text_dim(sizes.buckets.is_some()), sizes.head.outputs(sizes.n_labels)),
            frozen: self.embedding.frozen,
        }
    }

    /// The name and shape of every weight of the model that [`ModelConfig::init`] builds for these sizes, in the same order.
    /// Nothing is allocated.
    pub fn weight_shapes(&self, sizes: &Sizes) -> Vec<(String, Vec<usize>)> {
        let dim = self.embedding.dim;
        let mut shapes = Shapes::default();
        shapes.table("embedding", sizes.vocab_size, dim);
        PositionVectors::shapes(self.positions, self.max_length, dim, &mut shapes);
        shapes.within("attention", |shapes| self.attention.shapes(dim, shapes));
        Pool::shapes(self.pooling, self.attended_dim(), &mut shapes);
        if let Some(buckets) = sizes.buckets {
            shapes.table("ngrams", buckets, dim);
        }
        shapes.linear("head", self.text_dim(sizes.buckets.is_some()), sizes.head.outputs(sizes.n_labels));
        shapes.found
    }
}

impl Classifier {
    /// The logits `[batch, outputs]` of a batch: one output with two labels and a sigmoid (of the second label), else
    /// one for each label. A text without tokens, or a pair without any, gets the head's bias.
    ///
    /// A model with a table for n-grams reads `ngrams`, and one with bidirectional attention `seconds`.
    pub fn forward(&self, input: impl Into<Input>) -> Tensor<2> {
        let Input { texts, seconds, ngrams } = input.into();
        let pooled = if seconds.is_none() { self.pool_at_once(&texts) } else { None };
        let mut parts = match pooled {
            Some(pooled) => vec![pooled],
            None => self.pool(texts, seconds).0,
        };
        if let (Some(table), Some(Tokens { ids, mask })) = (&self.ngrams, ngrams) {
            parts.push(embedding_pooling(table.weight.val(), ids, mask.as_ref(), None));
        }
        let text = if parts.len() == 1 { parts.swap_remove(0) } else { Tensor::cat(parts, 1) };
        self.head.forward(self.dropout.forward(text))
    }

    /// How much each token counted in a batch; nothing is dropped out unless the model is training.
    pub fn attention_weights(&self, input: impl Into<Input>) -> AttentionWeights {
        let Input { texts, seconds, .. } = input.into();
        self.pool(texts, seconds).1
    }

    /// The vector of each text, `[batch, attended_dim]`, by way of the vectors of its tokens and all attention weights.
    fn pool(&self, texts: Tokens, seconds: Option<Tokens>) -> (Vec<Tensor<2>>, AttentionWeights) {
        let placed: Vec<Sequences> = std::iter::once(texts).chain(seconds).map(|texts| self.embed(texts)).collect();
        let (attended, attention) = match &self.attention {
            Some(attention) => attention.forward(placed),
            None => (placed, Vec::new()),
        };
        let (vectors, pooling): (Vec<_>, Vec<_>) =
            attended.into_iter().map(|texts| self.pooling.forward(texts)).unzip();
        (vectors, AttentionWeights { attention, pooling: pooling.into_iter().flatten().collect() })
    }

    /// The vector of each text, `[batch, attended_dim]`, without those of its tokens, where the pooling makes that possible:
    /// several times as fast, and in memory that grows with the length alone.
    fn pool_at_once(&self, texts: &Tokens) -> Option<Tensor<2>> {
        let Tokens { ids, mask } = texts.clone();
        let table = self.table();
        let device = table.device();
        let are_rows = self.positions.is_none() && !drops(&self.dropout, &device);
        match (&self.attention, self.pooling.query()) {
            (None, Some(query)) => are_rows.then(|| query_pooling(table, query, ids, mask.as_ref())),
            _ if !self.pooling.is_mean() => None,
            (None, _) => are_rows.then(|| embedding_pooling(table, ids, mask.as_ref(), None)),
            (Some(attention), _) => {
                let attention = attention.mechanism();
                let pooled = if are_rows { attention.mean_of_rows(table, texts) } else { None };
                pooled.or_else(|| attention.mean(&|| self.embed(texts.clone()), &device))
            }
        }
    }

    fn table(&self) -> Tensor<2> {
        let table = self.embedding.weight.val();
        if self.frozen { table.detach() } else { table }
    }

    /// The token vectors with their positions, `[batch, length, dim]`.
    fn embed(&self, texts: Tokens) -> Sequences {
        let embedded = embedding(self.table(), texts.ids);
        let placed = match &self.positions {
            Some(positions) => positions.forward(embedded),
            None => embedded,
        };
        Sequences { tokens: self.dropout.forward(placed), mask: texts.mask }
    }

    /// How many logits the head computes.
    pub fn outputs(&self) -> usize {
        self.head.weight.dims()[1]
    }
}
