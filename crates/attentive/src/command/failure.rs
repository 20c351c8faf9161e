//! How a command fails: the exit code, and `error:`, the chain of causes and a `hint:` on stderr.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use attentive_backend::BackendError;
use attentive_bundle::BundleError;
use attentive_data::{DataError, RowError, RowFault};
use attentive_export::ExportError;
use attentive_train::{CheckpointError, ConfigError, StagingError, TrainError};

use crate::exit_code;
use crate::hints::{of_bundle, of_data, of_export, of_train};
use crate::predict_failure::PredictFailure;
use crate::style::Style;
use crate::visible::visible;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    Train(TrainError),
    Backend(BackendError),
    /// A classifier that could not be exported, or one of another program that could not be imported.
    Export(Box<ExportError>),
    /// A bundle that could not be written or used.
    Bundle(BundleError),
    /// Something else than the shipped dataset where that is to be written.
    NoQuickstart {
        path: PathBuf,
    },
    /// A file of data where a config should be.
    DataAsConfig {
        path: PathBuf,
    },
    /// An option that a format of `export` does not have.
    NotForFormat {
        option: &'static str,
        format: &'static str,
    },
    /// A bundle was given to make a bundle from.
    BundleOfBundle {
        path: PathBuf,
    },
    /// The texts to predict on cannot be read.
    Input(DataError),
    /// The examples to evaluate on cannot be read.
    Labelled(DataError),
    /// No config can be written for a file.
    Sniffed(DataError),
    /// Predictions cannot be made or written as asked.
    Predict(PredictFailure),
    /// stdout or the output file could not be written.
    Output {
        name: String,
        source: io::Error,
    },
    /// A new file or directory that could not be written, such as one that is there already.
    Staging(StagingError),
    /// A signal asked the run to stop; its checkpoint is saved.
    Interrupted {
        signal: i32,
        run: String,
        /// The step of its newest checkpoint; `None` where there is none.
        step: Option<u64>,
    },
    /// A signal asked to stop while the data was made ready.
    InterruptedEarly {
        signal: i32,
        /// Whether what was encoded is kept.
        kept: bool,
    },
    /// A cross-validation that cannot be, or was interrupted.
    Folds(FoldsFailure),
    /// A signal asked to stop while a run was verified.
    InterruptedVerification {
        signal: i32,
        run: String,
    },
    /// A signal asked to stop while a file or directory was written.
    InterruptedOutput {
        signal: i32,
        output: PathBuf,
    },
    /// A run is not what it should be; what is wrong was printed.
    Verification {
        run: String,
        wrong: usize,
    },
    /// A config to train by is to go to stdout.
    ConfigToStdout,
    /// A file name that no config can hold, because TOML is UTF-8.
    FileName {
        path: PathBuf,
    },
    /// The variable that says how many threads compute does not say so.
    ThreadCount {
        variable: &'static str,
        value: String,
        /// The most threads that it may ask for.
        most: usize,
    },
    /// The system does not start the threads that a command cannot do without.
    Threads {
        needed: usize,
        started: usize,
        source: io::Error,
    },
    /// Something that cannot happen did.
    Internal {
        message: String,
    },
}

/// What is in the way of a cross-validation.
#[derive(Debug)]
pub(crate) enum FoldsFailure {
    /// One part, or none.
    TooFew { of: u32 },
    /// The config names a fold itself.
    InConfig,
    /// The directory is a single run.
    PlainRun { path: String },
    /// The directory holds folds already.
    Exists { path: String, of: u32 },
    /// A signal asked to stop; what was being trained is saved.
    Interrupted {
        signal: i32,
        index: u32,
        of: u32,
        /// The run and the step of its checkpoint; none between two folds.
        saved: Option<(String, u64)>,
    },
}

impl FoldsFailure {
    fn message(&self) -> String {
        match self {
            Self::TooFew { of } => format!("`--folds {of}` leaves nothing to train on: there must be at least 2"),
            Self::InConfig => "the config names one fold, `data.fold`, and `--folds` asks for all".to_string(),
            Self::PlainRun { path } => format!("`{path}` is a single run, not the folds of a cross-validation"),
            Self::Exists { path, .. } => format!("`{path}` already holds folds of a cross-validation"),
            Self::Interrupted { signal, index, of, saved } => {
                let signal = signal_name(*signal);
                match saved {
                    Some((run, step)) => format!(
                        "interrupted by {signal} in fold {index} of {of}; the checkpoint after step {step} is in `{run}`"
                    ),
                    None => format!("interrupted by {signal} before fold {index} of {of}"),
                }
            }
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::TooFew { .. } => "5 and 10 are usual".to_string(),
            Self::InConfig => "remove `data.fold`, or leave out `--folds`".to_string(),
            Self::PlainRun { .. } => "name a directory of its own by `--run-dir`".to_string(),
            Self::Exists { of, .. } => format!(
                "go on with them by `--folds {of} --resume`, replace them by `--overwrite`, or choose another place by \
                 `--run-dir`"
            ),
            Self::Interrupted { of, .. } => {
                format!("the same command with `--folds {of} --resume` goes on from there; finished folds are kept")
            }
        }
    }
}

/// Failures of the libraries, by the part of the command line that their remedies name.
macro_rules! from_errors {
    ($($error:ty => $failure:expr,)*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                $failure(error.into())
            }
        }
    )*};
}

from_errors! {
    TrainError => Self::Train,
    CheckpointError => Self::Train,
    ConfigError => Self::Train,
    DataError => Self::Train,
    BackendError => Self::Backend,
    BundleError => Self::Bundle,
    ExportError => Self::Export,
    StagingError => Self::Staging,
    PredictFailure => Self::Predict,
}

impl From<attentive::Error> for Failure {
    fn from(error: attentive::Error) -> Self {
        match error {
            attentive::Error::Train(error) => error.into(),
            attentive::Error::Bundle(error) => error.into(),
            attentive::Error::Backend(error) => error.into(),
            attentive::Error::Output(error) => error.into(),
            error => Self::Internal { message: error.to_string() },
        }
    }
}

impl Failure {
    /// What to tell the person: the failure, its causes and a hint. `None` when the reader of stdout went away, which is
    /// no failure.
    pub(crate) fn text(&self) -> Option<String> {
        if self.is_closed_pipe() {
            return None;
        }
        let style = Style::for_stderr();
        let mut text = format!("{} {}", style.error("error:"), plain(&self.message()));
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(&format!("\n  caused by: {}", plain(&error.to_string())));
            cause = error.source();
        }
        if let Some(hint) = self.hint() {
            text.push_str(&format!("\n\n{} {}", style.hint("hint:"), plain(&hint)));
        }
        Some(text)
    }

    /// The exit code of a failure that is told.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }

    fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }

    fn message(&self) -> String {
        match self {
            Self::Train(TrainError::Config(ConfigError::Invalid(error))) => {
                format!("the config is not valid\n\n{error}")
            }
            Self::Bundle(BundleError::Train(TrainError::Config(ConfigError::Invalid(error)))) => {
                format!("the config of the bundle is not valid\n\n{error}")
            }
            Self::Train(error) => error.to_string(),
            Self::Backend(error) => error.to_string(),
            Self::Export(error) => error.to_string(),
            Self::Bundle(error) => error.to_string(),
            Self::NoQuickstart { path } => {
                format!("`{0}` is there already, and it is not the quickstart", path.display())
            }
            Self::DataAsConfig { path } => format!("`{}` is data, not a config", path.display()),
            Self::NotForFormat { option, format } => format!("`--{option}` is not for `--format {format}`"),
            Self::BundleOfBundle { path } => format!("`{}` is a bundle already", path.display()),
            Self::Input(error) | Self::Labelled(error) | Self::Sniffed(error) => error.to_string(),
            Self::Predict(failure) => failure.message(),
            Self::Output { name, .. } => format!("cannot write {name}"),
            Self::Staging(error) => error.to_string(),
            Self::Interrupted { signal, run, step: Some(step) } => {
                format!("interrupted by {}; the checkpoint after step {step} is in `{run}`", signal_name(*signal))
            }
            Self::Interrupted { signal, run, step: None } => {
                format!("interrupted by {}; `{run}` has no checkpoint yet", signal_name(*signal))
            }
            Self::InterruptedEarly { signal, .. } => {
                format!("interrupted by {} before training began", signal_name(*signal))
            }
            Self::Folds(failure) => failure.message(),
            Self::InterruptedVerification { signal, run } => {
                format!("interrupted by {} before all of `{run}` was verified", signal_name(*signal))
            }
            Self::InterruptedOutput { signal, output } => {
                format!("interrupted by {}; nothing was written to `{}`", signal_name(*signal), output.display())
            }
            Self::Verification { run, wrong } => format!("`{run}` is not what it should be: {wrong} wrong"),
            Self::ConfigToStdout => {
                "`attentive quick` trains by the config that it writes, which stdout cannot keep".to_string()
            }
            Self::FileName { path } => format!("the name `{}` is not in UTF-8, as a config has to be", path.display()),
            Self::ThreadCount { variable, value, most } => {
                format!("`{variable}={value}` is not a number of threads from 1 to {most}")
            }
            Self::Threads { needed, started, .. } => {
                format!("only {started} of the {needed} threads that are needed could be started")
            }
            Self::Internal { message } => format!("attentive has a bug: {message}"),
        }
    }

    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Train(error) => error.source(),
            Self::Backend(error) => error.source(),
            Self::Export(error) => error.source(),
            Self::Bundle(error) => error.source(),
            Self::Input(error) | Self::Labelled(error) | Self::Sniffed(error) => error.source(),
            Self::Output { source, .. } | Self::Threads { source, .. } => Some(source),
            Self::Staging(error) => error.source(),
            Self::Interrupted { .. }
            | Self::InterruptedEarly { .. }
            | Self::InterruptedVerification { .. }
            | Self::InterruptedOutput { .. }
            | Self::Folds(_)
            | Self::Predict(_)
            | Self::NoQuickstart { .. }
            | Self::DataAsConfig { .. }
            | Self::NotForFormat { .. }
            | Self::BundleOfBundle { .. }
            | Self::Verification { .. }
            | Self::FileName { .. }
            | Self::ConfigToStdout
            | Self::ThreadCount { .. }
            | Self::Internal { .. } => None,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Train(error) => of_train(error),
            Self::Backend(error) => error.hint(),
            Self::Export(error) => of_export(error),
            Self::Bundle(error) => of_bundle(error),
            Self::NoQuickstart { .. } => Some("run it in another directory, or remove what is there".to_string()),
            Self::DataAsConfig { path } => {
                Some(format!("`attentive init {}` writes a config for it, which `attentive train` takes", path.display()))
            }
            Self::NotForFormat { .. } => Some("leave it out, or choose `--format bundle` or `safetensors`".to_string()),
            Self::BundleOfBundle { .. } => Some(
                "make it from the run; of a bundle there are the formats `safetensors`, `onnx` and `keras`".to_string(),
            ),
            Self::Input(error) => layout_hint(
                error,
                "name the column of the text with `--text`, or say how the file is laid out with `--format`",
            ),
            Self::Labelled(error) => layout_hint(
                error,
                "give its columns the names that they had in training, or say how the file is laid out with `--format`",
            ),
            Self::Sniffed(error) => layout_hint(error, "name one of its columns with `--text` and `--label`"),
            Self::Predict(failure) => Some(failure.hint()),
            Self::Output { source, .. } => output_hint(source.kind()).map(str::to_string),
            Self::Staging(StagingError::Io { source, .. }) => output_hint(source.kind()).map(str::to_string),
            Self::Staging(StagingError::Exists { .. }) => {
                Some("remove it, or write elsewhere with `--output`".to_string())
            }
            Self::Staging(StagingError::Place { .. }) => Some("name a new file with `--output`".to_string()),
            Self::Interrupted { run, .. } => Some(format!("`attentive resume {run}` goes on from there")),
            Self::InterruptedEarly { kept, .. } => {
                kept.then(|| "what is encoded is kept: the same command goes on from there".to_string())
            }
            Self::InterruptedVerification { .. } | Self::InterruptedOutput { .. } => None,
            Self::Folds(failure) => Some(failure.hint()),
            Self::Verification { run, .. } => Some(format!(
                "restore damaged files from a backup; `attentive resume {run}` trains on from the newest intact checkpoint"
            )),
            Self::ConfigToStdout => Some("leave `--output` out, or use `attentive init --output -`".to_string()),
            Self::FileName { .. } => Some("give the file, or the folder that it is in, another name".to_string()),
            Self::ThreadCount { variable, .. } => Some(format!("leave `{variable}` out for one thread for each core")),
            Self::Threads { .. } => Some(
                "raise the limit on processes (`ulimit -u`; `pids.max` of a container) or on memory (`ulimit -v`), or end \
                 other processes"
                    .to_string(),
            ),
            Self::Internal { .. } => {
                Some("please report it with the command and its config; a run can be resumed".to_string())
            }
        }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Train(error) => exit_code::train(error),
            Self::Backend(BackendError::Unknown { .. }) => exit_code::CONFIG,
            Self::Backend(_) => exit_code::NO_DEVICE,
            Self::Export(error) => exit_code::export(error),
            Self::Bundle(error) => exit_code::bundle(error),
            Self::Input(error) | Self::Labelled(error) | Self::Sniffed(error) => exit_code::data(error),
            Self::Predict(failure) if failure.is_of_data() => exit_code::BAD_DATA,
            Self::Predict(_) => exit_code::CONFIG,
            Self::Output { .. } => exit_code::IO,
            Self::Staging(error) => exit_code::staging(error),
            Self::Folds(FoldsFailure::TooFew { .. } | FoldsFailure::InConfig) => exit_code::CONFIG,
            Self::Folds(FoldsFailure::PlainRun { .. } | FoldsFailure::Exists { .. }) => exit_code::RUN_TAKEN,
            Self::Interrupted { signal, .. }
            | Self::InterruptedEarly { signal, .. }
            | Self::InterruptedVerification { signal, .. }
            | Self::InterruptedOutput { signal, .. }
            | Self::Folds(FoldsFailure::Interrupted { signal, .. }) => 128 + u8::try_from(*signal).unwrap_or(0),
            Self::NoQuickstart { .. } => exit_code::RUN_TAKEN,
            Self::Verification { .. } => exit_code::BAD_DATA,
            Self::DataAsConfig { .. }
            | Self::NotForFormat { .. }
            | Self::BundleOfBundle { .. }
            | Self::FileName { .. }
            | Self::ConfigToStdout
            | Self::ThreadCount { .. } => exit_code::CONFIG,
            Self::Threads { .. } => exit_code::NO_DEVICE,
            Self::Internal { .. } => exit_code::INTERNAL,
        }
    }
}

/// A message with every character written out that a terminal would obey: names of files and words of data stand in it.
fn plain(message: &str) -> String {
    message.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// What the user can do about a file that is not the run's own: the config of a run is made, but the command can say how the file
/// is laid out.
fn layout_hint(error: &DataError, of_columns: &str) -> Option<String> {
    if let DataError::UnknownLabel { .. } = error
        && !error.hint().is_some_and(|hint| hint.starts_with("did you mean"))
    {
        let hint =
            "the classifier knows the labels of its training split: `--unknown-labels drop` leaves out the others";
        return Some(hint.to_string());
    }
    let hint = of_data(error);
    let is_nearest = hint.as_ref().is_some_and(|hint| hint.starts_with("did you mean"));
    match error {
        DataError::NoColumn { .. }
        | DataError::NoColumnNumber { .. }
        | DataError::Row(RowError { fault: RowFault::NoKey { .. }, .. })
            if !is_nearest =>
        {
            Some(of_columns.to_string())
        }
        _ => hint,
    }
}

/// What the user can do about an output that cannot be written.
fn output_hint(kind: io::ErrorKind) -> Option<&'static str> {
    use io::ErrorKind::{
        FileTooLarge, InvalidFilename, IsADirectory, NotADirectory, NotFound, PermissionDenied, QuotaExceeded,
        ReadOnlyFilesystem, StorageFull,
    };
    match kind {
        StorageFull | QuotaExceeded => Some("free some space and run the command again"),
        FileTooLarge => Some("raise the limit on the size of a file (`ulimit -f`) and run the command again"),
        NotFound => Some("make its directory first"),
        IsADirectory => Some("name a file, not a directory"),
        NotADirectory => Some("a file stands where its directory should be"),
        InvalidFilename => Some("choose a shorter name"),
        PermissionDenied | ReadOnlyFilesystem => Some("choose a place that can be written to"),
        _ => None,
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        signal_hook::consts::SIGINT => "Ctrl-C",
        signal_hook::consts::SIGTERM => "SIGTERM",
        #[cfg(unix)]
        signal_hook::consts::SIGHUP => "SIGHUP",
        _ => "a signal",
    }
}
