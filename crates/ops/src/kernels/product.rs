//! Products of small matrices, of which the right one is packed so that a tile of the result stays in registers. Each value
//! is summed in the order of the inner index, whatever the tiles are.

use macerator::Simd;

use super::lanes::{Lanes, WIDEST, load, splat, store, width};

/// Rows that are computed together.
pub(crate) const ROWS: usize = 8;

/// Columns of a panel: three of the widest vectors, which with eight rows take 24 of AVX-512's 32 registers.
const PANEL: usize = 3 * WIDEST;

/// A matrix `[inner, columns]` as the right side of a product: cut into panels of [`PANEL`] columns, the last of which may be
/// narrower, each stored row by row.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    values: Vec<f32>,
    inner: usize,
    columns: usize,
}

impl Packed {
    /// Takes the shape of a matrix of zeros; `columns` is a multiple of [`WIDEST`].
    pub(crate) fn reset(&mut self, inner: usize, columns: usize) {
        (self.inner, self.columns) = (inner, columns);
        self.values.clear();
        self.values.resize(inner * columns, 0.0);
    }

    /// Sets a row.
    #[inline(always)]
    pub(crate) fn set_row(&mut self, row: usize, values: &[f32]) {
        for (panel, values) in values.chunks(PANEL).enumerate() {
            let first = panel * PANEL * self.inner + row * self.panel_width(panel);
            self.values[first..][..values.len()].copy_from_slice(values);
        }
    }

    /// Sets a column.
    #[inline(always)]
    pub(crate) fn set_column(&mut self, column: usize, values: &[f32]) {
        let panel = column / PANEL;
        let first = panel * PANEL * self.inner + column % PANEL;
        let width = self.panel_width(panel);
        for (place, value) in self.values[first..].iter_mut().step_by(width).zip(values) {
            *place = *value;
        }
    }

    #[inline(always)]
    fn panel_width(&self, panel: usize) -> usize {
        PANEL.min(self.columns - panel * PANEL)
    }
}

/// The product of some rows `[rows, inner]`, each `stride` after the one before it, and a packed matrix: `out` is `[rows,
/// columns]`. `rows` is a multiple of [`ROWS`].
#[inline(always)]
pub(crate) fn multiply<S: Simd>(left: &[f32], stride: usize, rows: usize, right: &Packed, out: &mut [f32]) {
    let Packed { inner, columns, .. } = *right;
    for (panel, values) in right.values.chunks(PANEL * inner.max(1)).enumerate() {
        let panel_width = right.panel_width(panel);
        for row in (0..rows).step_by(ROWS) {
            let out = &mut out[row * columns + panel * PANEL..];
            let left = &left[row * stride..];
            if width::<S>() == WIDEST {
                multiply_panel::<S, ROWS>(left, stride, inner, values, panel_width, out, columns);
            } else {
                // Half of the rows for 16 registers.
                const HALF: usize = ROWS / 2;
                multiply_panel::<S, HALF>(left, stride, inner, values, panel_width, out, columns);
                let (left, out) = (&left[HALF * stride..], &mut out[HALF * columns..]);
                multiply_panel::<S, HALF>(left, stride, inner, values, panel_width, out, columns);
            }
        }
    }
}

#[inline(always)]
fn multiply_panel<S: Simd, const R: usize>(
    left: &[f32],
    stride: usize,
    inner: usize,
    panel: &[f32],
    panel_width: usize,
    out: &mut [f32],
    columns: usize,
) {
    let left: [&[f32]; R] = std::array::from_fn(|row| &left[row * stride..][..inner]);
    let mut column = 0;
    while column < panel_width {
        let out = &mut out[column..];
        let vectors = ((panel_width - column) / width::<S>()).min(3);
        match vectors {
            3 => tile::<S, R, 3>(left, panel, panel_width, column, out, columns),
            2 => tile::<S, R, 2>(left, panel, panel_width, column, out, columns),
            _ => tile::<S, R, 1>(left, panel, panel_width, column, out, columns),
        }
        column += vectors * width::<S>();
    }
}

/// R rows by C vectors of the product, which stay in registers until they are done.
#[inline(always)]
fn tile<S: Simd, const R: usize, const C: usize>(
    left: [&[f32]; R],
    panel: &[f32],
    panel_width: usize,
    column: usize,
    out: &mut [f32],
    columns: usize,
) {
    let mut sums: [[Lanes<S>; C]; R] = [[splat(0.0); C]; R];
    let inner = left[0].len();
    let left = left.map(|row| &row[..inner]);
    for (k, row) in panel.chunks_exact(panel_width).take(inner).enumerate() {
        let row = &row[column..][..C * width::<S>()];
        let right: [Lanes<S>; C] = std::array::from_fn(|c| load(&row[c * width::<S>()..]));
        for r in 0..R {
            let value = splat::<S>(left[r][k]);
            for c in 0..C {
                sums[r][c] = value.mul_add(right[c], sums[r][c]);
            }
        }
    }
    for r in 0..R {
        let out = &mut out[r * columns..][..C * width::<S>()];
        for c in 0..C {
            store(&mut out[c * width::<S>()..], sums[r][c]);
        }
    }
}

/// Adds the product of a transposed block and some rows: `sums[j] += Σ_r block[r][j]·rows[r]`, where `block` is `[ROWS,
/// block_stride]`, `rows` `[ROWS, row_width]` and `sums` `[·, row_width]`, whose length says how many j there are.
#[inline(always)]
pub(crate) fn add_transposed<S: Simd>(
    block: &[f32],
    block_stride: usize,
    rows: &[f32],
    row_width: usize,
    sums: &mut [f32],
) {
    let n = sums.len() / row_width;
    let block: [&[f32]; ROWS] = std::array::from_fn(|r| &block[r * block_stride..][..n]);
    for column in (0..row_width).step_by(width::<S>()) {
        let of_rows: [Lanes<S>; ROWS] = std::array::from_fn(|r| load(&rows[r * row_width + column..]));
        for (j, sum) in sums.chunks_exact_mut(row_width).enumerate() {
            let place = &mut sum[column..];
            let mut sum = load::<S>(place);
            for r in 0..ROWS {
                sum = splat::<S>(block[r][j]).mul_add(of_rows[r], sum);
            }
            store(place, sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[macerator::with_simd]
    fn product<S: Simd>(left: &[f32], stride: usize, rows: usize, right: &Packed, out: &mut [f32]) {
        multiply::<S>(left, stride, rows, right, out);
    }

    #[macerator::with_simd]
    fn transposed<S: Simd>(block: &[f32], block_stride: usize, rows: &[f32], row_width: usize, sums: &mut [f32]) {
        add_transposed::<S>(block, block_stride, rows, row_width, sums);
    }

    /// Small integers, of which every product and sum is exact.
    fn value(i: usize) -> f32 {
        (i * 7919 % 23) as f32 - 11.0
    }

    #[test]
    fn products_are_those_of_the_definition() {
        for (rows, inner, columns) in [(8, 1, 16), (8, 5, 48), (16, 64, 112), (24, 33, 64), (8, 100, 128)] {
            let stride = inner + 3;
            let left: Vec<f32> = (0..rows * stride).map(value).collect();
            let right: Vec<Vec<f32>> =
                (0..inner).map(|k| (0..columns).map(|c| value(k * columns + c + 5)).collect()).collect();
            let (mut by_row, mut by_column) = (Packed::default(), Packed::default());
            by_row.reset(inner, columns);
            by_column.reset(inner, columns);
            right.iter().enumerate().for_each(|(k, row)| by_row.set_row(k, row));
            for c in 0..columns {
                by_column.set_column(c, &right.iter().map(|row| row[c]).collect::<Vec<f32>>());
            }
            assert_eq!(by_row.values, by_column.values);
            let mut out = vec![f32::NAN; rows * columns];
            product(&left, stride, rows, &by_row, &mut out);
            for (r, c) in (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))) {
                let expected: f32 = (0..inner).map(|k| left[r * stride + k] * right[k][c]).sum();
                assert_eq!(out[r * columns + c], expected, "{rows} × {inner} × {columns} at {r}, {c}");
            }
        }
    }

    #[test]
    fn transposed_products_are_added() {
        let (n, stride, row_width) = (19, 32, 48);
        let block: Vec<f32> = (0..ROWS * stride).map(value).collect();
        let rows: Vec<f32> = (0..ROWS * row_width).map(|i| value(i + 3)).collect();
        let before: Vec<f32> = (0..n * row_width).map(|i| value(i + 9)).collect();
        let mut sums = before.clone();
        transposed(&block, stride, &rows, row_width, &mut sums);
        for (j, c) in (0..n).flat_map(|j| (0..row_width).map(move |c| (j, c))) {
            let added: f32 = (0..ROWS).map(|r| block[r * stride + j] * rows[r * row_width + c]).sum();
            assert_eq!(sums[j * row_width + c], before[j * row_width + c] + added, "{j}, {c}");
        }
    }
}
