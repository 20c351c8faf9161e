//! Times the way from a file to padded batches: reading, encoding, one epoch of shuffled batches. Prints one JSON
//! object; `scripts/bench_data.py` sets it beside Python's `datasets` and `tokenizers`.
//!
//!     pipeline FILE TEXT LABEL TOKENIZER.json MAX_LENGTH BATCH_SIZE
//!
//! A fresh cache directory (`XDG_CACHE_HOME`) makes it encode everything.
#![expect(clippy::print_stdout, reason = "a measurement that is not printed is none")]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use attentive_data::{
    BatchPlan, BatchSize, Column, DataConfig, Extent, PaddingStrategy, PlanSettings, TextColumns, TextEncoder,
    UNWATCHED, batch, load_corpus,
};
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, text, label, tokenizer, max_length, batch_size] = arguments.as_slice() else {
        return Err("usage: pipeline FILE TEXT LABEL TOKENIZER.json MAX_LENGTH BATCH_SIZE".into());
    };
    let config = DataConfig {
        train: file.as_str().into(),
        text: TextColumns::One(Column::Name(text.clone())),
        label: Column::Name(label.clone()),
        ..DataConfig::default()
    };
    let (max_length, batch_size): (usize, usize) = (max_length.parse()?, batch_size.parse()?);
    let encoder = TextEncoder::load(Path::new(tokenizer))?;

    let start = Instant::now();
    let texts = load_corpus(&config, 1)?.train.texts;
    let read = start.elapsed();

    let start = Instant::now();
    let encoded = encoder.encode(&texts, max_length, UNWATCHED)?;
    let encode = start.elapsed();

    let start = Instant::now();
    let settings = PlanSettings { size: BatchSize::Examples(batch_size), bucket_batches: 1 };
    let extent = |index: u32| Extent { rows: 1, lengths: [encoded.length(index as usize), 0] };
    let plan = BatchPlan::new(1, 0, encoded.len(), settings, extent);
    for indices in plan.batches_from(0) {
        let texts: Vec<_> = indices.iter().map(|&index| encoded.ids(index as usize)).collect();
        let rows: Vec<&[u32]> = texts.iter().map(AsRef::as_ref).collect();
        black_box(batch(&rows, PaddingStrategy::Longest, encoder.pad_id()));
    }
    let batches = start.elapsed();

    let mut digest = Sha256::new();
    for index in 0..encoded.len() {
        encoded.ids(index).iter().for_each(|id| digest.update(id.to_le_bytes()));
        digest.update([0xFF; 4]);
    }
    let ids: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    println!(
        "{}",
        serde_json::json!({
            "texts": texts.len(),
            "read": read.as_secs_f64(),
            "encode": encode.as_secs_f64(),
            "batches": batches.as_secs_f64(),
            "ids": ids,
        })
    );
    Ok(())
}
