//! Reads, classifies and writes at once, each on a thread of its own, with few rows between them.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use attentive_data::{TableLayout, TablePart, TableRows};
use attentive_train::{Prediction, Predictor};

use super::input::{Input, Read};
use super::writer::Asked;
use crate::failure::Failure;

/// So many pieces may wait for the next thread.
const WAITING: usize = 4;

/// A piece that has been classified.
enum Classified {
    Layout(TableLayout),
    Rows(TableRows, Vec<Prediction>),
    /// Nothing more comes, and all of it was well.
    End,
}

/// Classifies texts while they are read and while what is done is written; gives how many rows are errors.
pub(super) fn run(input: Input, predictor: &Predictor, asked: Asked<'_>) -> Result<u64, Failure> {
    let (to_classify, read) = sync_channel(WAITING);
    let (to_write, classified) = sync_channel(WAITING);
    let reader = input.start(to_classify);
    let (result, written) = thread::scope(|scope| {
        let writer = scope.spawn(move || write(asked, classified));
        let result = classify(predictor, read, &to_write);
        drop(to_write); // nothing more will come
        (result, writer.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    match result? {
        // A reader that waits for stdin is left to itself when nobody takes its rows.
        Ended::Done => written,
        Ended::ReaderGone => match reader.join() {
            Err(panic) => resume_unwind(panic),
            Ok(()) => written,
        },
    }
}

/// How classifying came to its end.
enum Ended {
    /// All is classified, or the writer takes no more: then it has failed, and says so.
    Done,
    /// The reader ended without a word.
    ReaderGone,
}

fn classify(predictor: &Predictor, read: Receiver<Read>, to_write: &SyncSender<Classified>) -> Result<Ended, Failure> {
    for read in read {
        let classified = match read {
            Read::Part(TablePart::Layout(layout)) => Classified::Layout(layout),
            Read::Part(TablePart::Rows(rows)) => {
                let predictions = predict(predictor, &rows)?;
                Classified::Rows(rows, predictions)
            }
            Read::End(result) => {
                result.map_err(Failure::Input)?;
                drop(to_write.send(Classified::End));
                return Ok(Ended::Done);
            }
        };
        if to_write.send(classified).is_err() {
            return Ok(Ended::Done);
        }
    }
    Ok(Ended::ReaderGone)
}

/// The predictions for rows, of which all may be bad.
pub(super) fn predict(predictor: &Predictor, rows: &TableRows) -> Result<Vec<Prediction>, Failure> {
    match rows.texts.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(predictor.predict(&rows.texts, rows.seconds.as_deref())?),
    }
}

/// Writes what comes. What ends without [`Classified::End`] is not finished, so that no file gets its name.
fn write(asked: Asked<'_>, classified: Receiver<Classified>) -> Result<u64, Failure> {
    let mut pieces = classified.into_iter();
    let Some(Classified::Layout(layout)) = pieces.next() else { return Ok(0) };
    let mut writer = asked.begin(layout)?;
    for piece in pieces {
        match piece {
            Classified::Rows(rows, predictions) => writer.rows(&rows, &predictions)?,
            Classified::End => return writer.finish(),
            Classified::Layout(_) => {}
        }
    }
    Ok(0)
}
