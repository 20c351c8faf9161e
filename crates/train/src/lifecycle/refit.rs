//! The second training of a run, on everything: once epochs, thresholds and factors are chosen on the validation split, its
//! examples are too good to be left aside. It starts anew from the same seed, in a directory of its own within the run.

use attentive_data::{DataError, Split};

use crate::checkpoint::Store;
use crate::error::TrainError;
use crate::evaluation::chosen::Chosen;
use crate::lifecycle::stages::Run;
use crate::trainer::fit;
use crate::training::event::Event;
use crate::training::job::{Callbacks, Job, Outcome, Refitted, Report, Request, Settled};
use crate::training::recovery::Recovered;

impl Run {
    /// Trains on the training and validation examples together, as `report` tells what was chosen, and puts what comes out in its
    /// place. The validation figures stay those from before.
    pub(super) fn refit(&mut self, report: Report, callbacks: &mut Callbacks) -> Result<Outcome, TrainError> {
        let settled = self.settled()?;
        let step = Some(report.step);
        let go_on = |_: &_| (callbacks.request)() != Some(Request::Stop);
        match self.setup.join_validation(&go_on) {
            Err(TrainError::Data(DataError::Interrupted { .. })) => return Ok(Outcome::Interrupted { step }),
            joined => joined?,
        }
        let Self { directory, setup, origin, .. } = self;
        let Job { config, prepared, device, .. } = setup.job(origin);
        let examples = prepared.train.targets.len();
        (callbacks.on_event)(&Event::Refitting { examples });

        let linear = prepared.linear.as_ref().map(|linear| linear.part.files());
        let mut origin = origin.clone();
        origin.linear = linear.as_ref().map(|files| files.sha256());
        let within = directory.lock_refit()?;
        let recovered = match within.recover() {
            // Of a second training that is finished, what is damaged is trained again: it comes out the same.
            Ok(recovered) if report.refit.is_none() && recovered.is_made_from(&origin) => recovered,
            Err(error @ TrainError::Io { .. }) => return Err(error),
            _ => {
                within.clear()?;
                Recovered::default()
            }
        };
        within.write_linear(linear.as_ref())?;
        let job = Job { config, prepared, origin: &origin, device, settled: Some(&settled) };
        let second = match fit(&within, &job, recovered, callbacks)? {
            Outcome::Finished(second) => second,
            stopped => return Ok(stopped),
        };
        let mut splits = second.splits;
        splits.extend(report.splits.into_iter().filter(|(split, _)| *split == Split::Validation));
        let mut baseline = second.baseline;
        baseline.extend(report.baseline.into_iter().filter(|(split, _)| *split == Split::Validation));
        let refit = Some(Refitted { examples: examples as u64, step: second.step });
        let report = Report {
            weights_sha256: second.weights_sha256,
            splits,
            baseline,
            balance: second.balance,
            calibration: second.calibration.or(report.calibration),
            refit,
            ..report
        };
        directory.write_report(&report)?;
        Ok(Outcome::Finished(report))
    }

    /// Whether the second training is done, and what predicts is intact.
    pub(super) fn is_refitted(&self, report: &Report) -> bool {
        let intact = || -> Result<bool, TrainError> {
            let of_weights = self.directory.of_weights()?;
            let store = Store::new(of_weights.checkpoints());
            let newest = store.newest_at_a_glance()?;
            let Some(checkpoint) = newest.checkpoint.filter(|_| newest.damaged.is_empty()) else { return Ok(false) };
            let is_linear = of_weights.linear()?.map(|files| files.sha256()) == checkpoint.origin.linear;
            let Job { config, prepared, .. } = self.setup.job(&self.origin);
            let shapes = if config.has_network() { config.model.weight_shapes(&prepared.sizes) } else { Vec::new() };
            Chosen::load(&store, checkpoint, prepared.labels.len(), config, &shapes)?;
            Ok(is_linear)
        };
        report.refit.is_some() && intact().unwrap_or(false)
    }

    /// What the first training chose.
    fn settled(&self) -> Result<Settled, TrainError> {
        let Job { config, prepared, .. } = self.setup.job(&self.origin);
        let store = Store::new(self.directory.checkpoints());
        let newest = store.newest_at_a_glance()?.checkpoint;
        let newest = newest.ok_or_else(|| crate::error::CheckpointError::None { path: self.path().to_path_buf() })?;
        let best = newest.state.selection.best.iter().map(|best| best.epoch);
        let epochs = if best.len() == 0 { vec![newest.state.epoch] } else { best.collect() };
        let shapes = if config.has_network() { config.model.weight_shapes(&prepared.sizes) } else { Vec::new() };
        let Chosen { thresholds, balance, .. } = Chosen::load(&store, newest, prepared.labels.len(), config, &shapes)?;
        Ok(Settled { epochs, thresholds, balance })
    }
}
