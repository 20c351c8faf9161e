//! Ctrl-C, SIGTERM and a terminal that closes ask the command to save what it has, tidy up and stop; a second one stops the
//! process at once, and so does the first while there is nothing to save. SIGUSR1 asks a run to save and go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::{io, thread};

use attentive_train::{Request, remove_unfinished};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::SignalOnly;
use signal_hook::{flag, low_level};

use crate::failure::Failure;
use crate::output::tell;

/// Which signal has asked the run to stop, if one has.
pub(super) struct Signals {
    last: Arc<AtomicUsize>,
    /// Whether the next signal ends the process.
    at_once: Arc<AtomicBool>,
    /// Whether a checkpoint is asked for.
    save: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from here on; until [`Signals::hold`], a signal that asks to stop ends the process.
    pub(super) fn listen() -> Result<Self, Failure> {
        Self::register().map_err(signal_handlers)
    }

    fn register() -> io::Result<Self> {
        let last = Arc::new(AtomicUsize::new(0));
        let at_once = Arc::new(AtomicBool::new(true));
        let save = Arc::new(AtomicBool::new(false));
        for signal in stopping() {
            // A signal comes by here before it sets the flag, so one that is held does not end the process.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&at_once))?;
            flag::register(signal, Arc::clone(&at_once))?;
            flag::register_usize(signal, Arc::clone(&last), signal as usize)?;
        }
        #[cfg(unix)]
        flag::register(signal_hook::consts::SIGUSR1, Arc::clone(&save))?;
        Ok(Self { last, at_once, save })
    }

    /// From here on there is something to save or to tidy up: the next signal asks to stop, unless one has come already. Who
    /// holds signals looks for them by [`Signals::received`], and lets them go when nothing is left to do.
    pub(super) fn hold(&self) {
        if self.received().is_none() {
            self.at_once.store(false, Ordering::Relaxed);
        }
    }

    /// From here on the next signal ends the process at once again. Gives the one that has come meanwhile.
    pub(super) fn release(&self) -> Option<i32> {
        self.at_once.store(true, Ordering::Relaxed);
        self.received()
    }

    /// The signal that asks to stop, once one has come.
    pub(super) fn received(&self) -> Option<i32> {
        match self.last.load(Ordering::Relaxed) {
            0 => None,
            signal => i32::try_from(signal).ok(),
        }
    }

    /// What is asked of a run that trains. A checkpoint is asked for once for each signal.
    pub(super) fn request(&self) -> Option<Request> {
        match self.received() {
            Some(_) => Some(Request::Stop),
            None => self.save.swap(false, Ordering::Relaxed).then_some(Request::Save),
        }
    }
}

/// The signals that ask to stop. Whoever started the process under `nohup` does not want it to end with the terminal.
fn stopping() -> Vec<i32> {
    let mut signals = vec![SIGINT, SIGTERM];
    #[cfg(unix)]
    if !is_ignored(signal_hook::consts::SIGHUP) {
        signals.push(signal_hook::consts::SIGHUP);
    }
    signals
}

/// Whether the process was started with this signal ignored; unknown, and so told as false, where there is no `/proc`.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// A file that grows beyond the limit of the process is an error that is told, not the end of the process.
pub(crate) fn survive_file_size_limit() {
    // Where it cannot be had, what comes is what comes without it.
    #[cfg(unix)]
    let _ = flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// From here on, a signal that asks to stop removes the outputs that are not finished before it ends the process. Those that they
/// were to replace are as they were.
pub(super) fn leave_nothing_unfinished() -> Result<(), Failure> {
    let listen = || -> io::Result<()> {
        let mut signals = SignalsInfo::<SignalOnly>::new(stopping())?;
        // A thread of its own, because the others may wait for input.
        thread::Builder::new().spawn(move || {
            if let Some(signal) = signals.forever().next() {
                let removed = remove_unfinished();
                for output in removed.targets.iter().cloned() {
                    tell(&Failure::InterruptedOutput { signal, output }.text().unwrap_or_default());
                }
                low_level::exit(128 + signal);
            }
        })?;
        Ok(())
    };
    listen().map_err(signal_handlers)
}

/// The failure when the system takes no signal handlers.
fn signal_handlers(source: io::Error) -> Failure {
    Failure::Output { name: "signal handlers".to_string(), source }
}
