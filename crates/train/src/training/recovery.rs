//! Where a run stands before it goes on: its newest intact checkpoint, what was set aside as damaged, and whether the run
//! is still made from what it was made from. Nothing is decided silently.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use attentive_data::{TextEncoder, TokenizerConfig};

use crate::checkpoint::{Checkpoint, Newest, Store};
use crate::config::Config;
use crate::error::{Damage, TrainError};
use crate::origin::{Change, Difference, Origin, keys};
use crate::preparation::prepare::{Held, SplitAccount};
use crate::run::{LockedRun, RunDir};
use crate::storage::hashed::sha256;

/// Where a run stands. The default is that of a new one.
#[derive(Debug, Default)]
pub struct Recovered {
    /// Where it goes on; `None` at its start.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// Newer checkpoints that were damaged.
    pub(crate) set_aside: Vec<SetAside>,
    /// What differs and may.
    differences: Vec<Difference>,
}

/// Something damaged that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where it now is.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl LockedRun {
    /// Finds the newest intact checkpoint and sets aside damaged ones that are newer.
    ///
    /// # Errors
    /// When there are checkpoints and none is intact, in which case all stay where they are; when one cannot be read.
    pub fn recover(&self) -> Result<Recovered, TrainError> {
        self.remove_replaced()?;
        let store = Store::new(self.checkpoints());
        store.sweep()?;
        let Newest { checkpoint, damaged } = store.newest()?;
        let set_aside = |damage: Damage| -> Result<SetAside, TrainError> {
            Ok(SetAside { path: store.set_aside(damage.step)?, reason: damage.reason })
        };
        let set_aside = damaged.into_iter().map(set_aside).collect::<Result<_, _>>()?;
        Ok(Recovered { checkpoint, set_aside, differences: Vec::new() })
    }
}

impl RunDir {
    /// The run's own copy of the tokenizer where `config`, as its own config does, names the file that it was read from: that
    /// may be elsewhere by now. `None` where the tokenizer is made from the data, or the copy cannot be read.
    pub fn held_encoder(&self, own: &Config, config: &Config) -> Option<TextEncoder> {
        let is_read = matches!(config.tokenizer, TokenizerConfig::File(_)) && config.tokenizer == own.tokenizer;
        if is_read { self.encoder().ok() } else { None }
    }
}

impl Recovered {
    /// A run that goes on from a checkpoint of another.
    pub(crate) fn at(checkpoint: Checkpoint) -> Self {
        Self { checkpoint: Some(checkpoint), ..Self::default() }
    }

    /// Whether nothing has been trained that is kept.
    pub fn is_at_start(&self) -> bool {
        self.checkpoint.is_none()
    }

    /// Whether it is at its start, or was trained from `origin`.
    pub(crate) fn is_made_from(&self, origin: &Origin) -> bool {
        self.checkpoint.as_ref().is_none_or(|checkpoint| checkpoint.origin == *origin)
    }

    /// Whether something differs that may.
    pub fn is_changed(&self) -> bool {
        !self.differences.is_empty()
    }

    /// Checks what is known before any data is read. A run without a checkpoint was made from its config.
    ///
    /// # Errors
    /// [`TrainError::Changed`] when something differs that `allowed` does not name.
    pub fn check(&self, run: &LockedRun, own: &Config, config: &Config, allowed: &[String]) -> Result<(), TrainError> {
        let differences = match &self.checkpoint {
            Some(Checkpoint { origin, .. }) => origin.config_differences(&keys(config)),
            None => Origin::of_config(own).config_differences(&keys(config)),
        };
        refuse(run.path(), differences, allowed).map(drop)
    }

    /// What the run holds of all that `config` is made from; `own` is the run's own config. Of a run with a checkpoint, the
    /// tokenizer, and the vectors and weights that it started from, need not be where they were read from.
    ///
    /// # Errors
    /// When its account of the weights that it started from cannot be read.
    pub fn held(&self, run: &RunDir, own: &Config, config: &Config) -> Result<Held, TrainError> {
        let encoder = run.held_encoder(own, config);
        let Some(Checkpoint { origin, .. }) = &self.checkpoint else { return Ok(Held { encoder, ..Held::default() }) };
        let encoder = encoder.filter(|encoder| sha256(encoder.to_json().as_bytes()) == origin.tokenizer);
        let vectors = &config.model.embedding.vectors;
        let has_vectors = vectors.is_some() && *vectors == own.model.embedding.vectors;
        let account = match run.split::<SplitAccount>() {
            Err(error) if config.train.init_from.is_some() => return Err(error),
            account => account.ok(),
        };
        let (vectors, start) = account.map_or((None, None), |account| (account.vectors, account.start));
        Ok(Held { corpus: None, encoder, vectors: vectors.filter(|_| has_vectors), start })
    }

    /// Checks everything, and keeps what differs to be recorded. A run without a checkpoint must still be made from what it
    /// says of itself, where that can be read.
    ///
    /// # Errors
    /// As [`Recovered::check`].
    pub fn accept(&mut self, run: &LockedRun, origin: &Origin, allowed: &[String]) -> Result<(), TrainError> {
        let differences = match &self.checkpoint {
            Some(checkpoint) => checkpoint.origin.differences(origin),
            None => described(run).map_or_else(|_| Vec::new(), |described| described.data_differences(origin)),
        };
        self.differences = refuse(run.path(), differences, allowed)?;
        Ok(())
    }

    /// Takes the checkpoint, with what differs from it recorded in its state.
    pub(crate) fn into_checkpoint(self) -> Option<Checkpoint> {
        let mut checkpoint = self.checkpoint?;
        let step = checkpoint.state.step;
        checkpoint.state.changes.extend(self.differences.into_iter().map(|difference| Change { step, difference }));
        Some(checkpoint)
    }
}

/// What a run was made from as its files say it, but for its config and the build.
fn described(run: &RunDir) -> Result<Origin, TrainError> {
    let account = run.split::<SplitAccount>()?;
    Ok(Origin {
        config: BTreeMap::new(),
        data: account.manifest.fingerprints(),
        tokenizer: sha256(run.encoder()?.to_json().as_bytes()),
        labels: sha256(run.labels()?.to_json().as_bytes()),
        vectors: account.vectors.map(|vectors| vectors.sha256),
        start: account.start.map(|start| start.weights_sha256),
        linear: run.linear()?.map(|files| files.sha256()),
        build: BTreeMap::new(),
    })
}

/// The differences, if all of them are allowed.
fn refuse(path: &Path, differences: Vec<Difference>, allowed: &[String]) -> Result<Vec<Difference>, TrainError> {
    let (accepted, refused): (Vec<_>, Vec<_>) =
        differences.into_iter().partition(|difference| difference.is_free() || difference.is_allowed(allowed));
    if refused.is_empty() {
        Ok(accepted)
    } else {
        Err(TrainError::Changed { path: path.to_path_buf(), differences: refused })
    }
}
