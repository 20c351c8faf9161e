//! Training through the public interface, on tiny data.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accumulation;
mod backends;
mod configs;
mod overfitting;
mod tiny;
