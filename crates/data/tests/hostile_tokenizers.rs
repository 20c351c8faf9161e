//! Tokenizer files that were made to do harm: each is an error with a reason, never a panic, an abort or a huge
//! allocation, or is made harmless. What each would do to the library that loads it is said beside it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use attentive_data::{TextEncoder, Texts, TokenizerConfig, WordConfig};
use serde_json::{Value, json};

fn base(model: &Value) -> Value {
    json!({ "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": null, "post_processor": null, "decoder": null, "model": model })
}

fn bpe() -> Value {
    base(&json!({ "type": "BPE", "vocab": { "a": 0, "b": 1, "ab": 2 }, "merges": [["a", "b"]] }))
}

fn unigram() -> Value {
    base(&json!({ "type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0]] }))
}

fn words() -> Value {
    base(&json!({ "type": "WordLevel", "vocab": { "[UNK]": 0, "a": 1 }, "unk_token": "[UNK]" }))
}

/// The file with a value at a JSON pointer replaced or added.
fn with(mut file: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    file.pointer_mut(parent).unwrap()[key] = value;
    file
}

#[track_caller]
fn refused(bytes: impl AsRef<[u8]>, reason: &str) {
    let error = TextEncoder::from_bytes(bytes.as_ref()).unwrap_err().to_string();
    let found = error.strip_prefix("this tokenizer.json cannot be used: ").unwrap();
    assert!(found.starts_with(reason), "expected `{reason}`, found `{found}`");
}

#[track_caller]
fn refused_json(file: &Value, reason: &str) {
    refused(file.to_string(), reason);
}

fn ids(file: &Value, text: &str) -> Vec<u32> {
    let encoder = TextEncoder::from_bytes(file.to_string().as_bytes()).unwrap();
    encoder
        .encode(&[text].into_iter().collect::<Texts>(), usize::MAX, attentive_data::UNWATCHED)
        .unwrap()
        .ids(0)
        .to_vec()
}

#[test]
fn damaged_json() {
    let whole = bpe().to_string();
    for end in 0..whole.len() {
        assert!(TextEncoder::from_bytes(&whole.as_bytes()[..end]).is_err(), "cut after {end} bytes");
    }
    refused(whole.replace("\"a\"", "\"a\0\""), "invalid JSON: control character");
    refused(b"\xFF\xFE{", "invalid JSON");
    refused(b"[]", "it is not a JSON object");
    refused(b"{}", "it has no `model`");
    refused("[".repeat(200_000), "invalid JSON: recursion limit exceeded");
    let nested = |n| format!("{}{}", "{\"type\":\"Sequence\",\"normalizers\":[".repeat(n), "]}".repeat(n));
    for n in [100, 10_000] {
        refused(
            format!("{{\"version\":\"1.0\",\"normalizer\":{},\"model\":{{}}}}", nested(n)),
            "invalid JSON: recursion",
        );
    }
    refused(format!("{{\"normalizer\":{},\"model\":{{}}}}", nested(20)), "its normalizers nest more than 8 deep");
    refused_json(&with(bpe(), "/version", json!("9.9")), "Unknown tokenizer version");
}

/// Every bit of a small file flipped: none may panic, and what loads must encode.
#[test]
fn flipped_bits() {
    for file in [bpe(), unigram(), words()] {
        let whole = file.to_string().into_bytes();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(encoder) = TextEncoder::from_bytes(&bytes) {
                let _ = encoder.encode(&["abba 日本", ""].into_iter().collect(), 10, attentive_data::UNWATCHED);
            }
        }
    }
}

/// Truncation with a stride panics, a padding of 2^40 aborts: neither is read.
#[test]
fn truncation_and_padding() {
    for (max_length, stride) in [(4, 4), (1, 9), (0, 0)] {
        let truncation = json!({ "max_length": max_length, "stride": stride, "strategy": "LongestFirst",
            "direction": "Right" });
        assert_eq!(ids(&with(bpe(), "/truncation", truncation), "abab"), [2, 2]);
    }
    for strategy in [json!({ "Fixed": 1u64 << 40 }), json!("BatchLongest")] {
        let padding = json!({ "strategy": strategy, "direction": "Right", "pad_to_multiple_of": 1u64 << 62,
            "pad_id": 4_294_967_295u32, "pad_type_id": 0, "pad_token": "<pad>" });
        assert_eq!(ids(&with(bpe(), "/padding", padding), "abab"), [2, 2]);
    }
}

/// A template that names what is not there, or the second of one text, panics.
#[test]
fn templates() {
    let pieces = |single: Value, tokens: Value| {
        let pair = json!([{ "Sequence": { "id": "A", "type_id": 0 } }, { "Sequence": { "id": "B", "type_id": 0 } }]);
        with(
            bpe(),
            "/post_processor",
            json!({ "type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens }),
        )
    };
    let text = json!({ "Sequence": { "id": "A", "type_id": 0 } });
    let cls = json!({ "SpecialToken": { "id": "[CLS]", "type_id": 0 } });
    let token = |ids: Value| json!({ "[CLS]": { "id": "[CLS]", "ids": ids, "tokens": ["[CLS]"] } });
    let absent = "the template `single` names a piece that is not there";
    refused_json(&pieces(json!([cls, text]), json!({})), absent);
    refused_json(&pieces(json!([{ "Sequence": { "id": "B", "type_id": 0 } }]), json!({})), absent);
    refused_json(&pieces(json!([text, text]), json!({})), "the template `single` does not hold each text once");
    refused_json(&pieces(json!([cls, text]), token(json!([4_294_967_295u32]))), "a special token's id is 4294967295");
    refused_json(&pieces(json!([cls, text]), token(json!([-1]))), "a special token's id is not a whole number");
    refused_json(&pieces(json!([cls, text]), token(json!(vec![1; 65]))), "a special token has too many ids");
    refused_json(&pieces(json!(vec![&text; 65]), json!({})), "the template `single` has more than 64 pieces");
    let sep = json!({ "type": "BertProcessing", "sep": ["x", 4_294_967_295u32], "cls": ["y", 1] });
    refused_json(&with(bpe(), "/post_processor", sep), "a post-processor's id is 4294967295");
}

#[test]
fn unigram_models() {
    let model = |key: &str, value: Value| with(unigram(), &format!("/model/{key}"), value);
    refused_json(&model("unk_id", json!(2)), "Unable to load vocab UnkIdNotInVocabulary");
    refused_json(&model("unk_id", json!(-1)), "invalid value");
    refused_json(&model("unk_id", Value::Null), "Encountered an unknown token but `unk_id` is missing");
    refused_json(&model("vocab", json!([])), "its vocabulary is empty");
    refused_json(&model("vocab", json!([["a"]])), "invalid length");
    refused_json(
        &model("vocab", json!([["<unk>", 0.0], ["a".repeat(1001), -1.0]])),
        "a piece is longer than 1000 bytes",
    );
}

/// The library cuts the prefix off the right side of a merge without looking: by too much, it panics; inside a
/// character, it makes text that is none, which is undefined behaviour.
#[test]
fn merges() {
    let model = |vocab: Value, merges: Value, prefix: &str| {
        base(&json!({ "type": "BPE", "continuing_subword_prefix": prefix, "vocab": vocab, "merges": merges }))
    };
    refused_json(&model(json!({ "a": 0, "é": 1, "aé": 2 }), json!([["a", "é"]]), "#"), "merge 0 lacks the prefix `#`");
    refused_json(&model(json!({ "a": 0, "b": 1, "ab": 2 }), json!([["a", "b"]]), "######"), "merge 0 lacks the prefix");
    let outside = "merge 0 uses or makes a token that is not in the vocabulary";
    refused_json(&model(json!({ "a": 0, "##b": 1 }), json!([["a", "##b"]]), "##"), outside);
    refused_json(&model(json!({ "a": 0, "b": 1, "ab": 2 }), json!([["a", "c"]]), ""), outside);
    refused_json(&model(json!({ "a": 0 }), json!(["a"]), ""), "merge 0 is not a pair of tokens");
    refused_json(&model(json!({ "a": 0 }), json!([["a", "a", "a"]]), ""), "merge 0 is not a pair of tokens");
    refused_json(&with(bpe(), "/model/dropout", json!(0.1)), "its model drops merges at random");
    refused_json(&with(bpe(), "/model/dropout", json!(7)), "its model drops merges at random");
}

/// An embedding has a row for every id below the largest.
#[test]
fn ids_that_are_too_large() {
    let too_large = "a token's id is 4294967295: ids must be below 2000000";
    refused_json(&with(words(), "/model/vocab", json!({})), "its vocabulary is empty");
    refused_json(&with(words(), "/model/type", json!("Magic")), "models of type `Magic` are not supported");
    refused_json(&with(words(), "/model/vocab/a", json!(4_294_967_295u32)), too_large);
    refused_json(&with(bpe(), "/model/vocab/a", json!(-1)), "a token's id is not a whole number");
    // The library keeps one of the two when it writes the file, and the run could not be used.
    refused_json(&with(words(), "/model/vocab/a", json!(0)), "two tokens have the id 0");
    let added = |token: Value| with(words(), "/added_tokens", json!([token]));
    let token = |id: Value, content: &str| {
        json!({ "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": true, "special": false })
    };
    refused_json(&added(token(json!(4_294_967_295u32), "x")), "an added token's id is 4294967295");
    refused_json(&added(token(json!(null), "x")), "an added token's id is not a whole number");
    refused_json(&added(token(json!(2), " ")), "an added token has no content");
    // Normalizing leaves nothing of it, and the library would find nothing everywhere.
    let normalizes_away = with(added(token(json!(2), "\u{301}")), "/normalizer", json!({ "type": "StripAccents" }));
    refused_json(&normalizes_away, "normalizing leaves nothing of an added token");
    let many: Vec<Value> = (0..10_001).map(|id| token(json!(id + 2), &format!("t{id}"))).collect();
    refused_json(&with(words(), "/added_tokens", json!(many)), "it adds more than 10000 tokens");
}

#[test]
fn components() {
    for map in ["", "AAAA", "!", "AAAAAAAAAAAAAAAA", "////f39/f38="] {
        let precompiled = json!({ "type": "Precompiled", "precompiled_charsmap": map });
        refused_json(&with(bpe(), "/normalizer", precompiled), "normalizers of type `Precompiled` are not supported");
    }
    let fixed = |length: Value| with(bpe(), "/pre_tokenizer", json!({ "type": "FixedLength", "length": length }));
    for length in [json!(0), json!(-1), json!("1")] {
        refused_json(&fixed(length), "a `FixedLength` pre-tokenizer needs a length of at least 1");
    }
    // Each byte of `é` is a character of two bytes, and so on: thirty of them would make a text 2^30 times longer.
    let twice = json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false });
    let grow = json!({ "type": "Sequence", "pretokenizers": vec![&twice; 30] });
    let too_long = "its normalizers and pre-tokenizers make a text too much longer";
    refused_json(&with(bpe(), "/pre_tokenizer", grow), too_long);
    let grow =
        json!({ "type": "Sequence", "normalizers": vec![json!({ "type": "Prepend", "prepend": "x".repeat(160) }); 9] });
    refused_json(&with(bpe(), "/normalizer", grow), too_long);
    let double = json!({ "type": "Replace", "pattern": { "String": "a" }, "content": "aaaa" });
    refused_json(&with(bpe(), "/normalizer", json!({ "type": "Sequence", "normalizers": vec![double; 5] })), too_long);
    refused_json(&with(bpe(), "/pre_tokenizer", json!({ "length": 0 })), "its pre-tokenizer has no `type`");
    let inner = json!({ "type": "Sequence", "normalizers": [{ "type": "Precompiled" }] });
    let outer = json!({ "type": "Sequence", "normalizers": [inner] });
    refused_json(&with(bpe(), "/normalizer", outer), "normalizers of type `Precompiled` are not supported");
    let many = json!({ "type": "Sequence", "normalizers": vec![json!({ "type": "NFKC" }); 257] });
    refused_json(&with(bpe(), "/normalizer", many), "`normalizers` holds more than 256 components");
    refused_json(&with(bpe(), "/decoder", json!({ "type": "Magic" })), "decoders of type `Magic` are not supported");
    let long = json!({ "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 1_000_000_000, "vocab": { "[UNK]": 0 } });
    refused_json(&base(&long), "`max_input_chars_per_word` is not a number up to 1000");
}

#[test]
fn patterns() {
    let split = |pattern: &str| {
        let split = json!({ "type": "Split", "pattern": { "Regex": pattern }, "behavior": "Removed", "invert": false });
        with(bpe(), "/pre_tokenizer", split)
    };
    refused_json(&split("(a+)+(?!b)c"), "a pattern with look-around repeats what can match in several ways");
    refused_json(&split("(a)\\1"), "a pattern refers back to a group");
    refused_json(&split(&"(".repeat(100_000)), "a pattern is longer than 4096 bytes");
    refused_json(&split("((((a{1000}){1000}){1000}){1000}){1000}"), "");
    refused_json(&split("(unclosed"), "");
    let replace = |key: &str| {
        with(bpe(), key, json!({ "type": "Replace", "pattern": { "Regex": "(?=(a|a)*b)" }, "content": "" }))
    };
    refused_json(&replace("/normalizer"), "a pattern with look-around repeats");
    refused_json(&replace("/decoder"), "a pattern with look-around repeats");
    // Without look-around the time is linear, whatever is repeated.
    let linear = split("(a+)+c");
    assert_eq!(ids(&linear, &"a".repeat(50_000)).len(), 50_000);
}

/// Seventy words of a mebibyte each are more than a `tokenizer.json` may hold: told before anything is trained on it.
#[test]
fn a_tokenizer_that_could_not_be_read_back_is_refused() {
    let words: Vec<String> = (0..70).map(|i| format!("{i}{}", "x".repeat(1 << 20))).collect();
    let error = TextEncoder::train(&TokenizerConfig::Word(WordConfig::default()), &words.iter().collect()).unwrap_err();
    assert!(error.to_string().starts_with("the tokenizer takes 73,"), "{error}");
    assert!(error.to_string().ends_with(" bytes in `tokenizer.json`, which holds at most 67,108,864"), "{error}");
    assert_eq!(error.hint().unwrap(), "lower `vocab_size` or raise `min_count` of the tokenizer");
}
