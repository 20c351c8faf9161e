//! Parquet: text columns of strings; labels are strings, integers, booleans, or lists of them. Row groups are read one
//! after the other, and the rows, counted from 1, stand as lines in messages.
//!
//! The library works on what the file says of itself, so that a panic in it is taken for damage.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row as StoredRow};
use parquet::schema::types::Type;
use serde_json::{Value, json};

use super::whole_file::{self, checked, file_sha256};
use crate::config::DataConfig;
use crate::error::{DataError, Location, RowFault};
use crate::reader::columns::{ColumnPositions, join, positions};
use crate::reader::input::unpacked_limit;
use crate::reader::layout::{TableKind, TableLayout};
use crate::reader::open::{open, stat};
use crate::reader::rows::{Fields, LABEL_TYPES, LabelValue, ParsedRow, RowSink};

/// Hands every row to `rows`; returns the file's SHA-256.
pub(in crate::reader) fn read(path: &Path, rows: &mut RowSink<'_>) -> Result<String, DataError> {
    let (config, with_label) = (rows.config, rows.with_label);
    let at = |row: u64| Location { path: path.to_owned(), line: Some(row), element: None };
    let size = stat(path)?.len();
    let file = open(path)?;
    let reader = caught(path, || SerializedFileReader::new(file))?;
    let schema = reader.metadata().file_metadata().schema().clone();
    let columns: Vec<String> = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
    rows.check_columns(path, columns.clone())?;
    let found = positions(rows, path, Some(&columns), &at(1), columns.len())?;
    let (projection, wanted) = if with_label { project(&schema, &found) } else { all(&schema) };
    rows.layout(TableLayout::plain(TableKind::Objects));
    let projection = caught(path, || Type::group_type_builder("schema").with_fields(projection).build())?;
    let reader: Box<dyn FileReader> = Box::new(reader);
    let mut records = caught(path, || RowIter::from_file_into(reader).project(Some(projection)))?;

    let allowed = unpacked_limit(size, config.max_expansion);
    let (mut given, mut number) = (0u64, 0u64);
    let mut joined = String::new();
    while let Some(record) = caught(path, || records.next().transpose())? {
        number += 1;
        let record = ParquetRow { record, columns: &columns, wanted: &wanted, at: &|| at(number) };
        let result = record.hand_on(&found, number, &mut joined, rows);
        given += result.or_else(|error| rows.bad(error).map(|()| 1))?;
        if given > allowed {
            return Err(DataError::Expansion { path: path.to_owned(), times: config.max_expansion });
        }
    }
    if number == 0 {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    file_sha256(path)
}

/// The columns that are read, in the order of the schema, and which of all columns they are.
fn project(schema: &Type, found: &ColumnPositions) -> (Vec<Arc<Type>>, Vec<usize>) {
    let mut wanted: Vec<usize> =
        found.text.iter().copied().chain(found.second).chain(found.label).chain(found.group).collect();
    wanted.sort_unstable();
    (wanted.iter().map(|&column| Arc::clone(&schema.get_fields()[column])).collect(), wanted)
}

/// All columns: who writes rows back wants them whole.
fn all(schema: &Type) -> (Vec<Arc<Type>>, Vec<usize>) {
    (schema.get_fields().to_vec(), (0..schema.get_fields().len()).collect())
}

/// One row with what is needed to find and name its fields.
struct ParquetRow<'a> {
    record: StoredRow,
    columns: &'a [String],
    /// Which column each field of the record is.
    wanted: &'a [usize],
    at: &'a dyn Fn() -> Location,
}

impl ParquetRow<'_> {
    /// Hands the row on; returns about how many bytes it takes. An error is the row's own fault, or ends the reading.
    fn hand_on(
        &self,
        found: &ColumnPositions,
        number: u64,
        joined: &mut String,
        rows: &mut RowSink<'_>,
    ) -> Result<u64, DataError> {
        let (config, with_label) = (rows.config, rows.with_label);
        let is_joined = found.text.len() > 1;
        let parts: Vec<&str> =
            found.text.iter().map(|&column| self.text(column, is_joined, config)).collect::<Result<_, _>>()?;
        let second = found.second.map(|column| self.text(column, false, config)).transpose()?;
        let list;
        let single;
        let labels = match found.label.map(|column| (column, self.field(column))) {
            None | Some((_, Field::Null)) => LabelValue::Field(""),
            Some((column, Field::ListInternal(values))) => {
                let key = &self.columns[column];
                if !config.multi_label {
                    return Err(RowFault::LabelList { key: key.clone() }.at((self.at)()));
                }
                let label = |(index, value)| self.label(value, || format!("{key}[{index}]"));
                list = values.elements().iter().enumerate().map(label).collect::<Result<Vec<_>, _>>()?;
                LabelValue::List(&list)
            }
            Some((column, value)) => {
                single = self.label(value, || self.columns[column].clone())?;
                LabelValue::Field(&single)
            }
        };
        let name;
        let group = match found.group.map(|column| (column, self.field(column))) {
            None => None,
            Some((_, Field::Null)) => Some(""),
            Some((column, value)) => {
                name = self.label(value, || self.columns[column].clone())?;
                Some(name.as_ref())
            }
        };
        let text = join(parts.iter().copied(), config.text.separator(), joined);
        let object = if with_label { String::new() } else { self.object() };
        let fields = if with_label { Fields::None } else { Fields::Json(&object) };
        let bytes = text.len().max(object.len()) + second.map_or(0, str::len) + 1;
        let row = ParsedRow { line: number, element: None, text, second, label: labels, group, fields };
        rows.row(&row, self.at)?;
        Ok(bytes as u64)
    }

    /// The row as a JSON object.
    fn object(&self) -> String {
        let members = self.record.get_column_iter().map(|(name, field)| (name.clone(), value(field)));
        Value::Object(members.collect()).to_string()
    }

    fn field(&self, column: usize) -> &Field {
        let index = self.wanted.partition_point(|&wanted| wanted < column);
        self.record.get_column_iter().nth(index).map_or(&Field::Null, |(_, field)| field)
    }

    fn text(&self, column: usize, null_is_empty: bool, config: &DataConfig) -> Result<&str, DataError> {
        let field = self.field(column);
        let wrong = || self.wrong_type(self.columns[column].clone(), "a string", field);
        let text = match field {
            Field::Str(text) => text.as_str(),
            Field::Bytes(bytes) => std::str::from_utf8(bytes.data()).map_err(|_| wrong())?,
            Field::Null if null_is_empty => "",
            _ => return Err(wrong()),
        };
        checked(text, config).map_err(|fault| fault.at((self.at)()))
    }

    fn label<'a>(&self, field: &'a Field, key: impl Fn() -> String) -> Result<Cow<'a, str>, DataError> {
        label(field).ok_or_else(|| self.wrong_type(key(), LABEL_TYPES, field))
    }

    fn wrong_type(&self, key: String, expected: &'static str, found: &Field) -> DataError {
        let found = match found {
            Field::Null => "null",
            Field::Bool(_) => "a boolean",
            Field::Float16(_) | Field::Float(_) | Field::Double(_) | Field::Decimal(_) => "a fraction",
            Field::Bytes(_) => "bytes that are not UTF-8",
            Field::Str(_) => "a string",
            Field::ListInternal(_) => "a list",
            Field::Group(_) | Field::MapInternal(_) => "a group of values",
            _ if label(found).is_some() => "a number",
            _ => "a time",
        };
        RowFault::JsonType { key, expected, found }.at((self.at)())
    }
}

/// A label as text; `None` if the value is of a type that a label cannot have.
fn label(field: &Field) -> Option<Cow<'_, str>> {
    match field {
        Field::Str(label) => Some(Cow::Borrowed(label)),
        Field::Bytes(label) => std::str::from_utf8(label.data()).ok().map(Cow::Borrowed),
        other => match value(other) {
            label @ (Value::Bool(_) | Value::Number(_)) if !label.is_f64() => Some(Cow::Owned(label.to_string())),
            _ => None,
        },
    }
}

/// A value as JSON; what JSON has no form for is written as text.
fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(value) => json!(value),
        Field::Byte(value) => json!(value),
        Field::Short(value) => json!(value),
        Field::Int(value) => json!(value),
        Field::Long(value) => json!(value),
        Field::UByte(value) => json!(value),
        Field::UShort(value) => json!(value),
        Field::UInt(value) => json!(value),
        Field::ULong(value) => json!(value),
        Field::Float(value) if value.is_finite() => json!(value),
        Field::Double(value) if value.is_finite() => json!(value),
        Field::Str(value) => json!(value),
        Field::Bytes(value) => json!(String::from_utf8_lossy(value.data())),
        Field::ListInternal(values) => values.elements().iter().map(self::value).collect(),
        other => json!(other.to_string()),
    }
}

/// Runs a piece of the library's work.
fn caught<T>(path: &Path, work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, DataError> {
    whole_file::caught(work).map_err(|reason| DataError::Parquet { path: path.to_owned(), reason })
}
