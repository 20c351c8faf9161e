//! A file as memory that the operating system reads in when it is looked at. The only unsafe code of the workspace:
//! two calls of `memmap2`.
#![expect(unsafe_code, reason = "a mapped file can change under its reader; here none does, see `Mapped::new`")]

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::sync::atomic::{AtomicUsize, Ordering};

use memmap2::Mmap;

/// About as many bytes of a file stay in this process' memory at once.
const BUDGET: usize = 16 << 20;

/// What the operating system maps in around the place that is looked at (Linux: `fault_around_bytes`).
const AROUND: usize = 64 << 10;

/// A whole file, read only.
#[derive(Debug)]
pub(crate) struct Mapped {
    map: Mmap,
    /// A guess at the bytes that have been mapped in since they were last given back.
    resident: AtomicUsize,
}

impl Mapped {
    /// Maps a file that nobody changes while it is mapped: a scratch file without a name, or a file of the cache, whose
    /// readers hold a lock that writers respect.
    pub(crate) fn new(file: &File) -> io::Result<Self> {
        // SAFETY: the caller's file does not change while it is mapped. Every program that respects the lock, which is
        // every copy of this one, leaves it alone.
        let map = unsafe { Mmap::map(file)? };
        Ok(Self { map, resident: AtomicUsize::new(0) })
    }

    /// Some of the bytes; now and then, what was looked at before is given back to the operating system, so that a walk
    /// through a large file needs little memory.
    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        let looked_at = range.len() + AROUND;
        if self.resident.fetch_add(looked_at, Ordering::Relaxed) > BUDGET {
            self.resident.store(0, Ordering::Relaxed);
            self.release();
        }
        &self.map[range]
    }

    #[cfg(unix)]
    fn release(&self) {
        // SAFETY: the map is backed by a file and read only, so pages that are given back are read in again with the
        // same content. A failure means that memory stays in use, nothing worse.
        let _ = unsafe { self.map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
    }

    #[cfg(not(unix))]
    fn release(&self) {}
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}
