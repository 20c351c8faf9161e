//! `attentive predict`: labels for texts, one row out for each row in, in order. docs/predict.md says what goes in and what
//! comes out.

mod object;
mod form;
mod delimited;
mod destination;
mod input;
mod json;
mod lines;
mod output_format;
mod writer;
mod pipeline;

use std::io::{self, IsTerminal};

use attentive::SavedClassifier;
use attentive_data::{TableKind, TableLayout};

use self::form::Wording;
use self::input::{ARGUMENT, PredictInput};
use self::output_format::OutputFormat;
use self::pipeline::Refused;
use self::writer::OutputOptions;
use crate::args::{OnError, Predict, Talk};
use crate::failure::Failure;
use crate::output::tell;
use crate::table::count;

pub(super) fn predict(args: &Predict, talk: Talk) -> Result<(), Failure> {
    let target = OutputFormat::of(args)?;
    input::check_other_file(args)?;
    let (predictor, _) = SavedClassifier::open(&args.run)?.load(args.backend.as_deref())?;
    let wording = Wording {
        labels: predictor.labels().names(),
        config: &predictor.config().data,
        probabilities: args.probabilities,
        errors: args.on_error == OnError::Skip,
        ascii: false,
    };
    let asked = |input| OutputOptions { target, output: args.output.as_deref(), wording, input };
    if !args.text.is_empty() {
        let mut rows = input::arguments(args, wording.config)?;
        let mut writer = asked(ARGUMENT).begin(TableLayout::plain(TableKind::Lines))?;
        let refused = Refused { input: ARGUMENT.to_string(), is_json: false, is_skipped: wording.errors };
        let predictions = pipeline::predict(&predictor, &mut rows, &refused)?;
        writer.rows(&rows, &predictions)?;
        tell_errors(writer.finish()?, talk);
        return Ok(());
    }
    let input = PredictInput::of(args, &predictor)?;
    if args.input.is_none() && io::stdin().is_terminal() && !talk.quiet {
        let what =
            if wording.config.text.is_pair() { "two texts a line, a tab between them" } else { "one text a line" };
        tell(&format!("{what}; Ctrl-D ends"));
    }
    let name = input.name();
    let done = pipeline::run(input, &predictor, asked(&name))?;
    if let Some(why) = done.empty.filter(|_| !talk.quiet) {
        tell(&format!("{why}: nothing to classify"));
    }
    tell_errors(done.n_errors, talk);
    Ok(())
}

fn tell_errors(n_errors: u64, talk: Talk) {
    if n_errors > 0 && !talk.quiet {
        let (rows, its) = if n_errors == 1 { ("row", "its") } else { ("rows", "their") };
        tell(&format!("{} {rows} cannot be used: an error stands in {its} place", count(n_errors)));
    }
}
