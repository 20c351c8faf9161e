//! The JSON of a `tokenizer.json`.

use serde_json::{Map, Value, json};

/// The token that fills short rows; its id is 0 in a vocabulary made here.
pub(in crate::tokenizer) const PAD: &str = "[PAD]";
/// The token that stands for what is outside the vocabulary; its id is 1 in a vocabulary made here, if it is there.
pub(super) const UNKNOWN: &str = "[UNK]";

/// Tokens with their ids, in order.
pub(super) fn vocab<'a>(tokens: impl Iterator<Item = &'a str>) -> Map<String, Value> {
    tokens.zip(0u32..).map(|(token, id)| (token.to_owned(), Value::from(id))).collect()
}

/// A whole `tokenizer.json`.
pub(super) fn file(normalizer: &Value, pre_tokenizer: &Value, decoder: &Value, model: &Value) -> Value {
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [],
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": null,
        "decoder": decoder,
        "model": model,
    })
}
