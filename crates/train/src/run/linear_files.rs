//! The linear part of a run as its two files.

use crate::storage::hashed::sha256;

/// The n-grams that it reads, what each is weighted by, and how they are found.
pub(super) const NGRAMS: &str = "ngrams.json";
/// One weight for each n-gram and output.
pub(super) const LINEAR: &str = "linear.safetensors";

/// The bytes of both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinearFiles {
    /// [`NGRAMS`].
    pub ngrams: Vec<u8>,
    /// [`LINEAR`].
    pub weights: Vec<u8>,
}

impl LinearFiles {
    /// The SHA-256 of both, one after the other.
    pub(crate) fn sha256(&self) -> String {
        sha256(&[self.ngrams.as_slice(), &self.weights].concat())
    }
}
