//! Adam in host memory: the pieces of a weight on all cores. Values do not depend on each other, so it does not matter which thread
//! moves them.

use burn::tensor::{Int, Tensor};
use rayon::prelude::*;

use crate::kernels::{self, Adam};

/// So many values are moved by one thread at a time.
const PIECE: usize = 1 << 14;

/// The rows of a table that a gradient is of.
#[derive(Debug, Clone)]
pub struct GradientRows {
    /// Which rows, ascending, each at most once.
    pub indices: Tensor<1, Int>,
    /// The length of a row, at least 1.
    pub width: usize,
    /// Whether the other rows, whose gradient is 0, move by their moments alone, as in Keras; otherwise they and their
    /// moments keep every bit.
    pub moves_others: bool,
}

/// Moves a weight and its moments by the gradient of all its values.
pub(crate) fn all(step: &Adam, [values, m, v]: [&mut [f32]; 3], gradient: &[f32]) {
    if values.len() <= PIECE {
        // From outside of the pool, its threads cost more than a small weight.
        let n = gradient.len();
        return kernels::adam(step, [values, m, v], gradient, &[0], n, true);
    }
    let pieces = values.par_chunks_mut(PIECE).zip(m.par_chunks_mut(PIECE)).zip(v.par_chunks_mut(PIECE));
    pieces.zip(gradient.par_chunks(PIECE)).for_each(|(((values, m), v), gradient)| {
        kernels::adam(step, [values, m, v], gradient, &[0], gradient.len(), true);
    });
}

/// Moves all rows of a table, of which only those of `indices` have a gradient.
pub(crate) fn table(step: &Adam, [values, m, v]: [&mut [f32]; 3], gradient: &[f32], indices: &[u32], width: usize) {
    let rows_of_piece = PIECE.div_ceil(width);
    let size = rows_of_piece * width;
    let pieces = values.par_chunks_mut(size).zip(m.par_chunks_mut(size)).zip(v.par_chunks_mut(size));
    pieces.enumerate().for_each(|(piece, ((values, m), v))| {
        let first = piece * rows_of_piece;
        let place = |end: usize| indices.partition_point(|&row| (row as usize) < end);
        let own = place(first)..place(first + rows_of_piece);
        let gradient = &gradient[own.start * width..own.end * width];
        let own: Vec<u32> = indices[own].iter().map(|row| row - first as u32).collect();
        kernels::adam(step, [values, m, v], gradient, &own, width, true);
    });
}

/// Moves the rows `indices` of a table, and no other.
pub(crate) fn rows(step: &Adam, tables: [&mut [f32]; 3], gradient: &[f32], indices: &[u32], width: usize) {
    let rows_of_piece = PIECE.div_ceil(width);
    let (mut rest, mut cut) = (tables, 0);
    let own = indices.chunks(rows_of_piece).zip(gradient.chunks(rows_of_piece * width));
    let pieces: Vec<_> = own
        .map(|(own, gradient)| {
            let (first, end) = (own[0] as usize, own[own.len() - 1] as usize + 1);
            let piece = rest.each_mut().map(|rest| {
                let _ = rest.split_off_mut(..(first - cut) * width);
                rest.split_off_mut(..(end - first) * width).unwrap_or_default()
            });
            cut = end;
            (first as u32, own, piece, gradient)
        })
        .collect();
    pieces.into_par_iter().for_each(|(first, own, piece, gradient)| {
        let own: Vec<u32> = own.iter().map(|row| row - first).collect();
        kernels::adam(step, piece, gradient, &own, width, false);
    });
}
