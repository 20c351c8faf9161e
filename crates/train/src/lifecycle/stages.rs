//! The life cycle of a run. A new one is prepared, created and trained:
//! [`PreparedRun::prepare`] → [`PreparedRun::create`] → [`Run::fit`]. One that stopped is opened, prepared and trained on:
//! [`StoppedRun::open`] → [`StoppedRun::prepare`] → [`Run::fit`].
//!
//! Everything that can be wrong is found before anything is created.

use std::collections::BTreeMap;
use std::path::Path;

use attentive_data::{OnProgress, UNWATCHED};
use burn::tensor::Device;

use crate::config::Config;
use crate::origin::Origin;

use crate::error::TrainError;
use crate::lifecycle::imported::Imported;
use crate::preparation::prepare::{Held, Prepared, prepare_with};
use crate::preparation::start::Source;
use crate::run::{LockedRun, RunDir};
use crate::trainer::fit;
use crate::training::job::{Callbacks, Job, Outcome};
use crate::training::recovery::Recovered;

/// What computes a run.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The device, without gradients.
    pub device: Device,
    /// The name of its backend, as a config has it.
    pub backend: String,
    /// The device as it is described to people.
    pub description: String,
    /// What the bits of a run may depend on, by name: versions, backend, and a GPU's name. The number of a CPU's threads
    /// decides nothing.
    pub build: BTreeMap<String, String>,
}

impl Machine {
    /// What `versions.json` holds.
    fn versions(&self) -> BTreeMap<String, String> {
        let mut versions = self.build.clone();
        versions.insert(DEVICE.to_string(), self.description.clone());
        versions
    }

    /// Whether this is what computed a run, as far as its bits may depend on it.
    ///
    /// # Errors
    /// When the run's `versions.json` cannot be read.
    pub fn is_that_of(&self, run: &RunDir) -> Result<bool, TrainError> {
        let mut versions = run.versions::<BTreeMap<String, String>>()?;
        if !self.build.contains_key(DEVICE) {
            versions.remove(DEVICE);
        }
        Ok(versions == self.build)
    }
}

/// The device among the versions.
const DEVICE: &str = "device";

/// Who is asked while a run is prepared; `E` is how its caller fails.
pub struct Preparing<'a, E> {
    /// Told how far it is; may stop it.
    pub on_progress: &'a OnProgress<'a>,
    /// Reads the weights at a place that `train.init_from` names.
    pub read_weights: &'a dyn Fn(&Path) -> Result<Source, E>,
}

/// A run that is ready to train: config, data and device. Nothing of it is created yet.
#[derive(Debug)]
pub struct PreparedRun {
    config: Config,
    prepared: Prepared,
    machine: Machine,
}

// Derived, it would ask the same of `E`.
impl<E> Copy for Preparing<'_, E> {}

impl<E> Clone for Preparing<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl Preparing<'_, TrainError> {
    /// Tells nobody, and reads weights from runs and files.
    pub fn unwatched() -> Self {
        Self { on_progress: UNWATCHED, read_weights: &Source::open }
    }
}

impl PreparedRun {
    /// Reads the data, makes the tokenizer, encodes every split, and reads the weights to start from.
    ///
    /// # Errors
    /// When a file cannot be used, with the place and the remedy, or the config does not fit the labels found.
    pub fn prepare<E>(config: Config, machine: Machine, preparing: Preparing<'_, E>) -> Result<Self, E>
    where
        E: From<TrainError>,
    {
        Self::prepare_with(config, Held::default(), machine, preparing)
    }

    /// As [`PreparedRun::prepare`], without making or reading what is held.
    ///
    /// # Errors
    /// As [`PreparedRun::prepare`].
    pub fn prepare_with<E>(
        mut config: Config,
        held: Held,
        machine: Machine,
        preparing: Preparing<'_, E>,
    ) -> Result<Self, E>
    where
        E: From<TrainError>,
    {
        config.backend.clone_from(&machine.backend);
        let holds_start = held.start.is_some();
        let mut prepared = prepare_with(&config, held, preparing.on_progress)?;
        if let Some(path) = &config.train.init_from
            && !holds_start
        {
            prepared.start_from(path, (preparing.read_weights)(path)?, &config)?;
        }
        Ok(Self { config, prepared, machine })
    }

    /// The config, with the name of the backend that was opened.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The data.
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// What computes it.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Makes the run directory.
    ///
    /// # Errors
    /// As [`RunDir::create`], and when a file cannot be written.
    pub fn create(self, path: &Path, overwrite: bool) -> Result<Run, TrainError> {
        let directory = RunDir::create(path, overwrite)?;
        self.describe(&directory)?;
        let recovered = directory.recover()?;
        Ok(Run { origin: self.origin(), setup: self, directory, recovered })
    }

    /// Notes that the run begins with what another program trained.
    ///
    /// # Errors
    /// When the weights cannot be written.
    pub fn note_imported(&mut self, trained: &Imported) -> Result<(), TrainError> {
        self.prepared.note_imported(trained)
    }

    /// Makes the run directory of what another program trained, to be trained on. It is a run once it has all of it.
    ///
    /// # Errors
    /// As [`PreparedRun::create`], and when the weights do not fit the model. Nothing stays of a run that could not be made.
    pub fn import(self, path: &Path, trained: Imported) -> Result<(), TrainError> {
        let directory = RunDir::create(path, false)?;
        let origin = self.origin();
        let made = directory.begin_imported(&self.job(&origin), trained).and_then(|()| self.describe(&directory));
        if made.is_err() {
            directory.give_up();
        }
        made
    }

    fn describe(&self, directory: &LockedRun) -> Result<(), TrainError> {
        let Prepared { labels, encoder, account, linear, .. } = &self.prepared;
        let linear = linear.as_ref().map(|linear| linear.part.files());
        directory.describe(&self.config, &self.machine.versions(), labels, encoder, linear.as_ref(), account)
    }

    fn origin(&self) -> Origin {
        self.prepared.origin(&self.config, &self.machine.build)
    }

    /// Makes of the training and validation examples one training split.
    ///
    /// # Errors
    /// As [`PreparedRun::prepare`].
    pub(super) fn join_validation(&mut self, on_progress: &OnProgress) -> Result<(), TrainError> {
        self.prepared.join_validation(&self.config, on_progress)
    }

    pub(super) fn job<'a>(&'a self, origin: &'a Origin) -> Job<'a> {
        let Self { config, prepared, machine } = self;
        Job { config, prepared, origin, device: &machine.device, settled: None }
    }
}

/// A run that stopped, locked and checked, but not prepared.
#[derive(Debug)]
pub struct StoppedRun {
    directory: LockedRun,
    /// The run's own config.
    own: Config,
    config: Config,
    allowed: Vec<String>,
    recovered: Recovered,
}

impl StoppedRun {
    /// Locks a run that is to be resumed, with its own config or another, and finds its newest intact checkpoint. What
    /// differs from what the run was made from is refused, but for what is `allowed` to and for more epochs.
    ///
    /// # Errors
    /// [`TrainError::RunLocked`], [`TrainError::Changed`], or whatever is wrong with the files of the run.
    pub fn open(run: RunDir, config: Option<Config>, allowed: &[String]) -> Result<Self, TrainError> {
        let own = run.config()?;
        let mut config = config.unwrap_or_else(|| own.clone());
        config.name.clone_from(&own.name);
        if config.backend == "auto" {
            config.backend.clone_from(&own.backend);
        }
        let directory = run.lock()?;
        let recovered = directory.recover()?;
        recovered.check(&directory, &own, &config, allowed)?;
        Ok(Self { directory, own, config, allowed: allowed.to_vec(), recovered })
    }

    /// The config that it is resumed with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Prepares what the run does not hold itself, and checks that it is made from what it was made from.
    ///
    /// # Errors
    /// As [`PreparedRun::prepare`] and [`StoppedRun::open`].
    pub fn prepare<E>(self, machine: Machine, preparing: Preparing<'_, E>) -> Result<Run, E>
    where
        E: From<TrainError>,
    {
        let Self { directory, own, config, allowed, mut recovered } = self;
        let held = recovered.held(&directory, &own, &config)?;
        let setup = PreparedRun::prepare_with(config, held, machine, preparing)?;
        let origin = setup.origin();
        recovered.accept(&directory, &origin, &allowed)?;
        if recovered.is_at_start() || recovered.is_changed() {
            setup.describe(&directory)?;
        }
        Ok(Run { directory, setup, origin, recovered })
    }
}

/// A run and all that it needs to train from where it stands.
#[derive(Debug)]
pub struct Run {
    pub(super) directory: LockedRun,
    pub(super) setup: PreparedRun,
    pub(super) origin: Origin,
    recovered: Recovered,
}

impl Run {
    /// The run directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Its config, data and device.
    pub fn setup(&self) -> &PreparedRun {
        &self.setup
    }

    /// Trains until the last epoch, and once more on everything where the config asks for it, or until it is asked to stop.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] when numbers that are not finite come again and again, and whatever the disk or the device
    /// says. The checkpoints saved until then are intact.
    pub fn fit(&mut self, callbacks: &mut Callbacks) -> Result<Outcome, TrainError> {
        let recovered = std::mem::take(&mut self.recovered);
        match fit(&self.directory, &self.setup.job(&self.origin), recovered, callbacks)? {
            Outcome::Finished(report) if self.setup.config.train.refit && !self.is_refitted(&report) => {
                self.refit(report, callbacks)
            }
            outcome => Ok(outcome),
        }
    }
}
