//! `attentive predict`: labels for texts, one row out for each row in, in order.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread;

use attentive_data::{TableKind, TableRows, read_texts, read_texts_lines};
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
    let writing = Writing { output: args.output.as_deref(), layout, config, labels: predictor.labels().names() };
    if let Some(path) = &args.input {
        return classify_file(path, &predictor, writing);
    }
    let mut sink = writing.begin(None)?;
    if !args.text.is_empty() {
        let is_pair = config.data.text.is_pair();
        sink.classify(&predictor, if is_pair { read_pairs(&args.text, config)? } else { (args.text.clone(), None) })?;
    } else {
        if io::stdin().is_terminal() && !talk.quiet {
            let what =
                if config.data.text.is_pair() { "two texts a line, a tab between them" } else { "one text a line" };
            tell(&format!("{what}; Ctrl-D ends"));
        }
        stream(&predictor, &mut sink, args.stream)?;
    }
    sink.flush()
}

/// Pieces of this many batches are classified at once: large enough for texts of like length to meet.
const BATCHES: usize = 16;

/// Rows with their predictions.
type Classified = (TableRows, Vec<Prediction>);

/// So many pieces may wait to be classified.
const WAITING: usize = 4;

/// Classifies a file while it is read and while what is done is written. Nothing is written of a file that cannot be read to
/// its end.
fn classify_file(path: &Path, predictor: &Predictor, writing: Writing<'_>) -> Result<(), Failure> {
    let config = predictor.config();
    let (to_classify, read) = sync_channel::<TableRows>(WAITING);
    let (all_read, whole) = channel();
    let (to_write, classified) = channel::<Classified>();
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let at_once = config.train.evaluation_batch_size.saturating_mul(BATCHES);
            // Who does not take them any more has failed, and says so.
            let shape = read_texts(path, &config.data, at_once, &mut |rows| drop(to_classify.send(rows)))?;
            drop(all_read.send(shape));
            Ok::<_, Failure>(())
        });
        let writer = scope.spawn(move || {
            let Ok((kind, header)) = whole.recv() else { return Ok(()) };
            let mut sink = writing.begin(header.as_deref())?;
            for (rows, predictions) in classified {
                sink.rows(&rows, Some(kind), &predictions)?;
            }
            sink.flush()
        });
        let classified = classify(predictor, read, &to_write);
        drop(to_write); // nothing more will come
        joined(reader)?;
        classified?;
        joined(writer)
    })
}

/// Classifies rows as they come, until there are no more or nobody takes them.
fn classify(predictor: &Predictor, read: Receiver<TableRows>, to_write: &Sender<Classified>) -> Result<(), Failure> {
    for rows in read {
        let predictions = predictor.predict(&rows.texts, rows.seconds.as_deref())?;
        if to_write.send((rows, predictions)).is_err() {
            break; // the writer has failed, and says so
        }
    }
    Ok(())
}

/// What a thread came to; a panic goes on here.
fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
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
fn stream(predictor: &Predictor, sink: &mut Sink<'_>, each: bool) -> Result<(), Failure> {
    let config = predictor.config();
    let at_once = if each || io::stdin().is_terminal() { 1 } else { config.train.evaluation_batch_size };
    let is_pair = config.data.text.is_pair();
    let mut lines = read_texts_lines(io::stdin().lock(), "stdin", config.data.max_line_bytes, is_pair);
    loop {
        let texts = lines.by_ref().take(at_once).collect::<Result<Vec<_>, _>>()?;
        if texts.is_empty() {
            return Ok(());
        }
        sink.classify(predictor, unzip(texts))?;
        sink.flush()?;
    }
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

/// Where predictions will go, and what their words are.
#[derive(Clone, Copy)]
struct Writing<'a> {
    output: Option<&'a Path>,
    layout: Layout,
    config: &'a Config,
    labels: &'a [String],
}

/// Where predictions go.
struct Sink<'a> {
    out: Box<dyn Write>,
    writing: Writing<'a>,
}

impl<'a> Writing<'a> {
    /// Opens the file and writes the names of the columns, beside those that the input has.
    fn begin(self, columns: Option<&[String]>) -> Result<Sink<'a>, Failure> {
        let out: Box<dyn Write> = match self.output {
            Some(path) => Box::new(BufWriter::new(File::create(path).map_err(|source| self.failure(source))?)),
            None => Box::new(BufWriter::new(io::stdout().lock())),
        };
        let mut sink = Sink { out, writing: self };
        sink.header(columns)?;
        Ok(sink)
    }

    fn failure(&self, source: io::Error) -> Failure {
        match self.output {
            Some(path) => Failure::Output { name: format!("`{}`", path.display()), source },
            None => to_stdout(source),
        }
    }
}

impl Sink<'_> {
    fn header(&mut self, columns: Option<&[String]>) -> Result<(), Failure> {
        let Layout::Delimited(delimiter) = self.writing.layout else { return Ok(()) };
        let own: Vec<String> = match self.writing.config.data.text.is_pair() {
            false => vec!["text".to_string()],
            true => vec!["first".to_string(), "second".to_string()],
        };
        let added = ["predicted_label".to_string(), "probability".to_string()];
        let fields: Vec<&str> = columns.unwrap_or(&own).iter().chain(&added).map(String::as_str).collect();
        self.write(&delimited(&fields, delimiter))
    }

    /// Classifies texts that stand in no file and writes a row for each.
    fn classify(&mut self, predictor: &Predictor, (texts, seconds): Texts) -> Result<(), Failure> {
        let predictions = predictor.predict(&texts, seconds.as_deref())?;
        self.rows(&TableRows { texts, seconds, ..TableRows::default() }, None, &predictions)
    }

    /// Writes a row for each text; of a file it is what stands there, with the prediction.
    fn rows(&mut self, rows: &TableRows, kind: Option<TableKind>, predictions: &[Prediction]) -> Result<(), Failure> {
        for (i, prediction) in predictions.iter().enumerate() {
            let second = rows.seconds.as_ref().map(|seconds| seconds[i].as_str());
            self.row(&rows.texts[i], second, kind.zip(rows.fields.get(i).map(Vec::as_slice)), prediction)?;
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
        let Writing { layout, config, labels: names, .. } = self.writing;
        let name = |id: u32| names.get(id as usize).map_or("", String::as_str);
        let separator = config.data.label_separator.as_str();
        let label = prediction.labels.iter().map(|&id| name(id)).collect::<Vec<_>>().join(separator);
        let probability = |id: &u32| format!("{:.6}", prediction.probability(*id));
        let probability = prediction.labels.iter().map(probability).collect::<Vec<_>>().join(separator);
        let line = match layout {
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
                if config.data.multi_label {
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
        self.out.write_all(bytes).map_err(|source| self.writing.failure(source))
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|source| self.writing.failure(source))
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
