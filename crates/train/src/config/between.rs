//! What is wrong between the sections of a config, each of which is right by itself.

use attentive_model::{HeadConfig, Sizes, Table};

use super::loss::ClassWeights;
use super::schedule::ScheduleConfig;
use super::sections::{Config, MAX_PARAMETERS};
use super::train::Threshold;

/// Every such problem: (dotted key, what to change).
pub(super) fn problems(config: &Config) -> Vec<(String, String)> {
    let mut problems = Problems(Vec::new());
    texts(config, &mut problems);
    labels(config, &mut problems);
    validation(config, &mut problems);
    sizes(config, &mut problems);
    start(config, &mut problems);
    parts(config, &mut problems);
    linear(config, &mut problems);
    refit(config, &mut problems);
    problems.0
}

struct Problems(Vec<(String, String)>);

impl Problems {
    fn add(&mut self, key: &str, message: impl Into<String>) {
        self.0.push((key.to_string(), message.into()));
    }
}

/// One text or two.
fn texts(config: &Config, problems: &mut Problems) {
    let (is_pair, model) = (config.data.text.is_pair(), &config.model);
    let attention = model.attention.name();
    match (is_pair, model.reads_pairs()) {
        (true, true) | (false, false) => {}
        (false, true) if model.pair.is_some() => problems.add(
            "model.pair",
            "`pair` says how two texts are read, but `data.text` names one column: name two, such as \
             `text = [\"premise\", \"hypothesis\"]`, or leave `pair` out",
        ),
        (false, true) => problems.add(
            &format!("model.attention.{attention}"),
            format!(
                "`attention.{attention}` compares two texts, but `data.text` names one column: name two, such as \
                 `text = [\"premise\", \"hypothesis\"]`, or choose another mechanism"
            ),
        ),
        (true, false) => problems.add(
            "data.text",
            format!(
                "`data.text` names two columns, but `attention.{attention}` reads one text: set `pair = \"compare\"`, \
                 `pair = \"join\"` or `attention.bidirectional = {{}}` under `[model]`, or name one column"
            ),
        ),
    }
    if is_pair && config.model.windows.is_some() {
        problems.add(
            "model.windows",
            "`windows` are read of single texts, but `data.text` names two columns: leave one out",
        );
    }
    if is_pair && config.features.is_on() {
        problems.add(
            "features",
            "`features` are n-grams of single texts, but `data.text` names two columns: leave one out",
        );
    }
}

/// What heads, thresholds and weights need of the labels, as far as the config tells them.
fn labels(config: &Config, problems: &mut Problems) {
    let (data, train) = (&config.data, &config.train);
    if config.model.head == HeadConfig::Softmax {
        if data.multi_label {
            problems.add(
                "model.head",
                "`head = \"softmax\"` chooses one label, but `data.multi_label` allows several: set `head = \"auto\"`",
            );
        } else if train.threshold != Threshold::default() {
            problems.add(
                "train.threshold",
                "`threshold` is for sigmoids, but `model.head` is `softmax`, where the most probable label wins: leave \
                 one out",
            );
        }
    }
    if let Some(ClassWeights::Given(_)) = &train.class_weights
        && !data.labels.is_empty()
    {
        let mut names: Vec<String> = data.labels.values().map(|name| name.trim().to_string()).collect();
        names.sort();
        names.dedup();
        if let Some(unknown) = train.class_weights.as_ref().and_then(|weights| weights.unknown(&names)) {
            problems.add("train.class_weights", unknown_class_weight(unknown, &names));
        }
    }
}

/// What to say of a weight for a label that is not there.
pub(crate) fn unknown_class_weight(name: &str, labels: &[String]) -> String {
    let known = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
    format!("`train.class_weights` names `{name}`, which is no label: the labels are {known}")
}

/// What cannot be done without a validation split.
fn validation(config: &Config, problems: &mut Problems) {
    if config.data.validation.is_some() {
        return;
    }
    let train = &config.train;
    for (needs_it, key, what) in [
        (train.early_stopping.is_some(), "train.early_stopping", "early stopping"),
        (matches!(train.schedule, ScheduleConfig::Plateau(_)), "train.schedule.plateau", "a plateau schedule"),
        (!matches!(train.threshold, Threshold::At(_)), "train.threshold", "choosing thresholds"),
        (train.calibrate, "train.calibrate", "calibration"),
        (train.refit, "train.refit", "training once more on train and validation"),
        (train.average_best > 1, "train.average_best", "choosing the best epochs to average"),
    ] {
        if needs_it {
            problems.add(key, format!("{what} needs `data.validation`, a file or `{{ fraction = 0.1 }}`"));
        }
    }
}

/// A second training has no validation split to slow down by.
fn refit(config: &Config, problems: &mut Problems) {
    if config.train.refit && matches!(config.train.schedule, ScheduleConfig::Plateau(_)) {
        problems.add(
            "train.refit",
            "`refit` trains without a validation split, by which `train.schedule.plateau` changes the rate: leave one out",
        );
    }
}

/// Tables that would fit in no memory.
fn sizes(config: &Config, problems: &mut Problems) {
    let dim = config.model.embedding.dim;
    let vocab = config.tokenizer.vocab_size().map(|size| (format!("{}.vocab_size", config.tokenizer.key()), size));
    let buckets = config.features.is_on().then_some(("features.buckets".to_string(), config.features.buckets));
    for (key, rows) in vocab.into_iter().chain(buckets) {
        let weights = rows as u128 * dim as u128;
        if weights > MAX_PARAMETERS {
            let limit = MAX_PARAMETERS;
            let message =
                format!("a table of {rows} × {dim} would have {weights} weights, more than the {limit} allowed");
            problems.add(&key, message);
        }
    }
}

/// One place where token vectors start.
fn start(config: &Config, problems: &mut Problems) {
    if config.train.init_from.is_some() && config.model.embedding.vectors.is_some() {
        problems.add(
            "train.init_from",
            "`train.init_from` and `model.embedding.vectors` both say where the token vectors start: leave one out",
        );
    }
    if config.train.init_from.is_none() && !config.train.init_names.is_empty() {
        problems.add(
            "train.init_names",
            "`train.init_names` tells what weights are called in `train.init_from`, which is not set",
        );
    }
}

/// Learning rates for parts of the model that have weights.
fn parts(config: &Config, problems: &mut Problems) {
    let trained = trained_parts(config);
    for name in config.train.learning_rates.keys().filter(|name| !trained.contains(*name)) {
        let known = trained.iter().map(|part| format!("`{part}`")).collect::<Vec<_>>().join(", ");
        problems.add(
            &format!("train.learning_rates.{name}"),
            format!("no part of this model that is trained is called `{name}`; its parts are {known}"),
        );
    }
}

/// A linear part reads single texts, and beside one that is alone there is nothing to train.
fn linear(config: &Config, problems: &mut Problems) {
    let Some(linear) = &config.features.linear else { return };
    if config.data.text.is_pair() {
        problems.add(
            "features.linear",
            "the linear part reads single texts, but `data.text` names two columns: leave one out",
        );
    }
    let (model, train) = (&config.model, &config.train);
    for (is_there, key) in [
        (config.features.is_on(), "features.word_ngrams"),
        (model.windows.is_some(), "model.windows"),
        (model.embedding.vectors.is_some(), "model.embedding.vectors"),
        (train.init_from.is_some(), "train.init_from"),
        (train.ema.is_some(), "train.ema"),
        (train.early_stopping.is_some(), "train.early_stopping"),
        (train.average_best > 1, "train.average_best"),
    ] {
        if linear.alone && is_there {
            let message =
                format!("`{key}` is for the network, which `features.linear.alone` leaves out: leave one out");
            problems.add(key, message);
        }
    }
}

/// The parts of the model that have weights to train, by the first name of their weights.
fn trained_parts(config: &Config) -> Vec<String> {
    // Of any size: parts follow from the config alone.
    let sizes = Sizes { buckets: config.features.is_on().then_some(1), ..Sizes::of_labels(1, 2) };
    let names = config.model.weight_shapes(&sizes).into_iter().filter_map(|(name, _)| {
        let frozen = config.model.embedding.frozen && name == Table::Embedding.weight();
        (!frozen).then(|| name.split('.').next().unwrap_or_default().to_string())
    });
    let mut parts: Vec<String> = names.collect();
    parts.dedup();
    parts
}
