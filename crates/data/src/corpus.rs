//! The `[data]` section to labelled splits: one label set from the training split, what label values mean,
//! fingerprints.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::DataConfig;
use crate::cut::cut;
use crate::error::DataError;
use crate::examples::{Examples, Split};
use crate::findings::{Findings, label_counts};
use crate::labels::Labels;
use crate::reader::{RawExamples, hex, read_labelled};
use crate::targets::Targets;
use crate::texts::TextsBuilder;
use crate::validation::Validation;

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
    /// Examples per label; an example with several labels counts for each.
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
/// The label set is that of the training file. A validation fraction is cut from it label by label, at random by
/// `seed`; both parts keep the order of the file. An example with several labels is cut with those of its rarest label.
///
/// # Errors
/// Any file that is missing, unreadable or not what the config says; a label in the validation or test file that the
/// training file lacks; a training file with fewer than two labels (with `multi_label`: without any); a fraction that
/// leaves nothing to validate on.
pub fn load_corpus(config: &DataConfig, seed: u64) -> Result<Corpus, DataError> {
    let raw = read_labelled(&config.train, config)?;
    let names = label_names(&raw, config)?;
    let labels = Labels::from_names(names.iter().flatten().copied());
    match labels.names() {
        [label] if !config.multi_label => {
            return Err(DataError::OneLabel { path: config.train.clone(), label: label.clone() });
        }
        [] => return Err(DataError::NoLabels { path: config.train.clone() }),
        _ => {}
    }
    let targets = targets(&raw, &names, &labels)?;
    let train_file = LoadedFile::new(&config.train, &raw);
    let mut train = examples(raw, targets)?;

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
            (train, validation) = cut(&train, labels.len(), fraction, seed)?;
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
        fingerprint: fingerprint(&splits, &labels, config.multi_label),
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
    let targets = targets(&raw, &label_names(&raw, config)?, labels)?;
    let file = LoadedFile::new(path, &raw);
    Ok((examples(raw, targets)?, file))
}

/// The label names of each example: the values in the file, by way of `data.labels` if that has any.
fn label_names<'a>(raw: &'a RawExamples, config: &'a DataConfig) -> Result<Vec<Vec<&'a str>>, DataError> {
    let name = |index: usize, value: &'a String| {
        if config.labels.is_empty() {
            return Ok(value.as_str());
        }
        config.labels.get(value).map(|name| name.trim()).ok_or_else(|| DataError::UnmappedLabel {
            at: raw.location(index),
            value: value.clone(),
            known: config.labels.keys().cloned().collect(),
        })
    };
    let mut names = Vec::with_capacity(raw.texts.len());
    for (index, values) in raw.labels.iter().enumerate() {
        if values.iter().any(String::is_empty) {
            let at = raw.location(index);
            return Err(if config.multi_label {
                DataError::EmptyInList { at, value: values.join(&config.label_separator) }
            } else {
                DataError::EmptyLabel { at }
            });
        }
        names.push(values.iter().map(|value| name(index, value)).collect::<Result<_, _>>()?);
    }
    Ok(names)
}

/// The ids of the names; a label that is named twice in an example counts once.
fn targets(raw: &RawExamples, names: &[Vec<&str>], labels: &Labels) -> Result<Targets, DataError> {
    let mut targets = Targets::default();
    let mut ids = Vec::new();
    for (index, names) in names.iter().enumerate() {
        ids.clear();
        for &name in names {
            ids.push(labels.id(name).ok_or_else(|| DataError::UnknownLabel {
                at: raw.location(index),
                label: name.to_owned(),
                known: labels.names().to_vec(),
            })?);
        }
        ids.sort_unstable();
        ids.dedup();
        targets.push(&ids);
    }
    Ok(targets)
}

fn examples(raw: RawExamples, targets: Targets) -> Result<Examples, DataError> {
    let seconds = raw.seconds.map(TextsBuilder::finish).transpose()?;
    Ok(Examples { texts: raw.texts.finish()?, seconds, targets, files: raw.files, places: raw.places })
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

/// Single texts with one label each are hashed as `text, label name`. Pairs and lists of labels are announced by what
/// no length can be, so that no two kinds of data have the same bytes.
fn fingerprint(splits: &[(Split, &Examples)], labels: &Labels, multi_label: bool) -> String {
    let mut digest = Sha256::new();
    // The length in front keeps `ab`, `c` apart from `a`, `bc`.
    let field = |digest: &mut Sha256, text: &str| {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    };
    for (split, examples) in splits {
        field(&mut digest, &split.to_string());
        if examples.seconds.is_some() {
            digest.update(u64::MAX.to_le_bytes());
        }
        if multi_label {
            digest.update((u64::MAX - 1).to_le_bytes());
        }
        for (index, ids) in examples.targets.iter().enumerate() {
            let (text, second) = examples.text(index);
            field(&mut digest, text);
            if let Some(second) = second {
                field(&mut digest, second);
            }
            if multi_label {
                digest.update((ids.len() as u64).to_le_bytes());
            }
            for &id in ids {
                field(&mut digest, &labels.names()[id as usize]);
            }
        }
    }
    hex(&digest.finalize())
}
