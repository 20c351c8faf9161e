//! What can go wrong between a trained classifier and the outside.

use std::io;
use std::path::PathBuf;

use attentive_train::TrainError;

/// An export that was not made, or one that could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The classifier could not be put together or run.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// There is something where the export should go.
    #[error("`{path}` is there already, and an export replaces nothing", path = path.display())]
    Exists {
        /// The output.
        path: PathBuf,
    },
    /// The output has no name, or no directory to be in.
    #[error("nothing can be written to `{path}`: {reason}", path = path.display())]
    Place {
        /// The output.
        path: PathBuf,
        /// Why not.
        reason: &'static str,
    },
    /// A file could not be read or written.
    #[error("cannot {action} `{path}`", path = path.display())]
    Io {
        /// What was attempted, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file of a bundle is not what was written.
    #[error("`{path}` is damaged: {reason}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The examples of a bundle do not come out as where it was made.
    #[error(
        "`{path}` does not compute here what it computed where it was made: {differing} of {n} examples differ by more than \
         {tolerance:e}, by up to {largest:.1e}", path = path.display()
    )]
    Differs {
        /// The bundle.
        path: PathBuf,
        /// How many examples differ.
        differing: usize,
        /// How many there are.
        n: usize,
        /// By how much a probability may differ.
        tolerance: f32,
        /// By how much one does.
        largest: f32,
    },
    /// A bundle was given to make a bundle from.
    #[error("`{path}` is a bundle already", path = path.display())]
    FromBundle {
        /// The bundle.
        path: PathBuf,
    },
    /// The tokens of a vocabulary that is to be pruned are made of others.
    #[error("the vocabulary cannot be pruned: only words and characters as attentive itself cuts them can go from one")]
    Unprunable,
    /// The file does not compute, in a program that is not ours, what the classifier does.
    #[error("what `--format {format}` wrote does not come out as it should, and is not kept: {reason}")]
    Rerun {
        /// The format.
        format: &'static str,
        /// What the other program said, or what differs.
        reason: String,
    },
    /// There are too many weights for the file format.
    #[error("the weights have {bytes} bytes, and a file of this format holds {limit}")]
    TooLarge {
        /// Bytes of the weights.
        bytes: u64,
        /// How many fit.
        limit: u64,
    },
    /// The format has nothing that computes a part of the model.
    #[error("`--format {format}` has nothing for {part}")]
    Unsupported {
        /// The format.
        format: &'static str,
        /// The part.
        part: String,
    },
    /// An option that the format does not have.
    #[error("`--{option}` is not for `--format {format}`")]
    NotForFormat {
        /// The option.
        option: &'static str,
        /// The format.
        format: &'static str,
    },
    /// A part could not be put into its file format.
    #[error("cannot write `{file}`: {reason}")]
    Encode {
        /// The file of the export.
        file: &'static str,
        /// What the format's library said.
        reason: String,
    },
}

impl ExportError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Train(error) => error.hint(),
            Self::Exists { .. } => Some("remove it, or choose another place with `--output`".to_string()),
            Self::Place { .. } => {
                Some("name a new file or directory, in a directory that is there, with `--output`".to_string())
            }
            Self::Io { source, .. } => io_hint(source).map(str::to_string),
            Self::Damaged { .. } => Some("get the bundle again, or export it anew from its run".to_string()),
            Self::Differs { .. } => Some(
                "try another backend with `--backend`; if all differ, the bundle needs the version of attentive that made \
                 it, which its `MANIFEST.json` names"
                    .to_string(),
            ),
            Self::FromBundle { .. } => {
                Some("make it from the run; of a bundle there are the formats `safetensors`, `onnx` and `keras`".to_string())
            }
            Self::TooLarge { .. } => Some(
                "export it with `--format safetensors` or `bundle`, or train it with a smaller `vocab_size`, \
                 `features.buckets` or `embedding.dim`"
                    .to_string(),
            ),
            Self::Unsupported { .. } => Some(
                "choose `--format onnx`, `safetensors` or `bundle`; Keras takes `attention.none` and `attention.dot` without \
                 positions, features and windows, with mean pooling, or with max pooling and `masking = false`"
                    .to_string(),
            ),
            Self::NotForFormat { .. } => {
                Some("leave it out, or choose `--format bundle` or `safetensors`".to_string())
            }
            Self::Rerun { .. } => Some(
                "this is a fault of attentive: please report it with the config; the other formats do not depend on this one"
                    .to_string(),
            ),
            Self::Unprunable => Some(
                "leave out `--prune-vocabulary`: the pieces of a subword tokenizer are made of each other; `--dtype int8` makes \
                 a quarter of any table"
                    .to_string(),
            ),
            Self::Encode { reason, .. } => {
                reason.ends_with("inf").then(|| "numbers of that kind do not reach so far: choose `--dtype bf16`".to_string())
            }
        }
    }
}

/// What the user can do about what the system said of a file of an export; whatever was written of it is gone again.
fn io_hint(source: &io::Error) -> Option<&'static str> {
    use io::ErrorKind::{
        FileTooLarge, InvalidFilename, NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem,
        StorageFull,
    };
    match source.kind() {
        StorageFull | QuotaExceeded => Some("free some space and run the command again"),
        FileTooLarge => Some("raise the limit on the size of a file (`ulimit -f`) and run the command again"),
        NotFound => Some("make the directory that it should be in first"),
        NotADirectory => Some("a file stands where a directory should be"),
        InvalidFilename => Some("choose a shorter name"),
        PermissionDenied | ReadOnlyFilesystem => Some("choose a place that can be written to"),
        _ => None,
    }
}

/// Names what was attempted with a file.
pub(crate) fn io_error(action: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> ExportError {
    let path = path.to_path_buf();
    move |source| ExportError::Io { action, path, source }
}
