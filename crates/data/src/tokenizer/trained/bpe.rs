//! Byte-level BPE, merged by the tokenizer library. Its alphabet is the 256 bytes, so nothing is unknown.

use serde_json::{Value, json};
use tokenizers::AddedToken;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

use super::file::{PAD, file};
use super::subwords;
use crate::config::BpeConfig;
use crate::error::DataError;
use crate::storage::Texts;
use crate::tokenizer::caught::caught;

/// A `tokenizer.json`.
pub(super) fn train(config: &BpeConfig, texts: &[&Texts]) -> Result<Value, DataError> {
    let normalizer = subwords::normalizer(config.lowercase);
    // The space that is put before a text makes its first word the same piece as anywhere else.
    let byte_level = json!({ "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true });
    let words = subwords::words(&normalizer, &byte_level, texts, config.sample);
    let trainer = BpeTrainer::builder()
        .vocab_size(config.vocab_size)
        .min_frequency(config.min_count)
        .special_tokens(vec![AddedToken::from(PAD, true)])
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .show_progress(false)
        .build();
    let counts = words.iter().map(|(word, count)| (word.as_str().into(), *count)).collect();
    let mut model = BPE::default();
    let trained = caught(|| trainer.do_train(&counts, &mut model))
        .and_then(|_| serde_json::to_value(&model).map_err(|error| error.to_string()));
    let model = trained.map_err(|reason| DataError::TokenizerTraining { kind: "bpe", reason })?;
    Ok(file(&normalizer, &byte_level, &byte_level, &model))
}
