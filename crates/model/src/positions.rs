//! Position vectors added to the token vectors.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};

use crate::config::Positions;
use crate::init::Initializer;
use crate::outline::WeightShapes;

/// The half-width of Keras' default embedding initialiser, `RandomUniform(-0.05, 0.05)`.
const KERAS_BOUND: f32 = 0.05;

/// One trained vector for each position (Gehring et al. 2017, §3.1).
#[derive(Module, Debug)]
pub(crate) struct LearnedPositions {
    weight: Param<Tensor<2>>,
}

/// Sines and cosines that need no training; only the width is stored.
#[derive(Module, Debug)]
pub(crate) struct SinusoidalPositions {
    dim: usize,
}

/// The position vectors of a model.
#[derive(Module, Debug)]
pub(crate) enum PositionVectors {
    /// Trained.
    Learned(LearnedPositions),
    /// Fixed.
    Sinusoidal(SinusoidalPositions),
}

impl PositionVectors {
    pub(crate) fn init(kind: Positions, max_length: usize, dim: usize, init: &mut Initializer) -> Option<Self> {
        match kind {
            // Rotary positions turn queries and keys inside the attention.
            Positions::None | Positions::Rotary => None,
            Positions::Learned => {
                Some(Self::Learned(LearnedPositions { weight: init.table(max_length, dim, KERAS_BOUND).weight }))
            }
            Positions::Sinusoidal => Some(Self::Sinusoidal(SinusoidalPositions { dim })),
        }
    }

    /// The weights of [`PositionVectors::init`].
    pub(crate) fn shapes(kind: Positions, max_length: usize, dim: usize, shapes: &mut WeightShapes) {
        match kind {
            Positions::Learned => shapes.table("positions", max_length, dim),
            Positions::None | Positions::Rotary | Positions::Sinusoidal => {}
        }
    }

    /// Adds a vector to each token: `[batch, length, dim]` → `[batch, length, dim]`.
    pub(crate) fn forward(&self, tokens: Tensor<3>) -> Tensor<3> {
        let [_, length, _] = tokens.dims();
        match self {
            Self::Learned(positions) => tokens + positions.weight.val().narrow(0, 0, length).unsqueeze_dim::<3>(0),
            Self::Sinusoidal(positions) => {
                let dim = positions.dim;
                let vectors = TensorData::new(sinusoids(length, dim), [1, length, dim]);
                let vectors = Tensor::from_data(vectors, &tokens.device());
                tokens * (dim as f32).sqrt() + vectors
            }
        }
    }
}

/// The position vectors `[length, dim]` of Vaswani et al. 2017, §3.5, row-major: value 2k of position t is
/// sin(t / 10000^(2k/dim)), value 2k + 1 its cosine. `dim` is even.
pub fn sinusoids(length: usize, dim: usize) -> Vec<f32> {
    let value = |t: usize, i: usize| {
        let even = i - i % 2;
        let angle = t as f64 / 10_000f64.powf(even as f64 / dim as f64);
        (if i == even { angle.sin() } else { angle.cos() }) as f32
    };
    (0..length).flat_map(|t| (0..dim).map(move |i| value(t, i))).collect()
}
