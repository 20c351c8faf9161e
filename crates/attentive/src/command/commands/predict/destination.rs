//! Where the bytes of predictions go: to stdout, or to a file that is whole or not there, compressed as its name says.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use attentive_data::{Packing, packing};
use attentive_train::{StagedFile, StagingError};
use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::form::is_std;
use crate::commands::signals;
use crate::failure::Failure;
use crate::output::{open_stdout, to_stdout};

/// So many bytes become one frame of Zstandard.
const FRAME: usize = 4 << 20;

/// An output that is being written.
pub(super) struct Destination {
    out: Compressed,
    staged: Option<StagedFile>,
    /// The file; `None` for stdout.
    path: Option<PathBuf>,
}

/// Bytes on their way, compressed or not.
enum Compressed {
    Plain(BufWriter<Box<dyn Write>>),
    Gzip(Box<GzEncoder<BufWriter<Box<dyn Write>>>>),
    Zstd { out: BufWriter<Box<dyn Write>>, frame: Vec<u8> },
}

impl Destination {
    /// Opens a file, or stdout for `-` and for none. What is there stays until [`Destination::finish`], unless it is a
    /// pipe or a device.
    pub(super) fn open(output: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = output.filter(|path| !is_std(path)) else {
            return Ok(Self { out: Compressed::new(Box::new(open_stdout()?), None), staged: None, path: None });
        };
        let failed = |source| to_file(path, source);
        let is_special = fs::metadata(path).is_ok_and(|there| !there.is_file());
        let (file, staged) = if is_special {
            (File::create(path).map_err(failed)?, None)
        } else {
            let staged = StagedFile::replacing(path).map_err(|error| staging(path, error))?;
            signals::leave_nothing_unfinished()?;
            (staged.file().try_clone().map_err(failed)?, Some(staged))
        };
        Ok(Self { out: Compressed::new(Box::new(file), packing(path)), staged, path: Some(path.to_path_buf()) })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write(bytes).map_err(|source| self.failure(source))
    }

    /// Sends what is written on its way, where somebody may wait for it.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        match &mut self.out {
            Compressed::Plain(out) if self.staged.is_none() => out.flush().map_err(|source| self.failure(source)),
            _ => Ok(()),
        }
    }

    /// Ends the output and gives the file its name.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.out.finish().map_err(|source| self.failure(source))?;
        match (self.staged.take(), &self.path) {
            (Some(staged), Some(path)) => staged.publish().map_err(|error| staging(path, error)),
            _ => Ok(()),
        }
    }

    fn failure(&self, source: io::Error) -> Failure {
        match &self.path {
            Some(path) => to_file(path, source),
            None => to_stdout(source),
        }
    }
}

fn to_file(path: &Path, source: io::Error) -> Failure {
    Failure::Output { name: format!("`{}`", path.display()), source }
}

fn staging(path: &Path, error: StagingError) -> Failure {
    match error {
        StagingError::Io { source, .. } => to_file(path, source),
        error => Failure::Staging(error),
    }
}

impl Compressed {
    fn new(out: Box<dyn Write>, packing: Option<Packing>) -> Self {
        let out = BufWriter::new(out);
        match packing {
            None => Self::Plain(out),
            Some(Packing::Gzip) => Self::Gzip(Box::new(GzEncoder::new(out, Compression::default()))),
            Some(Packing::Zstd) => Self::Zstd { out, frame: Vec::new() },
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.write_all(bytes),
            Self::Gzip(out) => out.write_all(bytes),
            Self::Zstd { out, frame } => {
                frame.extend_from_slice(bytes);
                if frame.len() < FRAME {
                    return Ok(());
                }
                out.write_all(&compress_to_vec(std::mem::take(frame).as_slice(), CompressionLevel::Fastest))
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Gzip(out) => {
                out.try_finish()?;
                out.get_mut().flush()
            }
            Self::Zstd { out, frame } => {
                out.write_all(&compress_to_vec(frame.as_slice(), CompressionLevel::Fastest))?;
                out.flush()
            }
        }
    }
}
