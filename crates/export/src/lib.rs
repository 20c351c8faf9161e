//! A trained classifier to the outside. A bundle is a directory that whoever receives it can check, use and read
//! about; other formats are for other programs.
//!
//! This crate prints nothing and names no backend. What it writes appears under its name when it is whole, or not at all;
//! what it reads has every byte under a SHA-256 that is verified before any parser sees it.
//!
//! The modules are listed in the order of their imports: each uses only those above it.
#![recursion_limit = "256"] // the GPU backend's types nest deeply

mod error;

mod about;
mod examples;
mod labels;
mod pruned;
mod shipped;

mod manifest;
mod readme;

mod bundle;
mod keras;
mod onnx;
mod torch;

#[cfg(fuzzing)]
#[doc(hidden)]
pub use keras::fuzzing;

pub use about::{About, Measured, Trained};
pub use bundle::{Bundle, Verified, write_bundle};
pub use error::ExportError;
pub use examples::{OwnTexts, own_texts};
pub use keras::{KerasModel, Trainable, order_of, write_keras};
#[cfg(feature = "onnx-rerun")]
pub use onnx::rerun_onnx;
pub use onnx::{Rerun, to_onnx, write_onnx};
pub use pruned::{Pruned, prune};
pub use shipped::Shipped;
pub use torch::{Rounded, write_torch};
