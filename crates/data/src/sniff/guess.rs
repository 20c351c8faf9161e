//! Which columns hold the text and the label: by their names, else by their values.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::columns::Sample;
use super::names::{LABELS, PAIRS, TEXTS};
use crate::config::{Column, TextColumns};
use crate::error::{ColumnSummary, DataError, excerpt};
use crate::report::is_unspaced;

/// A longer value is no label.
const LONGEST_LABEL: usize = 60;

/// Which column was chosen by its values, and what these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuessedColumn {
    /// How many rows were looked at.
    pub rows: usize,
    /// How many different values they have.
    pub distinct: usize,
}

/// The columns that hold text and label, with what they were guessed from if not by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guess<T> {
    pub(super) columns: T,
    pub(super) by_values: Option<GuessedColumn>,
}

/// The values of one column.
struct Values<'a> {
    index: usize,
    rows: usize,
    /// How often each value is there; of a list, each item.
    counts: BTreeMap<&'a str, usize>,
    is_list: bool,
}

impl<'a> Values<'a> {
    fn of(sample: &'a Sample, index: usize) -> Self {
        let mut values = Self { index, rows: 0, counts: BTreeMap::new(), is_list: sample.is_list(index) };
        for row in sample.rows() {
            values.rows += 1;
            let field = row.get(index).map_or("", String::as_str);
            let items: Vec<&str> = if values.is_list { field.split(',').collect() } else { vec![field] };
            for value in items.into_iter().map(str::trim).filter(|value| !value.is_empty()) {
                *values.counts.entry(value).or_default() += 1;
            }
        }
        values
    }

    fn filled(&self) -> usize {
        self.counts.values().sum()
    }

    /// Characters of a value on average.
    fn length(&self) -> f64 {
        let characters: usize = self.counts.iter().map(|(value, n)| value.chars().count() * n).sum();
        characters as f64 / self.filled().max(1) as f64
    }

    /// Whether the values may be labels: short, in every row, few, and there again and again. A constant is one only
    /// where the rows are the beginning of a file that is sorted by label.
    fn may_be_labels(&self, may_be_sorted: bool) -> bool {
        let (filled, distinct) = (self.filled(), self.counts.len());
        let again: usize = self.counts.values().filter(|n| **n > 1).sum();
        let fractions =
            self.counts.keys().filter(|value| value.parse::<i64>().is_err() && value.parse::<f64>().is_ok());
        (self.is_list || filled == self.rows)
            && (distinct > 1 || may_be_sorted && distinct == 1)
            && (distinct * 4 <= filled || distinct * 2 <= filled && distinct <= 3)
            && again * 10 >= filled * 9
            && fractions.count() * 10 < distinct.max(10)
            && self.counts.keys().all(|value| value.chars().count() <= LONGEST_LABEL)
    }

    /// Whether the values may be texts: words, in nearly every row, and hardly ever the same.
    fn may_be_texts(&self) -> bool {
        let is_worded = |value: &str| value.trim().contains(char::is_whitespace) || value.chars().any(is_unspaced);
        let worded: usize = self.counts.iter().filter(|(value, _)| is_worded(value)).map(|(_, n)| n).sum();
        let filled = self.filled();
        !self.is_list && filled * 10 >= self.rows * 9 && worded * 2 > filled && self.counts.len() * 4 > filled
    }

    fn guessed(&self) -> Option<GuessedColumn> {
        Some(GuessedColumn { rows: self.rows, distinct: self.counts.len() })
    }
}

impl Sample {
    /// The column of the texts, or the two of a pair, and that of the labels; `text` and `label` are those that are known.
    ///
    /// # Errors
    /// [`DataError::UnclearColumn`].
    pub(super) fn guess(
        &self,
        path: &Path,
        text: Option<TextColumns>,
        label: Option<Column>,
    ) -> Result<(Guess<TextColumns>, Guess<Column>), DataError> {
        let pair = |names: &str| names.split_once(' ').and_then(|(a, b)| self.named(a).zip(self.named(b)));
        let by_name = |names: &str| names.split(' ').find_map(|name| self.named(name));
        let text = text
            .or_else(|| PAIRS.split(',').find_map(pair).map(|(first, second)| TextColumns::Two(first, second)))
            .or_else(|| by_name(TEXTS).map(TextColumns::One));
        let label = label.or_else(|| by_name(LABELS));
        let taken: BTreeSet<usize> =
            text.iter().flat_map(TextColumns::iter).chain(&label).filter_map(|column| self.index(column)).collect();
        let free: Vec<Values<'_>> =
            (0..self.width()).filter(|index| !taken.contains(index)).map(|index| Values::of(self, index)).collect();

        let found_label = match label {
            Some(columns) => Some(Guess { columns, by_values: None }),
            None => self.label_by_values(&free),
        };
        let label_index = found_label.as_ref().and_then(|label| self.index(&label.columns));
        let found_text = match text {
            Some(columns) => Some(Guess { columns, by_values: None }),
            None => self.text_by_values(free.iter().filter(|values| Some(values.index) != label_index)),
        };
        let which = match (&found_text, &found_label) {
            (None, None) => "text and which the label",
            (None, _) => "text",
            (_, None) => "label",
            (Some(_), Some(_)) => "",
        };
        match (found_text, found_label) {
            (Some(text), Some(label)) => Ok((text, label)),
            _ => Err(self.unclear(path, which)),
        }
    }

    /// The one column that may hold labels; of several, the one whose name says so, or the one of lists; of two columns the
    /// one of shorter values.
    fn label_by_values(&self, free: &[Values<'_>]) -> Option<Guess<Column>> {
        let may_be_sorted = self.width() == 2;
        let able: Vec<&Values<'_>> = free.iter().filter(|values| values.may_be_labels(may_be_sorted)).collect();
        let of_name = || able.iter().copied().filter(|values| self.is_called(values.index, LABELS)).collect::<Vec<_>>();
        let lists = || able.iter().copied().filter(|values| values.is_list).collect::<Vec<_>>();
        let shorter =
            || able.iter().copied().min_by(|a, b| a.length().total_cmp(&b.length())).filter(|_| self.width() == 2);
        let found = only(&able).or_else(|| only(&of_name())).or_else(|| only(&lists())).or_else(shorter)?;
        Some(Guess { columns: self.as_column(found.index), by_values: found.guessed() })
    }

    /// The one column that may hold texts, or whose values are much longer than those of all others; of several, the one
    /// whose name says so. Beside a label, the only other column.
    fn text_by_values<'a>(&self, free: impl Iterator<Item = &'a Values<'a>> + Clone) -> Option<Guess<TextColumns>> {
        let others: Vec<&Values<'_>> = free.clone().collect();
        let able: Vec<&Values<'_>> = free.filter(|values| values.may_be_texts()).collect();
        let longest = || {
            let mut by_length = able.clone();
            by_length.sort_by(|a, b| b.length().total_cmp(&a.length()));
            let second = by_length.get(1).map_or(0.0, |values| values.length());
            by_length.first().copied().filter(|first| first.length() >= 2.0 * second)
        };
        let named = || {
            let named: Vec<_> = able.iter().copied().filter(|values| self.is_called(values.index, TEXTS)).collect();
            only(&named)
        };
        let beside = || only(&others).filter(|_| self.width() == 2);
        let found = only(&able).or_else(longest).or_else(named).or_else(beside)?;
        Some(Guess { columns: TextColumns::One(self.as_column(found.index)), by_values: found.guessed() })
    }

    /// Whether one of these names is a word of the column's name, as in `airline_sentiment`.
    fn is_called(&self, index: usize, names: &str) -> bool {
        let Some(name) = self.names().and_then(|names| names.get(index)) else { return false };
        let name = name.to_lowercase();
        name.split(|c: char| !c.is_alphanumeric()).any(|word| names.split(' ').any(|known| known == word))
    }

    pub(super) fn unclear(&self, path: &Path, which: &'static str) -> DataError {
        let summary = |index| {
            let values = Values::of(self, index);
            let example = self.rows().iter().filter_map(|row| row.get(index)).find(|value| !value.trim().is_empty());
            ColumnSummary {
                name: self.as_column(index).to_string(),
                rows: values.rows,
                distinct: values.counts.len(),
                example: excerpt(example.map_or("", String::as_str)),
            }
        };
        DataError::UnclearColumn { path: path.to_owned(), which, columns: (0..self.width()).map(summary).collect() }
    }
}

/// The only one of a list.
fn only<T: Copy>(list: &[T]) -> Option<T> {
    if let [one] = list { Some(*one) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{DataConfig, Format};

    type Guesses = (Guess<TextColumns>, Guess<Column>);

    fn guess(text: &str, format: Format) -> Result<(Guesses, DataConfig), DataError> {
        let mut config = DataConfig::default();
        let guesses = Sample::read(text, format, &[], &mut config).guess(Path::new("x.csv"), None, None)?;
        Ok((guesses, config))
    }

    fn columns(text: &str, format: Format) -> (String, String) {
        let ((text, label), _) = guess(text, format).unwrap();
        (text.columns.first()[0].to_string(), label.columns.to_string())
    }

    /// Rows of a text and one of three labels, as a function writes them.
    fn rows(row: impl Fn(&str, &str) -> String) -> String {
        (0..30).map(|i| row(&format!("the text number {i}"), ["pos", "neg", "none"][i % 3]) + "\n").collect()
    }

    #[test]
    fn columns_are_chosen_by_their_names() {
        assert_eq!(
            columns("ID,Review,Sentiment\n1,good,pos\n", Format::Csv),
            ("Review".to_owned(), "Sentiment".to_owned())
        );
        let pair = "{\"premise\":\"a\",\"hypothesis\":\"b\",\"label\":1}\n";
        assert!(guess(pair, Format::Jsonl).unwrap().0.0.columns.is_pair());
    }

    #[test]
    fn two_columns_without_header_in_any_order_and_with_any_delimiter() {
        for (delimiter, set) in [(',', None), (';', Some(";")), ('\t', Some("\t")), ('@', Some("@"))] {
            let (label_first, text_first) = (
                rows(|text, label| format!("{label}{delimiter}{text}")),
                rows(|text, label| format!("{text}{delimiter}{label}")),
            );
            for (file, expected) in [(label_first, ("1", "0")), (text_first, ("0", "1"))] {
                let ((text, label), config) = guess(&file, Format::Csv).unwrap();
                assert_eq!(
                    (text.columns.first()[0].to_string().as_str(), label.columns.to_string().as_str()),
                    expected
                );
                assert_eq!(label.by_values, Some(GuessedColumn { rows: 30, distinct: 3 }));
                assert_eq!((config.header, config.delimiter.as_deref()), (false, set));
            }
        }
        let tabs = rows(|text, label| format!("{label}\t{text}"));
        let (_, config) = guess(&tabs, Format::Tsv).unwrap();
        assert_eq!((config.header, config.delimiter), (false, None));
    }

    #[test]
    fn of_many_columns_the_label_repeats_and_the_text_is_longest() {
        let file = rows(|text, label| format!("{},{label},{text} and more of it,by X", text.replace(' ', "-")));
        assert_eq!(
            columns(&format!("n,verdict,words,who\n{file}"), Format::Csv),
            ("words".to_owned(), "verdict".to_owned())
        );
        // Where several may be the label, a word of the name tells.
        let file = rows(|text, label| format!("{label},{label}x,{text}"));
        assert_eq!(columns(&format!("airline,airline_sentiment,remark\n{file}"), Format::Csv).1, "airline_sentiment");
        let file = format!("a,b,c\n{file}");
        let DataError::UnclearColumn { which, columns, .. } = guess(&file, Format::Csv).unwrap_err() else { panic!() };
        assert_eq!(which, "label");
        assert_eq!(columns[0].to_string(), "`a`: 3 different values in 30 rows, such as `pos`");
    }

    #[test]
    fn a_file_sorted_by_label_begins_with_one_label() {
        let file: String = (0..30).map(|i| format!("pos\tthe text number {i}\n")).collect();
        assert_eq!(columns(&file, Format::Tsv), ("1".to_owned(), "0".to_owned()));
    }

    #[test]
    fn arrays_and_booleans_are_labels() {
        let lists = rows(|text, label| {
            format!("{{\"words\":\"{text}\",\"about\":[\"{label}\",\"all\"],\"n\":{}}}", text.len())
        });
        assert_eq!(columns(&lists, Format::Jsonl), ("words".to_owned(), "about".to_owned()));
        let booleans = rows(|text, label| format!("{{\"words\":\"{text}\",\"toxic\":{}}}", label == "neg"));
        assert_eq!(columns(&booleans, Format::Jsonl), ("words".to_owned(), "toxic".to_owned()));
    }

    #[test]
    fn what_may_be_anything_is_listed() {
        let error = guess("a,b\nfirst words,1\nother words,2\n", Format::Csv).unwrap_err();
        assert_eq!(error.to_string(), "cannot tell which column of `x.csv` holds the label");
        let hint = "name the columns of text and label; there are\n  `a`: 2 different values in 2 rows, such as `first words`\n  \
            `b`: 2 different values in 2 rows, such as `1`";
        assert_eq!(error.hint().as_deref(), Some(hint));
    }
}
