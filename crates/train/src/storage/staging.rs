//! Output that is whole or not there: a file or directory grows under a temporary name beside its target and is renamed
//! when it is complete.
//!
//! The temporary name, `.tmp-NAME-RANDOM`, is created exclusively, so that two processes never share one, and locked for as
//! long as it is used. What a killed process left is removed by the next that writes to the same target, if its lock is
//! free: a lock says the same in every container, where process ids do not. Whoever ends the process by a signal first
//! calls [`remove_unfinished`].

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(test)]
mod tests;

/// The outputs of this process that are not published yet.
static UNFINISHED: Mutex<Vec<OutputPlace>> = Mutex::new(Vec::new());

/// What the temporary names begin with.
const PREFIX: &str = ".tmp-";
/// The hexadecimal digits that they end in.
const RANDOM_DIGITS: usize = 16;
/// How much of the target's name they hold: they must not be too long where the target's is not.
const MAX_NAME_CHARACTERS: usize = 48;
/// How often to try another temporary name. Only a process that takes one for a leftover is in the way of the first.
const ATTEMPTS: usize = 100;

/// An output that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum StagingError {
    /// There is something at the target, and it is not to be replaced.
    #[error("`{path}` is there already", path = path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// The target has no name, or is nothing that can be replaced.
    #[error("nothing can be written to `{path}`: {reason}", path = path.display())]
    Place {
        /// The target.
        path: PathBuf,
        /// Why not.
        reason: &'static str,
    },
    /// The system refused.
    #[error("cannot write `{path}`", path = path.display())]
    Io {
        /// The target, or a file in it.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// A file that is being written. Dropped before [`StagedFile::publish`], it is removed.
#[derive(Debug)]
pub struct StagedFile {
    staged: Staged,
    file: File,
    replaces: bool,
}

impl StagedFile {
    /// A new file at `target`, where nothing may be.
    ///
    /// # Errors
    /// [`StagingError::Exists`]; [`StagingError::Place`] where there can be no file; [`StagingError::Io`].
    pub fn new(target: &Path) -> Result<Self, StagingError> {
        check_vacant(target)?;
        let (staged, file) = Staged::new(target.to_path_buf(), target, create_file)?;
        Ok(Self { staged, file, replaces: false })
    }

    /// A file that takes the place of the one at `target`, if there is one, and its permissions. Until then the old one
    /// stays as it is. Where `target` is a link, the file that it leads to is replaced.
    ///
    /// # Errors
    /// [`StagingError::Place`] where there is something else than a file, such as a directory or a device, which can only
    /// be written to as it is; [`StagingError::Io`].
    pub fn replacing(target: &Path) -> Result<Self, StagingError> {
        let failed = io_error(target);
        let old = match fs::metadata(target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            old => Some(old.map_err(&failed)?),
        };
        if old.as_ref().is_some_and(|old| !old.is_file()) {
            return Err(StagingError::Place { path: target.to_path_buf(), reason: "it is no regular file" });
        }
        let place = if old.is_some() { fs::canonicalize(target).map_err(&failed)? } else { target.to_path_buf() };
        let (staged, file) = Staged::new(place, target, create_file)?;
        if let Some(old) = old {
            file.set_permissions(old.permissions()).map_err(failed)?;
        }
        Ok(Self { staged, file, replaces: true })
    }

    /// The file to write to.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Writes bytes to it.
    ///
    /// # Errors
    /// [`StagingError::Io`].
    pub fn write(&self, bytes: &[u8]) -> Result<(), StagingError> {
        (&self.file).write_all(bytes).map_err(io_error(&self.staged.0.target))
    }

    /// Where it is until it is published.
    pub fn path(&self) -> &Path {
        &self.staged.0.temporary
    }

    /// Gives the file its name, at once, when its bytes are on the disk.
    ///
    /// # Errors
    /// [`StagingError::Exists`] when something took the place of a new file meanwhile; [`StagingError::Io`].
    pub fn publish(self) -> Result<(), StagingError> {
        self.file.sync_all().map_err(io_error(&self.staged.0.target))?;
        match self.replaces {
            true => self.staged.publish(|from, to| fs::rename(from, to)),
            false => self.staged.publish(rename_new),
        }
    }
}

/// A directory that is being filled. Dropped before [`StagedDirectory::publish`], it is removed.
#[derive(Debug)]
pub struct StagedDirectory {
    staged: Staged,
    /// Holds the lock, where the system can lock a directory.
    _lock: Option<File>,
}

impl StagedDirectory {
    /// A new directory at `target`, where nothing may be.
    ///
    /// # Errors
    /// As [`StagedFile::new`].
    pub fn new(target: &Path) -> Result<Self, StagingError> {
        check_vacant(target)?;
        let (staged, lock) = Staged::new(target.to_path_buf(), target, create_directory)?;
        Ok(Self { staged, _lock: lock })
    }

    /// Where it is until it is published.
    pub fn path(&self) -> &Path {
        &self.staged.0.temporary
    }

    /// Writes a file into it, to the disk.
    ///
    /// # Errors
    /// [`StagingError::Io`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StagingError> {
        write_new(&self.path().join(name), bytes).map_err(io_error(&self.staged.0.target.join(name)))
    }

    /// Gives the directory its name, at once. Whatever else than [`StagedDirectory::write`] wrote to it has synced that.
    ///
    /// # Errors
    /// [`StagingError::Exists`] when something took the place meanwhile; [`StagingError::Io`].
    pub fn publish(self) -> Result<(), StagingError> {
        sync_dir(self.path()).map_err(io_error(&self.staged.0.target))?;
        self.staged.publish(rename_new)
    }
}

/// Removes every output of this process that is not published, and gives the targets. As long as what it gives is kept, none
/// can be published: it is for a process that ends at once.
pub fn remove_unfinished() -> RemovedOutputs {
    let mut places = unfinished();
    let targets = places.drain(..).map(|OutputPlace { temporary, named, .. }| {
        // Another thread may still be filling the directory.
        let _ = (0..ATTEMPTS).find(|_| !matches!(remove(&temporary), Err(error) if is_not_empty(&error)));
        named
    });
    RemovedOutputs { targets: targets.collect(), _none_is_published: places }
}

/// What [`remove_unfinished`] has removed.
#[derive(Debug)]
pub struct RemovedOutputs {
    /// What the outputs were to become.
    pub targets: Vec<PathBuf>,
    _none_is_published: MutexGuard<'static, Vec<OutputPlace>>,
}

fn unfinished() -> MutexGuard<'static, Vec<OutputPlace>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A temporary name and what it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OutputPlace {
    temporary: PathBuf,
    target: PathBuf,
    /// The target as it was named; a link may lead from there.
    named: PathBuf,
}

/// What is written under a temporary name. Dropped, it is removed.
#[derive(Debug)]
struct Staged(OutputPlace);

impl Staged {
    /// Takes a new temporary name by `create`, which gives `None` when the name is taken.
    fn new<T>(
        target: PathBuf,
        named: &Path,
        create: impl Fn(&Path) -> io::Result<Option<T>>,
    ) -> Result<(Self, T), StagingError> {
        let prefix = temporary_prefix(name_of(&target)?);
        remove_leftovers(directory_of(&target), &prefix);
        for _ in 0..ATTEMPTS {
            let random = RandomState::new().hash_one(&target);
            let temporary = target.with_file_name(format!("{prefix}{random:0RANDOM_DIGITS$x}"));
            let mut unfinished = unfinished();
            match create(&temporary) {
                Ok(Some(created)) => {
                    let place = OutputPlace { temporary, target, named: named.to_path_buf() };
                    unfinished.push(place.clone());
                    return Ok((Self(place), created));
                }
                Ok(None) => {}
                Err(source) => return Err(StagingError::Io { path: target, source }),
            }
        }
        let source = io::Error::new(io::ErrorKind::AlreadyExists, "every temporary name beside it is taken");
        Err(StagingError::Io { path: target, source })
    }

    fn publish(self, rename: impl FnOnce(&Path, &Path) -> io::Result<()>) -> Result<(), StagingError> {
        let OutputPlace { temporary, target, .. } = &self.0;
        let renamed = {
            let mut unfinished = unfinished();
            rename(temporary, target).inspect(|()| unfinished.retain(|place| place != &self.0))
        };
        renamed.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => {
                StagingError::Exists { path: target.clone() }
            }
            _ => io_error(target)(source),
        })?;
        sync_dir(directory_of(target)).map_err(io_error(target))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Once it is published there is nothing; else the error that ended the output is the one to tell.
        let _ = remove(&self.0.temporary);
        unfinished().retain(|place| place != &self.0);
    }
}

fn name_of(target: &Path) -> Result<&OsStr, StagingError> {
    target.file_name().ok_or_else(|| StagingError::Place { path: target.to_path_buf(), reason: "it ends in no name" })
}

/// Whether nothing is at a target, before any work is done for it.
fn check_vacant(target: &Path) -> Result<(), StagingError> {
    name_of(target)?;
    match fs::symlink_metadata(target) {
        Ok(_) => Err(StagingError::Exists { path: target.to_path_buf() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error(target)(error)),
    }
}

/// A file that was not there, locked; `None` when the name is taken.
fn create_file(path: &Path) -> io::Result<Option<File>> {
    match File::options().read(true).write(true).create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        file => lock_new(file?, path),
    }
}

/// A directory that was not there, locked where that can be; `None` when the name is taken.
fn create_directory(path: &Path) -> io::Result<Option<Option<File>>> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        created => created?,
    }
    if !cfg!(unix) {
        return Ok(Some(None)); // elsewhere a directory is nothing that can be opened
    }
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        handle => Ok(lock_new(handle?, path)?.map(Some)),
    }
}

/// Locks what was just created; `None` when another process took it for a leftover before it was locked. On a file system
/// without locks it stays without, and so do leftovers.
fn lock_new(handle: File, path: &Path) -> io::Result<Option<File>> {
    let is_ours = match handle.try_lock() {
        Err(TryLockError::WouldBlock) => false,
        Ok(()) | Err(TryLockError::Error(_)) => is_at(&handle, path)?,
    };
    Ok(is_ours.then_some(handle))
}

/// The beginning of the temporary names of a target.
fn temporary_prefix(name: &OsStr) -> String {
    let name: String = name.to_string_lossy().chars().take(MAX_NAME_CHARACTERS).collect();
    format!("{PREFIX}{name}-")
}

/// Removes what killed processes left under temporary names with this beginning. What cannot be removed is no obstacle.
fn remove_leftovers(directory: &Path, prefix: &str) {
    let is_temporary = |name: &OsStr| {
        let random = name.to_str().and_then(|name| name.strip_prefix(prefix));
        random.is_some_and(|random| random.len() == RANDOM_DIGITS && random.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten().filter(|entry| is_temporary(&entry.file_name())) {
        // Neither a link nor a pipe is ours. Some file systems lock a file only for who may write to it.
        if let Ok(kind) = entry.file_type()
            && (kind.is_file() || kind.is_dir())
            && let Ok(handle) = File::options().read(true).write(kind.is_file()).open(entry.path())
            && handle.try_lock().is_ok()
        {
            let _ = remove(&entry.path());
        }
    }
}

fn is_not_empty(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::DirectoryNotEmpty
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path)?.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}

/// Renames what has one name to a name that nothing has, or fails with [`io::ErrorKind::AlreadyExists`].
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // The system or the file system does not have it.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::PERM) => {}
            result => return Ok(result?),
        }
    }
    rename_reserved(from, to)
}

/// The same where the system has no such call: the new name is first taken by an empty file or directory, which no other
/// process can do then, and which the renaming replaces.
fn rename_reserved(from: &Path, to: &Path) -> io::Result<()> {
    if fs::symlink_metadata(from)?.is_dir() {
        if cfg!(unix) {
            fs::create_dir(to)?; // elsewhere a renaming replaces no directory
        }
        return fs::rename(from, to).inspect_err(|_| drop(fs::remove_dir(to)));
    }
    match fs::hard_link(from, to) {
        Ok(()) => return fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        Err(_) => drop(File::create_new(to)?), // a file system without links
    }
    fs::rename(from, to).inspect_err(|_| drop(fs::remove_file(to)))
}

/// The directory that a path is in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

/// Makes a file of these bytes, where none may be, and waits until they are on the disk.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Waits until the names in a directory are on the disk. Windows has no such call and keeps its own journal of names; some
/// file systems of other machines refuse it.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(path)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}

/// Whether an open file or directory is still the one that has this name.
pub(crate) fn is_at(handle: &File, path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(there) => Ok(is_same(&there, &handle.metadata()?)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Imported what is open cannot be given to another file.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> StagingError {
    let path = path.to_path_buf();
    move |source| StagingError::Io { path: path.clone(), source }
}
