//! Texts as ids, one behind the other in memory or in a file, with figures on what was cut off. Does not tokenize.

use std::borrow::Cow;
use std::fs::File;
use std::ops::AddAssign;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ends::Ends;
use super::numbers::{Growing, Storage, cache_dir};
use crate::error::DataError;

/// The ids of many texts, in the order of the texts. Clones share them.
#[derive(Debug, Clone)]
pub struct EncodedTexts {
    ids: Storage<u32>,
    ends: Arc<Ends>,
    counts: TokenCounts,
    /// Keeps others from writing to the files.
    _lock: Option<Arc<File>>,
}

/// Encoded texts that grow one by one.
#[derive(Debug)]
pub(crate) struct EncodedTextsBuilder {
    ids: Growing<u32>,
    ends: Ends,
    counts: TokenCounts,
}

/// What was counted while texts were encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct TokenCounts {
    /// Tokens before cutting.
    pub(crate) tokens: usize,
    /// Tokens that were cut off.
    pub(crate) dropped: usize,
    /// Texts that lost tokens.
    pub(crate) truncated: usize,
    /// Tokens that are not in the vocabulary.
    pub(crate) unknown: usize,
    /// Tokens of the longest text before cutting.
    pub(crate) longest: usize,
}

impl TokenCounts {
    /// What one text counts.
    pub(crate) fn of(text: &EncodedText) -> Self {
        let dropped = text.n_tokens - text.ids.len();
        Self {
            tokens: text.n_tokens,
            dropped,
            truncated: usize::from(dropped > 0),
            unknown: text.n_unknown,
            longest: text.n_tokens,
        }
    }
}

impl AddAssign for TokenCounts {
    fn add_assign(&mut self, other: Self) {
        self.tokens += other.tokens;
        self.dropped += other.dropped;
        self.truncated += other.truncated;
        self.unknown += other.unknown;
        self.longest = self.longest.max(other.longest);
    }
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

impl EncodedTextsBuilder {
    /// No texts yet.
    pub(crate) fn new() -> Self {
        Self { ids: Growing::new(), ends: Ends::default(), counts: TokenCounts::default() }
    }

    pub(crate) fn push(&mut self, text: &EncodedText) {
        self.ids.extend(&text.ids);
        self.ends.push(text.ids.len());
        self.counts += TokenCounts::of(text);
    }

    /// The texts in the order in which they came.
    ///
    /// # Errors
    /// [`DataError::Cache`] if there are too many to keep in memory and they could not be written to a scratch file.
    pub(crate) fn finish(self) -> Result<EncodedTexts, DataError> {
        let ids = self.ids.finish().map_err(|source| DataError::Cache { path: cache_dir(), source })?;
        Ok(EncodedTexts { ids, ends: Arc::new(self.ends), counts: self.counts, _lock: None })
    }
}

impl EncodedTexts {
    /// Texts in files that nobody writes to while `lock` is held.
    pub(crate) fn mapped(ids: Storage<u32>, ends: Ends, counts: TokenCounts, lock: File) -> Self {
        Self { ids, ends: Arc::new(ends), counts, _lock: Some(Arc::new(lock)) }
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ids of text `index`. Panics if there is no such text.
    pub fn ids(&self, index: usize) -> Cow<'_, [u32]> {
        self.ids.read(self.ends.range(index))
    }

    /// How many ids text `index` has. Panics if there is no such text.
    pub fn length(&self, index: usize) -> usize {
        self.ends.length(index)
    }

    /// These texts and behind them those of `others`.
    ///
    /// # Errors
    /// [`DataError::Cache`] if there are too many to keep in memory and they could not be written to a scratch file.
    pub fn joined(&self, others: &Self) -> Result<Self, DataError> {
        let mut builder = EncodedTextsBuilder::new();
        for texts in [self, others] {
            for index in 0..texts.len() {
                let ids = texts.ids(index);
                builder.ids.extend(&ids);
                builder.ends.push(ids.len());
            }
            builder.counts += texts.counts;
        }
        builder.finish()
    }

    /// The figures; all shares are 0 where there is nothing to divide by.
    pub fn stats(&self) -> EncodingStats {
        let share = |part: usize, whole: usize| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let TokenCounts { tokens, dropped, truncated, unknown, longest } = self.counts;
        EncodingStats {
            texts: self.len(),
            truncated: share(truncated, self.len()),
            dropped: share(dropped, tokens),
            unknown: share(unknown, tokens),
            mean_length: share(tokens, self.len()),
            max_length: longest,
        }
    }
}
