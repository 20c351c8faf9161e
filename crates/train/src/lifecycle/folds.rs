//! The runs of a cross-validation in one directory, and what they come to together: one ordinary run for each part of the
//! training file.

use std::path::{Path, PathBuf};

use attentive_data::Split;
use serde_json::{Map, Value, json};

use crate::error::TrainError;
use crate::lifecycle::stages::{PreparedRun, Run};
use crate::metrics::Metrics;
use crate::run::{LockedRun, RunDir};
use crate::training::job::Report;

/// What becomes of folds that are in the directory already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingFolds {
    /// They are in the way.
    Refuse,
    /// They are removed, all at once, before the first new one is created.
    Replace,
    /// Finished ones are kept, and partial ones can be resumed.
    Resume,
}

/// The directory of a cross-validation.
#[derive(Debug)]
pub struct FoldRuns {
    path: PathBuf,
    existing: Vec<PathBuf>,
    lock: Option<LockedRun>,
}

/// What is told of each fold.
#[derive(Debug, Clone, Copy)]
pub struct FoldFigure {
    /// Its name, with one label per text.
    pub name: &'static str,
    /// Its value.
    pub value: fn(&Metrics) -> f64,
    /// Whether it is a share, from 0 to 1.
    pub is_share: bool,
}

/// A figure over all folds.
#[derive(Debug, Clone, Copy)]
pub struct FoldSummary {
    /// Which.
    pub figure: FoldFigure,
    /// The mean.
    pub mean: f64,
    /// The sample standard deviation.
    pub deviation: f64,
}

const FIGURES: [FoldFigure; 4] = [
    FoldFigure { name: "loss", value: |metrics| metrics.loss, is_share: false },
    FoldFigure { name: "accuracy", value: |metrics| metrics.accuracy, is_share: true },
    FoldFigure { name: "macro F1", value: |metrics| metrics.macro_avg.f1, is_share: true },
    FoldFigure { name: "micro F1", value: |metrics| metrics.micro_avg.f1, is_share: true },
];

/// The figures that tell of these metrics; with one label per text, micro F1 is accuracy.
pub fn fold_figures(metrics: &Metrics) -> &'static [FoldFigure] {
    if metrics.hamming_loss.is_some() { &FIGURES } else { &FIGURES[..FIGURES.len() - 1] }
}

impl FoldRuns {
    /// Opens a directory, which need not be there; it is locked when folds are resumed or created.
    ///
    /// # Errors
    /// [`TrainError::RunExists`] when the directory is a single run, [`TrainError::Occupied`] when it holds something else,
    /// [`TrainError::FoldsExist`] when it holds folds and these are refused, and [`TrainError::RunLocked`].
    pub fn open(path: &Path, existing: ExistingFolds) -> Result<Self, TrainError> {
        let folds = RunDir::folds(path)?;
        let is_taken = |fold: &PathBuf| RunDir::check_free(fold, false).is_err();
        if existing == ExistingFolds::Refuse && folds.iter().any(is_taken) {
            return Err(TrainError::FoldsExist { path: path.to_path_buf() });
        }
        let is_resumed = existing == ExistingFolds::Resume && !folds.is_empty();
        let lock = if is_resumed { Some(RunDir::lock_folds(path)?) } else { None };
        Ok(Self { path: path.to_path_buf(), existing: folds, lock })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run of one fold, counted from 1.
    pub fn fold(&self, index: u32) -> PathBuf {
        RunDir::fold(&self.path, index)
    }

    /// Creates the run of a fold.
    ///
    /// # Errors
    /// As [`PreparedRun::create`].
    pub fn create(&mut self, index: u32, new: PreparedRun) -> Result<Run, TrainError> {
        if self.lock.is_none() {
            self.lock = Some(self.clear()?);
        }
        new.create(&self.fold(index), false)
    }

    /// Locks the directory, then removes what is in it: all at once, so that no old fold is later taken for a new one.
    fn clear(&self) -> Result<LockedRun, TrainError> {
        let lock = RunDir::lock_folds(&self.path)?;
        if !self.existing.is_empty() {
            lock.remove_folds()?;
        }
        for fold in &self.existing {
            RunDir::remove(fold)?;
        }
        Ok(lock)
    }

    /// Writes down what the folds, in order, come to.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(self, reports: &[Report]) -> Result<Vec<FoldSummary>, TrainError> {
        let summary = summarize(reports);
        if let Some(lock) = self.lock {
            lock.write_folds(&to_json(reports, &summary))?;
        }
        Ok(summary)
    }
}

/// The metrics of the parts that were held out.
fn tested(reports: &[Report]) -> impl Iterator<Item = &Metrics> {
    reports.iter().filter_map(|report| report.splits.get(&Split::Test))
}

fn summarize(reports: &[Report]) -> Vec<FoldSummary> {
    let figures = tested(reports).next().map_or(&[][..], fold_figures);
    let of = |&figure: &FoldFigure| {
        let values: Vec<f64> = tested(reports).map(figure.value).collect();
        let (mean, deviation) = mean_and_deviation(&values);
        FoldSummary { figure, mean, deviation }
    };
    figures.iter().map(of).collect()
}

/// Of at least two values.
fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}

/// What `folds.json` holds.
fn to_json(reports: &[Report], summary: &[FoldSummary]) -> Value {
    let key = |figure: &FoldFigure| figure.name.to_lowercase().replace(' ', "_");
    let folds = reports.iter().zip(1..).map(|(report, index)| {
        let mut fold = json!({
            "run": format!("fold-{index}"),
            "epoch": report.epoch,
            "weights_sha256": report.weights_sha256,
        });
        if let Some(metrics) = report.splits.get(&Split::Test) {
            fold["examples"] = metrics.n.into();
            summary.iter().for_each(|FoldSummary { figure, .. }| fold[key(figure)] = (figure.value)(metrics).into());
        }
        fold
    });
    let folds: Vec<Value> = folds.collect();
    let of = |value: fn(&FoldSummary) -> f64| {
        summary.iter().map(|one| (key(&one.figure), Value::from(value(one)))).collect::<Map<_, _>>()
    };
    json!({ "folds": folds, "mean": of(|one| one.mean), "deviation": of(|one| one.deviation) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        // Python: statistics.mean and statistics.stdev of [2, 4, 4, 4, 5, 5, 7, 9].
        let (mean, deviation) = mean_and_deviation(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!(mean, 5.0);
        assert!((deviation - 2.138_089_935_299_395).abs() < 1e-15, "{deviation}");
    }
}
