//! What the command line asks for, and the line that is printed.

use std::error::Error;

use attentive_backend::{Backend, Opened};
use serde_json::{Value, json};

use crate::clock::{Clock, peak_bytes, quantile};

/// `[PAD]` and `[UNK]`, which are no words.
pub(crate) const SPECIAL: usize = 2;

/// What the command line asks for.
pub(crate) struct Arguments {
    pub length: usize,
    pub dim: usize,
    pub batch_size: usize,
    pub vocab_size: usize,
    pub backend: String,
    /// The most steps to take, those of the warm-up included.
    pub steps: usize,
    /// Steps that do not count.
    pub warm_up: usize,
    /// The fewest steps that are timed together.
    pub block: usize,
    /// After so long no further step counts.
    pub seconds: f64,
    pub set: Vec<String>,
    /// `fit` or `composed`.
    pub form: String,
}

impl Arguments {
    pub(crate) fn parse() -> Result<Self, Box<dyn Error>> {
        let mut parsed = Self {
            length: 100,
            dim: 64,
            batch_size: 32,
            vocab_size: 10_000,
            backend: Backend::Flex.name().to_string(),
            steps: 400,
            warm_up: 20,
            block: 10,
            seconds: 2.0,
            set: Vec::new(),
            form: "fit".to_string(),
        };
        // Cargo itself adds `--bench` when it runs a benchmark.
        let mut rest = std::env::args().skip(1).filter(|argument| argument != "--bench");
        while let Some(name) = rest.next() {
            let value = rest.next().ok_or_else(|| format!("`{name}` lacks its value"))?;
            match name.as_str() {
                "--length" => parsed.length = value.parse()?,
                "--dim" => parsed.dim = value.parse()?,
                "--batch-size" => parsed.batch_size = value.parse()?,
                "--vocab-size" => parsed.vocab_size = value.parse()?,
                "--backend" => parsed.backend = value,
                "--steps" => parsed.steps = value.parse()?,
                "--warm-up" => parsed.warm_up = value.parse()?,
                "--block" => parsed.block = value.parse()?,
                "--seconds" => parsed.seconds = value.parse()?,
                "--set" => parsed.set.push(value),
                "--form" => parsed.form = value,
                _ => return Err(format!("there is no option `{name}`").into()),
            }
        }
        if parsed.vocab_size <= SPECIAL || parsed.length == 0 || parsed.steps <= parsed.warm_up {
            return Err("a vocabulary has 3 tokens or more, a text 1, and there are more steps than warm up".into());
        }
        Ok(parsed)
    }
}

/// What a form of the step measured.
pub(crate) struct Measured<'a> {
    pub clock: &'a Clock,
    pub vocab_size: usize,
    pub parameters: usize,
}

impl Arguments {
    /// Opens the backend.
    pub(crate) fn open(&self) -> Result<Opened, Box<dyn Error>> {
        let backend = Backend::ALL.into_iter().find(|backend| backend.name() == self.backend);
        Ok(backend.ok_or("`--backend` names one backend")?.open()?)
    }
}

/// The line that is printed.
pub(crate) fn line(arguments: &Arguments, opened: &Opened, measured: &Measured<'_>) -> Value {
    let Measured { clock, vocab_size, parameters } = measured;
    let blocks = clock.blocks(arguments.warm_up, arguments.block);
    let median = quantile(&blocks, 0.5);
    json!({
        "ms": median,
        "ms_p10": quantile(&blocks, 0.1),
        "ms_p90": quantile(&blocks, 0.9),
        "examples_per_s": median.map(|ms| arguments.batch_size as f64 / ms * 1e3),
        "blocks": blocks.len(),
        "steps": clock.told.len(),
        "first_step_ms": clock.told.first().map(|seconds| seconds * 1e3),
        "peak_bytes": peak_bytes(),
        "backend": opened.backend.name(),
        "device": opened.description,
        "threads": rayon::current_num_threads(),
        "length": arguments.length,
        "dim": arguments.dim,
        "batch_size": arguments.batch_size,
        "vocab_size": vocab_size,
        "parameters": parameters,
        "set": arguments.set,
        "form": arguments.form,
    })
}
