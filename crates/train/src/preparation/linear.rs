//! The linear part of a classifier: how it is solved, what is saved of it, and what it says of texts. It needs no device.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use attentive_data::{
    DataError, DataProgress, LinearConfig, LinearLoss, NaiveBayes, OnProgress, Targets, Texts, permutation,
};
use attentive_linear::{
    Characters, Examples, FeatureParts, FeatureSettings, Features, LinearError, LinearModel, Loss, Rows,
    SolverSettings, Stop, Targets as LinearTargets, Weights, solve,
};
use attentive_model::{Head, Weight};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::metrics::likeliest;
use crate::run::LinearFiles;
use crate::storage::format::{Precision, write_safetensors};

/// What the names of its weights begin with.
pub(crate) const LINEAR: &str = "linear.";
const WEIGHT: &str = "linear.weight";
const BIAS: &str = "linear.bias";
const SCALE: &str = "linear.scale";

/// Into how many parts training texts are cut to choose by: each is held out once, so that all of them tell.
const FOLDS: usize = 3;
/// More features of texts times outputs than this take minutes by folds, and with naive-Bayes ratios: there the validation split
/// tells, which is large enough.
const MAX_WORK_OF_FOLDS: usize = 200_000_000;
/// How exactly the weights are solved: their logits are within 0.002 of the optimum's, and take two thirds of the time.
const TOLERANCE: f64 = 1e-2;
/// How exactly those of folds are, which only tell factors: within 0.02, in half the time.
const TOLERANCE_OF_FOLDS: f64 = 1e-1;
/// So many texts become features at once.
const AT_ONCE: usize = 4096;
/// How often it is asked whether to go on.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// A linear part in use.
#[derive(Debug)]
pub(crate) struct LinearPart {
    /// Its logits have as many columns as the head of the network.
    model: LinearModel,
    /// By what its logits are multiplied.
    scale: f32,
}

/// What is to be learned, and what may be chosen by.
pub(crate) struct LinearTask<'a> {
    /// What was asked for.
    pub config: &'a LinearConfig,
    /// What the classifier says.
    pub head: Head,
    /// How many labels there are.
    pub n_labels: usize,
    /// How much each label counts.
    pub class_weights: &'a [f64],
    /// What is learned from.
    pub train: (&'a Texts, &'a Targets),
    /// What was held out.
    pub validation: Option<(&'a Texts, &'a Targets)>,
    /// The shares, where they are known.
    pub settled: Option<Shares>,
    /// Decides which examples are in which fold.
    pub seed: u64,
    /// Asked whether to stop.
    pub stop: Stop<'a>,
}

/// What is known of a linear part before the first epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LinearAccount {
    /// How many n-grams it reads.
    pub ngrams: usize,
    /// How much its weights owe to either way to solve it.
    pub shares: Shares,
}

/// By what the weights of each solution are multiplied before they are added. The sum is calibrated: it makes the labels of texts
/// that were held out most likely. One that is not there has 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// Those of the config as it is.
    pub plain: f32,
    /// Those with naive-Bayes ratios.
    pub naive_bayes: f32,
    /// Those where the examples weigh a quarter (`C`) against the regularisation.
    pub softer: f32,
}

/// How a linear part is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    NaiveBayes,
    Softer,
}

/// By what `C` is multiplied for [`Way::Softer`].
const SOFTER: f64 = 0.25;

/// A linear part as it is before the first epoch.
#[derive(Debug)]
pub(crate) struct SolvedLinear {
    /// With the scale 1.
    pub part: LinearPart,
    /// What was chosen.
    pub account: LinearAccount,
}

/// Examples with their rows.
struct Solving<'a> {
    task: &'a LinearTask<'a>,
    one: Vec<u32>,
    many: Vec<Vec<u32>>,
    label_weights: Vec<f32>,
    rows: Rows,
}

impl LinearTask<'_> {
    /// Solves it.
    ///
    /// # Errors
    /// [`LinearError::Stopped`] when it is asked to stop.
    pub(crate) fn solve(&self) -> Result<SolvedLinear, LinearError> {
        let texts: Vec<&str> = self.train.0.iter().collect();
        let features = Features::fit(&texts, &settings(self.config), self.stop)?;
        let solving = Solving::new(self, features.rows(&texts, self.stop)?);
        let solve = |way| Ok((way, solving.weights(&solving.all(), way)?));
        let solutions = solving.ways().into_iter().map(solve).collect::<Result<Vec<_>, LinearError>>()?;
        let shares = self.settled.map_or_else(|| solving.shares(&features, &solutions), Ok)?;
        let model = LinearModel::new(features, solving.mixed(shares, solutions))?;
        let model = match self.config.max_features {
            Some(most) => model.pruned(most),
            None => model,
        };
        let account = LinearAccount { ngrams: model.features().len(), shares };
        Ok(SolvedLinear { part: LinearPart { model, scale: 1.0 }, account })
    }
}

impl Shares {
    fn of(self, way: Way) -> f32 {
        match way {
            Way::Plain => self.plain,
            Way::NaiveBayes => self.naive_bayes,
            Way::Softer => self.softer,
        }
    }
}

impl<'a> Solving<'a> {
    fn new(task: &'a LinearTask<'a>, rows: Rows) -> Self {
        let targets = task.train.1;
        let is_many = task.head == Head::MultiLabel;
        Self {
            task,
            one: if is_many { Vec::new() } else { targets.iter().flatten().copied().collect() },
            many: if is_many { targets.iter().map(<[u32]>::to_vec).collect() } else { Vec::new() },
            label_weights: task.class_weights.iter().map(|&weight| weight as f32).collect(),
            rows,
        }
    }

    /// The solutions that are needed, two at most.
    fn ways(&self) -> Vec<Way> {
        match (self.task.settled, self.task.config.naive_bayes) {
            (Some(shares), _) => {
                let all = [Way::Plain, Way::NaiveBayes, Way::Softer];
                all.into_iter().filter(|way| shares.of(*way) != 0.0).collect()
            }
            (None, NaiveBayes::Mixed) if self.is_much() => vec![Way::Plain, Way::Softer],
            (None, NaiveBayes::Mixed) => vec![Way::Plain, Way::NaiveBayes],
            (None, NaiveBayes::Always) => vec![Way::NaiveBayes],
            (None, NaiveBayes::Never) => vec![Way::Plain],
        }
    }

    /// The shares of one or two solutions.
    fn shares(&self, features: &Features, solutions: &[(Way, Weights)]) -> Result<Shares, LinearError> {
        let task = self.task;
        let by = task.validation.filter(|_| self.is_much());
        let held_out = |(way, weights): &(Way, Weights)| match by {
            None => self.held_out(*way),
            Some((texts, _)) => {
                let model = LinearModel::new(features.clone(), weights.clone())?;
                LinearPart { model, scale: 1.0 }.logits(texts, task.stop)
            }
        };
        let logits = solutions.iter().map(held_out).collect::<Result<Vec<_>, _>>()?;
        let part = |index: usize| logits.get(index).map(Vec::as_slice);
        let found = likeliest([part(0), part(1)], by.unwrap_or(task.train).1, task.head);
        let of =
            |way| solutions.iter().zip(found).find(|((other, _), _)| *other == way).map_or(0.0, |(_, share)| share);
        Ok(Shares { plain: of(Way::Plain), naive_bayes: of(Way::NaiveBayes), softer: of(Way::Softer) })
    }

    /// The sum of the solutions, each times its share.
    fn mixed(&self, shares: Shares, solutions: Vec<(Way, Weights)>) -> Weights {
        let outputs = self.outputs();
        let nothing = Weights { weights: vec![0.0; self.rows.n_columns() * outputs], bias: vec![0.0; outputs] };
        solutions.into_iter().fold(nothing, |mut sum, (way, Weights { weights, bias })| {
            let share = shares.of(way);
            sum.weights.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += share * weight);
            sum.bias.iter_mut().zip(bias).for_each(|(sum, weight)| *sum += share * weight);
            sum
        })
    }

    /// Whether it would take minutes to solve it for every fold.
    fn is_much(&self) -> bool {
        self.rows.n_stored().saturating_mul(self.outputs()) > MAX_WORK_OF_FOLDS
    }

    fn outputs(&self) -> usize {
        self.task.head.outputs(self.task.n_labels)
    }

    fn all(&self) -> Vec<usize> {
        (0..self.rows.len()).collect()
    }

    /// What some of the examples teach, with as many columns as the head.
    fn weights(&self, examples: &[usize], way: Way) -> Result<Weights, LinearError> {
        let LinearTask { config, n_labels, head, .. } = *self.task;
        let one: Vec<u32> =
            if self.many.is_empty() { examples.iter().map(|&i| self.one[i]).collect() } else { Vec::new() };
        let many: Vec<Vec<u32>> =
            if self.many.is_empty() { Vec::new() } else { examples.iter().map(|&i| self.many[i].clone()).collect() };
        let targets = if self.many.is_empty() { LinearTargets::One(&one) } else { LinearTargets::Many(&many) };
        let is_weighted = self.label_weights.iter().any(|&weight| weight != 1.0);
        let label_weights = is_weighted.then_some(self.label_weights.as_slice());
        let to_learn = Examples { label_weights, ..Examples::new(targets, n_labels) };
        let loss = match config.loss {
            LinearLoss::Svm => Loss::SquaredHinge,
            LinearLoss::Logistic => Loss::Logistic,
        };
        let tolerance = if examples.len() == self.rows.len() { TOLERANCE } else { TOLERANCE_OF_FOLDS };
        let c = config.c.unwrap_or(loss.usual_c()) * if way == Way::Softer { SOFTER } else { 1.0 };
        let naive_bayes = way == Way::NaiveBayes;
        let solver = SolverSettings { loss, c: Some(c), naive_bayes, tolerance, ..SolverSettings::default() };
        let selected;
        let rows = if examples.len() == self.rows.len() {
            &self.rows
        } else {
            selected = self.rows.select(examples);
            &selected
        };
        let weights = solve(rows, &to_learn, &solver, self.task.stop)?.weights;
        Ok(if head == Head::Sigmoid { of_second_label(&weights) } else { weights })
    }

    /// The logits of every example by what the other folds teach.
    fn held_out(&self, way: Way) -> Result<Vec<f32>, LinearError> {
        let outputs = self.outputs();
        let mut logits = vec![0.0; self.rows.len() * outputs];
        let order = permutation(self.task.seed, 0, self.rows.len());
        for fold in 0..FOLDS {
            let (mut held_out, mut rest) = (Vec::new(), Vec::new());
            for (place, &example) in order.iter().enumerate() {
                if place % FOLDS == fold { held_out.push(example as usize) } else { rest.push(example as usize) }
            }
            if rest.is_empty() || held_out.is_empty() {
                continue;
            }
            let found = self.weights(&rest, way)?.logits(&self.rows.select(&held_out));
            for (&example, found) in held_out.iter().zip(found.chunks_exact(outputs)) {
                logits[example * outputs..][..outputs].copy_from_slice(found);
            }
        }
        Ok(logits)
    }
}

impl LinearPart {
    /// A part from what was saved: `features` is the JSON of [`LinearPart::ngrams`], and its weights are taken out of `weights`.
    ///
    /// # Errors
    /// What does not fit.
    pub(crate) fn from_saved(ngrams: &[u8], weights: &mut Vec<Weight>, outputs: usize) -> Result<Self, String> {
        let features: FeatureParts = serde_json::from_slice(ngrams).map_err(|error| error.to_string())?;
        let features = Features::new(features).map_err(|error| error.to_string())?;
        let mut take = |name: &str, shape: &[usize]| {
            let place = weights.iter().position(|weight| weight.name == name);
            let weight = place.map(|place| weights.remove(place)).ok_or_else(|| format!("`{name}` is missing"))?;
            let fits = weight.shape == shape;
            fits.then_some(weight.values).ok_or_else(|| format!("`{name}` is not of the shape {shape:?}"))
        };
        let shape = [features.len(), outputs];
        let weights = Weights { weights: take(WEIGHT, &shape)?, bias: take(BIAS, &[outputs])? };
        let scale = take(SCALE, &[1])?[0];
        let model = LinearModel::new(features, weights).map_err(|error| error.to_string())?;
        if scale.is_finite() { Ok(Self { model, scale }) } else { Err(format!("`{SCALE}` is {scale}")) }
    }

    /// What is saved of its features: `ngrams.json`.
    pub(crate) fn ngrams(&self) -> Vec<u8> {
        serde_json::to_vec(self.model.features().parts()).expect("n-grams and finite numbers are always valid JSON")
    }

    /// The n-grams of texts, and what each weighs.
    ///
    /// # Errors
    /// [`LinearError::Stopped`].
    pub(crate) fn rows(&self, texts: &Texts, stop: Stop) -> Result<Rows, LinearError> {
        self.model.features().rows(&texts.iter().collect::<Vec<_>>(), stop)
    }

    /// What a run keeps of it.
    pub(crate) fn files(&self) -> LinearFiles {
        let weights =
            write_safetensors(&self.weights(), Precision::F32).expect("safetensors holds any numbers in 32 bits");
        LinearFiles { ngrams: self.ngrams(), weights }
    }

    /// Its weights: one for each n-gram and output, the biases, and what the sum is multiplied by.
    pub(crate) fn weights(&self) -> Vec<Weight> {
        let Weights { weights, bias } = self.model.weights();
        let weight = |name: &str, shape: &[usize], values: &[f32]| Weight {
            name: name.to_string(),
            shape: shape.to_vec(),
            values: values.to_vec(),
        };
        vec![
            weight(WEIGHT, &[self.model.features().len(), bias.len()], weights),
            weight(BIAS, &[bias.len()], bias),
            weight(SCALE, &[1], &[self.scale]),
        ]
    }

    /// How many n-grams it knows.
    pub(crate) fn n_ngrams(&self) -> usize {
        self.model.features().len()
    }

    /// The logits `[texts, outputs]` of texts, on all cores. Those of a text depend on it alone.
    ///
    /// # Errors
    /// [`LinearError::Stopped`].
    pub(crate) fn logits(&self, texts: &Texts, stop: Stop) -> Result<Vec<f32>, LinearError> {
        let mut logits = Vec::new();
        for texts in texts.iter().collect::<Vec<_>>().chunks(AT_ONCE) {
            logits.extend(self.model.logits(texts, stop)?);
        }
        logits.iter_mut().for_each(|logit| *logit *= self.scale);
        Ok(logits)
    }
}

/// What each character is to the n-grams of a linear part, as the `characters.json` of an export: the same for every classifier.
pub fn ngram_characters() -> Vec<u8> {
    serde_json::to_vec(&Characters::all()).expect("characters and numbers are always valid JSON")
}

/// The weights of a part whose logits are multiplied by `scale`.
pub(crate) fn scaled(mut weights: Vec<Weight>, scale: f32) -> Vec<Weight> {
    let scales = weights.iter_mut().filter(|weight| weight.name == SCALE);
    scales.flat_map(|weight| &mut weight.values).for_each(|value| *value *= scale);
    weights
}

fn settings(config: &LinearConfig) -> FeatureSettings {
    FeatureSettings {
        words: config.words,
        characters: config.characters,
        min_df: config.min_texts,
        max_characters: config.max_characters,
        ..FeatureSettings::default()
    }
}

/// Of two labels that exclude each other, the logit of the second over the first.
fn of_second_label(weights: &Weights) -> Weights {
    let differences = |values: &[f32]| values.chunks_exact(2).map(|pair| pair[1] - pair[0]).collect();
    Weights { weights: differences(&weights.weights), bias: differences(&weights.bias) }
}

/// Lets `work` run while `on_progress` is asked whether to go on.
///
/// # Errors
/// [`DataError::Interrupted`] when it says no.
pub(crate) fn watched<T: Send>(
    on_progress: &OnProgress,
    work: impl FnOnce(Stop) -> Result<T, LinearError> + Send,
) -> Result<T, TrainError> {
    let is_stopped = AtomicBool::new(false);
    let result = thread::scope(|scope| {
        let (done, is_done) = mpsc::channel::<()>();
        let work = scope.spawn(|| {
            let result = work(&|| is_stopped.load(Ordering::Relaxed));
            drop(done);
            result
        });
        while is_done.recv_timeout(ASK_EVERY) == Err(RecvTimeoutError::Timeout) {
            is_stopped.fetch_or(!on_progress(&DataProgress::SolvingLinear), Ordering::Relaxed);
        }
        work.join().unwrap_or_else(|panic| resume_unwind(panic))
    });
    result.map_err(|error| match error {
        LinearError::Stopped => DataError::Interrupted { kept: false }.into(),
        error => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_labels_share_one_logit() {
        let weights = Weights { weights: vec![-1.0, 1.0, 0.25, -0.25], bias: vec![0.5, -0.5] };
        assert_eq!(of_second_label(&weights), Weights { weights: vec![2.0, -0.5], bias: vec![-1.0] });
    }
}
