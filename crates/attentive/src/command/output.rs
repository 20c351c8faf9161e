//! The two streams: results to stdout, where a failure to write is a failure of the command, and talk to stderr, where
//! it is not.

use std::io::{self, StdoutLock, Write};

use crate::failure::Failure;
use crate::started::started_without_stdout;

/// `EBADF`, the same on every Unix.
const BAD_DESCRIPTOR: i32 = 9;

/// Writes results to stdout.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = open_stdout()?;
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(to_stdout)
}

/// Stdout to write results to, if the process was started with one.
pub(crate) fn open_stdout() -> Result<StdoutLock<'static>, Failure> {
    match started_without_stdout() {
        // What the system says of a write to it.
        true => Err(to_stdout(io::Error::from_raw_os_error(BAD_DESCRIPTOR))),
        false => Ok(io::stdout().lock()),
    }
}

/// A failure to write results.
pub(crate) fn to_stdout(source: io::Error) -> Failure {
    Failure::Output { name: "the results to stdout".to_string(), source }
}

/// Tells the person something, on stderr.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}"); // there is no one left to tell of a failure
}
