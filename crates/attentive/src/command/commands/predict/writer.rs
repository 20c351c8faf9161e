//! Predictions as rows of the output: in the form that was asked for, in the encoding of the input.

use std::borrow::Cow;
use std::path::Path;

use attentive_data::{TableKind, TableLayout, TableRows};
use attentive_train::Prediction;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::destination::Destination;
use super::form::{Form, FormFault, OutputRow, Wording};
use super::output_format::OutputFormat;
use crate::failure::Failure;
use crate::predict_failure::{PredictFailure, Unrepresentable};

/// What is to be written, and where.
#[derive(Clone, Copy)]
pub(super) struct OutputOptions<'a> {
    pub(super) target: OutputFormat,
    pub(super) output: Option<&'a Path>,
    pub(super) wording: Wording<'a>,
    /// What the input is called in messages.
    pub(super) input: &'a str,
}

/// Writes the rows of an input.
pub(super) struct PredictionWriter<'a> {
    form: Box<dyn Form + 'a>,
    encoding: &'static Encoding,
    destination: Destination,
    asked: OutputOptions<'a>,
    /// Whether the rows of the input are JSON objects.
    is_json: bool,
    /// How many rows are errors.
    n_errors: u64,
    text: String,
}

impl<'a> OutputOptions<'a> {
    /// Opens the output for an input of this layout.
    pub(super) fn begin(mut self, mut layout: TableLayout) -> Result<PredictionWriter<'a>, Failure> {
        let as_read = layout.encoding;
        if self.output.is_none() {
            // A terminal, or a program that knows nothing of the input.
            (layout.encoding, layout.has_bom) = (UTF_8, false);
        }
        let (encoding, kind) = (layout.encoding, layout.kind);
        let is_utf8 = as_read == UTF_8 && self.wording.config.encoding.eq_ignore_ascii_case("utf-8");
        self.wording.ascii = self.output.is_some() && !is_utf8;
        let writes_json = matches!(self.target, OutputFormat::JsonLines | OutputFormat::JsonArray);
        // A JSON file has no mark, unless it comes from one that has.
        let has_bom = layout.has_bom && (encoding != UTF_8 || !writes_json || kind == TableKind::JsonLines);
        let form = self.target.form(layout, self.wording)?;
        let destination = Destination::open(self.output)?;
        let is_json = kind.is_json();
        let mut writer =
            PredictionWriter { form, encoding, destination, asked: self, is_json, n_errors: 0, text: String::new() };
        if has_bom {
            writer.text.push('\u{feff}');
        }
        let begun = writer.form.begin(&mut writer.text);
        writer.put_whole(begun)?;
        Ok(writer)
    }
}

impl PredictionWriter<'_> {
    /// Writes rows with their predictions, and the errors between them.
    pub(super) fn rows(&mut self, rows: &TableRows, predictions: &[Prediction<'_>]) -> Result<(), Failure> {
        let mut bad = rows.bad.iter().peekable();
        for index in 0..=rows.texts.len() {
            while let Some(bad) = bad.next_if(|bad| bad.before == index) {
                self.error(bad.object.as_deref(), &bad.error.to_string())?;
            }
            if let Some(prediction) = predictions.get(index) {
                let row = OutputRow {
                    stored: rows.rows.get(index).map(String::as_str),
                    text: &rows.texts[index],
                    second: rows.seconds.as_ref().map(|seconds| seconds[index].as_str()),
                };
                let input = self.asked.input;
                self.row(&row, prediction, || rows.location(index, input).to_string())?;
            }
        }
        self.destination.flush()
    }

    fn row(
        &mut self,
        row: &OutputRow<'_>,
        prediction: &Prediction<'_>,
        place: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let before = self.form.before(row, &mut self.text);
        self.put_whole(before)?;
        let why = match self.form.row(row, prediction, &mut self.text) {
            Ok(()) => self.put()?,
            Err(FormFault::Row(why)) => Some(why),
            Err(FormFault::Input(failure)) => return Err(Failure::Predict(failure)),
        };
        let Some(why) = why else { return Ok(()) };
        let failure = PredictFailure::Row { place: place(), why };
        if !self.asked.wording.errors {
            return Err(Failure::Predict(failure));
        }
        let object = row.stored.filter(|_| self.is_json);
        self.error(object, &failure.message())
    }

    fn error(&mut self, object: Option<&str>, message: &str) -> Result<(), Failure> {
        self.n_errors += 1;
        self.form.error(object, message, &mut self.text);
        if self.put()?.is_some() {
            // The encoding lacks a character of it.
            self.form.error(None, &message.replace(|c: char| !c.is_ascii(), "?"), &mut self.text);
        }
        self.put_whole(Ok(()))
    }

    /// Ends the output; gives how many rows are errors.
    pub(super) fn finish(mut self) -> Result<u64, Failure> {
        let ended = self.form.end(&mut self.text);
        self.put_whole(ended)?;
        self.destination.finish()?;
        Ok(self.n_errors)
    }

    /// Writes `text`, if the encoding can hold it; else tells why not, and nothing of it is written.
    fn put(&mut self) -> Result<Option<Unrepresentable>, Failure> {
        let why = match encode(self.encoding, &self.text) {
            Ok(bytes) => self.destination.write(&bytes).map(|()| None)?,
            Err(why) => Some(why),
        };
        self.text.clear();
        Ok(why)
    }

    /// Writes `text` where it is no row and so cannot be left out.
    fn put_whole(&mut self, result: Result<(), FormFault>) -> Result<(), Failure> {
        let why = match result {
            Ok(()) => self.put()?,
            Err(FormFault::Row(why)) => Some(why),
            Err(FormFault::Input(failure)) => return Err(Failure::Predict(failure)),
        };
        let place = || format!("the header for {}", self.asked.input);
        why.map_or(Ok(()), |why| Err(Failure::Predict(PredictFailure::Row { place: place(), why })))
    }
}

/// A text in an encoding.
fn encode<'t>(encoding: &'static Encoding, text: &'t str) -> Result<Cow<'t, [u8]>, Unrepresentable> {
    // The web writes no UTF-16, and so its standard has no encoder for it.
    if encoding == UTF_16LE {
        return Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>().into());
    }
    if encoding == UTF_16BE {
        return Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>().into());
    }
    let lacks = |text: &str| encoding.encode(text).2;
    match encoding.encode(text) {
        (bytes, _, false) => Ok(bytes),
        (_, _, true) => {
            let character = text.chars().find(|c| lacks(c.encode_utf8(&mut [0; 4]))).unwrap_or_default();
            Err(Unrepresentable::Character { character, encoding: encoding.name() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_holds_what_it_has() {
        let bytes = |name: &str, text| encode(Encoding::for_label(name.as_bytes()).unwrap(), text).map(Cow::into_owned);
        assert_eq!(bytes("utf-8", "é").unwrap(), [0xC3, 0xA9]);
        assert_eq!(bytes("windows-1252", "é€").unwrap(), [0xE9, 0x80]);
        assert_eq!(bytes("utf-16le", "a😀").unwrap(), [0x61, 0, 0x3D, 0xD8, 0, 0xDE]);
        let why = bytes("windows-1252", "a → b").unwrap_err();
        assert_eq!(why.message(), "it holds the character `→`, which windows-1252 does not have");
    }
}
