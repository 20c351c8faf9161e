//! Training through the public interface, on tiny data.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test says why it skips a backend")]

mod accumulation;
mod backends;
mod batches;
mod configs;
mod divergence;
mod labels;
mod long_texts;
mod overfitting;
mod sparse;
mod tiny;
mod vectors;
