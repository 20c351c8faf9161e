//! The encoder that is trained from its start: a table of token vectors, positions, and an attention mechanism.

use attentive_ops::{embedding_pooling, query_pooling};
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Embedding};
use burn::tensor::Tensor;
use burn::tensor::module::embedding;

use super::{Encode, Encoder, EncoderOptions};
use crate::attention::{Attention, AttentionConfig, TokenVectors, drops};
use crate::config::{EmbeddingConfig, Positions};
use crate::init::Initializer;
use crate::outline::{LayerOutline, WeightShapes};
use crate::pooling::Pool;
use crate::positions::PositionVectors;
use crate::texts::{Sequences, Tokens};

/// What a config says of it.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddingEncoderConfig<'a> {
    /// The token vectors.
    pub table: &'a EmbeddingConfig,
    /// How it is told the order of the tokens.
    pub positions: Positions,
    /// How tokens look at each other.
    pub attention: &'a AttentionConfig,
    /// The most tokens of a text.
    pub longest_row: usize,
    /// The share of values set to zero on the embedded tokens while training.
    pub dropout: f64,
}

impl EmbeddingEncoderConfig<'_> {
    /// What the attention is given.
    pub(crate) fn token_vectors(&self) -> TokenVectors {
        TokenVectors { dim: self.table.dim, rotary: self.positions == Positions::Rotary }
    }
}

impl EncoderOptions for EmbeddingEncoderConfig<'_> {
    fn init(&self, vocab_size: usize, init: &mut Initializer) -> Encoder {
        let dim = self.table.dim;
        Encoder::Embedding(EmbeddingEncoder {
            embedding: init.table(vocab_size, dim, self.table.bound as f32),
            positions: PositionVectors::init(self.positions, self.longest_row, dim, init),
            dropout: DropoutConfig::new(self.dropout).init(),
            attention: self.attention.init(self.token_vectors(), init),
            frozen: self.table.frozen,
        })
    }

    fn shapes(&self, vocab_size: usize, shapes: &mut WeightShapes) {
        let dim = self.table.dim;
        shapes.table("embedding", vocab_size, dim);
        PositionVectors::shapes(self.positions, self.longest_row, dim, shapes);
        shapes.within("attention", |shapes| self.attention.shapes(dim, shapes));
    }

    fn layers(&self) -> Vec<LayerOutline> {
        let dim = self.table.dim;
        let table =
            LayerOutline::new("embedding", if self.table.frozen { "Embedding (frozen)" } else { "Embedding" }, dim);
        let positions = match self.positions {
            Positions::None | Positions::Rotary => None,
            Positions::Learned => Some(LayerOutline::new("positions", "Learned positions", dim)),
            Positions::Sinusoidal => Some(LayerOutline::new("positions", "Sinusoidal positions", dim)),
        };
        let attention = self.attention.describe(self.token_vectors()).layers;
        [table].into_iter().chain(positions).chain(attention).collect()
    }

    fn width(&self) -> usize {
        self.attention.describe(self.token_vectors()).width
    }

    fn compares_texts(&self) -> bool {
        self.attention.compares_texts()
    }
}

/// Embedding → positions → attention. Both texts of a pair pass through the same weights.
#[derive(Module, Debug)]
pub struct EmbeddingEncoder {
    pub(super) embedding: Embedding,
    positions: Option<PositionVectors>,
    dropout: Dropout,
    attention: Option<Attention>,
    frozen: bool,
}

impl EmbeddingEncoder {
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
}

impl Encode for EmbeddingEncoder {
    fn read(&self, texts: Vec<Tokens>) -> (Vec<Sequences>, Vec<Tensor<4>>) {
        let placed = texts.into_iter().map(|texts| self.embed(texts)).collect();
        match &self.attention {
            Some(attention) => attention.forward(placed),
            None => (placed, Vec::new()),
        }
    }

    fn read_pooled(&self, texts: &Tokens, pooling: &Pool) -> Option<Tensor<2>> {
        let Tokens { ids, mask } = texts.clone();
        let table = self.table();
        let device = table.device();
        let are_rows = self.positions.is_none() && !drops(&self.dropout, &device);
        match (&self.attention, pooling.query()) {
            (None, Some(query)) => are_rows.then(|| query_pooling(table, query, ids, mask.as_ref())),
            _ if !pooling.is_mean() => None,
            (None, _) => are_rows.then(|| embedding_pooling(table, ids, mask.as_ref(), None)),
            (Some(attention), _) => {
                let attention = attention.mechanism();
                let pooled = if are_rows { attention.mean_of_rows(table, texts) } else { None };
                pooled.or_else(|| attention.mean(&|| self.embed(texts.clone()), &device))
            }
        }
    }

    fn trains(&self, weight: &str) -> bool {
        !(self.frozen && weight == "embedding.weight")
    }
}
