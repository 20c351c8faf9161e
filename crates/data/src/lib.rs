//! Labelled text files to examples to encoded batches: readers, splits, labels, tokenizers, batches, data order.
//!
//! Knows nothing of tensors, models or run directories, and prints nothing. A module imports only modules above it
//! here.

mod location;

mod excerpt;

mod division_error;

mod vectors_error;

mod error;

mod error_kind;

mod hint;

mod column;

mod files_config;

mod split_source;

mod config;

mod label_values;

mod tokenizer_config;

mod features_config;

mod targets;

mod places;

mod records;

mod order;

mod plan;

mod mapped;

mod storage;

mod ends;

mod texts;

mod progress;

mod reader;

mod labels;

mod examples;

mod groups;

mod findings;

mod cut;

mod folds;

mod splits;

mod corpus;

mod caught;

mod tokenizer_patterns;

mod tokenizer_guard;

mod tokenizer_steps;

mod encoded;

mod cache;

mod limit;

mod words;

mod trained;

mod spelling;

mod tokenizer;

mod keras_vocabulary;

mod pruned;

mod pieces;

mod features;

mod vectors;

mod batch;

mod report;

mod sniff;

pub use batch::{Batch, Padding, batch, by_length};
pub use column::{Column, JoinedColumns, TextColumns};
pub use config::{DataConfig, Format, Packing, extension, packing};
pub use corpus::{
    Corpus, CutRecord, FoldRecord, SplitManifest, SplitOrigin, SplitRecord, corpus_in_memory, load_corpus,
    load_examples, load_examples_from_stdin,
};
pub use encoded::{EncodedTexts, EncodingStats};
pub use error::{DataError, DivisionError, Location, VectorsError};
pub use error_kind::DataErrorKind;
pub use examples::{Examples, Split};
pub use excerpt::thousands;
pub use features_config::{CharacterNgrams, FeaturesConfig};
pub use files_config::Files;
pub use findings::{ConflictingLabels, DuplicateTexts, Findings, SharedTexts};
pub use groups::SharedGroups;
pub use keras_vocabulary::KerasVocabulary;
pub use labels::Labels;
pub use limit::{Limit, Truncate};
pub use order::permutation;
pub use pieces::Piece;
pub use plan::{BatchSize, Extent, Plan, PlanSettings};
pub use progress::{OnProgress, Progress, UNWATCHED};
pub use reader::{
    BadRow, DataOrigin, FieldSplitter, Header, Table, TableKind, TableLayout, TablePart, TableRows, TextFormat,
    TextInput, TextLines, load_texts, read_texts_lines,
};
pub use records::{FileRecord, FilesRecord, SkippedRow};
pub use report::{
    Bin, DataReport, FileReport, Finding, FindingExample, FindingKind, LabelReport, Lengths, Severity, Shown,
    SplitReport,
};
pub use sniff::{Sniffed, Wishes, sniff};
pub use split_source::{Cut, CutBy, Fold, SplitSource};
pub use storage::cache_dir;
pub use targets::Targets;
pub use texts::{Texts, TextsBuilder};
pub use tokenizer::TextEncoder;
pub use tokenizer_config::{
    BpeConfig, CharConfig, FileConfig, Punctuation, TokenizerConfig, UnigramConfig, WordConfig, WordpieceConfig,
};
pub use vectors::{Vectors, load_vectors};
