//! Dot-product self-attention without projections: Keras' `Attention()([e, e])`.

use attentive_ops::{attention_pooling, self_attention_pooling};
use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Int, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attended, Attention, Description, Heads, Mechanism, MechanismConfig, TokenVectors, drops, each};
use crate::init::Initializer;
use crate::mask::hide_keys;
use crate::outline::{LayerOutline, WeightShapes};
use crate::texts::{Sequences, Tokens};

/// Options of `attention.dot`, those of Keras' `Attention` layer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DotConfig {
    /// Whether the scores are multiplied by one trained number, 1 at the start. Default false, as Keras.
    pub use_scale: bool,
    /// How two tokens are scored. Default `dot`, as Keras.
    pub score_mode: ScoreMode,
    /// The share of attention weights set to zero while training, as Keras' `dropout`. Default 0.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub dropout: f64,
}

/// How Keras' `Attention` layer scores two tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScoreMode {
    /// Their dot product.
    #[default]
    Dot,
    /// w·Σ tanh(scale·(query + key)) with one trained number w. Memory grows with length² × width.
    Concat,
}

impl MechanismConfig for DotConfig {
    fn init(&self, _: TokenVectors, init: &mut Initializer) -> Option<Attention> {
        Some(Attention::Dot(DotAttention {
            scale: self.use_scale.then(|| init.ones(1)),
            concat_weight: (self.score_mode == ScoreMode::Concat).then(|| init.ones(1)),
            dropout: DropoutConfig::new(self.dropout).init(),
        }))
    }

    fn shapes(&self, _: usize, shapes: &mut WeightShapes) {
        if self.use_scale {
            shapes.add("scale", &[1]);
        }
        if self.score_mode == ScoreMode::Concat {
            shapes.add("concat_weight", &[1]);
        }
    }

    fn describe(&self, tokens: TokenVectors) -> Description {
        let kind = match self.score_mode {
            ScoreMode::Dot => "Dot-product attention",
            ScoreMode::Concat => "Dot-product attention (concat)",
        };
        let layers = vec![LayerOutline::new("attention", kind, tokens.dim)];
        Description { layers, width: tokens.dim, heads: Heads::None, compares_texts: false }
    }
}

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
    /// `[batch, length, dim]` → `[batch, length, dim]`, one head. With `concat`, memory is `[batch, length, length,
    /// dim]`.
    pub fn forward(&self, tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Attended {
        let weights = softmax(hide_keys(self.scores(&tokens), mask), 2);
        Attended { weights: weights.clone().unsqueeze_dim(1), tokens: self.dropout.forward(weights).matmul(tokens) }
    }

    /// Whether the weights of the tokens are all that stands between them and their mean.
    fn has_mean(&self, device: &Device) -> bool {
        self.concat_weight.is_none() && !drops(&self.dropout, device)
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

impl Mechanism for DotAttention {
    fn attend(&self, texts: Vec<Sequences>) -> (Vec<Sequences>, Vec<Tensor<4>>) {
        each(texts, |tokens, mask| self.forward(tokens, mask))
    }

    fn mean(&self, texts: &dyn Fn() -> Sequences, device: &Device) -> Option<Tensor<2>> {
        if !self.has_mean(device) {
            return None;
        }
        let Sequences { tokens, mask } = texts();
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
        Some(pooled.vectors)
    }

    fn mean_of_rows(&self, table: Tensor<2>, texts: &Tokens) -> Option<Tensor<2>> {
        let is_plain = self.scale.is_none() && self.has_mean(&table.device());
        is_plain.then(|| self_attention_pooling(table, texts.ids.clone(), texts.mask.as_ref(), None, 1.0).vectors)
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
            let vectors = TokenVectors { dim: 2, rotary: false };
            let Some(Attention::Dot(attention)) = DotConfig::default().init(vectors, &mut Initializer::zeros(&device))
            else {
                panic!("the config of another mechanism")
            };
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
