//! `metrics.jsonl`: one line for each logged step and each evaluation, cut back to where a resumed run stands.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::checkpoint::State;
use crate::error::TrainError;
use crate::error::io_error;
use crate::storage::hashed::hexadecimal;

/// The log of a run, open for writing.
#[derive(Debug)]
pub(crate) struct MetricsLog {
    file: File,
    path: PathBuf,
    bytes: u64,
    hash: Sha256,
}

impl MetricsLog {
    /// Opens the log, or makes an empty one, and cuts it to what a checkpoint knows of it: what is behind belongs to steps
    /// that are repeated. Where that is not what was written, the log is set aside and begun anew, and its place is told.
    ///
    /// # Errors
    /// When the file cannot be opened, read, cut or renamed.
    pub(crate) fn open(path: PathBuf, state: &State) -> Result<(Self, Option<PathBuf>), TrainError> {
        let mut aside = None;
        if !is_intact(&path, state)? {
            let place = path.with_extension("jsonl.corrupt");
            fs::rename(&path, &place)
                .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
                .map_err(io_error("rename", &path))?;
            aside = Some(place);
        }
        let file = OpenOptions::new().read(true).create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(io_error("open", &path))?;
        let mut log = Self { file, path, bytes: 0, hash: Sha256::new() };
        log.cut(if aside.is_some() { 0 } else { state.metrics_bytes })?;
        Ok((log, aside))
    }

    /// Appends a line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&mut self, line: &serde_json::Value) -> Result<(), TrainError> {
        let text = format!("{line}\n");
        self.file.write_all(text.as_bytes()).map_err(io_error("write", &self.path))?;
        self.bytes += text.len() as u64;
        self.hash.update(text.as_bytes());
        Ok(())
    }

    /// Cuts the log to its first `length` bytes.
    ///
    /// # Errors
    /// When it cannot be cut.
    pub(crate) fn cut(&mut self, length: u64) -> Result<(), TrainError> {
        self.file.set_len(length).map_err(io_error("write", &self.path))?;
        self.file.seek(SeekFrom::End(0)).map_err(io_error("write", &self.path))?;
        (self.bytes, self.hash) = (length, hash_of(&self.path, length)?);
        Ok(())
    }

    /// Puts what was written on the disk, and notes in `state` how far the log is.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn sync(&self, state: &mut State) -> Result<(), TrainError> {
        self.file.sync_data().map_err(io_error("write", &self.path))?;
        state.metrics_bytes = self.bytes;
        state.metrics_sha256 = hexadecimal(self.hash.clone().finalize().as_ref());
        Ok(())
    }
}

/// Whether the log begins with what a checkpoint knows of it.
///
/// # Errors
/// When the file is there and cannot be read.
pub(crate) fn is_intact(path: &Path, state: &State) -> Result<bool, TrainError> {
    let length = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(_) => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(state.metrics_bytes == 0),
        Err(error) => return Err(io_error("read", path)(error)),
    };
    if state.metrics_bytes == 0 || length < state.metrics_bytes {
        return Ok(state.metrics_bytes == 0);
    }
    Ok(hexadecimal(hash_of(path, state.metrics_bytes)?.finalize().as_ref()) == state.metrics_sha256)
}

fn hash_of(path: &Path, length: u64) -> Result<Sha256, TrainError> {
    let mut hash = Sha256::new();
    let mut file = File::open(path).map_err(io_error("read", path))?.take(length);
    let mut piece = [0; 1 << 14];
    loop {
        match file.read(&mut piece).map_err(io_error("read", path))? {
            0 => return Ok(hash),
            n => hash.update(&piece[..n]),
        }
    }
}
