//! Texts to ids, by tokenizers made here and loaded ones.

use serde_json::json;

use super::*;
use crate::config::{CharConfig, Punctuation, WordConfig};
use crate::order::permutation;
use crate::progress::UNWATCHED;
use crate::tokenizer::truncation::TruncationSide;

fn texts(all: &[&str]) -> Texts {
    all.iter().collect()
}

fn word_encoder(vocab_size: usize, lowercase: bool, all: &[&str]) -> TextEncoder {
    TextEncoder::train(
        &TokenizerConfig::Word(WordConfig { vocab_size, lowercase, ..WordConfig::default() }),
        &texts(all),
    )
    .unwrap()
}

fn ids(encoder: &TextEncoder, text: &str) -> Vec<u32> {
    encoder.encode(&texts(&[text]), usize::MAX, UNWATCHED).unwrap().ids(0).to_vec()
}

#[test]
fn the_vocabulary_is_the_most_frequent_words_ties_by_code_point() {
    // the: 3, b: 2, !!: 2, a, c, z: 1.
    let encoder = word_encoder(6, true, &["The the a b!!", "the z c b !!"]);
    let tokens: Vec<String> = (0..6).map(|id| encoder.token(id).unwrap()).collect();
    assert_eq!(tokens, ["[PAD]", "[UNK]", "the", "!!", "b", "a"]);
    assert_eq!((encoder.vocab_size(), encoder.pad_id(), encoder.unknown_id()), (6, 0, Some(1)));
    assert_eq!(ids(&encoder, "THE b!! zebra"), [2, 4, 3, 1]);
    assert_eq!(encoder.token(6), None);
}

#[test]
fn characters_are_normalized_and_white_space_is_none() {
    // 好: 2, a, b, 坏: 1. NFKC makes `Ａ` an A, U+3000 a space and `½` the three characters `1⁄2`.
    let config = TokenizerConfig::Char(CharConfig::default());
    let encoder = TextEncoder::train(&config, &texts(&["好好坏 Ab"])).unwrap();
    assert_eq!(ids(&encoder, "坏ＡB\u{3000}½ \u{85}好\n"), [5, 3, 4, 1, 1, 1, 2]);
    assert_eq!((encoder.id("坏"), encoder.id("Ａ"), encoder.vocab_size()), (Some(5), None, 6));
    // Python's `tokenizers` reads this pre-tokenizer and gives the same ids, tried with every code point.
    let json: Value = serde_json::from_str(&encoder.to_json()).unwrap();
    let split = json!({ "type": "Split", "pattern": { "Regex": "\\S" }, "behavior": "Removed", "invert": true });
    assert_eq!(json["pre_tokenizer"], split);
    assert!(TextEncoder::from_bytes(encoder.to_json().as_bytes()).unwrap().words.is_some());
}

#[test]
fn the_vocabulary_is_made_from_both_texts_of_a_pair() {
    let examples = Examples { texts: texts(&["a a"]), seconds: Some(texts(&["b b b c"])), ..Examples::default() };
    let encoder = TextEncoder::for_examples(&TokenizerConfig::default(), &examples).unwrap();
    assert_eq!(["b", "a", "c"].map(|token| encoder.id(token)), [Some(2), Some(3), Some(4)]);
}

#[test]
fn the_order_of_the_texts_does_not_matter() {
    let all: Texts = (0..600).map(|index| format!("w{} é{} common", index % 97, index % 31)).collect();
    let shuffled: Texts = permutation(1, 1, all.len()).into_iter().map(|index| all.get(index as usize)).collect();
    let config = TokenizerConfig::default();
    let json = TextEncoder::train(&config, &all).unwrap().to_json();
    assert_eq!(TextEncoder::train(&config, &shuffled).unwrap().to_json(), json);
}

#[test]
fn special_tokens_in_a_text_are_text() {
    for lowercase in [true, false] {
        let encoder = word_encoder(100, lowercase, &["[ pad PAD unk UNK ]"]);
        for text in ["[PAD]", "[UNK]", "a [PAD] b"] {
            let found = ids(&encoder, text);
            assert!(!found.contains(&0), "{text} gave {found:?}");
        }
        let expected = if lowercase { ["[", "pad", "]"] } else { ["[", "PAD", "]"] };
        let found: Vec<String> = ids(&encoder, "[PAD]").into_iter().map(|id| encoder.token(id).unwrap()).collect();
        assert_eq!(found, expected);
    }
    // A file that declares special tokens: the word `<s>` of a text is unknown, not the special token.
    let file = r#"{"version":"1.0","added_tokens":[{"id":2,"content":"<s>","single_word":false,"lstrip":false,
        "rstrip":false,"normalized":false,"special":true}],"pre_tokenizer":{"type":"Whitespace"},
        "model":{"type":"WordLevel","vocab":{"[PAD]":0,"[UNK]":1,"<s>":2,"a":3},"unk_token":"[UNK]"}}"#;
    let encoder = TextEncoder::from_bytes(file.as_bytes()).unwrap();
    assert_eq!(ids(&encoder, "a <s> a"), [3, 1, 1, 1, 3]);
}

/// Own splitting against the library's, on texts that try every kind of character beside every other.
#[test]
fn own_words_are_the_library_s_words() {
    let odd: Vec<&str> =
        "a|B|7|_|-|!|$|\u{1}| |\t|\n|\r|\u{b}|\u{c}|\u{1c}|\u{1f}|\u{7f}|é|E\u{301}|\u{301}|´|ﬁ|Ａ|日|好|㐀|豈|，|\u{a0}|\
               \u{85}|\u{2028}|\u{3000}|\u{200b}|İ|ẞ|Σ|½|①|😀|\u{ad}|각|\u{1100}|\u{1161}|क्ष|\u{345}|ø|¿|«|™|°|\u{3099}|が|\u{200d}"
            .split('|')
            .collect();
    let vocabulary: Texts = odd.iter().flat_map(|a| odd.iter().map(move |b| format!("{a}{b}"))).collect();
    let mut configs = Vec::new();
    for lowercase in [true, false] {
        let char = CharConfig { vocab_size: 100_000, lowercase, ..CharConfig::default() };
        configs.push(TokenizerConfig::Char(char));
        for accents in [true, false] {
            for punctuation in [Punctuation::Keep, Punctuation::Drop] {
                let word = WordConfig { vocab_size: 100_000, lowercase, accents, punctuation, min_count: 1 };
                configs.push(TokenizerConfig::Word(word));
            }
        }
    }
    for config in configs {
        let encoder = TextEncoder::train(&config, &vocabulary).unwrap();
        assert!(encoder.words.is_some());
        for epoch in 0..300 {
            let order = permutation(9, epoch, odd.len() * 2);
            let text: String = order.into_iter().map(|index| odd[index as usize % odd.len()]).collect();
            let (own, _) = encoder.encode_one(&text, usize::MAX).unwrap();
            let (library, _) = encoder.encode_by_library(&text, usize::MAX).unwrap();
            assert_eq!(own.ids, library.ids, "{config:?}: {text:?}");
            assert_eq!((own.n_tokens, own.n_unknown), (library.n_tokens, library.n_unknown));
        }
    }
}

#[test]
fn accents_and_punctuation_can_be_dropped() {
    let drop = WordConfig { accents: false, punctuation: Punctuation::Drop, ..WordConfig::default() };
    let encoder =
        TextEncoder::train(&TokenizerConfig::Word(drop), &texts(&["Été, été! e\u{301}te\u{301} 한국 foo_bar 😀!"]));
    let encoder = encoder.unwrap();
    let tokens: Vec<String> = (2..7).map(|id| encoder.token(id).unwrap()).collect();
    assert_eq!((tokens, encoder.vocab_size()), (["ete", "bar", "foo", "한국", "😀"].map(String::from).to_vec(), 7));
    assert_eq!(ids(&encoder, "ÉTÉ -- (foo)"), [2, 4]);
}

#[test]
fn a_saved_tokenizer_is_the_same_tokenizer() {
    let folder = temp_dir::TempDir::new().unwrap();
    let path = folder.path().join("tokenizer.json");
    let encoder = word_encoder(100, true, &["Ça va? 日本 fine."]);
    encoder.save(&path).unwrap();
    let loaded = TextEncoder::load(&path).unwrap();
    assert_eq!(loaded.to_json(), encoder.to_json());
    assert_eq!(ids(&loaded, "ça VA, fine"), ids(&encoder, "ça VA, fine"));
    let error = TextEncoder::load(&folder.path().join("none.json")).unwrap_err();
    assert_eq!(error.kind(), crate::DataErrorKind::Missing);
}

#[test]
fn long_texts_keep_their_head() {
    let encoder = word_encoder(100, true, &["a b c d"]);
    let encoded = encoder.encode(&texts(&["a b c d zz", "b", "", "c d"]), 2, UNWATCHED).unwrap();
    assert_eq!((0..4).map(|index| encoded.length(index)).collect::<Vec<_>>(), [2, 1, 0, 2]);
    assert_eq!(*encoded.ids(0), [2, 3]);
    let stats = encoded.stats();
    assert_eq!((stats.truncated, stats.dropped, stats.unknown), (1.0 / 4.0, 3.0 / 8.0, 1.0 / 8.0));
    assert_eq!((stats.mean_length, stats.max_length), (2.0, 5));
}

#[test]
fn long_texts_keep_the_part_asked_for() {
    let all = texts(&["a b c d e", "b", ""]);
    let encoder = word_encoder(100, true, &["a b c d e"]);
    let ids = |max_length, truncate| {
        let encoded = encoder.encode(&all, Truncation { max_length, side: truncate }, UNWATCHED).unwrap();
        let stats = encoded.stats();
        assert_eq!((stats.truncated, stats.dropped), (1.0 / 3.0, (5 - max_length) as f64 / 6.0));
        assert_eq!((&*encoded.ids(1), encoded.length(2)), (&[3][..], 0));
        encoded.ids(0).to_vec()
    };
    assert_eq!(ids(2, TruncationSide::Head), [2, 3]);
    assert_eq!(ids(2, TruncationSide::Tail), [5, 6]);
    assert_eq!(ids(3, TruncationSide::Both), [2, 3, 6]);
}

#[test]
fn a_loaded_file_keeps_its_template_and_its_padding_token() {
    let file = r#"{"version":"1.0","truncation":{"max_length":2,"stride":5,"strategy":"LongestFirst","direction":"Right"},
        "padding":{"strategy":{"Fixed":1099511627776},"direction":"Right","pad_to_multiple_of":null,"pad_id":3,
        "pad_type_id":0,"pad_token":"<fill>"},"added_tokens":[],"pre_tokenizer":{"type":"WhitespaceSplit"},
        "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},
        {"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],
        "special_tokens":{"[CLS]":{"id":"[CLS]","ids":[9],"tokens":["[CLS]"]}}},
        "model":{"type":"WordLevel","vocab":{"a":0,"b":1,"[UNK]":2,"<fill>":3},"unk_token":"[UNK]"}}"#;
    let encoder = TextEncoder::from_bytes(file.as_bytes()).unwrap();
    assert_eq!(ids(&encoder, "a b c d"), [9, 0, 1, 2, 2]);
    // The template's id needs a row as well.
    assert_eq!((encoder.vocab_size(), encoder.pad_id(), encoder.unknown_id()), (10, 3, Some(2)));
    // What the template puts in front stays there when the end of a text is kept.
    let end = encoder
        .encode(&texts(&["a b c d"]), Truncation { max_length: 3, side: TruncationSide::Tail }, UNWATCHED)
        .unwrap();
    assert_eq!(*end.ids(0), [9, 2, 2]);
}
