//! Where the texts come from: arguments, stdin or a file, and how they are to be read.

#[cfg(unix)]
use std::fs::{File, Metadata};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};

use attentive_data::{
    BadRow, Column, DataConfig, DataError, DataOrigin, Location, RowFault, TablePart, TableRows, TextColumns,
    TextFormat, TextInput,
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
pub(super) struct PredictInput {
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

impl PredictInput {
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
            let _ = to.send(Read::End(result)); // a closed channel means the receiver reports its own error
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

/// What the arguments are called in messages; the number of one is its line.
pub(super) const ARGUMENT: &str = "argument";

/// The texts that are arguments; for pairs each has two, a tab between them.
pub(super) fn arguments(args: &Predict, config: &DataConfig) -> Result<TableRows, Failure> {
    if !config.text.is_pair() {
        let lines = (1..).take(args.text.len()).collect();
        let texts = args.text.iter().map(|text| config.unescaped(text).into_owned()).collect();
        return Ok(TableRows { texts, lines, ..TableRows::default() });
    }
    let mut rows = TableRows { seconds: Some(Vec::new()), ..TableRows::default() };
    for (text, number) in args.text.iter().zip(1..) {
        match text.split_once('\t').filter(|(_, second)| !second.contains('\t')) {
            Some((first, second)) => {
                rows.lines.push(number);
                rows.texts.push(config.unescaped(first).into_owned());
                rows.seconds.get_or_insert_default().push(config.unescaped(second).into_owned());
            }
            None => {
                let at = Location { path: ARGUMENT.into(), line: Some(number), element: None };
                let error = RowFault::PairLine { found: text.matches('\t').count() }.at(at);
                if args.on_error == OnError::Fail {
                    return Err(Failure::Input(error));
                }
                rows.bad.push(BadRow { before: rows.texts.len(), object: None, error });
            }
        }
    }
    Ok(rows)
}

/// Fails if the output is the file that is read, under whatever name.
pub(super) fn check_other_file(args: &Predict) -> Result<(), PredictFailure> {
    let Some(output) = args.output.as_deref().filter(|path| !is_std(path)) else { return Ok(()) };
    let input = args.input.as_deref().filter(|path| !is_std(path));
    let is_same = match input {
        Some(input) => is_same_file(input, output),
        None => args.text.is_empty() && is_stdin(output),
    };
    if is_same {
        let input = input.unwrap_or(Path::new("stdin")).to_path_buf();
        return Err(PredictFailure::SameFile { input, output: output.to_path_buf() });
    }
    Ok(())
}

/// Whether two paths lead to one regular file.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let (Ok(first), Ok(second)) = (one.metadata(), other.metadata()) else { return false };
    #[cfg(unix)]
    let is_same = is_one(&first, &second);
    #[cfg(not(unix))]
    let is_same = first.is_file() && second.is_file() && one.canonicalize().ok() == other.canonicalize().ok();
    is_same
}

/// Whether stdin is this regular file.
#[cfg(unix)]
fn is_stdin(path: &Path) -> bool {
    use std::os::fd::AsFd;
    let stdin = io::stdin().as_fd().try_clone_to_owned().and_then(|stdin| File::from(stdin).metadata());
    matches!((stdin, path.metadata()), (Ok(stdin), Ok(file)) if is_one(&stdin, &file))
}

/// Elsewhere a handle does not tell which file it is.
#[cfg(not(unix))]
fn is_stdin(_: &Path) -> bool {
    false
}

#[cfg(unix)]
fn is_one(first: &Metadata, second: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    first.is_file() && second.is_file() && (first.dev(), first.ino()) == (second.dev(), second.ino())
}
