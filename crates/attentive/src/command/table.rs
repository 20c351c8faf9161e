//! Plain tables and numbers as people read them.

pub(crate) use attentive_data::thousands as count;

use crate::visible::visible;

/// A table whose first columns hold words, flush left, and whose other columns hold numbers, flush right; behind them
/// there may be a column of notes, flush left.
#[derive(Debug)]
pub(crate) struct ResultTable {
    words: usize,
    notes: Option<usize>,
    rows: Vec<Vec<String>>,
}

impl ResultTable {
    /// A table with one column of words.
    pub(crate) fn new(header: &[&str]) -> Self {
        Self::of_words(1, header)
    }

    /// A table with so many columns of words.
    pub(crate) fn of_words(words: usize, header: &[&str]) -> Self {
        Self { words, notes: None, rows: vec![header.iter().map(|name| visible(name)).collect()] }
    }

    /// A table without a header: a name, a number, and a note.
    pub(crate) fn of_notes() -> Self {
        Self { words: 1, notes: Some(2), rows: Vec::new() }
    }

    /// Adds a row; cells may hold words of data.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| visible(&cell)).collect());
    }

    /// The table, two spaces between columns, a newline after each row.
    pub(crate) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let padding = " ".repeat(widths[column] - cell.chars().count());
                let is_text = column < self.words || self.notes == Some(column);
                let (before, after) = if is_text { ("", padding.as_str()) } else { (padding.as_str(), "") };
                line.push_str(if column == 0 { "" } else { "  " });
                line.push_str(before);
                line.push_str(cell);
                line.push_str(after);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// `0.9123` as `91.2 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// An interval of shares as `90.1 – 92.4 %`.
pub(crate) fn range([low, high]: [f64; 2]) -> String {
    format!("{:.1} – {:.1} %", low * 100.0, high * 100.0)
}

/// Bytes as `1.5 MB`.
pub(crate) fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} B"),
        1_000..1_000_000 => format!("{:.1} kB", n as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", n as f64 / 1e6),
        _ => format!("{:.1} GB", n as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(percent(0.9123), "91.2 %");
        assert_eq!(range([0.9012, 0.924]), "90.1 – 92.4 %");
        assert_eq!([999, 2_560_000].map(bytes), ["999 B", "2.6 MB"]);
    }

    #[test]
    fn columns_line_up() {
        let mut table = ResultTable::new(&["label", "f1"]);
        table.row(["größer".to_string(), "0.5".to_string()]);
        table.row(["b".to_string(), "10.25".to_string()]);
        assert_eq!(table.render(), "label      f1\ngrößer    0.5\nb       10.25\n");
        let mut table = ResultTable::of_notes();
        table.row(["loss", "0.5", ""].map(String::from));
        table.row(["F1", "10.25", "good"].map(String::from));
        table.row(["accuracy", "1", "a longer note"].map(String::from));
        assert_eq!(table.render(), "loss        0.5\nF1        10.25  good\naccuracy      1  a longer note\n");
    }
}
