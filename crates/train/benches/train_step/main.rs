//! Times the training step on texts made for it, as `fit` runs it: loading, the step, the metrics, the observer. Prints
//! one line of JSON; `scripts/bench_peers.py` sets it beside other libraries.
//!
//!     train_step [--length 100] [--dim 64] [--batch-size 32] [--vocab-size 10000] [--backend flex] [--steps 400]
//!                [--warm-up 20] [--block 10] [--seconds 2] [--set KEY=VALUE]... [--form fit]
//!
//! The model is the reference model; `--set` changes any key of the config. `--form composed` times it written with Burn
//! alone instead. `RAYON_NUM_THREADS` sets the threads.
#![expect(clippy::print_stdout, reason = "a measurement that is not printed is none")]
#![expect(clippy::exit, reason = "the checkpoint that `fit` would write next is no part of a step")]

mod arguments;
mod clock;
mod composed;
mod fit;

use std::error::Error;

use self::arguments::{Arguments, Measured, line};

/// As in the program itself, because allocating is a part of a step.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse()?;
    let opened = arguments.open()?;
    let tell = |measured: &Measured<'_>| println!("{}", line(&arguments, &opened, measured));
    match arguments.form.as_str() {
        "fit" => fit::steps(&arguments, &opened, &tell),
        "composed" => composed::steps(&arguments, &opened, &tell),
        form => Err(format!("there is no form `{form}`: it is `fit` or `composed`").into()),
    }
}
