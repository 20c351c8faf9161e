//! A stream of bytes as lines of text: decoded piece by piece, bounded, with line numbers that are
//! right for every error. Knows nothing of columns.

use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use encoding_rs::{Decoder, DecoderResult, Encoding};

use super::input::{UnpackedReader, read_failure};
use super::layout::{TableKind, TableLayout};
use super::open::open;
use super::origin::DataOrigin;
use crate::config::DataConfig;
use crate::error::{DataError, Location, RowError, RowFault};

/// How many bytes are asked of the operating system at once.
const CHUNK: usize = 64 * 1024;

/// How much is looked at to find out how a file is laid out, in bytes of text.
const LOOKED_AT: usize = 1 << 20;

/// How many times the limit of a line is read to find the end of a line that is too long.
pub(super) const SEARCHED: usize = 64;

/// Lines of text from a stream of bytes.
pub(super) struct TextReader<R> {
    path: PathBuf,
    input: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// The part of `raw` that is not decoded yet.
    undecoded: Range<usize>,
    at_end: bool,
    /// Whether a byte order mark stood at the beginning.
    has_bom: bool,
    /// Whether anything has been read.
    begun: bool,
    /// Decoded text; what is before `handed_out` is gone to the caller.
    text: String,
    handed_out: usize,
    /// Whether `text` holds a NUL character.
    has_nul: bool,
    /// A failure that lies behind the text still to be handed out.
    failure: Option<DataError>,
    /// How many lines have been handed out to their end.
    line: u64,
    /// Whether the beginning of a line has been handed out, but not its end.
    in_line: bool,
    /// The line on which the caller's buffer begins.
    first_line: u64,
    limit: usize,
}

impl<R: Read> TextReader<R> {
    /// `path` stands in error messages; a byte order mark wins over `encoding`.
    pub(super) fn new(input: R, path: PathBuf, encoding: &'static Encoding, limit: usize) -> Self {
        Self {
            path,
            input,
            decoder: encoding.new_decoder(),
            raw: vec![0; CHUNK],
            undecoded: 0..0,
            at_end: false,
            has_bom: false,
            begun: false,
            text: String::new(),
            handed_out: 0,
            has_nul: false,
            failure: None,
            line: 0,
            in_line: false,
            first_line: 1,
            limit,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the last line read, counted from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// A layout of this kind with the encoding that has been found; to be asked once something has been read.
    pub(super) fn layout(&self, kind: TableKind) -> TableLayout {
        TableLayout { encoding: self.decoder.encoding(), has_bom: self.has_bom, ..TableLayout::plain(kind) }
    }

    pub(super) fn at(&self, line: u64) -> Location {
        Location { path: self.path.clone(), line: Some(line), element: None }
    }

    /// Appends the next line with its line end to `buffer`; `false` at the end. A caller that appends a second line to
    /// the first has the limit applied to both together. After an error in the line [`TextReader::finish_line`] goes on.
    pub(super) fn read_line(&mut self, buffer: &mut String) -> Result<bool, DataError> {
        if buffer.is_empty() {
            self.first_line = self.line + 1;
        }
        let mut any = false;
        while self.fill()? {
            any = true;
            let number = self.line + 1;
            let (piece, ended) = self.piece();
            let has_nul = self.has_nul && self.text[piece.clone()].contains('\0');
            buffer.push_str(&self.text[piece]);
            if has_nul {
                return Err(RowFault::Nul.at(self.at(number)));
            }
            if trim_line_end(buffer).len() > self.limit {
                return Err(RowFault::TooLong { limit: self.limit }.at(self.at(self.first_line)));
            }
            if ended {
                return Ok(true);
            }
        }
        self.end_last_line();
        Ok(any)
    }

    /// Hands out text up to the end of the line, or what there is of it; tells whether the line ended.
    fn piece(&mut self) -> (Range<usize>, bool) {
        let start = self.handed_out;
        let end = memchr::memchr(b'\n', &self.text.as_bytes()[start..]).map(|position| start + position + 1);
        self.handed_out = end.unwrap_or(self.text.len());
        self.in_line = end.is_none();
        self.line += u64::from(end.is_some());
        (start..self.handed_out, end.is_some())
    }

    /// Counts a last line that has no line end.
    fn end_last_line(&mut self) {
        self.line += u64::from(std::mem::take(&mut self.in_line));
    }

    /// Leaves out the rest of a line in which an error was found.
    ///
    /// # Errors
    /// The line goes on for many times the limit, or the stream fails.
    pub(super) fn finish_line(&mut self) -> Result<(), DataError> {
        let mut searched = 0;
        while self.in_line {
            match self.fill() {
                Ok(true) => {
                    let number = self.line + 1;
                    searched += self.piece().0.len();
                    if searched > self.limit.saturating_mul(SEARCHED) {
                        return Err(RowFault::TooLong { limit: self.limit }.at(self.at(number)));
                    }
                }
                Ok(false) => self.end_last_line(),
                Err(DataError::Row(RowError { fault: RowFault::Undecodable { .. }, .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes back text that was handed out, up to where the source stands: it is read again as what follows `line`.
    pub(super) fn take_back(&mut self, text: &str, line: u64) {
        self.text.replace_range(..self.handed_out, text);
        self.has_nul = self.has_nul || text.contains('\0');
        self.handed_out = 0;
        self.in_line = false;
        self.line = line;
    }

    /// The beginning of the text, as far as it is enough, or as much as is looked at. Nothing of it is taken, and no failure
    /// either.
    pub(super) fn beginning(&mut self, is_enough: impl Fn(&str) -> bool) -> &str {
        let mut more = self.fill();
        while matches!(more, Ok(true))
            && !is_enough(&self.text[self.handed_out..])
            && self.text.len() < LOOKED_AT
            && self.failure.is_none()
            && !(self.at_end && self.undecoded.is_empty())
        {
            more = if self.undecoded.is_empty() { self.read_chunk().map(|()| true) } else { Ok(true) };
            self.decode();
        }
        if let Err(error) = more {
            self.failure = Some(error);
        }
        &self.text[self.handed_out..]
    }

    /// Text that has not been handed out yet; empty at the end. After an error in it the next call goes on behind it.
    pub(super) fn rest(&mut self) -> Result<&str, DataError> {
        self.fill()?;
        Ok(&self.text[self.handed_out..])
    }

    /// Hands out so many bytes of [`TextReader::rest`].
    pub(super) fn skip(&mut self, bytes: usize) {
        let end = self.handed_out + bytes;
        self.line += newlines(&self.text[self.handed_out..end]);
        self.handed_out = end;
    }

    /// How long a line, field or text may be, in bytes.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The whole stream as one text. Errors name the file and, where a byte is at fault, its line.
    pub(super) fn read_all(&mut self) -> Result<String, DataError> {
        let mut all = String::new();
        while self.fill()? {
            let rest = &self.text[self.handed_out..];
            self.handed_out = self.text.len();
            if let Some(position) = rest.find('\0') {
                return Err(RowFault::Nul.at(self.at(self.line + newlines(&rest[..position]) + 1)));
            }
            self.line += newlines(rest);
            all.push_str(rest);
            if all.len() > self.limit {
                let at = Location { path: self.path.clone(), ..Location::default() };
                return Err(RowFault::TooLong { limit: self.limit }.at(at));
            }
        }
        Ok(all)
    }

    /// Makes sure that there is text to hand out; `false` at the end.
    fn fill(&mut self) -> Result<bool, DataError> {
        while self.handed_out == self.text.len() {
            if let Some(failure) = self.failure.take() {
                self.in_line = true;
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
                    self.at_end = count == 0;
                    // At the end the last bytes stay in place, to be named if they are cut inside a character.
                    self.undecoded = if self.at_end { self.undecoded.end..self.undecoded.end } else { 0..count };
                    if !std::mem::replace(&mut self.begun, true) {
                        self.has_bom = Encoding::for_bom(&self.raw[..count]).is_some();
                    }
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(read_failure(error, &self.path, self.line)),
            }
        }
    }

    fn decode(&mut self) {
        let bytes = &self.raw[self.undecoded.clone()];
        // One byte becomes at most three in every encoding; the rest is for what the decoder holds back.
        self.text.reserve(3 * bytes.len() + 16);
        let (result, read) = self.decoder.decode_to_string_without_replacement(bytes, &mut self.text, self.at_end);
        self.undecoded.start += read;
        self.has_nul = memchr::memchr(0, self.text.as_bytes()).is_some();
        if let DecoderResult::Malformed(length, extra) = result {
            let end = self.undecoded.start - usize::from(extra).min(self.undecoded.start);
            let start = end.saturating_sub(usize::from(length));
            let bytes = name_bytes(&self.raw[start..end]);
            let undecodable = RowFault::Undecodable { bytes, encoding: self.decoder.encoding().name().to_owned() };
            self.failure = Some(undecodable.at(self.at(self.line + newlines(&self.text) + 1)));
        }
    }
}

impl TextReader<UnpackedReader> {
    /// Opens a file of examples, or the standard input.
    pub(super) fn open(from: DataOrigin<'_>, config: &DataConfig) -> Result<Self, DataError> {
        let input = match from {
            DataOrigin::File(path) => UnpackedReader::new(open(path)?, path, config),
            DataOrigin::Stdin => UnpackedReader::plain(io::stdin()),
        };
        Ok(Self::new(input, from.path().to_owned(), config.encoding()?, config.max_line_bytes))
    }

    /// Hexadecimal SHA-256 of the file as it is stored.
    pub(super) fn sha256(self) -> Result<String, DataError> {
        self.input.sha256().map_err(|source| DataError::Read { path: self.path, source })
    }
}

/// The line without its line end.
pub(super) fn trim_line_end(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
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
