//! Dot-product self-attention without weights: Keras' `Attention()([e, e])`.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};

use crate::config::DotConfig;
use crate::mask::hide_keys;

/// softmax(E·Eᵀ)·E with query = key = value = E, no scale and no weights (keras `layers/attention/attention.py`,
/// `score_mode="dot"`, `use_scale=False`). Like Keras' layer it does not scale by 1/√dim.
#[derive(Module, Debug)]
pub struct DotAttention {
    dropout: Dropout,
}

impl DotAttention {
    pub(crate) fn init(config: &DotConfig) -> Self {
        Self { dropout: DropoutConfig::new(config.dropout).init() }
    }

    /// `[batch, length, dim]` → `[batch, length, dim]`.
    pub fn forward(&self, tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Tensor<3> {
        let scores = tokens.clone().matmul(tokens.clone().swap_dims(1, 2)); // [batch, length, length]
        let weights = softmax(hide_keys(scores, mask), 2);
        self.dropout.forward(weights).matmul(tokens)
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
            let attention = DotAttention::init(&DotConfig::default());
            attention.forward(tokens.clone(), mask).try_into_vec_as::<f32>().unwrap()
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
