//! The two streams: results to stdout, where a failure to write is a failure of the command, and talk to stderr, where
//! it is not.

use std::io::{self, Write};

use crate::failure::Failure;

/// Writes results to stdout.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(to_stdout)
}

/// A failure to write results.
pub(crate) fn to_stdout(source: io::Error) -> Failure {
    Failure::Output { name: "the results to stdout".to_string(), source }
}

/// Tells the person something, on stderr.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}"); // there is no one left to tell of a failure
}
