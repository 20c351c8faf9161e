//! Encoded splits as batches of tensors: windows of long texts, the rows that a batch uses, a thread that makes them ready.
//! Which examples go together is decided in the crate of the data.

mod windows;
pub(crate) mod batching;
pub(crate) mod loader;
