//! The form that rows are written in: which one, and what the forms have in common.

use std::path::Path;

use attentive_data::{DataConfig, TableKind, TableLayout, extension};
use attentive_train::Prediction;

use super::delimited::DelimitedForm;
use super::json::JsonForm;
use super::lines::LineForm;
use crate::args::Predict;
use crate::predict_failure::{PredictFailure, Unrepresentable};

/// One row of the input.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutputRow<'a> {
    /// As it stands in the input, where that has more than texts.
    pub(super) stored: Option<&'a str>,
    pub(super) text: &'a str,
    pub(super) second: Option<&'a str>,
}

/// Why a row was not written.
#[derive(Debug)]
pub(super) enum FormFault {
    /// The output cannot hold it.
    Row(Unrepresentable),
    /// No row of this input can be written.
    Input(PredictFailure),
}

impl From<Unrepresentable> for FormFault {
    fn from(why: Unrepresentable) -> Self {
        Self::Row(why)
    }
}

/// Writes the rows of one input one after the other.
pub(super) trait Form {
    /// What stands before the first row.
    fn begin(&mut self, out: &mut String) -> Result<(), FormFault>;

    /// What stands before this row and is none, such as a header that the first row tells.
    fn before(&mut self, _row: &OutputRow<'_>, _out: &mut String) -> Result<(), FormFault> {
        Ok(())
    }

    /// A row with its prediction; nothing of it if it cannot be written.
    fn row(&mut self, row: &OutputRow<'_>, prediction: &Prediction<'_>, out: &mut String) -> Result<(), FormFault>;

    /// An error in the place of a row; the row itself if it is a JSON object.
    fn error(&mut self, object: Option<&str>, message: &str, out: &mut String);

    /// What stands behind the last row.
    fn end(&mut self, _out: &mut String) -> Result<(), FormFault> {
        Ok(())
    }
}

/// What a prediction is written with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wording<'a> {
    /// The names of the labels in order.
    pub(super) labels: &'a [String],
    pub(super) config: &'a DataConfig,
    /// Whether tables have a column for the probability of each label.
    pub(super) probabilities: bool,
    /// Whether rows may be errors.
    pub(super) errors: bool,
    /// Whether JSON escapes characters beyond ASCII, so that it reads the same in every encoding.
    pub(super) ascii: bool,
}

impl Wording<'_> {
    /// The probabilities of what is predicted, as text.
    pub(super) fn probability(&self, prediction: &Prediction<'_>) -> String {
        let separator = self.config.label_separator.as_str();
        let probabilities = prediction.ids.iter().map(|&id| decimal(prediction.probability(id)));
        probabilities.collect::<Vec<_>>().join(separator)
    }
}

/// A probability in lines and tables.
pub(super) fn decimal(probability: f32) -> String {
    format!("{probability:.6}")
}

/// What the arguments ask to write, before the layout of the input is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutputFormat {
    /// Label, tab, probability.
    Lines,
    Csv,
    Tsv,
    /// One JSON object a line.
    JsonLines,
    /// One JSON array.
    JsonArray,
    /// The format of the input; where that is only texts, lines.
    LikeInput,
    /// The format of the input if it is a table, else this.
    TableOr(&'static OutputFormat),
}

impl OutputFormat {
    /// What the arguments ask for.
    pub(super) fn of(args: &Predict) -> Result<Self, PredictFailure> {
        let target = match &args.output {
            None if args.json => Self::JsonLines,
            None => Self::Lines,
            Some(path) if is_std(path) && args.json => Self::JsonLines,
            Some(path) if is_std(path) => Self::LikeInput,
            Some(path) => Self::of_file(path, args.input.as_deref())?,
        };
        match (&args.output, target) {
            (Some(output), target) if args.json && target != Self::JsonLines => {
                Err(PredictFailure::JsonOutput { output: output.clone() })
            }
            (_, Self::Lines) if args.probabilities => Err(PredictFailure::NoColumns),
            (_, target) => Ok(target),
        }
    }

    fn of_file(output: &Path, input: Option<&Path>) -> Result<Self, PredictFailure> {
        let extension = extension(output);
        let like_input = input.is_some_and(|input| attentive_data::extension(input) == extension);
        Ok(match extension.as_str() {
            "jsonl" | "ndjson" => Self::JsonLines,
            "json" => Self::JsonArray,
            "csv" if like_input => Self::TableOr(&Self::Csv),
            "csv" => Self::Csv,
            "tsv" | "tab" if like_input => Self::TableOr(&Self::Tsv),
            "tsv" | "tab" => Self::Tsv,
            "txt" | "" if like_input => Self::TableOr(&Self::Lines),
            "txt" | "" => Self::Lines,
            // Formats that are read, but not written.
            "ft" | "parquet" | "xlsx" | "xlsm" => {
                return Err(PredictFailure::Extension { output: output.to_path_buf() });
            }
            _ if like_input => Self::LikeInput,
            _ => return Err(PredictFailure::Extension { output: output.to_path_buf() }),
        })
    }

    /// The writer of rows for an input of this layout.
    pub(super) fn form<'a>(
        self,
        layout: TableLayout,
        wording: Wording<'a>,
    ) -> Result<Box<dyn Form + 'a>, PredictFailure> {
        let target = match (self, layout.kind) {
            (Self::LikeInput | Self::TableOr(_), TableKind::Delimited { delimiter, quoted }) => {
                return Ok(Box::new(DelimitedForm::new(delimiter, quoted, layout, wording)?));
            }
            (Self::LikeInput, TableKind::JsonLines | TableKind::Objects) => Self::JsonLines,
            (Self::LikeInput, TableKind::Lines) => Self::Lines,
            (Self::TableOr(Self::Lines), TableKind::JsonLines) => Self::JsonLines,
            (Self::TableOr(other), _) => *other,
            (target, _) => target,
        };
        Ok(match target {
            Self::Csv => Box::new(DelimitedForm::new(wording.config.delimiter(), true, layout, wording)?),
            Self::Tsv => Box::new(DelimitedForm::new(b'\t', wording.config.quoting, layout, wording)?),
            Self::JsonLines => Box::new(JsonForm::new(false, layout, wording)?),
            Self::JsonArray => Box::new(JsonForm::new(true, layout, wording)?),
            Self::Lines | Self::LikeInput | Self::TableOr(_) if wording.probabilities => {
                return Err(PredictFailure::NoColumns);
            }
            Self::Lines | Self::LikeInput | Self::TableOr(_) => Box::new(LineForm::new(wording)),
        })
    }
}

/// Whether a path stands for stdin or stdout.
pub(super) fn is_std(path: &Path) -> bool {
    path.as_os_str() == "-"
}
