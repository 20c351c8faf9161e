//! A `tokenizer.json` from elsewhere: it is refused with a reason, or loads, and then encodes every text to ids that the
//! embedding has a row for, or says why not. The library below panics on some files; those panics must be caught.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use attentive_data::{FileConfig, TextEncoder, Texts, TokenizerConfig, UNWATCHED};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| attentive_fuzz::uncaught(|| try_file(data)));

static FILE: LazyLock<PathBuf> = LazyLock::new(|| attentive_fuzz::scratch().join("tokenizer.json"));

fn try_file(data: &[u8]) {
    std::fs::write(&*FILE, data).expect("the file can be written");
    let config = TokenizerConfig::File(FileConfig { path: FILE.clone() });
    let encoder = match TextEncoder::train(&config, &Texts::default()) {
        Ok(encoder) => encoder,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!(encoder.pad_id() as usize <= encoder.vocab_size());
    let in_table = |id: u32| (id as usize) < encoder.vocab_size();
    let long = "ab a, b! ".repeat(30);
    let all = ["", " ", "a b ab", "The [UNK] <s> 42!\n\t", "é\u{301} 日本 \u{200d}👩\u{200d}👧 \u{FEFF}ﬁ½", &long];
    for text in all {
        if let Ok(pieces) = encoder.pieces(text, 8) {
            assert!(pieces.iter().all(|piece| in_table(piece.id)));
        }
    }
    let texts: Texts = all.into_iter().collect();
    if let Ok(encoded) = encoder.encode(&texts, 8, UNWATCHED) {
        for index in 0..texts.len() {
            let ids = encoded.ids(index);
            assert!(ids.len() <= 8 && ids.iter().all(|&id| in_table(id)), "{ids:?}");
        }
    }
    // What a run keeps of the tokenizer is the same tokenizer.
    let written = encoder.to_json();
    let again = TextEncoder::from_bytes(written.as_bytes()).unwrap_or_else(|error| panic!("{error}\nof\n{written}"));
    assert_eq!(again.vocab_size(), encoder.vocab_size());
    assert_eq!(again.to_json(), written);
}
