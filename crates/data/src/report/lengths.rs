//! How long the texts are in tokens, how many are cut, and what the vocabulary lacks.

use std::collections::HashMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::finding::{DataFinding, FindingKind, Severity, in_percent, many, share, verb};
use crate::error::DataError;
use crate::examples::Split;
use crate::storage::Texts;
use crate::tokenizer::TextEncoder;

/// So many texts, evenly spread, are searched for the most frequent unknown tokens.
const SEARCHED: usize = 100_000;
/// So many unknown tokens are listed.
const LISTED: usize = 10;
/// The histogram has at most so many bins, the open one included.
const BINS: usize = 11;

/// Lengths of the texts of a split in tokens, before anything is cut off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LengthReport {
    /// Tokens a text on average.
    pub mean: f64,
    /// Half of the texts have at most so many tokens.
    pub median: u32,
    /// 95 of 100 texts have at most so many.
    pub p95: u32,
    /// Tokens of the longest text.
    pub longest: u32,
    /// The share of texts that lose tokens at `model.max_length`, from 0 to 1.
    pub truncated: f64,
    /// The share of tokens that are lost, from 0 to 1.
    pub dropped: f64,
    /// The share of tokens that are not in the vocabulary, from 0 to 1.
    pub unknown: f64,
    /// How many texts have how many tokens; the bins are the same in all splits.
    pub histogram: Vec<Bin>,
    /// The most frequent tokens that are not in the vocabulary, in at most 100,000 texts.
    pub unknown_tokens: Vec<(String, u64)>,
}

/// One bin of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bin {
    /// The least number of tokens.
    pub from: u32,
    /// The largest number of tokens; `None` for the last bin, which has no end.
    pub to: Option<u32>,
    /// How many texts are in it.
    pub texts: usize,
}

/// The lengths of all texts of a split, ascending, and how many unknown tokens they have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TokenLengths {
    sorted: Vec<u32>,
    unknown: u64,
    unknown_tokens: Vec<(String, u64)>,
}

impl TokenLengths {
    /// Encodes the texts on all cores; four bytes a text are kept.
    pub(crate) fn of(texts: &Texts, encoder: &TextEncoder) -> Result<Self, DataError> {
        let encoded: Result<Vec<(u32, u32)>, DataError> = (0..texts.len())
            .into_par_iter()
            .with_min_len(64)
            .map(|index| {
                let (text, _) = encoder.encode_one(texts.get(index), 0)?;
                Ok((
                    u32::try_from(text.n_tokens).unwrap_or(u32::MAX),
                    u32::try_from(text.n_unknown).unwrap_or(u32::MAX),
                ))
            })
            .collect();
        let encoded = encoded?;
        let unknown = encoded.iter().map(|(_, unknown)| u64::from(*unknown)).sum();
        let mut sorted: Vec<u32> = encoded.into_iter().map(|(length, _)| length).collect();
        sorted.par_sort_unstable();
        let unknown_tokens = if unknown > 0 { unknown_tokens(texts, encoder) } else { Vec::new() };
        Ok(Self { sorted, unknown, unknown_tokens })
    }

    /// The length that this share of the texts does not exceed.
    pub(crate) fn quantile(&self, share: f64) -> u32 {
        let position = (self.sorted.len() as f64 * share).ceil() as usize;
        self.sorted.get(position.saturating_sub(1)).copied().unwrap_or(0)
    }

    /// How many tokens the texts have behind the first `max_length`, and how many at all.
    pub(crate) fn lost_tokens(&self, max_length: u32) -> (u64, u64) {
        let cut = self.sorted.partition_point(|&length| length <= max_length);
        let lost = self.sorted[cut..].iter().map(|&length| u64::from(length - max_length)).sum();
        (lost, self.sorted.iter().map(|&length| u64::from(length)).sum())
    }

    /// The width of the bins of a histogram that shows these lengths and `max_length` well: 1, 2 or 5 times a power of
    /// ten, so that 99 % of the texts are in the closed bins.
    pub(super) fn bin_width(&self) -> u32 {
        let wanted = self.quantile(0.99).div_ceil(BINS as u32 - 1).max(1);
        let nice = (0..9).flat_map(|power| [1, 2, 5].map(|digit| digit * 10u32.pow(power)));
        nice.into_iter().find(|&width| width >= wanted).unwrap_or(wanted)
    }

    /// The figures.
    pub(super) fn lengths(self, max_length: usize, bin_width: u32) -> LengthReport {
        let kept = u32::try_from(max_length).unwrap_or(u32::MAX);
        let cut = self.sorted.partition_point(|&length| length <= kept);
        let (lost, tokens) = self.lost_tokens(kept);
        let of_tokens = |part: u64| if tokens == 0 { 0.0 } else { part as f64 / tokens as f64 };
        let mut histogram = Vec::new();
        let mut counted = 0;
        for bin in 0..BINS as u32 {
            let from = bin * bin_width + u32::from(bin > 0);
            let to = Some((bin + 1).saturating_mul(bin_width)).filter(|_| bin + 1 < BINS as u32);
            let end = to.map_or(self.sorted.len(), |to| self.sorted.partition_point(|&length| length <= to));
            histogram.push(Bin { from, to, texts: end - counted });
            counted = end;
        }
        LengthReport {
            mean: tokens as f64 / self.sorted.len().max(1) as f64,
            median: self.quantile(0.5),
            p95: self.quantile(0.95),
            longest: self.sorted.last().copied().unwrap_or(0),
            truncated: share(self.sorted.len() - cut, self.sorted.len()),
            dropped: of_tokens(lost),
            unknown: of_tokens(self.unknown),
            histogram,
            unknown_tokens: self.unknown_tokens,
        }
    }
}

/// The most frequent tokens that are not in the vocabulary, for tokenizers that are made here.
fn unknown_tokens(texts: &Texts, encoder: &TextEncoder) -> Vec<(String, u64)> {
    let Some(words) = encoder.words() else { return Vec::new() };
    let mut counts: HashMap<String, u64> = HashMap::new();
    for index in (0..texts.len()).step_by(texts.len().div_ceil(SEARCHED).max(1)) {
        words.splitter().split(texts.get(index), |token| {
            if encoder.id(token).is_none() {
                *counts.entry(token.to_owned()).or_default() += 1;
            }
        });
    }
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(LISTED);
    counts
}

/// What is noteworthy about the lengths of a split; `what` says which of the texts.
pub(super) fn findings(
    split: Split,
    what: &str,
    texts: usize,
    lengths: &LengthReport,
    max_length: usize,
) -> Vec<DataFinding> {
    let mut findings = Vec::new();
    if split == Split::Train && lengths.truncated > 0.1 {
        let n = (lengths.truncated * texts as f64).round() as usize;
        let message = format!(
            "{} of {split}{what} {} longer than `model.max_length` = {max_length}{}: {:.1} % of all tokens are never read",
            many(n, "text"),
            verb(n, "is", "are"),
            in_percent(lengths.truncated),
            100.0 * lengths.dropped
        );
        let remedy =
            format!("95 of 100 texts have at most {} tokens: raise `model.max_length` if time allows", lengths.p95);
        findings.push(
            DataFinding::new(FindingKind::Truncation, Severity::Note, &[split], n, message, remedy)
                .share(lengths.truncated),
        );
    }
    if lengths.unknown > 0.1 {
        let n = (lengths.unknown * lengths.mean * texts as f64).round() as usize;
        let frequent: Vec<String> =
            lengths.unknown_tokens.iter().take(5).map(|(token, _)| format!("`{token}`")).collect();
        let message = format!(
            "{} of {split}{what} {} not in the vocabulary{}{}",
            many(n, "token"),
            verb(n, "is", "are"),
            in_percent(lengths.unknown),
            if frequent.is_empty() { String::new() } else { format!(", most often {}", frequent.join(", ")) }
        );
        let remedy = if split == Split::Train {
            "raise `vocab_size` of the tokenizer, or use `tokenizer.char`"
        } else {
            "these texts are unlike those of train, or train is too small: character n-grams (`features`) or `tokenizer.char` read unknown words"
        };
        findings.push(
            DataFinding::new(FindingKind::UnknownTokens, Severity::Note, &[split], n, message, remedy)
                .share(lengths.unknown),
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{TokenizerConfig, WordConfig};

    #[test]
    fn figures_by_hand() {
        let words = |n: usize| vec!["a"; n].join(" ");
        let texts: Texts = [words(1), words(2), words(3), format!("{} b", words(3)), words(30)].into_iter().collect();
        let config = TokenizerConfig::Word(WordConfig { vocab_size: 3, ..WordConfig::default() });
        let encoder = TextEncoder::train(&config, &texts).unwrap();
        let measured = TokenLengths::of(&texts, &encoder).unwrap();
        // 99 % of five texts is all of them: 30 tokens in ten bins are three each, rounded up to five.
        assert_eq!(measured.bin_width(), 5);
        let lengths = measured.lengths(3, 5);
        // Lengths 1, 2, 3, 4, 30: 40 tokens, of which 1 and 27 are lost; one `b` is unknown.
        assert_eq!((lengths.mean, lengths.median, lengths.p95, lengths.longest), (8.0, 3, 30, 30));
        assert_eq!((lengths.truncated, lengths.dropped, lengths.unknown), (0.4, 0.7, 0.025));
        assert_eq!(lengths.unknown_tokens, [("b".to_owned(), 1)]);
        let bins: Vec<_> = lengths.histogram.iter().map(|bin| (bin.from, bin.to, bin.texts)).collect();
        assert_eq!(bins[..2], [(0, Some(5), 4), (6, Some(10), 0)]);
        assert_eq!(bins[5], (26, Some(30), 1));
        assert_eq!((bins.len(), bins[10]), (11, (51, None, 0)));
        let kinds: Vec<_> = findings(Split::Train, "", 5, &lengths, 3).iter().map(|f| (f.kind, f.count)).collect();
        assert_eq!(kinds, [(FindingKind::Truncation, 2)]);
    }
}
