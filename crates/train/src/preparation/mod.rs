//! Everything that goes before a training: memory and disk, weights to start from, data read and encoded. Changes no weight.

mod memory;
pub(crate) mod preflight;
pub(crate) mod start;
pub(crate) mod linear;
pub(crate) mod prepare;
mod examine;

pub use examine::examine;
pub use linear::{LinearAccount, Shares, ngram_characters};
pub use prepare::{Coverage, EncodedInputs, EncodedSplit, Held, Prepared, SplitAccount, limit, prepare};
pub use start::{Source, Start, StartAccount, WeightInit};
