//! The training loop. Read it from [`fit`] down.
//!
//! Nothing here prints or reads a clock to decide anything; what happens is told to an observer as [`Event`]s.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::time::Instant;

use attentive_data::{Split, permutation};
use attentive_model::{Classifier, Initializer};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::checkpoint::{self, Best, Checkpoint, Fingerprints, State};
use crate::config::{Config, Monitor};
use crate::error::{CheckpointError, TrainError};
use crate::evaluate::{Batching, evaluate};
use crate::event::Event;
use crate::format;
use crate::gradients::Gradients;
use crate::loss;
use crate::metrics::{Metrics, decide};
use crate::optimizer::Optimizer;
use crate::prepare::Prepared;
use crate::run::{LockedRun, io_error};
use crate::seed::{Stream, derive};

/// Who watches a run and who may ask it to stop.
pub struct Watch<'a> {
    /// Told of everything that happens.
    pub observer: &'a mut dyn FnMut(&Event),
    /// Asked after every step; when true, the run saves a checkpoint and returns.
    pub interrupted: &'a dyn Fn() -> bool,
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
    (watch.observer)(&Event::Start { step: trainer.state.step, total_steps: trainer.total_steps() });
    while !trainer.is_done() {
        if !trainer.train_epoch(watch)? {
            return Ok(Outcome::Interrupted { step: trainer.state.step });
        }
        trainer.finish_epoch(watch)?;
        if (watch.interrupted)() && !trainer.is_done() {
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
    batching: Batching,
    /// Where evaluation happens: the device without gradients.
    device: &'a Device,
    /// Where training happens: the same device with gradients.
    autodiff_device: Device,
    model: Classifier,
    optimizer: Optimizer,
    state: State,
    metrics: File,
    epoch_started: Instant,
}

impl<'a> Trainer<'a> {
    fn start(
        run: &'a LockedRun,
        config: &'a Config,
        prepared: &'a Prepared,
        device: &'a Device,
        watch: &mut Watch,
    ) -> Result<Self, TrainError> {
        checkpoint::sweep(&run.checkpoints())?;
        let autodiff_device = device.clone().autodiff();
        let mut init = Initializer::new(derive(config.seed, Stream::Weights, 0), &autodiff_device);
        let metrics_path = run.metrics();
        let metrics = OpenOptions::new().create(true).truncate(false).write(true).open(&metrics_path);
        let mut trainer = Self {
            run,
            config,
            prepared,
            fingerprints: prepared.fingerprints(config),
            batching: Batching::new(&config.model, prepared.encoder.pad_id()),
            device,
            model: config.model.init(prepared.encoder.vocab_size(), prepared.labels.len(), &mut init),
            optimizer: config.train.optimizer.init(),
            autodiff_device,
            state: State::default(),
            metrics: metrics.map_err(io_error("open", &metrics_path))?,
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
        trainer.cut_metrics()?;
        Ok(trainer)
    }

    fn restore(mut self, checkpoint: Checkpoint) -> Result<Self, TrainError> {
        let what = changed(&checkpoint.fingerprints, &self.fingerprints);
        if !what.is_empty() {
            return Err(TrainError::Changed { path: self.run.path().to_path_buf(), what: what.join(", ") });
        }
        self.model = self.model.with_weights(checkpoint.weights()?)?;
        self.optimizer = self.optimizer.with_moments(checkpoint.moments()?, &self.model, self.device)?;
        self.state = checkpoint.state;
        Ok(self)
    }

    fn is_done(&self) -> bool {
        self.state.stopped_early || self.state.epoch >= self.config.train.epochs
    }

    fn steps_per_epoch(&self) -> u64 {
        self.prepared.train.targets.len().div_ceil(self.config.train.batch_size) as u64
    }

    fn total_steps(&self) -> u64 {
        self.steps_per_epoch() * self.config.train.epochs
    }

    /// Goes through the training examples once, from wherever the epoch stands. Gives false when interrupted.
    fn train_epoch(&mut self, watch: &mut Watch) -> Result<bool, TrainError> {
        self.epoch_started = Instant::now();
        let order = permutation(self.config.seed, self.state.epoch, self.prepared.train.targets.len());
        let done = self.state.step_in_epoch as usize;
        for examples in order.chunks(self.config.train.batch_size).skip(done) {
            let lr = self.train_step(examples)?;
            self.state.step += 1;
            self.state.step_in_epoch += 1;
            let running = self.state.running;

            (watch.observer)(&Event::Step {
                step: self.state.step,
                epoch: self.state.epoch + 1,
                examples: examples.len(),
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

            // The last step of an epoch is saved by `finish_epoch`, once its evaluation is known.
            let is_last = self.state.step_in_epoch == self.steps_per_epoch();
            let is_due = self.config.train.checkpoint_every.is_some_and(|every| self.state.step.is_multiple_of(every));
            if !is_last && (watch.interrupted)() {
                self.save(watch)?;
                return Ok(false);
            }
            if !is_last && is_due {
                self.save(watch)?;
            }
        }
        Ok(true)
    }

    /// One update of the weights from some of the training examples. Gives the learning rate.
    fn train_step(&mut self, examples: &[usize]) -> Result<f64, TrainError> {
        let train = &self.config.train;
        let lr = train.schedule.lr(train.optimizer.learning_rate(), self.state.step, self.total_steps());

        let mut gradients = Gradients::default();
        let parts = examples.chunks(train.batch_size.div_ceil(train.accumulation_steps));
        for (part, indices) in parts.enumerate() {
            let draw = self.state.step * train.accumulation_steps as u64 + part as u64;
            self.device.seed(derive(self.config.seed, Stream::Dropout, draw));
            self.backward(indices, examples.len(), &mut gradients)?;
        }
        if let Some(max_norm) = train.max_grad_norm {
            let norm = gradients.norm()?;
            gradients.clip(norm, max_norm);
        }
        // The model moves through the optimizer; a cheap handle keeps the place filled meanwhile.
        let model = self.model.clone();
        self.model = self.optimizer.step(model, gradients, self.state.step, lr);
        Ok(lr)
    }

    /// Adds the gradient of the mean loss over a step of `n` examples, of which `indices` are a part.
    fn backward(&mut self, indices: &[usize], n: usize, gradients: &mut Gradients) -> Result<(), TrainError> {
        let tokens = self.batching.tokens(&self.prepared.train.texts, indices, &self.autodiff_device);
        let targets: Vec<u32> = indices.iter().map(|&i| self.prepared.train.targets[i]).collect();
        let logits = self.model.forward(tokens);
        let of_loss = loss::gradient(logits.clone().inner(), &targets) / n as f32;
        let values = logits.clone().inner().try_into_vec_as::<f32>().map_err(TrainError::device)?;
        self.sum_up(&values, &targets)?;
        // The gradient of Σ logits · c with respect to the logits is c.
        gradients.add(&self.model, (logits * Tensor::from_inner(of_loss)).sum().backward());
        Ok(())
    }

    /// Counts losses and right decisions into the epoch under way, from the pass that also trains, as Keras does.
    fn sum_up(&mut self, logits: &[f32], targets: &[u32]) -> Result<(), TrainError> {
        let outputs = logits.len() / targets.len();
        let loss = loss::value(logits, outputs, targets);
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step: self.state.step + 1, epoch: self.state.epoch + 1 });
        }
        let logits = crate::evaluate::Logits { values: logits.to_vec(), outputs };
        let probabilities = logits.probabilities();
        let decisions = probabilities.chunks_exact(outputs.max(2)).map(decide);
        self.state.running.loss += loss;
        self.state.running.correct +=
            decisions.zip(targets).filter(|(decision, target)| decision == *target).count() as u64;
        self.state.running.examples += targets.len() as u64;
        Ok(())
    }

    /// Evaluates, keeps account of the best epoch, and saves.
    fn finish_epoch(&mut self, watch: &mut Watch) -> Result<(), TrainError> {
        let validation =
            self.prepared.validation.as_ref().map(|split| self.evaluate(&self.model, split)).transpose()?;
        let epoch = self.state.epoch + 1;
        let running = std::mem::take(&mut self.state.running);
        self.state.epoch = epoch;
        self.state.step_in_epoch = 0;
        let is_best = validation.as_ref().is_some_and(|metrics| self.is_best(metrics));

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
            && self.state.since_best >= early_stopping.patience
        {
            self.state.stopped_early = true;
            (watch.observer)(&Event::StoppedEarly { epoch, patience: early_stopping.patience });
        }
        self.save(watch)
    }

    /// Whether this evaluation is the best so far; keeps count if it is not.
    fn is_best(&mut self, metrics: &Metrics) -> bool {
        let value = match self.config.train.monitor {
            Monitor::Accuracy => metrics.accuracy,
            Monitor::MacroF1 => metrics.macro_avg.f1,
            Monitor::Loss => -metrics.loss,
        };
        let min_delta = self.config.train.early_stopping.as_ref().map_or(0.0, |config| config.min_delta);
        // The first finite value is the best; NaN compares as worse than anything.
        let improved = self.state.best.map_or(!value.is_nan(), |best| value - min_delta > best.value);
        if improved {
            self.state.best = Some(Best { step: self.state.step, epoch: self.state.epoch, value });
            self.state.since_best = 0;
        } else {
            self.state.since_best += 1;
        }
        improved
    }

    fn evaluate(&self, model: &Classifier, split: &crate::prepare::EncodedSplit) -> Result<Metrics, TrainError> {
        evaluate(&model.valid(), split, self.config, self.prepared.labels.names(), &self.batching, self.device)
    }

    /// Saves a checkpoint, then removes those that are no longer wanted.
    fn save(&mut self, watch: &mut Watch) -> Result<(), TrainError> {
        self.device.sync().map_err(TrainError::device)?;
        let weights = self.model.weights()?;
        if let Some(weight) = weights.iter().find(|weight| weight.values.iter().any(|value| !value.is_finite())) {
            return Err(CheckpointError::NotFinite { name: weight.name.clone() }.into());
        }
        let encode =
            |file, result: Result<Vec<u8>, String>| result.map_err(|reason| CheckpointError::Encode { file, reason });
        let weights = encode(checkpoint::WEIGHTS, format::to_safetensors(&weights))?;
        let moments = encode(checkpoint::MOMENTS, format::to_burnpack(&self.optimizer.moments()?))?;
        self.metrics.sync_data().map_err(io_error("write", &self.run.metrics()))?;
        let checkpoints = self.run.checkpoints();
        let path = checkpoint::save(&checkpoints, &self.state, &self.fingerprints, &weights, &moments)?;
        let best = self.state.best.map(|best| best.step);
        checkpoint::retain(&checkpoints, self.config.train.keep_checkpoints, best)?;
        (watch.observer)(&Event::Saved { step: self.state.step, path });
        Ok(())
    }

    /// Evaluates the best weights on every split and writes the report.
    fn report(&mut self, watch: &mut Watch) -> Result<Report, TrainError> {
        let (epoch, step) = match self.state.best {
            Some(best) => (best.epoch, best.step),
            None => (self.state.epoch, self.state.step),
        };
        let chosen = checkpoint::load(&self.run.checkpoints().join(checkpoint::directory_name(step)))?;
        let model = self.model.clone().with_weights(chosen.weights()?)?;
        let mut splits = std::collections::BTreeMap::new();
        for name in [Split::Train, Split::Validation, Split::Test] {
            let Some(split) = self.prepared.split(name) else { continue };
            let metrics = self.evaluate(&model, split)?;
            (watch.observer)(&Event::Evaluated { split: name, epoch, metrics: metrics.clone() });
            splits.insert(name, metrics);
        }
        let report = Report {
            epoch,
            step,
            epochs_trained: self.state.epoch,
            stopped_early: self.state.stopped_early,
            weights_sha256: checkpoint::sha256(&chosen.weights),
            splits,
        };
        self.run.write_report(&report)?;
        Ok(report)
    }

    /// Appends a line to `metrics.jsonl`.
    fn log(&mut self, line: &serde_json::Value) -> Result<(), TrainError> {
        let text = format!("{line}\n");
        self.metrics.write_all(text.as_bytes()).map_err(io_error("write", &self.run.metrics()))?;
        self.state.metrics_bytes += text.len() as u64;
        Ok(())
    }

    /// Cuts `metrics.jsonl` back to where the state stands: what is behind belongs to steps that are repeated.
    fn cut_metrics(&mut self) -> Result<(), TrainError> {
        let cut = |file: &mut File, length| {
            file.set_len(length)?;
            file.seek(SeekFrom::End(0))
        };
        cut(&mut self.metrics, self.state.metrics_bytes).map_err(io_error("write", &self.run.metrics()))?;
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
