//! The command with little memory and an end to patience, for files that were made to use up both.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The address space of a command beside its own code, in KiB. Training the tests' small model takes less than half of it, and
/// no file that is tried is large enough to ask for the rest.
const MEMORY: u64 = 1 << 19;

/// A command that takes longer than this waits for something that never comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the command in a directory. Gives the exit code, none after a signal or without an end, and what it said on stderr.
pub(crate) fn limited(directory: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    limited_to(MEMORY, directory, arguments)
}

/// As [`limited`], to so many KiB.
pub(crate) fn limited_to(memory: u64, directory: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let program = env!("CARGO_BIN_EXE_attentive");
    let memory = memory + fs::metadata(program).unwrap().len() / 1024; // the GPU's code is as large as all else
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {memory}; exec \"$0\" \"$@\""), program]);
    command.args(arguments).current_dir(directory).env("XDG_CACHE_HOME", directory.join("cache"));
    // So that the address space does not depend on how many cores there are.
    command.env("RAYON_NUM_THREADS", "2");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let told = std::thread::spawn(move || {
        let mut told = Vec::new();
        stderr.read_to_end(&mut told).unwrap();
        String::from_utf8_lossy(&told).into_owned()
    });
    let started = Instant::now();
    let code = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status.code(),
            None if started.elapsed() > PATIENCE => {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    (code, told.join().unwrap())
}
