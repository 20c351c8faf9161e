//! The arithmetic on slices of host memory, for one example or one piece of a table at a time. Knows no tensor and no thread:
//! each function computes in one fixed order.

mod lanes;
mod rows;
mod product;
mod attention;
mod shared;
mod query;
mod adam;

pub use adam::Adam;
pub(crate) use adam::adam;
pub(crate) use attention::{Attended, Attending, Normalizer, Scratch, backward, forward};
pub(crate) use lanes::WIDEST;
pub(crate) use query::{pool_by_query, pool_by_query_backward};
pub(crate) use rows::{Rows, sum_rows};
pub(crate) use shared::{backward_shared, is_narrow};
