//! The classifier: from token ids to logits.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Embedding, Linear};
use burn::tensor::activation::{sigmoid, softmax};
use burn::tensor::{Bool, Int, Tensor};

use crate::attention::Attention;
use crate::config::{AttentionConfig, ModelConfig, Pooling};
use crate::init::Initializer;
use crate::pooling;
use crate::positions::PositionVectors;

/// A batch of texts as token ids.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Token ids `[batch, length]`; every id is below the model's vocabulary size.
    pub ids: Tensor<2, Int>,
    /// `[batch, length]`, true where a token is real; `None` when padding counts as tokens.
    pub mask: Option<Tensor<2, Bool>>,
}

/// Embedding → positions → attention → pooling → head.
///
/// With two labels the head is one sigmoid, whose probability is that of the second label; with more it is a softmax.
#[derive(Module, Debug)]
pub struct Classifier {
    embedding: Embedding,
    positions: Option<PositionVectors>,
    dropout: Dropout,
    attention: Option<Attention>,
    head: Linear,
}

impl ModelConfig {
    /// Builds the classifier with initial weights that depend on the stream of `init` alone.
    ///
    /// `vocab_size` is the number of embedding rows (at least 1), `n_labels` at least 2.
    pub fn init(&self, vocab_size: usize, n_labels: usize, init: &mut Initializer) -> Classifier {
        let dim = self.embedding.dim;
        let Pooling::Mean = self.pooling; // the one there is; `forward` calls it by name
        Classifier {
            embedding: init.embedding(vocab_size, dim),
            positions: PositionVectors::init(self.positions, self.max_length, dim, init),
            dropout: DropoutConfig::new(self.dropout).init(),
            attention: Attention::init(&self.attention, dim, init),
            head: init.linear(self.pooled_dim(), if n_labels == 2 { 1 } else { n_labels }),
        }
    }

    /// The width of the pooled vector.
    pub(crate) fn pooled_dim(&self) -> usize {
        match &self.attention {
            AttentionConfig::ScaledDot(config) => config.dim.unwrap_or(self.embedding.dim),
            AttentionConfig::None(_) | AttentionConfig::Dot(_) | AttentionConfig::Transformer(_) => self.embedding.dim,
        }
    }
}

impl Classifier {
    /// The logits of a batch: `[batch, 1]` with two labels (of the second label), else `[batch, n_labels]`. A text
    /// without tokens gets the head's bias.
    pub fn forward(&self, tokens: Tokens) -> Tensor<2> {
        let Tokens { ids, mask } = tokens;
        let mask = mask.as_ref();
        let embedded = self.embedding.forward(ids); // [batch, length, dim]
        let placed = match &self.positions {
            Some(positions) => positions.forward(embedded),
            None => embedded,
        };
        let placed = self.dropout.forward(placed);
        let attended = match &self.attention {
            Some(attention) => attention.forward(placed, mask),
            None => placed,
        };
        let pooled = pooling::mean(attended, mask); // [batch, dim]
        self.head.forward(self.dropout.forward(pooled))
    }

    /// The probabilities `[batch, n_labels]` of the labels; each row sums to 1.
    pub fn probabilities(&self, tokens: Tokens) -> Tensor<2> {
        let logits = self.forward(tokens);
        let [_, outputs] = logits.dims();
        if outputs == 1 {
            let second = sigmoid(logits.clone());
            Tensor::cat(vec![sigmoid(logits.neg()), second], 1)
        } else {
            softmax(logits, 1)
        }
    }

    /// How many labels the head tells apart.
    pub fn n_labels(&self) -> usize {
        match self.head.weight.dims()[1] {
            1 => 2,
            n => n,
        }
    }
}
