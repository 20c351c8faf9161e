//! A bundle: a plain directory that holds a classifier, what there is to know about it, and what proves that it works. It is
//! written from a run and used instead of one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use attentive_data::{Labels, TextEncoder};
use attentive_train::{Config, Metrics, Parts, Predictor, StagedDirectory, TrainError, read_hashed, read_safetensors};
use burn::tensor::Device;

use crate::about::About;
use crate::error::{BundleError, read_error};
use crate::examples::{Example, OwnTexts};
use crate::export_model::{ExportModel, WEIGHTS};
use crate::labels;
use crate::manifest::{BundleManifest, MANIFEST, MAX_BYTES};
use crate::readme::readme;

const CONFIG: &str = "config.toml";
const TOKENIZER: &str = "tokenizer.json";
const LABELS: &str = "labels.json";
const EXAMPLES: &str = "examples.jsonl";
const README: &str = "README.md";

/// The n-grams of a linear part, where there is one.
const NGRAMS: &str = "ngrams.json";

/// Every file but the manifest, in the order of their names.
fn file_names(has_linear: bool) -> Vec<&'static str> {
    let all = [README, CONFIG, EXAMPLES, LABELS, WEIGHTS, NGRAMS, TOKENIZER];
    all.into_iter().filter(|&name| has_linear || name != NGRAMS).collect()
}

/// By how much a probability may differ from where the bundle was made.
const TOLERANCE: f32 = 1e-5;

/// A bundle in memory, every byte verified.
#[derive(Debug)]
pub struct Bundle {
    path: PathBuf,
    manifest: BundleManifest,
    files: BTreeMap<String, Vec<u8>>,
    config: Config,
}

/// What became of the examples of a bundle on some device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verified {
    /// How many examples there are.
    pub n: usize,
    /// By how much a probability differs at most.
    pub largest: f32,
}

impl Bundle {
    /// Whether a directory is a bundle or what is left of one, rather than a run.
    pub fn is_at(path: &Path) -> bool {
        let is_there = |name: &str| fs::symlink_metadata(path.join(name)).is_ok();
        // A run has neither its weights nor examples beside its config.
        is_there(MANIFEST) || is_there(CONFIG) && (is_there(EXAMPLES) || is_there(WEIGHTS))
    }

    /// Reads a bundle and verifies every file.
    ///
    /// # Errors
    /// [`BundleError::Damaged`] names the first file that is not what was written; [`BundleError::Read`] where the system
    /// fails to read; [`BundleError::Train`] when the config is none.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let damaged = |name: &str| {
            let path = path.join(name);
            move |reason: String| BundleError::Damaged { path, reason }
        };
        let (bytes, _) = read(path, MANIFEST, |length| match length <= MAX_BYTES {
            true => Ok(()),
            false => Err(format!("it is longer than {MAX_BYTES} bytes")),
        })?;
        let manifest = BundleManifest::from_bytes(&bytes).map_err(damaged(MANIFEST))?;
        let (names, expected) =
            (manifest.files.keys().map(String::as_str), file_names(manifest.files.contains_key(NGRAMS)));
        if !names.clone().eq(expected.iter().copied()) {
            let names: Vec<&str> = names.collect();
            return Err(damaged(MANIFEST)(format!("its files are {names:?}, not {expected:?}")));
        }
        let mut files = BTreeMap::new();
        for (name, entry) in &manifest.files {
            let (bytes, hash) = read(path, name, |length| entry.check_length(length))?;
            entry.check(bytes.len() as u64, &hash).map_err(damaged(name))?;
            files.insert(name.clone(), bytes);
        }
        let config = files.remove(CONFIG).unwrap_or_default();
        let config = Config::from_bytes(&path.join(CONFIG), config).map_err(TrainError::from)?;
        Ok(Self { path: path.to_path_buf(), manifest, files, config })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The config of its run. It names no backend: any computes it.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where it comes from.
    pub fn about(&self) -> &About {
        &self.manifest.about
    }

    /// The version of attentive that made it.
    pub fn version(&self) -> &str {
        &self.manifest.attentive
    }

    /// The name, length and hash of every file but the manifest.
    pub fn files(&self) -> impl Iterator<Item = (&str, u64, &str)> {
        self.manifest.files.iter().map(|(name, entry)| (name.as_str(), entry.bytes, entry.sha256.as_str()))
    }

    /// What the classifier is made of.
    ///
    /// # Errors
    /// [`BundleError::Damaged`] when a file is not what it should be.
    pub fn parts(&self) -> Result<Parts, BundleError> {
        let (labels, thresholds) = self.labels()?;
        // Each takes some milliseconds, and somebody waits for an answer.
        let (encoder, weights) = thread::scope(|scope| {
            let weights = scope.spawn(|| read_safetensors(self.file(WEIGHTS)));
            (TextEncoder::from_bytes(self.file(TOKENIZER)), weights.join())
        });
        let encoder = encoder.map_err(|error| self.damaged(TOKENIZER)(error.to_string()))?;
        let weights = weights.unwrap_or_else(|_| Err("its parser gave up on it".to_string()));
        let weights = weights.map_err(self.damaged(WEIGHTS))?;
        let (config, ngrams, step) = (self.config.clone(), self.files.get(NGRAMS).cloned(), self.about().step);
        Ok(Parts { config, labels, encoder, weights, ngrams, thresholds, step })
    }

    /// The classifier on a device.
    ///
    /// # Errors
    /// When a file does not fit the others, or the device fails.
    pub fn predictor(&self, device: &Device) -> Result<Predictor, BundleError> {
        Predictor::new(self.parts()?, device).map_err(|error| match error {
            TrainError::Weights(error) => self.damaged(WEIGHTS)(error.to_string()),
            TrainError::LinearPart { reason } => self.damaged(NGRAMS)(reason),
            other => other.into(),
        })
    }

    /// Runs the examples through the classifier and compares the probabilities.
    ///
    /// # Errors
    /// [`BundleError::Differs`] where one differs by more than 1e-5; when the file is none, or the device fails.
    pub fn verify(&self, predictor: &Predictor) -> Result<Verified, BundleError> {
        let examples = Example::from_jsonl(self.file(EXAMPLES), predictor.labels().len());
        let examples = examples.map_err(self.damaged(EXAMPLES))?;
        let differences = Example::differences(&examples, predictor)?;
        let (n, largest) = (differences.len(), differences.iter().copied().fold(0.0, f32::max));
        match differences.iter().filter(|&&difference| difference > TOLERANCE).count() {
            0 => Ok(Verified { n, largest }),
            differing => {
                Err(BundleError::Differs { path: self.path.clone(), differing, n, tolerance: TOLERANCE, largest })
            }
        }
    }

    /// Those of its examples that are texts of its data.
    ///
    /// # Errors
    /// [`BundleError::Damaged`] when the file is none.
    pub fn own_texts(&self) -> Result<OwnTexts, BundleError> {
        let (labels, _) = self.labels()?;
        let examples = Example::from_jsonl(self.file(EXAMPLES), labels.len()).map_err(self.damaged(EXAMPLES))?;
        Ok(Example::own(examples))
    }

    fn labels(&self) -> Result<(Labels, Vec<f32>), BundleError> {
        let head = |n_labels| self.config.model.head.resolve(n_labels, self.config.data.multi_label);
        labels::from_json(self.file(LABELS), head).map_err(self.damaged(LABELS))
    }

    fn file(&self, name: &str) -> &[u8] {
        self.files.get(name).map_or(&[], Vec::as_slice)
    }

    fn damaged(&self, name: &str) -> impl FnOnce(String) -> BundleError {
        let path = self.path.join(name);
        move |reason| BundleError::Damaged { path, reason }
    }
}

/// Reads a regular file of a bundle, if `accept` takes its length, and hashes it.
fn read(
    directory: &Path,
    name: &str,
    accept: impl FnOnce(u64) -> Result<(), String>,
) -> Result<(Vec<u8>, String), BundleError> {
    let path = directory.join(name);
    let damaged = |reason: &str| BundleError::Damaged { path: path.clone(), reason: reason.to_string() };
    // Asked before opening, which would wait for the other end of a pipe. A link could lead anywhere.
    let length = match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(_) => return Err(damaged("it is not a regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged("it is not there")),
        Err(error) => return Err(read_error(&path)(error)),
    };
    accept(length).map_err(|reason| damaged(&reason))?;
    // As long as it is: a file that grows meanwhile is damaged, and one that claims more was refused.
    let file = File::open(&path).map_err(read_error(&path))?;
    read_hashed(file, length.saturating_add(1)).map_err(read_error(&path))
}

/// Writes a classifier as a bundle to `output`, reads it back and runs its examples; only then it has its name. `metrics` are
/// those of the split that `about` has measured last. The same run gives the same bytes.
///
/// # Errors
/// [`BundleError::Output`] when there is something already or a file cannot be written. Nothing stays of a bundle that could
/// not be finished.
pub fn write_bundle(
    model: &ExportModel,
    about: About,
    metrics: Option<&Metrics>,
    own: &OwnTexts,
    output: &Path,
    device: &Device,
) -> Result<Verified, BundleError> {
    let staged = StagedDirectory::new(output)?;
    let predictor = &model.predictor;
    let examples = Example::all(own, predictor)?;
    let readme = readme(&about, model, metrics, examples.len());
    let labels = labels::to_json(predictor.labels(), predictor.sizes().head, predictor.thresholds());
    // Whoever receives it may have other backends.
    let config = Config { backend: "auto".to_string(), ..predictor.config().clone() };
    let mut files = vec![
        (CONFIG, config.to_toml().into_bytes()),
        (EXAMPLES, Example::to_jsonl(&examples).into_bytes()),
        (LABELS, labels.into_bytes()),
        (WEIGHTS, model.weights.clone()),
        (README, readme.into_bytes()),
        (TOKENIZER, predictor.encoder().to_json().into_bytes()),
    ];
    files.extend(predictor.ngrams().map(|ngrams| (NGRAMS, ngrams)));
    for (name, bytes) in &files {
        staged.write(name, bytes)?;
    }
    staged.write(MANIFEST, &BundleManifest::new(about, &files).to_bytes())?;
    let bundle = Bundle::open(staged.path())?;
    let verified = bundle.verify(&bundle.predictor(device)?)?;
    staged.publish()?;
    Ok(verified)
}
