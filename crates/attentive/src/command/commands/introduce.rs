//! What a person sees before a training: what is about to be trained, on what, and what is noteworthy about the data.

use attentive_data::Split;
use attentive_train::{PreparedRun, StartAccount, WeightInit, summary};

use crate::output::tell;
use crate::style::Style;
use crate::table::{count, percent};

/// What is about to be trained, on what, and what is noteworthy about the data.
pub(super) fn introduce(run: &PreparedRun) {
    let (config, prepared, machine) = (run.config(), run.prepared(), run.machine());
    let style = Style::for_stderr();
    let splits = [Split::Train, Split::Validation, Split::Test]
        .into_iter()
        .filter_map(|name| Some(format!("{} {name}", count(prepared.split(name)?.targets.len() as u64))))
        .collect::<Vec<_>>()
        .join(", ");
    let n_labels = prepared.labels.len();
    let kind = if config.data.multi_label { "any number a text" } else { "one a text" };
    let kind = if config.data.text.is_pair() { kind.replace("text", "pair of texts") } else { kind.to_string() };
    let fold = config.data.fold.map_or(String::new(), |fold| format!(", fold {} of {}", fold.index, fold.of));
    tell(&format!("{}{fold}  {splits} examples, {n_labels} labels, {kind}", style.strong(&config.name)));
    let seconds =
        prepared.account.encoding_seconds.iter().map(|(split, stats)| (format!("{split}, second text"), stats));
    let encoding = prepared.account.encoding.iter().map(|(split, stats)| (split.to_string(), stats));
    // What is cut off and what is unknown is so for the network.
    for (split, stats) in encoding.chain(seconds).filter(|_| config.has_network()) {
        tell(&format!(
            "  {split}: {:.1} tokens a text on average, {} of texts truncated, {} of tokens unknown",
            stats.mean_length,
            percent(stats.truncated),
            percent(stats.unknown)
        ));
    }
    if let Some(single) = prepared.account.findings.single_example_labels() {
        tell(&format!(
            "  {} {} of {} labels have a single training example, as ids have: `data.label = {:?}` may be the wrong column",
            style.warning("warning:"),
            count(single as u64),
            count(n_labels as u64),
            config.data.label.to_string()
        ));
    }
    let left_out = super::left_out::left_out(&prepared.account.manifest);
    for line in left_out.into_iter().chain(super::check::findings(&prepared.account.findings)) {
        tell(&format!("  {} {line}", style.hint("note:")));
    }
    if config.data.fold.is_some() && config.data.test.is_some() {
        let note = style.hint("note:");
        tell(&format!(
            "  {note} `data.test` is left aside: the test split is the part of `data.train` that the fold holds out"
        ));
    }
    if let (Some(coverage), Some(path)) = (&prepared.account.vectors, &config.model.embedding.vectors) {
        tell(&format!(
            "  pretrained vectors of `{}`: {} of {} tokens of the vocabulary, {} of the tokens of the training texts",
            path.display(),
            count(coverage.found as u64),
            count(coverage.vocab_size as u64),
            percent(coverage.of_tokens)
        ));
    }
    prepared.account.start.iter().for_each(started);
    if let Some(linear) = &prepared.account.linear {
        tell(&format!("  linear part: {} n-grams", count(linear.ngrams as u64)));
        if linear.ngrams == 0 {
            let warning = style.warning("warning:");
            tell(&format!(
                "  {warning} no n-gram is in as many texts as `features.linear.min_texts` asks for: all texts are alike"
            ));
        }
    }
    let summary = summary(config, prepared, &machine.device);
    let vocabulary = match config.has_network() {
        true => format!(", vocabulary {}", count(prepared.encoder.vocab_size() as u64)),
        false => String::new(),
    };
    tell(&format!(
        "  {} weights{vocabulary}, on {} ({})",
        count(summary.parameters as u64),
        machine.backend,
        machine.description
    ));
}

/// What is taken from another training, and what is not.
fn started(account: &StartAccount) {
    let weights = || account.weights.iter();
    let whole = weights().filter(|(_, started)| **started == WeightInit::Whole).count();
    let hash = account.weights_sha256.get(..12).unwrap_or(&account.weights_sha256);
    tell(&format!(
        "  starts from `{}` (weights {hash}): {whole} of {} weights as they are",
        account.path.display(),
        count(account.weights.len() as u64)
    ));
    for (name, started) in weights() {
        match started {
            WeightInit::Whole => {}
            WeightInit::Rows { loaded, of, by } => {
                tell(&format!("    {name}: {} of {} rows, by {by}", count(*loaded as u64), count(*of as u64)));
            }
            WeightInit::New { reason } => tell(&format!("    {name}: new, because {reason}")),
        }
    }
    account.unused.iter().for_each(|name| tell(&format!("    not used: {name}")));
}
