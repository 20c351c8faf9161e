//! Sparse rows of numbers, one for each text.

use crate::error::LinearError;

/// A sparse matrix `[texts, features]` by rows (CSR).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    ends: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
    n_columns: usize,
}

impl Rows {
    /// No rows, of `n_columns` features.
    pub fn new(n_columns: usize) -> Self {
        Self { n_columns, ..Self::default() }
    }

    /// Appends a row: its features in ascending order, and what each weighs.
    ///
    /// # Errors
    /// [`LinearError::Parts`] if they do not ascend, or one is not a column of this matrix.
    pub fn push(&mut self, row: impl IntoIterator<Item = (u32, f32)>) -> Result<(), LinearError> {
        let start = self.columns.len();
        for (column, value) in row {
            self.columns.push(column);
            self.values.push(value);
        }
        let row = &self.columns[start..];
        let ascend = row.windows(2).all(|pair| pair[0] < pair[1]);
        if ascend && row.last().is_none_or(|&last| (last as usize) < self.n_columns) {
            self.ends.push(self.columns.len());
            return Ok(());
        }
        self.columns.truncate(start);
        self.values.truncate(start);
        Err(LinearError::Parts { what: "the features of a row must ascend and be columns of the matrix" })
    }

    /// Appends all rows of another matrix with the same columns.
    pub(crate) fn append(&mut self, other: Self) {
        debug_assert_eq!(self.n_columns, other.n_columns);
        let start = self.columns.len();
        self.ends.extend(other.ends.into_iter().map(|end| start + end));
        self.columns.extend(other.columns);
        self.values.extend(other.values);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many columns there are.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// How many numbers are stored.
    pub fn n_stored(&self) -> usize {
        self.columns.len()
    }

    /// The features of row `index`, ascending, and what each weighs. Panics if there is no such row.
    pub fn row(&self, index: usize) -> (&[u32], &[f32]) {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        let range = start..self.ends[index];
        (&self.columns[range.clone()], &self.values[range])
    }

    /// The rows `indices` in their order. Panics if there is no such row.
    pub fn select(&self, indices: &[usize]) -> Self {
        let mut selected = Self::new(self.n_columns);
        for &index in indices {
            let (columns, values) = self.row(index);
            selected.columns.extend_from_slice(columns);
            selected.values.extend_from_slice(values);
            selected.ends.push(selected.columns.len());
        }
        selected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_as_they_were_pushed() {
        let mut rows = Rows::new(3);
        rows.push([(0, 1.0), (2, 0.5)]).unwrap();
        rows.push([]).unwrap();
        assert!(rows.push([(1, 1.0), (1, 1.0)]).is_err());
        assert!(rows.push([(3, 1.0)]).is_err());
        rows.append(rows.clone());
        assert_eq!((rows.len(), rows.n_stored()), (4, 4));
        assert_eq!(rows.row(2), (&[0, 2][..], &[1.0, 0.5][..]));
        assert_eq!(rows.select(&[1, 0]).row(1), rows.row(0));
    }
}
