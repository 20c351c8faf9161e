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
    // Each byte of `é` is a character of two bytes, and so on: twelve of them would make a text 4,096 times longer.
    let twice = json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false });
    let grow = json!({ "type": "Sequence", "pretokenizers": vec![&twice; 12] });
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
    let many = json!({ "type": "Sequence", "normalizers": vec![json!({ "type": "NFKC" }); 33] });
    refused_json(&with(bpe(), "/normalizer", many), "`normalizers` holds more than 32 components");
    refused_json(&with(bpe(), "/decoder", json!({ "type": "Magic" })), "decoders of type `Magic` are not supported");
    let long = json!({ "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 1_000_000_000, "vocab": { "[UNK]": 0 } });
    refused_json(&base(&long), "`max_input_chars_per_word` is not a number up to 256");
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
    // What is repeated may hold repetitions where nothing looks around, but no text may have it read a long run in vain.
    let nested = split("(a+)+c");
    assert_eq!(ids(&nested, &"a".repeat(1000)).len(), 1000);
    refused_text(&nested, &"a".repeat(50_000), "a pattern of the tokenizer would read a run of 50000 bytes again");
}

/// Split by this pattern, each match by itself.
fn split(pattern: &str) -> Value {
    let split = json!({ "type": "Split", "pattern": { "Regex": pattern }, "behavior": "Isolated", "invert": false });
    with(bpe(), "/pre_tokenizer", split)
}

/// The tokenizer loads, and refuses the text for this reason.
#[track_caller]
fn refused_text(file: &Value, text: &str, reason: &str) {
    let encoder = TextEncoder::from_bytes(file.to_string().as_bytes()).unwrap();
    let texts: Texts = [text].into_iter().collect();
    let error = encoder.encode(&texts, 100, attentive_data::UNWATCHED).unwrap_err().to_string();
    assert!(error.contains(reason), "expected `{reason}`, found `{error}`");
    let error = encoder.pieces(text, 100).unwrap_err().to_string();
    assert!(error.contains(reason), "expected `{reason}`, found `{error}`");
}

/// A text of a megabyte without a space.
fn megabyte() -> String {
    "a".repeat(1 << 20)
}

/// Each `a` is a match, after a search through all that follow: a text of n characters takes n² / 2 of them.
#[test]
fn a_pattern_that_reads_to_the_end_from_every_character() {
    let again = "a pattern of the tokenizer would read a run of 1048576 bytes again from each of its characters on";
    for pattern in ["[a-z]*!|[a-z]", ".*!|.", "a(?:b|a*!)?", "a+(?=b)|a", "(?=(a{3})+(?!a))"] {
        refused_text(&split(pattern), &megabyte(), again);
        // As a normalizer as well, and where another step makes the run.
        let replace = json!({ "type": "Replace", "pattern": { "Regex": pattern }, "content": "a" });
        refused_text(&with(bpe(), "/normalizer", replace), &megabyte(), again);
        let joins = json!({ "type": "Replace", "pattern": { "String": "-" }, "content": "" });
        refused_text(&with(split(pattern), "/normalizer", joins), &"a-".repeat(1 << 20), again);
    }
    // A short text may be a long one when it is normalized.
    let longer = json!({ "type": "Replace", "pattern": { "String": "a" }, "content": "b".repeat(200) });
    let short = "a".repeat(1000);
    refused_text(
        &with(split("[a-z]*!|[a-z]"), "/normalizer", longer),
        &short,
        "would read a run of 200000 bytes again",
    );
    // Words are short, so nothing is read for long.
    let words = "a b ab ".repeat(50_000);
    assert_eq!(ids(&split("[a-z]*!|[a-z]"), &words).len(), 200_000);
}

/// 120 bytes for each, and two for each of those: 240 MB of a megabyte, and the library takes up to 400 bytes for one.
#[test]
fn a_normalizer_that_makes_a_text_a_hundred_times_longer() {
    let grow = |pattern: Value| {
        let grow = json!({ "type": "Replace", "pattern": pattern, "content": "b".repeat(120) });
        let bytes = json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false });
        with(with(bpe(), "/normalizer", grow), "/pre_tokenizer", bytes)
    };
    for pattern in [json!({ "String": "a" }), json!({ "Regex": "a" })] {
        refused_text(&grow(pattern.clone()), &megabyte(), "normalized, it has 125829120 bytes that cannot be cut");
        // A text that has little to replace is encoded.
        assert_eq!(ids(&grow(pattern), &"b".repeat(100_000)).len(), 100_000);
    }
    let prepend = json!({ "type": "Prepend", "prepend": "x".repeat(200) });
    let token = json!({ "id": 3, "content": "b", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": false });
    let prepended = with(with(bpe(), "/normalizer", prepend), "/added_tokens", json!([token]));
    refused_text(&prepended, &"ab".repeat(100_000), "normalized, it has");
    let long = json!({ "type": "Replace", "pattern": { "String": "a" }, "content": "b".repeat(300) });
    refused_json(&with(bpe(), "/normalizer", long), "its normalizers and pre-tokenizers make a text too much longer");
}

/// A text of `a` has every piece at every place.
#[test]
fn a_unigram_model_of_a_thousand_nested_pieces() {
    let nested = |n: usize| {
        let pieces = (1..=n).map(|n| json!(["a".repeat(n), -1.0]));
        let vocab: Vec<Value> = std::iter::once(json!(["<unk>", 0.0])).chain(pieces).collect();
        base(&json!({ "type": "Unigram", "unk_id": 0, "vocab": vocab }))
    };
    refused_json(&nested(1000), "pieces that begin with each other have more than 2048 bytes together");
    refused_json(&nested(64), "pieces that begin with each other have more than 2048 bytes together");
    assert_eq!(ids(&nested(16), &"a".repeat(1600)), [16; 100]);
    // Long pieces that do not begin with each other are no harm.
    let mut separate = nested(16);
    separate["model"]["vocab"].as_array_mut().unwrap().extend((0..9).map(|n| json!([n.to_string().repeat(900), -9.0])));
    assert_eq!(ids(&separate, "aaa"), [3]);
}

#[test]
fn two_hundred_patterns() {
    let split = json!({ "type": "Split", "pattern": { "Regex": "[a-z]" }, "behavior": "Isolated", "invert": false });
    let many = |n: usize| json!({ "type": "Sequence", "pretokenizers": vec![&split; n] });
    refused_json(&with(bpe(), "/pre_tokenizer", many(200)), "`pretokenizers` holds more than 32 components");
    // However they are nested.
    let nested = json!({ "type": "Sequence", "pretokenizers": vec![many(20); 10] });
    refused_json(&with(bpe(), "/pre_tokenizer", nested), "it has more than 32 pre-tokenizers");
    refused_json(&with(bpe(), "/pre_tokenizer", many(17)), "it has more than 16 pre-tokenizers");
    let both = with(with(bpe(), "/pre_tokenizer", many(14)), "/normalizer", nfkd(20));
    refused_json(&both, "it has more than 32 normalizers and pre-tokenizers");
    // A pattern may be as large as many.
    let large = json!({ "type": "Split", "pattern": { "Regex": "(?:[ab]{100}){20}" }, "behavior": "Isolated", "invert": false });
    refused_json(&with(bpe(), "/pre_tokenizer", large), "its patterns are larger than 1000 characters");
    assert_eq!(ids(&with(bpe(), "/pre_tokenizer", many(10)), &"ab".repeat(2000)).len(), 4000);
}

fn nfkd(n: usize) -> Value {
    json!({ "type": "Sequence", "normalizers": vec![json!({ "type": "NFKD" }); n] })
}

#[test]
fn two_hundred_normalizers() {
    refused_json(&with(bpe(), "/normalizer", nfkd(200)), "`normalizers` holds more than 32 components");
    assert_eq!(ids(&with(bpe(), "/normalizer", nfkd(10)), &"ab".repeat(2000)), [2; 2000]);
}

/// The library writes each of these out for every word or character of a text.
#[test]
fn what_stands_for_or_beside_every_character_is_short() {
    let model = |key: &str, text: &str| with(bpe(), &format!("/model/{key}"), json!(text));
    refused_json(&model("continuing_subword_prefix", &"#".repeat(65)), "`continuing_subword_prefix` is longer than 64");
    refused_json(&model("end_of_word_suffix", &"#".repeat(65)), "`end_of_word_suffix` is longer than 64 bytes");
    refused_json(&model("unk_token", &"#".repeat(257)), "`unk_token` is longer than 256 bytes");
    let token = |content: String, normalized: bool| {
        let token = json!({ "id": 3, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": normalized, "special": false });
        with(bpe(), "/added_tokens", json!([token]))
    };
    refused_json(&token("x".repeat(257), false), "an added token is longer than 256 bytes");
    let longer = json!({ "type": "Replace", "pattern": { "String": "x" }, "content": "y".repeat(10) });
    let grown = with(token("x".repeat(200), true), "/normalizer", longer);
    refused_json(&grown, "normalized, an added token is longer than 256 bytes");
    // All ids that a template puts around a text count together.
    let ids: serde_json::Map<String, Value> = (0..5)
        .map(|n| (n.to_string(), json!({ "id": n.to_string(), "ids": vec![1; 20], "tokens": vec!["a"; 20] })))
        .collect();
    let template = json!({ "type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": ids });
    refused_json(&with(bpe(), "/post_processor", template), "a special token has too many ids");
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
