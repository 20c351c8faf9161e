//! Json: one array of objects, `[{"text": …, "label": …}, …]`. Its elements are found one after the other, only one of which
//! is in memory, and each is read as a line of a jsonl file is.

use std::io::Read;
use std::num::NonZeroU64;
use std::path::PathBuf;

use super::jsonl::{JsonObject, RowKeys, row};
use crate::error::{DataError, Location, RowError, RowFault};
use crate::reader::layout::TableKind;
use crate::reader::rows::RowSink;
use crate::reader::source::{SEARCHED, TextReader};

/// What every array begins with.
pub(in crate::reader) const OPEN: &str = "[";

/// Hands every element's text and label to `rows`.
pub(in crate::reader) fn read<R: Read>(source: &mut TextReader<R>, rows: &mut RowSink<'_>) -> Result<(), DataError> {
    let keys = RowKeys::of(rows);
    let (mut json, mut joined) = (String::new(), String::new());
    let mut elements = Elements::new(source);
    while let Some(Element { at, column, fault }) = elements.next(&mut json)? {
        if elements.number == 1 {
            rows.layout(elements.source.layout(TableKind::JsonLines));
        }
        match fault {
            Some(fault) => rows.bad(fault)?,
            None => row(&JsonObject { json: &json, column, at: &|| at.clone() }, &keys, &mut joined, rows)
                .or_else(|error| rows.bad_object(error, &json))?,
        }
    }
    if elements.number > 0 { Ok(()) } else { Err(DataError::Empty { path: source.path().to_owned() }) }
}

/// The elements at the beginning of an array that `head` holds whole.
pub(crate) fn whole_elements(head: &str) -> Vec<String> {
    let mut source = TextReader::new(head.as_bytes(), PathBuf::new(), encoding_rs::UTF_8, head.len());
    let mut elements = Elements::new(&mut source);
    let (mut found, mut json) = (Vec::new(), String::new());
    while let Ok(Some(Element { fault: None, .. })) = elements.next(&mut json) {
        found.push(std::mem::take(&mut json));
    }
    found
}

/// The elements of an array, by its brackets, commas and quotes alone: what is between them may be invalid.
struct Elements<'a, R> {
    source: &'a mut TextReader<R>,
    /// How many elements have begun.
    number: u64,
    /// Bytes of the current line before what is read next.
    before: usize,
}

/// Where an element begins.
struct Element {
    at: Location,
    /// The byte column, counted from 1.
    column: usize,
    /// Why it cannot be parsed at all.
    fault: Option<DataError>,
}

impl<'a, R: Read> Elements<'a, R> {
    fn new(source: &'a mut TextReader<R>) -> Self {
        Self { source, number: 0, before: 0 }
    }

    /// Puts the next element into `json`; `None` at the end of the array.
    ///
    /// # Errors
    /// The file is no array, or the stream fails. Behind such a fault no element can be found.
    fn next(&mut self, json: &mut String) -> Result<Option<Element>, DataError> {
        match (self.peek()?, self.number) {
            (None, 0) => return Err(DataError::Empty { path: self.source.path().to_owned() }),
            (Some(b'['), 0) | (Some(b','), 1..) => {
                self.skip(1);
                match self.peek()? {
                    Some(b',') => return Err(self.not_an_array("nothing stands before this comma")),
                    Some(b']') if self.number > 0 => {
                        return Err(self.not_an_array("nothing stands between the last comma and this bracket"));
                    }
                    Some(b']') => return self.end(),
                    _ => {}
                }
            }
            (_, 0) => return Err(self.not_an_array("it does not begin with `[`")),
            _ => return self.end(),
        }
        self.number += 1;
        let (at, column) = (self.at(), self.before + 1);
        let fault = self.element(json, &at)?;
        Ok(Some(Element { at, column, fault }))
    }

    /// The bracket behind the last element, behind which nothing may stand.
    fn end(&mut self) -> Result<Option<Element>, DataError> {
        if self.peek()?.is_none() {
            return Err(self.not_an_array("the file ends before the array does"));
        }
        self.skip(1);
        match self.peek()? {
            None => Ok(None),
            Some(_) => Err(self.not_an_array("something stands behind its end")),
        }
    }

    /// Reads up to the comma or bracket behind an element; gives why it cannot be parsed, if so.
    fn element(&mut self, json: &mut String, at: &Location) -> Result<Option<DataError>, DataError> {
        let (mut fault, mut searched) = (None, 0);
        let mut nesting = Nesting::default();
        json.clear();
        loop {
            let piece = match self.source.rest() {
                Ok("") => return Err(self.not_an_array("the file ends within this element")),
                Ok(piece) => piece,
                Err(DataError::Row(RowError { at: place, fault: undecodable @ RowFault::Undecodable { .. } })) => {
                    fault.get_or_insert(undecodable.at(Location { element: at.element, ..place }));
                    continue;
                }
                Err(error) => return Err(error),
            };
            let end = piece.bytes().position(|byte| nesting.ends_before(byte));
            let piece = &piece[..end.unwrap_or(piece.len())];
            if piece.contains('\0') {
                fault.get_or_insert(RowFault::Nul.at(at.clone()));
            }
            searched += piece.len();
            if fault.is_none() {
                json.push_str(piece);
            }
            let (length, limit) = (piece.len(), self.source.limit());
            self.skip(length);
            if searched > limit {
                let too_long = RowFault::TooLong { limit }.at(at.clone());
                if searched > limit.saturating_mul(SEARCHED) {
                    return Err(too_long);
                }
                fault.get_or_insert(too_long);
            }
            if end.is_some() {
                json.truncate(json.trim_ascii_end().len());
                return Ok(fault);
            }
        }
    }

    /// The next byte that is no white space; `None` at the end.
    fn peek(&mut self) -> Result<Option<u8>, DataError> {
        loop {
            let rest = self.source.rest()?;
            let blank = rest.bytes().take_while(u8::is_ascii_whitespace).count();
            let next = rest.as_bytes().get(blank).copied();
            let is_end = rest.is_empty();
            self.skip(blank);
            if next.is_some() || is_end {
                return Ok(next);
            }
        }
    }

    /// Goes on by so many bytes of what is there.
    fn skip(&mut self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        // What is there has been asked for before, so that this fails no more.
        let skipped = self.source.rest().map_or("", |rest| &rest[..bytes]);
        self.before = match skipped.rfind('\n') {
            Some(newline) => bytes - newline - 1,
            None => self.before + bytes,
        };
        self.source.skip(bytes);
    }

    fn at(&self) -> Location {
        Location { element: NonZeroU64::new(self.number), ..self.source.at(self.source.line() + 1) }
    }

    fn not_an_array(&self, reason: &'static str) -> DataError {
        DataError::JsonArray { at: self.at(), column: self.before + 1, reason }
    }
}

/// How deep in brackets and quotes an element is.
#[derive(Default)]
struct Nesting {
    depth: usize,
    in_string: bool,
    is_escaped: bool,
}

impl Nesting {
    /// Whether the element ends before this byte.
    fn ends_before(&mut self, byte: u8) -> bool {
        if self.in_string {
            self.in_string = self.is_escaped || byte != b'"';
            self.is_escaped = byte == b'\\' && !self.is_escaped;
            return false;
        }
        match byte {
            b',' | b']' if self.depth == 0 => return true,
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        false
    }
}
