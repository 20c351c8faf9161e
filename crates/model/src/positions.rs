//! Position vectors added to the token vectors.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::config::Positions;
use crate::init::Initializer;

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

    /// Adds a vector to each token: `[batch, length, dim]` → `[batch, length, dim]`.
    pub(crate) fn forward(&self, tokens: Tensor<3>) -> Tensor<3> {
        let [_, length, _] = tokens.dims();
        match self {
            Self::Learned(positions) => tokens + positions.weight.val().narrow(0, 0, length).unsqueeze_dim::<3>(0),
            Self::Sinusoidal(positions) => {
                let vectors = sinusoidal(length, positions.dim, &tokens.device());
                tokens * (positions.dim as f32).sqrt() + vectors.unsqueeze_dim::<3>(0)
            }
        }
    }
}

/// The position vectors `[length, dim]` of Vaswani et al. 2017, §3.5: value 2k of position t is
/// sin(t / 10000^(2k/dim)), value 2k + 1 its cosine. `dim` is even.
pub fn sinusoidal(length: usize, dim: usize, device: &Device) -> Tensor<2> {
    let values: Vec<f32> = (0..length)
        .flat_map(|t| {
            (0..dim).map(move |i| {
                let angle = t as f64 / 10_000f64.powf((i - i % 2) as f64 / dim as f64);
                (if i % 2 == 0 { angle.sin() } else { angle.cos() }) as f32
            })
        })
        .collect();
    Tensor::from_data(TensorData::new(values, [length, dim]), device)
}
