//! The tokens that a file adds: around every text, by a post-processor, and to the vocabulary.

use serde_json::{Map, Value};

use super::ids::id;

/// How many tokens may be added to the vocabulary, and how long they may be together when they are normalized, in bytes:
/// the library makes an automaton of them that is many times larger.
const MAX_ADDED: usize = 10_000;
const MAX_ADDED_BYTES: usize = 1 << 20;
/// The longest added token, in bytes: it is looked for from every character on.
pub(crate) const MAX_ADDED_TOKEN: usize = 256;
/// How many pieces, and ids, a post-processor may put around a text.
const MAX_PIECES: usize = 64;

/// Checks the ids and templates of a post-processor; returns the largest id.
pub(super) fn check_post_processor(component: &Map<String, Value>) -> Result<u64, String> {
    let mut largest = 0;
    for key in ["sep", "cls"] {
        if let Some(pair) = component.get(key) {
            largest = largest.max(id(pair.get(1), "a post-processor's id")?);
        }
    }
    let (mut names, mut n_ids) = (Vec::new(), 0);
    if let Some(tokens) = component.get("special_tokens") {
        // The library also accepts a list here; files that it writes have an object.
        let tokens = tokens.as_object().ok_or("`special_tokens` is not an object")?;
        for (name, token) in tokens {
            names.push(name.as_str());
            let ids = token.get("ids").and_then(Value::as_array).ok_or("a special token has no `ids`")?;
            n_ids += ids.len();
            if n_ids > MAX_PIECES {
                return Err("a special token has too many ids".to_owned());
            }
            for value in ids {
                largest = largest.max(id(Some(value), "a special token's id")?);
            }
        }
    }
    for (key, sequences) in [("single", &["A"][..]), ("pair", &["A", "B"][..])] {
        let Some(template) = component.get(key) else { continue };
        let pieces = template.as_array().ok_or_else(|| format!("the template `{key}` is not an array"))?;
        if pieces.len() > MAX_PIECES {
            return Err(format!("the template `{key}` has more than {MAX_PIECES} pieces"));
        }
        let mut texts = 0;
        for piece in pieces {
            let name = |kind: &str| piece.get(kind).and_then(|piece| piece.get("id")).and_then(Value::as_str);
            match (name("Sequence"), name("SpecialToken")) {
                (Some(sequence), None) if sequences.contains(&sequence) => texts += 1,
                (None, Some(token)) if names.contains(&token) => {}
                _ => return Err(format!("the template `{key}` names a piece that is not there")),
            }
        }
        if texts != sequences.len() {
            return Err(format!("the template `{key}` does not hold each text once"));
        }
    }
    Ok(largest)
}

pub(super) fn check_added_tokens(tokens: Option<&Value>, growth: usize) -> Result<(), String> {
    let tokens = match tokens {
        None | Some(Value::Null) => return Ok(()),
        Some(tokens) => tokens.as_array().ok_or("`added_tokens` is not an array")?,
    };
    let lengths = || tokens.iter().filter_map(|token| Some((token, token.get("content")?.as_str()?.len())));
    let normalized = |token: &Value| token.get("normalized").and_then(Value::as_bool) != Some(false);
    let grown = |(token, length): (&Value, usize)| length.saturating_mul(if normalized(token) { growth } else { 1 });
    if lengths().any(|(_, length)| length > MAX_ADDED_TOKEN) {
        return Err(format!("an added token is longer than {MAX_ADDED_TOKEN} bytes"));
    }
    let bytes: usize = lengths().map(grown).sum();
    if tokens.len() > MAX_ADDED || bytes > MAX_ADDED_BYTES {
        return Err(format!("it adds more than {MAX_ADDED} tokens, or more than {MAX_ADDED_BYTES} bytes of them"));
    }
    for token in tokens {
        id(token.get("id"), "an added token's id")?;
        if token.get("content").and_then(Value::as_str).is_none_or(|content| content.trim().is_empty()) {
            return Err("an added token has no content".to_owned());
        }
    }
    Ok(())
}
