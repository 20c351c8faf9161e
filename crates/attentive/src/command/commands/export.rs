//! `attentive export`: a trained classifier in a format that others read.

use attentive::SavedClassifier;
use attentive_bundle::{About, ExportModel, OwnTexts, own_texts, write_bundle};
use attentive_data::{Corpus, Examples, Split, load_corpus};
use attentive_export::{Rerun, Trainable, prune, write_keras, write_onnx, write_torch};
use attentive_model::AttentionConfig;
use attentive_train::{Metrics, OptimizerState, Precision, Predictor, Report, ScheduleConfig, SplitAccount};

use super::exported::{Exported, size};
use super::signals;
use crate::args::{Dtype, Export, ExportFormat, Talk};
use crate::failure::Failure;
use crate::output::{print, tell};
use crate::style::Style;
use crate::table::{bytes, count, percent};

pub(super) fn export(args: &Export, talk: Talk) -> Result<(), Failure> {
    let format = match args.format {
        ExportFormat::Bundle => "bundle",
        ExportFormat::Safetensors => "safetensors",
        ExportFormat::Onnx => "onnx",
        ExportFormat::Keras => "keras",
    };
    let holds_more_than_weights = matches!(args.format, ExportFormat::Bundle | ExportFormat::Safetensors);
    for (is_given, option) in [(args.dtype.is_some(), "dtype"), (args.prune_vocabulary, "prune-vocabulary")] {
        if is_given && !holds_more_than_weights {
            return Err(Failure::NotForFormat { option, format });
        }
    }
    let exported = Exported::load(&args.run, args.backend.as_deref())?;
    signals::leave_nothing_unfinished()?;
    let written = match args.format {
        ExportFormat::Bundle => bundle(args, &exported, talk)?,
        ExportFormat::Safetensors => safetensors(args, &exported, talk)?,
        ExportFormat::Onnx => onnx(args, &exported, talk)?,
        ExportFormat::Keras => keras(args, &exported)?,
    };
    print(&format!("{format} `{}`, {}\n{written}", args.output.display(), bytes(size(&args.output))))
}

fn bundle(args: &Export, exported: &Exported, talk: Talk) -> Result<String, Failure> {
    let Exported { predictor, machine, from } = exported;
    let SavedClassifier::Run(run) = from else {
        return Err(Failure::BundleOfBundle { path: args.run.clone() });
    };
    let report = run.report::<Report>()?;
    let account = run.split::<SplitAccount>()?;
    let mut about = About::of_run(predictor, &account, report.as_ref())?;
    let corpus = corpus(exported, talk)?;
    let mut told = String::new();
    let pruned = pruned(args, exported, &corpus, &mut told)?;
    let precision = precision(args);
    let model = ExportModel::new(pruned.as_ref().unwrap_or(predictor), precision, &machine.device)?;
    // Of weights as they were trained, the run knows how good they are.
    let (split, examples) = headline(&corpus);
    let metrics = match precision {
        Precision::F32 => report.and_then(|mut report| report.splits.remove(about.measured.keys().next_back()?)),
        _ => {
            let (before, after) = (predictor.evaluate(examples.clone())?, model.predictor.evaluate(examples.clone())?);
            let as_trained = predictor.summary().parameters as u64 * 4;
            told.push_str(&rounded(precision, as_trained, model.weights.len() as u64, split, &before, &after));
            about = about.measured_at(split, &after);
            Some(after)
        }
    };
    let own = own_texts(examples);
    let verified = write_bundle(&model, about, metrics.as_ref(), &own, &args.output, &machine.device);
    let verified = verified?;
    let output = args.output.display();
    let example = if exported.config().data.text.is_pair() { "$'first text\\tsecond text'" } else { "\"some text\"" };
    Ok(format!(
        "{told}{} examples come out the same on {} ({}), within {:.1e}\nnext: `attentive predict {output} {example}`, or read \
         `{output}/README.md`\n",
        count(verified.n as u64),
        machine.backend,
        machine.description,
        verified.largest,
    ))
}

/// What fewer bits cost and what they save.
fn rounded(precision: Precision, was: u64, is: u64, split: Split, before: &Metrics, after: &Metrics) -> String {
    format!(
        "{}: the weights have {} instead of {}; accuracy on the {split} split of {} examples: {} before, {} after\n",
        precision.name(),
        bytes(is),
        bytes(was),
        count(after.n),
        percent(before.accuracy),
        percent(after.accuracy)
    )
}

fn precision(args: &Export) -> Precision {
    match args.dtype {
        None | Some(Dtype::F32) => Precision::F32,
        Some(Dtype::F16) => Precision::F16,
        Some(Dtype::Bf16) => Precision::Bf16,
        Some(Dtype::Int8) => Precision::Int8,
    }
}

/// The classifier without the tokens that its data does not use, if that is asked for.
fn pruned(
    args: &Export,
    exported: &Exported,
    corpus: &Corpus,
    told: &mut String,
) -> Result<Option<Predictor>, Failure> {
    if !args.prune_vocabulary {
        return Ok(None);
    }
    if exported.predictor.network().is_none() {
        told.push_str("a linear part alone has no table of tokens: none goes\n");
        return Ok(None);
    }
    let splits: Vec<&Examples> = std::iter::once(&corpus.train).chain(&corpus.validation).chain(&corpus.test).collect();
    let pruned = prune(&exported.predictor, &splits, &exported.machine.device)?;
    let (of, dropped) = (count(pruned.of as u64), (pruned.of - pruned.kept) as u64);
    told.push_str(&match dropped {
        0 => format!("all {of} tokens are in the data: none goes\n"),
        _ => format!(
            "{} of {of} tokens stay and {} go, which no text of the data uses: {} less in 32 bits\n",
            count(pruned.kept as u64),
            count(dropped),
            bytes(dropped * exported.config().model.embedding.dim as u64 * 4)
        ),
    });
    Ok(Some(pruned.predictor))
}

fn safetensors(args: &Export, exported: &Exported, talk: Talk) -> Result<String, Failure> {
    let precision = precision(args);
    let mut told = String::new();
    // A bundle brings texts along; where its data are, only pruning asks.
    let (own, pruned) = match &exported.from {
        SavedClassifier::Bundle(bundle) if !args.prune_vocabulary => (bundle.own_texts()?, None),
        _ => {
            let corpus = corpus(exported, talk)?;
            (texts(&corpus), pruned(args, exported, &corpus, &mut told)?)
        }
    };
    let predictor = pruned.as_ref().unwrap_or(&exported.predictor);
    let device = &exported.machine.device;
    let rounded = write_torch(predictor, &own, precision, &args.output, device)?;
    let n = count(rounded.n as u64);
    let moved = match precision {
        Precision::F32 => format!("{n} examples with their probabilities"),
        _ => format!(
            "{}: probabilities of {n} examples move by up to {:.1e}, and {} are decided otherwise",
            precision.name(),
            rounded.moved,
            rounded.decided_otherwise
        ),
    };
    let packages = match predictor.network() {
        Some(_) => "torch, safetensors and tokenizers",
        None => "torch and safetensors",
    };
    Ok(format!(
        "{told}{moved}\nnext: `python {}/model_torch.py` computes them again, with {packages}\n",
        args.output.display()
    ))
}

fn onnx(args: &Export, exported: &Exported, talk: Talk) -> Result<String, Failure> {
    let own = match &exported.from {
        SavedClassifier::Bundle(bundle) => bundle.own_texts()?,
        // The file needs no data; other texts show as well whether it computes what it should.
        SavedClassifier::Run(_) => corpus(exported, talk).map_or_else(|_| OwnTexts::none(), |corpus| texts(&corpus)),
    };
    let rerun = write_onnx(&exported.predictor, &own, &args.output)?;
    let windows = match exported.config().model.windows {
        Some(_) => "\nit reads one window of a long text; pooling their logits is left to the caller",
        None => "",
    };
    let rerun = match rerun {
        Some(Rerun { n, largest }) => {
            let n = count(n as u64);
            format!("{n} examples come out the same in another engine (rten), within {largest:.1e}")
        }
        None => "not run in another engine, which this build lacks (`--features onnx-rerun`)".to_string(),
    };
    let linear = match exported.predictor.has_linear() {
        true => {
            "\nthe n-grams of its linear part are in its metadata, and `model_ngrams.py` of `--format safetensors` finds them in a text"
        }
        false => "",
    };
    let tokenizer = exported.from.path().join("tokenizer.json");
    let metadata = match exported.predictor.network() {
        Some(_) => {
            format!("labels, thresholds and padding are in its metadata, its tokenizer is `{}`", tokenizer.display())
        }
        None => "labels and thresholds are in its metadata".to_string(),
    };
    Ok(format!("{rerun}\nopset 17, any batch and length; {metadata}{windows}{linear}\n"))
}

fn keras(args: &Export, exported: &Exported) -> Result<String, Failure> {
    let state = match &exported.from {
        SavedClassifier::Run(run) => OptimizerState::of_run(run)?,
        SavedClassifier::Bundle(_) => None,
    };
    let written = write_keras(&exported.predictor, state.as_ref(), &args.output)?;
    let mut told = match written {
        Trainable::GoesOn { updates } => format!("with the state of Adam after {} updates", count(updates)),
        Trainable::Anew => "without the state of an optimizer: training goes on with a new one".to_string(),
    };
    let (train, model) = (&exported.config().train, &exported.config().model);
    let dropout = matches!(&model.attention, AttentionConfig::Dot(dot) if dot.dropout > 0.0);
    for (is_left_out, what) in [
        (dropout || model.dropout > 0.0, "dropout"),
        (train.schedule != ScheduleConfig::default(), "the schedule of the learning rate"),
        (train.max_grad_norm.is_some(), "the limit on gradients"),
    ] {
        if is_left_out {
            told.push_str(&format!("\n{what} is not in it"));
        }
    }
    let tokenizer = exported.from.path().join("tokenizer.json");
    Ok(format!("{told}\nit reads ids, which `{}` makes, padded with 0\n", tokenizer.display()))
}

/// The data of the run, as it is now.
fn corpus(exported: &Exported, talk: Talk) -> Result<Corpus, Failure> {
    let config = exported.config();
    let corpus = load_corpus(&config.data, config.seed)?;
    if corpus.manifest.fingerprint != exported.from.fingerprint()? && !talk.quiet {
        let warning = Style::for_stderr().error("warning:");
        tell(&format!(
            "{warning} the data files have changed since the run was made; the examples are from what is there"
        ));
    }
    Ok(corpus)
}

/// The split that the run was least fitted to.
fn headline(corpus: &Corpus) -> (Split, &Examples) {
    let test = corpus.test.as_ref().map(|test| (Split::Test, test));
    let validation = corpus.validation.as_ref().map(|validation| (Split::Validation, validation));
    test.or(validation).unwrap_or((Split::Train, &corpus.train))
}

/// Some texts of the run's own data.
fn texts(corpus: &Corpus) -> OwnTexts {
    own_texts(headline(corpus).1)
}
