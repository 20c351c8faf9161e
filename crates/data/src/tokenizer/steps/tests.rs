//! Long texts get the ids that the library gives for all of them at once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;

use super::*;
use crate::config::TokenizerConfig;
use crate::storage::Texts;
use crate::tokenizer::encoder::TextEncoder;

/// Words, numbers, runs of spaces, marks and scripts, one after the other without order.
fn odd_text(seed: u64, bytes: usize) -> String {
    let parts: Vec<&str> = "the|Fox|don't|WE'LL|it’s|naïve|e\u{301}te\u{301}|日本語|好，坏。|한국어|क्षि|😀👍🏽|ﬁ|Ａ|½|İ|ß|x1y2|12345678|3.14|\
        --|...|!?|(a)|<s>|[PAD]|``q''|foo_bar|http://a.b/c?d=e|AAAAAAAAAAAAAAAAAAAA|\u{ad}|\u{200b}|\u{feff}"
        .split('|')
        .collect();
    let gaps = [
        " ", " ", " ", " ", "", "  ", "    ", "\n", "\r\n", "\n\n ", "\t", " \u{301}", "\u{a0}", "\u{3000}", " \n \n  ",
    ];
    let (mut text, mut draw) = (String::new(), seed);
    while text.len() < bytes {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(parts[(draw >> 33) as usize % parts.len()]);
        text.push_str(gaps[(draw >> 49) as usize % gaps.len()]);
    }
    text
}

/// A tokenizer that is made here, with other components.
fn made(model: &str, change: impl FnOnce(&mut Value)) -> TextEncoder {
    let config: TokenizerConfig = serde_json::from_value(json!({ model: { "vocab_size": 600 } })).unwrap();
    let texts: Texts = (0..200).map(|seed| odd_text(seed, 300)).collect();
    let mut file: Value = serde_json::from_str(&TextEncoder::train(&config, &texts).unwrap().to_json()).unwrap();
    change(&mut file);
    TextEncoder::from_bytes(file.to_string().as_bytes()).unwrap()
}

fn split(pattern: &str) -> Value {
    json!({ "type": "Split", "pattern": { "Regex": pattern }, "behavior": "Isolated", "invert": false })
}

fn bytes(regex: bool, space: bool) -> Value {
    json!({ "type": "ByteLevel", "add_prefix_space": space, "trim_offsets": true, "use_regex": regex })
}

fn sequence(steps: &[Value]) -> Value {
    json!({ "type": "Sequence", "pretokenizers": steps })
}

/// Tokenizers in the forms of public ones, and whether a text may be cut for them.
fn public_forms() -> Vec<(&'static str, bool, TextEncoder)> {
    let metaspace = |scheme: &str, split: bool| json!({ "type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split });
    let token = |id: u32, content: &str, strip: bool| {
        json!({ "id": id, "content": content, "single_word": false, "lstrip": strip, "rstrip": false,
            "normalized": false, "special": false })
    };
    let template = json!({ "type": "TemplateProcessing",
        "single": [{ "SpecialToken": { "id": "a", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } },
            { "SpecialToken": { "id": "b", "type_id": 0 } }],
        "pair": [{ "Sequence": { "id": "A", "type_id": 0 } }, { "Sequence": { "id": "B", "type_id": 1 } }],
        "special_tokens": { "a": { "id": "a", "ids": [5], "tokens": ["a"] }, "b": { "id": "b", "ids": [6], "tokens": ["b"] } } });
    let bert = json!({ "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
        "lowercase": true });
    vec![
        (
            "BERT",
            true,
            made("wordpiece", |file| {
                file["normalizer"] = bert;
                file["pre_tokenizer"] = json!({ "type": "BertPreTokenizer" });
                file["post_processor"] = template.clone();
            }),
        ),
        (
            "GPT-2",
            true,
            made("bpe", |file| {
                file["normalizer"] = Value::Null;
                file["pre_tokenizer"] = bytes(true, false);
            }),
        ),
        (
            "RoBERTa",
            true,
            made("bpe", |file| {
                file["normalizer"] = Value::Null;
                file["pre_tokenizer"] = bytes(true, true);
                file["post_processor"] = template.clone();
                file["added_tokens"] = json!([token(600, "<s>", false)]);
            }),
        ),
        (
            "RoBERTa with a mask that takes the space before it",
            false,
            made("bpe", |file| {
                file["normalizer"] = Value::Null;
                file["pre_tokenizer"] = bytes(true, true);
                file["added_tokens"] = json!([token(600, "<s>", true)]);
            }),
        ),
        (
            "Llama 3",
            true,
            made("bpe", |file| {
                file["normalizer"] = Value::Null;
                file["pre_tokenizer"] = sequence(&[split(CUTTING_PATTERNS[1]), bytes(false, false)]);
            }),
        ),
        (
            "Qwen 2",
            true,
            made("bpe", |file| {
                file["normalizer"] = json!({ "type": "NFC" });
                file["pre_tokenizer"] = sequence(&[split(CUTTING_PATTERNS[2]), bytes(false, false)]);
            }),
        ),
        (
            "GPT-4o",
            true,
            made("bpe", |file| {
                file["normalizer"] = Value::Null;
                file["pre_tokenizer"] = sequence(&[split(CUTTING_PATTERNS[3]), bytes(false, false)]);
            }),
        ),
        (
            "StarCoder",
            true,
            made("bpe", |file| {
                file["normalizer"] = Value::Null;
                let digits = json!({ "type": "Digits", "individual_digits": true });
                file["pre_tokenizer"] = sequence(&[digits, bytes(true, false)]);
            }),
        ),
        (
            "DeepSeek",
            false,
            made("bpe", |file| {
                file["normalizer"] = json!({ "type": "Sequence", "normalizers": [] });
                let digits = json!({ "type": "Digits", "individual_digits": true });
                file["pre_tokenizer"] = sequence(&[
                    split("[\r\n]"),
                    split("\\s?\\p{L}+"),
                    split("\\s?\\p{P}+"),
                    split("\\s+$"),
                    split("[一-龥ࠀ-一가-퟿]+"),
                    digits,
                    bytes(false, false),
                ]);
            }),
        ),
        (
            "ALBERT",
            false,
            made("unigram", |file| {
                let quotes = json!({ "type": "Replace", "pattern": { "String": "``" }, "content": "\"" });
                let spaces = json!({ "type": "Replace", "pattern": { "Regex": " {2,}" }, "content": " " });
                file["normalizer"] = json!({ "type": "Sequence", "normalizers": [quotes, { "type": "NFKD" },
                { "type": "StripAccents" }, { "type": "Lowercase" }, spaces] });
                file["pre_tokenizer"] = sequence(&[json!({ "type": "WhitespaceSplit" }), metaspace("always", true)]);
            }),
        ),
        (
            "T5",
            false,
            made("unigram", |file| {
                file["pre_tokenizer"] = metaspace("always", true);
                file["post_processor"] = template;
            }),
        ),
        (
            "Llama 2",
            false,
            made("bpe", |file| {
                file["normalizer"] = json!({ "type": "Sequence", "normalizers": [{ "type": "Prepend", "prepend": "▁" },
                { "type": "Replace", "pattern": { "String": " " }, "content": "▁" }] });
                file["pre_tokenizer"] = Value::Null;
            }),
        ),
    ]
}

#[track_caller]
fn same_ids(name: &str, encoder: &TextEncoder, text: &str) {
    let whole = encoder.library().encode_fast(text, true).unwrap();
    let by_steps = encoder.encoding(text, false).unwrap_or_else(|reason| panic!("{name}: {reason}"));
    assert!(whole.get_ids() == by_steps.get_ids(), "{name}: {:.80}", text);
    assert_eq!(whole.get_special_tokens_mask(), by_steps.get_special_tokens_mask(), "{name}");
}

#[test]
fn the_ids_of_a_long_text_are_those_that_the_library_gives_for_all_of_it() {
    let mut texts: Vec<String> = (0..20).map(|seed| odd_text(seed, SHORT + 100 * seed as usize)).collect();
    texts.extend([odd_text(77, 3 * PIECE), odd_text(78, PIECE + 1)]);
    texts.push(format!("{} {}", "a".repeat(2 * PIECE), "b c ".repeat(PIECE)));
    texts.push("AC-GT".repeat(2000));
    texts.push("好".repeat(2000));
    texts.push(" \n".repeat(2000));
    for (name, cuts, encoder) in public_forms() {
        for text in &texts {
            same_ids(name, &encoder, text);
        }
        assert_eq!(encoder.cuts(), cuts, "{name}");
    }
}

#[test]
fn the_places_of_the_tokens_of_a_long_text_are_the_library_s() {
    let text = odd_text(5, 3 * PIECE);
    for (name, _, encoder) in public_forms() {
        let (whole, by_steps) = (encoder.library().encode(text.as_str(), true), encoder.encoding(&text, true));
        let (whole, by_steps) = (whole.unwrap(), by_steps.unwrap());
        assert!(whole.get_offsets() == by_steps.get_offsets(), "{name}");
        assert!(whole.get_tokens() == by_steps.get_tokens(), "{name}");
    }
}

#[test]
fn a_text_is_cut_only_between_two_letters_or_digits_and_the_space_between_them() {
    let cuts_at = |text: &str| cut(text.as_bytes());
    let long = |end: &str| format!("{}{end}", "-".repeat(PIECE));
    assert_eq!(cuts_at(&"a ".repeat(PIECE / 2)), None);
    assert_eq!(cuts_at(&"ab ".repeat(PIECE)), Some(PIECE - 2));
    assert_eq!(cuts_at(&long("a b")), Some(PIECE + 1));
    for end in ["", "a", "a ", "a  b", "a -b", "- b", "é b", "a é", "a\nb", "a\u{a0}b"] {
        assert_eq!(cuts_at(&long(end)), None, "{end}");
    }
}
