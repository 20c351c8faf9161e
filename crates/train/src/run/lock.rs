//! The lock by which one process alone writes to a directory. The kernel holds it and lets go of it with the process, so a
//! lock never outlives its owner; the text in the file is for people.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::storage::staging::is_at;

/// How often, and how long apart, to look for what the process that has the lock says of itself.
const ATTEMPTS: usize = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// A lock that this process holds until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

/// Whether there was a lock to take.
#[derive(Debug)]
pub(super) enum Taken {
    /// It is ours.
    Ours(Lock),
    /// It is that of another process, which says this of itself.
    Theirs(String),
}

impl Lock {
    /// Takes the lock in the file `path`, which is made if it is not there.
    pub(super) fn take(path: &Path) -> io::Result<Taken> {
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        // Who only looks whether there is an owner has the lock for a moment.
        let locked = file.try_lock().or_else(|_| {
            thread::sleep(PAUSE);
            file.try_lock()
        });
        match locked {
            Err(TryLockError::WouldBlock) => return Ok(Taken::Theirs(owner_in(path))),
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) => {}
        }
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(this_process().as_bytes())?;
        Ok(Taken::Ours(Self { file }))
    }

    /// What the process that holds the lock in `path` says of itself; `None` if none does. This process must not hold it.
    pub(super) fn owner(path: &Path) -> Option<String> {
        let file = File::open(path).ok()?;
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)).then(|| owner_in(path))
    }

    /// Whether the file `path` is still the one that is locked: its directory may have been removed or replaced.
    pub(super) fn is_in_place(&self, path: &Path) -> io::Result<bool> {
        is_at(&self.file, path)
    }
}

/// The text of a lock, which its owner writes right after it got it.
fn owner_in(path: &Path) -> String {
    let read = || {
        let mut owner = String::new();
        File::open(path).ok()?.take(1024).read_to_string(&mut owner).ok()?;
        Some(owner.trim().to_string()).filter(|owner| !owner.is_empty())
    };
    for _ in 0..ATTEMPTS {
        thread::sleep(PAUSE);
        if let Some(owner) = read() {
            return owner;
        }
    }
    "another process".to_string()
}

/// What this process says of itself, for the message that another one prints.
fn this_process() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => String::new(),
        host => format!(" on {host}"),
    };
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
    format!("process {}{host}, started {}", std::process::id(), utc(seconds))
}

/// Seconds since 1970 as `2026-11-22 09:30:00 UTC` (the civil-from-days algorithm of Hinnant 2013).
fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        // `date -u -d @N` of coreutils.
        assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(utc(1_795_339_845), "2026-11-22 09:30:45 UTC");
    }
}
