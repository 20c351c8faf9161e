//! What a run comes to: its chosen weights, measured on every split.

use std::collections::BTreeMap;

use attentive_data::Split;
use attentive_model::Initializer;

use crate::checkpoint::{State, Store, WEIGHTS};
use crate::error::{CheckpointError, TrainError};
use crate::evaluation::baseline::baseline;
use crate::evaluation::chosen::Chosen;
use crate::evaluation::evaluate::{Evaluator, task};
use crate::metrics::{Balance, Decision};
use crate::preparation::linear::scaled;
use crate::run::LockedRun;
use crate::storage::encoded::sha256_of;
use crate::training::event::Event;
use crate::training::job::{Calibrated, Callbacks, Job, Report};

/// Evaluates the chosen weights on every split and writes the report.
pub(super) fn report(
    run: &LockedRun,
    job: &Job,
    store: &Store,
    state: &State,
    evaluator: &Evaluator,
    callbacks: &mut Callbacks,
) -> Result<Report, TrainError> {
    let Job { config, prepared, device, .. } = *job;
    let newest = store.glance(state.step)?;
    let shapes = if config.has_network() { config.model.weight_shapes(&prepared.sizes) } else { Vec::new() };
    let chosen = Chosen::load(store, newest, prepared.labels.len(), config, &shapes)?;
    let mut all = chosen.weights.clone();
    all.extend(prepared.linear.iter().flat_map(|linear| scaled(linear.part.weights(), chosen.linear_scale)));
    let encode = |reason| CheckpointError::Encode { file: WEIGHTS, reason };
    let weights_sha256 = sha256_of(&all).map_err(encode)?;
    let network = match config.has_network() {
        true => Some(config.model.init(&prepared.sizes, &mut Initializer::zeros(device)).with_weights(chosen.weights)?),
        false => None,
    };
    // What the network's logits count is in the weights of its head by now.
    let balance = Balance { network: 1.0, linear: chosen.linear_scale };
    let decision = Decision { task: task(config), thresholds: chosen.thresholds };
    let (mut splits, mut calibration) = (BTreeMap::new(), None);
    for name in [Split::Train, Split::Validation, Split::Test] {
        let Some(split) = prepared.split(name) else { continue };
        let of_network = evaluator.logits(network.as_ref(), &split.inputs)?;
        let as_trained =
            chosen.balance.filter(|_| config.train.calibrate).map(|balance| of_network.clone().undone(balance));
        let logits = of_network.balanced(balance, split.linear.as_deref());
        let metrics = evaluator.final_metrics(&evaluator.scores(logits, split), &decision);
        if let Some(logits) = as_trained.filter(|_| name != Split::Train) {
            let logits = logits.balanced(Balance::PLAIN, split.linear.as_deref());
            let before = evaluator.metrics(&evaluator.scores(logits, split), &decision).calibration_error;
            calibration = Some(Calibrated { split: name, before, after: metrics.calibration_error });
        }
        (callbacks.on_event)(&Event::Evaluated { split: name, epoch: chosen.epoch, metrics: metrics.clone() });
        splits.insert(name, metrics);
    }
    let report = Report {
        epoch: chosen.epoch,
        step: chosen.step,
        epochs_trained: state.epoch,
        stopped_early: state.stopped_early,
        skipped_steps: state.non_finite.skipped,
        rollbacks: state.non_finite.rollbacks,
        changes: state.changes.iter().filter(|change| !change.difference.is_free()).cloned().collect(),
        balance: chosen.balance,
        calibration,
        refit: None,
        baseline: baseline(config, prepared).unwrap_or_default().into_iter().collect(),
        weights_sha256,
        splits,
    };
    run.write_report(&report)?;
    Ok(report)
}
