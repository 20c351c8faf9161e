//! Ctrl-C and SIGTERM ask the run to save and stop; a second one stops the process at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Which signal has asked the run to stop, if one has.
pub(super) struct Signals {
    last: Arc<AtomicUsize>,
}

impl Signals {
    /// Listens from here on.
    pub(super) fn listen() -> io::Result<Self> {
        let last = Arc::new(AtomicUsize::new(0));
        let second = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // The first comes by here before the flag is set, so only a second one ends the process.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&second))?;
            flag::register(signal, Arc::clone(&second))?;
            flag::register_usize(signal, Arc::clone(&last), signal as usize)?;
        }
        Ok(Self { last })
    }

    /// The signal, once one has come.
    pub(super) fn received(&self) -> Option<i32> {
        match self.last.load(Ordering::Relaxed) {
            0 => None,
            signal => i32::try_from(signal).ok(),
        }
    }
}
