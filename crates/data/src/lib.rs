//! Labelled text files to examples to encoded batches: readers, splits, labels, tokenizers, batches, data order.
//!
//! Knows nothing of tensors, models or run directories, and prints nothing. Here, as in each group, a module imports only
//! modules above it. What a group makes public is in its `mod.rs`.

mod order;
mod progress;
mod fingerprint;
mod error;
mod config;
mod storage;
mod examples;
mod reader;
mod corpus;
mod tokenizer;
mod batch;
mod report;
mod sniff;

pub use batch::*;
pub use config::*;
pub use corpus::*;
pub use error::*;
pub use examples::*;
pub use order::*;
pub use progress::*;
pub use reader::*;
pub use report::*;
pub use sniff::*;
pub use storage::*;
pub use tokenizer::*;
