//! The files of a bundle. The first byte says which file the rest is; the others are sound, and every hash is right, so that
//! the parsers are reached: those of the manifest, the config, the labels, the examples, the tokenizer, and of weights in 32, 16
//! and 8 bits. What is read must fit together and take no more memory than a few times the file.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use attentive_bundle::Bundle;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

/// Every file but the manifest, and what it is where it is not fuzzed.
const FILES: [(&str, &[u8]); 6] = [
    ("README.md", b"# a\n"),
    ("config.toml", b"[data]\ntrain = \"a.csv\"\n[model]\nembedding = { dim = 2 }\n"),
    ("examples.jsonl", b"{\"kind\":\"data\",\"text\":\"a b\",\"labels\":[\"good\"],\"probabilities\":[0.25,0.75]}\n"),
    ("labels.json", b"{\"head\":\"sigmoid\",\"labels\":[{\"name\":\"bad\"},{\"name\":\"good\",\"threshold\":0.5}]}"),
    (
        "model.safetensors",
        b"\x40\0\0\0\0\0\0\0{\"head.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}  \0\0\0\0",
    ),
    (
        "tokenizer.json",
        b"{\"version\":\"1.0\",\"added_tokens\":[],\"pre_tokenizer\":{\"type\":\"WhitespaceSplit\"},\
          \"model\":{\"type\":\"WordLevel\",\"vocab\":{\"[PAD]\":0,\"[UNK]\":1,\"a\":2},\"unk_token\":\"[UNK]\"}}",
    ),
];

static BUNDLE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = attentive_fuzz::scratch().join("bundle");
    std::fs::create_dir_all(&folder).expect("a directory can be made");
    folder
});

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A manifest with this body and the right hash behind it.
fn with_hash(body: &[u8]) -> Vec<u8> {
    let open = [body, b",\n  \"sha256\": \""].concat();
    [open.as_slice(), sha256(&open).as_bytes(), b"\"\n}\n"].concat()
}

/// The body of the manifest of these files.
fn body(files: &[(&str, &[u8])]) -> String {
    let entry = |(name, bytes): &(&str, &[u8])| {
        format!("\"{name}\":{{\"bytes\":{},\"sha256\":\"{}\"}}", bytes.len(), sha256(bytes))
    };
    let files: Vec<String> = files.iter().map(entry).collect();
    format!(
        "{{\"schema\":1,\"attentive\":\"0\",\"about\":{{\"name\":\"a\",\"step\":1,\"fingerprint\":\"0\",\"data\":{{}},\
         \"measured\":{{}}}},\"files\":{{{}}}",
        files.join(",")
    )
}

fuzz_target!(|data: &[u8]| {
    let Some((&which, file)) = data.split_first() else { return };
    let mut files = FILES;
    let which = usize::from(which) % (FILES.len() + 1);
    let manifest = match files.get_mut(which) {
        Some((_, bytes)) => {
            *bytes = file;
            with_hash(body(&files).as_bytes())
        }
        None => with_hash(file),
    };
    for (name, bytes) in files.into_iter().chain([("MANIFEST.json", manifest.as_slice())]) {
        std::fs::write(BUNDLE.join(name), bytes).expect("a file can be written");
    }
    attentive_fuzz::uncaught(|| {
        let told = |message: String| assert!(!message.is_empty() && !message.contains("gave up"), "{message}");
        match Bundle::open(&BUNDLE) {
            Ok(bundle) => {
                if let Err(error) = bundle.own_texts() {
                    told(error.to_string());
                }
                match bundle.parts() {
                    Ok(parts) => {
                        let values: usize = parts.weights.iter().map(|weight| weight.values.len()).sum();
                        // In 8 bits a byte is a number.
                        assert!(values <= file.len().max(FILES[4].1.len()), "{values} numbers");
                        for weight in &parts.weights {
                            assert_eq!(weight.shape.iter().product::<usize>(), weight.values.len(), "{}", weight.name);
                            assert!(weight.values.iter().all(|value| value.is_finite()), "{}", weight.name);
                        }
                    }
                    Err(error) => told(error.to_string()),
                }
            }
            Err(error) => told(error.to_string()),
        }
    });
});
