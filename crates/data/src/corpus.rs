//! The `[data]` section to labelled splits: one label set from the training split, the validation cut, fingerprints.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::{DataConfig, Validation};
use crate::error::{DataError, Location};
use crate::examples::{Examples, Split};
use crate::findings::{Findings, label_counts};
use crate::labels::Labels;
use crate::order::permutation;
use crate::reader::{RawExamples, hex, read_labelled};

/// All examples of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Corpus {
    /// The training examples, less those cut off for validation.
    pub train: Examples,
    /// The validation examples, if the config names any.
    pub validation: Option<Examples>,
    /// The test examples, if the config names any.
    pub test: Option<Examples>,
    /// The labels of the training split.
    pub labels: Labels,
    /// How the splits were made.
    pub manifest: SplitManifest,
    /// What is noteworthy about the examples.
    pub findings: Findings,
}

/// How the splits of a run were made: the content of `split.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitManifest {
    /// The training split.
    pub train: SplitRecord,
    /// The validation split.
    pub validation: Option<SplitRecord>,
    /// The test split.
    pub test: Option<SplitRecord>,
    /// Hexadecimal SHA-256 over the texts and label names of all splits in order. Moving or renaming a file does not
    /// change it; anything that changes what is trained or measured on does.
    pub fingerprint: String,
}

/// How one split was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitRecord {
    /// Which part of the file or folder it is.
    pub origin: SplitOrigin,
    /// The file or folder as the config names it.
    pub path: PathBuf,
    /// Hexadecimal SHA-256 of the file's bytes; of a folder, of the names and digests of its files in order.
    pub sha256: String,
    /// How many examples the file or folder holds.
    pub rows: usize,
    /// How many of them are in this split.
    pub examples: usize,
    /// Examples per label.
    pub labels: BTreeMap<String, usize>,
}

/// Which part of a file or folder a split is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitOrigin {
    /// All of a file.
    File,
    /// All of a folder.
    Folder,
    /// The share that was cut off.
    Cut {
        /// `data.validation.fraction`.
        fraction: f64,
        /// The seed that chose the examples.
        seed: u64,
    },
    /// What was left after a share was cut off.
    Rest {
        /// `data.validation.fraction`.
        fraction: f64,
        /// The seed that chose the examples.
        seed: u64,
    },
}

/// Loads every split that the config names.
///
/// The label set is that of the training file. A validation fraction is cut from it label by label, at random by `seed`;
/// both parts keep the order of the file.
///
/// # Errors
/// Any file that is missing, unreadable or not what the config says; a label in the validation or test file that the
/// training file lacks; a training file with fewer than two labels; a fraction that leaves nothing to validate on.
pub fn load_corpus(config: &DataConfig, seed: u64) -> Result<Corpus, DataError> {
    let raw = read_labelled(&config.train, config)?;
    let names = label_names(&raw, config)?;
    let labels = Labels::from_names(names.iter().copied());
    if let [label] = labels.names() {
        return Err(DataError::OneLabel { path: config.train.clone(), label: label.clone() });
    }
    let ids = names.iter().map(|name| labels.id(name).expect("the label set was made from these names")).collect();
    let train_file = LoadedFile::new(&config.train, &raw);
    let mut train = with_labels(raw, ids);

    let (train_record, validation) = match &config.validation {
        None => (train_file.record(train_file.whole(), &train, &labels), None),
        Some(Validation::Path(path)) => {
            let (validation, file) = read_with_labels(path, config, &labels)?;
            let record = file.record(file.whole(), &validation, &labels);
            (train_file.record(train_file.whole(), &train, &labels), Some((validation, record)))
        }
        Some(Validation::Fraction(fraction)) => {
            let fraction = *fraction;
            let validation;
            (train, validation) = cut(train, labels.len(), fraction, seed)?;
            let record = train_file.record(SplitOrigin::Cut { fraction, seed }, &validation, &labels);
            (train_file.record(SplitOrigin::Rest { fraction, seed }, &train, &labels), Some((validation, record)))
        }
    };
    let test = match &config.test {
        None => None,
        Some(path) => {
            let (test, file) = read_with_labels(path, config, &labels)?;
            let record = file.record(file.whole(), &test, &labels);
            Some((test, record))
        }
    };
    let (validation, validation_record) = validation.unzip();
    let (test, test_record) = test.unzip();

    let mut splits = vec![(Split::Train, &train)];
    splits.extend(validation.as_ref().map(|examples| (Split::Validation, examples)));
    splits.extend(test.as_ref().map(|examples| (Split::Test, examples)));
    let findings = Findings::of(&splits, &labels);
    let manifest = SplitManifest {
        train: train_record,
        validation: validation_record,
        test: test_record,
        fingerprint: fingerprint(&splits, &labels),
    };
    Ok(Corpus { train, validation, test, labels, manifest, findings })
}

/// Loads labelled examples for a label set that is fixed already, from a file laid out like the training file.
///
/// # Errors
/// The file is missing, unreadable or not what the config says, or has a label that is not in `labels`.
pub fn load_examples(path: &Path, config: &DataConfig, labels: &Labels) -> Result<Examples, DataError> {
    read_with_labels(path, config, labels).map(|(examples, _)| examples)
}

fn read_with_labels(path: &Path, config: &DataConfig, labels: &Labels) -> Result<(Examples, LoadedFile), DataError> {
    let raw = read_labelled(path, config)?;
    let mut ids = Vec::with_capacity(raw.texts.len());
    for (index, name) in label_names(&raw, config)?.into_iter().enumerate() {
        ids.push(labels.id(name).ok_or_else(|| DataError::UnknownLabel {
            at: location(&raw, index),
            label: name.to_owned(),
            known: labels.names().to_vec(),
        })?);
    }
    let file = LoadedFile::new(path, &raw);
    Ok((with_labels(raw, ids), file))
}

/// The label names of the examples: the values in the file, by way of `data.labels` if that has any.
fn label_names<'a>(raw: &'a RawExamples, config: &'a DataConfig) -> Result<Vec<&'a str>, DataError> {
    let mut names = Vec::with_capacity(raw.labels.len());
    for (index, value) in raw.labels.iter().enumerate() {
        names.push(if value.is_empty() {
            return Err(DataError::EmptyLabel { at: location(raw, index) });
        } else if config.labels.is_empty() {
            value.as_str()
        } else {
            config.labels.get(value).map(|name| name.trim()).ok_or_else(|| DataError::UnmappedLabel {
                at: location(raw, index),
                value: value.clone(),
                known: config.labels.keys().cloned().collect(),
            })?
        });
    }
    Ok(names)
}

fn location(raw: &RawExamples, index: usize) -> Location {
    let (file, line) = raw.places[index];
    Location { path: raw.files[file as usize].clone(), line: (line > 0).then_some(u64::from(line)) }
}

fn with_labels(raw: RawExamples, labels: Vec<u32>) -> Examples {
    Examples { texts: raw.texts, labels, files: raw.files, places: raw.places }
}

/// A file or folder that has been read, for the manifest.
struct LoadedFile {
    path: PathBuf,
    sha256: String,
    rows: usize,
    is_folder: bool,
}

impl LoadedFile {
    fn new(path: &Path, raw: &RawExamples) -> Self {
        Self { path: path.to_owned(), sha256: raw.sha256.clone(), rows: raw.texts.len(), is_folder: raw.is_folder }
    }

    fn whole(&self) -> SplitOrigin {
        if self.is_folder { SplitOrigin::Folder } else { SplitOrigin::File }
    }

    fn record(&self, origin: SplitOrigin, examples: &Examples, labels: &Labels) -> SplitRecord {
        SplitRecord {
            origin,
            path: self.path.clone(),
            sha256: self.sha256.clone(),
            rows: self.rows,
            examples: examples.len(),
            labels: label_counts(examples, labels),
        }
    }
}

/// Cuts `fraction` of the examples off, of every label its share; at least one example of each label stays.
///
/// The total is rounded to the nearest whole number; shares are rounded down and what is then missing goes to the labels
/// with the largest remainders. The examples of label `l` are drawn in the order `permutation(seed, 2^64 - 1 - l, n)`, a
/// stream that no epoch uses.
fn cut(train: Examples, n_labels: usize, fraction: f64, seed: u64) -> Result<(Examples, Examples), DataError> {
    let mut by_label: Vec<Vec<usize>> = vec![Vec::new(); n_labels];
    for (index, &label) in train.labels.iter().enumerate() {
        by_label[label as usize].push(index);
    }
    let shares: Vec<f64> = by_label.iter().map(|indices| indices.len() as f64 * fraction).collect();
    let mut counts: Vec<usize> = shares.iter().map(|share| share.floor() as usize).collect();
    let mut missing = ((train.len() as f64 * fraction).round() as usize).saturating_sub(counts.iter().sum());
    let mut by_remainder: Vec<usize> = (0..n_labels).collect();
    by_remainder.sort_by(|&a, &b| (shares[b].fract()).total_cmp(&shares[a].fract()));
    for label in by_remainder {
        if missing > 0 && counts[label] + 1 < by_label[label].len() {
            counts[label] += 1;
            missing -= 1;
        }
    }

    let mut wanted = vec![false; train.len()];
    for (label, indices) in by_label.iter().enumerate() {
        let order = permutation(seed, u64::MAX - label as u64, indices.len());
        for &position in order.iter().take(counts[label].min(indices.len().saturating_sub(1))) {
            wanted[indices[position]] = true;
        }
    }
    let examples = train.len();
    let (rest, taken) = train.split_off(&wanted);
    if taken.is_empty() {
        return Err(DataError::EmptyCut { fraction, examples });
    }
    Ok((rest, taken))
}

fn fingerprint(splits: &[(Split, &Examples)], labels: &Labels) -> String {
    let mut digest = Sha256::new();
    let mut field = |text: &str| {
        // The length in front keeps `ab`, `c` apart from `a`, `bc`.
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    };
    for (split, examples) in splits {
        field(&split.to_string());
        for (text, &label) in examples.texts.iter().zip(&examples.labels) {
            field(text);
            field(&labels.names()[label as usize]);
        }
    }
    hex(&digest.finalize())
}
