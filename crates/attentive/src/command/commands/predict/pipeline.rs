//! Reads, classifies and writes at once, each on a thread of its own, with few rows between them.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use attentive_data::{DataError, TableKind, TableLayout, TablePart, TableRows};
use attentive_train::{Prediction, Predictor, TrainError};

use super::input::{PredictInput, Read};
use super::writer::OutputOptions;
use crate::failure::Failure;

/// So many pieces may wait for the next thread.
const WAITING: usize = 4;

/// So often it is looked whether the writer has failed while no rows come.
const LOOK: Duration = Duration::from_millis(50);

/// What came of an input.
pub(super) struct PipelineEnd {
    /// How many rows are errors.
    pub(super) n_errors: u64,
    /// Why there was nothing to classify.
    pub(super) empty: Option<DataError>,
}

/// A piece that has been classified.
enum Classified<'a> {
    Layout(TableLayout),
    Rows(TableRows, Vec<Prediction<'a>>),
    /// Nothing more comes, and all of it was well.
    End,
}

/// Classifies texts while they are read and while what is done is written; an empty input is no failure.
pub(super) fn run(
    input: PredictInput,
    predictor: &Predictor,
    asked: OutputOptions<'_>,
) -> Result<PipelineEnd, Failure> {
    let (to_classify, read) = sync_channel(WAITING);
    let (to_write, classified) = sync_channel(WAITING);
    let mut refused = Refused { input: input.name(), is_json: false, is_skipped: asked.wording.errors };
    let reader = input.start(to_classify);
    let (result, written) = thread::scope(|scope| {
        let writer = scope.spawn(move || write(asked, classified));
        let result = classify(predictor, &mut refused, &read, &to_write, || writer.is_finished());
        drop(to_write); // nothing more will come
        (result, writer.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    let empty = match result? {
        // A reader that waits for stdin is left to itself when nobody takes its rows.
        ClassifyEnd::Done { empty } => empty,
        ClassifyEnd::ReaderGone => reader.join().map_or_else(|panic| resume_unwind(panic), |()| None),
    };
    Ok(PipelineEnd { n_errors: written?, empty })
}

/// How classifying came to its end.
enum ClassifyEnd {
    /// All is classified, or the writer takes no more: then it has failed, and says so.
    Done {
        /// Why there was nothing to classify, if that is no failure.
        empty: Option<DataError>,
    },
    /// The reader ended without a word.
    ReaderGone,
}

/// Classifies what is read, until nothing more comes or the writer has failed.
fn classify<'a>(
    predictor: &'a Predictor,
    refused: &mut Refused,
    read: &Receiver<Read>,
    to_write: &SyncSender<Classified<'a>>,
    has_failed: impl Fn() -> bool,
) -> Result<ClassifyEnd, Failure> {
    loop {
        let classified = match read.recv_timeout(LOOK) {
            Ok(Read::Part(TablePart::Layout(layout))) => {
                refused.is_json = layout.kind.is_json();
                Classified::Layout(layout)
            }
            Ok(Read::Part(TablePart::Rows(mut rows))) => {
                let predictions = predict(predictor, &mut rows, refused)?;
                Classified::Rows(rows, predictions)
            }
            Ok(Read::End(result)) => {
                let empty = match result {
                    Err(error @ (DataError::Empty { .. } | DataError::HeaderOnly { .. })) => Some(error),
                    result => result.map_err(Failure::Input).map(|()| None)?,
                };
                drop(to_write.send(Classified::End));
                return Ok(ClassifyEnd::Done { empty });
            }
            // Whoever sends the rows may wait for an answer that does not come.
            Err(RecvTimeoutError::Timeout) if has_failed() => return Ok(ClassifyEnd::Done { empty: None }),
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return Ok(ClassifyEnd::ReaderGone),
        };
        if to_write.send(classified).is_err() {
            return Ok(ClassifyEnd::Done { empty: None });
        }
    }
}

/// How to handle rows whose text the tokenizer refuses.
pub(super) struct Refused {
    /// What the input is called.
    pub(super) input: String,
    /// Whether rows are JSON objects.
    pub(super) is_json: bool,
    /// Whether it is a bad row; else it ends the command.
    pub(super) is_skipped: bool,
}

/// The predictions for rows, of which all may be bad.
pub(super) fn predict<'a>(
    predictor: &'a Predictor,
    rows: &mut TableRows,
    refused: &Refused,
) -> Result<Vec<Prediction<'a>>, Failure> {
    if rows.texts.is_empty() {
        return Ok(Vec::new());
    }
    match predictor.predict(&rows.texts, rows.seconds.as_deref()) {
        Err(TrainError::Data(DataError::Encode { .. })) => one_by_one(predictor, rows, refused),
        result => Ok(result?),
    }
}

/// The same, row by row, to find those that the tokenizer refuses.
fn one_by_one<'a>(
    predictor: &'a Predictor,
    rows: &mut TableRows,
    refused: &Refused,
) -> Result<Vec<Prediction<'a>>, Failure> {
    let mut predictions = Vec::new();
    while predictions.len() < rows.texts.len() {
        let index = predictions.len();
        let seconds = rows.seconds.as_ref().map(|seconds| &seconds[index..=index]);
        match predictor.predict(&rows.texts[index..=index], seconds) {
            Err(TrainError::Data(DataError::Encode { excerpt, reason, .. })) => {
                let at = Some(rows.location(index, &refused.input));
                let error = DataError::Encode { at, excerpt, reason };
                if !refused.is_skipped {
                    return Err(Failure::Input(error));
                }
                let object = rows.rows.get(index).filter(|_| refused.is_json).cloned();
                rows.reject(index, object, error);
            }
            prediction => predictions.extend(prediction?),
        }
    }
    Ok(predictions)
}

/// Writes what comes. What ends without [`Classified::End`] is not finished, so that no file gets its name.
fn write(asked: OutputOptions<'_>, classified: Receiver<Classified<'_>>) -> Result<u64, Failure> {
    let mut writer = match classified.recv() {
        Ok(Classified::Layout(layout)) => asked.begin(layout)?,
        // Of an empty input no columns are known.
        Ok(Classified::End) => return asked.begin(TableLayout::plain(TableKind::Objects))?.finish(),
        _ => return Ok(0),
    };
    for piece in classified {
        match piece {
            Classified::Rows(rows, predictions) => writer.rows(&rows, &predictions)?,
            Classified::End => return writer.finish(),
            Classified::Layout(_) => {}
        }
    }
    Ok(0)
}
