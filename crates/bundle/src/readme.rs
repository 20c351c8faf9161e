//! `README.md` of a bundle, for the person who receives it: what the classifier says of a text, what it was trained on, how
//! good it is, and how to use it.

use attentive_data::{Split, thousands};
use attentive_model::Head;
use attentive_train::{Metrics, Precision, Predictor, limit};

use crate::about::{About, Measured};
use crate::export_model::ExportModel;
use crate::labels::thresholds_of;

/// Files above this number are counted, not named.
const NAMED_FILES: usize = 5;

/// The text of the file. `metrics` are those of the headline split, if it was measured.
pub(crate) fn readme(about: &About, model: &ExportModel, metrics: Option<&Metrics>, n_examples: usize) -> String {
    let predictor = &model.predictor;
    let parts = [
        predicts(about, predictor),
        usage(predictor),
        trained_on(about),
        quality(about, metrics),
        decides(predictor),
        files(model, n_examples),
    ];
    parts.join("\n")
}

fn predicts(about: &About, predictor: &Predictor) -> String {
    let config = predictor.config();
    let (is_pair, names) = (config.data.text.is_pair(), predictor.labels().names());
    let reads = if is_pair { "a pair of texts" } else { "a text" };
    let says = match predictor.sizes().head {
        Head::MultiLabel => format!("which of {} labels hold, any number of them", names.len()),
        Head::Sigmoid | Head::Softmax => format!("which of {} labels fits best", names.len()),
    };
    let quality = about.headline().map_or(String::new(), |(split, measured)| {
        let right = if config.data.multi_label { "gets all labels of" } else { "is right about" };
        format!(
            " On {} examples of its {split} split, which {} {right} {}.",
            thousands(measured.examples),
            match split {
                Split::Test => "it was never tuned on, it",
                Split::Validation => "chose its best epoch, it",
                Split::Train => "it was trained on, it",
            },
            percent(measured.accuracy)
        )
    });
    format!(
        "# {}\n\nA text classifier, made by attentive {}. It reads {reads} and says {says}, \
         each with a probability.{quality}\n\nLabels: {}.\n",
        about.name,
        env!("CARGO_PKG_VERSION"),
        names.iter().map(|name| code(name)).collect::<Vec<_>>().join(", ")
    )
}

fn usage(predictor: &Predictor) -> String {
    let example = match predictor.config().data.text.is_pair() {
        true => "$'first text\\tsecond text'",
        false => "\"some text\"",
    };
    format!(
        "## Use it\n\nIn this directory, with the `attentive` command:\n\n```sh\n\
         attentive verify .                                      # is every file whole, and does it compute here what it should?\n\
         attentive predict . {example}\n\
         attentive predict . --input new.csv --output labelled.csv\n\
         attentive evaluate . --data labelled.csv                # laid out like the training file: see `config.toml`\n\
         attentive inspect .                                     # the model layer by layer\n```\n\n\
         `predict` without a text reads stdin, one text a line; `--json` gives the probabilities of all labels.\n"
    )
}

fn trained_on(about: &About) -> String {
    let mut text = "## What it was trained on\n\n".to_string();
    for (split, trained) in &about.data {
        let files = match trained.files.as_slice() {
            [] => String::new(),
            files if files.len() <= NAMED_FILES => {
                format!(" from {}", files.iter().map(|file| code(file)).collect::<Vec<_>>().join(", "))
            }
            files => format!(" from {} files", files.len()),
        };
        let mut labels: Vec<(&String, &usize)> = trained.labels.iter().collect();
        labels.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let labels: Vec<String> =
            labels.into_iter().map(|(label, n)| format!("{} {}", thousands(*n as u64), code(label))).collect();
        text.push_str(&format!(
            "- {split}: {} examples{files} ({})\n",
            thousands(trained.examples as u64),
            labels.join(", ")
        ));
    }
    text + "\nIt has seen no other texts: expect less where yours are of another kind.\n"
}

fn quality(about: &About, metrics: Option<&Metrics>) -> String {
    let mut text = "## How good it is\n\n".to_string();
    if about.measured.is_empty() {
        return text + "It was not measured: `attentive evaluate` does that.\n";
    }
    text.push_str("| split | examples | accuracy | 95 % interval | macro F1 | micro F1 | most frequent answer |\n");
    text.push_str("|---|---|---|---|---|---|---|\n");
    for (split, measured) in &about.measured {
        let Measured { examples, accuracy, interval, macro_f1, micro_f1, majority } = measured;
        let interval = interval.map_or(String::new(), |[low, high]| format!("{} – {}", percent(low), percent(high)));
        text.push_str(&format!(
            "| {split} | {} | {} | {interval} | {} | {} | {} |\n",
            thousands(*examples),
            percent(*accuracy),
            percent(*macro_f1),
            percent(*micro_f1),
            percent(*majority)
        ));
    }
    if about.measured.contains_key(&Split::Test) && about.measured.contains_key(&Split::Validation) {
        text.push_str("\nThe validation split chose among the epochs: the test split says most about new texts.");
    }
    text.push_str("\nThe last column is what one gets without looking at the text.\n");
    if let (Some(metrics), Some((split, _))) = (metrics, about.headline()) {
        text.push_str(&format!(
            "\nOn the {split} split:\n\n| label | precision | recall | F1 | examples |\n|---|---|---|---|---|\n"
        ));
        for label in &metrics.per_label {
            text.push_str(&format!(
                "| {} | {} | {} | {} | {} |\n",
                code(&label.label),
                percent(label.precision),
                percent(label.recall),
                percent(label.f1),
                thousands(label.support)
            ));
        }
    }
    text
}

fn decides(predictor: &Predictor) -> String {
    let (names, head) = (predictor.labels().names(), predictor.sizes().head);
    let mut text = "## How it decides\n\n".to_string();
    match head {
        Head::Softmax => text.push_str("The probabilities sum to 1; the most probable label is the answer."),
        Head::Sigmoid => {
            let threshold = thresholds_of(head, names.len(), predictor.thresholds())[1].unwrap_or_default();
            text.push_str(&format!(
                "The answer is {} where its probability is above {threshold}, else {}; the two probabilities sum to 1.",
                code(&names[1]),
                code(&names[0])
            ));
        }
        Head::MultiLabel => {
            text.push_str("A label holds where its probability is above its threshold, which is in `labels.json`.");
        }
    }
    text + " " + &parts_of(predictor) + "\n"
}

/// What the classifier is made of, and how much of a text it reads.
fn parts_of(predictor: &Predictor) -> String {
    let weights = thousands(predictor.summary().parameters as u64);
    let network = predictor.network().map(|_| network(predictor));
    let ngrams = predictor.n_ngrams().map(|n_ngrams| thousands(n_ngrams as u64));
    match (network, ngrams) {
        (Some([reads, has]), None) => {
            format!("Of a longer text it reads {reads}. The model has {has}, and {weights} weights in all.")
        }
        (Some([reads, has]), Some(ngrams)) => format!(
            "It is a network and a linear part, whose logits are added. Of a longer text the network reads {reads}, the linear \
             part the whole. The network has {has}, the linear part a weight for each of {ngrams} n-grams of words and characters \
             and each output; that makes {weights} weights in all."
        ),
        (None, ngrams) => format!(
            "It is a linear part alone, without a network. It reads the whole of every text, and has a weight for each of {} \
             n-grams of words and characters and each output: {weights} weights in all.",
            ngrams.unwrap_or_default()
        ),
    }
}

/// What the network reads of a text, and what it has.
fn network(predictor: &Predictor) -> [String; 2] {
    let model = &predictor.config().model;
    let part = match model.truncate {
        attentive_model::Truncate::Head => "the first",
        attentive_model::Truncate::Tail => "the last",
        attentive_model::Truncate::Both => "the outer",
    };
    let attention = match model.attention.name() {
        "none" => "no attention",
        name => &format!("`{name}` attention"),
    };
    let tokens = thousands(predictor.encoder().vocab_size() as u64);
    [
        format!("{part} {} tokens", thousands(limit(model).max_length as u64)),
        format!("{attention} over vectors of {} numbers for {tokens} tokens", model.embedding.dim),
    ]
}

fn files(model: &ExportModel, n_examples: usize) -> String {
    let weights = match model.precision {
        Precision::F32 => "in 32 bits",
        Precision::F16 => "in 16 bits (float16)",
        Precision::Bf16 => "in 16 bits (bfloat16)",
        Precision::Int8 => "in 8 bits; a weight `w` is `w` times `w.scale`",
    };
    let tokenizer = match model.predictor.network() {
        Some(_) => "from text to ids, as Hugging Face's `tokenizers` reads it in any language",
        None => "the tokenizer of the run, which a linear part alone does not use",
    };
    let ngrams = match model.predictor.n_ngrams() {
        Some(_) => {
            "| `ngrams.json` | the n-grams that the linear part reads, in the order of the rows of `linear.weight`, and the inverse \
             document frequency of each |\n"
        }
        None => "",
    };
    let shown = if model.predictor.config().data.text.is_pair() { "pairs of texts" } else { "texts" };
    format!(
        "## What is in here\n\n\
         | file | |\n|---|---|\n\
         | `model.safetensors` | the weights {weights}: any safetensors library reads them; linear layers are `[input, output]` |\n\
         | `tokenizer.json` | {tokenizer} |\n{ngrams}\
         | `labels.json` | the labels in the order of the outputs, with the thresholds above which they are decided for |\n\
         | `config.toml` | what the model is made of and how it was trained, every default written out |\n\
         | `examples.jsonl` | {n_examples} {shown} with the probabilities that this model gave them; some are from the data above |\n\
         | `MANIFEST.json` | size and SHA-256 of every file; no file is used that is not what was written |\n"
    )
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A name as Markdown shows it verbatim, on one line and within a table.
fn code(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_control() || c == '`' || c == '|' { ' ' } else { c }).collect();
    format!("`{}`", plain.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_their_place() {
        assert_eq!(code("good"), "`good`");
        assert_eq!(code("a`b|c\n# d"), "`a b c # d`");
    }
}
