//! What is kept of a text that is too long. Knows neither tokenizers nor batches.

use std::ops::Range;

/// Which part of a text that is too long is kept (Sun et al. 2019, "How to Fine-Tune BERT for Text Classification",
/// §5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TruncationSide {
    /// Its beginning.
    #[default]
    Head,
    /// Its end.
    Tail,
    /// Half of each; of an odd number the beginning has one more.
    Both,
}

/// How many tokens of a text are kept, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncation {
    /// The most tokens of a text.
    pub max_length: usize,
    /// Which part of a longer text.
    pub side: TruncationSide,
}

/// The first so many tokens.
impl From<usize> for Truncation {
    fn from(max_length: usize) -> Self {
        Self { max_length, side: TruncationSide::Head }
    }
}

impl Truncation {
    /// What it is in the keys of the cache; other words would have every corpus encoded anew.
    pub(crate) fn recipe(self) -> String {
        format!("Limit {{ max_length: {}, truncate: {:?} }}", self.max_length, self.side)
    }

    /// How many of the first tokens of a text it takes to know what is kept.
    pub(crate) fn longest_head(self) -> usize {
        if self.side == TruncationSide::Head { self.max_length } else { usize::MAX }
    }

    /// The two parts that are kept of `n` tokens, either of which may be empty. The first `front` tokens are no part of
    /// the text itself, such as `[CLS]`: where only the end is kept, they stay before it.
    pub(crate) fn kept(self, n: usize, front: usize) -> [Range<usize>; 2] {
        let room = self.max_length;
        if n <= room {
            return [0..n, n..n];
        }
        let head = match self.side {
            TruncationSide::Head => room,
            TruncationSide::Tail => front.min(room),
            TruncationSide::Both => room.div_ceil(2),
        };
        [0..head, n - (room - head)..n]
    }

    /// Cuts the ids of a text.
    pub(crate) fn cut(self, ids: &mut Vec<u32>, front: usize) {
        let [head, tail] = self.kept(ids.len(), front);
        ids.drain(head.end..tail.start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(max_length: usize, truncate: TruncationSide, front: usize) -> Vec<u32> {
        let mut ids = vec![1, 2, 3, 4, 5, 6];
        Truncation { max_length, side: truncate }.cut(&mut ids, front);
        ids
    }

    #[test]
    fn each_side_keeps_its_part() {
        assert_eq!(cut(3, TruncationSide::Head, 0), [1, 2, 3]);
        assert_eq!(cut(3, TruncationSide::Tail, 0), [4, 5, 6]);
        assert_eq!(cut(3, TruncationSide::Both, 0), [1, 2, 6]);
        assert_eq!(cut(4, TruncationSide::Both, 0), [1, 2, 5, 6]);
        for truncate in [TruncationSide::Head, TruncationSide::Tail, TruncationSide::Both] {
            assert_eq!(cut(6, truncate, 1), [1, 2, 3, 4, 5, 6]);
            assert_eq!(cut(7, truncate, 1), [1, 2, 3, 4, 5, 6]);
            assert_eq!(cut(0, truncate, 1), [0; 0]);
        }
    }

    #[test]
    fn what_stands_in_front_of_a_text_stays() {
        assert_eq!(cut(3, TruncationSide::Tail, 1), [1, 5, 6]);
        assert_eq!(cut(1, TruncationSide::Tail, 2), [1]);
        assert_eq!(cut(2, TruncationSide::Both, 1), [1, 6]);
    }

    #[test]
    fn keys_of_the_cache_stay_as_they_are() {
        let truncation = Truncation { max_length: 5, side: TruncationSide::Both };
        assert_eq!(truncation.recipe(), "Limit { max_length: 5, truncate: Both }");
    }
}
