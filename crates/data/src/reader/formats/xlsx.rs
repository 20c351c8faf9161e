//! Excel's .xlsx: the first sheet, by the text that one sees. Its rows are read one after the other and stand, by the numbers
//! that Excel gives them, as lines in messages; rows without any text are skipped.
//!
//! The library works on what the file says of itself, so that a panic in it is taken for damage.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use calamine::{Cell, DataRef, ExcelDateTime, Reader, Xlsx, XlsxCellReader};
use zip::ZipArchive;

use super::whole_file::{self, checked, file_sha256};
use crate::config::DataConfig;
use crate::error::{DataError, Location, RowFault};
use crate::reader::columns::{ColumnPositions, join, positions};
use crate::reader::delimited_row::as_row;
use crate::reader::input::unpacked_limit;
use crate::reader::layout::{Header, TableKind, TableLayout};
use crate::reader::open::open;
use crate::reader::rows::{Fields, LabelValue, ParsedRow, RowSink};

/// How many columns Excel has.
const MAX_COLUMNS: usize = 16_384;

type Workbook = Xlsx<BufReader<File>>;

/// Hands every row below the header to `rows`.
pub(in crate::reader) fn read(path: &Path, rows: &mut RowSink<'_>) -> Result<String, DataError> {
    let config = rows.config;
    let mut workbook = workbook(path, config)?;
    let mut lines = SheetRows::of_first_sheet(path, &mut workbook)?;
    let mut first = lines.next()?.ok_or_else(|| DataError::Empty { path: path.to_owned() })?;
    let width = first.cells.len();
    let at = |line| Location { path: path.to_owned(), line: Some(line), element: None };
    let header = config.header.then(|| std::mem::take(&mut first.cells));
    if let Some(columns) = &header {
        rows.check_columns(path, columns.clone())?;
    }
    let found = positions(rows, path, header.as_deref(), &at(first.number), width)?;
    let names = header.clone().map(|names| Header { row: as_row(&names), names });
    let kind = TableKind::Delimited { delimiter: b',', quoted: true };
    rows.layout(TableLayout { header: names, ..TableLayout::plain(kind) });
    let mut line = if header.is_some() { lines.next()? } else { Some(first) };
    if line.is_none() {
        return Err(DataError::HeaderOnly { path: path.to_owned() });
    }
    let mut joined = String::new();
    while let Some(mut current) = line {
        current.cells.resize(width, String::new());
        let at = || at(current.number);
        current.hand_on(&found, &at, &mut joined, rows).or_else(|error| rows.bad(error))?;
        line = lines.next()?;
    }
    file_sha256(path)
}

/// The cells of the first rows that hold any text, at most `n`.
pub(in crate::reader) fn first_rows(path: &Path, config: &DataConfig, n: usize) -> Result<Vec<Vec<String>>, DataError> {
    let mut workbook = workbook(path, config)?;
    let mut lines = SheetRows::of_first_sheet(path, &mut workbook)?;
    let mut rows = Vec::new();
    while let Some(line) = lines.next()?.filter(|_| rows.len() < n) {
        rows.push(line.cells);
    }
    Ok(rows)
}

/// Opens a file that unpacks to no more than it may.
fn workbook(path: &Path, config: &DataConfig) -> Result<Workbook, DataError> {
    let file = open(path)?;
    let size = file.metadata().map_err(|source| DataError::Read { path: path.to_owned(), source })?.len();
    let allowed = unpacked_limit(size, config.max_expansion);
    let unpacked = caught(path, || unpacked_size(file, allowed))?;
    if unpacked > allowed {
        return Err(DataError::Expansion { path: path.to_owned(), times: config.max_expansion });
    }
    let file = open(path)?;
    caught(path, || Workbook::new(BufReader::new(file)))
}

/// How many bytes the parts of a file unpack to; counting ends above `allowed`. What the file says of their sizes is not
/// believed.
fn unpacked_size(file: File, allowed: u64) -> Result<u64, zip::result::ZipError> {
    let mut archive = ZipArchive::new(BufReader::new(file))?;
    let mut total = 0;
    for index in 0..archive.len() {
        let mut part = archive.by_index(index)?.take(allowed + 1 - total);
        total += io::copy(&mut part, &mut io::sink())?;
        if total > allowed {
            break;
        }
    }
    Ok(total)
}

/// A row of the sheet, up to its last cell.
struct SheetRow {
    /// Counted from 1.
    number: u64,
    cells: Vec<String>,
    /// The columns whose cells hold an error such as `#N/A`.
    errors: Vec<usize>,
}

/// The rows of a sheet that hold any text.
struct SheetRows<'a> {
    path: &'a Path,
    cells: XlsxCellReader<'a, BufReader<File>>,
    /// The first cell of the next row.
    next: Option<Cell<DataRef<'a>>>,
}

impl<'a> SheetRows<'a> {
    fn of_first_sheet(path: &'a Path, workbook: &'a mut Workbook) -> Result<Self, DataError> {
        let name = workbook.sheet_names().into_iter().next();
        let name = name.ok_or_else(|| failure(path, "it has no sheet"))?;
        let mut lines = Self { path, cells: caught(path, || workbook.worksheet_cells_reader(&name))?, next: None };
        lines.next = lines.cell()?;
        Ok(lines)
    }

    fn next(&mut self) -> Result<Option<SheetRow>, DataError> {
        while let Some(first) = self.next.take() {
            let (row, _) = first.get_position();
            let mut line = SheetRow { number: u64::from(row) + 1, cells: Vec::new(), errors: Vec::new() };
            line.add(&first);
            while let Some(cell) = self.cell()? {
                match cell.get_position().0 {
                    same if same == row => line.add(&cell),
                    later if later > row => {
                        self.next = Some(cell);
                        break;
                    }
                    _ => return Err(failure(self.path, "its rows are not in order")),
                }
            }
            while line.cells.pop_if(|cell| cell.trim().is_empty()).is_some() {}
            if !line.cells.is_empty() {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    fn cell(&mut self) -> Result<Option<Cell<DataRef<'a>>>, DataError> {
        let cell = caught(self.path, || self.cells.next_cell())?;
        match &cell {
            Some(cell) if cell.get_position().1 as usize >= MAX_COLUMNS => {
                Err(failure(self.path, "it has more columns than Excel"))
            }
            _ => Ok(cell),
        }
    }
}

impl SheetRow {
    fn add(&mut self, cell: &Cell<DataRef<'_>>) {
        let text = match cell.get_value() {
            DataRef::Empty => return,
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
            DataRef::SharedString(text) => (*text).to_owned(),
            DataRef::Int(number) => number.to_string(),
            DataRef::Float(number) => seen(*number),
            DataRef::Bool(truth) => if *truth { "TRUE" } else { "FALSE" }.to_owned(),
            DataRef::DateTime(time) => seen_time(time),
            DataRef::Error(error) => {
                self.errors.push(cell.get_position().1 as usize);
                error.to_string()
            }
        };
        let column = cell.get_position().1 as usize;
        if self.cells.len() <= column {
            self.cells.resize(column + 1, String::new());
        }
        self.cells[column] = text;
    }

    /// Hands the row on. An error is the row's own fault, or ends the reading.
    fn hand_on(
        &self,
        found: &ColumnPositions,
        at: &dyn Fn() -> Location,
        joined: &mut String,
        rows: &mut RowSink<'_>,
    ) -> Result<(), DataError> {
        let config = rows.config;
        let cell = |&column: &usize| self.cell(column, config, at);
        let parts = found.text.iter().map(cell).collect::<Result<Vec<_>, _>>()?;
        let second = found.second.as_ref().map(cell).transpose()?;
        let label = LabelValue::Field(found.label.as_ref().map(cell).transpose()?.unwrap_or_default());
        let group = found.group.as_ref().map(cell).transpose()?;
        let text = join(parts.into_iter(), config.text.separator(), joined);
        let fields = Fields::Cells(&self.cells);
        rows.row(&ParsedRow { line: self.number, element: None, text, second, label, group, fields }, at)
    }

    fn cell(&self, column: usize, config: &DataConfig, at: &dyn Fn() -> Location) -> Result<&str, DataError> {
        let text = &self.cells[column];
        if self.errors.contains(&column) {
            let key = column_name(column);
            return Err(RowFault::JsonType { key, expected: "a value", found: "an error of a formula" }.at(at()));
        }
        checked(text, config).map_err(|fault| fault.at(at()))
    }
}

/// The letters by which Excel names a column: A to Z, AA and so on.
fn column_name(mut column: usize) -> String {
    let mut name = Vec::new();
    loop {
        name.insert(0, b'A' + (column % 26) as u8);
        match column / 26 {
            0 => return String::from_utf8_lossy(&name).into_owned(),
            above => column = above - 1,
        }
    }
}

/// A number in the 15 digits that Excel has, without `.0`.
fn seen(number: f64) -> String {
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    match rounded.abs() {
        0.0 => "0".to_owned(),
        1e-9..1e21 => rounded.to_string(),
        _ => format!("{rounded:e}"),
    }
}

/// A date, a time of day, or both, as ISO 8601 writes them; a length of time in hours, minutes and seconds.
fn seen_time(time: &ExcelDateTime) -> String {
    if time.is_duration() {
        let seconds = (time.as_f64() * 86_400.0).round() as i64;
        let sign = if seconds < 0 { "-" } else { "" };
        let seconds = seconds.unsigned_abs();
        return format!("{sign}{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let (date, clock) = (format!("{year:04}-{month:02}-{day:02}"), format!("{hour:02}:{minute:02}:{second:02}"));
    match time.as_f64() {
        0.0..1.0 => clock,
        _ if (hour, minute, second) == (0, 0, 0) => date,
        _ => format!("{date} {clock}"),
    }
}

fn failure(path: &Path, reason: &str) -> DataError {
    DataError::Xlsx { path: path.to_owned(), reason: reason.to_owned() }
}

/// Runs a piece of the library's work.
fn caught<T, E: ToString>(path: &Path, work: impl FnOnce() -> Result<T, E>) -> Result<T, DataError> {
    whole_file::caught(work).map_err(|reason| failure(path, &reason))
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType::{DateTime, TimeDelta};

    use super::*;

    #[test]
    fn numbers_are_as_one_sees_them() {
        for (number, text) in [
            (3.0, "3"),
            (-0.0, "0"),
            (0.1 + 0.2, "0.3"),
            (123_456_789_012_345.0, "123456789012345"),
            (1e300, "1e300"),
            (-2.5e-10, "-2.5e-10"),
        ] {
            assert_eq!(seen(number), text);
        }
    }

    /// Excel's `DATE(2024, 1, 1)` is 45,292; 59 days later comes the 29th of February.
    #[test]
    fn dates_and_times_are_as_iso_8601_writes_them() {
        let time = |value, kind| seen_time(&ExcelDateTime::new(value, kind, false));
        assert_eq!(time(45_351.0, DateTime), "2024-02-29");
        assert_eq!(time(45_351.75, DateTime), "2024-02-29 18:00:00");
        assert_eq!(time(0.5, DateTime), "12:00:00");
        assert_eq!(time(1.25, TimeDelta), "30:00:00");
    }

    #[test]
    fn columns_have_letters() {
        assert_eq!([0, 25, 26, 701, 702, 16_383].map(column_name), ["A", "Z", "AA", "ZZ", "AAA", "XFD"]);
    }
}
