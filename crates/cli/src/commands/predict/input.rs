//! Where the texts come from: arguments, stdin or a file, and how they are to be read.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};

use attentive_data::{
    Column, DataConfig, DataError, DataOrigin, TableKind, TableLayout, TablePart, TableRows, TextColumns, TextFormat,
    TextInput, read_texts_lines,
};
use attentive_train::Predictor;

use super::form::is_std;
use crate::args::{OnError, Predict};
use crate::failure::Failure;
use crate::predict_failure::PredictFailure;

/// So many batches are classified at once: enough for texts of like length to meet.
const BATCHES: usize = 16;

/// So many probabilities are kept at once, however many labels there are.
const PROBABILITIES: usize = 1 << 22;

/// Texts that are read row by row.
#[derive(Debug)]
pub(super) struct Input {
    /// `None` for stdin.
    path: Option<PathBuf>,
    format: Option<TextFormat>,
    config: DataConfig,
    at_once: usize,
    keep_bad: bool,
}

/// What a reader sends.
#[derive(Debug)]
pub(super) enum Read {
    Part(TablePart),
    /// Nothing more comes.
    End(Result<(), DataError>),
}

impl Input {
    /// What the arguments ask to read; not for texts that are arguments themselves.
    pub(super) fn of(args: &Predict, predictor: &Predictor) -> Result<Self, PredictFailure> {
        let path = args.input.clone().filter(|path| !is_std(path));
        let mut config = predictor.config().data.clone();
        if !args.columns.is_empty() {
            config.text = columns(&args.columns, config.text.is_pair())?;
        }
        let mut format = args.format;
        if args.input.is_none() && format.is_none() && args.columns.is_empty() {
            // What is typed or piped is no file of the run's.
            format = Some(TextFormat::Lines);
            config.encoding = "utf-8".to_string();
        }
        let batch = predictor.config().train.evaluation_batch_size;
        let at_once = match &path {
            Some(_) => batch.saturating_mul(BATCHES),
            // A person at a terminal gets each answer at once.
            None if args.stream || io::stdin().is_terminal() => 1,
            None => batch,
        };
        let at_once = at_once.min(PROBABILITIES / predictor.labels().len().max(1)).max(1);
        Ok(Self { path, format, config, at_once, keep_bad: args.on_error == OnError::Skip })
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        self.path.as_ref().map_or("stdin".to_string(), |path| path.display().to_string())
    }

    /// Reads on a thread of its own, until nobody takes what is read.
    pub(super) fn start(self, to: SyncSender<Read>) -> JoinHandle<()> {
        thread::spawn(move || {
            let from = self.path.as_deref().map_or(DataOrigin::Stdin, DataOrigin::File);
            let Self { format, config, at_once, keep_bad, .. } = &self;
            let input = TextInput { from, format: *format, config, at_once: *at_once, keep_bad: *keep_bad };
            let result = input.read(&mut |part| to.send(Read::Part(part)).is_ok());
            let _ = to.send(Read::End(result)); // who does not take it any more has failed, and says so
        })
    }
}

/// The columns that `--text` names, by name or by number.
fn columns(named: &[String], is_pair: bool) -> Result<TextColumns, PredictFailure> {
    let column = |name: &str| name.parse().map_or_else(|_| Column::Name(name.to_string()), Column::Number);
    match (is_pair, named) {
        // A comma in the name of a single column separates nothing.
        (false, names) => Ok(TextColumns::One(column(&names.join(",")))),
        (true, [first, second]) => Ok(TextColumns::Two(column(first), column(second))),
        (true, names) => Err(PredictFailure::TextColumns { expected: 2, found: names.len() }),
    }
}

/// The texts that are arguments; for pairs each has two, a tab between them.
pub(super) fn arguments(texts: &[String], config: &DataConfig) -> Result<(TableLayout, TableRows), Failure> {
    let layout = TableLayout::plain(TableKind::Lines);
    if !config.text.is_pair() {
        return Ok((layout, TableRows { texts: texts.to_vec(), ..TableRows::default() }));
    }
    let lines = texts.join("\n");
    let pairs = read_texts_lines(lines.as_bytes(), "argument", config.max_line_bytes, true);
    let (texts, seconds): (Vec<_>, Vec<_>) = pairs.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    Ok((layout, TableRows { texts, seconds: seconds.into_iter().collect(), ..TableRows::default() }))
}

/// Fails if the output is the file that is read, under whatever name.
pub(super) fn check_other_file(input: Option<&Path>, output: Option<&Path>) -> Result<(), PredictFailure> {
    match (input, output) {
        (Some(input), Some(output)) if is_same_file(input, output) => {
            Err(PredictFailure::SameFile { input: input.to_path_buf(), output: output.to_path_buf() })
        }
        _ => Ok(()),
    }
}

/// Whether two paths lead to one regular file.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let (Ok(first), Ok(second)) = (one.metadata(), other.metadata()) else { return false };
    #[cfg(unix)]
    let is_same = {
        use std::os::unix::fs::MetadataExt;
        (first.dev(), first.ino()) == (second.dev(), second.ino())
    };
    #[cfg(not(unix))]
    let is_same = one.canonicalize().ok() == other.canonicalize().ok();
    first.is_file() && second.is_file() && is_same
}
