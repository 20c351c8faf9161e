//! `attentive train --folds K`: one ordinary run for each part of the training file, and what they come to together.

use attentive_data::{CutBy, Split, SplitManifest, SplitOrigin};
use attentive_train::{
    ExistingFolds, FoldFigure, FoldRuns, FoldSummary, Metrics, Outcome, Report, RunDir, TrainError, fold_figures,
};

use super::opening::{place, resolve};
use super::session;
use super::signals::Signals;
use crate::args::{Talk, Train};
use crate::failure::{Failure, FoldsFailure};
use crate::output::{print, tell};
use crate::style::Style;
use crate::table::{ResultTable, count, percent};
use crate::visible::visible;

/// Trains fold after fold. Finished folds are kept and partial ones resumed; of a finished one the data are checked and the
/// report is read.
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
    let existing = match (args.resume, args.overwrite) {
        (true, _) => ExistingFolds::Resume,
        (false, true) => ExistingFolds::Replace,
        (false, false) => ExistingFolds::Refuse,
    };
    let shown = path.display().to_string();
    let mut runs = FoldRuns::open(&path, existing).map_err(|error| match error {
        TrainError::RunExists { .. } => Failure::Folds(FoldsFailure::PlainRun { path: shown.clone() }),
        TrainError::FoldsExist { .. } => Failure::Folds(FoldsFailure::Exists { path: shown.clone(), of }),
        error => error.into(),
    })?;

    let signals = Signals::listen()?;
    let mut reports = Vec::new();
    for index in 1..=of {
        let fold = runs.fold(index);
        let stopped = |saved: Option<u64>| {
            let signal = signals.received().unwrap_or_default();
            let saved = saved.map(|step| (fold.display().to_string(), step));
            Failure::Folds(FoldsFailure::Interrupted { signal, index, of, saved })
        };
        if signals.received().is_some() {
            return Err(stopped(None));
        }
        let config = of_fold(index)?;
        let mut run = match RunDir::open(&fold) {
            Ok(run) if args.resume => session::resume(run, Some(config), &args.allow.changed, talk, &signals)?,
            _ => {
                let new = session::prepare(config, talk, &signals)?;
                if signals.received().is_some() {
                    return Err(stopped(None));
                }
                runs.create(index, new)?
            }
        };
        if index == 1 && !talk.quiet {
            warn_of_rare_labels(&run.setup().prepared().account.manifest, of);
        }
        match session::fit(&mut run, talk, &signals)? {
            Outcome::Interrupted { step } => return Err(stopped(step)),
            Outcome::Finished(report) => {
                if !talk.quiet {
                    tell(&format!("fold {index}/{of}  {}\n", of_one(tested(&report)?)));
                }
                reports.push(report);
            }
        }
    }
    let tested = reports.iter().map(tested).collect::<Result<Vec<_>, _>>()?;
    let summary = runs.finish(&reports)?;
    print(&format!(
        "{}\nruns `{shown}/fold-1` to `{shown}/fold-{of}`, figures in `{shown}/folds.json`; `±` is the sample standard \
         deviation\n",
        table(&tested, &summary)
    ))
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

fn name(figure: &FoldFigure, metrics: &Metrics) -> &'static str {
    if metrics.hamming_loss.is_some() && figure.name == "accuracy" { "exact" } else { figure.name }
}

fn value(figure: &FoldFigure, metrics: &Metrics) -> String {
    let value = (figure.value)(metrics);
    if figure.is_share { percent(value) } else { format!("{value:.4}") }
}

fn of_one(metrics: &Metrics) -> String {
    let shown =
        fold_figures(metrics).iter().map(|figure| format!("{} {}", name(figure, metrics), value(figure, metrics)));
    shown.collect::<Vec<_>>().join("  ")
}

fn table(tested: &[&Metrics], summary: &[FoldSummary]) -> String {
    let mut header = vec!["fold", "examples"];
    header.extend(summary.iter().map(|one| name(&one.figure, tested[0])));
    let mut table = ResultTable::new(&header);
    for (index, metrics) in tested.iter().enumerate() {
        let values = summary.iter().map(|one| value(&one.figure, metrics));
        table.row([(index + 1).to_string(), count(metrics.n)].into_iter().chain(values));
    }
    let values = summary.iter().map(|&FoldSummary { figure, mean, deviation }| match figure.is_share {
        true => format!("{:.1} ± {:.1} %", mean * 100.0, deviation * 100.0),
        false => format!("{mean:.4} ± {deviation:.4}"),
    });
    let examples = tested.iter().map(|metrics| metrics.n).sum();
    table.row(["mean".to_string(), count(examples)].into_iter().chain(values));
    table.render()
}
