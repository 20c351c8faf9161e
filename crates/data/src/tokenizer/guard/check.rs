//! A whole `tokenizer.json`, looked through.

use serde_json::Value;

use super::added::{check_added_tokens, check_post_processor};
use super::components::{DECODERS, NORMALIZERS, POST_PROCESSORS, PRE_TOKENIZERS, SEQUENCE, TokenizerStep};
use super::growth::check_steps;
use super::model::check_model;

/// The largest `tokenizer.json` that is read, in bytes.
pub(crate) const MAX_FILE_BYTES: usize = 64 << 20;

/// A `tokenizer.json` that has been looked through.
pub(crate) struct Checked {
    /// The file without truncation and padding, which are done elsewhere.
    pub(crate) json: Value,
    /// The token that the file pads with.
    pub(crate) pad_token: Option<String>,
    /// The largest id that the post-processor puts around a text.
    pub(crate) largest_added_id: u64,
    /// The normalizers and the pre-tokenizers in their order, without the sequences that hold them.
    pub(crate) normalizers: Vec<TokenizerStep>,
    pub(crate) pre_tokenizers: Vec<TokenizerStep>,
    /// How many times longer they make a text, at most.
    pub(crate) growth: usize,
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
    NORMALIZERS.each(file, &mut |kind, component| {
        normalizers.push(TokenizerStep::of(kind, component)?);
        Ok(())
    })?;
    PRE_TOKENIZERS.each(file, &mut |kind, component| {
        let length = component.get("length");
        if kind == "FixedLength" && length.is_some_and(|length| length.as_u64().is_none_or(|length| length == 0)) {
            return Err("a `FixedLength` pre-tokenizer needs a length of at least 1".to_owned());
        }
        pre_tokenizers.push(TokenizerStep::of(kind, component)?);
        Ok(())
    })?;
    let growth = check_steps(&normalizers, &pre_tokenizers)?;
    normalizers.retain(|step| step.kind != SEQUENCE);
    pre_tokenizers.retain(|step| step.kind != SEQUENCE);
    POST_PROCESSORS.each(file, &mut |_, component| {
        largest_added_id = largest_added_id.max(check_post_processor(component)?);
        Ok(())
    })?;
    DECODERS.each(file, &mut |_, _| Ok(()))?;
    check_added_tokens(file.get("added_tokens"), growth)?;
    match file.get_mut("model") {
        Some(Value::Object(model)) => check_model(model)?,
        _ => return Err("it has no `model`".to_owned()),
    }
    Ok(Checked { json, pad_token, largest_added_id, normalizers, pre_tokenizers, growth })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::encoder::TextEncoder;

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
