//! Times the training step on texts made for it, as `fit` runs it: loading, the step, the metrics, the observer. Prints
//! one line of JSON; `scripts/bench_peers.py` sets it beside other libraries.
//!
//!     train_step [--length 100] [--dim 64] [--batch-size 32] [--vocab-size 10000] [--backend flex] [--steps 400]
//!                [--warm-up 20] [--block 10] [--seconds 2] [--set KEY=VALUE]...
//!
//! The model is the reference model; `--set` changes any key of the config. `RAYON_NUM_THREADS` sets the threads.
#![expect(clippy::print_stdout, reason = "a measurement that is not printed is none")]
#![expect(clippy::exit, reason = "the checkpoint that `fit` would write next is no part of a step")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use attentive_backend::Backend;
use attentive_data::UNWATCHED;
use attentive_train::{Config, Event, Job, Recovered, RunDir, Watch, fit, prepare, summary};
use serde_json::{Value, json};

/// As in the program itself, because allocating is a part of a step.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `[PAD]` and `[UNK]`, which are no words.
const SPECIAL: usize = 2;

/// The reference model, whose padding is a token like any other; every text fills its length.
const REFERENCE: &str = r#"
[data]
train = "train.csv"
[model]
masking = false
padding = "max_length"
positions = "none"
attention.dot = {}
pooling = "mean"
[train]
epochs = 1
"#;

/// What the command line asks for.
struct Arguments {
    length: usize,
    dim: usize,
    batch_size: usize,
    vocab_size: usize,
    backend: String,
    /// The most steps to take, those of the warm-up included.
    steps: usize,
    /// Steps that do not count.
    warm_up: usize,
    /// The fewest steps that are timed together.
    block: usize,
    /// After so long no further step counts.
    seconds: f64,
    set: Vec<String>,
}

impl Arguments {
    fn parse() -> Result<Self, Box<dyn Error>> {
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
                _ => return Err(format!("there is no option `{name}`").into()),
            }
        }
        if parsed.vocab_size <= SPECIAL || parsed.length == 0 || parsed.steps <= parsed.warm_up {
            return Err("a vocabulary has 3 tokens or more, a text 1, and there are more steps than warm up".into());
        }
        Ok(parsed)
    }

    /// The config, all of whose paths are in `directory`.
    fn config(&self, directory: &Path) -> Result<Config, Box<dyn Error>> {
        let path = directory.join("train_step.toml");
        std::fs::write(&path, REFERENCE)?;
        let mut set = vec![
            format!("data.train={}", directory.join("train.csv").display()),
            format!("backend={}", self.backend),
            format!("tokenizer.word.vocab_size={}", self.vocab_size),
            format!("model.max_length={}", self.length),
            format!("model.embedding.dim={}", self.dim),
            format!("train.batch_size={}", self.batch_size),
        ];
        set.extend_from_slice(&self.set);
        Ok(Config::load(&path, &set, &Backend::names())?)
    }

    /// Writes texts of exactly `length` words: first all words of the vocabulary, so that it has its size, then words
    /// drawn with the same chance each.
    fn write_texts(&self, path: &Path) -> std::io::Result<()> {
        let words = self.vocab_size - SPECIAL;
        let mut state = 1_u64;
        let mut draw = || {
            // The generator of Knuth's MMIX; its high bits are good.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % words
        };
        let mut file = BufWriter::new(File::create(path)?);
        writeln!(file, "text,label")?;
        for example in 0..(self.steps * self.batch_size).max(words.div_ceil(self.length)) {
            for place in 0..self.length {
                let listed = example * self.length + place;
                let word = if listed < words { listed } else { draw() };
                write!(file, "{}w{word}", if place == 0 { "" } else { " " })?;
            }
            writeln!(file, ",{}", ["no", "yes"][example % 2])?;
        }
        file.flush()
    }
}

/// When steps were done. An observer may be told of several at once, so that a single gap says little.
struct Clock {
    started: Instant,
    /// Seconds since then at which each step was told of.
    told: Vec<f64>,
}

impl Clock {
    /// Milliseconds a step in each block of steps, ordered. A block ends where the observer had to wait for the next step.
    fn blocks(&self, warm_up: usize, least: usize) -> Vec<f64> {
        let Some(&end) = self.told.last() else { return Vec::new() };
        let wait = end / self.told.len() as f64 / 4.0;
        let (mut from, mut since, mut blocks) = (0, 0.0, Vec::new());
        for (i, &at) in self.told.iter().enumerate() {
            let waits = self.told.get(i + 1).is_none_or(|next| next - at > wait);
            let least = if from == 0 { warm_up.max(1) } else { least };
            if waits && i + 1 - from >= least {
                if from > 0 || warm_up == 0 {
                    blocks.push((at - since) / (i + 1 - from) as f64 * 1e3);
                }
                (from, since) = (i + 1, at);
            }
        }
        blocks.sort_by(f64::total_cmp);
        blocks
    }
}

/// The value below which this share of the ordered values is.
fn quantile(ordered: &[f64], share: f64) -> Option<f64> {
    let last = ordered.len().checked_sub(1)?;
    ordered.get((last as f64 * share).round() as usize).copied()
}

/// The most memory that the process ever held, in bytes; nothing where the system does not tell.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

fn measure(arguments: &Arguments, directory: &Path) -> Result<(), Box<dyn Error>> {
    let config = arguments.config(directory)?;
    arguments.write_texts(&directory.join("train.csv"))?;
    let backend = Backend::ALL.into_iter().find(|backend| backend.name() == config.backend);
    let opened = backend.ok_or("`--backend` names one backend")?.open()?;
    let prepared = prepare(&config, UNWATCHED)?;
    let vocab_size = prepared.encoder.vocab_size();
    let parameters = summary(&config, &prepared, &opened.device).parameters;
    let report = |clock: &Clock| -> Value {
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
            "dim": config.model.embedding.dim,
            "batch_size": arguments.batch_size,
            "vocab_size": vocab_size,
            "parameters": parameters,
            "set": arguments.set,
        })
    };

    let run = RunDir::create(&directory.join("run"), false)?;
    run.describe(&config, &"a benchmark", &prepared.labels, &prepared.encoder, &prepared.account)?;
    let origin = prepared.origin(&config, &BTreeMap::new());
    let clock = RefCell::new(Clock { started: Instant::now(), told: Vec::new() });
    let mut observer = |event: &Event| {
        let Event::Step { step, .. } = event else { return };
        let mut clock = clock.borrow_mut();
        let now = clock.started.elapsed().as_secs_f64();
        clock.told.push(now);
        let warm = clock.told.get(arguments.warm_up.saturating_sub(1)).is_some_and(|at| now - at > arguments.seconds);
        // Two blocks at least, so that a slow model is not judged by its first steps.
        let enough = clock.told.len() > arguments.warm_up + 2 * arguments.block;
        if *step == arguments.steps as u64 || (warm && enough) {
            println!("{}", report(&clock));
            // Nothing is lost with it, and nobody is left to hear of a failure.
            let _ = std::fs::remove_dir_all(directory);
            std::process::exit(0);
        }
    };
    let job = Job { config: &config, prepared: &prepared, origin: &origin, device: &opened.device };
    fit(&run, &job, Recovered::default(), &mut Watch { observer: &mut observer, request: &|| None })?;
    Err("the training ended before the last step".into())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse()?;
    let directory = temp_dir::TempDir::new()?;
    measure(&arguments, directory.path())
}
