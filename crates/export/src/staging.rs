//! A place beside the output where an export grows, and from where it gets its name when it is whole. Whatever goes wrong
//! before, nothing of it stays.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{ExportError, io_error};

/// An export that is being written. Dropped before [`Staging::commit`], it is removed.
#[derive(Debug)]
pub(crate) struct Staging {
    temporary: PathBuf,
    target: PathBuf,
}

impl Staging {
    /// An export to `target`, which must not be there. What an export to the same place left behind when it was killed
    /// is removed.
    ///
    /// # Errors
    /// [`ExportError::Exists`]; [`ExportError::Place`] where there can be nothing; [`ExportError::Io`].
    fn begin(target: &Path) -> Result<Self, ExportError> {
        let place = |reason| ExportError::Place { path: target.to_path_buf(), reason };
        let name = target.file_name().ok_or_else(|| place("it ends in no name"))?;
        match fs::symlink_metadata(target) {
            Ok(_) => return Err(ExportError::Exists { path: target.to_path_buf() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error("write", target)(error)),
        }
        let mut hidden = std::ffi::OsString::from(".tmp-");
        hidden.push(name);
        let staging = Self { temporary: target.with_file_name(hidden), target: target.to_path_buf() };
        staging.clear().map_err(io_error("remove", &staging.temporary))?;
        Ok(staging)
    }

    /// A directory to [`Staging::write`] files into.
    ///
    /// # Errors
    /// As for [`Staging::file`].
    pub(crate) fn directory(target: &Path) -> Result<Self, ExportError> {
        let staging = Self::begin(target)?;
        fs::create_dir(&staging.temporary).map_err(io_error("write", target))?;
        Ok(staging)
    }

    /// An export that is one file of these bytes.
    ///
    /// # Errors
    /// [`ExportError::Exists`]; [`ExportError::Place`] where there can be nothing; [`ExportError::Io`].
    pub(crate) fn file(target: &Path, bytes: &[u8]) -> Result<Self, ExportError> {
        let staging = Self::begin(target)?;
        write_synced(&staging.temporary, bytes).map_err(io_error("write", target))?;
        Ok(staging)
    }

    /// Writes a file of the directory.
    ///
    /// # Errors
    /// [`ExportError::Io`].
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        write_synced(&self.temporary.join(name), bytes).map_err(io_error("write", &self.target.join(name)))
    }

    /// Where the export is until it is committed.
    pub(crate) fn path(&self) -> &Path {
        &self.temporary
    }

    /// Gives the export its name.
    ///
    /// # Errors
    /// [`ExportError::Io`]; [`ExportError::Exists`] when something took the place meanwhile.
    pub(crate) fn commit(self) -> Result<(), ExportError> {
        if fs::symlink_metadata(&self.target).is_ok() {
            return Err(ExportError::Exists { path: self.target.clone() });
        }
        let failed = |error| io_error("write", &self.target)(error);
        if self.temporary.is_dir() {
            sync_dir(&self.temporary).map_err(failed)?;
        }
        fs::rename(&self.temporary, &self.target).map_err(failed)?;
        match self.target.parent() {
            Some(above) if !above.as_os_str().is_empty() => sync_dir(above),
            _ => sync_dir(Path::new(".")),
        }
        .map_err(failed)
    }

    fn clear(&self) -> io::Result<()> {
        let removed = match fs::symlink_metadata(&self.temporary) {
            Ok(there) if there.is_dir() => fs::remove_dir_all(&self.temporary),
            _ => fs::remove_file(&self.temporary),
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = self.clear(); // after a commit there is nothing; else the error that ended the export is told
    }
}

/// Makes a file of these bytes and waits until they are on the disk.
fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Waits until the names in a directory are on the disk, where the system can.
fn sync_dir(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(path)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn an_export_is_there_as_a_whole_or_not_at_all() {
        let folder = temp_dir::TempDir::new().unwrap();
        let target = folder.path().join("out");
        let staging = Staging::directory(&target).unwrap();
        staging.write("a", b"1").unwrap();
        assert_eq!(names(folder.path()), [".tmp-out"]);
        drop(staging);
        assert_eq!(names(folder.path()), [""; 0]);
        let staging = Staging::directory(&target).unwrap();
        staging.write("a", b"1").unwrap();
        staging.commit().unwrap();
        assert_eq!((names(folder.path()), names(&target)), (vec!["out".to_string()], vec!["a".to_string()]));
    }

    #[test]
    fn nothing_is_replaced() {
        let folder = temp_dir::TempDir::new().unwrap();
        let target = folder.path().join("out");
        let late = Staging::file(&target, b"new").unwrap();
        fs::write(&target, "years of work").unwrap();
        assert!(matches!(late.commit(), Err(ExportError::Exists { .. })));
        assert!(matches!(Staging::directory(&target), Err(ExportError::Exists { .. })));
        assert_eq!(
            (names(folder.path()), fs::read(&target).unwrap()),
            (vec!["out".to_string()], b"years of work".to_vec())
        );
    }

    #[test]
    fn what_a_killed_export_left_is_no_obstacle() {
        let folder = temp_dir::TempDir::new().unwrap();
        let target = folder.path().join("out");
        fs::create_dir(folder.path().join(".tmp-out")).unwrap();
        fs::write(folder.path().join(".tmp-out/a"), "half").unwrap();
        let staging = Staging::directory(&target).unwrap();
        staging.write("a", b"whole").unwrap();
        staging.commit().unwrap();
        assert_eq!(fs::read(target.join("a")).unwrap(), b"whole");
    }

    #[test]
    fn places_where_nothing_can_be() {
        let folder = temp_dir::TempDir::new().unwrap();
        assert!(matches!(Staging::directory(Path::new("..")), Err(ExportError::Place { .. })));
        fs::write(folder.path().join("file"), "").unwrap();
        for place in ["nowhere/out", "file/out"] {
            assert!(matches!(Staging::file(&folder.path().join(place), b""), Err(ExportError::Io { .. })), "{place}");
        }
    }
}
