//! Texts and their ids in columns: in memory while they are small, else in a scratch file; and the cache of ids on the
//! disk. Reads no file of a user.

mod mapped;
mod numbers;
mod ends;
mod texts;
mod encoded;
pub(crate) mod cache;

pub(crate) use encoded::{EncodedText, EncodedTextsBuilder};
pub use encoded::{EncodedTexts, EncodingStats};
pub use numbers::cache_dir;
pub use texts::{Texts, TextsBuilder};
