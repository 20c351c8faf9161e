//! `attentive import`: a model that Keras trained, as a run that goes on from there.

use std::path::Path;

use attentive_data::{KerasVocabulary, TextEncoder, TokenizerConfig};
use attentive_export::{ExportError, KerasModel, order_of};
use attentive_train::{Config, ConfigError, Held, PreparedRun, RunDir, StagingError, TrainError};

use super::introduce::introduce as introduce_run;
use super::opening::{load_config, open_machine};
use super::preparing::told as prepared;
use super::signals::Signals;
use crate::args::{Import, Talk};
use crate::failure::Failure;
use crate::output::{print, tell};
use crate::style::Style;
use crate::table::count;

/// The longest vocabulary that is read, in bytes.
const MAX_VOCABULARY: u64 = 256 << 20;

/// Everything that can be wrong is found before anything is created: the model, the config, the place, the data.
pub(super) fn import(args: &Import, talk: Talk) -> Result<(), Failure> {
    let mut model = KerasModel::open(&args.model)?;
    let no_data = || Failure::from(ExportError::NoData { path: args.model.clone() });
    let given = args.config.as_deref().ok_or_else(no_data)?;
    let mut own = load_config(given, &args.set.set)?;
    if let Some(name) = &args.backend {
        own.backend.clone_from(name);
    }
    let mut config = own.clone();
    model.configure(&mut config);
    let told = model.told();
    let encoder = tokenizer(args, &mut model)?;
    config.tokenizer = TokenizerConfig::File(attentive_data::FileConfig { path: args.output.join("tokenizer.json") });
    let config = checked(given, &config)?;
    RunDir::check_free(&args.output, false).map_err(taken)?;
    if !talk.quiet {
        introduce(args, &told, &own, &config);
    }

    let signals = Signals::listen()?;
    let machine = open_machine(None, &config)?;
    let held = Held { encoder: Some(encoder), ..Held::default() };
    let mut new = prepared(talk, &signals, |preparing| PreparedRun::prepare_with(config, held, machine, preparing))?;
    if let Some(signal) = signals.release() {
        return Err(Failure::InterruptedEarly { signal, kept: true });
    }
    let prepared = new.prepared();
    let labels = prepared.labels.clone();
    let classes = if args.classes.is_empty() { labels.names() } else { &args.classes };
    let order = order_of(&labels, classes)?;
    let trained = model.trained(new.config(), &prepared.sizes, &order)?;
    let updates = trained.optimizer.as_ref().map(|state| state.updates);
    let epochs = match new.config().train.epochs {
        1 => "an epoch".to_string(),
        n => format!("{} epochs", count(n)),
    };
    let validates = new.config().data.validation.is_some();
    new.note_imported(&trained)?;
    if !talk.quiet {
        introduce_run(&new);
    }
    new.import(&args.output, trained).map_err(taken)?;

    if !talk.quiet {
        tell("");
    }
    let run = args.output.display();
    let optimizer = match updates {
        Some(updates) => format!("goes on after {} updates of its optimizer", count(updates)),
        None => "an optimizer that starts anew".to_string(),
    };
    let classes: Vec<String> = classes.iter().enumerate().map(|(class, name)| format!("{class} = `{name}`")).collect();
    let evaluate =
        if validates { format!("`attentive evaluate {run} --split validation` measures it; ") } else { String::new() };
    print(&format!(
        "run `{run}`, {optimizer}\nclasses in Keras: {}\nnext: {evaluate}`attentive resume {run}` trains {epochs}\n",
        classes.join(", "),
    ))
}

/// The failure when the place of a new run is taken by something that can be neither overwritten nor resumed.
fn taken(error: TrainError) -> Failure {
    match error {
        TrainError::RunExists { path } => Failure::Staging(StagingError::Exists { path }),
        error => error.into(),
    }
}

/// The tokenizer in the model, or else the one that is named.
fn tokenizer(args: &Import, model: &mut KerasModel) -> Result<TextEncoder, Failure> {
    match (&args.tokenizer, model.take_tokenizer()) {
        (None, Some(encoder)) => Ok(encoder),
        (Some(_), Some(_)) => Err(Failure::from(ExportError::TwoTokenizers { path: args.model.clone() })),
        (None, None) => {
            let rows = model.rows()?;
            Err(Failure::from(ExportError::NoTokenizer { path: args.model.clone(), rows }))
        }
        (Some(path), None) if path.extension().is_some_and(|extension| extension == "txt") => vocabulary(path),
        (Some(path), None) => {
            let encoder = TextEncoder::load(path)?;
            // As it comes back from the file that a run keeps.
            Ok(TextEncoder::from_bytes(encoder.to_json().as_bytes())?)
        }
    }
}

/// A vocabulary of `TextVectorization` with its default settings, one token a line.
fn vocabulary(path: &Path) -> Result<TextEncoder, Failure> {
    let failed = |reason: String| {
        let place = "the vocabulary".to_string();
        Failure::from(ExportError::Unreadable { path: path.to_path_buf(), place, reason })
    };
    let read = |source| Failure::from(ExportError::Read { path: path.to_path_buf(), source });
    if std::fs::metadata(path).map_err(read)?.len() > MAX_VOCABULARY {
        return Err(failed(format!("it has more than {MAX_VOCABULARY} bytes")));
    }
    let tokens = KerasVocabulary::lines(&std::fs::read(path).map_err(read)?).map_err(failed)?;
    KerasVocabulary { tokens, lowercase: true, strip_punctuation: true }.encoder().map_err(failed)
}

/// The config as it is once it has been written and read, with whatever is now wrong in it.
fn checked(path: &Path, config: &Config) -> Result<Config, ConfigError> {
    Config::from_bytes(path, config.to_toml().into_bytes())
}

/// What was read, and what it changes in the config.
fn introduce(args: &Import, told: &[String], own: &Config, config: &Config) {
    let style = Style::for_stderr();
    tell(&style.strong(&args.model.display().to_string()));
    told.iter().for_each(|line| tell(&format!("  {line}")));
    tell("  what the model decides, whatever the config says:");
    let differences =
        own.differences(config).into_iter().filter(|difference| !difference.field.starts_with("tokenizer."));
    differences.for_each(|difference| tell(&format!("    {difference}")));
    tell(&format!("    {}: is `{}`", own.tokenizer.key(), args.output.join("tokenizer.json").display()));
}
