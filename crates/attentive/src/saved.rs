//! Where a trained classifier is kept: a run directory or a bundle.

use std::path::Path;

use attentive_backend::Backend;
use attentive_bundle::Bundle;
use attentive_train::{Machine, Parts, Predictor, RunDir, Source, SplitAccount};

use crate::error::Error;
use crate::machine::{described, machine};

/// A trained classifier that is not loaded yet.
#[derive(Debug)]
pub enum SavedClassifier {
    /// In a run directory.
    Run(RunDir),
    /// In a bundle.
    Bundle(Box<Bundle>),
}

impl SavedClassifier {
    /// Opens what is at a path; of a bundle, every byte is verified.
    ///
    /// # Errors
    /// When there is neither, or a bundle is damaged.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Ok(match Bundle::is_at(path) {
            true => Self::Bundle(Box::new(Bundle::open(path)?)),
            false => Self::Run(RunDir::open(path)?),
        })
    }

    /// Loads it on the backend of this name; without one, on that of the run's config, and a bundle on the CPU, where a
    /// text is answered before a GPU is found.
    ///
    /// # Errors
    /// When the backend cannot be opened, or a file does not fit the others.
    pub fn load(&self, backend: Option<&str>) -> Result<(Predictor, Machine), Error> {
        match self {
            Self::Run(run) => {
                let machine = match backend {
                    Some(name) => machine(name)?,
                    None => machine(&run.config()?.backend)?,
                };
                Ok((Predictor::load(run, &machine.device)?, machine))
            }
            Self::Bundle(bundle) => {
                let machine = match backend {
                    Some(name) => machine(name)?,
                    None => described(Backend::open_cpu()?),
                };
                Ok((bundle.predictor(&machine.device)?, machine))
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Run(run) => run.path(),
            Self::Bundle(bundle) => bundle.path(),
        }
    }

    /// The fingerprint of the data that it was trained and measured on.
    ///
    /// # Errors
    /// When the files of a run cannot be read.
    pub fn fingerprint(&self) -> Result<String, Error> {
        match self {
            Self::Run(run) => Ok(run.split::<SplitAccount>()?.manifest.fingerprint),
            Self::Bundle(bundle) => Ok(bundle.about().fingerprint.clone()),
        }
    }
}

/// The weights at a place that `train.init_from` names: a run, a bundle, or a .safetensors file.
///
/// # Errors
/// When it is none of these, or cannot be read.
pub fn read_weights(path: &Path) -> Result<Source, Error> {
    if !path.is_dir() {
        return Ok(Source::of_file(path)?);
    }
    Ok(match SavedClassifier::open(path)? {
        SavedClassifier::Run(run) => Parts::of_run(&run)?,
        SavedClassifier::Bundle(bundle) => bundle.parts()?,
    }
    .into_source())
}
