//! A stream of bytes as lines of text: decoded piece by piece, hashed on the way, bounded, with line numbers that are
//! right for every error. Knows nothing of columns.

use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use encoding_rs::{Decoder, DecoderResult, Encoding};
use sha2::{Digest, Sha256};

use crate::error::{DataError, Location};

/// How many bytes are asked of the operating system at once.
const CHUNK: usize = 64 * 1024;

/// Lines of text from a stream of bytes.
pub(crate) struct Source<R> {
    path: PathBuf,
    input: R,
    digest: Sha256,
    decoder: Decoder,
    raw: Vec<u8>,
    /// The part of `raw` that is not decoded yet.
    undecoded: Range<usize>,
    at_end: bool,
    /// Decoded text; the lines before `handed_out` are gone to the caller.
    text: String,
    handed_out: usize,
    /// The line that the end of `text` is on.
    decoded_line: u64,
    /// A failure that lies behind the text still to be handed out.
    failure: Option<DataError>,
    /// The number of the last line handed out.
    line: u64,
    /// The line on which the caller's buffer begins.
    first_line: u64,
    limit: usize,
}

impl<R: Read> Source<R> {
    /// `path` stands in error messages; a byte order mark wins over `encoding`.
    pub(super) fn new(input: R, path: PathBuf, encoding: &'static Encoding, limit: usize) -> Self {
        Self {
            path,
            input,
            digest: Sha256::new(),
            decoder: encoding.new_decoder(),
            raw: vec![0; CHUNK],
            undecoded: 0..0,
            at_end: false,
            text: String::new(),
            handed_out: 0,
            decoded_line: 1,
            failure: None,
            line: 0,
            first_line: 1,
            limit,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the last line read, counted from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    pub(crate) fn at(&self, line: u64) -> Location {
        Location { path: self.path.clone(), line: Some(line) }
    }

    /// Hexadecimal SHA-256 of the bytes read, which are all bytes once a read has returned `false`.
    pub(crate) fn sha256(self) -> String {
        hex(&self.digest.finalize())
    }

    /// Appends the next line with its line end to `buffer`; `false` at the end. A caller that appends a second line to
    /// the first has the limit applied to both together.
    pub(crate) fn read_line(&mut self, buffer: &mut String) -> Result<bool, DataError> {
        if buffer.is_empty() {
            self.first_line = self.line + 1;
        }
        let mut any = false;
        while self.fill()? {
            any = true;
            let rest = &self.text[self.handed_out..];
            let end = rest.find('\n').map(|position| position + 1);
            let piece = &rest[..end.unwrap_or(rest.len())];
            self.handed_out += piece.len();
            if piece.contains('\0') {
                return Err(DataError::Nul { at: self.at(self.line + 1) });
            }
            buffer.push_str(piece);
            if trim_line_end(buffer).len() > self.limit {
                return Err(DataError::TooLong { at: self.at(self.first_line), limit: self.limit });
            }
            if end.is_some() {
                break;
            }
        }
        self.line += u64::from(any);
        Ok(any)
    }

    /// The whole stream as one text. Errors name the file and, where a byte is at fault, its line.
    pub(super) fn read_all(&mut self) -> Result<String, DataError> {
        let mut all = String::new();
        while self.fill()? {
            let rest = &self.text[self.handed_out..];
            self.handed_out = self.text.len();
            if let Some(position) = rest.find('\0') {
                let line = newlines(&all) + newlines(&rest[..position]) + 1;
                return Err(DataError::Nul { at: self.at(line) });
            }
            all.push_str(rest);
            if all.len() > self.limit {
                let at = Location { path: self.path.clone(), line: None };
                return Err(DataError::TooLong { at, limit: self.limit });
            }
        }
        Ok(all)
    }

    /// Makes sure that there is text to hand out; `false` at the end.
    fn fill(&mut self) -> Result<bool, DataError> {
        while self.handed_out == self.text.len() {
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            if self.at_end && self.undecoded.is_empty() {
                return Ok(false);
            }
            self.text.clear();
            self.handed_out = 0;
            if self.undecoded.is_empty() {
                self.read_chunk()?;
            }
            self.decode();
        }
        Ok(true)
    }

    fn read_chunk(&mut self) -> Result<(), DataError> {
        loop {
            match self.input.read(&mut self.raw) {
                Ok(count) => {
                    self.digest.update(&self.raw[..count]);
                    self.at_end = count == 0;
                    // At the end the last bytes stay in place, to be named if they are cut inside a character.
                    self.undecoded = if self.at_end { self.undecoded.end..self.undecoded.end } else { 0..count };
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(DataError::Read { path: self.path.clone(), source }),
            }
        }
    }

    fn decode(&mut self) {
        let bytes = &self.raw[self.undecoded.clone()];
        // One byte becomes at most three in every encoding; the rest is for what the decoder holds back.
        self.text.reserve(3 * bytes.len() + 16);
        let (result, read) = self.decoder.decode_to_string_without_replacement(bytes, &mut self.text, self.at_end);
        self.undecoded.start += read;
        self.decoded_line += newlines(&self.text);
        if let DecoderResult::Malformed(length, extra) = result {
            let end = self.undecoded.start - usize::from(extra).min(self.undecoded.start);
            let start = end.saturating_sub(usize::from(length));
            self.failure = Some(DataError::Undecodable {
                at: self.at(self.decoded_line),
                bytes: name_bytes(&self.raw[start..end]),
                encoding: self.decoder.encoding().name().to_owned(),
            });
        }
    }
}

/// The line without its line end.
pub(crate) fn trim_line_end(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn newlines(text: &str) -> u64 {
    text.bytes().filter(|&byte| byte == b'\n').count() as u64
}

fn name_bytes(bytes: &[u8]) -> String {
    let names: Vec<String> = bytes.iter().map(|byte| format!("0x{byte:02X}")).collect();
    match names.len() {
        0 => "the end of the file".to_owned(),
        1 => format!("byte {}", names[0]),
        _ => format!("bytes {}", names.join(" ")),
    }
}
