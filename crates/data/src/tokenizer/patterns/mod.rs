//! Regular expressions of a `tokenizer.json`: what they may hold, and what they may cost. Compiles none.

mod reader;
mod syntax;
mod cost;

pub(super) use cost::cost;
