//! The model of a tokenizer: its vocabulary, and what it may do with a word.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::ids::{MAX_IDS, id};
use crate::error::excerpt;

const MODELS: &[&str] = &["WordLevel", "WordPiece", "BPE", "Unigram"];
/// The longest words that WordPiece may cut, in characters: its time grows with their square.
const MAX_WORD: u64 = 256;
/// The longest piece of a unigram model, in bytes.
const MAX_PIECE: usize = 1000;
/// The bytes of all pieces of a unigram model that one place of a text may begin with: all are tried there.
const MAX_NESTED: usize = 2048;
/// The longest text that a model puts before, behind or in place of every word or character, in bytes.
const MAX_AFFIX: usize = 64;
const MAX_UNKNOWN: usize = 256;

pub(super) fn check_model(model: &mut Map<String, Value>) -> Result<(), String> {
    // Old files lack the type; naming it makes sure that what is checked is what is loaded.
    if !model.contains_key("type") {
        let kind = ["merges", "unk_id", "max_input_chars_per_word"].iter().position(|key| model.contains_key(*key));
        let kind = kind.map_or("WordLevel", |index| ["BPE", "Unigram", "WordPiece"][index]);
        model.insert("type".to_owned(), Value::from(kind));
    }
    let kind = model["type"].as_str().unwrap_or_default();
    if !MODELS.contains(&kind) {
        return Err(format!("models of type `{}` are not supported", excerpt(kind)));
    }
    for (key, most) in
        [("continuing_subword_prefix", MAX_AFFIX), ("end_of_word_suffix", MAX_AFFIX), ("unk_token", MAX_UNKNOWN)]
    {
        if model.get(key).and_then(Value::as_str).is_some_and(|text| text.len() > most) {
            return Err(format!("`{key}` is longer than {most} bytes"));
        }
    }
    if kind == "Unigram" {
        let vocab = model.get("vocab").and_then(Value::as_array).ok_or("its model has no `vocab`")?;
        if vocab.is_empty() {
            return Err("its vocabulary is empty".to_owned());
        }
        if vocab.len() as u64 > MAX_IDS {
            return Err(format!("it has more than {MAX_IDS} tokens"));
        }
        let pieces: Vec<&str> = vocab.iter().filter_map(|piece| piece.get(0)?.as_str()).collect();
        if pieces.iter().any(|piece| piece.len() > MAX_PIECE) {
            return Err(format!("a piece is longer than {MAX_PIECE} bytes"));
        }
        return check_nested(pieces);
    }
    let vocab = model.get("vocab").and_then(Value::as_object).ok_or("its model has no `vocab`")?;
    if vocab.is_empty() {
        return Err("its vocabulary is empty".to_owned());
    }
    let mut ids = HashSet::with_capacity(vocab.len());
    for value in vocab.values() {
        let id = id(Some(value), "a token's id")?;
        // The library would write only one of them into the `tokenizer.json` of a run.
        if !ids.insert(id) {
            return Err(format!("two tokens have the id {id}"));
        }
    }
    if model.get("max_input_chars_per_word").is_some_and(|most| most.as_u64().is_none_or(|most| most > MAX_WORD)) {
        return Err(format!("`max_input_chars_per_word` is not a number up to {MAX_WORD}"));
    }
    if model.get("dropout").is_some_and(|dropout| !dropout.is_null() && dropout.as_f64() != Some(0.0)) {
        return Err("its model drops merges at random: `dropout` has to be null".to_owned());
    }
    if kind == "BPE" {
        check_merges(model, vocab)?;
    }
    Ok(())
}

/// Refuses pieces that begin with too many others.
fn check_nested(mut pieces: Vec<&str>) -> Result<(), String> {
    /// Shorter pieces cannot hold too many: 1 + 2 + … + 63 bytes are less.
    const SHORT: usize = 63;
    if pieces.iter().all(|piece| piece.len() <= SHORT) {
        return Ok(());
    }
    pieces.sort_unstable();
    // Sorted, a piece comes behind all that it begins with.
    let (mut around, mut bytes) = (Vec::<&str>::new(), 0);
    for piece in pieces {
        while let Some(outer) = around.pop_if(|outer| !piece.starts_with(*outer)) {
            bytes -= outer.len();
        }
        around.push(piece);
        bytes += piece.len();
        if bytes > MAX_NESTED {
            return Err(format!("pieces that begin with each other have more than {MAX_NESTED} bytes together"));
        }
    }
    Ok(())
}

/// Both sides and the product of every merge must be tokens, and the right side must begin with the prefix that is cut
/// from it: the library cuts without looking.
fn check_merges(model: &Map<String, Value>, vocab: &Map<String, Value>) -> Result<(), String> {
    let prefix = model.get("continuing_subword_prefix").and_then(Value::as_str).unwrap_or_default();
    let merges = model.get("merges").and_then(Value::as_array).ok_or("its model has no `merges`")?;
    for (index, merge) in merges.iter().enumerate() {
        let sides = match merge {
            Value::String(pair) => pair.split_once(' '),
            Value::Array(pair) => match pair.as_slice() {
                [Value::String(left), Value::String(right)] => Some((left.as_str(), right.as_str())),
                _ => None,
            },
            _ => None,
        };
        let (left, right) = sides.ok_or_else(|| format!("merge {index} is not a pair of tokens"))?;
        let tail = right.strip_prefix(prefix).ok_or_else(|| format!("merge {index} lacks the prefix `{prefix}`"))?;
        if !vocab.contains_key(left) || !vocab.contains_key(right) || !vocab.contains_key(&format!("{left}{tail}")) {
            return Err(format!("merge {index} uses or makes a token that is not in the vocabulary"));
        }
    }
    Ok(())
}
