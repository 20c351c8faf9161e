//! Draws initial weights on the host, so that the same seed gives the same model on every backend. The
//! distributions are those of Keras; biases are zero.

use burn::module::{Param, ParamId};
use burn::nn::{Embedding, LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{Device, Tensor, TensorData};

/// A device and a stream of pseudo-random numbers from which weights are drawn in the order of construction.
///
/// The generator is SplitMix64 (Steele, Lea & Flood 2014): small, portable, and a pure function of the seed.
pub struct Initializer<'a> {
    device: &'a Device,
    /// `None` where zeros are drawn.
    state: Option<u64>,
}

impl<'a> Initializer<'a> {
    /// A stream of weights that depends on `seed` alone.
    pub fn new(seed: u64, device: &'a Device) -> Self {
        Self { device, state: Some(seed) }
    }

    /// Weights of zero where others are drawn, for a model that gets its weights from elsewhere: they cost nothing.
    pub fn zeros(device: &'a Device) -> Self {
        Self { device, state: None }
    }

    /// Where the weights are put.
    pub fn device(&self) -> &'a Device {
        self.device
    }

    /// A table `[rows, dim]` from U(−`bound`, `bound`). Keras' bound is 0.05; Burn's default N(0, 1) would make
    /// self-attention nearly one-hot and its gradients denormal.
    pub fn table(&mut self, rows: usize, dim: usize, bound: f32) -> Embedding {
        Embedding { weight: self.uniform([rows, dim], bound) }
    }

    /// A linear layer `[d_input, d_output]` from Glorot's uniform distribution U(±√(6 / (d_input + d_output)))
    /// (Glorot & Bengio 2010), with a bias of zeros.
    pub fn linear(&mut self, d_input: usize, d_output: usize) -> Linear {
        let bound = (6.0 / (d_input + d_output) as f64).sqrt() as f32;
        let bias = Tensor::<1>::zeros([d_output], self.device);
        Linear { weight: self.uniform([d_input, d_output], bound), bias: Some(Param::from_tensor(bias)) }
    }

    /// A table of zeros `[rows, dim]`: a row that is never trained adds nothing.
    pub fn zero_table(&mut self, rows: usize, dim: usize) -> Embedding {
        let weight = match self.state {
            Some(_) => Param::from_tensor(Tensor::zeros([rows, dim], self.device)),
            None => self.awaited([rows, dim]),
        };
        Embedding { weight }
    }

    /// A vector `[dim]` from Glorot's uniform distribution, which for a vector is U(±√(3 / dim)), as Keras takes it.
    pub fn glorot_vector(&mut self, dim: usize) -> Param<Tensor<1>> {
        let values = self.draw(dim, (3.0 / dim as f64).sqrt() as f32);
        Param::from_data(TensorData::new(values, [dim]), self.device)
    }

    /// A vector `[dim]` of ones.
    pub fn ones(&mut self, dim: usize) -> Param<Tensor<1>> {
        Param::from_tensor(Tensor::ones([dim], self.device))
    }

    /// A layer norm over `dim` values, with gain 1 and bias 0.
    pub fn layer_norm(&mut self, dim: usize) -> LayerNorm {
        LayerNormConfig::new(dim).init(self.device)
    }

    fn uniform(&mut self, shape: [usize; 2], bound: f32) -> Param<Tensor<2>> {
        if self.state.is_none() {
            return self.awaited(shape);
        }
        let values = self.draw(shape[0] * shape[1], bound);
        Param::from_data(TensorData::new(values, shape), self.device)
    }

    /// A weight that takes no memory before it gets its values, or is used without.
    fn awaited(&self, shape: [usize; 2]) -> Param<Tensor<2>> {
        let zeros = move |device: &Device, require_grad| {
            let zeros = Tensor::zeros(shape, device);
            if require_grad { zeros.require_grad() } else { zeros }
        };
        Param::uninitialized(ParamId::new(), zeros, self.device.clone(), true, shape.into())
    }

    /// The next `n` numbers of U(±bound).
    fn draw(&mut self, n: usize, bound: f32) -> Vec<f32> {
        let Some(mut state) = self.state else { return vec![0.0; n] };
        let values = (0..n).map(|_| (unit(&mut state) * 2.0 - 1.0) * bound).collect();
        self.state = Some(state);
        values
    }
}

/// The next number in [0, 1), with the 24 bits an f32 holds.
fn unit(state: &mut u64) -> f32 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 40) as f32 / (1u64 << 24) as f32
}
