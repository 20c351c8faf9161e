//! Ctrl-C and SIGTERM ask the run to save and stop; a second one stops the process at once, and so does the first while
//! there is nothing to save.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Which signal has asked the run to stop, if one has.
pub(super) struct Signals {
    last: Arc<AtomicUsize>,
    /// Whether the next signal ends the process.
    at_once: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from here on; until [`Signals::hold`], a signal ends the process.
    pub(super) fn listen() -> io::Result<Self> {
        let last = Arc::new(AtomicUsize::new(0));
        let at_once = Arc::new(AtomicBool::new(true));
        for signal in [SIGINT, SIGTERM] {
            // A signal comes by here before it sets the flag, so one that is held does not end the process.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&at_once))?;
            flag::register(signal, Arc::clone(&at_once))?;
            flag::register_usize(signal, Arc::clone(&last), signal as usize)?;
        }
        Ok(Self { last, at_once })
    }

    /// From here on there is something to save: the next signal asks to stop, unless one has come already.
    pub(super) fn hold(&self) {
        if self.received().is_none() {
            self.at_once.store(false, Ordering::Relaxed);
        }
    }

    /// The signal, once one has come.
    pub(super) fn received(&self) -> Option<i32> {
        match self.last.load(Ordering::Relaxed) {
            0 => None,
            signal => i32::try_from(signal).ok(),
        }
    }
}
