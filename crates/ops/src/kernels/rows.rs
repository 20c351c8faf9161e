//! Rows of a matrix in memory: some of them, or a slice of each, without copying.

/// The rows `places` of a matrix, of which each is cut down to `width` values from `offset` on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// The matrix, row by row.
    pub matrix: &'a [f32],
    /// The length of its rows.
    pub stride: usize,
    /// Where a row begins here.
    pub offset: usize,
    /// How long it is here.
    pub width: usize,
    /// Which rows.
    pub places: &'a [u32],
}

impl<'a> Rows<'a> {
    /// How many rows there are.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether these are the same rows of the same matrix, without looking at any.
    #[inline(always)]
    pub(crate) fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.matrix, other.matrix)
            && std::ptr::eq(self.places, other.places)
            && self.offset == other.offset
    }

    /// One of them.
    #[inline(always)]
    pub(crate) fn row(&self, index: usize) -> &'a [f32] {
        &self.matrix[self.places[index] as usize * self.stride + self.offset..][..self.width]
    }

    /// One row after the other.
    #[inline(always)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a [f32]> + use<'a> {
        let Self { matrix, stride, offset, width, places } = *self;
        places.iter().map(move |&place| &matrix[place as usize * stride + offset..][..width])
    }
}

/// The rows, each times its factor, added to `sum`.
#[inline(always)]
pub(crate) fn sum_rows(rows: Rows<'_>, factors: &[f32], sum: &mut [f32]) {
    for (row, &factor) in rows.iter().zip(factors) {
        add_row(sum, factor, row);
    }
}

/// `to[i] += factors[i]·row`, for the rows `[·, row.len()]` of `to`.
#[inline(always)]
pub(crate) fn add_rows(to: &mut [f32], factors: &[f32], row: &[f32]) {
    for (to, &factor) in to.chunks_exact_mut(row.len().max(1)).zip(factors) {
        add_row(to, factor, row);
    }
}

#[inline(always)]
fn add_row(to: &mut [f32], factor: f32, row: &[f32]) {
    for (to, value) in to.iter_mut().zip(row) {
        *to += factor * value;
    }
}
