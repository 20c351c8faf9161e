//! `metrics.jsonl`: one line for each logged step and each evaluation, cut back to where a resumed run stands.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::error::{CheckpointError, TrainError};
use crate::run::io_error;

/// The log of a run, open for writing.
#[derive(Debug)]
pub(crate) struct MetricsLog {
    file: File,
    path: PathBuf,
}

impl MetricsLog {
    /// Opens the log, or makes an empty one.
    ///
    /// # Errors
    /// When the file cannot be opened, or is none: a link in a run that came from elsewhere could lead to any file, which
    /// would then be cut.
    pub(crate) fn open(path: PathBuf) -> Result<Self, TrainError> {
        if fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "it is a link, a folder or a pipe, not a file");
            return Err(io_error("open", &path)(error));
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        Ok(Self { file: file.map_err(io_error("open", &path))?, path })
    }

    /// Appends a line and gives its length in bytes.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&mut self, line: &serde_json::Value) -> Result<u64, TrainError> {
        let text = format!("{line}\n");
        self.file.write_all(text.as_bytes()).map_err(io_error("write", &self.path))?;
        Ok(text.len() as u64)
    }

    /// Cuts the log to its first `length` bytes: what is behind belongs to steps that are repeated.
    ///
    /// # Errors
    /// When it is shorter than that, or cannot be cut.
    pub(crate) fn cut(&mut self, length: u64) -> Result<(), TrainError> {
        let found = self.file.metadata().map_err(io_error("read", &self.path))?.len();
        if found < length {
            let reason = format!("it has {found} bytes, but the checkpoint was saved after {length}");
            return Err(CheckpointError::Damaged { path: self.path.clone(), reason }.into());
        }
        let cut = self.file.set_len(length).and_then(|()| self.file.seek(SeekFrom::End(0)));
        cut.map(drop).map_err(io_error("write", &self.path))
    }

    /// Puts what was written on the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn sync(&self) -> Result<(), TrainError> {
        self.file.sync_data().map_err(io_error("write", &self.path))
    }
}
