//! From the config to everything that training needs of the data: labels, tokenizer, encoded splits, pretrained
//! vectors, and an account of how they were made.

use std::collections::BTreeMap;
use std::path::Path;

use attentive_data::{
    Corpus, DataError, DataProgress, EncodedTexts, EncodingStats, Examples, Findings, Labels, OnProgress, Split,
    SplitManifest, Targets, TextEncoder, Texts, Truncation, TruncationSide, Vectors, load_corpus, load_vectors,
};
use attentive_model::{ModelConfig, Sizes};
use serde::{Deserialize, Serialize};

use crate::config::{Config, MAX_PARAMETERS, Threshold};
use crate::error::TrainError;
use crate::origin::{Origin, keys};
use crate::preparation::linear::{LinearAccount, LinearTask, Shares, SolvedLinear, watched};
use crate::preparation::preflight;
use crate::preparation::start::{Source, Start, StartAccount, StartTarget};
use crate::storage::hashed::sha256;

/// Texts, or pairs of texts, as ids.
#[derive(Debug)]
pub struct EncodedInputs {
    /// The token ids of each text.
    pub texts: EncodedTexts,
    /// The token ids of the second text of each pair.
    pub seconds: Option<EncodedTexts>,
    /// The buckets of each text's n-grams, if the config asks for them.
    pub ngrams: Option<EncodedTexts>,
}

/// A split as ids and targets.
#[derive(Debug)]
pub struct EncodedSplit {
    /// The texts as they were read; of pairs, the first of each.
    pub texts: Texts,
    /// The texts as ids.
    pub inputs: EncodedInputs,
    /// The label ids of each.
    pub targets: Targets,
    /// What the linear part says of each, `[texts, outputs]`, if there is one.
    pub(crate) linear: Option<Vec<f32>>,
}

/// What `split.json` holds: how the splits were made, and what was found in them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitAccount {
    /// The files, how they were cut, and their fingerprints.
    pub manifest: SplitManifest,
    /// Lengths, truncated texts and unknown tokens of each split; of pairs, those of the first texts.
    pub encoding: BTreeMap<Split, EncodingStats>,
    /// Those of the second texts of pairs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub encoding_seconds: BTreeMap<Split, EncodingStats>,
    /// What the pretrained vectors covered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vectors: Option<Coverage>,
    /// What was taken from `train.init_from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<StartAccount>,
    /// What was found out for the linear part, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear: Option<LinearAccount>,
    /// Duplicates, conflicting labels, empty texts.
    pub findings: Findings,
}

/// How much of the vocabulary a file of pretrained vectors covered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Vectors in the file.
    pub in_file: usize,
    /// Tokens of the vocabulary that have one.
    pub found: usize,
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// The share of the tokens of the training texts that have one.
    pub of_tokens: f64,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// What a run holds, so that it is neither made nor read again.
#[derive(Debug, Default)]
pub struct Held {
    /// The examples, where they are not in files.
    pub corpus: Option<Corpus>,
    /// The tokenizer.
    pub encoder: Option<TextEncoder>,
    /// What the pretrained vectors covered, where the weights of a checkpoint have them.
    pub vectors: Option<Coverage>,
    /// What was taken from `train.init_from`, likewise.
    pub start: Option<StartAccount>,
}

/// Everything that training needs of the data.
#[derive(Debug)]
pub struct Prepared {
    /// The label names in order.
    pub labels: Labels,
    /// The tokenizer.
    pub encoder: TextEncoder,
    /// What the data decides about the model.
    pub sizes: Sizes,
    /// How much each label counts in the training loss.
    pub class_weights: Vec<f64>,
    /// Where embeddings start that do not start at random; `None` too where they are held, see [`Held`].
    pub vectors: Option<Vectors>,
    /// Weights of another training to start from, see [`Prepared::start_from`]; `None` too where they are held.
    pub start: Option<Start>,
    /// The linear part, if the config asks for one.
    pub(crate) linear: Option<SolvedLinear>,
    /// The training split.
    pub train: EncodedSplit,
    /// The validation split, if the config names one.
    pub validation: Option<EncodedSplit>,
    /// The test split, if the config names one.
    pub test: Option<EncodedSplit>,
    /// How all of it was made.
    pub account: SplitAccount,
}

/// Reads the data, trains or loads the tokenizer, and encodes every split. Labels and vocabulary come from the training
/// split alone. `on_progress` is told how far it is and may stop it.
///
/// # Errors
/// When a file cannot be used, with the place and the remedy, or the config does not fit the labels found.
pub fn prepare(config: &Config, on_progress: &OnProgress) -> Result<Prepared, TrainError> {
    prepare_with(config, Held::default(), on_progress)
}

/// As [`prepare`], without making or reading what is held.
///
/// # Errors
/// As [`prepare`].
pub(crate) fn prepare_with(config: &Config, held: Held, on_progress: &OnProgress) -> Result<Prepared, TrainError> {
    let begin = |progress| if on_progress(&progress) { Ok(()) } else { Err(DataError::Interrupted { kept: false }) };
    config.check_size()?;
    begin(DataProgress::Reading)?;
    let corpus = held.corpus.map_or_else(|| load_corpus(&config.data, config.seed), Ok)?;
    begin(DataProgress::TrainingTokenizer)?;
    let encoder = match held.encoder {
        Some(encoder) => encoder,
        None => TextEncoder::for_examples(&config.tokenizer, &corpus.train)?,
    };
    let sizes = sizes(config, &encoder, &corpus.labels)?;
    preflight::check_memory(config, &sizes, largest_split(&corpus), bytes_of_text(&corpus))?;
    let class_weights = class_weights(config, &corpus.labels, &corpus.train.targets)?;
    let encode = |examples: Examples| encode(&encoder, config, examples, on_progress);
    let mut train = encode(corpus.train)?;
    let mut validation = corpus.validation.map(encode).transpose()?;
    let mut test = corpus.test.map(encode).transpose()?;
    let splits = Splits { train: &mut train, validation: validation.as_mut(), test: test.as_mut() };
    let linear = solve_linear(config, &sizes, &class_weights, None, splits, on_progress)?;
    let vectors = if held.vectors.is_none() { read_vectors(config, &encoder)? } else { None };

    let present =
        [(Split::Train, Some(&train)), (Split::Validation, validation.as_ref()), (Split::Test, test.as_ref())];
    let present = || present.into_iter().filter_map(|(name, split)| Some((name, &split?.inputs)));
    let account = SplitAccount {
        manifest: corpus.manifest,
        encoding: present().map(|(name, inputs)| (name, inputs.texts.stats())).collect(),
        encoding_seconds: present().filter_map(|(name, i)| Some((name, i.seconds.as_ref()?.stats()))).collect(),
        vectors: match &vectors {
            Some(vectors) => Some(coverage(vectors, &train.inputs, encoder.vocab_size())),
            None => held.vectors,
        },
        start: held.start,
        linear: linear.as_ref().map(|linear| linear.account),
        findings: corpus.findings,
    };
    let (labels, start) = (corpus.labels, None);
    Ok(Prepared { labels, encoder, sizes, class_weights, vectors, start, linear, train, validation, test, account })
}

/// The splits that a linear part is solved on, chosen by, and asked about.
struct Splits<'a> {
    train: &'a mut EncodedSplit,
    validation: Option<&'a mut EncodedSplit>,
    test: Option<&'a mut EncodedSplit>,
}

/// Solves the linear part that the config asks for, and notes what it says of every split. How much of it is weighted by
/// naive-Bayes ratios may be settled already.
fn solve_linear(
    config: &Config,
    sizes: &Sizes,
    class_weights: &[f64],
    settled: Option<Shares>,
    splits: Splits<'_>,
    on_progress: &OnProgress,
) -> Result<Option<SolvedLinear>, TrainError> {
    let Some(linear) = &config.features.linear else { return Ok(None) };
    let Splits { train, validation, test } = splits;
    let solved = watched(on_progress, |stop| {
        let task = LinearTask {
            config: linear,
            head: sizes.head,
            n_labels: sizes.n_labels,
            class_weights,
            train: (&train.texts, &train.targets),
            validation: validation.as_ref().map(|split| (&split.texts, &split.targets)),
            settled,
            seed: config.seed,
            stop,
        };
        let solved = task.solve()?;
        for split in [Some(train), validation, test].into_iter().flatten() {
            split.linear = Some(solved.part.logits(&split.texts, stop)?);
        }
        Ok(solved)
    })?;
    Ok(Some(solved))
}

/// The number of examples of the largest split.
pub(crate) fn largest_split(corpus: &Corpus) -> usize {
    let others = [&corpus.validation, &corpus.test].into_iter().flatten();
    others.chain([&corpus.train]).map(Examples::len).max().unwrap_or(0)
}

/// The length of the training texts together.
pub(crate) fn bytes_of_text(corpus: &Corpus) -> u64 {
    corpus.train.texts.iter().map(|text| text.len() as u64).sum()
}

/// Where training examples stand, for a person: the files and lines of the first ones. Reads the data again, because in a
/// run that goes well nobody asks.
///
/// # Errors
/// When the data cannot be read any more.
pub(crate) fn places(config: &Config, examples: &[u32]) -> Result<String, TrainError> {
    const TOLD: usize = 8;
    let train = match load_corpus(&config.data, config.seed) {
        // Examples that were in memory have a number alone.
        Err(DataError::Missing { .. }) => None,
        corpus => Some(corpus?.train),
    };
    let place = |&index: &u32| match &train {
        Some(train) => train.location(index as usize).map(|place| place.to_string()),
        None => Some(format!("example {}", index + 1)),
    };
    let told: Vec<String> = examples.iter().take(TOLD).filter_map(place).collect();
    let rest = examples.len().saturating_sub(TOLD);
    Ok(told.join(", ") + &if rest > 0 { format!(" and {rest} more") } else { String::new() })
}

/// What the data decides about the model.
///
/// # Errors
/// When the head, or a threshold, does not fit the number of labels, or the tables would not fit in any memory.
pub(crate) fn sizes(config: &Config, encoder: &TextEncoder, labels: &Labels) -> Result<Sizes, TrainError> {
    let n_labels = labels.len();
    let head = config.model.head.resolve(n_labels, config.data.multi_label);
    let head = head.ok_or(TrainError::Head { n_labels })?;
    if head == attentive_model::Head::Softmax && config.train.threshold != Threshold::default() {
        return Err(TrainError::Threshold { n_labels });
    }
    let buckets = config.features.is_on().then_some(config.features.buckets);
    let sizes = Sizes { vocab_size: encoder.vocab_size(), buckets, n_labels, head };
    let rows = sizes.vocab_size as u128 + buckets.unwrap_or(0) as u128;
    let parameters = rows * config.model.embedding.dim as u128;
    if parameters > MAX_PARAMETERS {
        return Err(TrainError::TooLarge { parameters, limit: MAX_PARAMETERS });
    }
    Ok(sizes)
}

pub(crate) fn class_weights(config: &Config, labels: &Labels, targets: &Targets) -> Result<Vec<f64>, TrainError> {
    let Some(weights) = &config.train.class_weights else { return Ok(vec![1.0; labels.len()]) };
    match weights.unknown(labels.names()) {
        Some(name) => Err(TrainError::ClassWeight { name: name.to_string(), known: labels.names().to_vec() }),
        None => Ok(weights.of_labels(labels.names(), targets, config.data.multi_label)),
    }
}

pub(crate) fn read_vectors(config: &Config, encoder: &TextEncoder) -> Result<Option<Vectors>, TrainError> {
    let embedding = &config.model.embedding;
    let Some(path) = &embedding.vectors else { return Ok(None) };
    Ok(Some(load_vectors(path, &|token| encoder.id(token), embedding.dim)?))
}

fn coverage(vectors: &Vectors, train: &EncodedInputs, vocab_size: usize) -> Coverage {
    let mut has_vector = vec![false; vocab_size];
    vectors.rows.iter().for_each(|(id, _)| has_vector[*id as usize] = true);
    let (mut tokens, mut covered) = (0usize, 0usize);
    for texts in std::iter::once(&train.texts).chain(&train.seconds) {
        for index in 0..texts.len() {
            let ids = texts.ids(index);
            tokens += ids.len();
            covered += ids.iter().filter(|&&id| has_vector[id as usize]).count();
        }
    }
    Coverage {
        in_file: vectors.in_file,
        found: vectors.rows.len(),
        vocab_size,
        of_tokens: covered as f64 / tokens.max(1) as f64,
        sha256: vectors.sha256.clone(),
    }
}

/// Encodes examples as a trained model reads them.
pub(crate) fn encode(
    encoder: &TextEncoder,
    config: &Config,
    examples: Examples,
    on_progress: &OnProgress,
) -> Result<EncodedSplit, TrainError> {
    let inputs = encode_texts(encoder, config, &examples.texts, examples.seconds.as_ref(), on_progress)?;
    Ok(EncodedSplit { texts: examples.texts, inputs, targets: examples.targets, linear: None })
}

/// Encodes texts, or pairs of them, as a trained model reads them.
pub(crate) fn encode_texts(
    encoder: &TextEncoder,
    config: &Config,
    texts: &Texts,
    seconds: Option<&Texts>,
    on_progress: &OnProgress,
) -> Result<EncodedInputs, TrainError> {
    let limit = limit(&config.model);
    let features = config.features.is_on().then(|| encoder.features(texts, &config.features, limit, on_progress));
    Ok(EncodedInputs {
        texts: encoder.encode(texts, limit, on_progress)?,
        seconds: seconds.map(|seconds| encoder.encode(seconds, limit, on_progress)).transpose()?,
        ngrams: features.transpose()?,
    })
}

/// What the model sees of a text: as much as fits into its window, or into all of them.
pub fn limit(config: &ModelConfig) -> Truncation {
    let max_length = config.max_length;
    let side = match config.truncate {
        attentive_model::Truncate::Head => TruncationSide::Head,
        attentive_model::Truncate::Tail => TruncationSide::Tail,
        attentive_model::Truncate::Both => TruncationSide::Both,
    };
    Truncation { max_length: config.windows.as_ref().map_or(max_length, |windows| windows.reach(max_length)), side }
}

impl Prepared {
    /// What a run of this config on this data is made from, if this build computes: what may decide its bits, by name.
    pub fn origin(&self, config: &Config, build: &BTreeMap<String, String>) -> Origin {
        Origin {
            config: keys(config),
            data: self.account.manifest.fingerprints(),
            tokenizer: sha256(self.encoder.to_json().as_bytes()),
            labels: sha256(self.labels.to_json().as_bytes()),
            vectors: self.account.vectors.as_ref().map(|vectors| vectors.sha256.clone()),
            start: self.account.start.as_ref().map(|start| start.weights_sha256.clone()),
            linear: self.linear.as_ref().map(|linear| linear.part.files().sha256()),
            build: build.clone(),
        }
    }

    /// Makes of the training and validation examples one training split, and solves the linear part again on it.
    ///
    /// # Errors
    /// When there is no room for the examples, or it is stopped.
    pub(crate) fn join_validation(&mut self, config: &Config, on_progress: &OnProgress) -> Result<(), TrainError> {
        let Some(validation) = self.validation.take() else { return Ok(()) };
        let train = &self.train;
        let both = |first: &Option<EncodedTexts>, second: &Option<EncodedTexts>| match (first, second) {
            (Some(first), Some(second)) => first.joined(second).map(Some),
            _ => Ok(None),
        };
        self.train = EncodedSplit {
            texts: train.texts.joined(&validation.texts)?,
            inputs: EncodedInputs {
                texts: train.inputs.texts.joined(&validation.inputs.texts)?,
                seconds: both(&train.inputs.seconds, &validation.inputs.seconds)?,
                ngrams: both(&train.inputs.ngrams, &validation.inputs.ngrams)?,
            },
            targets: train.targets.joined(&validation.targets),
            linear: None,
        };
        self.class_weights = class_weights(config, &self.labels, &self.train.targets)?;
        let settled = self.account.linear.map(|linear| linear.shares);
        let splits = Splits { train: &mut self.train, validation: None, test: self.test.as_mut() };
        self.linear = solve_linear(config, &self.sizes, &self.class_weights, settled, splits, on_progress)?;
        Ok(())
    }

    /// Has the training start from the weights of another, which `train.init_from` names.
    ///
    /// # Errors
    /// [`TrainError::Start`] when none of its weights fits the model.
    pub fn start_from(&mut self, path: &Path, source: Source, config: &Config) -> Result<(), TrainError> {
        let shapes = config.model.weight_shapes(&self.sizes);
        let (features, names) = (&config.features, &config.train.init_names);
        let target = StartTarget { shapes, encoder: &self.encoder, labels: &self.labels, features, names };
        let start = Start::new(path, source, &target)?;
        self.account.start = Some(start.account.clone());
        self.start = Some(start);
        Ok(())
    }

    /// A split by name.
    pub fn split(&self, split: Split) -> Option<&EncodedSplit> {
        match split {
            Split::Train => Some(&self.train),
            Split::Validation => self.validation.as_ref(),
            Split::Test => self.test.as_ref(),
        }
    }
}
