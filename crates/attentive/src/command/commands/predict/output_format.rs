//! Which form the rows are written in.

use std::path::Path;

use attentive_data::{TableKind, TableLayout, extension};

use super::delimited::DelimitedForm;
use super::form::{Form, Wording, is_std};
use super::json::JsonForm;
use super::lines::LineForm;
use crate::args::Predict;
use crate::predict_failure::PredictFailure;

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
