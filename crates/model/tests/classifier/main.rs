//! The classifier as its users see it, over every mechanism, position kind, pooling, head and backend: shapes, padding,
//! names and shapes of weights, loading, initial weights, attention weights, and outputs and gradients that numpy,
//! Keras and PyTorch computed independently.

#![allow(clippy::print_stdout, reason = "a test says why it skips a backend")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attention_weights;
mod golden;
mod gradients;
mod mechanism_golden;
mod nine_words;
mod padding;
mod pairs;
mod rows;
mod table;
mod weights;
