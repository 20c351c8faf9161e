//! Encoders, one file each: what reads the ids of texts and gives vectors of their tokens. Pooling, n-grams and head know
//! nothing else of one.

mod embedding;

use burn::module::Module;
use burn::nn::Embedding;
use burn::tensor::Tensor;

pub use embedding::{EmbeddingEncoder, EmbeddingEncoderConfig};

use crate::config::ModelConfig;
use crate::init::Initializer;
use crate::outline::{LayerOutline, WeightShapes};
use crate::pooling::Pool;
use crate::texts::{Sequences, Tokens};

/// What a config says of the encoder.
#[derive(Debug, Clone, Copy)]
pub enum EncoderConfig<'a> {
    /// A table of token vectors, positions, and an attention mechanism.
    Embedding(EmbeddingEncoderConfig<'a>),
}

/// An encoder.
#[derive(Module, Debug)]
pub enum Encoder {
    /// A table of token vectors, positions, and an attention mechanism.
    Embedding(EmbeddingEncoder),
}

impl ModelConfig {
    /// The encoder that the config describes.
    pub fn encoder(&self) -> EncoderConfig<'_> {
        EncoderConfig::Embedding(EmbeddingEncoderConfig {
            table: &self.embedding,
            positions: self.positions,
            attention: &self.attention,
            longest_row: self.longest_row(),
            dropout: self.dropout,
        })
    }
}

impl EncoderConfig<'_> {
    /// The encoder's own options, by which it answers for itself.
    pub(crate) fn options(&self) -> &dyn EncoderOptions {
        match self {
            Self::Embedding(config) => config,
        }
    }
}

impl Encoder {
    /// The encoder of its kind.
    pub(crate) fn kind(&self) -> &dyn Encode {
        match self {
            Self::Embedding(encoder) => encoder,
        }
    }

    /// The table of token vectors, `embedding.weight` of every encoder: a step may train some of its rows alone.
    pub(crate) fn table_mut(&mut self) -> &mut Embedding {
        match self {
            Self::Embedding(encoder) => &mut encoder.embedding,
        }
    }
}

/// What is asked of the options of an encoder.
pub(crate) trait EncoderOptions {
    /// The encoder of so many tokens with initial weights.
    fn init(&self, vocab_size: usize, init: &mut Initializer) -> Encoder;

    /// The weights of [`EncoderOptions::init`], in the order of its fields.
    fn shapes(&self, vocab_size: usize, shapes: &mut WeightShapes);

    /// Its layers, as a summary shows them.
    fn layers(&self) -> Vec<LayerOutline>;

    /// The width of the vector of a token, and of a pooled text.
    fn width(&self) -> usize;

    /// Whether it lets the two texts of a pair look at each other.
    fn compares_texts(&self) -> bool;
}

/// What is asked of an encoder.
pub(crate) trait Encode {
    /// The vectors `[batch, length, width]` of the tokens of one batch of texts, or of two whose texts form pairs; and the
    /// attention weights `[batch, heads, queries, keys]` by which they came to be.
    fn read(&self, texts: Vec<Tokens>) -> (Vec<Sequences>, Vec<Tensor<4>>);

    /// The pooled vector `[batch, width]` of each text without the vectors of its tokens, where the encoder can: several times
    /// as fast, and in memory that grows with the length alone.
    fn read_pooled(&self, texts: &Tokens, pooling: &Pool) -> Option<Tensor<2>>;

    /// Whether training changes the weight of this name, if it is one of the encoder's.
    fn trains(&self, weight: &str) -> bool;
}
