//! The data report: what the splits hold and what is wrong with them. Computes and words it; does not print.

mod finding;
mod view;
mod balance;
mod left_out;
mod lengths;
mod same;
mod shingles;
mod near;
mod signs;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::corpus::Corpus;
use crate::error::DataError;
use crate::examples::{Examples, Split};
use crate::tokenizer::TextEncoder;

pub use finding::{DataFinding, FindingExample, FindingKind, Severity, Shown};
pub(crate) use lengths::TokenLengths;
pub use lengths::{Bin, LengthReport};
pub(crate) use shingles::is_unspaced;
pub(crate) use signs::holds_entity;

/// Files that are listed one by one; a folder of texts has more.
const FILES_LISTED: usize = 20;

/// All that `attentive check` tells of the data. The keys are stable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataReport {
    /// Tokens a text keeps: `model.max_length`, or what its windows reach.
    pub max_length: usize,
    /// Ids of the tokenizer.
    pub vocab_size: usize,
    /// The label names in the order of their ids.
    pub labels: Vec<String>,
    /// Whether an example has any number of labels.
    pub multi_label: bool,
    /// Whether each example is a pair of texts.
    pub pairs: bool,
    /// The splits that the config names, in the order train, validation, test.
    pub splits: Vec<SplitReport>,
    /// What a user should know, the most serious first.
    pub findings: Vec<DataFinding>,
}

/// What one split holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitReport {
    /// Which split it is.
    pub split: Split,
    /// How many examples it has.
    pub examples: usize,
    /// Where they come from; not more than 20 files.
    pub files: Vec<FileReport>,
    /// From how many files they come.
    pub n_files: usize,
    /// The labels in the order of their ids.
    pub labels: Vec<LabelReport>,
    /// Lengths of the texts; of pairs, of the first ones.
    pub lengths: LengthReport,
    /// Lengths of the second texts of pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_lengths: Option<LengthReport>,
}

/// A file of a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReport {
    /// The file as the config names it, or in the folder that the config names.
    pub path: PathBuf,
    /// How many examples of the split are in it.
    pub examples: usize,
}

/// A label in a split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelReport {
    /// Its name.
    pub label: String,
    /// How many examples have it.
    pub examples: usize,
    /// Their share of the examples, from 0 to 1.
    pub share: f64,
}

impl DataReport {
    /// Examines the splits as a model with this tokenizer reads them, on all cores.
    ///
    /// # Errors
    /// [`DataError::Encode`] if a loaded tokenizer fails on a text.
    pub fn of(corpus: &Corpus, encoder: &TextEncoder, max_length: usize, multi_label: bool) -> Result<Self, DataError> {
        let splits = [
            (Split::Train, Some(&corpus.train)),
            (Split::Validation, corpus.validation.as_ref()),
            (Split::Test, corpus.test.as_ref()),
        ];
        let splits: Vec<(Split, &Examples)> = splits.into_iter().filter_map(|(split, e)| Some((split, e?))).collect();
        let view = view::View::new(splits, &corpus.labels);

        let counts: Vec<Vec<usize>> =
            view.splits().iter().map(|(_, e)| e.targets.counts(corpus.labels.len())).collect();
        let mut findings = balance::findings(&view, &counts, multi_label);
        findings.extend(left_out::findings(corpus));
        let mut reports = Vec::new();
        let mut widths = None;
        for (&(split, examples), counts) in view.splits().iter().zip(&counts) {
            let first = lengths::TokenLengths::of(&examples.texts, encoder)?;
            let second =
                examples.seconds.as_ref().map(|texts| lengths::TokenLengths::of(texts, encoder)).transpose()?;
            // The bins of all splits are those of the first one.
            let (width, second_width) = *widths.get_or_insert_with(|| {
                (first.bin_width(), second.as_ref().map_or(1, lengths::TokenLengths::bin_width))
            });
            let first = first.lengths(max_length, width);
            let second = second.map(|second| second.lengths(max_length, second_width));
            let what = if second.is_some() { " (first texts)" } else { "" };
            findings.extend(lengths::findings(split, what, examples.len(), &first, max_length));
            if let Some(second) = &second {
                findings.extend(lengths::findings(split, " (second texts)", examples.len(), second, max_length));
            }
            reports.push(split_report(split, examples, counts, corpus.labels.names(), first, second));
        }
        let same = same::Same::of(&view);
        findings.extend(signs::findings(&view, &same));
        findings.extend(same.findings(&view));
        findings.extend(near::Near::of(&view, &same).findings(&view, &same));
        findings.sort_by_key(|found| (found.severity, found.kind));
        Ok(Self {
            max_length,
            vocab_size: encoder.vocab_size(),
            labels: corpus.labels.names().to_vec(),
            multi_label,
            pairs: corpus.train.seconds.is_some(),
            splits: reports,
            findings,
        })
    }
}

fn split_report(
    split: Split,
    examples: &Examples,
    counts: &[usize],
    names: &[String],
    lengths: LengthReport,
    second_lengths: Option<LengthReport>,
) -> SplitReport {
    let mut files: Vec<FileReport> = Vec::new();
    let mut n_files = 0;
    let mut last = None;
    // Examples are in the order of their files.
    for location in (0..examples.len()).filter_map(|index| examples.location(index)) {
        if last.as_ref() != Some(&location.path) {
            n_files += 1;
            if n_files <= FILES_LISTED {
                files.push(FileReport { path: location.path.clone(), examples: 0 });
            }
            last = Some(location.path);
        }
        if let Some(file) = files.last_mut().filter(|_| n_files <= FILES_LISTED) {
            file.examples += 1;
        }
    }
    let label = |(name, &n): (&String, &usize)| LabelReport {
        label: name.clone(),
        examples: n,
        share: finding::share(n, examples.len()),
    };
    let labels = names.iter().zip(counts).map(label).collect();
    SplitReport { split, examples: examples.len(), files, n_files, labels, lengths, second_lengths }
}
