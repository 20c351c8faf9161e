//! The `[data]` section to labelled splits: one label set from the training split, and fingerprints.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::DataConfig;
use crate::cut::cut;
use crate::error::DataError;
use crate::examples::{Examples, Split};
use crate::files_config::Files;
use crate::findings::{Findings, label_counts};
use crate::labels::Labels;
use crate::reader::{RawExamples, hex, read_labelled};
use crate::records::FilesRecord;
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
    /// The files or folder, and what was left out of them.
    #[serde(flatten)]
    pub from: FilesRecord,
    /// How many examples are in this split.
    pub examples: usize,
    /// Examples per label; an example with several labels counts for each.
    pub labels: BTreeMap<String, usize>,
}

/// Which part of a file or folder a split is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitOrigin {
    /// All of the files.
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
    let raw = read_labelled(&config.train, config, true)?;
    let labels = Labels::from_names(used_names(&raw));
    match labels.names() {
        [label] if !config.multi_label => {
            return Err(DataError::OneLabel { files: config.train.to_string(), label: label.clone() });
        }
        [] => return Err(DataError::NoLabels { files: config.train.to_string() }),
        _ => {}
    }
    let targets = targets(&raw, &labels)?;
    let train_file = LoadedFile::new(&raw);
    let mut train = examples(raw, targets);

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

/// Loads labelled examples for a label set that is fixed already, from a file laid out like the training file, or from
/// all files that a pattern matches.
///
/// # Errors
/// The file is missing, unreadable or not what the config says, or has a label that is not in `labels`.
pub fn load_examples(path: &Path, config: &DataConfig, labels: &Labels) -> Result<Examples, DataError> {
    read_with_labels(&Files::from(path), config, labels).map(|(examples, _)| examples)
}

fn read_with_labels(files: &Files, config: &DataConfig, labels: &Labels) -> Result<(Examples, LoadedFile), DataError> {
    let raw = read_labelled(files, config, false)?;
    let targets = targets(&raw, labels)?;
    let file = LoadedFile::new(&raw);
    Ok((examples(raw, targets), file))
}

/// The ids of the labels of each example; a label that is named twice in an example counts once.
fn targets(raw: &RawExamples, labels: &Labels) -> Result<Targets, DataError> {
    let known: Vec<Option<u32>> = raw.names.iter().map(|name| labels.id(name)).collect();
    let mut targets = Targets::default();
    let mut ids = Vec::new();
    for (index, names) in raw.labels.iter().enumerate() {
        ids.clear();
        for &name in names {
            ids.push(known[name as usize].ok_or_else(|| DataError::UnknownLabel {
                at: raw.location(index),
                label: raw.names[name as usize].clone(),
                known: labels.names().to_vec(),
            })?);
        }
        ids.sort_unstable();
        ids.dedup();
        targets.push(&ids);
    }
    Ok(targets)
}

/// The names of the labels that examples have.
fn used_names(raw: &RawExamples) -> impl Iterator<Item = &str> {
    let mut used = vec![false; raw.names.len()];
    raw.labels.iter().flatten().for_each(|&name| used[name as usize] = true);
    raw.names.iter().zip(used).filter_map(|(name, used)| used.then_some(name.as_str()))
}

fn examples(raw: RawExamples, targets: Targets) -> Examples {
    Examples {
        texts: raw.texts.finish(),
        seconds: raw.seconds.map(TextsBuilder::finish),
        targets,
        places: raw.places.finish(),
    }
}

/// Files or a folder that have been read, for the manifest.
struct LoadedFile {
    record: FilesRecord,
    is_folder: bool,
}

impl LoadedFile {
    fn new(raw: &RawExamples) -> Self {
        Self { record: raw.record.clone(), is_folder: raw.is_folder }
    }

    fn whole(&self) -> SplitOrigin {
        if self.is_folder { SplitOrigin::Folder } else { SplitOrigin::File }
    }

    fn record(&self, origin: SplitOrigin, examples: &Examples, labels: &Labels) -> SplitRecord {
        SplitRecord {
            origin,
            from: self.record.clone(),
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
