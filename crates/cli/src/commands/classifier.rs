//! What the commands that use a trained classifier are given: a run directory or a bundle.

use std::path::{Path, PathBuf};

use attentive_backend::{Backend, Opened};
use attentive_bundle::Bundle;
use attentive_train::{Config, Parts, Predictor, RunDir, Source, SplitAccount};

use super::open_device;
use crate::failure::Failure;

/// Where a trained classifier is kept.
pub(super) enum Classifier {
    Run(RunDir),
    Bundle(Box<Bundle>),
}

impl Classifier {
    /// Opens what is at a path; of a bundle, every byte is verified.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        match Bundle::is_at(path) {
            true => Ok(Self::Bundle(Box::new(Bundle::open(path).map_err(Failure::Bundle)?))),
            false => Ok(Self::Run(RunDir::open(path)?)),
        }
    }

    /// Loads it on the backend of this name; without one, on that of the run's config, and a bundle on the CPU, where a
    /// text is answered before a GPU is found.
    pub(super) fn load(&self, backend: Option<&str>) -> Result<(Predictor, Opened), Failure> {
        match self {
            Self::Run(run) => {
                let opened = open_device(backend, &run.config()?)?;
                Ok((Predictor::load(run, &opened.device)?, opened))
            }
            Self::Bundle(bundle) => {
                let opened = match backend {
                    Some(name) => attentive_backend::open(name),
                    None => Backend::open_cpu(),
                };
                let opened = opened.map_err(Failure::Backend)?;
                Ok((bundle.predictor(&opened.device).map_err(Failure::Bundle)?, opened))
            }
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Run(run) => run.path(),
            Self::Bundle(bundle) => bundle.path(),
        }
    }

    /// The fingerprint of the data that it was trained and measured on.
    pub(super) fn fingerprint(&self) -> Result<String, Failure> {
        match self {
            Self::Run(run) => Ok(run.split::<SplitAccount>()?.manifest.fingerprint),
            Self::Bundle(bundle) => Ok(bundle.about().fingerprint.clone()),
        }
    }
}

/// The weights that a config's `train.init_from` names.
pub(super) fn source(path: &Path) -> Result<Source, Failure> {
    if !path.is_dir() {
        return Ok(Source::of_file(path)?);
    }
    Ok(match Classifier::open(path)? {
        Classifier::Run(run) => Parts::of_run(&run)?,
        Classifier::Bundle(bundle) => bundle.parts().map_err(Failure::Bundle)?,
    }
    .into_source())
}

/// What an export is made from.
pub(super) struct Exported {
    pub(super) predictor: Predictor,
    pub(super) opened: Opened,
    pub(super) from: Classifier,
}

impl Exported {
    /// Loads the classifier of a run or bundle.
    pub(super) fn load(path: &Path, backend: Option<&str>) -> Result<Self, Failure> {
        let from = Classifier::open(path)?;
        let (predictor, opened) = from.load(backend)?;
        Ok(Self { predictor, opened, from })
    }

    /// The config of the run.
    pub(super) fn config(&self) -> &Config {
        self.predictor.config()
    }
}

/// The size of an export on disk in bytes: that of a file, or of the files in a directory.
pub(super) fn size(path: &PathBuf) -> u64 {
    let length = |path: &PathBuf| std::fs::symlink_metadata(path).map_or(0, |metadata| metadata.len());
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| length(&entry.path())).sum(),
        Err(_) => length(path),
    }
}
