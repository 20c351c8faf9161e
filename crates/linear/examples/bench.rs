//! Trains on the texts of one file and classifies those of another, for scripts/bench_linear.py:
//! `bench TRAIN.jsonl TEST.jsonl OUT SETTINGS`. Each line of the files is `{"text": …, "labels": [ids]}`; SETTINGS is JSON (see
//! [`Job`]). Writes the logits, `[solvers, texts, labels]`, to OUT as little-endian f32, and prints one line of JSON with seconds
//! and objectives.
#![allow(clippy::print_stdout, reason = "the measurements go to scripts/bench_linear.py")]

use std::error::Error;
use std::time::Instant;

use attentive_linear::{Examples, FeatureSettings, Features, SolverSettings, Targets, solve};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Job {
    n_labels: usize,
    multi_label: bool,
    features: FeatureSettings,
    solvers: Vec<SolverSettings>,
}

#[derive(Deserialize)]
struct Example {
    text: String,
    labels: Vec<u32>,
}

fn read(path: &str) -> Result<Vec<Example>, Box<dyn Error>> {
    Ok(std::fs::read_to_string(path)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

/// CPU-seconds of all threads so far, where the system tells them as Linux does.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split(' ');
    fields.skip(12).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let [train, test, out, job] = &arguments[..] else { return Err("bench TRAIN TEST OUT SETTINGS".into()) };
    let job: Job = serde_json::from_str(job)?;
    let (train, test) = (read(train)?, read(test)?);
    let texts = |examples: &[Example]| examples.iter().map(|example| example.text.clone()).collect::<Vec<_>>();
    let (train_texts, test_texts) = (texts(&train), texts(&test));
    let train_texts = train_texts.iter().map(String::as_str).collect::<Vec<_>>();
    let test_texts = test_texts.iter().map(String::as_str).collect::<Vec<_>>();

    let (clock, before) = (Instant::now(), cpu());
    let features = Features::fit(&train_texts, &job.features, &|| false)?;
    let rows = features.rows(&train_texts, &|| false)?;
    let (features_seconds, features_cpu) = (clock.elapsed().as_secs_f64(), cpu() - before);
    let test_rows = features.rows(&test_texts, &|| false)?;

    let all = train.iter().map(|example| example.labels.clone()).collect::<Vec<_>>();
    let first = all.iter().filter_map(|labels| labels.first().copied()).collect::<Vec<_>>();
    let targets = if job.multi_label { Targets::Many(&all) } else { Targets::One(&first) };
    let (mut logits, mut solved) = (Vec::new(), Vec::new());
    for solver in &job.solvers {
        let (clock, before) = (Instant::now(), cpu());
        let solution = solve(&rows, &Examples::new(targets, job.n_labels), solver, &|| false)?;
        solved.push(json!({
            "seconds": clock.elapsed().as_secs_f64(), "cpu": cpu() - before, "passes": solution.passes,
            "objective": solution.objectives.iter().sum::<f64>(),
        }));
        logits.extend(solution.weights.logits(&test_rows).into_iter().flat_map(f32::to_le_bytes));
    }
    std::fs::write(out, logits)?;
    println!(
        "{}",
        json!({
            "features": features.len(), "words": features.parts().words.len(), "stored": rows.n_stored(),
            "features_seconds": features_seconds, "features_cpu": features_cpu, "solved": solved,
        })
    );
    Ok(())
}
