//! What the fuzz targets share: a scratch directory, and panics that count only where nobody catches them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, Once, PoisonError};

/// What the last panic said.
static LAST: Mutex<String> = Mutex::new(String::new());

/// Runs `work` and ends the process if it panics. The fuzzer's own hook ends it at every panic, also at those of libraries
/// that the code under test catches and makes errors of.
pub fn uncaught(work: impl FnOnce()) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            *LAST.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string();
        }));
    });
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        eprintln!("{}", LAST.lock().unwrap_or_else(PoisonError::into_inner));
        std::process::abort();
    }
}

/// A directory of this process, for targets that need a file; the script that runs them removes it.
pub fn scratch() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("attentive-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a directory can be made");
    folder
}
