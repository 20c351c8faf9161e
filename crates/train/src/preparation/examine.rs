//! What `attentive check` does: everything that goes before training, and the report on the data in place of encoded
//! texts.

use attentive_data::{DataReport, TextEncoder, Texts, UNWATCHED, load_corpus};

use crate::config::Config;
use crate::error::TrainError;
use crate::preparation::preflight::check_memory;
use crate::preparation::prepare::{
    bytes_of_text, class_weights, encode_texts, largest_split, limit, read_vectors, sizes,
};

/// Reads the data, makes the tokenizer and reports on both. Whatever would stop the preparation of a training stops it.
///
/// # Errors
/// As [`prepare`](crate::prepare()).
pub fn examine(config: &Config) -> Result<DataReport, TrainError> {
    config.check_size()?;
    let corpus = load_corpus(&config.data, config.seed)?;
    let encoder = TextEncoder::for_examples(&config.tokenizer, &corpus.train)?;
    let sizes = sizes(config, &encoder, &corpus.labels)?;
    check_memory(config, &sizes, largest_split(&corpus), bytes_of_text(&corpus))?;
    class_weights(config, &corpus.labels, &corpus.train.targets)?;
    encode_texts(&encoder, config, &Texts::default(), None, UNWATCHED)?;
    read_vectors(config, &encoder)?;
    // A linear part reads the whole of a text.
    let max_length = if config.has_network() { limit(&config.model).max_length } else { u32::MAX as usize };
    Ok(DataReport::of(&corpus, &encoder, max_length, config.data.multi_label)?)
}
