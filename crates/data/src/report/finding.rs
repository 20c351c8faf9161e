//! What a finding is: its kind, how much it matters, what it means, what to do, and examples with their places.

use serde::{Deserialize, Serialize};

use crate::error::thousands;
use crate::examples::Split;

/// How many examples a finding shows.
pub(super) const SHOWN: usize = 3;

/// A smaller share of the examples is a trifle.
pub(super) const TRIFLE: f64 = 0.005;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Figures or the model will be wrong in a way that is easy to miss.
    Warning,
    /// Worth knowing.
    Note,
}

/// What was found. The names are stable: programs may match them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Texts that are in two splits.
    Shared,
    /// Texts that are in two splits but for small changes.
    NearShared,
    /// Groups that are in two splits.
    SharedGroups,
    /// Rows that cannot be read and are left out, as `data.skip_bad_rows` allows.
    SkippedRows,
    /// Texts that have different labels within a split.
    ConflictingLabels,
    /// Labels without an example in the validation or test split.
    MissingLabels,
    /// Labels with very few training examples.
    RareLabels,
    /// Labels that differ only in case, white space, punctuation or Unicode form.
    SimilarLabels,
    /// Labels most of which have a single example, as identifiers have.
    LabelLikeIds,
    /// A text column whose texts are few and alike, as labels are.
    TextLikeLabels,
    /// A text column without words, as identifiers are.
    TextLikeIds,
    /// Text that was decoded by the wrong encoding at some time.
    Mojibake,
    /// The character that stands for bytes that could not be decoded.
    ReplacementCharacters,
    /// Characters that no text holds.
    ControlCharacters,
    /// Byte order marks inside texts.
    ByteOrderMarks,
    /// HTML tags.
    HtmlTags,
    /// HTML entities such as `&amp;`.
    HtmlEntities,
    /// Texts that are empty or only white space.
    EmptyTexts,
    /// Texts that repeat an earlier one of the same split.
    Duplicates,
    /// Texts that repeat an earlier one of the same split but for small changes.
    NearDuplicates,
    /// Labels of very unequal size.
    Imbalance,
    /// A split whose labels are distributed otherwise than those of the training split.
    LabelShift,
    /// A split that is too small for exact figures.
    SmallSplit,
    /// A file whose examples are sorted by label.
    SortedByLabel,
    /// Many texts lose tokens at `model.max_length`.
    Truncation,
    /// Many tokens are not in the vocabulary.
    UnknownTokens,
    /// Examples left out because of their label, as `data.drop` asks.
    DroppedExamples,
    /// Labels of the validation or test split that no training example has, left out as `data.unknown_labels` asks.
    UnknownLabels,
}

/// One thing that a user should know about the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataFinding {
    /// What was found.
    pub kind: FindingKind,
    /// How much it matters.
    pub severity: Severity,
    /// The splits it is about, in the order train, validation, test.
    pub splits: Vec<Split>,
    /// How many examples, labels or tokens, as the kind says.
    pub count: usize,
    /// The share of the examples or tokens of the last of the splits, from 0 to 1, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// The labels it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// What was found and what it means, one sentence.
    pub message: String,
    /// What to do about it, one sentence.
    pub remedy: String,
    /// Up to three examples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<FindingExample>,
}

/// An example of a finding: one place in the data, or two that belong together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingExample {
    /// The place, or the two, the earlier one first.
    pub places: Vec<Shown>,
    /// How alike two texts are: the Jaccard similarity of their sets of three words in a row, from 0.8 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f64>,
}

/// One example as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The split it is in.
    pub split: Split,
    /// The file, and the line where that is known: `train.csv:12`.
    pub place: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// The beginning of its text; of a pair the beginnings of both, with ` | ` between them.
    pub text: String,
}

impl DataFinding {
    /// A finding without share, labels and examples.
    pub(super) fn new(
        kind: FindingKind,
        severity: Severity,
        splits: &[Split],
        count: usize,
        message: String,
        remedy: impl Into<String>,
    ) -> Self {
        let remedy = remedy.into();
        let (splits, labels, examples) = (splits.to_vec(), Vec::new(), Vec::new());
        Self { kind, severity, splits, count, share: None, labels, message, remedy, examples }
    }

    /// Whether so few examples are touched that it is worth a line and no more.
    pub fn is_trifle(&self) -> bool {
        self.share.is_some_and(|share| share < TRIFLE)
    }

    pub(super) fn share(mut self, share: f64) -> Self {
        self.share = Some(share);
        self
    }

    pub(super) fn labels(mut self, labels: Vec<String>) -> Self {
        self.labels = labels;
        self
    }

    pub(super) fn examples(mut self, examples: Vec<FindingExample>) -> Self {
        self.examples = examples;
        self
    }
}

impl FindingExample {
    /// One place.
    pub(super) fn one(shown: Shown) -> Self {
        Self { places: vec![shown], similarity: None }
    }

    /// Two places.
    pub(super) fn two(first: Shown, second: Shown, similarity: Option<f64>) -> Self {
        Self { places: vec![first, second], similarity }
    }
}

/// `1234` texts as `1,234 texts`, one as `1 text`.
pub(super) fn many(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(n as u64), if n == 1 { "" } else { "s" })
}

/// One word for one thing, another for several.
pub(super) fn verb<'a>(n: usize, one: &'a str, several: &'a str) -> &'a str {
    if n == 1 { one } else { several }
}

/// `0.276` as ` (27.6 %)`.
pub(super) fn in_percent(share: f64) -> String {
    if share > 0.0 && share < 0.0005 { " (under 0.1 %)".to_owned() } else { format!(" ({:.1} %)", 100.0 * share) }
}

/// What it does to the figures of a split that a share of it is in another one.
pub(super) fn flattery(share: f64) -> &'static str {
    if share < TRIFLE { "" } else { ", so its figures flatter the model" }
}

pub(super) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
