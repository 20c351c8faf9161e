//! How much the steps before a model may do: how many they are, how large their patterns, and how many times longer they
//! make a text.

use serde_json::{Map, Value};

use super::components::{MAX_STEPS, SEQUENCE, TokenizerStep, pattern};
use crate::tokenizer::patterns::cost;

/// How many times longer normalizers may make a text.
const MAX_GROWTH: usize = 256;
/// How many of them may be pre-tokenizers: each takes apart what the one before has made. Those in use have seven.
const MAX_PRE_TOKENIZERS: usize = 16;
/// The characters of all patterns together, with what they repeat written out: each may be looked for at every character.
const MAX_PATTERNS: usize = 1000;

/// Refuses too many steps, patterns that are too large together, and steps that make a text too much longer; returns how
/// many times longer they may make it.
pub(super) fn check_steps(normalizers: &[TokenizerStep], pre_tokenizers: &[TokenizerStep]) -> Result<usize, String> {
    let steps =
        || normalizers.iter().chain(pre_tokenizers).filter_map(|step| step.json.as_object().map(|json| (step, json)));
    if steps().count() > MAX_STEPS {
        return Err(format!("it has more than {MAX_STEPS} normalizers and pre-tokenizers"));
    }
    if pre_tokenizers.iter().filter(|step| step.kind != SEQUENCE).count() > MAX_PRE_TOKENIZERS {
        return Err(format!("it has more than {MAX_PRE_TOKENIZERS} pre-tokenizers"));
    }
    let sizes = steps().filter_map(|(_, json)| pattern(json)).map(|pattern| cost(pattern).map(|cost| cost.size));
    if sizes.sum::<Result<usize, String>>()? > MAX_PATTERNS {
        return Err(format!("its patterns are larger than {MAX_PATTERNS} characters"));
    }
    let growth = steps().fold(1, |growth: usize, (step, json)| growth.saturating_mul(growth_of(&step.kind, json)));
    // What is taken apart once stays so.
    let apart = steps().map(|(step, _)| decomposition_of(&step.kind)).max().unwrap_or(1);
    let growth = growth.saturating_mul(apart);
    if growth > MAX_GROWTH {
        return Err("its normalizers and pre-tokenizers make a text too much longer".to_owned());
    }
    Ok(growth)
}

/// How many times longer a normalizer or a pre-tokenizer may make a text, at most.
fn growth_of(kind: &str, component: &Map<String, Value>) -> usize {
    let length = |key: &str| component.get(key).and_then(Value::as_str).map_or(0, str::len);
    match kind {
        // A string is found at most once per its own length, a pattern perhaps at every byte.
        "Replace" => {
            let pattern = component.get("pattern").and_then(|pattern| pattern.get("String")).and_then(Value::as_str);
            length("content").div_ceil(pattern.map_or(1, |pattern| pattern.len().max(1))).max(1)
        }
        "Prepend" => 1 + length("prepend") / 16,
        // A space before a piece of one byte makes two of it.
        "ByteLevel" if component.get("add_prefix_space").and_then(Value::as_bool) != Some(false) => 4,
        "ByteLevel" => 2,
        // A space becomes a character of up to four bytes, and each piece may get one more.
        "Metaspace" => 5,
        _ => 1,
    }
}

/// How many times longer a character becomes when it is taken apart, at most, in bytes: U+FDFA of 3 bytes is a phrase of 33,
/// a syllable of Hangul of 3 bytes three letters of as many.
fn decomposition_of(kind: &str) -> usize {
    match kind {
        "NFKC" | "NFKD" => 11,
        "NFC" | "NFD" | "BertNormalizer" | "Bert" => 3,
        "Lowercase" => 2,
        _ => 1,
    }
}
