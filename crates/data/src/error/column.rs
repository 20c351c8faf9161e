//! A column as a message lists it.

use std::fmt;

use super::excerpt::{excerpt, thousands};

/// A column of a file whose meaning is not known: its name and what its first values are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSummary {
    /// Its name, or its number counted from 0.
    pub name: String,
    /// How many rows were looked at.
    pub rows: usize,
    /// How many different values they have.
    pub distinct: usize,
    /// One of the values; empty if there is none.
    pub example: String,
}

impl ColumnSummary {
    /// The first 20 columns, each on a line of its own that a line end goes before.
    pub fn listed(columns: &[Self]) -> String {
        const SHOWN: usize = 20;
        let mut text: String = columns.iter().take(SHOWN).map(|column| format!("\n  {column}")).collect();
        if columns.len() > SHOWN {
            text.push_str(&format!("\n  and {} more", columns.len() - SHOWN));
        }
        text
    }
}

impl fmt::Display for ColumnSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, rows, distinct, example } = self;
        let values = if *distinct == 1 { "value" } else { "different values" };
        let (rows, distinct) = (thousands(*rows as u64), thousands(*distinct as u64));
        write!(f, "`{}`: {distinct} {values} in {rows} rows, such as `{}`", excerpt(name), excerpt(example))
    }
}
