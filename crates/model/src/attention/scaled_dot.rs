//! Scaled dot-product self-attention with linear queries, keys and values.

use attentive_ops::attention_pooling;
use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rotary::turn;
use super::{Attended, Attention, Description, Heads, Mechanism, MechanismConfig, TokenVectors, drops, each};
use crate::init::Initializer;
use crate::mask::hide_keys;
use crate::outline::{LayerOutline, WeightShapes};
use crate::texts::Sequences;

/// Options of `attention.scaled_dot`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScaledDotConfig {
    /// The width of queries, keys and values. Default: that of the embedding.
    #[schemars(range(min = 1, max = 8192))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dim: Option<usize>,
    /// The share of attention weights set to zero while training. Default 0.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
}

impl MechanismConfig for ScaledDotConfig {
    fn init(&self, tokens: TokenVectors, init: &mut Initializer) -> Option<Attention> {
        let (dim, inner) = (tokens.dim, self.dim.unwrap_or(tokens.dim));
        Some(Attention::ScaledDot(ScaledDotAttention {
            query: init.linear(dim, inner),
            key: init.linear(dim, inner),
            value: init.linear(dim, inner),
            dropout: DropoutConfig::new(self.dropout).init(),
            rotary: tokens.rotary,
        }))
    }

    fn shapes(&self, dim: usize, shapes: &mut WeightShapes) {
        ["query", "key", "value"].into_iter().for_each(|part| shapes.linear(part, dim, self.dim.unwrap_or(dim)));
    }

    fn describe(&self, tokens: TokenVectors) -> Description {
        let width = self.dim.unwrap_or(tokens.dim);
        let key = if self.dim.is_some() { "attention.scaled_dot.dim" } else { "embedding.dim" };
        let kind = format!("Scaled dot-product attention{}", tokens.turned());
        let layers = vec![LayerOutline::new("attention", kind, width)];
        Description { layers, width, heads: Heads::One { key, width }, compares_texts: false }
    }
}

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
    /// `[batch, length, dim]` → `[batch, length, inner]`, where inner is the width of the values; one head.
    pub fn forward(&self, tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Attended {
        let query = turn(self.query.forward(tokens.clone()), self.rotary);
        let key = turn(self.key.forward(tokens.clone()), self.rotary);
        let weights = scaled_dot_weights(query, key, mask);
        let value = self.value.forward(tokens);
        Attended { weights: weights.clone().unsqueeze_dim(1), tokens: self.dropout.forward(weights).matmul(value) }
    }
}

impl Mechanism for ScaledDotAttention {
    fn attend(&self, texts: Vec<Sequences>) -> (Vec<Sequences>, Vec<Tensor<4>>) {
        each(texts, |tokens, mask| self.forward(tokens, mask))
    }

    fn mean(&self, texts: &dyn Fn() -> Sequences, device: &Device) -> Option<Tensor<2>> {
        if drops(&self.dropout, device) {
            return None;
        }
        let Sequences { tokens, mask } = texts();
        let query = turn(self.query.forward(tokens.clone()), self.rotary);
        let key = turn(self.key.forward(tokens.clone()), self.rotary);
        let [_, _, d] = query.dims();
        let scale = 1.0 / (d as f32).sqrt();
        Some(attention_pooling(query, key, self.value.forward(tokens), mask.as_ref(), None, 1, scale).vectors)
    }
}
