//! Texts as ids, flat in memory, with figures on what was cut off. Does not tokenize.

use serde::{Deserialize, Serialize};

/// The ids of many texts in one piece of memory, in the order of the texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedTexts {
    ids: Vec<u32>,
    /// Text `i` is `ids[offsets[i]..offsets[i + 1]]`.
    offsets: Vec<usize>,
    /// How many texts lost tokens.
    pub n_truncated: usize,
    /// How many tokens the texts had.
    pub n_tokens: usize,
    /// How many of them were cut off.
    pub n_tokens_dropped: usize,
    /// How many of them are not in the vocabulary.
    pub n_unknown: usize,
    longest: usize,
}

/// Figures on an encoding, to judge `max_length` and the vocabulary by. Shares are between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EncodingStats {
    /// How many texts there are.
    pub texts: usize,
    /// The share of texts that lost tokens.
    pub truncated: f64,
    /// The share of tokens that were cut off.
    pub dropped: f64,
    /// The share of tokens, before cutting, that are not in the vocabulary.
    pub unknown: f64,
    /// Tokens per text before cutting, on average.
    pub mean_length: f64,
    /// Tokens of the longest text before cutting.
    pub max_length: usize,
}

/// The ids of one text, cut already, and what it was before.
pub(crate) struct EncodedText {
    pub(crate) ids: Vec<u32>,
    pub(crate) n_tokens: usize,
    pub(crate) n_unknown: usize,
}

impl EncodedTexts {
    /// Makes an empty collection with room for `texts` texts.
    pub(crate) fn with_capacity(texts: usize) -> Self {
        let mut offsets = Vec::with_capacity(texts + 1);
        offsets.push(0);
        Self { ids: Vec::new(), offsets, n_truncated: 0, n_tokens: 0, n_tokens_dropped: 0, n_unknown: 0, longest: 0 }
    }

    pub(crate) fn push(&mut self, text: &EncodedText) {
        let dropped = text.n_tokens - text.ids.len();
        self.ids.extend_from_slice(&text.ids);
        self.offsets.push(self.ids.len());
        self.n_truncated += usize::from(dropped > 0);
        self.n_tokens += text.n_tokens;
        self.n_tokens_dropped += dropped;
        self.n_unknown += text.n_unknown;
        self.longest = self.longest.max(text.n_tokens);
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ids of text `index`. Panics if there is no such text.
    pub fn ids(&self, index: usize) -> &[u32] {
        &self.ids[self.offsets[index]..self.offsets[index + 1]]
    }

    /// How many ids text `index` has. Panics if there is no such text.
    pub fn length(&self, index: usize) -> usize {
        self.offsets[index + 1] - self.offsets[index]
    }

    /// The figures; all shares are 0 where there is nothing to divide by.
    pub fn stats(&self) -> EncodingStats {
        let share = |part: usize, whole: usize| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        EncodingStats {
            texts: self.len(),
            truncated: share(self.n_truncated, self.len()),
            dropped: share(self.n_tokens_dropped, self.n_tokens),
            unknown: share(self.n_unknown, self.n_tokens),
            mean_length: share(self.n_tokens, self.len()),
            max_length: self.longest,
        }
    }
}
