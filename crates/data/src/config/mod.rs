//! The sections `[data]`, `[tokenizer]` and `[features]` of the config, and what can be checked in them without reading
//! an example.

mod column;
mod files;
mod split_source;
mod format;
mod unknown_labels;
mod unescape;
mod data;
mod problems;
mod tokenizer;
mod linear;
mod features;

pub use column::{Column, JoinedColumns, TextColumns};
pub use data::DataConfig;
pub use features::{CharacterNgrams, FeaturesConfig};
pub use files::Files;
pub use format::{Format, Packing, extension, packing};
pub use linear::{LinearConfig, LinearLoss, NaiveBayes};
pub use split_source::{Cut, CutBy, Fold, SplitSource};
pub use tokenizer::{
    BpeConfig, CharConfig, FileConfig, Punctuation, TokenizerConfig, UnigramConfig, WordConfig, WordpieceConfig,
};
pub use unescape::Unescape;
pub use unknown_labels::UnknownLabels;
