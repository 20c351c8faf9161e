//! What a `tokenizer.json` may hold. The library that loads it panics, aborts or worse on damaged files, so a file is
//! looked through here first. Does not load or encode.

mod ids;
mod components;
mod growth;
mod added;
mod model;
mod check;

pub(super) use added::MAX_ADDED_TOKEN;
pub(super) use check::{Checked, MAX_FILE_BYTES, check};
pub(super) use components::TokenizerStep;
