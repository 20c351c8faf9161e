//! Texts to ids: tokenizers made here from texts, or loaded from a `tokenizer.json` that is looked through first. Does
//! not pad, and knows no batches.

mod truncation;
mod caught;
mod patterns;
mod guard;
mod steps;
mod words;
mod spelling;
mod trained;
mod encode;
mod encoder;
mod keras_vocabulary;
mod pruned;
mod pieces;
mod ngrams;

pub use encoder::TextEncoder;
pub use keras_vocabulary::KerasVocabulary;
pub use pieces::TokenPiece;
pub use truncation::{Truncation, TruncationSide};
