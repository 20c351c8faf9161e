//! What `train`, `resume` and the folds of a cross-validation have in common: what a person sees while a run is prepared and
//! trained, and signals that stop it.

use attentive_train::{Callbacks, Config, Event, Outcome, PreparedRun, Run, RunDir, StoppedRun};

use super::introduce::introduce;
use super::opening::open_machine;
use super::preparing::told;
use super::signals::Signals;
use crate::args::Talk;
use crate::failure::Failure;
use crate::output::tell;
use crate::progress::Progress;

/// Prepares a new run, of which nothing is created yet.
pub(super) fn prepare(config: Config, talk: Talk, signals: &Signals) -> Result<PreparedRun, Failure> {
    let machine = open_machine(None, &config)?;
    told(talk, signals, |preparing| PreparedRun::prepare(config, machine, preparing))
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
    let machine = open_machine(None, stopped.config())?;
    told(talk, signals, |preparing| stopped.prepare(machine, preparing))
}

/// Trains until the end or the first signal.
pub(super) fn fit(run: &mut Run, talk: Talk, signals: &Signals) -> Result<Outcome, Failure> {
    if !talk.quiet {
        introduce(run.setup());
    }
    signals.hold();
    let mut progress = Progress::new(talk, run.setup().config());
    let mut has_trained = false;
    let mut on_event = |event: &Event| {
        has_trained |= matches!(event, Event::Start { .. } | Event::Refitting { .. } | Event::Saved { .. });
        progress.show(event);
    };
    let outcome = run.fit(&mut Callbacks { on_event: &mut on_event, request: &|| signals.request() });
    progress.clear();
    let outcome = outcome?;
    if matches!(outcome, Outcome::Finished(_)) && !has_trained && !talk.quiet {
        tell("note: this run was finished before: nothing was trained. More epochs: `attentive train CONFIG --resume`");
    }
    Ok(outcome)
}
