//! `attentive inspect`: a model layer by layer, as Keras' `model.summary()` shows it.

use attentive::SavedClassifier;
use attentive_backend::Backend;
use attentive_data::{Split, UNWATCHED};
use attentive_model::Summary;
use attentive_train::{Config, Predictor, Report, prepare, summary};

use super::opening::load_config;
use crate::args::Inspect;
use crate::failure::Failure;
use crate::output::print;
use crate::table::{ResultTable, bytes, count, percent};
use crate::visible::visible;

pub(super) fn inspect(args: &Inspect) -> Result<(), Failure> {
    // Shapes and counts are the same on every device; the CPU is always there.
    let opened = Backend::open_cpu()?;
    if args.target.is_dir() {
        let classifier = SavedClassifier::open(&args.target)?;
        let (predictor, _) = classifier.load(Some(opened.backend.name()))?;
        let config = predictor.config();
        let mut text = render(config, &predictor.summary());
        text.push_str(&format!("\nlabels: {}\n", visible(&predictor.labels().names().join(", "))));
        if !predictor.thresholds().is_empty() {
            text.push_str(&format!("thresholds: {}\n", thresholds(&predictor)));
        }
        text.push_str(&format!("weights of step {}\n", count(predictor.step())));
        let right = if config.data.multi_label { "all labels right" } else { "accuracy" };
        for (split, accuracy, n) in measured(&classifier)? {
            text.push_str(&format!("{split} {right} {} of {}\n", percent(accuracy), count(n)));
        }
        print(&text)
    } else {
        let config = load_config(&args.target, &args.set.set)?;
        let prepared = prepare(&config, UNWATCHED)?;
        print(&render(&config, &summary(&config, &prepared, &opened.device)))
    }
}

/// Each split that was measured when training ended, with the accuracy and the number of examples.
fn measured(classifier: &SavedClassifier) -> Result<Vec<(Split, f64, u64)>, Failure> {
    Ok(match classifier {
        SavedClassifier::Run(run) => {
            let report = run.report::<Report>()?;
            let splits = report.iter().flat_map(|report| &report.splits);
            splits.map(|(split, metrics)| (*split, metrics.accuracy, metrics.n)).collect()
        }
        SavedClassifier::Bundle(bundle) => {
            let splits = bundle.about().measured.iter();
            splits.map(|(split, measured)| (*split, measured.accuracy, measured.examples)).collect()
        }
    })
}

fn render(config: &Config, summary: &Summary) -> String {
    let mut table = ResultTable::of_words(3, &["layer", "kind", "output shape", "parameters"]);
    for layer in &summary.layers {
        let sizes = layer.output.iter().map(|size| size.map_or("None".to_string(), |n| n.to_string()));
        let output = format!("({})", sizes.collect::<Vec<_>>().join(", "));
        table.row([layer.name.clone(), layer.kind.clone(), output, count(layer.parameters as u64)]);
    }
    let weights = summary.parameters as u64 * 4;
    let size = format!("parameters: {} ({})\n", count(summary.parameters as u64), bytes(weights));
    if !config.has_network() {
        return format!("{}\n{size}", table.render());
    }
    // Beside the weights, training keeps a gradient for each and what the optimizer keeps.
    let moments = config.train.optimizer.n_moments();
    let layers = format!("{}\n", table.render());
    format!(
        "{layers}{size}memory to train, without activations: {} (weights, gradients, {moments} moments)\n",
        bytes(weights * (2 + moments))
    )
}

/// Above which probability each label is decided for; with two labels, the second.
fn thresholds(predictor: &Predictor) -> String {
    let (names, thresholds) = (predictor.labels().names(), predictor.thresholds());
    let named = if thresholds.len() < names.len() { &names[1..] } else { names };
    named
        .iter()
        .zip(thresholds)
        .map(|(name, threshold)| format!("{} {threshold:.3}", visible(name)))
        .collect::<Vec<_>>()
        .join(", ")
}
