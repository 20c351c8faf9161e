//! The commands, one file each: what the arguments mean, in which order things are done, and what is printed.

mod check;
mod devices;
mod evaluate;
mod export;
mod exported;
mod folds;
mod import;
mod init;
mod inspect;
mod introduce;
mod left_out;
mod predict;
mod preparing;
mod quickstart;
mod session;
pub(crate) mod signals;
mod tokenize;
mod train;
mod verify;

use std::path::Path;

use attentive_backend::Backend;
use attentive_train::{Config, ConfigError, Machine};
use clap::CommandFactory;

use crate::args::{Cli, Command};
use crate::failure::Failure;
use crate::output::print;
use crate::threads;

/// Runs a command.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    let talk = cli.talk;
    if !matches!(cli.command, Command::Schema { .. } | Command::Completions { .. }) {
        threads::start()?;
    }
    match cli.command {
        Command::Quickstart(args) => quickstart::quickstart(&args, talk),
        Command::Train(args) => train::train(&args, talk),
        Command::Resume(args) => train::resume(&args, talk),
        Command::Evaluate(args) => evaluate::evaluate(&args),
        Command::Predict(args) => predict::predict(&args, talk),
        Command::Inspect(args) => inspect::inspect(&args),
        Command::Check(args) => check::check(&args),
        Command::Tokenize(args) => tokenize::tokenize(&args, talk),
        Command::Init(args) => init::init(&args),
        Command::Verify(args) => verify::verify(&args, talk),
        Command::Export(args) => export::export(&args, talk),
        Command::Import(args) => import::import(&args, talk),
        Command::Devices => devices::devices(),
        Command::Schema { markdown: true } => print(&attentive_train::reference(&Config::schema())),
        Command::Schema { markdown: false } => print(&format!("{:#}\n", Config::schema())),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "attentive", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
    }
}

/// A config file with overrides.
fn load_config(path: &Path, set: &[String]) -> Result<Config, Failure> {
    Config::load(path, set, &Backend::names()).map_err(|error| match error {
        // What stands in a file of data would be told as hundreds of problems of a config.
        ConfigError::Invalid(_) | ConfigError::TooLong { .. } | ConfigError::Encoding { .. } if is_data(path) => {
            Failure::DataAsConfig { path: path.to_path_buf() }
        }
        error => error.into(),
    })
}

/// Whether a file is one of data by its name.
fn is_data(path: &Path) -> bool {
    const DATA: [&str; 9] = ["csv", "tsv", "json", "jsonl", "txt", "parquet", "xlsx", "gz", "zst"];
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| DATA.contains(&extension.as_str()))
}

/// What computes a run: the backend named on the command line, else the one in the config.
fn open_machine(argument: Option<&str>, config: &Config) -> Result<Machine, Failure> {
    Ok(attentive::machine(argument.unwrap_or(&config.backend))?)
}
