//! Labelled text files to examples to encoded batches: readers, splits, labels, tokenizers, batches, data order.
//!
//! Knows nothing of tensors, models or run directories, and prints nothing. A module imports only modules above it here.

mod error;

mod config;

mod order;

mod reader;

mod labels;

mod examples;

mod findings;

mod corpus;

mod tokenizer_guard;

mod encoded;

mod tokenizer;

mod batch;

pub use batch::{Batch, Padding, batch, by_length};
pub use config::{Column, DataConfig, FileConfig, Format, TokenizerConfig, Validation, WordConfig};
pub use corpus::{Corpus, SplitManifest, SplitOrigin, SplitRecord, load_corpus, load_examples};
pub use encoded::{EncodedTexts, EncodingStats};
pub use error::{DataError, DataErrorKind, Location};
pub use examples::{Examples, Split};
pub use findings::{ConflictingLabels, DuplicateTexts, Findings, SharedTexts};
pub use labels::Labels;
pub use order::permutation;
pub use reader::{Table, TableKind, TextLines, load_texts, read_texts_lines};
pub use tokenizer::TextEncoder;
