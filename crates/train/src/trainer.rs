//! The training loop. Read it from [`fit`] down.
//!
//! Nothing here prints or reads a clock to decide anything; what happens is told to an observer as [`Event`]s.

use std::time::Instant;

use attentive_data::Split;
use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::checkpoint::{self, Checkpoint, Fingerprints, State};
use crate::chosen::Chosen;
use crate::config::Config;
use crate::error::{CheckpointError, TrainError};
use crate::evaluate::{Evaluator, task};
use crate::event::Event;
use crate::format;
use crate::learner::Learner;
use crate::loader::{Loader, StepBatch, ahead};
use crate::metrics::{Decision, Metrics};
use crate::metrics_log::MetricsLog;
use crate::prepare::Prepared;
use crate::run::LockedRun;
use crate::schedule::ScheduleConfig;
use crate::selection::{Best, monitored};

/// Who watches a run and who may ask it to stop.
pub struct Watch<'a> {
    /// Told of everything that happens.
    pub observer: &'a mut dyn FnMut(&Event),
    /// Asked after every step and every epoch.
    pub request: &'a dyn Fn() -> Option<Request>,
}

/// What a watcher may ask of a run between two steps. Neither changes what is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Save a checkpoint and go on.
    Save,
    /// Save a checkpoint and return.
    Stop,
}

/// How a call of [`fit`] ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// All epochs are done, or early stopping ended them.
    Finished(Report),
    /// The run was asked to stop; its checkpoint is at this step.
    Interrupted {
        /// Steps taken.
        step: u64,
    },
}

/// What `report.json` holds: the final metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The epoch whose weights were evaluated, counted from 1: the best on validation, or the last without validation.
    pub epoch: u64,
    /// The step after which.
    pub step: u64,
    /// Epochs trained in all.
    pub epochs_trained: u64,
    /// Whether early stopping ended the run.
    pub stopped_early: bool,
    /// The SHA-256 of the evaluated weights as safetensors.
    pub weights_sha256: String,
    /// The metrics of each split there is.
    pub splits: std::collections::BTreeMap<Split, Metrics>,
}

/// Trains from the newest checkpoint of `run`, or from the start when there is none, until the last epoch.
///
/// # Errors
/// [`TrainError::Changed`] when the checkpoint was made from something else, [`TrainError::Diverged`] when the loss is
/// no longer finite, and whatever the disk or the device says. The checkpoints saved until then are intact.
pub fn fit(
    run: &LockedRun,
    config: &Config,
    prepared: &Prepared,
    device: &Device,
    watch: &mut Watch,
) -> Result<Outcome, TrainError> {
    let mut trainer = Trainer::start(run, config, prepared, device, watch)?;
    if trainer.is_done()
        && let Some(report) = run.report()?
    {
        return Ok(Outcome::Finished(report));
    }
    (watch.observer)(&Event::Start { step: trainer.state.step, total_steps: trainer.total_steps });
    while !trainer.is_done() {
        if !trainer.train_epoch(watch)? {
            return Ok(Outcome::Interrupted { step: trainer.state.step });
        }
        trainer.finish_epoch(watch)?;
        if (watch.request)() == Some(Request::Stop) && !trainer.is_done() {
            return Ok(Outcome::Interrupted { step: trainer.state.step });
        }
    }
    trainer.report(watch).map(Outcome::Finished)
}

struct Trainer<'a> {
    run: &'a LockedRun,
    config: &'a Config,
    prepared: &'a Prepared,
    fingerprints: Fingerprints,
    loader: Loader<'a>,
    total_steps: u64,
    learner: Learner<'a>,
    evaluator: Evaluator,
    state: State,
    metrics_log: MetricsLog,
    epoch_started: Instant,
}

impl<'a> Trainer<'a> {
    fn start(
        run: &'a LockedRun,
        config: &'a Config,
        prepared: &'a Prepared,
        device: &Device,
        watch: &mut Watch,
    ) -> Result<Self, TrainError> {
        checkpoint::sweep(&run.checkpoints())?;
        let (labels, pad_id) = (prepared.labels.names(), prepared.encoder.pad_id());
        let loader = Loader::new(config, prepared);
        let mut trainer = Self {
            run,
            config,
            prepared,
            fingerprints: prepared.fingerprints(config),
            total_steps: loader.total_steps(),
            loader,
            learner: Learner::new(config, prepared, device)?,
            evaluator: Evaluator::new(config, prepared.sizes.head, labels, pad_id, device),
            state: State::default(),
            metrics_log: MetricsLog::open(run.metrics())?,
            epoch_started: Instant::now(),
        };
        match checkpoint::newest(run.path(), &run.checkpoints()) {
            Ok((checkpoint, damaged)) => {
                for (path, reason) in damaged {
                    (watch.observer)(&Event::SkippedCheckpoint { path, reason });
                }
                trainer = trainer.restore(checkpoint)?;
            }
            Err(CheckpointError::None { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        trainer.metrics_log.cut(trainer.state.metrics_bytes)?;
        Ok(trainer)
    }

    fn restore(mut self, checkpoint: Checkpoint) -> Result<Self, TrainError> {
        let what = changed(&checkpoint.fingerprints, &self.fingerprints);
        if !what.is_empty() {
            return Err(TrainError::Changed { path: self.run.path().to_path_buf(), what: what.join(", ") });
        }
        self.learner = self.learner.restore(&checkpoint, &self.evaluator.device)?;
        self.state = checkpoint.state;
        Ok(self)
    }

    fn is_done(&self) -> bool {
        self.state.stopped_early || self.state.epoch >= self.config.train.epochs
    }

    /// Goes through the training examples once, from wherever the epoch stands. Gives false when interrupted.
    fn train_epoch(&mut self, watch: &mut Watch) -> Result<bool, TrainError> {
        self.epoch_started = Instant::now();
        let loader = self.loader.clone();
        let plan = loader.plan(self.state.epoch);
        let rest = plan.batches_from(self.state.step_in_epoch as usize).map(|examples| loader.batch(examples));
        ahead(rest, |batches| {
            for batch in batches {
                self.train_step(batch, watch)?;
                // The last step of an epoch is saved by `finish_epoch`, once its evaluation is known.
                if self.state.step_in_epoch == plan.len() as u64 {
                    break;
                }
                let every = self.config.train.checkpoint_every;
                let request = (watch.request)();
                if request.is_some() || every.is_some_and(|every| self.state.step.is_multiple_of(every)) {
                    self.save(watch)?;
                }
                if request == Some(Request::Stop) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// One update of the weights, and what there is to tell of it.
    fn train_step(&mut self, batch: StepBatch, watch: &mut Watch) -> Result<(), TrainError> {
        let examples = batch.examples;
        let lr = self.update(batch)?;
        let running = self.state.running;
        (watch.observer)(&Event::Step {
            step: self.state.step,
            epoch: self.state.epoch + 1,
            examples,
            loss: running.mean_loss(),
            accuracy: running.accuracy(),
            lr,
        });
        if self.state.step.is_multiple_of(self.config.train.log_every) {
            self.log(&json!({
                "step": self.state.step,
                "epoch": self.state.epoch + 1,
                "loss": running.mean_loss(),
                "accuracy": running.accuracy(),
                "lr": lr,
            }))?;
        }
        Ok(())
    }

    /// One update of the weights. Gives the learning rate.
    fn update(&mut self, batch: StepBatch) -> Result<f64, TrainError> {
        let train = &self.config.train;
        let peak = train.optimizer.learning_rate();
        let lr = train.schedule.lr(peak, self.state.step, self.total_steps) * self.state.plateau.scale;
        let seen = self.learner.step(batch, self.state.step, lr, &self.evaluator)?;
        if !seen.loss.is_finite() {
            return Err(TrainError::Diverged { step: self.state.step + 1, epoch: self.state.epoch + 1 });
        }
        self.state.running += seen;
        self.state.step += 1;
        self.state.step_in_epoch += 1;
        Ok(lr)
    }

    /// Evaluates, keeps account of the best epochs, and saves.
    fn finish_epoch(&mut self, watch: &mut Watch) -> Result<(), TrainError> {
        let epoch = self.state.epoch + 1;
        let validation = self.validate()?;
        let running = std::mem::take(&mut self.state.running);
        self.state.epoch = epoch;
        self.state.step_in_epoch = 0;
        let is_best = validation.as_ref().is_some_and(|metrics| self.observe(metrics));

        self.log(&json!({
            "step": self.state.step,
            "epoch": epoch,
            "train": { "loss": running.mean_loss(), "accuracy": running.accuracy() },
            "validation": validation,
            "best": is_best,
        }))?;
        (watch.observer)(&Event::EpochEnd {
            epoch,
            loss: running.mean_loss(),
            accuracy: running.accuracy(),
            validation,
            is_best,
            seconds: self.epoch_started.elapsed().as_secs_f64(),
        });
        if let Some(early_stopping) = &self.config.train.early_stopping
            && self.state.selection.since_improved >= early_stopping.patience
        {
            self.state.stopped_early = true;
            (watch.observer)(&Event::StoppedEarly { epoch, patience: early_stopping.patience });
        }
        self.save(watch)
    }

    /// The metrics on the validation split, if there is one, by the weights that would predict and with the thresholds
    /// that are best for them.
    fn validate(&mut self) -> Result<Option<Metrics>, TrainError> {
        let Some(split) = &self.prepared.validation else {
            self.state.thresholds = self.evaluator.decision(self.config, None).thresholds;
            return Ok(None);
        };
        let scores = self.evaluator.scores(&self.learner.predicting()?, split)?;
        let decision = self.evaluator.decision(self.config, Some(&scores));
        let metrics = self.evaluator.metrics(&scores, &decision);
        self.state.thresholds = decision.thresholds;
        Ok(Some(metrics))
    }

    /// Keeps account of an evaluation: the best epochs, and what a schedule makes of it. Gives whether it is the best.
    fn observe(&mut self, metrics: &Metrics) -> bool {
        let train = &self.config.train;
        let value = monitored(train.monitor, metrics);
        if let ScheduleConfig::Plateau(plateau) = &train.schedule {
            self.state.plateau.observe(plateau, value);
        }
        let min_delta = train.early_stopping.as_ref().map_or(0.0, |config| config.min_delta);
        let evaluation = Best { step: self.state.step, epoch: self.state.epoch, value };
        self.state.selection.observe(evaluation, train.average_best, min_delta)
    }

    /// Saves a checkpoint, then removes those that are no longer wanted.
    fn save(&mut self, watch: &mut Watch) -> Result<(), TrainError> {
        self.evaluator.device.sync().map_err(TrainError::device)?;
        let weights = self.learner.model.weights()?;
        if let Some(weight) = weights.iter().find(|weight| weight.values.iter().any(|value| !value.is_finite())) {
            return Err(CheckpointError::NotFinite { name: weight.name.clone() }.into());
        }
        let mut moments = self.learner.optimizer.moments()?;
        if let Some(average) = &self.learner.average {
            moments.extend(average.to_saved(&self.learner.model)?);
        }
        let encode =
            |file, result: Result<Vec<u8>, String>| result.map_err(|reason| CheckpointError::Encode { file, reason });
        let weights = encode(checkpoint::WEIGHTS, format::to_safetensors(&weights))?;
        let moments = encode(checkpoint::MOMENTS, format::to_burnpack(&moments))?;
        self.metrics_log.sync()?;
        let checkpoints = self.run.checkpoints();
        let path = checkpoint::save(&checkpoints, &self.state, &self.fingerprints, &weights, &moments)?;
        checkpoint::retain(&checkpoints, self.config.train.keep_checkpoints, &self.state.selection.steps())?;
        (watch.observer)(&Event::Saved { step: self.state.step, path });
        Ok(())
    }

    /// Evaluates the best weights on every split and writes the report.
    fn report(&mut self, watch: &mut Watch) -> Result<Report, TrainError> {
        let chosen = Chosen::load(&self.run.checkpoints(), &self.state, self.config, &self.learner.model)?;
        let weights_sha256 = checkpoint::sha256(
            &format::to_safetensors(&chosen.weights)
                .map_err(|reason| CheckpointError::Encode { file: checkpoint::WEIGHTS, reason })?,
        );
        let model = self.learner.model.clone().with_weights(chosen.weights)?.valid();
        let decision = Decision { task: task(self.config), thresholds: chosen.thresholds };
        let mut splits = std::collections::BTreeMap::new();
        for name in [Split::Train, Split::Validation, Split::Test] {
            let Some(split) = self.prepared.split(name) else { continue };
            let metrics = self.evaluator.final_metrics(&self.evaluator.scores(&model, split)?, &decision);
            (watch.observer)(&Event::Evaluated { split: name, epoch: chosen.epoch, metrics: metrics.clone() });
            splits.insert(name, metrics);
        }
        let report = Report {
            epoch: chosen.epoch,
            step: chosen.step,
            epochs_trained: self.state.epoch,
            stopped_early: self.state.stopped_early,
            weights_sha256,
            splits,
        };
        self.run.write_report(&report)?;
        Ok(report)
    }

    fn log(&mut self, line: &serde_json::Value) -> Result<(), TrainError> {
        self.state.metrics_bytes += self.metrics_log.write(line)?;
        Ok(())
    }
}

/// Which of the things a run is made from differ.
fn changed(old: &Fingerprints, new: &Fingerprints) -> Vec<&'static str> {
    let pairs = [
        ("config", &old.config, &new.config),
        ("data", &old.data, &new.data),
        ("tokenizer", &old.tokenizer, &new.tokenizer),
        ("label set", &old.labels, &new.labels),
    ];
    pairs.into_iter().filter(|(_, old, new)| old != new).map(|(what, _, _)| what).collect()
}
