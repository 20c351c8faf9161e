//! A model that learns: one update of its weights from some examples. What is learned when, and what becomes of it, is
//! the trainer's business.

use attentive_model::{Classifier, Weight};
use attentive_ops::is_host;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rayon::prelude::*;

use crate::average::{self, MovingAverage};
use crate::batching::with_tables;
use crate::checkpoint::{Checkpoint, Running, Snapshot};
use crate::config::Config;
use crate::error::{CheckpointError, TrainError};
use crate::evaluate::{Evaluator, Logits};
use crate::gradients::Gradients;
use crate::initial;
use crate::loader::StepBatch;
use crate::loss::Loss;
use crate::optimizer::Optimizer;
use crate::prepare::Prepared;
use crate::seed::{Stream, derive};

/// What became of a step.
#[derive(Debug)]
pub(crate) enum Stepped {
    /// The weights moved. What the pass that trained says of the examples, as Keras reports it.
    Done(Running),
    /// Nothing was changed, because a number was not finite.
    Skipped {
        /// What holds it: a weight, `the logits`, `the loss`, or a gradient.
        tensor: String,
    },
}

/// The model of a run with everything that changes it.
#[derive(Debug)]
pub(crate) struct Learner<'a> {
    config: &'a Config,
    prepared: &'a Prepared,
    loss: Loss,
    /// Where training happens: the evaluator's device with gradients.
    device: Device,
    /// The weights after the last step.
    pub model: Classifier,
    /// Keeps the model's place while the optimizer has it.
    placeholder: Classifier,
    /// The optimizer with its moments.
    pub optimizer: Optimizer,
    /// The moving average of the weights, if the config asks for one.
    pub average: Option<MovingAverage>,
}

impl<'a> Learner<'a> {
    /// A model before its first step; `device` has no gradients.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn new(config: &'a Config, prepared: &'a Prepared, device: &Device) -> Result<Self, TrainError> {
        let device = device.clone().autodiff();
        let model = initial::model(config, prepared, &device)?;
        let train = &config.train;
        Ok(Self {
            config,
            prepared,
            loss: Loss::new(prepared.sizes.head, &train.loss, train.label_smoothing, prepared.class_weights.clone()),
            placeholder: initial::placeholder(&device),
            device,
            optimizer: train.optimizer.init(),
            average: train.ema.map(|decay| MovingAverage::new(decay, &model)),
            model,
        })
    }

    /// The model as a checkpoint holds it; `device` has no gradients.
    ///
    /// # Errors
    /// When the checkpoint does not fit the config.
    pub(crate) fn restore(mut self, checkpoint: &Checkpoint, device: &Device) -> Result<Self, TrainError> {
        let (moments, averages) = average::split_saved(checkpoint.moments()?);
        self.model = self.model.with_weights(checkpoint.weights()?)?;
        self.optimizer = self.optimizer.with_moments(moments, &self.model, device)?;
        self.average = self.average.map(|average| average.with_saved(averages, &self.model, device)).transpose()?;
        Ok(self)
    }

    /// The model that would predict: its moving average if there is one, without gradients.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn predicting(&self) -> Result<Classifier, TrainError> {
        let model = self.model.valid();
        match &self.average {
            Some(average) => Ok(model.with_weights(average.weights(&self.model)?)?),
            None => Ok(model),
        }
    }

    /// Weights, moments and averages as the files of a checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError::NotFinite`] when one of them holds a value that is not a finite number; when the device fails.
    pub(crate) fn snapshot(&self, evaluator: &Evaluator) -> Result<Snapshot, TrainError> {
        evaluator.device.sync().map_err(TrainError::device)?;
        let weights = self.model.weights()?;
        let mut moments = self.optimizer.moments()?;
        if let Some(average) = &self.average {
            moments.extend(average.to_saved(&self.model)?);
        }
        match first_not_finite(weights.iter().chain(&moments)) {
            Some(name) => Err(CheckpointError::NotFinite { name: name.to_string() }.into()),
            None => Ok(Snapshot::new(&weights, moments)?),
        }
    }

    /// One update of the weights: the `step`-th, counted from 0, of which `updates` were not skipped. It is skipped if its
    /// loss or a gradient is not finite.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn step(
        &mut self,
        batch: StepBatch,
        step: u64,
        updates: u64,
        lr: f64,
        evaluator: &Evaluator,
    ) -> Result<Stepped, TrainError> {
        if is_host(&self.device) {
            // On a thread of the pool, or each operation would have to wake one.
            rayon::scope(|_| self.step_here(batch, step, updates, lr, evaluator))
        } else {
            // A GPU has a queue for each thread.
            self.step_here(batch, step, updates, lr, evaluator)
        }
    }

    fn step_here(
        &mut self,
        batch: StepBatch,
        step: u64,
        updates: u64,
        lr: f64,
        evaluator: &Evaluator,
    ) -> Result<Stepped, TrainError> {
        let train = &self.config.train;
        // A step sees only the rows of the tables that its examples use: gradients are as small as they are.
        let tables = batch.used.tables(&self.device);
        let model = with_tables(self.model.clone(), &tables);

        let mut gradients = Gradients::default();
        let mut seen = Running::default();
        for (draw, part) in (step * train.accumulation_steps as u64..).zip(batch.parts) {
            evaluator.device.seed(derive(self.config.seed, Stream::Dropout, draw));
            let logits = part.texts.logits(&model, &self.device);
            let of_loss = self.loss.gradient(logits.clone().inner(), &part.targets) / batch.examples as f32;
            let values = logits.clone().inner().try_into_vec_as::<f32>().map_err(TrainError::device)?;
            let are_finite = values.iter().all(|value| value.is_finite());
            seen += self.judge(values, &part.targets, evaluator);
            if !seen.loss.is_finite() {
                return Ok(Stepped::Skipped { tensor: self.culprit(are_finite)? });
            }
            // The gradient of Σ logits · c with respect to the logits is c.
            gradients.add(&model, (logits * Tensor::from_inner(of_loss)).sum().backward());
        }
        drop(model); // a second handle on the weights would make the optimizer copy them
        for (table, rows) in &tables {
            gradients.of_rows(table.weight(), rows);
        }
        if let Some(name) = gradients.first_not_finite()? {
            return Ok(Stepped::Skipped { tensor: format!("the gradient of `{name}`") });
        }
        if let Some(max_norm) = train.max_grad_norm {
            let norm = gradients.norm()?;
            gradients.clip(norm, max_norm);
        }
        self.update(gradients, updates, lr);
        Ok(Stepped::Done(seen))
    }

    /// The first thing on the way to a loss that is not finite.
    fn culprit(&self, are_logits_finite: bool) -> Result<String, TrainError> {
        let weights = self.model.weights()?;
        Ok(match first_not_finite(&weights) {
            Some(name) => format!("the weight `{name}`"),
            None if !are_logits_finite => "what the model makes of the texts (the logits)".to_string(),
            None => "the loss".to_string(),
        })
    }

    fn update(&mut self, gradients: Gradients, step: u64, lr: f64) {
        let train = &self.config.train;
        let lr_of = |weight: &str| match train.learning_rates.get(part_of(weight)) {
            Some(own) => lr / train.optimizer.learning_rate() * own,
            None => lr,
        };
        let model = std::mem::replace(&mut self.model, self.placeholder.clone());
        self.model = self.optimizer.step(model, gradients, step, &lr_of);
        if let Some(average) = &mut self.average {
            average.update(&self.model, step + 1);
        }
    }

    /// The losses and right decisions of some examples.
    fn judge(&self, logits: Vec<f32>, targets: &[&[u32]], evaluator: &Evaluator) -> Running {
        let loss = self.loss.values(&logits, targets).iter().sum();
        let n_labels = self.prepared.labels.len();
        let probabilities = Logits { values: logits, head: evaluator.head, n_labels }.probabilities();
        let decision = evaluator.decision(self.config, None);
        let decided = probabilities.chunks_exact(n_labels).map(|row| decision.decide(row));
        let correct = decided.zip(targets).filter(|(decided, target)| decided == *target).count() as u64;
        Running { loss, correct, examples: targets.len() as u64 }
    }
}

/// The first of some tensors, by name, that holds a value that is not a finite number.
fn first_not_finite<'a>(tensors: impl IntoIterator<Item = &'a Weight>) -> Option<&'a str> {
    // Without an early end the comparison is one of vectors.
    let is_bad_piece = |piece: &[f32]| piece.iter().fold(false, |any, value| any | !value.is_finite());
    let is_bad = |tensor: &&Weight| tensor.values.par_chunks(1 << 16).any(is_bad_piece);
    tensors.into_iter().find(is_bad).map(|tensor| tensor.name.as_str())
}

/// The part of a model that a weight belongs to: the first name of its path.
fn part_of(weight: &str) -> &str {
    weight.split('.').next().unwrap_or(weight)
}
