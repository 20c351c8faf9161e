//! Texts to ids on all cores, in order; those of a large corpus by way of the cache. Knows no tokenizer.

use rayon::prelude::*;

use crate::error::DataError;
use crate::progress::{DataProgress, OnProgress};
use crate::storage::{EncodedText, EncodedTexts, EncodedTextsBuilder, Texts, cache};

/// Encodes every text on all cores, keeping their order; those of a large corpus by way of the cache, where `recipe`
/// stands for everything but the texts that decides what comes out.
pub(crate) fn in_order(
    texts: &Texts,
    recipe: impl FnOnce() -> String,
    encode: impl Fn(&str) -> Result<EncodedText, DataError> + Sync,
    on_progress: &OnProgress,
) -> Result<EncodedTexts, DataError> {
    if texts.is_large() {
        return cache::encoded(&cache::key(texts, &recipe()), texts, &encode, on_progress);
    }
    /// Few enough that the ids of a piece are small beside the texts.
    const PIECE: usize = 8192;
    let mut all = EncodedTextsBuilder::new();
    for start in (0..texts.len()).step_by(PIECE) {
        if !on_progress(&DataProgress::Encoding { done: start, total: texts.len() }) {
            return Err(DataError::Interrupted { kept: false });
        }
        let piece = start..texts.len().min(start + PIECE);
        let encoded: Vec<Result<EncodedText, DataError>> =
            piece.into_par_iter().with_min_len(16).map(|index| encode(texts.get(index))).collect();
        for text in encoded {
            all.push(&text?);
        }
    }
    all.finish()
}
