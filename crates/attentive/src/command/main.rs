//! The `attentive` command: parses arguments, prints, and chooses exit codes. Everything else is in the libraries.
#![recursion_limit = "256"] // the GPU backend's types nest deeply

mod args;
mod exit_code;
mod hints;
mod predict_failure;
mod started;
mod style;
mod visible;
mod failure;
mod output;
mod table;
mod chart;
mod progress;
mod recipe;
mod report;
mod threads;
mod commands;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser;

use crate::failure::Failure;

/// Allocating and freeing tensors is a large part of a CPU step; this allocator keeps freed blocks at hand.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Where the last panic happened and what it said.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    std::panic::set_hook(Box::new(|panic| {
        if let Ok(mut last) = PANIC.lock() {
            *last = Some(panic.to_string().replace('\n', " "));
        }
    }));
    commands::signals::survive_file_size_limit();
    let result = catch_unwind(AssertUnwindSafe(|| commands::run(cli))).unwrap_or_else(|_| {
        let message = PANIC.lock().ok().and_then(|mut last| last.take());
        // The limit on processes may be reached later, when others have taken what was free.
        if message.as_ref().is_some_and(|message| message.contains("failed to spawn thread")) {
            return Err(Failure::Threads { needed: 1, started: 0, source: io::ErrorKind::WouldBlock.into() });
        }
        Err(Failure::Internal { message: message.unwrap_or_else(|| "a panic without a message".to_string()) })
    });
    let Err(failure) = result else { return ExitCode::SUCCESS };
    let Some(text) = failure.text() else { return ExitCode::SUCCESS };
    output::tell(&text);
    failure.exit_code()
}
