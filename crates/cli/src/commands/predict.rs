//! `attentive predict`: labels for texts, one row out for each row in, in order.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use attentive_backend::Backend;
use attentive_data::{Labels, Table, TableKind, load_texts, read_texts_lines};
use attentive_train::{Prediction, Predictor, RunDir};
use serde_json::{Map, Value, json};

use super::open_device;
use crate::args::{Predict, Talk};
use crate::failure::Failure;
use crate::output::{tell, to_stdout};

/// How predictions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// label, tab, probability.
    Lines,
    /// The columns of the input, then label and probability; the byte stands between fields.
    Delimited(u8),
    /// One object a line, with the probabilities of all labels.
    JsonLines,
}

pub(super) fn predict(args: &Predict, talk: Talk) -> Result<(), Failure> {
    let run = RunDir::open(&args.run)?;
    let config = run.config(&Backend::names())?;
    let opened = open_device(args.backend.as_deref(), &config)?;
    let predictor = Predictor::load(&run, &Backend::names(), &opened.device)?;
    let layout = if args.json { Layout::JsonLines } else { layout(args.output.as_deref()) };
    let input = args.input.as_deref().map(|path| load_texts(path, &config.data)).transpose()?;
    let mut sink = Sink::open(args.output.as_deref(), layout, predictor.labels())?;

    if let Some(table) = &input {
        sink.header(table.header.as_deref())?;
        for (start, texts) in chunks(&table.texts, config.train.evaluation_batch_size) {
            for (i, prediction) in predictor.predict(texts)?.iter().enumerate() {
                sink.row(&texts[i], row_of(table, start + i), prediction)?;
            }
        }
    } else if !args.text.is_empty() {
        sink.header(None)?;
        for (text, prediction) in args.text.iter().zip(predictor.predict(&args.text)?) {
            sink.row(text, None, &prediction)?;
        }
    } else {
        sink.header(None)?;
        if io::stdin().is_terminal() && !talk.quiet {
            tell("one text a line; Ctrl-D ends");
        }
        stream(&predictor, &mut sink)?;
    }
    sink.finish()
}

/// Classifies stdin line by line; a person at a terminal gets each answer at once.
fn stream(predictor: &Predictor, sink: &mut Sink) -> Result<(), Failure> {
    let config = predictor.config();
    let at_once = if io::stdin().is_terminal() { 1 } else { config.train.evaluation_batch_size };
    let mut lines = read_texts_lines(io::stdin().lock(), "stdin", config.data.max_line_bytes);
    loop {
        let texts = lines.by_ref().take(at_once).collect::<Result<Vec<_>, _>>()?;
        if texts.is_empty() {
            return Ok(());
        }
        for (text, prediction) in texts.iter().zip(predictor.predict(&texts)?) {
            sink.row(text, None, &prediction)?;
        }
        sink.flush()?;
    }
}

/// Slices of at most `size`, each with the index of its first element. Large slices let texts of like length meet.
fn chunks(texts: &[String], size: usize) -> impl Iterator<Item = (usize, &[String])> {
    let size = size.saturating_mul(16);
    texts.chunks(size).enumerate().map(move |(i, chunk)| (i * size, chunk))
}

fn row_of(table: &Table, index: usize) -> Option<(TableKind, &[String])> {
    table.rows.get(index).map(|row| (table.kind, row.as_slice()))
}

fn layout(output: Option<&Path>) -> Layout {
    let extension = output.and_then(Path::extension).map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("csv") => Layout::Delimited(b','),
        Some("tsv") => Layout::Delimited(b'\t'),
        Some("jsonl" | "ndjson" | "json") => Layout::JsonLines,
        _ => Layout::Lines,
    }
}

/// Where predictions go.
struct Sink<'a> {
    out: Box<dyn Write>,
    name: Option<String>,
    layout: Layout,
    labels: &'a Labels,
}

impl<'a> Sink<'a> {
    fn open(path: Option<&Path>, layout: Layout, labels: &'a Labels) -> Result<Self, Failure> {
        let name = path.map(|path| format!("`{}`", path.display()));
        let out: Box<dyn Write> = match path {
            Some(path) => {
                let file = File::create(path);
                let name = name.clone().unwrap_or_default();
                Box::new(BufWriter::new(file.map_err(|source| Failure::Output { name, source })?))
            }
            None => Box::new(BufWriter::new(io::stdout().lock())),
        };
        Ok(Self { out, name, layout, labels })
    }

    fn header(&mut self, columns: Option<&[String]>) -> Result<(), Failure> {
        let Layout::Delimited(delimiter) = self.layout else { return Ok(()) };
        let own = ["text".to_string()];
        let added = ["predicted_label".to_string(), "probability".to_string()];
        let fields: Vec<&str> = columns.unwrap_or(&own).iter().chain(&added).map(String::as_str).collect();
        self.write(&delimited(&fields, delimiter))
    }

    fn row(&mut self, text: &str, row: Option<(TableKind, &[String])>, prediction: &Prediction) -> Result<(), Failure> {
        let label = self.labels.names().get(prediction.label as usize).map_or("", String::as_str);
        let probability = format!("{:.6}", prediction.probability());
        let line = match self.layout {
            Layout::Lines => format!("{label}\t{probability}\n").into_bytes(),
            Layout::Delimited(delimiter) => {
                let fields: Vec<&str> = match row {
                    Some((TableKind::Delimited { .. }, fields)) => fields.iter().map(String::as_str).collect(),
                    _ => vec![text],
                };
                let fields: Vec<&str> = fields.into_iter().chain([label, probability.as_str()]).collect();
                delimited(&fields, delimiter)
            }
            Layout::JsonLines => {
                let mut object = match row {
                    Some((TableKind::JsonLines, fields)) => {
                        fields.first().and_then(|line| serde_json::from_str(line).ok())
                    }
                    _ => None,
                }
                .unwrap_or_else(|| Map::from_iter([("text".to_string(), json!(text))]));
                let all = self.labels.names().iter().zip(&prediction.probabilities);
                object.insert("predicted_label".to_string(), json!(label));
                object.insert("probability".to_string(), number(prediction.probability()));
                let all = all.map(|(name, &p)| (name.clone(), number(p))).collect::<Map<_, _>>();
                object.insert("probabilities".to_string(), Value::Object(all));
                format!("{}\n", Value::Object(object)).into_bytes()
            }
        };
        self.write(&line)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let result = self.out.write_all(bytes);
        result.map_err(|source| self.failure(source))
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let result = self.out.flush();
        result.map_err(|source| self.failure(source))
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.flush()
    }

    fn failure(&self, source: io::Error) -> Failure {
        match &self.name {
            Some(name) => Failure::Output { name: name.clone(), source },
            None => to_stdout(source),
        }
    }
}

/// A probability as JSON writes the shortest decimal that is the same f32.
fn number(probability: f32) -> Value {
    probability.to_string().parse::<f64>().map_or(Value::Null, |value| json!(value))
}

/// One record in CSV's quoting (RFC 4180).
fn delimited(fields: &[&str], delimiter: u8) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    // Writing into memory cannot fail, and a record of any width is allowed as the first.
    let _ = writer.write_record(fields);
    writer.into_inner().unwrap_or_default()
}
