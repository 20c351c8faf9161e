//! Encoded texts in batches: which examples go together in an epoch, and rows of ids as rectangles. Knows no tensors.

mod padded;
mod plan;

pub use padded::{Batch, PaddingStrategy, batch, by_length};
pub use plan::{BatchPlan, BatchSize, Extent, PlanSettings};
