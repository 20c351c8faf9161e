//! Long texts in several windows: where each begins, and the logits of a text from those of its windows. A text that fits
//! into one window is left as it is.

use attentive_model::{ModelConfig, WindowPool, WindowsConfig};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

/// How a text is read that is longer than the model's length.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    /// The length of a window: that of the longest row which the model reads.
    width: usize,
    /// `None` where a text is cut to one window.
    config: Option<WindowsConfig>,
}

impl Windows {
    /// What the config says.
    pub(crate) fn new(config: &ModelConfig) -> Self {
        Self { width: config.longest_row(), config: config.windows.clone() }
    }

    /// How many windows a text of so many ids has, at least 1.
    pub(crate) fn count(&self, length: usize) -> usize {
        match &self.config {
            Some(config) => 1 + length.saturating_sub(self.width).div_ceil(config.stride),
            None => 1,
        }
    }

    /// How wide the windows of a text of so many ids are.
    pub(crate) fn width(&self, length: usize) -> usize {
        length.min(self.width)
    }

    /// The windows of a text. The last one ends with the text, so that all are equally long.
    pub(crate) fn of<'a>(&self, ids: &'a [u32]) -> impl Iterator<Item = &'a [u32]> {
        let (n, width) = (self.count(ids.len()), self.width(ids.len()));
        let stride = self.config.as_ref().map_or(0, |config| config.stride);
        (0..n).map(move |window| &ids[(window * stride).min(ids.len() - width)..][..width])
    }

    /// How the logits of the windows become those of their texts, given the number of windows of each text; `None` where
    /// each has one.
    pub(crate) fn pool(&self, counts: &[usize]) -> Option<WindowPooling> {
        let kind = self.config.as_ref()?.pool;
        counts.iter().any(|&count| count > 1).then(|| WindowPooling { kind, counts: counts.to_vec() })
    }
}

/// The way from the logits of a batch's windows to those of its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WindowPooling {
    kind: WindowPool,
    /// How many windows each text has; those of a text are neighbours.
    counts: Vec<usize>,
}

impl WindowPooling {
    /// `[windows, outputs]` to `[texts, outputs]`.
    ///
    /// Every text gets as many places as the one with the most windows. Each window stands in exactly one place that
    /// counts, so the gradient of a logit is no sum whose order could matter.
    pub(crate) fn logits(&self, windows: Tensor<2>, device: &Device) -> Tensor<2> {
        let [_, outputs] = windows.dims();
        let (texts, most) = (self.counts.len(), self.counts.iter().copied().max().unwrap_or(1));
        let (mut places, mut hidden) = (Vec::with_capacity(texts * most), Vec::with_capacity(texts * most));
        let mut first = 0;
        for &count in &self.counts {
            places.extend((0..most).map(|window| (first + window.min(count - 1)) as i32));
            hidden.extend((0..most).map(|window| window >= count));
            first += count;
        }
        let places = Tensor::<1, Int>::from_data(TensorData::new(places, [texts * most]), device);
        let hidden = Tensor::<3, Bool>::from_data(TensorData::new(hidden, [texts, most, 1]), device);
        let hidden = hidden.repeat_dim(2, outputs);
        let placed = windows.select(0, places).reshape([texts, most, outputs]);
        match self.kind {
            WindowPool::Max => placed.mask_fill(hidden, f32::MIN).max_dim(1).squeeze_dim::<2>(1),
            WindowPool::Mean => {
                let counts = self.counts.iter().map(|&count| count as f32).collect();
                let counts = Tensor::<2>::from_data(TensorData::new(counts, [texts, 1]), device);
                placed.mask_fill(hidden, 0.0).sum_dim(1).squeeze_dim::<2>(1) / counts
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(stride: usize, pool: WindowPool) -> Windows {
        Windows { width: 4, config: Some(WindowsConfig { stride, pool, most: 3 }) }
    }

    #[test]
    fn windows_by_hand() {
        let ids = [0, 1, 2, 3, 4, 5, 6, 7, 8];
        let of = |stride, length| -> Vec<Vec<u32>> {
            let windows = windows(stride, WindowPool::Mean);
            let found: Vec<Vec<u32>> = windows.of(&ids[..length]).map(<[u32]>::to_vec).collect();
            assert_eq!(found.len(), windows.count(length));
            found
        };
        assert_eq!(of(2, 0), [[0; 0]]);
        assert_eq!(of(2, 3), [[0, 1, 2]]);
        assert_eq!(of(2, 4), [[0, 1, 2, 3]]);
        assert_eq!(of(2, 5), [[0, 1, 2, 3], [1, 2, 3, 4]]);
        assert_eq!(of(2, 6), [[0, 1, 2, 3], [2, 3, 4, 5]]);
        assert_eq!(of(3, 9), [[0, 1, 2, 3], [3, 4, 5, 6], [5, 6, 7, 8]]);
        assert_eq!(of(4, 8), [[0, 1, 2, 3], [4, 5, 6, 7]]);
        let without = Windows { width: 4, config: None };
        assert_eq!(without.of(&ids).collect::<Vec<_>>(), [&ids[..4]]);
    }

    /// Three texts of 2, 1 and 3 windows with 2 outputs each.
    const COUNTS: [usize; 3] = [2, 1, 3];
    const LOGITS: [[f32; 2]; 6] = [[1.0, -8.0], [3.0, -2.0], [5.0, 0.5], [-1.0, 4.0], [-3.0, 2.0], [-2.0, 9.0]];

    fn pooled(kind: WindowPool) -> (Vec<f32>, Vec<f32>) {
        let device = attentive_backend::open("flex").unwrap().device.autodiff();
        let logits = Tensor::<2>::from_floats(LOGITS, &device).require_grad();
        let pool = windows(1, kind).pool(&COUNTS).unwrap();
        let pooled = pool.logits(logits.clone(), &device);
        // Each output has a factor of its own, which is its gradient.
        let factors = Tensor::<2>::from_floats([[6.0, 12.0], [18.0, 24.0], [30.0, 36.0]], &device);
        let gradients = (pooled.clone() * factors).sum().backward();
        let of_logits = logits.grad(&gradients).unwrap();
        (pooled.inner().try_into_vec_as::<f32>().unwrap(), of_logits.try_into_vec_as::<f32>().unwrap())
    }

    #[test]
    fn the_mean_of_windows_by_hand() {
        let (logits, gradients) = pooled(WindowPool::Mean);
        assert_eq!(logits, [2.0, -5.0, 5.0, 0.5, -2.0, 5.0]);
        // Every window has its share.
        assert_eq!(gradients, [3.0, 6.0, 3.0, 6.0, 18.0, 24.0, 10.0, 12.0, 10.0, 12.0, 10.0, 12.0]);
    }

    #[test]
    fn the_largest_of_windows_by_hand() {
        let (logits, gradients) = pooled(WindowPool::Max);
        assert_eq!(logits, [3.0, -2.0, 5.0, 0.5, -1.0, 9.0]);
        // The winner takes all.
        assert_eq!(gradients, [0.0, 0.0, 6.0, 12.0, 18.0, 24.0, 30.0, 0.0, 0.0, 0.0, 0.0, 36.0]);
    }

    #[test]
    fn a_batch_of_single_windows_is_left_alone() {
        assert_eq!(windows(1, WindowPool::Max).pool(&[1, 1]), None);
        assert_eq!(Windows { width: 4, config: None }.pool(&[1, 1]), None);
    }
}
