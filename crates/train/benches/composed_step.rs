//! `train_step --form composed` with the system's allocator, as a program on Burn has it that chooses none: see there.
#![expect(clippy::print_stdout, reason = "a measurement that is not printed is none")]

#[path = "train_step/arguments.rs"]
mod arguments;
#[path = "train_step/clock.rs"]
mod clock;
#[path = "train_step/composed.rs"]
mod composed;

use std::error::Error;

use self::arguments::{Arguments, line};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse()?;
    let opened = arguments.open()?;
    composed::steps(&arguments, &opened, &|measured| println!("{}", line(&arguments, &opened, measured)))
}
