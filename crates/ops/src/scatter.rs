//! Adding up the gradients of a table's rows, of which a batch uses some more than once.

use rayon::prelude::*;

/// A table `[n_rows, width]` of zeros to whose row `rows[i]` the function adds what belongs to `i`, for each i. One row's
/// share comes in the order of i, whatever the number of threads.
pub(crate) fn scatter(n_rows: usize, width: usize, rows: &[u32], add: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let mut table = vec![0.0; n_rows * width];
    // Each piece of the table looks through all rows for its own, which is cheap beside adding them.
    let rows_of_piece = n_rows.div_ceil(2 * rayon::current_num_threads()).max(1);
    table.par_chunks_mut((rows_of_piece * width).max(1)).enumerate().for_each(|(piece, part)| {
        let first = piece * rows_of_piece;
        let own = first..first + rows_of_piece;
        for (i, &row) in rows.iter().enumerate() {
            if own.contains(&(row as usize)) {
                add(i, &mut part[(row as usize - first) * width..][..width]);
            }
        }
    });
    table
}
