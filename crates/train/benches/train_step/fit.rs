//! The step of the program itself, as `fit` runs it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use attentive_backend::{Backend, Opened};
use attentive_train::{Callbacks, Config, Event, Machine, PreparedRun, Preparing, summary};

use crate::arguments::{Arguments, Measured, SPECIAL};
use crate::clock::{Clock, draws};

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

/// The config, all of whose paths are in `directory`.
fn config(arguments: &Arguments, directory: &Path) -> Result<Config, Box<dyn Error>> {
    let path = directory.join("train_step.toml");
    std::fs::write(&path, REFERENCE)?;
    let mut set = vec![
        format!("data.train={}", directory.join("train.csv").display()),
        format!("backend={}", arguments.backend),
        format!("tokenizer.word.vocab_size={}", arguments.vocab_size),
        format!("model.max_length={}", arguments.length),
        format!("model.embedding.dim={}", arguments.dim),
        format!("train.batch_size={}", arguments.batch_size),
    ];
    set.extend_from_slice(&arguments.set);
    Ok(Config::load(&path, &set, &Backend::names())?)
}

/// Writes texts of exactly `length` words: first all words of the vocabulary, so that it has its size, then words
/// drawn with the same chance each.
fn write_texts(arguments: &Arguments, path: &Path) -> std::io::Result<()> {
    let words = arguments.vocab_size - SPECIAL;
    let mut draw = draws();
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "text,label")?;
    for example in 0..(arguments.steps * arguments.batch_size).max(words.div_ceil(arguments.length)) {
        for place in 0..arguments.length {
            let listed = example * arguments.length + place;
            let word = if listed < words { listed } else { draw(words) };
            write!(file, "{}w{word}", if place == 0 { "" } else { " " })?;
        }
        writeln!(file, ",{}", ["no", "yes"][example % 2])?;
    }
    file.flush()
}

/// Trains until enough steps are timed, then tells of them and ends the process.
pub(crate) fn steps(
    arguments: &Arguments,
    opened: &Opened,
    tell: &dyn Fn(&Measured<'_>),
) -> Result<(), Box<dyn Error>> {
    let directory = temp_dir::TempDir::new()?;
    let directory = directory.path();
    let config = config(arguments, directory)?;
    write_texts(arguments, &directory.join("train.csv"))?;
    let Opened { backend, device, description, .. } = opened.clone();
    let machine = Machine { device, backend: backend.name().to_string(), description, build: BTreeMap::new() };
    let new = PreparedRun::prepare(config, machine, Preparing::unwatched())?;
    let vocab_size = new.prepared().encoder.vocab_size();
    let parameters = summary(new.config(), new.prepared(), &opened.device).parameters;

    let mut run = new.create(&directory.join("run"), false)?;
    let clock = RefCell::new(Clock { started: Instant::now(), told: Vec::new() });
    let mut on_event = |event: &Event| {
        if matches!(event, Event::Step { .. }) && clock.borrow_mut().tick(arguments) {
            tell(&Measured { clock: &clock.borrow(), vocab_size, parameters });
            // Nothing is lost with it, and nobody is left to hear of a failure.
            let _ = std::fs::remove_dir_all(directory);
            std::process::exit(0);
        }
    };
    run.fit(&mut Callbacks { on_event: &mut on_event, request: &|| None })?;
    Err("the training ended before the last step".into())
}
