//! From the config to everything that training needs of the data: labels, tokenizer, encoded splits, and an account of
//! how they were made.

use std::collections::BTreeMap;

use attentive_data::{
    EncodedTexts, EncodingStats, Examples, Findings, Labels, Split, SplitManifest, TextEncoder, load_corpus,
};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{Fingerprints, sha256};
use crate::config::Config;
use crate::error::TrainError;

/// A split as token ids and targets.
#[derive(Debug)]
pub struct EncodedSplit {
    /// The token ids of each text.
    pub texts: EncodedTexts,
    /// The label id of each text.
    pub targets: Vec<u32>,
}

/// What `split.json` holds: how the splits were made, and what was found in them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitAccount {
    /// The files, how they were cut, and their fingerprints.
    pub manifest: SplitManifest,
    /// Lengths, truncated texts and unknown tokens of each split.
    pub encoding: BTreeMap<Split, EncodingStats>,
    /// Duplicates, conflicting labels, empty texts.
    pub findings: Findings,
}

/// Everything that training needs of the data.
#[derive(Debug)]
pub struct Prepared {
    /// The label names in order.
    pub labels: Labels,
    /// The tokenizer.
    pub encoder: TextEncoder,
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
/// split alone.
///
/// # Errors
/// When a file cannot be used, with the place and the remedy.
pub fn prepare(config: &Config) -> Result<Prepared, TrainError> {
    let corpus = load_corpus(&config.data, config.seed)?;
    let encoder = TextEncoder::train(&config.tokenizer, &corpus.train.texts)?;
    let parameters = encoder.vocab_size() as u128 * config.model.embedding.dim as u128;
    if parameters > crate::MAX_PARAMETERS {
        return Err(TrainError::TooLarge { parameters, limit: crate::MAX_PARAMETERS });
    }
    let encode = |examples: Examples| encode(&encoder, examples, config.model.max_length);
    let train = encode(corpus.train)?;
    let validation = corpus.validation.map(encode).transpose()?;
    let test = corpus.test.map(encode).transpose()?;
    let splits = [(Split::Train, Some(&train)), (Split::Validation, validation.as_ref()), (Split::Test, test.as_ref())];
    let encoding = splits.into_iter().filter_map(|(name, split)| Some((name, split?.texts.stats()))).collect();
    let account = SplitAccount { manifest: corpus.manifest, encoding, findings: corpus.findings };
    Ok(Prepared { labels: corpus.labels, encoder, train, validation, test, account })
}

/// Encodes examples as a trained model reads them.
pub(crate) fn encode(encoder: &TextEncoder, examples: Examples, max_length: usize) -> Result<EncodedSplit, TrainError> {
    Ok(EncodedSplit { texts: encoder.encode(&examples.texts, max_length)?, targets: examples.labels })
}

impl Prepared {
    /// What a run on this data is made from.
    pub fn fingerprints(&self, config: &Config) -> Fingerprints {
        Fingerprints {
            config: sha256(config.identity().to_toml().as_bytes()),
            data: self.account.manifest.fingerprint.clone(),
            tokenizer: sha256(self.encoder.to_json().as_bytes()),
            labels: sha256(self.labels.to_json().as_bytes()),
        }
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
