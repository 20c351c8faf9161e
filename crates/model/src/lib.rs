//! Attention classifiers as Burn modules: embedding → positions → attention → pooling → head.
//!
//! A model is described by a [`ModelConfig`] and built on the [`burn::tensor::Device`] it is given. This crate
//! deliberately knows no backend, no file and no text: it turns token ids into logits.
//!
//! The modules are listed in the order of their imports: each uses only those above it.
#![recursion_limit = "256"] // the GPU backend's types nest deeply

mod attention;
mod classifier;
mod config;
mod init;
mod mask;
mod pooling;
mod positions;
mod summary;
mod weights;

pub use attention::{Attention, DotAttention, Encoder, EncoderBlock, MultiHeadAttention, ScaledDotAttention};
pub use classifier::{Classifier, Tokens};
pub use config::{
    AttentionConfig, DotConfig, EmbeddingConfig, ModelConfig, NoneConfig, Padding, Pooling, Positions, ScaledDotConfig,
    TransformerConfig,
};
pub use init::Initializer;
pub use positions::sinusoidal;
pub use summary::{LayerSummary, Summary};
pub use weights::{Weight, WeightPath, WeightsError};
