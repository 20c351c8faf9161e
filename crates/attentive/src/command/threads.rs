//! Starts the threads that compute. How many there are decides how long a command takes, never what comes out. Computes
//! nothing.

use std::env;
use std::io;
use std::sync::Mutex;
use std::thread;

use crate::failure::Failure;
use crate::output::tell;

/// The variable that says how many threads compute.
const VARIABLE: &str = "RAYON_NUM_THREADS";
/// The most that it may ask for, where there are no more cores: a thread more than there are cores only waits.
const MOST: usize = 256;
/// The threads that a command has beside those that compute: they read, write, hash and make batches ready.
const BESIDE: usize = 3;

/// Starts the threads that compute: as many as [`VARIABLE`] says, else one for each core; fewer where a limit on processes
/// leaves no room, which is told.
pub(crate) fn start() -> Result<(), Failure> {
    let wanted = wanted(env::var(VARIABLE).ok().as_deref())?;
    let started = how_many_start(wanted + BESIDE);
    let computing = match started {
        Ok(()) => wanted,
        Err((n, source)) if n <= BESIDE => {
            return Err(Failure::Threads { needed: BESIDE + 1, started: n, source });
        }
        Err((n, _)) => n - BESIDE,
    };
    if computing < wanted {
        tell(&format!(
            "note: a limit on processes leaves room for {computing} of {wanted} threads: the results are the same, later"
        ));
    }
    rayon::ThreadPoolBuilder::new().num_threads(computing).build_global().map_err(|error| Failure::Threads {
        needed: computing,
        started: 0,
        source: io::Error::other(error),
    })
}

/// How many threads are to compute, given the value of [`VARIABLE`]; as for the library that reads it, 0 is as many as
/// there are cores.
fn wanted(variable: Option<&str>) -> Result<usize, Failure> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    match variable.map(str::trim) {
        None | Some("" | "0") => Ok(cores),
        Some(value) => {
            let most = MOST.max(cores);
            let count = value.parse().ok().filter(|n| (1..=most).contains(n));
            count.ok_or_else(|| Failure::ThreadCount { variable: VARIABLE, value: value.to_string(), most })
        }
    }
}

/// Whether so many threads can be started at once; if not, how many could, and what the system says of the next. All have
/// ended when this returns.
fn how_many_start(n: usize) -> Result<(), (usize, io::Error)> {
    let gate = Mutex::new(());
    let closed = gate.lock();
    thread::scope(|scope| {
        let tried = (0..n).try_for_each(|started| {
            let thread = thread::Builder::new().spawn_scoped(scope, || drop(gate.lock()));
            thread.map(drop).map_err(|source| (started, source))
        });
        drop(closed);
        tried
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_threads_is_a_number_that_helps() {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        for (variable, expected) in
            [(None, cores), (Some(""), cores), (Some("0"), cores), (Some("1"), 1), (Some(" 7 "), 7), (Some("256"), 256)]
        {
            assert_eq!(wanted(variable).ok(), Some(expected), "{variable:?}");
        }
        for variable in ["100000", "1000000", "-1", "two", "1.5", "18446744073709551617"] {
            assert!(matches!(wanted(Some(variable)), Err(Failure::ThreadCount { .. })), "{variable}");
        }
    }

    #[test]
    fn a_few_threads_always_start() {
        assert!(how_many_start(4).is_ok());
    }
}
