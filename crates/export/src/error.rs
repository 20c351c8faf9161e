//! What can go wrong between a trained classifier and the outside.

use std::io;
use std::path::PathBuf;

use attentive_train::{StagingError, TrainError};

/// An export that was not made, or one that could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The classifier could not be put together or run.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The export could not be written.
    #[error(transparent)]
    Output(#[from] StagingError),
    /// A file could not be read.
    #[error("cannot read `{path}`", path = path.display())]
    Read {
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
    /// A model that was to be imported is not what it should be.
    #[error("`{path}` cannot be imported: {place}: {reason}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: String,
        /// What is wrong there.
        reason: String,
    },
    /// A model that was to be imported has a part that there is nothing for here.
    #[error("`{path}` has what there is nothing for here: {part}", path = path.display())]
    NoEqual {
        /// The file.
        path: PathBuf,
        /// The part.
        part: String,
    },
    /// A model takes ids and does not say which token each of them is.
    #[error("`{path}` takes ids, and does not say which token each of its {rows} is", path = path.display())]
    NoTokenizer {
        /// The file.
        path: PathBuf,
        /// The rows of its embedding.
        rows: usize,
    },
    /// A model has a tokenizer, and another was given.
    #[error("`{path}` has a vocabulary of its own, and `--tokenizer` names another", path = path.display())]
    TwoTokenizers {
        /// The file.
        path: PathBuf,
    },
    /// Nothing says what a model was trained on.
    #[error("`{path}` says neither what texts it was trained on nor what its labels are called", path = path.display())]
    NoData {
        /// The file.
        path: PathBuf,
    },
    /// A tokenizer has more tokens than a model knows.
    #[error("the tokenizer has {tokens} tokens, and the embedding of `{path}` has {rows} rows", path = path.display())]
    FewRows {
        /// The file.
        path: PathBuf,
        /// The rows of its embedding.
        rows: usize,
        /// The tokens.
        tokens: usize,
    },
    /// A model is one for other labels than those of the data.
    #[error(
        "`{path}` ends in {kind}, which does not fit the {n_labels} labels of the data", path = path.display(),
        kind = if *is_softmax { format!("a softmax of {outputs}") } else { format!("{outputs} sigmoid") }
    )]
    Outputs {
        /// The file.
        path: PathBuf,
        /// The units of its last layer.
        outputs: usize,
        /// Whether they are a softmax.
        is_softmax: bool,
        /// The labels.
        n_labels: usize,
    },
    /// The classes of a model are not the labels of the data.
    #[error("`--classes` names {}, and the labels of the data are {}", given.join(", "), labels.join(", "))]
    Classes {
        /// The classes.
        given: Vec<String>,
        /// The labels.
        labels: Vec<String>,
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
            Self::Output(StagingError::Exists { .. }) => {
                Some("remove it, or choose another place with `--output`".to_string())
            }
            Self::Output(StagingError::Place { .. }) => {
                Some("name a new file or directory, in a directory that is there, with `--output`".to_string())
            }
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("look after the path, which is relative to the directory the command runs in".to_string())
            }
            Self::Read { source, .. } | Self::Output(StagingError::Io { source, .. }) => {
                io_hint(source).map(str::to_string)
            }
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
            Self::Unreadable { .. } => Some(
                "if the file is whole, load it with Keras 3 and save it again, by `model.save(\"model.keras\")`".to_string(),
            ),
            Self::NoEqual { .. } => Some(
                "what can be imported is `Embedding`, `Attention()([e, e])` or none, `GlobalAveragePooling1D` and one `Dense`, \
                 with dropout and `TextVectorization` or without: docs/export.md has it all"
                    .to_string(),
            ),
            Self::NoTokenizer { .. } => Some(
                "name its tokenizer by `--tokenizer`: a tokenizer.json, such as that of the run it was exported from, or a .txt \
                 with one token a line, as `TextVectorization.get_vocabulary()` gives them"
                    .to_string(),
            ),
            Self::TwoTokenizers { .. } => Some("leave `--tokenizer` out".to_string()),
            Self::NoData { .. } => Some(
                "name a config with its data by `--config`; `attentive init DATA` writes one for a file of labelled texts"
                    .to_string(),
            ),
            Self::FewRows { .. } => Some("name the tokenizer that the model was trained with by `--tokenizer`".to_string()),
            Self::Outputs { is_softmax, outputs, .. } => Some(match (is_softmax, outputs) {
                (false, 2..) => "set `data.multi_label = true` if a text may have several labels".to_string(),
                _ => "one sigmoid is for two labels, a softmax for as many as it has units: name the data that the model was \
                      trained on"
                    .to_string(),
            }),
            Self::Classes { .. } => {
                Some("name every label once, in the order of the numbers that its class has in Keras".to_string())
            }
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

/// Names the file that could not be read.
pub(crate) fn read_error(path: &std::path::Path) -> impl FnOnce(io::Error) -> ExportError {
    let path = path.to_path_buf();
    move |source| ExportError::Read { path, source }
}
