//! Lines of label and probability with a tab between them, for people and for the shell.

use attentive_train::Prediction;

use super::form::{Form, FormFault, OutputRow, Wording};
use crate::visible::is_obeyed;

/// Writes `label<TAB>probability`.
pub(super) struct LineForm<'a> {
    wording: Wording<'a>,
}

impl<'a> LineForm<'a> {
    pub(super) fn new(wording: Wording<'a>) -> Self {
        Self { wording }
    }
}

impl Form for LineForm<'_> {
    fn begin(&mut self, _out: &mut String) -> Result<(), FormFault> {
        Ok(())
    }

    fn row(&mut self, _row: &OutputRow<'_>, prediction: &Prediction<'_>, out: &mut String) -> Result<(), FormFault> {
        let config = self.wording.config;
        let separator = config.label_separator.as_str();
        let labels = prediction.labels().map(escaped);
        // Only of several labels it has to be told where one ends.
        let labels = labels.map(|label| match config.multi_label {
            true => label.replace(separator, &format!("\\{separator}")),
            false => label,
        });
        out.push_str(&labels.collect::<Vec<_>>().join(separator));
        out.push('\t');
        out.push_str(&self.wording.probability(prediction));
        out.push('\n');
        Ok(())
    }

    fn error(&mut self, _object: Option<&str>, message: &str, out: &mut String) {
        out.push_str(&format!("\t\t{}\n", escaped(message)));
    }
}

/// A label on one line, so that it can be told from every other: what would end it, or what a terminal would obey, is
/// written out.
fn escaped(label: &str) -> String {
    let mut line = String::with_capacity(label.len());
    for character in label.chars() {
        match character {
            '\\' => line.push_str("\\\\"),
            character if is_obeyed(character) => line.extend(character.escape_default()),
            character => line.push(character),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stay_on_their_line_and_apart() {
        assert_eq!(escaped("größer, \"so\""), "größer, \"so\"");
        assert_eq!(escaped("line1\nline2\t1.000000"), "line1\\nline2\\t1.000000");
        assert_eq!(escaped("a\\n"), "a\\\\n");
        assert_eq!(escaped("\u{1b}[31m\u{202e}"), "\\u{1b}[31m\\u{202e}");
    }
}
