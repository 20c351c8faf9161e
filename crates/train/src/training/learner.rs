//! A model that learns: one update of its weights from some examples. What is learned when, and what becomes of it, is
//! the trainer's business.

use attentive_model::{Classifier, Weight};
use attentive_ops::is_host;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::batches::batching::with_tables;
use crate::batches::loader::{Loader, StepBatch};
use crate::checkpoint::{Checkpoint, Running, STATE, Snapshot, State};
use crate::config::Config;
use crate::error::{CheckpointError, TrainError};
use crate::evaluation::evaluate::{Evaluator, Logits};
use crate::preparation::prepare::Prepared;
use crate::step::average::{self, MovingAverage};
use crate::step::gradients::Gradients;
use crate::step::loss::Loss;
use crate::step::optimizer::Optimizer;
use crate::step::seed::{Stream, derive};
use crate::storage::encoded::{NamedTensor, first_not_finite};
use crate::training::initial;
use crate::training::job::Job;

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

/// Which update of the weights a step is to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepContext {
    /// The steps before it.
    pub step: u64,
    /// Those of them that were not skipped.
    pub updates: u64,
    /// Its learning rate.
    pub lr: f64,
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
    /// [`TrainError::NoWayBack`] when what the run started from is not at hand; when the device fails.
    pub(crate) fn new(config: &'a Config, prepared: &'a Prepared, device: &Device) -> Result<Self, TrainError> {
        let device = device.clone().autodiff();
        let model = initial::model(config, prepared, &device)?;
        Ok(Self::of(config, prepared, model, device))
    }

    /// A model with these weights, which are all that it has, and an optimizer that has not begun; `device` has no gradients.
    ///
    /// # Errors
    /// When the weights do not fit the model.
    pub(crate) fn with_weights(
        config: &'a Config,
        prepared: &'a Prepared,
        weights: Vec<Weight>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let device = device.clone().autodiff();
        let model = initial::unfilled(config, prepared, &device).with_weights(weights)?;
        Ok(Self::of(config, prepared, model, device))
    }

    /// The model as a checkpoint holds it; `device` has no gradients.
    ///
    /// # Errors
    /// When the checkpoint does not fit the config.
    pub(crate) fn restored(
        config: &'a Config,
        prepared: &'a Prepared,
        checkpoint: &Checkpoint,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let (moments, averages) = average::split_saved(checkpoint.moments()?);
        let mut learner = Self::with_weights(config, prepared, checkpoint.weights()?, device)?;
        learner.optimizer = learner.optimizer.with_moments(moments, &learner.model, device)?;
        learner.average =
            learner.average.map(|average| average.with_saved(averages, &learner.model, device)).transpose()?;
        Ok(learner)
    }

    /// `device` has gradients.
    fn of(config: &'a Config, prepared: &'a Prepared, model: Classifier, device: Device) -> Self {
        let train = &config.train;
        Self {
            config,
            prepared,
            loss: Loss::new(prepared.sizes.head, &train.loss, train.label_smoothing, prepared.class_weights.clone()),
            placeholder: initial::placeholder(&device),
            device,
            optimizer: train.optimizer.init(),
            average: train.ema.map(|decay| MovingAverage::new(decay, &model)),
            model,
        }
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
    pub(crate) fn snapshot(&self, evaluator: &Evaluator) -> Result<Snapshot<'static>, TrainError> {
        evaluator.device.sync().map_err(TrainError::device)?;
        let weights = self.weights()?;
        let mut moments = self.optimizer.tensors();
        moments.extend(self.average.iter().flat_map(MovingAverage::tensors));
        let moment = |(name, tensor): (String, Tensor<1>)| NamedTensor::new(name, tensor.dims().to_vec(), tensor);
        let moments = moments.into_iter().map(moment).collect::<Result<Vec<_>, _>>()?;
        match first_not_finite(weights.iter().chain(&moments)) {
            Some(name) => Err(CheckpointError::NotFinite { name: name.to_string() }.into()),
            None => Ok(Snapshot::new(weights, moments)?),
        }
    }

    fn weights(&self) -> Result<Vec<NamedTensor<'static>>, TrainError> {
        let weights = self.model.tensors().into_iter();
        weights.map(|(name, shape, tensor)| NamedTensor::new(name, shape, tensor)).collect()
    }

    /// One update of the weights. It is skipped if its loss or a gradient is not finite.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn step(
        &mut self,
        batch: &StepBatch,
        context: StepContext,
        evaluator: &Evaluator,
    ) -> Result<Stepped, TrainError> {
        if is_host(&self.device) {
            // On a thread of the pool, or each operation would have to wake one.
            rayon::scope(|_| self.step_here(batch, context, evaluator))
        } else {
            // A GPU has a queue for each thread.
            self.step_here(batch, context, evaluator)
        }
    }

    fn step_here(
        &mut self,
        batch: &StepBatch,
        context: StepContext,
        evaluator: &Evaluator,
    ) -> Result<Stepped, TrainError> {
        let (logits, gradients) = self.pass(batch, context.step, evaluator);
        let logits = logits.try_into_vec_as::<f32>().map_err(TrainError::device)?;
        let are_finite = logits.iter().all(|value| value.is_finite());
        let seen = self.judge(logits, &batch.targets(), evaluator);
        if !seen.loss.is_finite() {
            return Ok(Stepped::Skipped { tensor: self.culprit(are_finite)? });
        }
        if let Some(name) = gradients.first_not_finite()? {
            return Ok(Stepped::Skipped { tensor: format!("the gradient of `{name}`") });
        }
        self.update(gradients, context)?;
        Ok(Stepped::Done(seen))
    }

    /// One update from each of some batches, without waiting for the device in between: what tells whether all numbers were
    /// finite is read back at the end, at once. Gives nothing if one was not, and the learner is what it was before.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn steps(
        &mut self,
        batches: &[StepBatch],
        contexts: &[StepContext],
        evaluator: &Evaluator,
    ) -> Result<Option<Vec<Running>>, TrainError> {
        let before = (self.model.clone(), self.optimizer.clone(), self.average.clone());
        let (mut logits, mut sums) = (Vec::new(), Vec::new());
        for (batch, context) in batches.iter().zip(contexts) {
            let (of_batch, gradients) = self.pass(batch, context.step, evaluator);
            logits.push(of_batch.reshape([-1]));
            sums.extend(gradients.sums().into_iter().map(|(_, sum)| sum));
            self.update(gradients, *context)?;
        }
        let n_sums = sums.len();
        let read = Tensor::cat([sums, logits].concat(), 0).try_into_vec_as::<f32>().map_err(TrainError::device)?;
        let (sums, mut logits) = read.split_at(n_sums);
        let per_example = logits.len() / batches.iter().map(|batch| batch.examples).sum::<usize>().max(1);
        let mut seen = Vec::with_capacity(batches.len());
        for batch in batches {
            let (own, rest) = logits.split_at(batch.examples * per_example);
            seen.push(self.judge(own.to_vec(), &batch.targets(), evaluator));
            logits = rest;
        }
        if sums.iter().all(|sum| sum.is_finite()) && seen.iter().all(|seen| seen.loss.is_finite()) {
            return Ok(Some(seen));
        }
        (self.model, self.optimizer, self.average) = before;
        Ok(None)
    }

    /// What the model makes of a batch, `[examples, outputs]`, and the gradients of the mean of its losses. Nothing is read
    /// back from the device.
    fn pass(&self, batch: &StepBatch, step: u64, evaluator: &Evaluator) -> (Tensor<2>, Gradients) {
        // A step sees only the rows of the tables that its examples use: gradients are as small as they are.
        let tables = batch.used.tables(&self.device);
        let model = with_tables(self.model.clone(), &tables);
        let mut gradients = Gradients::default();
        let mut seen = Vec::with_capacity(batch.parts.len());
        for (draw, part) in (step * self.config.train.accumulation_steps as u64..).zip(&batch.parts) {
            evaluator.device.seed(derive(self.config.seed, Stream::Dropout, draw));
            let logits = part.texts.clone().logits(&model, &self.device);
            let values = logits.clone().inner();
            let of_loss = self.loss.gradient(values.clone(), &part.targets) / batch.examples as f32;
            // The gradient of Σ logits · c with respect to the logits is c.
            gradients.add(&model, (logits * Tensor::from_inner(of_loss)).sum().backward());
            seen.push(values);
        }
        for (table, rows) in &tables {
            gradients.of_rows(table.weight(), rows);
        }
        (Tensor::cat(seen, 0), gradients)
    }

    /// The first thing on the way to a loss that is not finite.
    fn culprit(&self, are_logits_finite: bool) -> Result<String, TrainError> {
        let weights = self.weights()?;
        Ok(match first_not_finite(&weights) {
            Some(name) => format!("the weight `{name}`"),
            None if !are_logits_finite => "what the model makes of the texts (the logits)".to_string(),
            None => "the loss".to_string(),
        })
    }

    fn update(&mut self, mut gradients: Gradients, context: StepContext) -> Result<(), TrainError> {
        let train = &self.config.train;
        match train.max_grad_norm {
            Some(max_norm) if is_host(&self.device) => gradients.clip(max_norm)?,
            Some(max_norm) => gradients.clip_unread(max_norm),
            None => {}
        }
        let lr_of = |weight: &str| match train.learning_rates.get(part_of(weight)) {
            Some(own) => context.lr / train.optimizer.learning_rate() * own,
            None => context.lr,
        };
        let model = std::mem::replace(&mut self.model, self.placeholder.clone());
        self.model = self.optimizer.step(model, gradients, context.updates, &lr_of);
        if let Some(average) = &mut self.average {
            average.update(&self.model, context.updates + 1);
        }
        Ok(())
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

/// The part of a model that a weight belongs to: the first name of its path.
fn part_of(weight: &str) -> &str {
    weight.split('.').next().unwrap_or(weight)
}

/// The model and the state of a checkpoint.
pub(crate) fn restore<'a>(
    job: &Job<'a>,
    checkpoint: Checkpoint,
    loader: &Loader,
) -> Result<(Learner<'a>, State), TrainError> {
    let learner = Learner::restored(job.config, job.prepared, &checkpoint, job.device)?;
    let state = &checkpoint.state;
    let steps = loader.plan(state.epoch).len() as u64;
    if state.step_in_epoch >= steps.max(1) {
        let reason = format!("it stands at step {} of an epoch of {steps}", state.step_in_epoch);
        return Err(checkpoint.damaged(STATE, reason).into());
    }
    Ok((learner, checkpoint.state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batches::loader::Loader;
    use crate::preparation::prepare::prepare;

    const WORDS: [&str; 4] = ["fine", "dull", "film", "boom"];

    /// Twelve examples in six steps, of which only the last has the word "boom", whose vector is `vector`.
    fn config(directory: &std::path::Path, vector: &str) -> Config {
        let text = |i: usize| if i == 11 { "boom".to_string() } else { format!("{} {}", WORDS[i % 3], WORDS[i % 2]) };
        let rows: String = (0..12).map(|i| format!("{},{}\n", text(i), i % 2)).collect();
        std::fs::write(directory.join("train.csv"), format!("text,label\n{rows}")).unwrap();
        std::fs::write(directory.join("words.vec"), format!("boom {vector} 1\n")).unwrap();
        let mut config = Config::default();
        config.data.train = directory.join("train.csv").into();
        config.model.embedding.dim = 2;
        config.model.embedding.vectors = Some(directory.join("words.vec"));
        config.train.batch_size = 2;
        config.train.accumulation_steps = 2;
        config.train.max_grad_norm = Some(0.1);
        config.train.ema = Some(0.9);
        config
    }

    /// The state of a learner, in bits.
    fn state(learner: &Learner) -> Vec<(String, Vec<u32>)> {
        let mut all = learner.optimizer.tensors();
        all.extend(learner.average.iter().flat_map(MovingAverage::tensors));
        all.extend(learner.model.tensors().into_iter().map(|(name, _, weight)| (name, weight)));
        let bits = |tensor: Tensor<1>| tensor.try_into_vec_as::<f32>().unwrap().into_iter().map(f32::to_bits).collect();
        all.into_iter().map(|(name, tensor)| (name, bits(tensor))).collect()
    }

    #[test]
    fn steps_at_once_are_steps_one_after_the_other() {
        let directory = temp_dir::TempDir::new().unwrap();
        let device = attentive_backend::open("flex").unwrap().device;
        for (vector, is_finite) in [("0.5", true), ("1e25", false)] {
            let config = config(directory.path(), vector);
            let prepared = prepare(&config, attentive_data::UNWATCHED).unwrap();
            let evaluator = Evaluator::new(&config, prepared.sizes.head, prepared.labels.names(), 0, &device);
            let loader = Loader::new(&config, &prepared);
            let batches: Vec<StepBatch> =
                loader.plan(0).batches_from(0).map(|examples| loader.batch(examples)).collect();
            let contexts: Vec<StepContext> = (0..6).map(|step| StepContext { step, updates: step, lr: 0.1 }).collect();
            let learner = || Learner::new(&config, &prepared, &device).unwrap();
            let (mut single, mut together) = (learner(), learner());
            let before = state(&together);
            let seen = together.steps(&batches, &contexts, &evaluator).unwrap();
            if !is_finite {
                assert_eq!(seen, None);
                assert!(state(&together) == before);
                continue;
            }
            let stepped =
                batches.iter().zip(contexts).map(|(batch, context)| match single.step(batch, context, &evaluator) {
                    Ok(Stepped::Done(seen)) => seen,
                    other => panic!("{other:?}"),
                });
            assert_eq!(seen, Some(stepped.collect()));
            assert!(state(&together) == state(&single));
            assert!(state(&together) != before);
        }
    }
}
