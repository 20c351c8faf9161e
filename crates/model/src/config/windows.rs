//! The `[model.windows]` table of a config: how a text is read that is longer than the model's length.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Windows over a text that is longer than `max_length`. A text that fits into one is read as without windows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WindowsConfig {
    /// How many tokens behind the one before each window begins, at most `max_length`; the last ends with the text.
    /// Smaller strides cost more windows. Default 50, half
    /// the default `max_length`, so that every token has neighbours on both sides in one of its windows.
    #[schemars(range(min = 1, max = 65536))]
    pub stride: usize,
    /// What becomes of the windows' logits. Default `mean`.
    pub pool: WindowPool,
    /// The most windows of a text, which bounds time and memory; of a text that is longer still, `truncate` says which
    /// part is kept. Default 16.
    #[schemars(range(min = 1, max = 4096))]
    pub most: usize,
}

impl Default for WindowsConfig {
    fn default() -> Self {
        Self { stride: 50, pool: WindowPool::Mean, most: 16 }
    }
}

/// How the logits of a text's windows become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WindowPool {
    /// Their mean: all windows have a say.
    Mean,
    /// The largest of each output: for a label that one place in the text is enough for.
    Max,
}

impl WindowsConfig {
    /// How many tokens of a text the windows of `max_length` tokens reach.
    pub fn reach(&self, max_length: usize) -> usize {
        max_length.saturating_add((self.most - 1).saturating_mul(self.stride))
    }
}
