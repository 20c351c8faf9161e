//! The formats of files of examples, one file each: how the bytes or lines of a file become rows.

pub(super) mod lines;
pub(super) mod fasttext;
pub(super) mod label_text;
mod json_keys;
pub(super) mod jsonl;
pub(super) mod json_array;
pub(super) mod delimited;
#[cfg(any(feature = "parquet", feature = "xlsx"))]
mod whole_file;
#[cfg(feature = "parquet")]
pub(super) mod parquet;
#[cfg(feature = "xlsx")]
pub(super) mod xlsx;

pub(crate) use json_array::whole_elements;
pub(crate) use label_text::split as split_label;
pub use lines::{TextLines, read_texts_lines};
