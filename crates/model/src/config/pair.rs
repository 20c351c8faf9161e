//! The `pair` key of a config: how an encoder that reads one text reads two.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a pair of texts is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pair {
    /// Each text by itself, with the same weights. Of their vectors u and v, the head sees u, v, |u − v| and u∘v (Conneau
    /// et al. 2017, "Supervised Learning of Universal Sentence Representations", §3.1).
    Compare,
    /// As one text, the second behind the first with the tokenizer's padding token between them, which no text holds: the
    /// attention lets their tokens look at each other. Together they have up to 2·`max_length` + 1 tokens.
    Join,
}
