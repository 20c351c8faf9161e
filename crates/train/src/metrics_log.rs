//! `metrics.jsonl`: one line for each logged step and each evaluation, cut back to where a resumed run stands.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::error::TrainError;
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
    /// When the file cannot be opened.
    pub(crate) fn open(path: PathBuf) -> Result<Self, TrainError> {
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
    /// When it cannot be cut.
    pub(crate) fn cut(&mut self, length: u64) -> Result<(), TrainError> {
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
