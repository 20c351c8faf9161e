//! What the forms that rows are written in have in common.

use std::path::Path;

use attentive_data::DataConfig;
use attentive_train::Prediction;

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

/// Whether a path stands for stdin or stdout.
pub(super) fn is_std(path: &Path) -> bool {
    path.as_os_str() == "-"
}
