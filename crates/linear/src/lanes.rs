//! Numbers of several labels side by side, so that one visit of a row serves all of them.

/// One number for each of the `L` labels that are solved together.
pub(crate) type Lanes<const L: usize> = [f64; L];

/// `sum += factor · numbers`.
#[inline(always)]
pub(crate) fn add<const L: usize>(sum: &mut Lanes<L>, factor: f64, numbers: &Lanes<L>) {
    for (sum, number) in sum.iter_mut().zip(numbers) {
        *sum += factor * number;
    }
}
