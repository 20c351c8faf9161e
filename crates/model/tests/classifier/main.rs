//! The classifier as its users see it, over every mechanism, position kind, number of labels and backend: shapes,
//! padding, names and shapes of weights, loading, initial weights, and logits that numpy computed independently.

#![allow(clippy::print_stdout, reason = "a test says why it skips a backend")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod golden;
mod padding;
mod table;
mod weights;
