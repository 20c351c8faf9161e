//! Hiding padding: which scores and which token vectors count. A mask is `[batch, length]`, true where a token is
//! real.

use burn::tensor::{Bool, Tensor};

/// What is added to the score of a hidden key. It is finite, so a text without tokens gets uniform weights and no
/// NaN; e^−1e9 is exactly zero beside any real score. Keras uses the same number.
const HIDDEN: f32 = -1e9;

/// Scores `[batch, queries, keys]` with −1e9 added where the key is padding.
pub(crate) fn hide_keys(scores: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Tensor<3> {
    match mask {
        None => scores,
        Some(mask) => {
            let hidden = mask.clone().bool_not().float() * HIDDEN;
            scores + hidden.unsqueeze_dim::<3>(1)
        }
    }
}

/// Token vectors `[batch, length, dim]` with zeros where the token is padding.
pub(crate) fn zero_padding(tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Tensor<3> {
    match mask {
        None => tokens,
        Some(mask) => tokens * mask.clone().float().unsqueeze_dim::<3>(2),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;
    use burn::tensor::activation::softmax;

    use super::*;

    #[test]
    fn hidden_keys_get_no_weight_and_a_text_without_tokens_gets_even_ones() {
        for backend in [attentive_backend::Backend::Flex, attentive_backend::Backend::NdArray] {
            let device = backend.open().unwrap().device;
            let mask = Tensor::<2, Bool>::from_data([[true, true, false], [false, false, false]], &device);
            // One query for each text; the hidden scores are large on purpose.
            let scores = TensorData::new(vec![0.0, 3f32.ln(), 80.0, 5.0, -7.0, 0.0], [2, 1, 3]);
            let weights = softmax(hide_keys(Tensor::from_data(scores, &device), Some(&mask)), 2);
            let weights = weights.try_into_vec_as::<f32>().unwrap();
            assert!((weights[0] - 0.25).abs() < 1e-6 && (weights[1] - 0.75).abs() < 1e-6, "{weights:?}");
            assert_eq!(weights[2], 0.0);
            // Beside -1e9 an f32 holds no difference below 32.
            assert!(weights[3..].iter().all(|weight| (weight - 1.0 / 3.0).abs() < 1e-6), "{weights:?}");
        }
    }
}
