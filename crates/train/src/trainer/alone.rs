//! A run whose whole classifier is a linear part. It is solved while the run is prepared: what is left is one step, which finds
//! what its logits count and where its thresholds lie.

use serde_json::json;

use super::reporting::report;
use crate::checkpoint::{Snapshot, State, Store};
use crate::error::TrainError;
use crate::evaluation::evaluate::Evaluator;
use crate::metrics::{Balance, Metrics};
use crate::preparation::preflight;
use crate::run::LockedRun;
use crate::run::metrics_log::MetricsLog;
use crate::training::event::Event;
use crate::training::job::{Callbacks, Job, Outcome};
use crate::training::recovery::Recovered;

/// Takes the one step, unless it is taken, and writes the report.
pub(super) fn solve(
    run: &LockedRun,
    job: &Job,
    recovered: Recovered,
    callbacks: &mut Callbacks,
) -> Result<Outcome, TrainError> {
    let Job { config, prepared, device, .. } = *job;
    let evaluator =
        Evaluator::new(config, prepared.sizes.head, prepared.labels.names(), prepared.encoder.pad_id(), device);
    let store = Store::new(run.checkpoints());
    store.sweep()?;
    let state = match recovered.into_checkpoint() {
        Some(checkpoint) => {
            if let Some(report) = run.report()? {
                return Ok(Outcome::Finished(report));
            }
            checkpoint.state
        }
        None => {
            preflight::check_disk(run, config, None)?;
            let mut state = State { step: 1, epoch: 1, ..State::default() };
            let metrics = choose(job, &evaluator, &mut state)?;
            let snapshot = Snapshot::new(Vec::new(), Vec::new())?;
            let (mut log, _) = MetricsLog::open(run.metrics(), &State::default())?;
            let logged = metrics.map(|metrics| Metrics { confusion: Vec::new(), ..metrics });
            log.write(&json!({
                "step": state.step,
                "epoch": state.epoch,
                "validation": logged,
                "linear_sha256": job.origin.linear,
            }))?;
            log.sync(&mut state)?;
            let path = store.save(&state, job.origin, &snapshot)?;
            (callbacks.on_event)(&Event::Saved { step: state.step, path, is_scheduled: true });
            state
        }
    };
    report(run, job, &store, &state, &evaluator, callbacks).map(Outcome::Finished)
}

/// What the logits count, and the thresholds, by the validation split.
fn choose(job: &Job, evaluator: &Evaluator, state: &mut State) -> Result<Option<Metrics>, TrainError> {
    let Job { config, prepared, .. } = *job;
    if let Some(settled) = job.settled {
        (state.balance, state.thresholds) = (settled.balance, settled.thresholds.clone());
        return Ok(None);
    }
    state.balance = evaluator.balance(config, prepared, None);
    let Some(split) = &prepared.validation else {
        state.thresholds = evaluator.decision(config, None).thresholds;
        return Ok(None);
    };
    let logits = evaluator.logits(None, &split.inputs)?;
    let scores =
        evaluator.scores(logits.balanced(state.balance.unwrap_or(Balance::PLAIN), split.linear.as_deref()), split);
    let decision = evaluator.decision(config, Some(&scores));
    let metrics = evaluator.metrics(&scores, &decision);
    state.thresholds = decision.thresholds;
    Ok(Some(metrics))
}
