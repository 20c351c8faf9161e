//! Labelled text files to examples to encoded batches: readers, splits, labels, tokenizers, batches, data order.
//!
//! Knows nothing of tensors, models or run directories, and prints nothing. A module imports only modules above it
//! here.

mod error;

mod hint;

mod column;

mod validation;

mod config;

mod tokenizer_config;

mod features_config;

mod targets;

mod order;

mod texts;

mod reader;

mod labels;

mod examples;

mod findings;

mod cut;

mod corpus;

mod tokenizer_guard;

mod encoded;

mod words;

mod tokenizer;

mod features;

mod vectors;

mod batch;

mod report;

mod sniff;

pub use batch::{Batch, Padding, batch, by_length};
pub use column::{Column, TextColumns};
pub use config::{DataConfig, Format};
pub use corpus::{Corpus, SplitManifest, SplitOrigin, SplitRecord, load_corpus, load_examples};
pub use encoded::{EncodedTexts, EncodingStats};
pub use error::{DataError, DataErrorKind, Location};
pub use examples::{Examples, Split};
pub use features_config::{CharacterNgrams, FeaturesConfig};
pub use findings::{ConflictingLabels, DuplicateTexts, Findings, SharedTexts};
pub use labels::Labels;
pub use order::permutation;
pub use reader::{Table, TableKind, TextLines, load_texts, read_texts_lines};
pub use report::{
    Bin, DataReport, FileReport, Finding, FindingExample, FindingKind, LabelReport, Lengths, Severity, Shown,
    SplitReport,
};
pub use sniff::{Sniffed, Wishes, sniff};
pub use targets::Targets;
pub use texts::{Texts, TextsBuilder};
pub use tokenizer::TextEncoder;
pub use tokenizer_config::{CharConfig, FileConfig, TokenizerConfig, WordConfig};
pub use validation::Validation;
pub use vectors::{Vectors, load_vectors};
