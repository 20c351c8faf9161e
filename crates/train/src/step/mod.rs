//! What a step computes with: seeds, rows of tables, gradients, the loss, the learning rate, the optimizer, the average
//! of weights. Knows no text, no file and no run.

pub(crate) mod seed;
mod rows;
pub(crate) mod gradients;
pub(crate) mod loss;
pub(crate) mod schedule;
pub(crate) mod optimizer;
pub(crate) mod average;

pub use optimizer::Optimizer;
