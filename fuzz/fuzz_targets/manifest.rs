//! The small files of a checkpoint and a run. The first byte says which file the rest is: `MANIFEST.json` as it is, or
//! with the right hash in its last line, so that its parser is reached; `state.json` below a manifest that is right;
//! `labels.json`. Whatever is read must not take more from the disk or the memory than is there.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use attentive_data::Labels;
use attentive_train::fuzzing;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

const STEP: u64 = 6;

/// A checkpoint whose other files are sound.
static CHECKPOINT: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = attentive_fuzz::scratch().join(format!("step-{STEP:010}"));
    std::fs::create_dir_all(&folder).expect("a directory can be made");
    for file in ["model.safetensors", "optimizer.bpk"] {
        std::fs::write(folder.join(file), b"bytes").expect("a file can be written");
    }
    folder
});

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn with_hash(body: &[u8]) -> Vec<u8> {
    [body, format!("\n{}\n", sha256(body)).as_bytes()].concat()
}

/// A manifest of these bytes as `state.json`.
fn manifest(state: &[u8]) -> String {
    let entry = |bytes: &[u8]| format!("{{\"bytes\":{},\"sha256\":\"{}\"}}", bytes.len(), sha256(bytes));
    format!(
        "{{\"schema\":{},\"step\":{STEP},\"origin\":{{\"config\":{{}},\"data\":{{}},\"tokenizer\":\"t\",\"labels\":\"l\",\"build\":{{}}}},\
         \"files\":{{\"model.safetensors\":{other},\"optimizer.bpk\":{other},\"state.json\":{}}}}}",
        fuzzing::SCHEMA,
        entry(state),
        other = entry(b"bytes"),
    )
}

fuzz_target!(|data: &[u8]| {
    let Some((&which, file)) = data.split_first() else { return };
    let directory = &*CHECKPOINT;
    let write = |name: &str, bytes: &[u8]| std::fs::write(directory.join(name), bytes).expect("a file can be written");
    match which % 4 {
        0 => write("MANIFEST.json", file),
        1 => write("MANIFEST.json", &with_hash(file)),
        2 => {
            write("state.json", file);
            write("MANIFEST.json", &with_hash(manifest(file).as_bytes()));
        }
        _ => {
            write("labels.json", file);
            match Labels::load(&directory.join("labels.json")) {
                Ok(labels) => assert!(!labels.is_empty()),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
            return;
        }
    }
    let checkpoints = directory.parent().expect("it is in a directory").to_path_buf();
    if let Err(message) = fuzzing::checkpoint(checkpoints, STEP) {
        assert!(!message.is_empty());
    }
});
