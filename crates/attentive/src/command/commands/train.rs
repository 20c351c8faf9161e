//! `attentive train` and `attentive resume`.

use std::path::Path;

use attentive_data::Split;
use attentive_train::{Calibrated, Config, Outcome, Report, Run, RunDir};

use super::opening::{place, resolve};
use super::session;
use super::signals::Signals;
use crate::args::{Resume, Talk, Train};
use crate::failure::Failure;
use crate::output::{print, tell};
use crate::table::{ResultTable, count, percent, range};

/// Everything that can be wrong is found before anything is created: config, place, device, data, in this order.
pub(super) fn train(args: &Train, talk: Talk) -> Result<(), Failure> {
    if let Some(of) = args.folds {
        return super::folds::train(args, of, talk);
    }
    let config = resolve(args, &args.set.set)?;
    if args.dry_run {
        return print(&config.to_toml());
    }
    let path = place(args, &config);
    if args.resume {
        return resume_run(RunDir::open(&path)?, Some(config), &args.allow.changed, talk);
    }
    RunDir::check_free(&path, args.overwrite)?;
    let signals = Signals::listen()?;
    let mut run = session::prepare(config, talk, &signals)?.create(&path, args.overwrite)?;
    fit(&mut run, talk, &signals)
}

pub(super) fn resume(args: &Resume, talk: Talk) -> Result<(), Failure> {
    resume_run(RunDir::open(&args.run)?, None, &args.allow.changed, talk)
}

fn resume_run(run: RunDir, config: Option<Config>, allowed: &[String], talk: Talk) -> Result<(), Failure> {
    let signals = Signals::listen()?;
    fit(&mut session::resume(run, config, allowed, talk, &signals)?, talk, &signals)
}

/// Trains and shows the results.
fn fit(run: &mut Run, talk: Talk, signals: &Signals) -> Result<(), Failure> {
    match session::fit(run, talk, signals)? {
        Outcome::Finished(report) => {
            if !talk.quiet {
                tell(""); // a line of its own between the progress and the results, and none before the results alone
            }
            print(&final_table(run.path(), run.setup().config(), &report))?;
            if let Some((split, linear, own)) = ahead(&report).filter(|_| !talk.quiet) {
                let (linear, own) = (percent(linear), percent(own));
                tell(&format!(
                    "note: a plain linear model decides {linear} of the {split} split right, this classifier {own}"
                ));
            }
            Ok(())
        }
        Outcome::Interrupted { step } => Err(Failure::Interrupted {
            signal: signals.received().unwrap_or_default(),
            run: run.path().display().to_string(),
            step,
        }),
    }
}

/// The split that the run was least fitted to, with the accuracy of the plain linear model and its own, where the former is ahead.
fn ahead(report: &Report) -> Option<(Split, f64, f64)> {
    let split = [Split::Test, Split::Validation].into_iter().find(|split| report.splits.contains_key(split))?;
    let (linear, own) = (report.baseline.get(&split)?.accuracy, report.splits.get(&split)?.accuracy);
    (linear > own).then_some((split, linear, own))
}

/// The one table at the end.
fn final_table(run: &Path, config: &Config, report: &Report) -> String {
    let accuracy = if config.data.multi_label { "exact" } else { "accuracy" };
    let mut columns = vec!["split", "examples", "loss", accuracy, "95 % interval", "macro F1"];
    if config.data.multi_label {
        columns.push("micro F1");
    }
    if !report.baseline.is_empty() {
        columns.push("linear");
    }
    columns.push("majority");
    let mut table = ResultTable::new(&columns);
    for (split, metrics) in &report.splits {
        let interval = metrics.intervals.map_or(String::new(), |intervals| range(intervals.accuracy));
        let mut row = vec![
            split.to_string(),
            count(metrics.n),
            format!("{:.4}", metrics.loss),
            percent(metrics.accuracy),
            interval,
            percent(metrics.macro_avg.f1),
        ];
        if config.data.multi_label {
            row.push(percent(metrics.micro_avg.f1));
        }
        row.extend(report.baseline.get(split).map(|linear| percent(linear.accuracy)));
        row.push(percent(metrics.majority.accuracy));
        table.row(row);
    }
    let chosen = match (config.data.validation.is_some(), config.train.average_best) {
        (false, _) => "the last",
        (true, 1) => "best on validation",
        (true, _) => "averaged with the next best on validation",
    };
    let trouble = match (report.skipped_steps, report.rollbacks) {
        (0, 0) => String::new(),
        (skipped, rollbacks) => format!(
            "{} steps were skipped, because a number was not finite, and the run went back {rollbacks} times\n",
            count(skipped)
        ),
    };
    let weights = match config.has_network() {
        true => format!("weights after epoch {} of {} ({chosen})", report.epoch, report.epochs_trained),
        false => "a linear part alone".to_string(),
    };
    let balance = match (config.has_network(), report.balance) {
        (true, Some(balance)) if config.features.linear.is_some() => {
            format!("logits: network × {:.2} + linear part × {:.2}\n", balance.network, balance.linear)
        }
        (true, Some(balance)) => format!("logits × {:.2}, as fits the validation split best\n", balance.network),
        _ => String::new(),
    };
    let calibrated = report.calibration.map_or(String::new(), |Calibrated { split, before, after }| {
        format!("calibration error on {split}: {} before, {} after\n", percent(before), percent(after))
    });
    let run = run.display();
    let example = if config.data.text.is_pair() { "$'first text\\tsecond text'" } else { "\"some text\"" };
    format!(
        "{}\n{weights}, sha256 {}\n{balance}{calibrated}{trouble}run `{run}`; next: `attentive predict {run} {example}`\n",
        table.render(),
        report.weights_sha256.get(..16).unwrap_or(&report.weights_sha256),
    )
}
