//! What a `tokenizer.json` may hold. The library that loads it panics, aborts or worse on damaged files, so a file is
//! looked through here first. Does not load or encode.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::error::excerpt;
use crate::tokenizer_patterns::cost;

/// The largest `tokenizer.json` that is read, in bytes.
pub(crate) const MAX_FILE_BYTES: usize = 64 << 20;
/// Token ids must be below this: an embedding has a row for each.
const MAX_IDS: u64 = 2_000_000;
/// How deep sequences of components may nest.
const MAX_DEPTH: usize = 8;
/// How many times longer normalizers may make a text.
const MAX_GROWTH: usize = 256;
/// How many normalizers and pre-tokenizers a file may have, and how many components of another kind: each reads the text.
const MAX_STEPS: usize = 32;
/// How many of them may be pre-tokenizers: each takes apart what the one before has made. Those in use have seven.
const MAX_PRE_TOKENIZERS: usize = 16;
/// The characters of all patterns together, with what they repeat written out: each may be looked for at every character.
const MAX_PATTERNS: usize = 1000;
/// How many tokens may be added to the vocabulary, and how long they may be together when they are normalized, in bytes:
/// the library makes an automaton of them that is many times larger.
const MAX_ADDED: usize = 10_000;
const MAX_ADDED_BYTES: usize = 1 << 20;
/// The longest added token, in bytes: it is looked for from every character on.
pub(crate) const MAX_ADDED_TOKEN: usize = 256;
/// The longest words that WordPiece may cut, in characters: its time grows with their square.
const MAX_WORD: u64 = 256;
/// The longest piece of a unigram model, in bytes.
const MAX_PIECE: usize = 1000;
/// The bytes of all pieces of a unigram model that one place of a text may begin with: all are tried there.
const MAX_NESTED: usize = 2048;
/// The longest text that a model puts before, behind or in place of every word or character, in bytes.
const MAX_AFFIX: usize = 64;
const MAX_UNKNOWN: usize = 256;
/// How many pieces, and ids, a post-processor may put around a text.
const MAX_PIECES: usize = 64;

/// `Precompiled` is missing on purpose: a damaged character map makes the library panic on some texts.
const NORMALIZERS: &[&str] = &[
    "Bert",
    "BertNormalizer",
    "Strip",
    "StripAccents",
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Sequence",
    "Lowercase",
    "Nmt",
    "Replace",
    "Prepend",
    "ByteLevel",
];
const PRE_TOKENIZERS: &[&str] = &[
    "BertPreTokenizer",
    "ByteLevel",
    "Delimiter",
    "CharDelimiterSplit",
    "Metaspace",
    "Whitespace",
    "Sequence",
    "Split",
    "Punctuation",
    "WhitespaceSplit",
    "Digits",
    "UnicodeScripts",
    "FixedLength",
];
const POST_PROCESSORS: &[&str] =
    &["BertProcessing", "RobertaProcessing", "ByteLevel", "TemplateProcessing", "Sequence"];
const DECODERS: &[&str] = &[
    "BPEDecoder",
    "ByteLevel",
    "WordPiece",
    "Metaspace",
    "CTC",
    "Sequence",
    "Replace",
    "Fuse",
    "Strip",
    "ByteFallback",
];
const MODELS: &[&str] = &["WordLevel", "WordPiece", "BPE", "Unigram"];

/// A `tokenizer.json` that has been looked through.
pub(crate) struct Checked {
    /// The file without truncation and padding, which are done elsewhere.
    pub(crate) json: Value,
    /// The token that the file pads with.
    pub(crate) pad_token: Option<String>,
    /// The largest id that the post-processor puts around a text.
    pub(crate) largest_added_id: u64,
    /// The normalizers and the pre-tokenizers in their order, without the sequences that hold them.
    pub(crate) normalizers: Vec<Step>,
    pub(crate) pre_tokenizers: Vec<Step>,
    /// How many times longer they make a text, at most.
    pub(crate) growth: usize,
}

/// A normalizer or a pre-tokenizer.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The value of its `type`.
    pub(crate) kind: String,
    /// All of it.
    pub(crate) json: Value,
    /// What its pattern may read in vain; see [`crate::tokenizer_patterns::Cost::runs`].
    pub(crate) runs: Vec<String>,
}

/// Looks through a `tokenizer.json`; the error says what is not accepted.
pub(crate) fn check(bytes: &[u8]) -> Result<Checked, String> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(format!("it is larger than {MAX_FILE_BYTES} bytes"));
    }
    let mut json: Value = serde_json::from_slice(bytes).map_err(|error| format!("invalid JSON: {error}"))?;
    let Some(file) = json.as_object_mut() else {
        return Err("it is not a JSON object".to_owned());
    };
    let pad_token =
        file.get("padding").and_then(|padding| padding.get("pad_token")).and_then(Value::as_str).map(str::to_owned);
    // The library truncates and pads while it encodes, with settings that make it panic or allocate without bound.
    file.insert("truncation".to_owned(), Value::Null);
    file.insert("padding".to_owned(), Value::Null);

    let mut largest_added_id = 0;
    let (mut normalizers, mut pre_tokenizers) = (Vec::new(), Vec::new());
    walk(file.get("normalizer"), "normalizer", "normalizers", NORMALIZERS, &mut 0, 0, &mut |kind, component| {
        normalizers.push(step(kind, component)?);
        Ok(())
    })?;
    walk(
        file.get("pre_tokenizer"),
        "pre-tokenizer",
        "pretokenizers",
        PRE_TOKENIZERS,
        &mut 0,
        0,
        &mut |kind, component| {
            let length = component.get("length");
            if kind == "FixedLength" && length.is_some_and(|length| length.as_u64().is_none_or(|length| length == 0)) {
                return Err("a `FixedLength` pre-tokenizer needs a length of at least 1".to_owned());
            }
            pre_tokenizers.push(step(kind, component)?);
            Ok(())
        },
    )?;
    let growth = check_steps(&normalizers, &pre_tokenizers)?;
    normalizers.retain(|step| step.kind != SEQUENCE);
    pre_tokenizers.retain(|step| step.kind != SEQUENCE);
    walk(
        file.get("post_processor"),
        "post-processor",
        "processors",
        POST_PROCESSORS,
        &mut 0,
        0,
        &mut |_, component| {
            largest_added_id = largest_added_id.max(check_post_processor(component)?);
            Ok(())
        },
    )?;
    walk(file.get("decoder"), "decoder", "decoders", DECODERS, &mut 0, 0, &mut |_, _| Ok(()))?;
    check_added_tokens(file.get("added_tokens"), growth)?;
    match file.get_mut("model") {
        Some(Value::Object(model)) => check_model(model)?,
        _ => return Err("it has no `model`".to_owned()),
    }
    Ok(Checked { json, pad_token, largest_added_id, normalizers, pre_tokenizers, growth })
}

const SEQUENCE: &str = "Sequence";

fn step(kind: &str, component: &Map<String, Value>) -> Result<Step, String> {
    // A sequence holds others, which are steps of their own.
    let json = if kind == SEQUENCE { Value::Null } else { Value::Object(component.clone()) };
    Ok(Step { kind: kind.to_owned(), json, runs: pattern(component).map(cost).transpose()?.unwrap_or_default().runs })
}

/// The pattern of a component that has one.
fn pattern(component: &Map<String, Value>) -> Option<&str> {
    component.get("pattern")?.get("Regex")?.as_str()
}

/// Refuses too many steps, patterns that are too large together, and steps that make a text too much longer; returns how
/// many times longer they may make it.
fn check_steps(normalizers: &[Step], pre_tokenizers: &[Step]) -> Result<usize, String> {
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

/// Looks at one component, given its type.
type Visit<'a> = dyn FnMut(&str, &Map<String, Value>) -> Result<(), String> + 'a;

/// Visits a component and those inside it, refusing types that are not listed.
fn walk(
    component: Option<&Value>,
    what: &str,
    list: &str,
    allowed: &[&str],
    count: &mut usize,
    depth: usize,
    visit: &mut Visit<'_>,
) -> Result<(), String> {
    let component = match component {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(component)) => component,
        Some(_) => return Err(format!("its {what} is not an object")),
    };
    let kind = component.get("type").and_then(Value::as_str).ok_or_else(|| format!("its {what} has no `type`"))?;
    if !allowed.contains(&kind) {
        return Err(format!("{what}s of type `{kind}` are not supported"));
    }
    if depth > MAX_DEPTH {
        return Err(format!("its {what}s nest more than {MAX_DEPTH} deep"));
    }
    *count += 1;
    if *count > MAX_STEPS {
        return Err(format!("it has more than {MAX_STEPS} {what}s"));
    }
    if let Some(pattern) = pattern(component) {
        cost(pattern)?;
    }
    visit(kind, component)?;
    if let Some(inner) = component.get(list) {
        let inner = inner.as_array().ok_or_else(|| format!("`{list}` is not an array"))?;
        if inner.len() > MAX_STEPS {
            return Err(format!("`{list}` holds more than {MAX_STEPS} components"));
        }
        for component in inner {
            if component.is_null() {
                return Err(format!("`{list}` holds a null"));
            }
            walk(Some(component), what, list, allowed, count, depth + 1, visit)?;
        }
    }
    Ok(())
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

/// Checks the ids and templates of a post-processor; returns the largest id.
fn check_post_processor(component: &Map<String, Value>) -> Result<u64, String> {
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

fn check_added_tokens(tokens: Option<&Value>, growth: usize) -> Result<(), String> {
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

fn check_model(model: &mut Map<String, Value>) -> Result<(), String> {
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
        if vocab.iter().filter_map(|piece| piece.get(0)?.as_str()).any(|piece| piece.len() > MAX_PIECE) {
            return Err(format!("a piece is longer than {MAX_PIECE} bytes"));
        }
        return check_nested(vocab.iter().filter_map(|piece| piece.get(0)?.as_str()).collect());
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

fn id(value: Option<&Value>, what: &str) -> Result<u64, String> {
    match value.and_then(Value::as_u64) {
        Some(id) if id < MAX_IDS => Ok(id),
        Some(id) => Err(format!("{what} is {id}: ids must be below {MAX_IDS}")),
        None => Err(format!("{what} is not a whole number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::TextEncoder;

    const BPE: &str = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
        "pre_tokenizer":null,"post_processor":null,"decoder":null,
        "model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]]}}"#;

    fn with(change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut file: Value = serde_json::from_str(BPE).unwrap();
        change(&mut file);
        file.to_string().into_bytes()
    }

    #[test]
    fn sound_files_load() {
        let encoder = TextEncoder::from_bytes(BPE.as_bytes()).unwrap();
        assert_eq!(*encoder.encode(&["abba"].into_iter().collect(), 10, crate::UNWATCHED).unwrap().ids(0), [2, 1, 0]);
        // Without its type, and with merges as text, as older versions of the library wrote it.
        let older = with(|file| {
            file["model"].as_object_mut().unwrap().shift_remove("type");
            file["model"]["merges"] = serde_json::json!(["a b"]);
        });
        let encoder = TextEncoder::from_bytes(&older).unwrap();
        assert_eq!(*encoder.encode(&["ab"].into_iter().collect(), 10, crate::UNWATCHED).unwrap().ids(0), [2]);
    }

    #[test]
    fn a_failure_on_a_text_is_an_error() {
        // No unknown token, so the library has no id to give for `c`.
        let file = r#"{"version":"1.0","model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"[UNK]"}}"#;
        let error = TextEncoder::from_bytes(file.as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "this tokenizer.json cannot be used: WordLevel error: Missing [UNK] token from the vocabulary"
        );
    }
}
