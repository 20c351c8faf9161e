//! What can go wrong between a trained classifier and the outside.

use std::io;
use std::path::PathBuf;

use attentive_bundle::BundleError;
use attentive_train::{StagingError, TrainError};

/// An export that was not made, or one that could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The classifier could not be put together or run.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The classifier could not be written as it was asked for.
    #[error(transparent)]
    Bundle(#[from] BundleError),
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
    /// The tokens of a vocabulary that is to be pruned are made of others.
    #[error("the vocabulary cannot be pruned: only words and characters as attentive itself cuts them can go from one")]
    Unprunable,
    /// The file does not compute, in a program that is not ours, what the classifier does.
    #[error("the {format} file does not come out as it should, and is not kept: {reason}")]
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
    #[error("the format {format} has nothing for {part}")]
    Unsupported {
        /// The format.
        format: &'static str,
        /// The part.
        part: String,
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
    #[error("`{path}` has a vocabulary of its own, and another was given", path = path.display())]
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
    #[error("the classes are {}, and the labels of the data are {}", given.join(", "), labels.join(", "))]
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

/// Names the file that could not be read.
pub(crate) fn read_error(path: &std::path::Path) -> impl FnOnce(io::Error) -> ExportError {
    let path = path.to_path_buf();
    move |source| ExportError::Read { path, source }
}
