//! Running a model without training it: logits, probabilities and metrics of encoded texts.

use attentive_data::{Targets, by_length};
use attentive_model::{Classifier, Head};
use burn::tensor::Device;

use crate::batches::batching::Batching;
use crate::batches::loader::ahead;
use crate::config::{Config, Monitor, Threshold};
use crate::error::TrainError;
use crate::metrics::{Balance, Criterion, Decision, Metrics, Scored, Task};
use crate::preparation::prepare::{EncodedInputs, EncodedSplit, Prepared};
use crate::step::loss::Loss;

/// Few enough logits that what is computed beside them is small, however many labels there are.
const PIECE: usize = 1 << 20;

/// The logits of texts on the host, in the order of the texts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Logits {
    /// `[texts, outputs]`, row-major.
    pub values: Vec<f32>,
    /// What the head computes.
    pub head: Head,
    /// How many labels there are.
    pub n_labels: usize,
}

impl Logits {
    /// Those of a network whose head holds the factor of a balance, as they were before.
    pub(crate) fn undone(mut self, balance: Balance) -> Self {
        if balance.network > 0.0 {
            self.values.iter_mut().for_each(|value| *value /= balance.network);
        }
        self
    }

    /// These of a network and those of a linear part, if there is one, each times its factor.
    pub(crate) fn balanced(mut self, balance: Balance, linear: Option<&[f32]>) -> Self {
        match linear {
            Some(linear) => {
                let each = self.values.iter_mut().zip(linear);
                each.for_each(|(value, linear)| *value = *value * balance.network + linear * balance.linear);
            }
            None => self.values.iter_mut().for_each(|value| *value *= balance.network),
        }
        self
    }

    /// The probabilities `[texts, n_labels]`, row-major. A row sums to 1, unless each label has a sigmoid of its own.
    pub(crate) fn probabilities(mut self) -> Vec<f32> {
        let sigmoid = |z: f32| (1.0 / (1.0 + (-f64::from(z)).exp())) as f32;
        match self.head {
            Head::Sigmoid => return self.values.iter().flat_map(|&z| [sigmoid(-z), sigmoid(z)]).collect(),
            Head::MultiLabel => self.values.iter_mut().for_each(|z| *z = sigmoid(*z)),
            Head::Softmax => {
                for row in self.values.chunks_exact_mut(self.n_labels) {
                    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    let sum: f64 = row.iter().map(|&z| f64::from(z - max).exp()).sum();
                    row.iter_mut().for_each(|z| *z = (f64::from(*z - max).exp() / sum) as f32);
                }
            }
        }
        self.values
    }
}

/// What it takes to run a model over texts and judge it.
#[derive(Debug)]
pub(crate) struct Evaluator {
    batching: Batching,
    pub head: Head,
    /// Without label weights, as Keras evaluates.
    pub loss: Loss,
    labels: Vec<String>,
    /// Texts computed at once, or windows of texts.
    batch_size: usize,
    /// Without gradients.
    pub device: Device,
}

/// A model's probabilities for a split, and the sum of its losses.
#[derive(Debug)]
pub(crate) struct Scores<'a> {
    pub probabilities: Vec<f32>,
    pub targets: &'a Targets,
    loss: f64,
}

impl Evaluator {
    /// What `config` says, for a head over `labels`; `pad_id` is the tokenizer's.
    pub(crate) fn new(config: &Config, head: Head, labels: &[String], pad_id: u32, device: &Device) -> Self {
        let (train, n_labels) = (&config.train, labels.len());
        Self {
            batching: Batching::new(&config.model, pad_id),
            head,
            loss: Loss::new(head, &train.loss, train.label_smoothing, vec![1.0; n_labels]),
            labels: labels.to_vec(),
            batch_size: train.evaluation_batch_size,
            device: device.clone(),
        }
    }

    /// The logits of all texts by a network; all 0 without one. Texts of like length share a batch; the order of the texts is
    /// kept in the result.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn logits(&self, network: Option<&Classifier>, inputs: &EncodedInputs) -> Result<Logits, TrainError> {
        let n_labels = self.labels.len();
        let outputs = self.head.outputs(n_labels);
        let mut values = vec![0f32; inputs.texts.len() * outputs];
        let Some(model) = network else { return Ok(Logits { values, head: self.head, n_labels }) };
        let order = by_length(&inputs.texts);
        let batches = self.batches(inputs, &order);
        let batches = batches.map(|texts| (texts, self.batching.batch(inputs, texts, None)));
        ahead(batches, |batches| -> Result<(), TrainError> {
            for (texts, batch) in batches {
                let rows = batch.logits(model, &self.device).try_into_vec_as::<f32>().map_err(TrainError::device)?;
                for (&index, row) in texts.iter().zip(rows.chunks_exact(outputs)) {
                    values[index as usize * outputs..][..outputs].copy_from_slice(row);
                }
            }
            Ok(())
        })?;
        Ok(Logits { values, head: self.head, n_labels })
    }

    /// Cuts texts into batches of at most `batch_size` rows, of which a text in windows has several, but at least one text.
    fn batches<'a>(&self, inputs: &EncodedInputs, mut rest: &'a [u32]) -> impl Iterator<Item = &'a [u32]> {
        std::iter::from_fn(move || {
            let mut rows = 0;
            let fits = |&&index: &&u32| {
                rows += self.batching.rows(inputs, index);
                rows <= self.batch_size
            };
            let n = rest.iter().take_while(fits).count().max(1).min(rest.len());
            rest.split_off(..n).filter(|texts| !texts.is_empty())
        })
    }

    /// The probabilities of a split beside its targets.
    pub(crate) fn scores<'a>(&self, logits: Logits, split: &'a EncodedSplit) -> Scores<'a> {
        let mut loss = 0.0;
        let mut targets = split.targets.iter();
        let outputs = self.head.outputs(self.labels.len());
        let texts = (PIECE / outputs).max(1);
        for logits in logits.values.chunks(texts * outputs) {
            let targets: Vec<&[u32]> = targets.by_ref().take(texts).collect();
            self.loss.values(logits, &targets).into_iter().for_each(|value| loss += value);
        }
        Scores { probabilities: logits.probabilities(), targets: &split.targets, loss }
    }

    /// How much the network and the linear part count, given what the network says of the validation split: as makes its labels
    /// most likely; without a validation split half each. `None` where both stay as they are.
    pub(crate) fn balance(&self, config: &Config, prepared: &Prepared, network: Option<&Logits>) -> Option<Balance> {
        let has_both = config.has_network() && prepared.linear.is_some();
        if !has_both && !config.train.calibrate {
            return None;
        }
        let Some(split) = &prepared.validation else { return Some(Balance { network: 0.5, linear: 0.5 }) };
        let network = network.map(|logits| logits.values.as_slice());
        Some(Balance::fitted(network, split.linear.as_deref(), &split.targets, self.head))
    }

    /// The metrics by a rule of decision.
    pub(crate) fn metrics(&self, scores: &Scores, decision: &Decision) -> Metrics {
        self.scored(scores).metrics(&self.labels, decision, scores.loss)
    }

    /// The metrics by a rule of decision, with all that is too costly for every epoch.
    pub(crate) fn final_metrics(&self, scores: &Scores, decision: &Decision) -> Metrics {
        let scored = self.scored(scores);
        let (intervals, confusion_counts) = (scored.intervals(decision), scored.confusion_counts(decision));
        Metrics { intervals, confusion_counts, ..self.metrics(scores, decision) }
    }

    /// The rule of decision that the config asks for, tuned on these scores if it says so.
    pub(crate) fn decision(&self, config: &Config, scores: Option<&Scores>) -> Decision {
        let task = task(config);
        match (config.train.threshold, scores) {
            (Threshold::Tuned, Some(scores)) => {
                let criterion = match config.train.monitor {
                    Monitor::MacroF1 => Criterion::MacroF1,
                    Monitor::MicroF1 => Criterion::MicroF1,
                    Monitor::Accuracy | Monitor::Loss => Criterion::Accuracy,
                };
                Decision::tuned(task, &self.scored(scores), criterion)
            }
            (Threshold::Shared, Some(scores)) => Decision::shared(task, &self.scored(scores)),
            (Threshold::Tuned | Threshold::Shared, None) => Decision::new(task),
            (threshold, _) if threshold == Threshold::default() => Decision::new(task),
            (Threshold::At(value), _) => {
                let n = if task == Task::Many { self.labels.len() } else { 1 };
                Decision { task, thresholds: vec![value; n] }
            }
        }
    }

    fn scored<'a>(&self, scores: &'a Scores) -> Scored<'a> {
        Scored::new(self.labels.len(), &scores.probabilities, scores.targets)
    }
}

/// How many labels an example of the config's data has.
pub(crate) fn task(config: &Config) -> Task {
    if config.data.multi_label { Task::Many } else { Task::One }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_by_hand() {
        let of = |values: Vec<f32>, head, n_labels| Logits { values, head, n_labels }.probabilities();
        let sigmoid = of(vec![0.0, 2.0], Head::Sigmoid, 2);
        assert_eq!(sigmoid[..2], [0.5, 0.5]);
        assert!((sigmoid[3] - 0.880_797_1).abs() < 1e-7, "{sigmoid:?}");
        let softmax = of(vec![0.0, 0.0, 2f32.ln()], Head::Softmax, 3);
        assert!((softmax[2] - 0.5).abs() < 1e-7 && (softmax[0] - 0.25).abs() < 1e-7, "{softmax:?}");
        assert_eq!(of(vec![0.0, 2.0], Head::MultiLabel, 2), [0.5, sigmoid[3]]);
    }
}
