//! Scaled dot-product self-attention with linear queries, keys and values.

use attentive_ops::attention_pooling;
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Tensor};

use super::rotary::turn;
use super::{Attended, Sequences, drops};
use crate::config::ScaledDotConfig;
use crate::init::Initializer;
use crate::mask::hide_keys;

/// softmax(Q·Kᵀ/√d)·V (Vaswani et al. 2017, §3.2.1, eq. 1): `query` is `[batch, queries, d]`, `key` `[batch, keys, d]`,
/// `value` `[batch, keys, d_value]`; `mask` `[batch, keys]` is true where a key is real. Gives `[batch, queries,
/// d_value]` and the weights `[batch, queries, keys]`.
///
/// With query = key = value = H this is the self-attention of a text with itself:
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use attentive_model::scaled_dot_product;
/// use burn::tensor::{Device, Distribution, Tensor};
///
/// // "The animal did not cross because it was tired": nine tokens, 64 numbers each.
/// let device = attentive_backend::Backend::Flex.open()?.device;
/// let h = Tensor::<3>::random([1, 9, 64], Distribution::Uniform(-1.0, 1.0), &device);
/// let (context, weights) = scaled_dot_product(h.clone(), h.clone(), h, None);
/// assert_eq!(context.dims(), [1, 9, 64]); // for each token what it found
/// assert_eq!(weights.dims(), [1, 9, 9]); // for each token where it looked
/// let sums = weights.sum_dim(2).try_into_vec_as::<f32>()?;
/// assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-6));
/// # Ok(())
/// # }
/// ```
///
/// Two texts look at each other with queries from the one and keys and values from the other:
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use attentive_model::scaled_dot_product;
/// # use burn::tensor::{Device, Distribution, Tensor};
/// # let device = attentive_backend::Backend::Flex.open()?.device;
/// let h_d = Tensor::<3>::random([1, 9, 64], Distribution::Uniform(-1.0, 1.0), &device);
/// let h_e = Tensor::<3>::random([1, 7, 64], Distribution::Uniform(-1.0, 1.0), &device);
/// let (c_e, a_e) = scaled_dot_product(h_d.clone(), h_e.clone(), h_e.clone(), None); // softmax(H_d·H_eᵀ/√d)·H_e
/// let (c_d, a_d) = scaled_dot_product(h_e, h_d.clone(), h_d, None); // softmax(H_e·H_dᵀ/√d)·H_d
/// assert_eq!((a_e.dims(), c_e.dims()), ([1, 9, 7], [1, 9, 64]));
/// assert_eq!((a_d.dims(), c_d.dims()), ([1, 7, 9], [1, 7, 64]));
/// # Ok(())
/// # }
/// ```
pub fn scaled_dot_product(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    mask: Option<&Tensor<2, Bool>>,
) -> (Tensor<3>, Tensor<3>) {
    let weights = scaled_dot_weights(query, key, mask);
    (weights.clone().matmul(value), weights)
}

/// softmax(Q·Kᵀ/√d), with no weight on hidden keys.
pub(super) fn scaled_dot_weights(query: Tensor<3>, key: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Tensor<3> {
    let [_, _, d] = query.dims();
    softmax(hide_keys(query.matmul(key.swap_dims(1, 2)) / (d as f32).sqrt(), mask), 2)
}

/// [`scaled_dot_product`] with Q, K, V linear in the tokens.
#[derive(Module, Debug)]
pub struct ScaledDotAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    dropout: Dropout,
    rotary: bool,
}

impl ScaledDotAttention {
    pub(crate) fn init(config: &ScaledDotConfig, dim: usize, rotary: bool, init: &mut Initializer) -> Self {
        let inner = config.dim.unwrap_or(dim);
        Self {
            query: init.linear(dim, inner),
            key: init.linear(dim, inner),
            value: init.linear(dim, inner),
            dropout: DropoutConfig::new(config.dropout).init(),
            rotary,
        }
    }

    /// `[batch, length, dim]` → `[batch, length, inner]`, where inner is the width of the values; one head.
    pub fn forward(&self, tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Attended {
        let query = turn(self.query.forward(tokens.clone()), self.rotary);
        let key = turn(self.key.forward(tokens.clone()), self.rotary);
        let weights = scaled_dot_weights(query, key, mask);
        let value = self.value.forward(tokens);
        Attended { weights: weights.clone().unsqueeze_dim(1), tokens: self.dropout.forward(weights).matmul(value) }
    }

    /// Whether [`Self::mean`] is the mean of [`Self::forward`].
    pub(super) fn has_mean(&self, device: &Device) -> bool {
        !drops(&self.dropout, device)
    }

    /// The mean over the tokens of what they become, `[batch, inner]`.
    pub(super) fn mean(&self, texts: Sequences) -> Tensor<2> {
        let Sequences { tokens, mask } = texts;
        let query = turn(self.query.forward(tokens.clone()), self.rotary);
        let key = turn(self.key.forward(tokens.clone()), self.rotary);
        let [_, _, d] = query.dims();
        let scale = 1.0 / (d as f32).sqrt();
        attention_pooling(query, key, self.value.forward(tokens), mask.as_ref(), None, 1, scale).vectors
    }
}
