//! `attentive evaluate`: the metrics of a trained classifier on labelled examples.

use std::cmp::Reverse;

use attentive::SavedClassifier;
use attentive_data::{
    Examples, FilesRecord, Split, SplitManifest, load_corpus, load_examples, load_examples_from_stdin,
};
use attentive_train::{ConfusionCount, Intervals, Metrics, Predictor, Report, TrainError};
use serde_json::{Value, json};

use super::left_out::unknown;
use crate::args::{Evaluate, SplitName};
use crate::failure::Failure;
use crate::output::{print, tell};
use crate::style::Style;
use crate::table::{ResultTable, count, percent, range};

/// Of many labels the confusions that are shown.
const CONFUSIONS_SHOWN: usize = 20;

pub(super) fn evaluate(args: &Evaluate) -> Result<(), Failure> {
    let classifier = SavedClassifier::open(&args.run)?;
    let (predictor, _) = classifier.load(args.backend.as_deref())?;
    let mut config = predictor.config().data.clone();
    config.format = args.format.unwrap_or(config.format);
    config.unknown_labels = args.unknown_labels.unwrap_or(config.unknown_labels);
    let (examples, from) = match &args.data {
        Some(path) if path.as_os_str() == "-" => {
            load_examples_from_stdin(&config, predictor.labels()).map_err(Failure::Labelled)?
        }
        Some(path) => load_examples(path, &config, predictor.labels()).map_err(Failure::Labelled)?,
        None => {
            if args.split != SplitName::Test && is_refitted(&classifier, &predictor)? {
                tell(
                    "note: by `train.refit` these texts were trained on, so the figures flatter the model; the report of the run has those of the validation split from before",
                );
            }
            load_split(&classifier, &predictor, args.split)?
        }
    };
    let metrics = predictor.evaluate(examples)?;
    if !from.unknown.is_empty() {
        let of = args.data.as_ref().map_or("the split".to_string(), |path| format!("`{}`", path.display()));
        tell(&unknown(&of, &from.unknown));
    }
    if args.json {
        let internal = |error: serde_json::Error| Failure::Internal { message: error.to_string() };
        let mut measured = serde_json::to_value(&metrics).map_err(internal)?;
        if let Value::Object(measured) = &mut measured
            && !from.unknown.is_empty()
        {
            measured.insert("unknown_labels".to_string(), json!(from.unknown));
        }
        let json = serde_json::to_string_pretty(&measured).map_err(internal)?;
        print(&format!("{json}\n"))
    } else {
        print(&report(&metrics, predictor.labels().names()))
    }
}

/// Whether the weights come from a training on train and validation together.
fn is_refitted(classifier: &SavedClassifier, predictor: &Predictor) -> Result<bool, Failure> {
    Ok(match classifier {
        SavedClassifier::Run(run) => run.report::<Report>()?.is_some_and(|report| report.refit.is_some()),
        SavedClassifier::Bundle(_) => predictor.config().train.refit,
    })
}

/// A split as the config names it, which should be the one that the classifier was made with.
fn load_split(
    classifier: &SavedClassifier,
    predictor: &Predictor,
    name: SplitName,
) -> Result<(Examples, FilesRecord), Failure> {
    let corpus = load_corpus(&predictor.config().data, predictor.config().seed)?;
    if corpus.manifest.fingerprint != classifier.fingerprint()? {
        let style = Style::for_stderr();
        tell(&format!(
            "{} the data files have changed since the run was made: this is not the data it was trained and measured on",
            style.error("warning:")
        ));
    }
    let SplitManifest { train, validation, test, .. } = corpus.manifest;
    let (split, examples, record) = match name {
        SplitName::Train => (Split::Train, Some(corpus.train), Some(train)),
        SplitName::Validation => (Split::Validation, corpus.validation, validation),
        SplitName::Test => (Split::Test, corpus.test, test),
    };
    let found = examples.zip(record.map(|record| record.from));
    found.ok_or_else(|| TrainError::NoSplit { split }.into())
}

/// Everything as tables.
fn report(metrics: &Metrics, labels: &[String]) -> String {
    let style = Style::for_stdout();
    let mut tables = vec![overview(metrics), per_label(metrics)];
    if !metrics.confusion.is_empty() {
        tables.push(format!("{}\n{}", style.faint("confusion, in examples"), matrix(metrics, labels)));
    }
    let confusions = confusions(metrics);
    if !confusions.is_empty() {
        let all = confusions.len();
        let shown = all.min(CONFUSIONS_SHOWN);
        let title = format!("the {shown} most frequent of {} confusions, in examples", count(all as u64));
        tables.push(format!("{}\n{}", style.faint(&title), most_frequent(&confusions[..shown], labels)));
    }
    tables.join("\n")
}

/// Who was taken for whom.
fn matrix(metrics: &Metrics, labels: &[String]) -> String {
    let mut header = vec!["is \\ predicted"];
    header.extend(labels.iter().map(String::as_str));
    let mut table = ResultTable::new(&header);
    for (label, row) in labels.iter().zip(&metrics.confusion) {
        table.row(std::iter::once(label.clone()).chain(row.iter().map(|&n| count(n))));
    }
    table.render()
}

/// The pairs of labels that were confused, where there are too many labels for a matrix: the most frequent first, and equally
/// frequent ones in the order of their ids.
fn confusions(metrics: &Metrics) -> Vec<ConfusionCount> {
    let mut confusions = metrics.confusion_counts.clone();
    confusions.retain(|(target, prediction, _)| target != prediction);
    confusions.sort_by_key(|&(_, _, count)| Reverse(count));
    confusions
}

fn most_frequent(confusions: &[ConfusionCount], labels: &[String]) -> String {
    let name = |id: u32| labels.get(id as usize).cloned().unwrap_or_default();
    let mut table = ResultTable::of_words(2, &["is", "predicted", "examples"]);
    for &(target, prediction, n) in confusions {
        table.row([name(target), name(prediction), count(n)]);
    }
    table.render()
}

/// One line for each metric of the whole, with what there is to say about it.
fn overview(metrics: &Metrics) -> String {
    let mut table = ResultTable::of_notes();
    let mut line = |name: &str, value: String, note: String| table.row([name.to_string(), value, note]);
    let several = metrics.hamming_loss.is_some();
    let right = count((metrics.accuracy * metrics.n as f64).round() as u64);
    let interval = |of: fn(&Intervals) -> [f64; 2]| {
        metrics.intervals.as_ref().map_or(String::new(), |intervals| format!("95 % interval {}", range(of(intervals))))
    };
    line("examples", count(metrics.n), String::new());
    line("loss", format!("{:.4}", metrics.loss), String::new());
    let name = if several { "all labels right" } else { "accuracy" };
    line(name, percent(metrics.accuracy), format!("{right} of {}, {}", count(metrics.n), interval(|i| i.accuracy)));
    line("macro F1", percent(metrics.macro_avg.f1), interval(|i| i.macro_f1));
    if several {
        line("micro F1", percent(metrics.micro_avg.f1), interval(|i| i.micro_f1));
    }
    let always = match metrics.majority.label.as_str() {
        "" => "always no label".to_string(),
        label => format!("always `{label}`"),
    };
    line("majority baseline", percent(metrics.majority.accuracy), always);
    let optional = [
        ("Hamming loss", metrics.hamming_loss, "wrong decisions per label and text"),
        ("Matthews correlation", metrics.mcc, "0 is chance, 1 is perfect"),
        ("Cohen's kappa", metrics.cohen_kappa, "0 is chance, 1 is perfect"),
        ("ROC AUC", metrics.roc_auc, "0.5 is chance"),
        ("PR AUC", metrics.pr_auc, "average precision"),
        ("log-loss", Some(metrics.log_loss), ""),
        ("Brier score", Some(metrics.brier), "0 is perfect"),
        ("calibration error", Some(metrics.calibration_error), "15 bins; 0 is perfect"),
    ];
    for (name, value, note) in optional {
        if let Some(value) = value {
            line(name, format!("{value:.4}"), note.to_string());
        }
    }
    table.render()
}

fn per_label(metrics: &Metrics) -> String {
    let tuned = metrics.per_label.iter().any(|label| label.threshold.is_some());
    let mut header = vec!["label", "precision", "recall", "F1", "examples", "predicted"];
    if tuned {
        header.push("threshold");
    }
    let mut table = ResultTable::new(&header);
    for label in &metrics.per_label {
        let threshold = label.threshold.map_or(String::new(), |threshold| format!("{threshold:.3}"));
        let mut row = vec![
            label.label.clone(),
            percent(label.precision),
            percent(label.recall),
            percent(label.f1),
            count(label.support),
            count(label.predicted),
        ];
        row.extend(tuned.then_some(threshold));
        table.row(row);
    }
    let support = metrics.per_label.iter().map(|label| label.support).sum();
    let predicted = metrics.per_label.iter().map(|label| label.predicted).sum();
    for (name, average) in [
        ("macro average", &metrics.macro_avg),
        ("micro average", &metrics.micro_avg),
        ("weighted average", &metrics.weighted_avg),
    ] {
        table.row([
            name.to_string(),
            percent(average.precision),
            percent(average.recall),
            percent(average.f1),
            count(support),
            count(predicted),
        ]);
    }
    table.render()
}
