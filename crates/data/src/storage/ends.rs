//! Where each of many pieces lies in one long column, in little more than four bytes a piece. Holds no pieces.

use std::ops::Range;

/// So many lengths are added up at most to find a piece.
const STEP: usize = 64;

/// The lengths of pieces that lie one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    lengths: Vec<u32>,
    /// Where every [`STEP`]th piece begins.
    starts: Vec<u64>,
    end: u64,
}

impl Ends {
    /// Appends a piece. Panics if it is longer than 2^32, which nothing is that was read line by line.
    pub(crate) fn push(&mut self, length: usize) {
        if self.lengths.len().is_multiple_of(STEP) {
            self.starts.push(self.end);
        }
        self.lengths.push(u32::try_from(length).expect("a piece is shorter than 2^32"));
        self.end += length as u64;
    }

    /// How many pieces there are.
    pub(crate) fn len(&self) -> usize {
        self.lengths.len()
    }

    /// How long piece `index` is. Panics if there is no such piece.
    pub(crate) fn length(&self, index: usize) -> usize {
        self.lengths[index] as usize
    }

    /// Where piece `index` lies. Panics if there is no such piece.
    pub(crate) fn range(&self, index: usize) -> Range<usize> {
        let before = &self.lengths[index / STEP * STEP..index];
        let start = self.starts[index / STEP] as usize + before.iter().map(|&length| length as usize).sum::<usize>();
        start..start + self.length(index)
    }
}

impl FromIterator<usize> for Ends {
    fn from_iter<I: IntoIterator<Item = usize>>(lengths: I) -> Self {
        let mut ends = Self::default();
        lengths.into_iter().for_each(|length| ends.push(length));
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_lie_one_behind_the_other() {
        let ends: Ends = (0..200).collect();
        assert_eq!((ends.len(), ends.length(150)), (200, 150));
        // The sum of 0 to n - 1 is n (n - 1) / 2.
        for n in [0, 1, 63, 64, 65, 128, 199] {
            let start = n * (n.max(1) - 1) / 2;
            assert_eq!(ends.range(n), start..start + n);
        }
    }
}
