//! What a person sees while the data is read, tokenized and encoded: a line that comes only when it takes a while, and a
//! way to stop it.

use std::cell::{Cell, RefCell};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use attentive::read_weights;
use attentive_data::{DataError, DataProgress};
use attentive_train::{Preparing, TrainError};
use indicatif::{ProgressBar, ProgressStyle};

use super::signals::Signals;
use crate::args::Talk;
use crate::failure::Failure;
use crate::output::tell;
use crate::table::count;

/// What is done sooner is not told of.
const QUIET_FOR: Duration = Duration::from_secs(1);

/// Without a terminal, a line comes at most this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Lets a run be prepared, shows how far that is, and lets `signals` stop it.
pub(super) fn told<T>(
    talk: Talk,
    signals: &Signals,
    prepare: impl FnOnce(Preparing<'_, Failure>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let line = ProgressLine::new(talk);
    let on_progress = |progress: &DataProgress| {
        line.show(progress);
        if matches!(progress, DataProgress::Encoding { .. }) {
            signals.hold();
        }
        signals.received().is_none()
    };
    let result = prepare(Preparing { on_progress: &on_progress, read_weights: &|path| Ok(read_weights(path)?) });
    line.clear();
    result.map_err(|failure| match failure {
        Failure::Train(TrainError::Data(DataError::Interrupted { kept })) => {
            Failure::InterruptedEarly { signal: signals.received().unwrap_or_default(), kept }
        }
        failure => failure,
    })
}

struct ProgressLine {
    talk: Talk,
    bar: RefCell<Option<ProgressBar>>,
    started: Instant,
    last_line: Cell<Instant>,
}

impl ProgressLine {
    fn new(talk: Talk) -> Self {
        let now = Instant::now();
        Self { talk, bar: RefCell::default(), started: now, last_line: Cell::new(now) }
    }

    fn show(&self, progress: &DataProgress) {
        if self.talk.quiet {
            return;
        }
        let (message, position, length) = match progress {
            DataProgress::Reading => ("reading the data".to_string(), 0, 0),
            DataProgress::TrainingTokenizer => ("making the tokenizer".to_string(), 0, 0),
            DataProgress::SolvingLinear => ("solving the linear part".to_string(), 0, 0),
            DataProgress::Encoding { done, total } => {
                (format!("encoding, {} of {} texts", count(*done as u64), count(*total as u64)), *done, *total)
            }
        };
        if std::io::stderr().is_terminal() {
            let mut bar = self.bar.borrow_mut();
            let bar = bar.get_or_insert_with(ProgressBar::no_length);
            let template = if length > 0 { "{bar:10} {wide_msg}" } else { "{wide_msg}" };
            let style = ProgressStyle::with_template(template).expect("the template is valid");
            bar.set_style(style.progress_chars("━╸ "));
            bar.set_length(length as u64);
            bar.set_position(position as u64);
            bar.set_message(message);
        } else if self.started.elapsed() >= QUIET_FOR && self.last_line.get().elapsed() >= LINE_EVERY {
            tell(&message);
            self.last_line.set(Instant::now());
        }
    }

    fn clear(&self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
