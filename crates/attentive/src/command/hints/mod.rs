//! What a person can do about a failure, in the words of the command: the libraries say what is wrong, and know no options.

mod data;
mod train;
mod export;

pub(crate) use data::of_data;
pub(crate) use export::{of_bundle, of_export};
pub(crate) use train::of_train;
