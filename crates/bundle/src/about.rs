//! What an export tells of itself beside the model: what it was trained on and how good it was measured to be.

use std::collections::BTreeMap;

use attentive_data::{Split, SplitRecord};
use attentive_train::{Metrics, Precision, Predictor, Report, SplitAccount, sha256, write_safetensors};
use serde::{Deserialize, Serialize};

use crate::error::BundleError;
use crate::export_model::WEIGHTS;

/// Where a classifier comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The name of its run.
    pub name: String,
    /// The step after which its weights were saved; of averaged ones, that of the best.
    pub step: u64,
    /// The fingerprint of the data of all splits, as `split.json` of the run has it.
    pub fingerprint: String,
    /// What each split was made of.
    pub data: BTreeMap<Split, Trained>,
    /// What the very weights were measured at when training ended; empty if they were not.
    pub measured: BTreeMap<Split, Measured>,
}

/// What a split was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trained {
    /// The files, as the config names them.
    pub files: Vec<String>,
    /// How many examples.
    pub examples: usize,
    /// How many of each label; an example with several labels counts for each.
    pub labels: BTreeMap<String, usize>,
}

/// How good a classifier is on a split, as shares between 0 and 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// How many examples.
    pub examples: u64,
    /// The share of examples that were decided right, with all of their labels.
    pub accuracy: f64,
    /// Its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
    /// F1, the plain mean over the labels.
    pub macro_f1: f64,
    /// F1 over all decisions pooled.
    pub micro_f1: f64,
    /// The accuracy of always giving the most frequent answer.
    pub majority: f64,
}

impl Measured {
    fn of(metrics: &Metrics) -> Self {
        Self {
            examples: metrics.n,
            accuracy: metrics.accuracy,
            interval: metrics.intervals.as_ref().map(|intervals| intervals.accuracy),
            macro_f1: metrics.macro_avg.f1,
            micro_f1: metrics.micro_avg.f1,
            majority: metrics.majority.accuracy,
        }
    }
}

impl About {
    /// What the files of a run tell of its classifier. A report that is not that of these weights tells nothing.
    ///
    /// # Errors
    /// When the device fails.
    pub fn of_run(predictor: &Predictor, account: &SplitAccount, report: Option<&Report>) -> Result<Self, BundleError> {
        let weights = predictor.weights()?;
        let encode = |reason| BundleError::Encode { file: WEIGHTS, reason };
        let weights_sha256 = sha256(&write_safetensors(&weights, Precision::F32).map_err(encode)?);
        let manifest = &account.manifest;
        let records = [
            (Split::Train, Some(&manifest.train)),
            (Split::Validation, manifest.validation.as_ref()),
            (Split::Test, manifest.test.as_ref()),
        ];
        let report = report.filter(|report| report.weights_sha256 == weights_sha256);
        let measured = report.iter().flat_map(|report| &report.splits);
        Ok(Self {
            name: predictor.config().name.clone(),
            step: predictor.step(),
            fingerprint: manifest.fingerprint.clone(),
            data: records.into_iter().filter_map(|(split, record)| Some((split, trained(record?)))).collect(),
            measured: measured.map(|(split, metrics)| (*split, Measured::of(metrics))).collect(),
        })
    }

    /// The same of other weights, which were measured anew on one split.
    pub fn measured_at(self, split: Split, metrics: &Metrics) -> Self {
        Self { measured: BTreeMap::from([(split, Measured::of(metrics))]), ..self }
    }

    /// The split that says most about new texts, of those that were measured.
    pub(crate) fn headline(&self) -> Option<(Split, &Measured)> {
        self.measured.iter().next_back().map(|(split, measured)| (*split, measured))
    }
}

fn trained(record: &SplitRecord) -> Trained {
    Trained {
        files: record.from.files.iter().map(|file| file.path.display().to_string()).collect(),
        examples: record.examples,
        labels: record.labels.clone(),
    }
}
