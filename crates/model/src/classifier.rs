//! The classifier: from token ids to logits.

use attentive_ops::embedding_pooling;
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Embedding, Linear};
use burn::tensor::Tensor;

use crate::config::{Head, HeadConfig, ModelConfig, Pair};
use crate::encoder::Encoder;
use crate::init::Initializer;
use crate::outline::WeightShapes;
use crate::pooling::Pool;
use crate::texts::Tokens;

/// What a classifier reads of a batch.
#[derive(Debug, Clone)]
pub struct Input {
    /// The texts; of pairs that are read as one, both.
    pub texts: Tokens,
    /// The second texts, if the examples are pairs that are read as two.
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
    /// `[batch, heads, queries, keys]`: for each text, or for each encoder block of each text. Where the attention brings the two
    /// texts of a pair together: the first text's tokens over the second's, then the second's over the first's.
    pub attention: Vec<Tensor<4>>,
    /// `[batch, length]` for each text, where pooling has a trained query.
    pub pooling: Vec<Tensor<2>>,
}

/// Encoder → pooling → head, with the mean of n-gram vectors beside the pooled tokens if the model has a table for them
/// (Joulin et al. 2017, §2.2).
#[derive(Module, Debug)]
pub struct Classifier {
    pub(crate) encoder: Encoder,
    dropout: Dropout,
    pooling: Pool,
    pub(crate) ngrams: Option<Embedding>,
    head: Linear,
    /// Whether the head sees how the two texts of a pair differ.
    compares: bool,
}

impl ModelConfig {
    /// Builds the classifier with initial weights that depend on the stream of `init` alone.
    pub fn init(&self, sizes: &Sizes, init: &mut Initializer) -> Classifier {
        let (encoder, has_ngrams) = (self.encoder(), sizes.buckets.is_some());
        Classifier {
            encoder: encoder.options().init(sizes.vocab_size, init),
            dropout: DropoutConfig::new(self.dropout).init(),
            pooling: Pool::init(self.pooling, encoder.options().width(), init),
            ngrams: sizes.buckets.map(|buckets| init.zero_table(buckets, self.embedding.dim)),
            head: init.linear(self.head_width(has_ngrams), sizes.head.outputs(sizes.n_labels)),
            compares: self.pair == Some(Pair::Compare),
        }
    }

    /// The name and shape of every weight of the model that [`ModelConfig::init`] builds for these sizes, in the same order.
    /// Nothing is allocated.
    pub fn weight_shapes(&self, sizes: &Sizes) -> Vec<(String, Vec<usize>)> {
        let encoder = self.encoder();
        let mut shapes = WeightShapes::default();
        encoder.options().shapes(sizes.vocab_size, &mut shapes);
        Pool::shapes(self.pooling, encoder.options().width(), &mut shapes);
        if let Some(buckets) = sizes.buckets {
            shapes.table("ngrams", buckets, self.embedding.dim);
        }
        shapes.linear("head", self.head_width(sizes.buckets.is_some()), sizes.head.outputs(sizes.n_labels));
        shapes.found
    }

    /// The width of what the head sees: the vectors of an example, and the n-grams.
    fn head_width(&self, has_ngrams: bool) -> usize {
        let of_texts = self.vectors_of_texts() * self.encoder().options().width();
        of_texts + if has_ngrams { self.embedding.dim } else { 0 }
    }

    /// How many vectors the head sees of the texts of an example.
    pub(crate) fn vectors_of_texts(&self) -> usize {
        if self.pair == Some(Pair::Compare) { 4 } else { self.rows_of_example() }
    }

    /// How many rows of ids the model reads of an example: two for a pair, unless it is read as one text.
    pub fn rows_of_example(&self) -> usize {
        match self.pair {
            Some(Pair::Compare) => 2,
            Some(Pair::Join) => 1,
            None if self.encoder().options().compares_texts() => 2,
            None => 1,
        }
    }

    /// Whether the model reads pairs of texts, and nothing else.
    pub fn reads_pairs(&self) -> bool {
        self.pair.is_some() || self.rows_of_example() == 2
    }
}

impl Classifier {
    /// The logits `[batch, outputs]` of a batch: one output with two labels and a sigmoid (of the second label), else
    /// one for each label. A text without tokens, or a pair without any, gets the head's bias.
    ///
    /// A model with a table for n-grams reads `ngrams`; one whose attention brings two texts together, or that compares them,
    /// reads `seconds`.
    pub fn forward(&self, input: impl Into<Input>) -> Tensor<2> {
        let Input { texts, seconds, ngrams } = input.into();
        let mut parts = self.vectors([texts].into_iter().chain(seconds).collect());
        if let (Some(table), Some(Tokens { ids, mask })) = (&self.ngrams, ngrams) {
            parts.push(embedding_pooling(table.weight.val(), ids, mask.as_ref(), None));
        }
        let text = if parts.len() == 1 { parts.swap_remove(0) } else { Tensor::cat(parts, 1) };
        self.head.forward(self.dropout.forward(text))
    }

    /// How much each token counted in a batch; nothing is dropped out unless the model is training.
    pub fn attention_weights(&self, input: impl Into<Input>) -> AttentionWeights {
        let Input { texts, seconds, .. } = input.into();
        self.pool([texts].into_iter().chain(seconds).collect()).1
    }

    /// What the head sees of the texts, `[batch, width]` each.
    fn vectors(&self, texts: Vec<Tokens>) -> Vec<Tensor<2>> {
        let at_once = |texts| self.encoder.kind().read_pooled(texts, &self.pooling);
        let pooled: Option<Vec<_>> = texts.iter().map(at_once).collect();
        let mut vectors = pooled.unwrap_or_else(|| self.pool(texts).0);
        if let (true, [u, v]) = (self.compares, vectors.as_slice()) {
            let (difference, product) = ((u.clone() - v.clone()).abs(), u.clone() * v.clone());
            vectors.extend([difference, product]);
        }
        vectors
    }

    /// The vector of each text, `[batch, width]`, by way of the vectors of its tokens and all attention weights.
    fn pool(&self, texts: Vec<Tokens>) -> (Vec<Tensor<2>>, AttentionWeights) {
        let (read, attention) = self.encoder.kind().read(texts);
        let (vectors, pooling): (Vec<_>, Vec<_>) = read.into_iter().map(|texts| self.pooling.forward(texts)).unzip();
        (vectors, AttentionWeights { attention, pooling: pooling.into_iter().flatten().collect() })
    }

    /// How many logits the head computes.
    pub fn outputs(&self) -> usize {
        self.head.weight.dims()[1]
    }
}
