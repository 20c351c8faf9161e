//! Which tokens of a batch are real, on the host: padding takes no part in anything.

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Bool, Tensor};

use crate::host::bools_of;

/// The real tokens of a batch of texts, one text after the other.
#[derive(Debug, Clone)]
pub(crate) struct Texts {
    /// How many texts there are, and how many tokens each has with its padding.
    pub shape: [usize; 2],
    /// `text · length + token` of each real token.
    pub places: Arc<[u32]>,
    /// Where in `places` each text ends.
    ends: Arc<[usize]>,
}

impl Texts {
    /// Those of a mask `[batch, length]`, true where a token is real; without one all are.
    pub(crate) fn new(shape: [usize; 2], mask: Option<&Tensor<2, Bool>>) -> Self {
        match mask {
            None => Self::of(shape, |_| true),
            Some(mask) => {
                let mask = bools_of(mask.clone());
                Self::of(shape, |&place| mask[place as usize])
            }
        }
    }

    /// Those whose value `[batch, length]` is not 0.
    pub(crate) fn of_nonzero(shape: [usize; 2], values: &[f32]) -> Self {
        Self::of(shape, |&place| values[place as usize] != 0.0)
    }

    fn of(shape: [usize; 2], is_real: impl Fn(&u32) -> bool) -> Self {
        let [batch, length] = shape;
        let (mut places, mut ends) = (Vec::with_capacity(batch * length), Vec::with_capacity(batch));
        for text in 0..batch {
            places.extend((text * length..(text + 1) * length).map(|place| place as u32).filter(&is_real));
            ends.push(places.len());
        }
        Self { shape, places: places.into(), ends: ends.into() }
    }

    /// Where the tokens of each text stand among all real tokens.
    pub(crate) fn ranges(&self) -> impl ExactSizeIterator<Item = Range<usize>> + Clone + '_ {
        (0..self.ends.len()).map(|text| self.range(text))
    }

    /// Where the tokens of a text stand among all real tokens.
    pub(crate) fn range(&self, text: usize) -> Range<usize> {
        range(&self.ends, text)
    }

    /// Values `[batch, length]` of the real tokens.
    pub(crate) fn pick<T: Copy>(&self, values: &[T]) -> Vec<T> {
        self.places.iter().map(|&place| values[place as usize]).collect()
    }

    /// The weights of a plain mean, one for each real token.
    pub(crate) fn mean_weights(&self) -> Vec<f32> {
        self.ranges().flat_map(|range| std::iter::repeat_n(1.0 / range.len() as f32, range.len())).collect()
    }
}

/// Where a text stands that ends at `ends[text]`.
pub(crate) fn range(ends: &[usize], text: usize) -> Range<usize> {
    let start = if text == 0 { 0 } else { ends[text - 1] };
    start..ends[text]
}
