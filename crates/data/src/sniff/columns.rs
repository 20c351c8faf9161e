//! The columns of a file as its first rows show them: names, values, how they are separated and whether the first row names
//! them.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::names::is_usual_name;
use crate::config::{Column, DataConfig, Format};
use crate::error::DataError;
use crate::reader::whole_elements;

/// What may stand between several labels in one field.
const SEPARATORS: [&str; 3] = [",", ";", "|"];

/// The first rows of a file.
#[derive(Debug, Default)]
pub(super) struct Sample {
    /// The names of the columns, if the file has them.
    pub(super) names: Option<Vec<String>>,
    /// The fields of each row; a JSON array as its items with commas between them.
    rows: Vec<Vec<String>>,
    /// The columns that hold JSON arrays.
    lists: BTreeSet<usize>,
}

/// Reads delimited text as it may be meant. Rows that are wrong are kept as they are.
fn split(text: &str, delimiter: u8, quoted: bool) -> Vec<Vec<String>> {
    let reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(quoted)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let rows = reader.into_records().map_while(Result::ok);
    rows.map(|row| row.iter().map(str::to_owned).collect()).collect()
}

/// The share of the rows that are as wide as the first one; 0 if that has one column.
fn regularity(rows: &[Vec<String>]) -> f64 {
    let width = rows.first().map_or(0, Vec::len);
    if width < 2 {
        return 0.0;
    }
    rows.iter().filter(|row| row.len() == width).count() as f64 / rows.len() as f64
}

impl Sample {
    /// Reads the beginning of a file and sets delimiter, quoting and header of `config` by it. `wanted` are the columns
    /// that were asked for.
    pub(super) fn read(text: &str, format: Format, wanted: &[&str], config: &mut DataConfig) -> Self {
        match format {
            Format::Json => return Self::of_json(whole_elements(text).iter().map(String::as_str)),
            Format::Jsonl => return Self::of_json(text.lines()),
            _ => {}
        }
        let tab = (format == Format::Tsv).then(|| {
            let (plain, quoted) = (split(text, b'\t', false), split(text, b'\t', true));
            config.quoting = regularity(&plain) < 1.0 && regularity(&quoted) == 1.0 || is_quoted(&plain);
            if config.quoting { quoted } else { plain }
        });
        if let Some(rows) = tab.filter(|rows| regularity(rows) > 0.0 || !wanted.is_empty()) {
            return Self::of_rows(rows, wanted, config);
        }
        let tried = [b',', b';', b'\t', b'|', b'@'].map(|delimiter| (delimiter, split(text, delimiter, true)));
        // Of equally regular ones the first.
        let best = tried.into_iter().reduce(|a, b| if regularity(&b.1) > regularity(&a.1) { b } else { a });
        let (delimiter, rows) = best.unwrap_or((b',', Vec::new()));
        config.delimiter = (delimiter != b',').then(|| char::from(delimiter).to_string());
        if format == Format::Tsv {
            // The name says that tabs separate the fields, and there are none.
            config.quoting = false;
            config.format = Format::Csv;
        }
        Self::of_rows(rows, wanted, config)
    }

    /// The share of the rows that are as wide as the first one; 0 if that has one column.
    pub(super) fn regularity(&self) -> f64 {
        match self.width() {
            0 | 1 => 0.0,
            width => self.rows.iter().filter(|row| row.len() == width).count() as f64 / self.rows.len().max(1) as f64,
        }
    }

    /// The rows of a table, the first of which may name the columns; sets the header of `config` by them.
    pub(super) fn of_rows(rows: Vec<Vec<String>>, wanted: &[&str], config: &mut DataConfig) -> Self {
        let mut sample = Self { names: None, rows, lists: BTreeSet::new() };
        config.header = sample.has_header(wanted);
        if config.header && !sample.rows.is_empty() {
            sample.names = Some(sample.rows.remove(0).into_iter().map(|name| name.trim().to_owned()).collect());
        }
        sample
    }

    fn of_json<'a>(objects: impl Iterator<Item = &'a str>) -> Self {
        let mut sample = Self::default();
        for object in objects {
            let Ok(Value::Object(object)) = serde_json::from_str::<Value>(object) else { continue };
            let names = sample.names.get_or_insert_with(|| object.keys().cloned().collect());
            let mut row = Vec::new();
            for (column, name) in names.iter().enumerate() {
                row.push(match object.get(name) {
                    Some(Value::String(text)) => text.clone(),
                    Some(Value::Array(items)) => {
                        sample.lists.insert(column);
                        items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
                    }
                    Some(other) => other.to_string(),
                    None => String::new(),
                });
            }
            sample.rows.push(row);
        }
        sample
    }

    /// Whether the first row names the columns: it holds a name that was asked for or that columns have; or nothing but
    /// short words. A value that comes again in its column is no name.
    fn has_header(&self, wanted: &[&str]) -> bool {
        let Some((first, rest)) = self.rows.split_first() else { return true };
        let is_wanted = |name: &str| wanted.contains(&name) && name.parse::<usize>().is_err();
        if first.iter().any(|name| is_wanted(name.trim())) {
            return true;
        }
        let comes_again = |column: usize| {
            let values = || rest.iter().filter_map(|row| row.get(column)).map(String::as_str);
            let distinct: BTreeSet<&str> = values().collect();
            !first[column].is_empty() && distinct.len() < rest.len() && distinct.contains(first[column].as_str())
        };
        let again: Vec<usize> = (0..first.len()).filter(|&column| comes_again(column)).collect();
        if (0..first.len()).any(|column| is_usual_name(&first[column]) && !again.contains(&column)) {
            return true;
        }
        let by_number = wanted.iter().all(|name| name.parse::<usize>().is_ok());
        let is_name = |field: &String| {
            let ends = field.trim().ends_with(['.', '!', '?', '。', '！', '？']);
            field.parse::<f64>().is_err() && field.chars().count() < 40 && !ends
        };
        !by_number || (first.iter().all(is_name) && again.is_empty() && rest.len() > 1)
    }

    /// The column that `name` means.
    pub(super) fn column(&self, path: &Path, name: &str) -> Result<Column, DataError> {
        let name = name.trim();
        if let Some(names) = &self.names {
            if names.iter().any(|known| known == name) {
                return Ok(Column::Name(name.to_owned()));
            }
            if name.parse::<usize>().is_err() {
                let (path, column, columns) = (path.to_owned(), name.to_owned(), names.clone());
                return Err(DataError::NoColumn { path, column, columns });
            }
        }
        Ok(name.parse().map_or_else(|_| Column::Name(name.to_owned()), Column::Number))
    }

    /// The column of this name, whatever its case.
    pub(super) fn named(&self, name: &str) -> Option<Column> {
        let names = self.names.as_ref()?;
        names.iter().find(|known| known.to_lowercase() == name).map(|known| Column::Name(known.clone()))
    }

    pub(super) fn names(&self) -> Option<&[String]> {
        self.names.as_deref()
    }

    pub(super) fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// How many columns there are.
    pub(super) fn width(&self) -> usize {
        self.names.as_ref().or(self.rows.first()).map_or(0, Vec::len)
    }

    /// Whether a column holds JSON arrays.
    pub(super) fn is_list(&self, index: usize) -> bool {
        self.lists.contains(&index)
    }

    /// How the config names the column at an index: by its name, unless it has none or shares it.
    pub(super) fn as_column(&self, index: usize) -> Column {
        let names = self.names.as_deref().unwrap_or_default();
        match names.get(index) {
            Some(name) if !name.is_empty() && names.iter().filter(|other| *other == name).count() == 1 => {
                Column::Name(name.clone())
            }
            _ => Column::Number(index),
        }
    }

    /// Where a column is.
    pub(super) fn index(&self, column: &Column) -> Option<usize> {
        match column {
            Column::Number(number) => Some(*number),
            Column::Name(name) => self.names.as_ref()?.iter().position(|known| known == name),
        }
    }

    /// What stands between the labels of a field, if fields hold several labels: the values split at it are fewer than
    /// the values themselves, and come alone as well.
    pub(super) fn separator(&self, label: &Column) -> Option<&'static str> {
        let index = self.index(label)?;
        if self.is_list(index) {
            return Some(SEPARATORS[0]);
        }
        let values: Vec<&str> = self.rows.iter().filter_map(|row| row.get(index)).map(String::as_str).collect();
        let whole: BTreeSet<&str> = values.iter().map(|value| value.trim()).collect();
        SEPARATORS.into_iter().find(|separator| {
            let several: Vec<&str> = values.iter().copied().filter(|value| value.contains(separator)).collect();
            let pieces: BTreeSet<&str> =
                values.iter().flat_map(|value| value.split(separator)).map(str::trim).collect();
            let alone = pieces.iter().filter(|piece| whole.contains(**piece)).count();
            several.len() * 100 >= values.len().max(1) && pieces.len() < whole.len() && alone * 2 >= pieces.len()
        })
    }
}

/// Whether the fields of an unquoted file are quoted all the same: every quote that opens a field closes it, and quotes
/// within are doubled.
fn is_quoted(rows: &[Vec<String>]) -> bool {
    let fields = || rows.iter().flatten().filter(|field| field.starts_with('"'));
    let inner = |field: &String| field.len() >= 2 && !field[1..field.len() - 1].replace("\"\"", "").contains('"');
    fields().count() > 0 && fields().all(|field| field.ends_with('"') && inner(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(text: &str, format: Format, wanted: &[&str]) -> (Sample, DataConfig) {
        let mut config = DataConfig::default();
        let sample = Sample::read(text, format, wanted, &mut config);
        (sample, config)
    }

    #[test]
    fn delimiters_quotes_and_headers() {
        let delimiter = |text| sample(text, Format::Csv, &[]).1.delimiter;
        assert_eq!(delimiter("text,label\na;b,x\nc,y\n"), None);
        assert_eq!(delimiter("text;label\na,b;x\nc;y\n").as_deref(), Some(";"));
        assert_eq!(delimiter("text\tlabel\na,b\tx\nc\ty\n").as_deref(), Some("\t"));

        let quoting = |text| sample(text, Format::Tsv, &[]).1.quoting;
        assert!(!quoting("text\tlabel\n\"Oh\" he said\tx\n\"no\ty\n"));
        assert!(quoting("text\tlabel\n\"He said \"\"oh\"\"\"\tx\nno\ty\n"));
        assert!(quoting("text\tlabel\n\"a\nb\"\tx\nno\ty\n"));

        let header = |text, wanted: &[&str]| sample(text, Format::Csv, wanted).1.header;
        assert!(header("Review,Class\ngood,1\n", &[]));
        assert!(header("v1,v2,,\nham,one long text,,\nspam,another,,\n", &[]));
        assert!(!header("0,a text\n1,another\n1,third\n", &["1", "0"]));
        assert!(!header("3,a text\n1,another\n2,third\n", &[]));
        assert!(header("a,b\ngood,1\nbad,0\n", &["a", "b"]));
        // Names that columns have are values where they come again.
        assert!(!header("description,How did it end\nnumber,How many\ndescription,What is it\nnumber,How far\n", &[]));
        assert!(!header("pos,good film\nneg,bad film\npos,fine film\nneg,no\npos,yes\n", &["1", "0"]));
    }

    #[test]
    fn lists_of_labels_are_told_from_labels_with_commas() {
        let separator = |labels: &[&str]| {
            let text = format!("text;label\n{}", labels.iter().map(|label| format!("a;{label}\n")).collect::<String>());
            sample(&text, Format::Csv, &[]).0.separator(&Column::Name("label".to_owned()))
        };
        assert_eq!(separator(&["joy", "love", "joy,love", "fear,joy", "fear", "love,fear"]), Some(","));
        assert_eq!(separator(&["Rock, Pop", "Jazz, Blues", "Rock, Pop", "Jazz, Blues"]), None);
        assert_eq!(separator(&["a", "b", "a"]), None);
        let (json, _) = sample("{\"text\":\"a\",\"tags\":[\"x\"]}\n", Format::Jsonl, &[]);
        assert_eq!(json.separator(&Column::Name("tags".to_owned())), Some(","));
    }
}
