//! `attentive evaluate`: the metrics of a trained classifier on labelled examples.

use attentive_backend::Backend;
use attentive_data::{Examples, Split, load_corpus, load_examples};
use attentive_train::{Metrics, Predictor, RunDir, SplitAccount, TrainError};

use super::open_device;
use crate::args::{Evaluate, SplitName};
use crate::failure::Failure;
use crate::output::{print, tell};
use crate::style::Style;
use crate::table::{Table, count, percent};

pub(super) fn evaluate(args: &Evaluate) -> Result<(), Failure> {
    let run = RunDir::open(&args.run)?;
    let config = run.config(&Backend::names())?;
    let opened = open_device(args.backend.as_deref(), &config)?;
    let predictor = Predictor::load(&run, &Backend::names(), &opened.device)?;
    let examples = match &args.data {
        Some(path) => load_examples(path, &config.data, predictor.labels())?,
        None => load_split(&run, &predictor, args.split)?,
    };
    let metrics = predictor.evaluate(examples)?;
    if args.json {
        let json =
            serde_json::to_string_pretty(&metrics).map_err(|error| Failure::Internal { message: error.to_string() })?;
        print(&format!("{json}\n"))
    } else {
        print(&report(&metrics, predictor.labels().names()))
    }
}

/// A split as the run's config names it; it must be the one the run was made with.
fn load_split(run: &RunDir, predictor: &Predictor, name: SplitName) -> Result<Examples, Failure> {
    let corpus = load_corpus(&predictor.config().data, predictor.config().seed)?;
    let account: SplitAccount = run.split()?;
    if corpus.manifest.fingerprint != account.manifest.fingerprint {
        let style = Style::for_stderr();
        tell(&format!(
            "{} the data files have changed since the run was made: this is not the data it was trained and measured on",
            style.error("warning:")
        ));
    }
    let (split, examples) = match name {
        SplitName::Train => (Split::Train, Some(corpus.train)),
        SplitName::Validation => (Split::Validation, corpus.validation),
        SplitName::Test => (Split::Test, corpus.test),
    };
    examples.ok_or_else(|| TrainError::NoSplit { split }.into())
}

/// Everything as tables.
fn report(metrics: &Metrics, labels: &[String]) -> String {
    let style = Style::for_stdout();
    let mut overview = Table::new(&["", "", ""]);
    let correct = (0..labels.len()).map(|i| metrics.confusion[i][i]).sum::<u64>();
    overview.row(["examples".to_string(), count(metrics.n), String::new()]);
    overview.row(["loss".to_string(), format!("{:.4}", metrics.loss), String::new()]);
    let of_all = format!("{} of {}", count(correct), count(metrics.n));
    overview.row(["accuracy".to_string(), percent(metrics.accuracy), of_all]);
    let always = format!("always `{}`", metrics.majority.label);
    overview.row(["majority baseline".to_string(), percent(metrics.majority.accuracy), always]);
    if let Some(auc) = metrics.roc_auc {
        overview.row(["ROC AUC".to_string(), format!("{auc:.4}"), String::new()]);
    }

    let mut per_label = Table::new(&["label", "precision", "recall", "F1", "examples", "predicted"]);
    for label in &metrics.per_label {
        per_label.row([
            label.label.clone(),
            percent(label.precision),
            percent(label.recall),
            percent(label.f1),
            count(label.support),
            count(label.predicted),
        ]);
    }
    for (name, average) in [
        ("macro average", &metrics.macro_avg),
        ("micro average", &metrics.micro_avg),
        ("weighted average", &metrics.weighted_avg),
    ] {
        per_label.row([
            name.to_string(),
            percent(average.precision),
            percent(average.recall),
            percent(average.f1),
            count(metrics.n),
            count(metrics.n),
        ]);
    }

    let mut header = vec!["is \\ predicted"];
    header.extend(labels.iter().map(String::as_str));
    let mut confusion = Table::new(&header);
    for (label, row) in labels.iter().zip(&metrics.confusion) {
        confusion.row(std::iter::once(label.clone()).chain(row.iter().map(|&n| count(n))));
    }
    let overview = overview.render();
    format!(
        "{}\n{}\n{}\n{}",
        overview.trim_start_matches('\n'),
        per_label.render(),
        style.faint("confusion, in examples"),
        confusion.render()
    )
}
