//! The commands, one file each: what the arguments mean, in which order things are done, and what is printed.

mod devices;
mod left_out;
mod evaluate;
mod exported;
mod init;
mod opening;
mod check;
mod inspect;
mod introduce;
pub(crate) mod signals;
mod export;
mod predict;
mod preparing;
mod import;
mod session;
mod tokenize;
mod verify;
mod folds;
mod train;
mod quick;
mod quickstart;

use attentive_train::Config;
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
        Command::Quick(args) => quick::quick(&args, talk),
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
