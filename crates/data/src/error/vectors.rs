//! What is wrong with a file of pretrained vectors, and what the user can do about it.

use std::path::PathBuf;

use super::excerpt::excerpt;
use super::location::Location;

/// Why a file of pretrained vectors cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VectorsError {
    /// A file of pretrained vectors that is no text.
    #[error("{at}: not a text file of vectors: {reason}")]
    Text {
        /// The line.
        at: Location,
        /// What is wrong.
        reason: String,
    },
    /// Vectors of another length than the model's embeddings.
    #[error("the vectors of `{}` have {found} values, but `model.embedding.dim` is {dim}", path.display())]
    Dim {
        /// The file.
        path: PathBuf,
        /// Values per vector in the file.
        found: usize,
        /// Values per embedding in the model.
        dim: usize,
    },
    /// A line with more or fewer values than a vector has.
    #[error("{at}: the vector has {found} values, not {expected}")]
    Length {
        /// The line.
        at: Location,
        /// Values per vector.
        expected: usize,
        /// Values on this line.
        found: usize,
    },
    /// A value of a vector that is no number, or infinite.
    #[error("{at}: `{}` is not a finite number", excerpt(value))]
    Value {
        /// The line.
        at: Location,
        /// The value.
        value: String,
    },
    /// The first line of a vector file announces another number of vectors than there are.
    #[error("`{}` announces {announced} vectors and holds {found}", path.display())]
    Count {
        /// The file.
        path: PathBuf,
        /// The number on the first line.
        announced: usize,
        /// The number of vectors.
        found: usize,
    },
    /// Not one of the vectors is for a token of the vocabulary.
    #[error("none of the {in_file} vectors of `{}` is for a token of the vocabulary", path.display())]
    NoneKnown {
        /// The file.
        path: PathBuf,
        /// How many vectors the file holds.
        in_file: usize,
    },
}

impl VectorsError {
    /// What the user can do about it.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Text { .. } => {
                "vectors are read from text in UTF-8, a word and its values on each line; other files have to be converted or unpacked first"
                    .to_owned()
            }
            Self::Dim { found, .. } => format!("set `model.embedding.dim = {found}`"),
            Self::Length { .. } => "look for a line that is cut short, or two lines that have become one".to_owned(),
            Self::Value { .. } => "correct the value, or remove the line".to_owned(),
            Self::Count { .. } => "the file is probably cut short: get it again, or correct its first line".to_owned(),
            Self::NoneKnown { .. } => {
                "look whether the file is for the language of the texts; if its words have capitals, set `tokenizer.word.lowercase = false`"
                    .to_owned()
            }
        }
    }
}
