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
