//! `attentive predict`: labels for texts, one row out for each row in, in order.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::Range;
use std::path::Path;

use attentive_data::{Table, TableKind, load_texts, read_texts_lines};
use attentive_train::{Config, Prediction, Predictor};
use serde_json::{Map, Value, json};

use super::classifier::Classifier;
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
    let (predictor, _) = Classifier::open(&args.run)?.load(args.backend.as_deref())?;
    let config = predictor.config();
    let layout = if args.json { Layout::JsonLines } else { layout(args.output.as_deref()) };
    let input = args.input.as_deref().map(|path| load_texts(path, &config.data)).transpose()?;
    let mut sink = Sink::open(args.output.as_deref(), layout, &predictor)?;

    if let Some(table) = &input {
        sink.header(table.header.as_deref())?;
        for range in chunks(table.texts.len(), config.train.evaluation_batch_size) {
            let seconds = table.seconds.as_ref().map(|seconds| &seconds[range.clone()]);
            for (i, prediction) in range.clone().zip(predictor.predict(&table.texts[range.clone()], seconds)?) {
                let second = table.seconds.as_ref().map(|seconds| seconds[i].as_str());
                sink.row(&table.texts[i], second, row_of(table, i), &prediction)?;
            }
        }
    } else if !args.text.is_empty() {
        sink.header(None)?;
        let is_pair = config.data.text.is_pair();
        sink.rows(if is_pair { read_pairs(&args.text, config)? } else { (args.text.clone(), None) })?;
    } else {
        sink.header(None)?;
        if io::stdin().is_terminal() && !talk.quiet {
            let what =
                if config.data.text.is_pair() { "two texts a line, a tab between them" } else { "one text a line" };
            tell(&format!("{what}; Ctrl-D ends"));
        }
        stream(&mut sink, args.stream)?;
    }
    sink.finish()
}

/// Texts and, for pairs, their second texts.
type Texts = (Vec<String>, Option<Vec<String>>);

/// Arguments with two texts each, a tab between them.
fn read_pairs(arguments: &[String], config: &Config) -> Result<Texts, Failure> {
    let lines = arguments.join("\n");
    let pairs = read_texts_lines(lines.as_bytes(), "argument", config.data.max_line_bytes, true);
    Ok(unzip(pairs.collect::<Result<_, _>>()?))
}

fn unzip(lines: Vec<(String, Option<String>)>) -> Texts {
    let (texts, seconds): (Vec<_>, Vec<_>) = lines.into_iter().unzip();
    (texts, seconds.into_iter().collect())
}

/// Classifies stdin; a person at a terminal, and who asks for `each` line, gets each answer at once.
fn stream(sink: &mut Sink, each: bool) -> Result<(), Failure> {
    let config = sink.predictor.config();
    let at_once = if each || io::stdin().is_terminal() { 1 } else { config.train.evaluation_batch_size };
    let is_pair = config.data.text.is_pair();
    let mut lines = read_texts_lines(io::stdin().lock(), "stdin", config.data.max_line_bytes, is_pair);
    loop {
        let texts = lines.by_ref().take(at_once).collect::<Result<Vec<_>, _>>()?;
        if texts.is_empty() {
            return Ok(());
        }
        sink.rows(unzip(texts))?;
        sink.flush()?;
    }
}

/// Pieces of `0..n` that are large enough for texts of like length to meet.
fn chunks(n: usize, batch_size: usize) -> impl Iterator<Item = Range<usize>> {
    let size = batch_size.saturating_mul(16);
    (0..n).step_by(size).map(move |start| start..n.min(start.saturating_add(size)))
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
    predictor: &'a Predictor,
}

impl<'a> Sink<'a> {
    fn open(path: Option<&Path>, layout: Layout, predictor: &'a Predictor) -> Result<Self, Failure> {
        let name = path.map(|path| format!("`{}`", path.display()));
        let out: Box<dyn Write> = match path {
            Some(path) => {
                let file = File::create(path);
                let name = name.clone().unwrap_or_default();
                Box::new(BufWriter::new(file.map_err(|source| Failure::Output { name, source })?))
            }
            None => Box::new(BufWriter::new(io::stdout().lock())),
        };
        Ok(Self { out, name, layout, predictor })
    }

    fn header(&mut self, columns: Option<&[String]>) -> Result<(), Failure> {
        let Layout::Delimited(delimiter) = self.layout else { return Ok(()) };
        let own: Vec<String> = match self.predictor.config().data.text.is_pair() {
            false => vec!["text".to_string()],
            true => vec!["first".to_string(), "second".to_string()],
        };
        let added = ["predicted_label".to_string(), "probability".to_string()];
        let fields: Vec<&str> = columns.unwrap_or(&own).iter().chain(&added).map(String::as_str).collect();
        self.write(&delimited(&fields, delimiter))
    }

    /// Classifies texts that stand in no table and writes a row for each.
    fn rows(&mut self, (texts, seconds): Texts) -> Result<(), Failure> {
        let predictions = self.predictor.predict(&texts, seconds.as_deref())?;
        for (i, prediction) in predictions.iter().enumerate() {
            let second = seconds.as_ref().map(|seconds| seconds[i].as_str());
            self.row(&texts[i], second, None, prediction)?;
        }
        Ok(())
    }

    fn row(
        &mut self,
        text: &str,
        second: Option<&str>,
        row: Option<(TableKind, &[String])>,
        prediction: &Prediction,
    ) -> Result<(), Failure> {
        let names = self.predictor.labels().names();
        let name = |id: u32| names.get(id as usize).map_or("", String::as_str);
        let separator = self.predictor.config().data.label_separator.as_str();
        let label = prediction.labels.iter().map(|&id| name(id)).collect::<Vec<_>>().join(separator);
        let probability = |id: &u32| format!("{:.6}", prediction.probability(*id));
        let probability = prediction.labels.iter().map(probability).collect::<Vec<_>>().join(separator);
        let line = match self.layout {
            Layout::Lines => format!("{label}\t{probability}\n").into_bytes(),
            Layout::Delimited(delimiter) => {
                let fields: Vec<&str> = match row {
                    Some((TableKind::Delimited { .. }, fields)) => fields.iter().map(String::as_str).collect(),
                    _ => std::iter::once(text).chain(second).collect(),
                };
                let fields: Vec<&str> = fields.into_iter().chain([label.as_str(), probability.as_str()]).collect();
                delimited(&fields, delimiter)
            }
            Layout::JsonLines => {
                let mut object = match row {
                    Some((TableKind::JsonLines, fields)) => {
                        fields.first().and_then(|line| serde_json::from_str(line).ok())
                    }
                    _ => None,
                }
                .unwrap_or_else(|| match second {
                    None => Map::from_iter([("text".to_string(), json!(text))]),
                    Some(second) => {
                        Map::from_iter([("first".to_string(), json!(text)), ("second".to_string(), json!(second))])
                    }
                });
                if self.predictor.config().data.multi_label {
                    let labels: Vec<&str> = prediction.labels.iter().map(|&id| name(id)).collect();
                    object.insert("predicted_labels".to_string(), json!(labels));
                } else {
                    object.insert("predicted_label".to_string(), json!(label));
                    let id = prediction.labels.first().copied().unwrap_or_default();
                    object.insert("probability".to_string(), number(prediction.probability(id)));
                }
                let all = names.iter().zip(&prediction.probabilities);
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
