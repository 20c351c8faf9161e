//! `attentive export`: a trained classifier in a format that others read.

use attentive_backend::Backend;
use attentive_data::load_corpus;
use attentive_export::{
    ExportError, OwnTexts, Trainable, own_texts, write_bundle, write_keras, write_onnx, write_torch,
};
use attentive_model::AttentionConfig;
use attentive_train::{OptimizerState, Precision, Report, ScheduleConfig};

use super::classifier::{Exported, size};
use crate::args::{Dtype, Export, ExportFormat, Talk};
use crate::failure::Failure;
use crate::output::{print, tell};
use crate::style::Style;
use crate::table::{bytes, count};

pub(super) fn export(args: &Export, talk: Talk) -> Result<(), Failure> {
    let format = match args.format {
        ExportFormat::Bundle => "bundle",
        ExportFormat::Safetensors => "safetensors",
        ExportFormat::Onnx => "onnx",
        ExportFormat::Keras => "keras",
    };
    if args.dtype.is_some() && args.format != ExportFormat::Safetensors {
        return Err(Failure::Export(ExportError::NotForFormat { option: "dtype", format }));
    }
    let exported = Exported::load(&args.run, args.backend.as_deref())?;
    let written = match args.format {
        ExportFormat::Bundle => bundle(args, &exported, talk)?,
        ExportFormat::Safetensors => safetensors(args, &exported, talk)?,
        ExportFormat::Onnx => onnx(args, &exported)?,
        ExportFormat::Keras => keras(args, &exported)?,
    };
    print(&format!("{format} `{}`, {}\n{written}", args.output.display(), bytes(size(&args.output))))
}

fn bundle(args: &Export, exported: &Exported, talk: Talk) -> Result<String, Failure> {
    let Exported { predictor, opened, account, run } = exported;
    let report = run.report::<Report>()?;
    let own = texts(exported, talk)?;
    let verified =
        write_bundle(predictor, account, report.as_ref(), &own, &args.output, &Backend::names(), &opened.device);
    let verified = verified.map_err(Failure::Export)?;
    let output = args.output.display();
    let example = if exported.config().data.text.is_pair() { "$'first text\\tsecond text'" } else { "\"some text\"" };
    Ok(format!(
        "{} examples come out the same on {} ({}), within {:.1e}\nnext: `attentive predict {output} {example}`, or read \
         `{output}/README.md`\n",
        count(verified.n as u64),
        opened.backend,
        opened.description,
        verified.largest,
    ))
}

fn safetensors(args: &Export, exported: &Exported, talk: Talk) -> Result<String, Failure> {
    let precision = match args.dtype {
        None | Some(Dtype::F32) => Precision::F32,
        Some(Dtype::F16) => Precision::F16,
        Some(Dtype::Bf16) => Precision::Bf16,
    };
    let own = texts(exported, talk)?;
    let device = &exported.opened.device;
    let rounded = write_torch(&exported.predictor, &own, precision, &args.output, device).map_err(Failure::Export)?;
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
    Ok(format!(
        "{moved}\nnext: `python {}/model_torch.py` computes them again, with torch, safetensors and tokenizers\n",
        args.output.display()
    ))
}

fn onnx(args: &Export, exported: &Exported) -> Result<String, Failure> {
    write_onnx(&exported.predictor, &args.output).map_err(Failure::Export)?;
    let windows = match exported.config().model.windows {
        Some(_) => "\nit reads one window of a long text; pooling their logits is left to the caller",
        None => "",
    };
    Ok(format!(
        "opset 17, any batch and length; labels, thresholds and padding are in its metadata, its tokenizer is `{}`{windows}\n",
        exported.run.path().join("tokenizer.json").display()
    ))
}

fn keras(args: &Export, exported: &Exported) -> Result<String, Failure> {
    let state = OptimizerState::of_run(&exported.run, &Backend::names())?;
    let written = write_keras(&exported.predictor, state.as_ref(), &args.output).map_err(Failure::Export)?;
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
    let tokenizer = exported.run.path().join("tokenizer.json");
    Ok(format!("{told}\nit reads ids, which `{}` makes, padded with 0\n", tokenizer.display()))
}

/// Some texts of the run's own data, of the split that it was least fitted to.
fn texts(exported: &Exported, talk: Talk) -> Result<OwnTexts, Failure> {
    let config = exported.config();
    let corpus = load_corpus(&config.data, config.seed)?;
    if corpus.manifest.fingerprint != exported.account.manifest.fingerprint && !talk.quiet {
        let warning = Style::for_stderr().error("warning:");
        tell(&format!(
            "{warning} the data files have changed since the run was made; the examples are from what is there"
        ));
    }
    Ok(own_texts(corpus.test.as_ref().or(corpus.validation.as_ref()).unwrap_or(&corpus.train)))
}
