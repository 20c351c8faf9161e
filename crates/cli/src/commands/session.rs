//! What `train`, `resume`, `verify` and the folds of a cross-validation have in common: what computes a run, and what a person
//! sees while it is prepared and trained.

use attentive_backend::{Backend, Opened};
use attentive_train::{Callbacks, Config, Machine, NewRun, Outcome, Run, RunDir, StoppedRun};

use super::introduce::introduce;
use super::open_device;
use super::preparing::told;
use super::signals::Signals;
use crate::args::Talk;
use crate::failure::Failure;
use crate::progress::Progress;

/// Prepares a new run, of which nothing is created yet.
pub(super) fn prepare(config: Config, talk: Talk, signals: &Signals) -> Result<NewRun, Failure> {
    let machine = machine(open_device(None, &config)?);
    told(talk, signals, |preparing| NewRun::prepare(config, machine, preparing))
}

/// Prepares a run that stopped, with its own config or another.
pub(super) fn resume(
    run: RunDir,
    config: Option<Config>,
    allowed: &[String],
    talk: Talk,
    signals: &Signals,
) -> Result<Run, Failure> {
    let stopped = StoppedRun::open(run, config, allowed)?;
    let machine = machine(open_device(None, stopped.config())?);
    told(talk, signals, |preparing| stopped.prepare(machine, preparing))
}

/// Trains until the end or the first signal.
pub(super) fn fit(run: &mut Run, talk: Talk, signals: &Signals) -> Result<Outcome, Failure> {
    if !talk.quiet {
        introduce(run.made_of());
    }
    signals.hold();
    let mut progress = Progress::new(talk, run.made_of().config());
    let outcome =
        run.fit(&mut Callbacks { on_event: &mut |event| progress.show(event), request: &|| signals.request() });
    progress.clear();
    Ok(outcome?)
}

/// What computes a run, with what its bits may depend on.
pub(super) fn machine(opened: Opened) -> Machine {
    let built: Vec<_> = Backend::ALL.into_iter().filter(|backend| backend.is_built()).map(Backend::name).collect();
    let text = |(key, value): (&str, &str)| (key.to_string(), value.to_string());
    let build = [
        ("attentive", env!("CARGO_PKG_VERSION")),
        ("git_revision", env!("ATTENTIVE_GIT_REVISION")),
        ("burn", env!("ATTENTIVE_BURN_VERSION")),
        ("features", &built.join(", ")),
        ("backend", opened.backend.name()),
    ]
    .into_iter()
    .chain(opened.name.as_deref().map(|name| ("device", name)))
    .map(text)
    .collect();
    Machine {
        backend: opened.backend.name().to_string(),
        description: opened.description,
        device: opened.device,
        build,
    }
}
