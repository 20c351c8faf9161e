//! Training from a program.

use std::path::Path;

use attentive_data::{UNWATCHED, corpus_in_memory};
use attentive_train::{
    Callbacks, Config, Event, Held, Outcome, PreparedRun, Preparing, Report, Run, RunDir, StoppedRun,
};

use crate::error::Error;
use crate::machine::machine;
use crate::saved::read_weights;

/// A training that is about to begin.
#[derive(Debug)]
pub struct Training {
    config: Config,
    examples: Option<Vec<(String, String)>>,
}

impl Training {
    /// What a config asks for, on the files that it names.
    pub fn new(config: Config) -> Self {
        Self { config, examples: None }
    }

    /// The same on these texts with their labels, in place of the files that the config names as `data.train`. They are divided
    /// as the config says.
    pub fn on(mut self, examples: &[(impl AsRef<str>, impl AsRef<str>)]) -> Self {
        let owned = examples.iter().map(|(text, label)| (text.as_ref().to_string(), label.as_ref().to_string()));
        self.examples = Some(owned.collect());
        self
    }

    /// Trains to the end in a new run directory.
    ///
    /// # Errors
    /// When the config is wrong, there is something at `path`, the data cannot be used, numbers diverge, or the disk or the
    /// device fails.
    pub fn run(self, path: impl AsRef<Path>) -> Result<Report, Error> {
        to_the_end(self.create(path.as_ref())?)
    }

    /// As [`Training::run`], with callbacks that are told of everything that happens, and may ask the run to save or to stop.
    ///
    /// # Errors
    /// As [`Training::run`].
    pub fn run_with(self, path: impl AsRef<Path>, callbacks: &mut Callbacks) -> Result<Outcome, Error> {
        Ok(self.create(path.as_ref())?.fit(callbacks)?)
    }

    /// Trains a run that stopped to its end, from exactly where it stands.
    ///
    /// # Errors
    /// When the run is no longer made from the same, and as [`Training::run`].
    pub fn resume(path: impl AsRef<Path>) -> Result<Report, Error> {
        let stopped = StoppedRun::open(RunDir::open(path.as_ref())?, None, &[])?;
        let machine = machine(&stopped.config().backend)?;
        to_the_end(stopped.prepare(machine, preparing())?)
    }

    fn create(self, path: &Path) -> Result<Run, Error> {
        let Self { mut config, examples } = self;
        RunDir::check_free(path, false)?;
        if examples.is_some() {
            config.data.train = Path::new(IN_MEMORY).into();
        }
        let config = config.named_after(path).checked(Path::new("the config"))?;
        let corpus = examples.map(|examples| corpus_in_memory(&examples, &config.data, config.seed)).transpose()?;
        let held = Held { corpus, ..Held::default() };
        let machine = machine(&config.backend)?;
        Ok(PreparedRun::prepare_with(config, held, machine, preparing())?.create(path, false)?)
    }
}

/// What stands in the config for examples in memory.
const IN_MEMORY: &str = "examples in memory";

fn preparing() -> Preparing<'static, Error> {
    Preparing { on_progress: UNWATCHED, read_weights: &read_weights }
}

fn to_the_end(mut run: Run) -> Result<Report, Error> {
    match run.fit(&mut Callbacks { on_event: &mut |_: &Event| {}, request: &|| None })? {
        Outcome::Finished(report) => Ok(report),
        Outcome::Interrupted { .. } => unreachable!("nobody asks it to stop"),
    }
}
