//! A trained classifier for other programs: safetensors with PyTorch code, ONNX and Keras; and what Keras trained, back.
//!
//! This crate prints nothing and names no backend. What it writes appears under its name when it is whole, or not at all;
//! what it reads has every byte under a SHA-256 that is verified before any parser sees it.
//!
//! The modules are listed in the order of their imports: each uses only those above it.
#![recursion_limit = "256"] // the GPU backend's types nest deeply

mod error;

mod pruned;

mod keras;
mod onnx;
mod torch;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use keras::fuzzing;

pub use error::ExportError;
pub use keras::{KerasModel, Trainable, order_of, write_keras};
#[cfg(feature = "onnx-rerun")]
pub use onnx::rerun_onnx;
pub use onnx::{Rerun, to_onnx, write_onnx};
pub use pruned::{Pruned, prune};
pub use torch::{Rounded, write_torch};
