//! Classifiers as Burn modules: encoder → pooling (beside n-grams) → head, where the encoder is a table of token vectors with
//! positions and attention.
//!
//! A model is described by a [`ModelConfig`] and built on the [`burn::tensor::Device`] it is given. This crate
//! deliberately knows no backend, no file and no text: it turns token ids into logits.
//!
//! The modules are listed in the order of their imports: each uses only those above it.
#![recursion_limit = "256"] // the GPU backend's types nest deeply

mod init;
mod outline;
mod texts;

mod mask;

mod attention;

mod config;

mod pooling;
mod positions;

mod encoder;

mod classifier;

mod rows;
mod summary;
mod weights;

pub use attention::*; // each mechanism with its options
pub use classifier::{AttentionWeights, Classifier, Input, Sizes};
pub use config::{
    EmbeddingConfig, Head, HeadConfig, ModelConfig, Padding, Pair, Pooling, Positions, Truncate, WindowPool,
    WindowsConfig,
};
pub use encoder::*; // each encoder with its options
pub use init::Initializer;
pub use positions::sinusoids;
pub use rows::Table;
pub use summary::{LayerSummary, Summary};
pub use texts::{Sequences, Tokens};
pub use weights::{Weight, WeightPath, WeightsError};
