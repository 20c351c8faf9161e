//! What a person can do about data that cannot be read.

use attentive_data::{ColumnSummary, DataError};

/// The remedy of the library, which names keys of the config, or the option that helps where no config is written yet.
pub(crate) fn of_data(error: &DataError) -> Option<String> {
    Some(match error {
        DataError::HeaderOfUnknown { .. } => {
            "say with `--format` how it is laid out: `csv`, `tsv`, or `lines` if each line is a text".to_string()
        }
        DataError::UnclearColumn { which, columns, .. } => {
            let option = match *which {
                "text" | "label" => format!("name it with `--{which} COLUMN`"),
                _ => "name them with `--text COLUMN --label COLUMN`".to_string(),
            };
            format!("{option}; there are{}", ColumnSummary::listed(columns))
        }
        DataError::ManyLabels { .. } => "ids or texts have that many: name another column with `--label`".to_string(),
        error => return error.hint(),
    })
}
