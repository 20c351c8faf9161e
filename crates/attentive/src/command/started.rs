//! How the process was started: whether it has a stdout.
//!
//! Rust's runtime opens `/dev/null` in the place of a stdout that is closed, so that results would vanish without an error.
//! What runs before it, as the system's linker sees to, can tell that from a `/dev/null` that was asked for.

#[cfg(target_os = "linux")]
mod before_main {
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};

    pub(super) static HAS_NO_STDOUT: AtomicBool = AtomicBool::new(false);

    extern "C" fn look() {
        let descriptors = Path::new("/proc/self/fd");
        let is_closed = descriptors.join("1").symlink_metadata().is_err() && descriptors.exists();
        HAS_NO_STDOUT.store(is_closed, Ordering::Relaxed);
    }

    /// The functions of this section are called before `main`.
    #[allow(
        unsafe_code,
        reason = "there is no other way to run before the runtime; the function asks the system and no more"
    )]
    #[used]
    #[unsafe(link_section = ".init_array")]
    static LOOK: extern "C" fn() = look;
}

/// Whether stdout was closed when the process began, where that can be found out.
pub(crate) fn started_without_stdout() -> bool {
    #[cfg(target_os = "linux")]
    return before_main::HAS_NO_STDOUT.load(std::sync::atomic::Ordering::Relaxed);
    #[cfg(not(target_os = "linux"))]
    return false;
}
