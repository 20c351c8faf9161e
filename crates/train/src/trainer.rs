//! The training loop. Read it from [`fit`] down.
//!
//! Nothing here prints, or reads a clock to decide anything but when to save besides; what happens is told to an observer
//! as [`Event`]s.

mod reporting;
mod alone;
mod saving;

use std::time::Instant;

use attentive_ops::is_host;
use serde_json::json;

use crate::batches::loader::{Loader, StepBatch, ahead};
use crate::checkpoint::selection::{Best, monitored};
use crate::checkpoint::{Snapshot, State, Store};
use crate::config::Config;
use crate::config::ScheduleConfig;
use crate::error::{CheckpointError, TrainError};
use crate::evaluation::evaluate::Evaluator;
use crate::metrics::{Balance, Metrics};
use crate::preparation::preflight;
use crate::run::LockedRun;
use crate::run::metrics_log::MetricsLog;
use crate::training::event::Event;
use crate::training::job::{Callbacks, Job, Outcome, Request};
use crate::training::learner::{Learner, StepContext, Stepped, restore};
use crate::training::recovery::{Recovered, SetAside};
use reporting::report;

/// How many steps a GPU is given at most before what they made of it is read back. A signal is heard after as many.
const MAX_STEPS_AT_ONCE: usize = 16;

/// By what the learning rate is multiplied each time.
const ROLLBACK_SCALE: f64 = 0.5;

/// Trains from where `run` stands until the last epoch.
///
/// # Errors
/// [`TrainError::Diverged`] when numbers that are not finite come again and again, and whatever the disk or the device
/// says. The checkpoints saved until then are intact.
pub(crate) fn fit(
    run: &LockedRun,
    job: &Job,
    recovered: Recovered,
    callbacks: &mut Callbacks,
) -> Result<Outcome, TrainError> {
    if !job.config.has_network() {
        return alone::solve(run, job, recovered, callbacks);
    }
    let mut trainer = Trainer::start(run, job, recovered, callbacks)?;
    if trainer.is_done()
        && let Some(report) = run.report()?
    {
        return Ok(Outcome::Finished(report));
    }
    preflight::check_disk(run, job.config, Some(&trainer.learner.model))?;
    (callbacks.on_event)(&Event::Start { step: trainer.state.step, total_steps: trainer.total_steps });
    while !trainer.is_done() {
        match trainer.epoch(callbacks) {
            Ok(Reached::End) => {}
            Ok(Reached::Stop) => return Ok(Outcome::Interrupted { step: trainer.saved }),
            Err(Halt::Diverged { tensor }) => trainer.roll_back(tensor, callbacks)?,
            Err(Halt::Failed(error)) => return Err(error),
        }
    }
    report(run, job, &trainer.store, &trainer.state, &trainer.evaluator, callbacks).map(Outcome::Finished)
}

/// How far an epoch went.
#[derive(Debug)]
enum Reached {
    /// To its end.
    End,
    /// To where the run was asked to stop, and saved.
    Stop,
}

/// Why an epoch came to no end.
#[derive(Debug)]
enum Halt {
    /// Numbers are no longer finite, and another step makes no sense.
    Diverged {
        /// What holds a number that is not finite.
        tensor: String,
    },
    /// The disk or the device failed.
    Failed(TrainError),
}

impl<E: Into<TrainError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

struct Trainer<'a> {
    run: &'a LockedRun,
    job: &'a Job<'a>,
    config: &'a Config,
    store: Store<'static>,
    loader: Loader<'a>,
    total_steps: u64,
    learner: Learner<'a>,
    evaluator: Evaluator,
    state: State,
    /// The step of the newest checkpoint.
    saved: Option<u64>,
    saved_at: Instant,
    metrics_log: MetricsLog,
    epoch_started: Instant,
}

impl<'a> Trainer<'a> {
    fn start(
        run: &'a LockedRun,
        job: &'a Job<'a>,
        recovered: Recovered,
        callbacks: &mut Callbacks,
    ) -> Result<Self, TrainError> {
        for damaged in &recovered.set_aside {
            (callbacks.on_event)(&Event::SetAside(damaged.clone()));
        }
        let Job { config, prepared, device, .. } = *job;
        let (labels, pad_id) = (prepared.labels.names(), prepared.encoder.pad_id());
        let evaluator = Evaluator::new(config, prepared.sizes.head, labels, pad_id, device);
        let loader = Loader::new(config, prepared);
        let checkpoint = recovered.into_checkpoint();
        let saved = checkpoint.as_ref().map(|checkpoint| checkpoint.state.step);
        let (learner, state) = match checkpoint {
            Some(checkpoint) => restore(job, checkpoint, &loader)?,
            None => (Learner::new(config, prepared, device)?, State::default()),
        };
        for change in state.changes.iter().filter(|change| Some(change.step) == saved) {
            (callbacks.on_event)(&Event::Changed(change.clone()));
        }
        let (metrics_log, damaged) = MetricsLog::open(run.metrics(), &state)?;
        if let Some(path) = damaged {
            let reason = "it is not what the checkpoint knows of it".to_string();
            (callbacks.on_event)(&Event::SetAside(SetAside { path, reason }));
        }
        let store = Store::new(run.checkpoints());
        store.sweep()?;
        let now = Instant::now();
        Ok(Self {
            run,
            job,
            config,
            store,
            total_steps: loader.total_steps(),
            loader,
            learner,
            evaluator,
            state,
            saved,
            saved_at: now,
            metrics_log,
            epoch_started: now,
        })
    }

    fn is_done(&self) -> bool {
        self.state.stopped_early || self.state.epoch >= self.last_epoch()
    }

    /// How many epochs there are: those that are left once the best are known need not be trained again.
    fn last_epoch(&self) -> u64 {
        let settled = self.job.settled.and_then(|settled| settled.epochs.iter().copied().max());
        settled.unwrap_or(self.config.train.epochs)
    }

    /// Trains and evaluates an epoch, or the rest of one.
    fn epoch(&mut self, callbacks: &mut Callbacks) -> Result<Reached, Halt> {
        match self.train_epoch(callbacks)? {
            Reached::End => self.finish_epoch(callbacks),
            Reached::Stop => Ok(Reached::Stop),
        }
    }

    /// Goes through the training examples once, from wherever the epoch stands.
    fn train_epoch(&mut self, callbacks: &mut Callbacks) -> Result<Reached, Halt> {
        self.epoch_started = Instant::now();
        let loader = self.loader.clone();
        let plan = loader.plan(self.state.epoch);
        let rest = plan.batches_from(self.state.step_in_epoch as usize).map(|examples| loader.batch(examples));
        ahead(rest, |mut batches| {
            loop {
                let batches: Vec<StepBatch> = batches.by_ref().take(self.steps_at_once()).collect();
                if batches.is_empty() {
                    return Ok(Reached::End);
                }
                self.train_steps(&batches, callbacks)?;
                // The last step of an epoch is saved by `finish_epoch`, once its evaluation is known.
                if self.state.step_in_epoch == plan.len() as u64 {
                    return Ok(Reached::End);
                }
                let request = (callbacks.request)();
                if self.is_scheduled() {
                    let snapshot = self.snapshot()?;
                    self.save(&snapshot, callbacks)?;
                } else if request.is_some() || self.is_overdue() {
                    self.save_besides(callbacks)?;
                }
                if request == Some(Request::Stop) {
                    return Ok(Reached::Stop);
                }
            }
        })
    }

    /// How many steps nothing needs to be known between: one on the host, where knowing costs nothing; on a GPU, which would
    /// have to be waited for, those until something is logged or saved.
    fn steps_at_once(&self) -> usize {
        if is_host(self.job.device) {
            return 1;
        }
        let train = &self.config.train;
        let until = |every: u64| every - self.state.step % every;
        let least = [Some(train.log_every), train.checkpoint_every].into_iter().flatten().map(until).min();
        least.map_or(MAX_STEPS_AT_ONCE, |steps| steps.min(MAX_STEPS_AT_ONCE as u64) as usize)
    }

    /// Some steps. Halts when too many in a row were skipped.
    fn train_steps(&mut self, batches: &[StepBatch], callbacks: &mut Callbacks) -> Result<(), Halt> {
        let contexts: Vec<StepContext> = (0..batches.len() as u64).map(|ahead| self.context(ahead)).collect();
        if batches.len() > 1
            && let Some(all) = self.learner.steps(batches, &contexts, &self.evaluator)?
        {
            for ((batch, context), seen) in batches.iter().zip(contexts).zip(all) {
                self.account(Stepped::Done(seen), batch.examples, context.lr, callbacks)?;
            }
            return Ok(());
        }
        // Each by itself, so that what is to be skipped is known.
        for batch in batches {
            let context = self.context(0);
            let stepped = self.learner.step(batch, context, &self.evaluator)?;
            self.account(stepped, batch.examples, context.lr, callbacks)?;
        }
        Ok(())
    }

    /// Keeps account of a step and tells of it. Halts when too many in a row were skipped.
    fn account(&mut self, stepped: Stepped, examples: usize, lr: f64, callbacks: &mut Callbacks) -> Result<(), Halt> {
        let epoch = self.state.epoch + 1;
        self.state.step += 1;
        self.state.step_in_epoch += 1;
        match stepped {
            Stepped::Done(seen) => {
                self.state.running += seen;
                self.state.non_finite.in_a_row = 0;
                self.state.last_good = self.state.last_scheduled;
            }
            Stepped::Skipped { tensor } => {
                self.state.non_finite.skipped += 1;
                self.state.non_finite.in_a_row += 1;
                self.metrics_log.write(&json!({ "step": self.state.step, "epoch": epoch, "skipped": tensor }))?;
                (callbacks.on_event)(&Event::Skipped { step: self.state.step, tensor: tensor.clone() });
                if self.state.non_finite.in_a_row >= self.config.train.max_skipped {
                    return Err(Halt::Diverged { tensor });
                }
            }
        }
        let (step, running) = (self.state.step, self.state.running);
        let (loss, accuracy) = (running.mean_loss(), running.accuracy());
        (callbacks.on_event)(&Event::Step { step, epoch, examples, loss, accuracy, lr });
        if step.is_multiple_of(self.config.train.log_every) {
            let mut line = json!({ "step": step, "epoch": epoch, "loss": loss, "accuracy": accuracy, "lr": lr });
            if step == self.config.train.log_every
                && let Ok(snapshot) = self.snapshot()
            {
                // Once early on, so that a replay of few steps has weights to compare.
                line["weights_sha256"] = snapshot.weights_sha256.into();
            }
            self.metrics_log.write(&line)?;
        }
        Ok(())
    }

    /// The step after so many more, if none of them is skipped.
    fn context(&self, ahead: u64) -> StepContext {
        let step = self.state.step + ahead;
        StepContext { step, updates: self.state.updates() + ahead, lr: self.lr(step) }
    }

    /// The learning rate after so many steps.
    fn lr(&self, step: u64) -> f64 {
        let train = &self.config.train;
        let scheduled = train.schedule.lr(train.optimizer.learning_rate(), step, self.total_steps);
        scheduled * self.state.plateau.scale * self.rollback_scale()
    }

    fn rollback_scale(&self) -> f64 {
        (0..self.state.non_finite.rollbacks).fold(1.0, |scale, _| scale * ROLLBACK_SCALE)
    }

    /// Evaluates, keeps account of the best epochs, and saves.
    fn finish_epoch(&mut self, callbacks: &mut Callbacks) -> Result<Reached, Halt> {
        let snapshot = self.snapshot()?;
        let epoch = self.state.epoch + 1;
        let validation = self.validate()?;
        let running = std::mem::take(&mut self.state.running);
        self.state.epoch = epoch;
        self.state.step_in_epoch = 0;
        let is_best = match self.job.settled {
            Some(settled) => settled.epochs.contains(&epoch) && self.choose(0.0, &snapshot),
            None => validation.as_ref().is_some_and(|metrics| self.observe(metrics, &snapshot)),
        };

        // The log is for curves, and a line of it is written every epoch: it holds no matrix.
        let logged = validation.as_ref().map(|metrics| Metrics { confusion: Vec::new(), ..metrics.clone() });
        self.metrics_log.write(&json!({
            "step": self.state.step,
            "epoch": epoch,
            "train": { "loss": running.mean_loss(), "accuracy": running.accuracy() },
            "validation": logged,
            "best": is_best,
            "weights_sha256": snapshot.weights_sha256,
        }))?;
        (callbacks.on_event)(&Event::EpochEnd {
            epoch,
            loss: running.mean_loss(),
            accuracy: running.accuracy(),
            validation,
            is_best,
            weights_sha256: snapshot.weights_sha256.clone(),
            seconds: self.epoch_started.elapsed().as_secs_f64(),
        });
        if let Some(early_stopping) = &self.config.train.early_stopping
            && self.state.selection.since_improved >= early_stopping.patience
        {
            self.state.stopped_early = true;
            (callbacks.on_event)(&Event::StoppedEarly { epoch, patience: early_stopping.patience });
        }
        self.save(&snapshot, callbacks)?;
        let stops = (callbacks.request)() == Some(Request::Stop) && !self.is_done();
        Ok(if stops { Reached::Stop } else { Reached::End })
    }

    /// The metrics on the validation split, if there is one, by the weights that would predict, with the factors of their logits
    /// and the thresholds that are best for them.
    fn validate(&mut self) -> Result<Option<Metrics>, TrainError> {
        let prepared = self.job.prepared;
        let Some(split) = &prepared.validation else {
            (self.state.balance, self.state.thresholds) = match self.job.settled {
                Some(settled) => (settled.balance, settled.thresholds.clone()),
                None => {
                    let balance = self.evaluator.balance(self.config, prepared, None);
                    (balance, self.evaluator.decision(self.config, None).thresholds)
                }
            };
            return Ok(None);
        };
        let logits = self.evaluator.logits(Some(&self.learner.predicting()?), &split.inputs)?;
        self.state.balance = self.evaluator.balance(self.config, prepared, Some(&logits));
        let balanced = logits.balanced(self.state.balance.unwrap_or(Balance::PLAIN), split.linear.as_deref());
        let scores = self.evaluator.scores(balanced, split);
        let decision = self.evaluator.decision(self.config, Some(&scores));
        let metrics = self.evaluator.metrics(&scores, &decision);
        self.state.thresholds = decision.thresholds;
        Ok(Some(metrics))
    }

    /// Keeps account of an evaluation: the best epochs, and what a schedule makes of it. Gives whether it is the best.
    fn observe(&mut self, metrics: &Metrics, snapshot: &Snapshot) -> bool {
        let train = &self.config.train;
        let value = monitored(train.monitor, metrics);
        if let ScheduleConfig::Plateau(plateau) = &train.schedule {
            self.state.plateau.observe(plateau, value);
        }
        self.choose(value, snapshot)
    }

    /// Keeps the weights of this epoch among the best, if so large a value is. Gives whether it is the best.
    fn choose(&mut self, value: f64, snapshot: &Snapshot) -> bool {
        let train = &self.config.train;
        let min_delta = train.early_stopping.as_ref().map_or(0.0, |config| config.min_delta);
        let (step, epoch) = (self.state.step, self.state.epoch);
        let evaluation = Best { step, epoch, value, weights_sha256: snapshot.weights_sha256.clone() };
        self.state.selection.observe(evaluation, train.average_best, min_delta)
    }

    /// The weights and what belongs to them. Halts where one of them is not finite.
    fn snapshot(&self) -> Result<Snapshot<'static>, Halt> {
        self.learner.snapshot(&self.evaluator).map_err(|error| match error {
            TrainError::Checkpoint(CheckpointError::NotFinite { name }) => {
                Halt::Diverged { tensor: format!("`{name}`") }
            }
            error => Halt::Failed(error),
        })
    }
}
