//! `attentive train --folds K`: one ordinary run for each part of the training file, and what they come to together.

use std::path::{Path, PathBuf};

use attentive_data::{CutBy, Split, SplitManifest, SplitOrigin};
use attentive_train::{LockedRun, Metrics, Outcome, Report, RunDir, TrainError};
use serde_json::{Value, json};

use super::signals::Signals;
use super::sitting::{Plan, Sitting};
use super::train::{place, resolve};
use crate::args::{Talk, Train};
use crate::failure::{Failure, FoldsFailure};
use crate::output::{print, tell};
use crate::style::Style;
use crate::table::{Table, count, percent};
use crate::visible::visible;

/// Trains fold after fold. A fold that was finished, or begun, in an earlier sitting is gone on with, which for a
/// finished one means that its data are looked at and its report is read.
pub(super) fn train(args: &Train, of: u32, talk: Talk) -> Result<(), Failure> {
    if of < 2 {
        return Err(Failure::Folds(FoldsFailure::TooFew { of }));
    }
    let config = resolve(args, &args.set.set)?;
    if config.data.fold.is_some() {
        return Err(Failure::Folds(FoldsFailure::InConfig));
    }
    let by = match config.data.cut_by() {
        CutBy::Label => "label",
        CutBy::Hash => "hash",
    };
    // As an override, so that everything is checked that a config with this key is checked for.
    let of_fold = |index: u32| {
        let mut set = args.set.set.clone();
        set.push(format!("data.fold={{ index = {index}, of = {of}, by = \"{by}\" }}"));
        resolve(args, &set)
    };
    if args.dry_run {
        return print(&of_fold(1)?.to_toml());
    }
    let path = place(args, &config);
    let old = check_place(args, &path, of)?;

    let signals = Signals::listen()?;
    let going_on = args.resume && !old.is_empty();
    let mut lock = if going_on { Some(RunDir::lock_folds(&path)?) } else { None };
    let mut reports = Vec::new();
    for index in 1..=of {
        let fold = RunDir::fold(&path, index);
        let stopped = |saved: Option<u64>| {
            let signal = signals.received().unwrap_or_default();
            let saved = saved.map(|step| (fold.display().to_string(), step));
            Failure::Folds(FoldsFailure::Interrupted { signal, index, of, saved })
        };
        if signals.received().is_some() {
            return Err(stopped(None));
        }
        let config = of_fold(index)?;
        let mut sitting = match RunDir::open(&fold) {
            Ok(run) if args.resume => Sitting::again(run, Some(config), &args.allow.changed, talk, &signals)?,
            _ => {
                let plan = Plan::of(config, talk, &signals)?;
                if signals.received().is_some() {
                    return Err(stopped(None));
                }
                if lock.is_none() {
                    lock = Some(clear(&path, &old)?);
                }
                plan.begin(&fold, false)?
            }
        };
        if index == 1 && !talk.quiet {
            warn_of_rare_labels(sitting.manifest(), of);
        }
        match sitting.train(talk, &signals)? {
            Outcome::Interrupted { step } => return Err(stopped(step)),
            Outcome::Finished(report) => {
                if !talk.quiet {
                    tell(&format!("fold {index}/{of}  {}\n", of_one(tested(&report)?)));
                }
                reports.push(report);
            }
        }
    }
    let Some(lock) = lock else { return Ok(()) };
    let tested = reports.iter().map(tested).collect::<Result<Vec<_>, _>>()?;
    let figures = figures(&tested);
    lock.write_folds(&summary(&reports, &figures))?;
    let shown = path.display();
    print(&format!(
        "{}\nruns `{shown}/fold-1` to `{shown}/fold-{of}`, figures in `{shown}/folds.json`; `±` is the sample standard \
         deviation\n",
        table(&tested, &figures)
    ))
}

/// The folds that are in the place, which must be none unless they are to be gone on with or replaced.
fn check_place(args: &Train, path: &Path, of: u32) -> Result<Vec<PathBuf>, Failure> {
    let shown = path.display().to_string();
    match RunDir::folds(path) {
        Err(TrainError::RunExists { .. }) => Err(Failure::Folds(FoldsFailure::PlainRun { path: shown })),
        Err(error) => Err(error.into()),
        Ok(folds) => {
            let taken = |fold: &PathBuf| RunDir::check_free(fold, false).is_err();
            if !args.resume && !args.overwrite && folds.iter().any(taken) {
                return Err(Failure::Folds(FoldsFailure::Exists { path: shown, of }));
            }
            Ok(folds)
        }
    }
}

/// Locks the directory, then removes these folds, of which there are none without `--overwrite`: all at once, so that none of them is later taken for one of the new.
fn clear(path: &Path, old: &[PathBuf]) -> Result<LockedRun, Failure> {
    let lock = RunDir::lock_folds(path)?;
    if !old.is_empty() {
        lock.remove_folds()?;
    }
    for fold in old {
        RunDir::remove(fold)?;
    }
    Ok(lock)
}

/// Tells of labels that some fold has no example of.
fn warn_of_rare_labels(manifest: &SplitManifest, of: u32) {
    let validation = manifest.validation.as_ref().filter(|record| matches!(record.origin, SplitOrigin::Cut(_)));
    for (label, &n) in &manifest.train.labels {
        let others = [validation, manifest.test.as_ref()].into_iter().flatten();
        let n = n + others.map(|record| record.labels.get(label).copied().unwrap_or(0)).sum::<usize>();
        if n < of as usize {
            let warning = Style::for_stderr().error("warning:");
            let examples = if n == 1 { "example" } else { "examples" };
            tell(&format!(
                "{warning} the label `{}` has {n} {examples}, too few for each of {of} folds",
                visible(label)
            ));
        }
    }
}

fn tested(report: &Report) -> Result<&Metrics, Failure> {
    let metrics = report.splits.get(&Split::Test);
    metrics.ok_or_else(|| Failure::Internal { message: "a fold was not tested".to_string() })
}

/// What is told of each fold: a name, a value of its metrics, and whether it is a share.
type Figure = (&'static str, fn(&Metrics) -> f64, bool);

const FIGURES: [Figure; 4] = [
    ("loss", |metrics| metrics.loss, false),
    ("accuracy", |metrics| metrics.accuracy, true),
    ("macro F1", |metrics| metrics.macro_avg.f1, true),
    ("micro F1", |metrics| metrics.micro_avg.f1, true),
];

/// With one label per text, micro F1 is accuracy.
fn figures_of(metrics: &Metrics) -> impl Iterator<Item = &'static Figure> {
    let n = if metrics.hamming_loss.is_some() { FIGURES.len() } else { FIGURES.len() - 1 };
    FIGURES.iter().take(n)
}

fn name(figure: &Figure, metrics: &Metrics) -> &'static str {
    if metrics.hamming_loss.is_some() && figure.0 == "accuracy" { "exact" } else { figure.0 }
}

fn of_one(metrics: &Metrics) -> String {
    let shown = figures_of(metrics).map(|figure| {
        let value = figure.1(metrics);
        format!("{} {}", name(figure, metrics), if figure.2 { percent(value) } else { format!("{value:.4}") })
    });
    shown.collect::<Vec<_>>().join("  ")
}

/// The mean and the sample standard deviation of each figure.
fn figures(tested: &[&Metrics]) -> Vec<(&'static Figure, f64, f64)> {
    let Some(first) = tested.first() else { return Vec::new() };
    let spread = |figure: &'static Figure| {
        let values: Vec<f64> = tested.iter().map(|metrics| figure.1(metrics)).collect();
        let (mean, deviation) = mean_and_deviation(&values);
        (figure, mean, deviation)
    };
    figures_of(first).map(spread).collect()
}

/// Of at least two values.
fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}

fn table(tested: &[&Metrics], figures: &[(&'static Figure, f64, f64)]) -> String {
    let mut header = vec!["fold", "examples"];
    header.extend(figures.iter().map(|(figure, ..)| name(figure, tested[0])));
    let mut table = Table::new(&header);
    for (index, metrics) in tested.iter().enumerate() {
        let values = figures.iter().map(|(figure, ..)| {
            let value = figure.1(metrics);
            if figure.2 { percent(value) } else { format!("{value:.4}") }
        });
        table.row([(index + 1).to_string(), count(metrics.n)].into_iter().chain(values));
    }
    let values = figures.iter().map(|&(figure, mean, deviation)| match figure.2 {
        true => format!("{:.1} ± {:.1} %", mean * 100.0, deviation * 100.0),
        false => format!("{mean:.4} ± {deviation:.4}"),
    });
    let examples = tested.iter().map(|metrics| metrics.n).sum();
    table.row(["mean".to_string(), count(examples)].into_iter().chain(values));
    table.render()
}

/// What `folds.json` holds.
fn summary(reports: &[Report], figures: &[(&'static Figure, f64, f64)]) -> Value {
    let key = |figure: &Figure| figure.0.to_lowercase().replace(' ', "_");
    let folds = reports.iter().zip(1..).map(|(report, index)| {
        let mut fold = json!({
            "run": format!("fold-{index}"),
            "epoch": report.epoch,
            "weights_sha256": report.weights_sha256,
        });
        if let Some(metrics) = report.splits.get(&Split::Test) {
            fold["examples"] = metrics.n.into();
            figures.iter().for_each(|(figure, ..)| fold[key(figure)] = figure.1(metrics).into());
        }
        fold
    });
    let folds: Vec<Value> = folds.collect();
    let of = |value: fn(&(&'static Figure, f64, f64)) -> f64| {
        figures.iter().map(|figure| (key(figure.0), Value::from(value(figure)))).collect::<serde_json::Map<_, _>>()
    };
    json!({ "folds": folds, "mean": of(|figure| figure.1), "deviation": of(|figure| figure.2) })
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
