//! A file as memory that the operating system reads in when it is looked at. The only unsafe code of the workspace:
//! two calls of `memmap2`.
#![expect(unsafe_code, reason = "a mapped file can change under its reader; here none does, see `Mapped::new`")]

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use memmap2::Mmap;

/// What the operating system maps in at once is never more than this: the largest page of the usual machines.
const REGION: usize = 2 << 20;

/// So many regions of a file may be in this process' memory at once.
const BUDGET: usize = 16;

/// A whole file, read only.
#[derive(Debug)]
pub(crate) struct Mapped {
    map: Mmap,
    file: File,
    /// A bit for each region that has been looked at since memory was last given back, and how many bits are set.
    looked_at: Vec<AtomicU64>,
    n_looked_at: AtomicUsize,
}

impl Mapped {
    /// Maps a file that nobody changes while it is mapped: a scratch file without a name, or a file of the cache, whose
    /// readers hold a lock that writers respect.
    pub(crate) fn new(file: File) -> io::Result<Self> {
        // SAFETY: the caller's file does not change while it is mapped. Every program that respects the lock, which is
        // every copy of this one, leaves it alone.
        let map = unsafe { Mmap::map(&file)? };
        let looked_at = (0..map.len().div_ceil(64 * REGION)).map(|_| AtomicU64::new(0)).collect();
        Ok(Self { map, file, looked_at, n_looked_at: AtomicUsize::new(0) })
    }

    /// Some of the bytes; now and then, what was looked at before is given back to the operating system, so that a walk
    /// through a large file needs little memory.
    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        for region in range.start / REGION..range.end.div_ceil(REGION) {
            let (word, bit) = (&self.looked_at[region / 64], 1 << (region % 64));
            if word.load(Ordering::Relaxed) & bit == 0 {
                if self.n_looked_at.load(Ordering::Relaxed) >= BUDGET {
                    self.looked_at.iter().for_each(|word| word.store(0, Ordering::Relaxed));
                    self.n_looked_at.store(0, Ordering::Relaxed);
                    self.release();
                }
                word.fetch_or(bit, Ordering::Relaxed);
                self.n_looked_at.fetch_add(1, Ordering::Relaxed);
            }
        }
        &self.map[range]
    }

    /// Copies the bytes from `start` on, without mapping them in.
    #[cfg(unix)]
    pub(crate) fn read(&self, bytes: &mut [u8], start: usize) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, start as u64)
    }

    #[cfg(not(unix))]
    pub(crate) fn read(&self, _: &mut [u8], _: usize) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
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
