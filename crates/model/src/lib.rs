//! Attention classifiers as Burn modules: embedding → positions → attention → pooling → head.
//!
//! A model is described by a [`ModelConfig`] and built on the [`burn::tensor::Device`] it is given. This crate
//! deliberately knows no backend, no file and no text: it turns token ids into logits.
//!
//! The modules are listed in the order of their imports: each uses only those above it.
#![recursion_limit = "256"] // the GPU backend's types nest deeply

mod config;
mod init;
mod mask;

mod attention;
mod pooling;
mod positions;

mod classifier;

mod rows;
mod shapes;
mod summary;
mod weights;

pub use attention::{
    AdditiveAttention, Attended, Attention, BidirectionalAttention, DotAttention, Encoder, EncoderBlock,
    MultiHeadAttention, ScaledDotAttention, Sequences, scaled_dot_product,
};
pub use classifier::{AttentionWeights, Classifier, Input, Sizes, Tokens};
pub use config::{
    Activation, AdditiveConfig, AttentionConfig, BidirectionalConfig, DotConfig, EmbeddingConfig, Head, HeadConfig,
    ModelConfig, MultiHeadConfig, NoneConfig, Norm, Padding, Pooling, Positions, ScaledDotConfig, ScoreMode,
    TransformerConfig, Truncate, WindowPool, WindowsConfig,
};
pub use init::Initializer;
pub use positions::sinusoidal;
pub use rows::Table;
pub use summary::{LayerSummary, Summary};
pub use weights::{Weight, WeightPath, WeightsError};
