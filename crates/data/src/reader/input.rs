//! The bytes of a file: hashed as they are stored, unpacked where the name says that they are packed, with a cap on what
//! they may become. Knows nothing of text.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use sha2::{Digest, Sha256};

use super::open::open;
use crate::config::{DataConfig, Packing, packing};
use crate::error::{DataError, Location};
use crate::fingerprint::hex;

/// What a file of so many bytes may unpack to, or the texts in it may come to, in bytes.
pub(super) fn unpacked_limit(stored: u64, max_expansion: u64) -> u64 {
    /// What every file may.
    const FREE: u64 = 1 << 20;
    FREE.max(stored.saturating_mul(max_expansion))
}

/// Why bytes cannot be had although the operating system gives them; travels inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    #[error("{0}")]
    Packed(String),
    #[error("it unpacks to more than {0} times its size")]
    Expansion(u64),
    #[error("it is {0}")]
    NotText(&'static str),
}

/// A file's bytes.
pub(crate) struct UnpackedReader {
    stage: Stage,
    max_expansion: u64,
    given: u64,
}

enum Stage {
    Plain(HashedReader),
    Gzip(Box<MultiGzDecoder<BufReader<HashedReader>>>),
    Zstd(Box<Zstd>),
}

/// The bytes as they are stored, counted and hashed.
struct HashedReader {
    stored: Box<dyn Read + Send>,
    digest: Sha256,
    read: u64,
}

impl HashedReader {
    fn new(stored: impl Read + Send + 'static) -> Self {
        Self { stored: Box::new(stored), digest: Sha256::new(), read: 0 }
    }
}

impl Read for HashedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stored.read(buffer)?;
        self.digest.update(&buffer[..count]);
        self.read += count as u64;
        Ok(count)
    }
}

impl UnpackedReader {
    /// The bytes of an open file, unpacked as the extension of `path` says.
    pub(super) fn new(file: File, path: &Path, config: &DataConfig) -> Self {
        const BUFFER: usize = 64 * 1024;
        let disk = HashedReader::new(file);
        let stage = match packing(path) {
            None => Stage::Plain(disk),
            Some(Packing::Gzip) => Stage::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, disk)))),
            Some(Packing::Zstd) => Stage::Zstd(Box::new(Zstd {
                stored: BufReader::with_capacity(BUFFER, disk),
                decoder: FrameDecoder::new(),
                in_frame: false,
            })),
        };
        Self { stage, max_expansion: config.max_expansion, given: 0 }
    }

    /// The bytes of an open file, or of another stream, as they are.
    pub(super) fn plain(stored: impl Read + Send + 'static) -> Self {
        Self { stage: Stage::Plain(HashedReader::new(stored)), max_expansion: 1, given: 0 }
    }

    /// Hexadecimal SHA-256 of the stored bytes, reading what has not been read.
    pub(crate) fn sha256(mut self) -> io::Result<String> {
        let disk = self.disk();
        io::copy(disk, &mut io::sink())?;
        Ok(hex(&std::mem::take(&mut disk.digest).finalize()))
    }

    fn disk(&mut self) -> &mut HashedReader {
        match &mut self.stage {
            Stage::Plain(disk) => disk,
            Stage::Gzip(decoder) => decoder.get_mut().get_mut(),
            Stage::Zstd(zstd) => zstd.stored.get_mut(),
        }
    }
}

impl Read for UnpackedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.stage {
            Stage::Plain(disk) => {
                let count = disk.read(buffer)?;
                if self.given == 0
                    && let Some(content) = not_text(&buffer[..count])
                {
                    return Err(io::Error::other(InputError::NotText(content)));
                }
                self.given += count as u64;
                return Ok(count);
            }
            Stage::Gzip(decoder) => decoder.read(buffer).map_err(|error| packed(error, ""))?,
            Stage::Zstd(zstd) => zstd.read(buffer)?,
        };
        self.given += count as u64;
        if self.given > unpacked_limit(self.disk().read, self.max_expansion) {
            return Err(io::Error::other(InputError::Expansion(self.max_expansion)));
        }
        Ok(count)
    }
}

/// What bytes are that begin like no text.
pub(super) fn not_text(beginning: &[u8]) -> Option<&'static str> {
    [
        (&b"\x1F\x8B\x08"[..], "a gzip file"),
        (b"\x28\xB5\x2F\xFD", "a zstd file"),
        (b"PAR1", "a Parquet file"),
        (b"PK\x03\x04", "a zip file"),
    ]
    .into_iter()
    .find_map(|(magic, content)| beginning.starts_with(magic).then_some(content))
}

/// Tells damage from what the operating system says.
fn packed(error: io::Error, context: &str) -> io::Error {
    if error.raw_os_error().is_some() || error.kind() == io::ErrorKind::Interrupted {
        return error;
    }
    io::Error::other(InputError::Packed(format!("{context}{error}")))
}

/// Zstandard frames one after the other.
struct Zstd {
    stored: BufReader<HashedReader>,
    decoder: FrameDecoder,
    in_frame: bool,
}

impl Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // The decoder has assertions that damaged data may break.
        catch_unwind(AssertUnwindSafe(|| self.read_on(buffer)))
            .unwrap_or_else(|_| Err(io::Error::other(InputError::Packed("invalid data".to_owned()))))
    }

    fn read_on(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.in_frame && !self.begin_frame()? {
                return Ok(0);
            }
            let count = self.decoder.read(buffer).map_err(|error| packed(error, ""))?;
            if count > 0 {
                return Ok(count);
            }
            if self.decoder.is_finished() {
                let stored = self.decoder.get_checksum_from_data();
                if stored.is_some() && stored != self.decoder.get_calculated_checksum() {
                    return Err(io::Error::other(InputError::Packed(
                        "the checksum is not that of the data".to_owned(),
                    )));
                }
                self.in_frame = false;
                continue;
            }
            self.decoder
                .decode_blocks(&mut self.stored, BlockDecodingStrategy::UptoBytes(buffer.len()))
                .map_err(|error| frame_error(&error))?;
        }
    }

    /// Begins the next frame; `false` if there is none.
    fn begin_frame(&mut self) -> io::Result<bool> {
        use std::io::BufRead;
        loop {
            if self.stored.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.stored) {
                Ok(()) => {
                    self.in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut (&mut self.stored).take(u64::from(length)), &mut io::sink())?;
                }
                Err(error) => return Err(frame_error(&error)),
            }
        }
    }
}

/// The bytes of a file of examples, unpacked if it is packed.
pub(crate) fn open_unpacked(path: &Path) -> Result<UnpackedReader, DataError> {
    Ok(UnpackedReader::new(open(path)?, path, &DataConfig::default()))
}

fn frame_error(error: &FrameDecoderError) -> io::Error {
    let reason = match error {
        FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::BadMagicNumber(_)) => {
            "no Zstandard frame begins here".to_owned()
        }
        error => error.to_string(),
    };
    io::Error::other(InputError::Packed(reason))
}

/// What a failed read means for the file at `path`, whose last whole line is `line`.
pub(crate) fn read_failure(error: io::Error, path: &Path, line: u64) -> DataError {
    let path = path.to_owned();
    match error.get_ref().and_then(|inner| inner.downcast_ref::<InputError>()) {
        Some(InputError::Packed(reason)) => {
            let at = Location { path, line: (line > 0).then_some(line), element: None };
            DataError::Packed { at, reason: reason.clone() }
        }
        Some(InputError::Expansion(times)) => DataError::Expansion { path, times: *times },
        Some(InputError::NotText(content)) => DataError::NotText { path, content },
        None => DataError::Read { path, source: error },
    }
}
