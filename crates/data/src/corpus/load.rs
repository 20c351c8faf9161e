//! The `[data]` section to labelled splits: one label set from the training split, and fingerprints.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::findings::{Findings, label_counts};
use super::labels::Labels;
use super::splits::divide;
use crate::config::{Column, Cut, CutBy, DataConfig, Files, SplitSource, UnknownLabels};
use crate::error::DataError;
use crate::examples::{Examples, FilesRecord, Split, Targets, UnknownLabelCounts};
use crate::fingerprint::hex;
use crate::reader::{RawExamples, raw_in_memory, read_labelled, read_labelled_stdin};
use crate::storage::TextsBuilder;

/// All examples of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Corpus {
    /// The training examples, less those cut off for validation and testing.
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

impl SplitManifest {
    /// The fingerprint of each split there is.
    pub fn fingerprints(&self) -> BTreeMap<Split, String> {
        let records = [
            (Split::Train, Some(&self.train)),
            (Split::Validation, self.validation.as_ref()),
            (Split::Test, self.test.as_ref()),
        ];
        records.into_iter().filter_map(|(split, record)| Some((split, record?.fingerprint.clone()))).collect()
    }
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
    /// Hexadecimal SHA-256 over the texts and label names of this split in order: equal for equal splits of two runs,
    /// whatever the split is called. Empty in runs made before there was one.
    #[serde(default)]
    pub fingerprint: String,
}

/// Which part of a file or folder a split is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitOrigin {
    /// All of the files.
    File,
    /// All of a folder.
    Folder,
    /// A share that was cut off.
    Cut(CutRecord),
    /// One part of a cross-validation.
    Fold(FoldRecord),
    /// What was left after shares were cut off; the fraction is their sum.
    Rest(CutRecord),
}

/// How a share of the training file was cut off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CutRecord {
    /// The share of all examples that was asked for.
    pub fraction: f64,
    /// The seed that chose the examples; none where their hashes did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What decided about an example.
    #[serde(default, skip_serializing_if = "CutBy::is_label")]
    pub by: CutBy,
    /// `data.group`, whose groups were kept whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Column>,
}

/// How a part of a cross-validation was held out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldRecord {
    /// Which part, counted from 1.
    pub index: u32,
    /// How many parts there are.
    pub of: u32,
    /// The seed that dealt out the examples; none where their hashes did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What decided about an example.
    #[serde(default, skip_serializing_if = "CutBy::is_label")]
    pub by: CutBy,
    /// `data.group`, whose groups were kept whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Column>,
}

/// Loads every split that the config names.
///
/// The label set is that of the training file. What is tested on is cut from it first, as a fraction or a fold, then what
/// is validated on: label by label at random by `seed`, or by hash; all parts keep the order of the file. An example with
/// several labels is cut with those of its rarest label; groups are cut whole.
///
/// # Errors
/// Any file that is missing, unreadable or not what the config says; a label in the validation or test file that the
/// training file lacks; a training file with fewer than two labels (with `multi_label`: without any); a fraction or fold
/// that leaves a split empty; groups too few or too large to be divided so.
pub fn load_corpus(config: &DataConfig, seed: u64) -> Result<Corpus, DataError> {
    corpus(read_labelled(&config.train, config, true)?, config, seed)
}

/// As [`load_corpus`], with these texts and their labels in place of the training files. In messages they stand in the file
/// that `config.train` names, each on a line.
///
/// # Errors
/// As [`load_corpus`].
pub fn corpus_in_memory(examples: &[(String, String)], config: &DataConfig, seed: u64) -> Result<Corpus, DataError> {
    corpus(raw_in_memory(examples, config)?, config, seed)
}

fn corpus(raw: RawExamples, config: &DataConfig, seed: u64) -> Result<Corpus, DataError> {
    let labels = Labels::from_names(used_names(&raw));
    match labels.names() {
        [label] if !config.multi_label => {
            return Err(DataError::OneLabel { files: config.train.to_string(), label: label.clone() });
        }
        [] => return Err(DataError::NoLabels { files: config.train.to_string() }),
        _ => labels.check_size()?,
    }
    let (targets, _) = targets(&raw, &labels);
    let train_file = LoadedFile::new(&raw);
    let parts = divide(examples(raw, targets)?, labels.len(), config, seed)?;
    // A split that the training file was not divided for is a file of its own, or there is none.
    let load = |cut_off: Option<Examples>, source: &Option<SplitSource>| match (cut_off, source) {
        (None, Some(SplitSource::Files(files))) => read_with_labels(files, config, &labels).map(Some),
        (cut_off, _) => Ok(cut_off.map(|examples| (examples, train_file.clone()))),
    };
    let (validation, validation_file) = load(parts.validation, &config.validation)?.unzip();
    let (test, test_file) = load(parts.test, &config.test)?.unzip();
    let train = parts.train;

    let mut splits = vec![(Split::Train, &train)];
    splits.extend(validation.as_ref().map(|examples| (Split::Validation, examples)));
    splits.extend(test.as_ref().map(|examples| (Split::Test, examples)));
    let findings = Findings::of(&splits, &labels);
    let (fingerprint, of_splits) = fingerprints(&splits, &labels, config.multi_label);
    let files = [Some(train_file), validation_file, test_file].into_iter().flatten();
    let mut records = BTreeMap::new();
    for ((&(split, examples), file), fingerprint) in splits.iter().zip(files).zip(of_splits) {
        let labels = label_counts(examples, &labels);
        records.insert(split, file.record(origin(split, config, seed), examples.len(), labels, fingerprint));
    }
    let manifest = SplitManifest {
        train: records.remove(&Split::Train).expect("there is a training split"),
        validation: records.remove(&Split::Validation),
        test: records.remove(&Split::Test),
        fingerprint,
    };
    Ok(Corpus { train, validation, test, labels, manifest, findings })
}

/// Loads labelled examples for a label set that is fixed already, from a file laid out like the training file, or from
/// all files that a pattern matches; with what was left out of them.
///
/// # Errors
/// The file is missing, unreadable or not what the config says, or has a label that is not in `labels` and that
/// `data.unknown_labels` does not leave out.
pub fn load_examples(path: &Path, config: &DataConfig, labels: &Labels) -> Result<(Examples, FilesRecord), DataError> {
    // Groups matter to how a file is divided only, so a file to evaluate need not have them.
    let config = DataConfig { group: None, ..config.clone() };
    read_with_labels(&Files::from(path), &config, labels).map(|(examples, file)| (examples, file.record))
}

/// As [`load_examples`], from the standard input, which is laid out like the training file.
///
/// # Errors
/// As [`load_examples`]; the training files are of a format that is not read from front to end.
pub fn load_examples_from_stdin(config: &DataConfig, labels: &Labels) -> Result<(Examples, FilesRecord), DataError> {
    let config = DataConfig { group: None, ..config.clone() };
    with_labels(read_labelled_stdin(&config)?, &config, labels).map(|(examples, file)| (examples, file.record))
}

fn read_with_labels(files: &Files, config: &DataConfig, labels: &Labels) -> Result<(Examples, LoadedFile), DataError> {
    with_labels(read_labelled(files, config, false)?, config, labels)
}

/// Examples whose labels are those of the training split. Others fail, or are left out as `data.unknown_labels` says.
fn with_labels(
    mut raw: RawExamples,
    config: &DataConfig,
    labels: &Labels,
) -> Result<(Examples, LoadedFile), DataError> {
    let (targets, unknown) = targets(&raw, labels);
    if let Some(first) = unknown.first {
        if config.unknown_labels == UnknownLabels::Fail {
            let counts = unknown.counts;
            let more = if counts.examples > 1 { format!("; {counts}") } else { String::new() };
            let (at, label) = (raw.location(first.0), raw.names[first.1 as usize].clone());
            return Err(DataError::UnknownLabel {
                at,
                label: label.into(),
                known: labels.names().to_vec(),
                more: more.into(),
            });
        }
        raw.record.unknown = unknown.counts;
    }
    let file = LoadedFile::new(&raw);
    let examples = examples(raw, targets)?;
    if unknown.without_label.is_empty() || config.multi_label {
        return Ok((examples, file));
    }
    let kept: Vec<u32> =
        (0..examples.len() as u32).filter(|index| unknown.without_label.binary_search(index).is_err()).collect();
    if kept.is_empty() {
        let files: Vec<String> = file.record.files.iter().map(|file| file.path.display().to_string()).collect();
        return Err(DataError::NoKnownLabels { files: files.join(", ") });
    }
    Ok((examples.select(&kept), file))
}

/// The labels that a label set lacks.
#[derive(Default)]
struct Unknown {
    /// The first example that has one, and the index of its name.
    first: Option<(usize, u32)>,
    counts: UnknownLabelCounts,
    /// The examples that have no other label.
    without_label: Vec<u32>,
}

/// The ids of the labels of each example, and the labels that have no id; one that is named twice in an example counts
/// once.
fn targets(raw: &RawExamples, labels: &Labels) -> (Targets, Unknown) {
    let known: Vec<Option<u32>> = raw.names.iter().map(|name| labels.id(name)).collect();
    let mut targets = Targets::default();
    let mut unknown = Unknown::default();
    let (mut ids, mut others) = (Vec::new(), Vec::new());
    for (index, names) in raw.labels.iter().enumerate() {
        ids.clear();
        others.clear();
        for &name in names {
            match known[name as usize] {
                Some(id) => ids.push(id),
                None => others.push(name),
            }
        }
        ids.sort_unstable();
        ids.dedup();
        targets.push(&ids);
        if let Some(&first) = others.first() {
            unknown.first.get_or_insert((index, first));
            unknown.counts.examples += 1;
            if ids.is_empty() {
                unknown.without_label.push(index as u32);
            }
            others.sort_unstable();
            others.dedup();
            for &name in &others {
                *unknown.counts.labels.entry(raw.names[name as usize].clone()).or_default() += 1;
            }
        }
    }
    (targets, unknown)
}

/// The names of the labels that examples have.
fn used_names(raw: &RawExamples) -> impl Iterator<Item = &str> {
    let mut used = vec![false; raw.names.len()];
    raw.labels.iter().flatten().for_each(|&name| used[name as usize] = true);
    raw.names.iter().zip(used).filter_map(|(name, used)| used.then_some(name.as_str()))
}

fn examples(raw: RawExamples, targets: Targets) -> Result<Examples, DataError> {
    let finish = |texts: Option<TextsBuilder>| texts.map(TextsBuilder::finish).transpose();
    Ok(Examples {
        texts: raw.texts.finish()?,
        seconds: finish(raw.seconds)?,
        groups: finish(raw.groups)?,
        targets,
        places: raw.places.finish(),
    })
}

/// Which part of the training file a split is; `None` if it is a file of its own.
fn origin(split: Split, config: &DataConfig, seed: u64) -> Option<SplitOrigin> {
    let (by, group) = (config.cut_by(), config.group.clone());
    let seed = by.is_label().then_some(seed);
    let record = |fraction| CutRecord { fraction, seed, by, group: group.clone() };
    let validation = match &config.validation {
        Some(SplitSource::Cut(Cut { fraction, .. })) => Some(*fraction),
        _ => None,
    };
    let test = config.test_cut().map(|cut| cut.fraction);
    match (split, &config.fold) {
        (Split::Test, Some(fold)) => {
            Some(SplitOrigin::Fold(FoldRecord { index: fold.index, of: fold.of, seed, by, group: group.clone() }))
        }
        (Split::Test, None) => Some(SplitOrigin::Cut(record(test?))),
        (Split::Validation, _) => Some(SplitOrigin::Cut(record(validation?))),
        (Split::Train, _) => {
            let cut_off = [validation, test].into_iter().flatten().reduce(|a, b| a + b)?;
            Some(SplitOrigin::Rest(record(cut_off)))
        }
    }
}

/// Files or a folder that have been read, for the manifest.
#[derive(Clone)]
struct LoadedFile {
    record: FilesRecord,
    is_folder: bool,
}

impl LoadedFile {
    fn new(raw: &RawExamples) -> Self {
        Self { record: raw.record.clone(), is_folder: raw.is_folder }
    }

    /// The record of a split that is all of the file, or the part `origin` of it.
    fn record(
        self,
        origin: Option<SplitOrigin>,
        examples: usize,
        labels: BTreeMap<String, usize>,
        fingerprint: String,
    ) -> SplitRecord {
        let whole = if self.is_folder { SplitOrigin::Folder } else { SplitOrigin::File };
        SplitRecord { origin: origin.unwrap_or(whole), from: self.record, examples, labels, fingerprint }
    }
}

/// The fingerprint of all splits and that of each.
///
/// Single texts with one label each are hashed as `text, label name`. Pairs and lists of labels are announced by what
/// no length can be, so that no two kinds of data have the same bytes. In the whole, the name of each split goes before it.
fn fingerprints(splits: &[(Split, &Examples)], labels: &Labels, multi_label: bool) -> (String, Vec<String>) {
    let mut whole = Sha256::new();
    let mut of_splits = Vec::new();
    for (split, examples) in splits {
        field(&mut |bytes| whole.update(bytes), &split.to_string());
        let mut own = Sha256::new();
        let mut update = |bytes: &[u8]| {
            whole.update(bytes);
            own.update(bytes);
        };
        if examples.seconds.is_some() {
            update(&u64::MAX.to_le_bytes());
        }
        if multi_label {
            update(&(u64::MAX - 1).to_le_bytes());
        }
        for (index, ids) in examples.targets.iter().enumerate() {
            let (text, second) = examples.text(index);
            field(&mut update, text);
            if let Some(second) = second {
                field(&mut update, second);
            }
            if multi_label {
                update(&(ids.len() as u64).to_le_bytes());
            }
            for &id in ids {
                field(&mut update, &labels.names()[id as usize]);
            }
        }
        of_splits.push(hex(&own.finalize()));
    }
    (hex(&whole.finalize()), of_splits)
}

/// A text with its length in front, which keeps `ab`, `c` apart from `a`, `bc`.
fn field(update: &mut impl FnMut(&[u8]), text: &str) {
    update(&(text.len() as u64).to_le_bytes());
    update(text.as_bytes());
}
