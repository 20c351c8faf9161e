//! Times a loaded classifier: many texts at once, and one text at a time. Prints one line of JSON;
//! `scripts/bench_peers.py` sets it beside other libraries, whose models are loaded as well.
//!
//!     predict RUN TEXTS.txt [SINGLES]
//!
//! TEXTS.txt has a text a line; SINGLES (2,000) of them are classified one by one besides.
#![expect(clippy::print_stdout, reason = "a measurement that is not printed is none")]

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use attentive_backend::Backend;
use attentive_train::{Predictor, RunDir};
use serde_json::json;

/// As in the program itself, because allocating is a part of a prediction.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (run, texts, singles) = match arguments.as_slice() {
        [run, texts] => (run, texts, 2000),
        [run, texts, singles] => (run, texts, singles.parse()?),
        _ => return Err("usage: predict RUN TEXTS.txt [SINGLES]".into()),
    };
    let texts: Vec<String> = std::fs::read_to_string(texts)?.lines().map(str::to_string).collect();
    let run = RunDir::open(Path::new(run))?;
    let config = run.config()?;
    let backend = Backend::ALL.into_iter().find(|backend| backend.name() == config.backend);
    let opened = backend.ok_or("the run names no backend")?.open()?;
    let start = Instant::now();
    let predictor = Predictor::load(&run, &opened.device)?;
    let loaded = start.elapsed();

    // As many at once as the program takes.
    let chunk = config.train.evaluation_batch_size * 16;
    if let Some(first) = texts.chunks(chunk).next() {
        black_box(predictor.predict(first, None)?);
    }
    let start = Instant::now();
    for texts in texts.chunks(chunk) {
        black_box(predictor.predict(texts, None)?);
    }
    let all = start.elapsed();

    let mut each = Vec::new();
    for text in texts.iter().take(singles) {
        let start = Instant::now();
        black_box(predictor.predict(std::slice::from_ref(text), None)?);
        each.push(start.elapsed().as_secs_f64() * 1e6);
    }
    each.sort_by(f64::total_cmp);
    let report = json!({
        "texts": texts.len(),
        "texts_per_s": texts.len() as f64 / all.as_secs_f64(),
        "latency_us": each.get(each.len() / 2),
        "latency_us_p90": each.get(each.len() * 9 / 10),
        "load_s": loaded.as_secs_f64(),
        "backend": opened.backend.name(),
        "threads": rayon::current_num_threads(),
    });
    println!("{report}");
    Ok(())
}
