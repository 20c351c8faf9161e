//! Dot-product self-attention without projections: Keras' `Attention()([e, e])`.

use attentive_ops::{attention_pooling, self_attention_pooling};
use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Int, Tensor};

use super::{Attended, Sequences, drops};
use crate::config::{DotConfig, ScoreMode};
use crate::init::Initializer;
use crate::mask::hide_keys;

/// softmax(scores)·E with query = key = value = E (keras `layers/attention/attention.py`). The scores are E·Eᵀ, or
/// with `score_mode = "concat"` w·Σ tanh(eᵢ + eⱼ) over the dimensions; `use_scale` puts one trained number before the
/// product or inside the tanh. Like Keras' layer it does not scale by 1/√dim.
#[derive(Module, Debug)]
pub struct DotAttention {
    scale: Option<Param<Tensor<1>>>,
    concat_weight: Option<Param<Tensor<1>>>,
    dropout: Dropout,
}

impl DotAttention {
    pub(crate) fn init(config: &DotConfig, init: &mut Initializer) -> Self {
        Self {
            scale: config.use_scale.then(|| init.ones(1)),
            concat_weight: (config.score_mode == ScoreMode::Concat).then(|| init.ones(1)),
            dropout: DropoutConfig::new(config.dropout).init(),
        }
    }

    /// `[batch, length, dim]` → `[batch, length, dim]`, one head. With `concat`, memory is `[batch, length, length,
    /// dim]`.
    pub fn forward(&self, tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Attended {
        let weights = softmax(hide_keys(self.scores(&tokens), mask), 2);
        Attended { weights: weights.clone().unsqueeze_dim(1), tokens: self.dropout.forward(weights).matmul(tokens) }
    }

    /// Whether nothing but the tokens decides.
    pub(crate) fn is_plain(&self, device: &Device) -> bool {
        self.scale.is_none() && self.has_mean(device)
    }

    /// Whether [`Self::mean`] is the mean of [`Self::forward`].
    pub(super) fn has_mean(&self, device: &Device) -> bool {
        self.concat_weight.is_none() && !drops(&self.dropout, device)
    }

    /// The mean over the tokens of what they become, `[batch, dim]`.
    pub(super) fn mean(&self, texts: Sequences) -> Tensor<2> {
        let Sequences { tokens, mask } = texts;
        let [batch, length, dim] = tokens.dims();
        let pooled = match &self.scale {
            Some(scale) => {
                let query = tokens.clone() * scale.val().reshape([1, 1, 1]);
                attention_pooling(query, tokens.clone(), tokens, mask.as_ref(), None, 1, 1.0)
            }
            None => {
                let rows = Tensor::<1, Int>::arange(0..(batch * length) as i64, &tokens.device());
                let table = tokens.reshape([batch * length, dim]);
                self_attention_pooling(table, rows.reshape([batch, length]), mask.as_ref(), None, 1.0)
            }
        };
        pooled.vectors
    }

    /// `[batch, length, dim]` → `[batch, queries, keys]`.
    fn scores(&self, tokens: &Tensor<3>) -> Tensor<3> {
        match &self.concat_weight {
            None => {
                let scores = tokens.clone().matmul(tokens.clone().swap_dims(1, 2));
                match &self.scale {
                    Some(scale) => scores * scale.val().reshape([1, 1, 1]),
                    None => scores,
                }
            }
            Some(weight) => {
                let sums = tokens.clone().unsqueeze_dim::<4>(2) + tokens.clone().unsqueeze_dim::<4>(1);
                let scaled = match &self.scale {
                    Some(scale) => sums * scale.val().reshape([1, 1, 1, 1]),
                    None => sums,
                };
                scaled.tanh().sum_dim(3).squeeze_dim::<3>(3) * weight.val().reshape([1, 1, 1])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tokens_by_hand() {
        let device = attentive_backend::Backend::Flex.open().unwrap().device;
        let tokens = Tensor::<3>::from_data([[[1.0, 0.0], [1.0, 1.0]]], &device);
        let attend = |mask: Option<&Tensor<2, Bool>>| {
            let attention = DotAttention::init(&DotConfig::default(), &mut Initializer::new(0, &device));
            attention.forward(tokens.clone(), mask).tokens.try_into_vec_as::<f32>().unwrap()
        };
        // The scores are (1, 1) and (1, 2), so the second token looks at itself with the weight σ(1); a scale of
        // 1/√2 would give σ(0.7071).
        let expected = [1.0, 0.5, 1.0, 0.731_058_6];
        let found = attend(None);
        assert!(found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-6), "{found:?}");
        // With the second token hidden, both look at the first alone.
        assert_eq!(attend(Some(&Tensor::from_data([[true, false]], &device))), [1.0, 0.0, 1.0, 0.0]);
    }
}
