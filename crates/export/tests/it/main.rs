//! Exports of small classifiers of every kind, made without training.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bundle;
mod classifiers;
#[cfg(feature = "onnx-rerun")]
mod onnx;
mod torch;
