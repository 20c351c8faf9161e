//! Products of small matrices, of which the right one is packed so that a tile of the result stays in registers. Each value
//! is summed in the order of the inner index, whatever the tiles are.
//!
//! Everything here is inlined into the functions for which macerator chooses the instructions; a closure that is not would be
//! compiled for the oldest machine.

use macerator::Simd;

use super::lanes::{Lanes, WIDEST, load, splat, store, width};
use super::rows::Rows;

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
    /// Takes a shape, with numbers left from before; `columns` is a multiple of [`WIDEST`].
    fn reshape(&mut self, inner: usize, columns: usize) {
        (self.inner, self.columns) = (inner, columns);
        self.values.resize(inner * columns, 0.0);
    }

    /// Becomes some rows, with zeros behind each up to a whole vector.
    #[inline(always)]
    pub(crate) fn set_rows(&mut self, rows: Rows<'_>) {
        self.reshape(rows.len(), rows.width.next_multiple_of(WIDEST));
        for row in 0..rows.len() {
            for (panel, values) in rows.row(row).chunks(PANEL).enumerate() {
                let width = self.panel_width(panel);
                let place = &mut self.values[panel * PANEL * self.inner + row * width..][..width];
                place[..values.len()].copy_from_slice(values);
                place[values.len()..].fill(0.0);
            }
        }
    }

    /// Becomes some rows as columns, with columns of zeros behind them up to a whole vector.
    #[inline(always)]
    pub(crate) fn set_transposed(&mut self, rows: Rows<'_>) {
        const SIDE: usize = WIDEST;
        self.reshape(rows.width, rows.len().next_multiple_of(WIDEST));
        // In squares that stay in registers; a panel is a whole number of them wide.
        for column in (0..rows.len()).step_by(SIDE) {
            let (panel, n) = (column / PANEL, SIDE.min(rows.len() - column));
            let width = self.panel_width(panel);
            let panel = &mut self.values[panel * PANEL * self.inner + column % PANEL..];
            for k in (0..rows.width).step_by(SIDE) {
                let mut square = [[0.0; SIDE]; SIDE];
                let depth = SIDE.min(rows.width - k);
                for (values, column) in square.iter_mut().zip(column..column + n) {
                    let from = &rows.row(column)[k..];
                    match from.first_chunk::<SIDE>() {
                        Some(from) => *values = *from,
                        None => values[..depth].copy_from_slice(from),
                    }
                }
                for (i, out) in panel[k * width..].chunks_mut(width).take(depth).enumerate() {
                    let out: &mut [f32] = &mut out[..SIDE];
                    for (place, values) in out.iter_mut().zip(&square) {
                        *place = values[i];
                    }
                }
            }
        }
    }

    /// Some columns, from a multiple of [`ROWS`] on, as the rows on the left of a product.
    #[inline(always)]
    fn columns_from(&self, column: usize) -> Columns<'_> {
        let panel = column / PANEL;
        let first = panel * PANEL * self.inner + column % PANEL;
        Columns { values: &self.values[first..], stride: self.panel_width(panel) }
    }

    /// The panels with their numbers.
    #[inline(always)]
    fn panels(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.values.chunks((PANEL * self.inner).max(1)).enumerate()
    }

    #[inline(always)]
    fn panel_width(&self, panel: usize) -> usize {
        PANEL.min(self.columns - panel * PANEL)
    }
}

/// The left side of a product, for some rows at a time.
pub(crate) trait Left: Copy {
    /// The k-th value of each of R rows, from row `first` on.
    fn values<const R: usize>(&self, k: usize, first: usize) -> [f32; R];
}

/// Rows that stand beside each other: value k of row r is `values[k·stride + r]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns<'a> {
    /// The numbers.
    pub values: &'a [f32],
    /// From one k to the next.
    pub stride: usize,
}

impl Left for Columns<'_> {
    #[inline(always)]
    fn values<const R: usize>(&self, k: usize, first: usize) -> [f32; R] {
        let values = &self.values[k * self.stride + first..];
        *values.first_chunk().expect("blocks are whole")
    }
}

/// Rows that stand below each other: value k of row r is `values[r·stride + k]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Below<'a> {
    /// The numbers.
    pub values: &'a [f32],
    /// From one row to the next.
    pub stride: usize,
}

impl Left for Below<'_> {
    #[inline(always)]
    fn values<const R: usize>(&self, k: usize, first: usize) -> [f32; R] {
        std::array::from_fn(|r| self.values[(first + r) * self.stride + k])
    }
}

/// The product of some rows, which are the columns of a packed matrix, and another one: `out` is `[rows, columns]`, from row
/// `first` of the left side on. Both are multiples of [`ROWS`].
#[inline(always)]
pub(crate) fn multiply_transposed<S: Simd>(left: &Packed, first: usize, rows: usize, right: &Packed, out: &mut [f32]) {
    for (panel, values) in right.panels() {
        for row in (0..rows).step_by(ROWS) {
            multiply_panel::<S>(left.columns_from(first + row), right, panel, values, &mut out[row * right.columns..]);
        }
    }
}

/// The products of a packed matrix's columns with each other: `out` is `[columns, columns]`. It is symmetric, to the last bit,
/// so what lies below the panels on the diagonal is copied from above.
#[inline(always)]
pub(crate) fn multiply_with_itself<S: Simd>(matrix: &Packed, out: &mut [f32]) {
    let Packed { columns, .. } = *matrix;
    for (panel, values) in matrix.panels() {
        let end = columns.min((panel + 1) * PANEL);
        for row in (0..end).step_by(ROWS) {
            multiply_panel::<S>(matrix.columns_from(row), matrix, panel, values, &mut out[row * columns..]);
        }
    }
    for row in (PANEL..columns).step_by(WIDEST) {
        for column in (0..row - row % PANEL).step_by(WIDEST) {
            let mut square = [[0.0; WIDEST]; WIDEST];
            for (i, values) in square.iter_mut().enumerate() {
                values.copy_from_slice(&out[(column + i) * columns + row..][..WIDEST]);
            }
            for (i, out) in out[row * columns + column..].chunks_mut(columns).take(WIDEST).enumerate() {
                for (place, values) in out[..WIDEST].iter_mut().zip(&square) {
                    *place = values[i];
                }
            }
        }
    }
}

/// The product of [`ROWS`] rows and a packed matrix: `out` is `[ROWS, columns]`.
#[inline(always)]
pub(crate) fn multiply<S: Simd>(left: impl Left, right: &Packed, out: &mut [f32]) {
    for (panel, values) in right.panels() {
        multiply_panel::<S>(left, right, panel, values, out);
    }
}

#[inline(always)]
fn multiply_panel<S: Simd>(left: impl Left, right: &Packed, panel: usize, values: &[f32], out: &mut [f32]) {
    /// Half of the rows for 16 registers, and two vectors: with three the compiler runs out of them.
    const HALF: usize = ROWS / 2;
    let has_32_registers = width::<S>() == WIDEST;
    let panel_width = right.panel_width(panel);
    let mut column = 0;
    while column < panel_width {
        let vectors = ((panel_width - column) / width::<S>()).min(if has_32_registers { 3 } else { 2 });
        let out = &mut out[panel * PANEL + column..];
        for first in (0..ROWS).step_by(if has_32_registers { ROWS } else { HALF }) {
            let place = Place { first, column, panel_width, columns: right.columns };
            match (has_32_registers, vectors) {
                (true, 3) => tile::<S, ROWS, 3>(left, values, right.inner, place, out),
                (true, 2) => tile::<S, ROWS, 2>(left, values, right.inner, place, out),
                (true, _) => tile::<S, ROWS, 1>(left, values, right.inner, place, out),
                (false, 2) => tile::<S, HALF, 2>(left, values, right.inner, place, out),
                (false, _) => tile::<S, HALF, 1>(left, values, right.inner, place, out),
            }
        }
        column += vectors * width::<S>();
    }
}

/// Where a tile lies in its panel and in the result.
#[derive(Debug, Clone, Copy)]
struct Place {
    first: usize,
    column: usize,
    panel_width: usize,
    columns: usize,
}

/// R rows by C vectors of the product, which stay in registers until they are done.
#[inline(always)]
fn tile<S: Simd, const R: usize, const C: usize>(
    left: impl Left,
    panel: &[f32],
    inner: usize,
    place: Place,
    out: &mut [f32],
) {
    let mut sums: [[Lanes<S>; C]; R] = [[splat(0.0); C]; R];
    for (k, row) in panel.chunks_exact(place.panel_width).take(inner).enumerate() {
        let row = &row[place.column..][..C * width::<S>()];
        let right: [Lanes<S>; C] = std::array::from_fn(|c| load(&row[c * width::<S>()..]));
        let left: [f32; R] = left.values(k, place.first);
        for r in 0..R {
            let value = splat::<S>(left[r]);
            for c in 0..C {
                sums[r][c] = value.mul_add(right[c], sums[r][c]);
            }
        }
    }
    for r in 0..R {
        let out = &mut out[(place.first + r) * place.columns..][..C * width::<S>()];
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
    fn product<'a, S: Simd>(left: Below<'a>, right: &Packed, out: &mut [f32]) {
        multiply::<S>(left, right, out);
    }

    #[macerator::with_simd]
    fn product_of_columns<S: Simd>(left: &Packed, first: usize, rows: usize, right: &Packed, out: &mut [f32]) {
        multiply_transposed::<S>(left, first, rows, right, out);
    }

    #[macerator::with_simd]
    fn transposed<S: Simd>(block: &[f32], block_stride: usize, rows: &[f32], row_width: usize, sums: &mut [f32]) {
        add_transposed::<S>(block, block_stride, rows, row_width, sums);
    }

    /// Small integers, of which every product and sum is exact.
    fn value(i: usize) -> f32 {
        (i * 7919 % 23) as f32 - 11.0
    }

    #[macerator::with_simd]
    fn product_with_itself<S: Simd>(matrix: &Packed, out: &mut [f32]) {
        multiply_with_itself::<S>(matrix, out);
    }

    fn rows<'a>(matrix: &'a [f32], width: usize, places: &'a [u32]) -> Rows<'a> {
        Rows { matrix, stride: width, offset: 0, width, places }
    }

    #[test]
    fn products_are_those_of_the_definition() {
        for (n, inner, columns) in [(8, 1, 16), (5, 5, 48), (16, 64, 112), (100, 64, 100), (57, 33, 64), (8, 100, 128)]
        {
            let left: Vec<f32> = (0..n * inner).map(value).collect();
            let right: Vec<f32> = (0..inner * columns).map(|i| value(i + 5)).collect();
            let right_columns: Vec<f32> =
                (0..columns * inner).map(|i| right[i % inner * columns + i / inner]).collect();
            let places: Vec<u32> = (0..128).collect();
            let [mut by_row, mut by_column, mut left_columns] = [(); 3].map(|()| Packed::default());
            by_row.set_rows(rows(&right, columns, &places[..inner]));
            by_column.set_transposed(rows(&right_columns, inner, &places[..columns]));
            left_columns.set_transposed(rows(&left, inner, &places[..n]));
            assert_eq!(by_row.values, by_column.values);
            let (padded, stride) = (n.next_multiple_of(ROWS), columns.next_multiple_of(WIDEST));
            let mut found = vec![f32::NAN; padded * stride];
            product_of_columns(&left_columns, 0, padded, &by_row, &mut found);
            let mut padded_left = left.clone();
            padded_left.resize(padded * inner, 0.0);
            let mut also_found = vec![f32::NAN; padded * stride];
            for first in (0..padded).step_by(ROWS) {
                let left = Below { values: &padded_left[first * inner..], stride: inner };
                product(left, &by_column, &mut also_found[first * stride..]);
            }
            assert_eq!(found, also_found);
            for (r, c) in (0..padded).flat_map(|r| (0..stride).map(move |c| (r, c))) {
                let is_real = r < n && c < columns;
                let product = |k: usize| left[r * inner + k] * right[k * columns + c];
                let expected = if is_real { (0..inner).map(product).sum() } else { 0.0 };
                assert_eq!(found[r * stride + c], expected, "{n} × {inner} × {columns} at {r}, {c}");
            }
        }
    }

    #[test]
    fn a_product_with_itself_is_that_of_two() {
        for n in [1, 16, 48, 49, 100, 150, 200] {
            let matrix: Vec<f32> = (0..n * 33).map(value).collect();
            let places: Vec<u32> = (0..n as u32).collect();
            let mut packed = Packed::default();
            packed.set_transposed(rows(&matrix, 33, &places));
            let columns = n.next_multiple_of(WIDEST);
            let [mut found, mut expected] = [(); 2].map(|()| vec![f32::NAN; columns * columns]);
            product_with_itself(&packed, &mut found);
            product_of_columns(&packed, 0, columns, &packed, &mut expected);
            assert_eq!(found, expected, "{n}");
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
