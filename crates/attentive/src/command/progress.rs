//! What a person sees while a run trains: a live bar on a terminal, plain lines elsewhere, all on stderr.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use attentive_train::{Config, Event, SetAside};
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Talk;
use crate::output::tell;
use crate::style::Style;
use crate::table::{count, percent};

/// Without a terminal, a line about the steps comes at most this often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How many skipped steps are told of one by one.
const SKIPPED_TOLD: u64 = 10;

/// Shows the events of a run.
pub(crate) struct Progress {
    talk: Talk,
    style: Style,
    bar: Option<ProgressBar>,
    /// What is said of the share of training examples decided right.
    accuracy: &'static str,
    /// What comes before the number of the epoch: the fold too, if there are folds.
    epoch: String,
    epochs: u64,
    log_every: u64,
    total_steps: u64,
    started: Instant,
    last_line: Instant,
    examples: u64,
    first_step: u64,
    skipped: u64,
}

impl Progress {
    pub(crate) fn new(talk: Talk, config: &Config) -> Self {
        let now = Instant::now();
        Self {
            talk,
            style: Style::for_stderr(),
            bar: None,
            accuracy: if config.data.multi_label { "exact" } else { "accuracy" },
            epoch: match &config.data.fold {
                Some(fold) => format!("fold {}/{}  epoch", fold.index, fold.of),
                None => "epoch".to_string(),
            },
            epochs: config.train.epochs,
            log_every: config.train.log_every,
            total_steps: 0,
            started: now,
            last_line: now,
            examples: 0,
            first_step: 0,
            skipped: 0,
        }
    }

    pub(crate) fn show(&mut self, event: &Event) {
        if self.talk.quiet {
            return;
        }
        match event {
            Event::Start { step, total_steps } => self.start(*step, *total_steps),
            Event::Refitting { examples } => {
                self.epoch = "refit epoch".to_string();
                self.line(&format!(
                    "all is chosen: once more on train and validation, {} examples",
                    count(*examples as u64)
                ));
            }
            Event::Step { step, epoch, examples, loss, accuracy, lr } => {
                self.examples += *examples as u64;
                self.step(*step, *epoch, *loss, *accuracy, *lr);
            }
            Event::EpochEnd { epoch, loss, accuracy, validation, is_best, weights_sha256, seconds } => {
                let mut line = format!(
                    "{} {epoch}/{}  loss {loss:.4}  {} {}",
                    self.epoch,
                    self.epochs,
                    self.accuracy,
                    percent(*accuracy)
                );
                if let Some(metrics) = validation {
                    // With several labels per text, all of them right at once is rare; F1 tells more.
                    let (name, value) = match metrics.hamming_loss {
                        None => ("accuracy", metrics.accuracy),
                        Some(_) => ("micro F1", metrics.micro_avg.f1),
                    };
                    line.push_str(&format!("  validation loss {:.4}  {name} {}", metrics.loss, percent(value)));
                }
                line.push_str(&format!(
                    "  {seconds:.1} s  weights {}",
                    &weights_sha256[..12.min(weights_sha256.len())]
                ));
                if *is_best {
                    line.push_str("  best");
                }
                self.line(&line);
            }
            Event::StoppedEarly { epoch, patience } => {
                self.line(&format!("stopped after epoch {epoch}: {patience} epochs without improvement"));
            }
            Event::SetAside(SetAside { path, reason }) => {
                self.warn(&format!("damaged, and set aside as `{}`: {reason}", path.display()));
            }
            Event::Changed(change) => self.warn(&format!("going on although something changed: {}", change.difference)),
            Event::Skipped { step, tensor } => {
                self.skipped += 1;
                match self.skipped {
                    ..=SKIPPED_TOLD => self.warn(&format!("step {} is skipped: {tensor} is not finite", count(*step))),
                    n if n == SKIPPED_TOLD + 1 => self.warn("more steps are skipped; `metrics.jsonl` lists them"),
                    _ => {}
                }
            }
            Event::NotSaved { step, tensor } => {
                self.warn(&format!("no checkpoint after step {}: {tensor} is not finite", count(*step)));
            }
            Event::RolledBack { from, to, scale } => self.warn(&format!(
                "going back from step {} to {}, and on with {scale} of the learning rate",
                count(*from),
                count(*to)
            )),
            Event::Saved { path, is_scheduled, .. } if self.talk.verbose || !is_scheduled => {
                self.line(&format!("saved `{}`", path.display()));
            }
            Event::Saved { .. } => {}
            Event::Evaluated { .. } => self.clear(),
        }
    }

    fn start(&mut self, step: u64, total_steps: u64) {
        let now = Instant::now();
        (self.started, self.last_line) = (now, now);
        (self.first_step, self.total_steps) = (step, total_steps);
        if step > 0 {
            self.line(&format!("resuming after step {} of {}", count(step), count(total_steps)));
        }
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(total_steps).with_position(step);
            // What does not fit is cut off: a line that wraps could not be taken back.
            let style = ProgressStyle::with_template("{prefix} {bar:10} {human_pos}/{human_len}  {wide_msg}");
            bar.set_style(style.expect("the template is valid").progress_chars("━╸ "));
            self.bar = Some(bar);
        }
    }

    fn step(&mut self, step: u64, epoch: u64, loss: f64, accuracy: f64, lr: f64) {
        let elapsed = self.started.elapsed().as_secs_f64().max(1e-9);
        let rate = self.examples as f64 / elapsed;
        let left = elapsed / (step - self.first_step).max(1) as f64 * self.total_steps.saturating_sub(step) as f64;
        // The most wanted first, because a narrow terminal cuts off the rest.
        let status = || {
            format!(
                "loss {loss:.4}  {} {}  {} left  {} examples/s  lr {lr:.2e}",
                self.accuracy,
                percent(accuracy),
                duration(left),
                count(rate.round() as u64)
            )
        };
        let place = format!("{} {epoch}/{}", self.epoch, self.epochs);
        let line = || format!("{place}  step {}/{}  {}", count(step), count(self.total_steps), status());
        if self.talk.verbose && step.is_multiple_of(self.log_every) {
            self.line(&line());
        }
        match &self.bar {
            Some(bar) => {
                bar.set_prefix(place);
                bar.set_message(status());
                bar.set_position(step);
            }
            None if !self.talk.verbose && self.last_line.elapsed() >= LINE_EVERY => {
                tell(&line());
                self.last_line = Instant::now();
            }
            None => {}
        }
    }

    fn warn(&self, text: &str) {
        self.line(&format!("{} {text}", self.style.error("warning:")));
    }

    /// A line above the bar.
    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| tell(text)),
            None => tell(text),
        }
    }

    /// Removes the bar.
    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Seconds as `2 h 05 min`, `1 min 20 s` or `8 s`.
pub(crate) fn duration(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}
