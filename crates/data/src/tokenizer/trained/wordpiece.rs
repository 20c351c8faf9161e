//! WordPiece, whose pieces are merged as BPE merges them, by the tokenizer library.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokenizers::AddedToken;
use tokenizers::models::bpe::{BPE, BpeTrainer};

use super::file::{PAD, UNKNOWN, file, vocab};
use super::subwords;
use crate::config::WordpieceConfig;
use crate::error::DataError;
use crate::storage::Texts;
use crate::tokenizer::caught::caught;

/// What marks a piece inside a word.
const PREFIX: &str = "##";

/// A `tokenizer.json`.
pub(super) fn train(config: &WordpieceConfig, texts: &[&Texts]) -> Result<Value, DataError> {
    let normalizer = json!({
        "type": "BertNormalizer",
        "clean_text": true,
        "handle_chinese_chars": true,
        "strip_accents": !config.accents,
        "lowercase": config.lowercase,
    });
    let pre_tokenizer = json!({ "type": "BertPreTokenizer" });
    let mut words = subwords::words(&normalizer, &pre_tokenizer, texts, config.sample);
    let alphabet = subwords::alphabet(&words, config.vocab_size.saturating_sub(2), true);
    // A word with another character is unknown as a whole.
    words.retain(|(word, _)| word.chars().all(|c| alphabet.contains(&c)));
    let inner: BTreeSet<char> = words.iter().flat_map(|(word, _)| word.chars().skip(1)).collect();
    // The library would number the characters inside words in the order of a hash table, which also decides between
    // merges of the same frequency.
    let inner = inner.iter().map(|c| format!("{PREFIX}{c}"));
    let first = [PAD, UNKNOWN].map(str::to_owned).into_iter().chain(inner);
    let trainer = BpeTrainer::builder()
        .vocab_size(config.vocab_size)
        .min_frequency(config.min_count)
        .special_tokens(first.map(|token| AddedToken::from(token, true)).collect())
        .continuing_subword_prefix(PREFIX.to_owned())
        .show_progress(false)
        .build();
    let counts = words.iter().map(|(word, count)| (word.as_str().into(), *count)).collect();
    let mut merged = BPE::default();
    caught(|| trainer.do_train(&counts, &mut merged))
        .map_err(|reason| DataError::TokenizerTraining { kind: "wordpiece", reason })?;
    let mut pieces: Vec<(String, u32)> = merged.get_vocab().into_iter().collect();
    pieces.sort_unstable_by_key(|&(_, id)| id);
    let model = json!({
        "type": "WordPiece",
        "unk_token": UNKNOWN,
        "continuing_subword_prefix": PREFIX,
        "max_input_chars_per_word": 100,
        "vocab": vocab(pieces.iter().map(|(piece, _)| piece.as_str())),
    });
    let decoder = json!({ "type": "WordPiece", "prefix": PREFIX, "cleanup": true });
    Ok(file(&normalizer, &pre_tokenizer, &decoder, &model))
}
