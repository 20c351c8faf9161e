//! What a checkpoint asks of a disk, so that a test can stand in for it and lose power at any moment.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::storage::encoded::Encoded;
use crate::storage::hashed::{hash, read_hashed, sha256};
use crate::storage::staging::sync_dir;

/// The calls by which checkpoints are written, read and removed. Nothing else touches their files.
pub(crate) trait Disk: std::fmt::Debug {
    /// Makes a directory in one that is there, unless it is there itself. What is above it is never made, so that a run whose
    /// directory somebody removes does not come back in part.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes a file and waits until its bytes are on the disk; its name may not be yet.
    fn write_synced(&self, path: &Path, file: &Encoded<'_>) -> io::Result<()>;

    /// Makes several files like that, and says what became of each.
    fn write_all_synced(&self, files: &[(PathBuf, &Encoded<'_>)]) -> Vec<io::Result<()>> {
        files.iter().map(|(path, file)| self.write_synced(path, file)).collect()
    }

    /// Waits until the names in a directory are on the disk.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Gives a directory another name, at once or not at all.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a directory and what is in it, piece by piece.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory, in any order.
    fn names(&self, path: &Path) -> io::Result<Vec<String>>;

    /// The length of a regular file in bytes; [`io::ErrorKind::InvalidInput`] for anything that is no regular file.
    fn len(&self, path: &Path) -> io::Result<u64>;

    /// The first bytes of a file, at most so many.
    fn read(&self, path: &Path, at_most: u64) -> io::Result<Vec<u8>>;

    /// The first bytes of a file, at most so many, and their SHA-256.
    fn read_hashed(&self, path: &Path, at_most: u64) -> io::Result<(Vec<u8>, String)> {
        let bytes = self.read(path, at_most)?;
        let hash = sha256(&bytes);
        Ok((bytes, hash))
    }

    /// How many bytes each of some files has, at most as many as stand beside it, and the SHA-256 of these.
    fn hash_all(&self, files: &[(PathBuf, u64)]) -> Vec<io::Result<(u64, String)>> {
        let hash = |(path, at_most): &(PathBuf, u64)| {
            let (bytes, hash) = self.read_hashed(path, *at_most)?;
            Ok((bytes.len() as u64, hash))
        };
        files.iter().map(hash).collect()
    }
}

/// From how many bytes on files are written and hashed at once.
const WORTH_THREADS: u64 = 1 << 20;

/// The disk as the operating system has it.
#[derive(Debug)]
pub(crate) struct OsDisk;

impl Disk for OsDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            result => result,
        }
    }

    fn write_synced(&self, path: &Path, encoded: &Encoded<'_>) -> io::Result<()> {
        // When syncing fails, what is on the disk is not known, and syncing again may wrongly succeed: the caller gives
        // the file up.
        let mut file = File::create(path)?;
        encoded.write_to(&mut file)?;
        file.sync_all()
    }

    fn write_all_synced(&self, files: &[(PathBuf, &Encoded<'_>)]) -> Vec<io::Result<()>> {
        let write = |(path, file): &(PathBuf, &Encoded<'_>)| self.write_synced(path, file);
        each(files, files.iter().map(|(_, file)| file.len() as u64).sum(), write)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        sync_dir(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        fs::read_dir(path)?.map(name).collect()
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        // Asked before opening, which would wait for the other end of a pipe. A link is none of ours.
        let metadata = fs::symlink_metadata(path)?;
        if metadata.is_file() {
            Ok(metadata.len())
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
        }
    }

    fn read(&self, path: &Path, at_most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(at_most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn read_hashed(&self, path: &Path, at_most: u64) -> io::Result<(Vec<u8>, String)> {
        read_hashed(File::open(path)?, at_most)
    }

    fn hash_all(&self, files: &[(PathBuf, u64)]) -> Vec<io::Result<(u64, String)>> {
        let hash = |(path, at_most): &(PathBuf, u64)| hash(File::open(path)?, *at_most);
        each(files, files.iter().map(|(_, length)| length).sum(), hash)
    }
}

/// What `call` says of each of some files: of several at once, where they have so many bytes in all that it is worth the
/// threads.
fn each<F: Sync, R: Send>(files: &[F], bytes: u64, call: impl Fn(&F) -> R + Send + Sync) -> Vec<R> {
    if bytes < WORTH_THREADS {
        return files.iter().map(call).collect();
    }
    files.par_iter().map(call).collect()
}
