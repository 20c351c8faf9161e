//! The training loop. Read it from [`fit`] down.
//!
//! Nothing here prints or reads a clock to decide anything; what happens is told to an observer as [`Event`]s.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::time::Instant;

use attentive_data::{Split, permutation};
use attentive_model::{Classifier, EmbeddingConfig, Initializer, ModelConfig, Sizes, Table};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::average::{self, MovingAverage};
use crate::batching::{UsedRows, with_tables};
use crate::checkpoint::{self, Checkpoint, Fingerprints, State};
use crate::chosen::Chosen;
use crate::config::Config;
use crate::error::{CheckpointError, TrainError};
use crate::evaluate::{Evaluator, Logits, task};
use crate::event::Event;
use crate::format;
use crate::gradients::Gradients;
use crate::loss::Loss;
use crate::metrics::{Decision, Metrics};
use crate::optimizer::Optimizer;
use crate::prepare::Prepared;
use crate::run::{LockedRun, io_error};
use crate::schedule::ScheduleConfig;
use crate::seed::{Stream, derive};
use crate::selection::{Best, monitored};

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
    evaluator: Evaluator,
    loss: Loss,
    /// Where training happens: the evaluator's device with gradients.
    autodiff_device: Device,
    model: Classifier,
    /// Keeps the model's place while the optimizer has it.
    placeholder: Classifier,
    optimizer: Optimizer,
    average: Option<MovingAverage>,
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
        let model = initial_model(config, prepared, &autodiff_device)?;
        let tiny = ModelConfig { embedding: EmbeddingConfig { dim: 1, ..Default::default() }, ..Default::default() };
        let metrics_path = run.metrics();
        let metrics = OpenOptions::new().create(true).truncate(false).write(true).open(&metrics_path);
        let head = prepared.sizes.head;
        let mut trainer = Self {
            run,
            config,
            prepared,
            fingerprints: prepared.fingerprints(config),
            evaluator: Evaluator::new(config, head, prepared.labels.names(), prepared.encoder.pad_id(), device),
            loss: Loss::new(head, &config.train.loss, config.train.label_smoothing, prepared.class_weights.clone()),
            placeholder: tiny.init(&Sizes::of_labels(1, 2), &mut Initializer::new(0, &autodiff_device)),
            autodiff_device,
            optimizer: config.train.optimizer.init(),
            average: config.train.ema.map(|decay| MovingAverage::new(decay, &model)),
            model,
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
        let device = &self.evaluator.device;
        let (moments, averages) = average::split_saved(checkpoint.moments()?);
        self.model = self.model.with_weights(checkpoint.weights()?)?;
        self.optimizer = self.optimizer.with_moments(moments, &self.model, device)?;
        self.average = self.average.map(|average| average.with_saved(averages, &self.model, device)).transpose()?;
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
            if let Some(average) = &mut self.average {
                average.update(&self.model, self.state.step);
            }
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
        let peak = train.optimizer.learning_rate();
        let lr = train.schedule.lr(peak, self.state.step, self.total_steps()) * self.state.plateau.scale;

        // A sparse step sees only the rows of the tables that its examples use, and so does the optimizer.
        let inputs = &self.prepared.train.inputs;
        let used = train.optimizer.is_sparse().then(|| UsedRows::of(inputs, examples, &self.config.model));
        let tables = used.as_ref().map_or(Vec::new(), |used| used.tables(&self.autodiff_device));
        let model = with_tables(self.model.clone(), &tables);

        let mut gradients = Gradients::default();
        let parts = examples.chunks(train.batch_size.div_ceil(train.accumulation_steps));
        for (part, indices) in parts.enumerate() {
            let draw = self.state.step * train.accumulation_steps as u64 + part as u64;
            self.evaluator.device.seed(derive(self.config.seed, Stream::Dropout, draw));
            self.backward(&model, indices, used.as_ref(), examples.len(), &mut gradients)?;
        }
        drop(model); // a second handle on the weights would make the optimizer copy them
        for (table, rows) in &tables {
            gradients.of_rows(table.weight(), rows);
        }
        if let Some(max_norm) = train.max_grad_norm {
            let norm = gradients.norm()?;
            gradients.clip(norm, max_norm);
        }
        let model = std::mem::replace(&mut self.model, self.placeholder.clone());
        let lr_of = |name: &str| match train.learning_rates.get(part_of(name)) {
            Some(own) => lr / peak * own,
            None => lr,
        };
        self.model = self.optimizer.step(model, gradients, self.state.step, &lr_of);
        Ok(lr)
    }

    /// Adds the gradient of the mean loss over a step of `n` examples, of which `indices` are a part.
    fn backward(
        &mut self,
        model: &Classifier,
        indices: &[usize],
        used: Option<&UsedRows>,
        n: usize,
        gradients: &mut Gradients,
    ) -> Result<(), TrainError> {
        let train = &self.prepared.train;
        let input = self.evaluator.batching.input(&train.inputs, indices, used, &self.autodiff_device);
        let targets: Vec<&[u32]> = indices.iter().map(|&i| train.targets.of(i)).collect();
        let logits = model.forward(input);
        let of_loss = self.loss.gradient(logits.clone().inner(), &targets) / n as f32;
        let values = logits.clone().inner().try_into_vec_as::<f32>().map_err(TrainError::device)?;
        self.sum_up(values, &targets)?;
        // The gradient of Σ logits · c with respect to the logits is c.
        gradients.add(model, (logits * Tensor::from_inner(of_loss)).sum().backward());
        Ok(())
    }

    /// Counts losses and right decisions into the epoch under way, from the pass that also trains, as Keras does.
    fn sum_up(&mut self, logits: Vec<f32>, targets: &[&[u32]]) -> Result<(), TrainError> {
        let loss: f64 = self.loss.values(&logits, targets).iter().sum();
        if !loss.is_finite() {
            return Err(TrainError::Diverged { step: self.state.step + 1, epoch: self.state.epoch + 1 });
        }
        let n_labels = self.prepared.labels.len();
        let probabilities = Logits { values: logits, head: self.evaluator.head, n_labels }.probabilities();
        let decision = self.evaluator.decision(self.config, None);
        let decided = probabilities.chunks_exact(n_labels).map(|row| decision.decide(row));
        self.state.running.loss += loss;
        self.state.running.correct +=
            decided.zip(targets).filter(|(decided, target)| decided == *target).count() as u64;
        self.state.running.examples += targets.len() as u64;
        Ok(())
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
        let mut model = self.model.valid();
        if let Some(average) = &self.average {
            model = model.with_weights(average.weights(&self.model)?)?;
        }
        let scores = self.evaluator.scores(&model, split)?;
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
        let weights = self.model.weights()?;
        if let Some(weight) = weights.iter().find(|weight| weight.values.iter().any(|value| !value.is_finite())) {
            return Err(CheckpointError::NotFinite { name: weight.name.clone() }.into());
        }
        let mut moments = self.optimizer.moments()?;
        if let Some(average) = &self.average {
            moments.extend(average.to_saved(&self.model)?);
        }
        let encode =
            |file, result: Result<Vec<u8>, String>| result.map_err(|reason| CheckpointError::Encode { file, reason });
        let weights = encode(checkpoint::WEIGHTS, format::to_safetensors(&weights))?;
        let moments = encode(checkpoint::MOMENTS, format::to_burnpack(&moments))?;
        self.metrics.sync_data().map_err(io_error("write", &self.run.metrics()))?;
        let checkpoints = self.run.checkpoints();
        let path = checkpoint::save(&checkpoints, &self.state, &self.fingerprints, &weights, &moments)?;
        checkpoint::retain(&checkpoints, self.config.train.keep_checkpoints, &self.state.selection.steps())?;
        (watch.observer)(&Event::Saved { step: self.state.step, path });
        Ok(())
    }

    /// Evaluates the best weights on every split and writes the report.
    fn report(&mut self, watch: &mut Watch) -> Result<Report, TrainError> {
        let chosen = Chosen::load(&self.run.checkpoints(), &self.state, self.config, &self.model)?;
        let weights_sha256 = checkpoint::sha256(
            &format::to_safetensors(&chosen.weights)
                .map_err(|reason| CheckpointError::Encode { file: checkpoint::WEIGHTS, reason })?,
        );
        let model = self.model.clone().with_weights(chosen.weights)?.valid();
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

/// The model before its first step: random weights, and pretrained vectors where there are any.
fn initial_model(config: &Config, prepared: &Prepared, device: &Device) -> Result<Classifier, TrainError> {
    let mut init = Initializer::new(derive(config.seed, Stream::Weights, 0), device);
    let model = config.model.init(&prepared.sizes, &mut init);
    let Some(vectors) = &prepared.vectors else { return Ok(model) };
    let mut weights = model.weights()?;
    let dim = config.model.embedding.dim;
    if let Some(table) = weights.iter_mut().find(|weight| weight.name == Table::Embedding.weight()) {
        for (id, vector) in &vectors.rows {
            table.values[*id as usize * dim..][..dim].copy_from_slice(vector);
        }
    }
    Ok(model.with_weights(weights)?)
}

/// The part of a model that a weight belongs to: the first name of its path.
fn part_of(weight: &str) -> &str {
    weight.split('.').next().unwrap_or(weight)
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
