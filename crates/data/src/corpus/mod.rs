//! The examples of a run: one label set, divided into splits, with what is noteworthy about them. Reads files only by
//! way of `reader`.

mod labels;
mod groups;
mod findings;
mod cut;
mod folds;
mod splits;
mod load;

pub use findings::{ConflictingLabels, DuplicateTexts, Findings, SharedTexts};
pub(crate) use findings::{excerpt_of, hash, is_empty, like_ids};
pub use groups::SharedGroups;
pub use labels::Labels;
pub use load::{
    Corpus, CutRecord, FoldRecord, SplitManifest, SplitOrigin, SplitRecord, corpus_in_memory, load_corpus,
    load_examples, load_examples_from_stdin,
};
