//! From token vectors to one text vector.

use burn::tensor::{Bool, Tensor};

use crate::mask::zero_padding;

/// The mean over the tokens that the mask shows, or over all of them without a mask:
/// `[batch, length, dim]` → `[batch, dim]`. A text without tokens gives zeros.
///
/// Keras' `GlobalAveragePooling1D`, but for a row that is all padding, where Keras divides zero by zero.
pub(crate) fn mean(tokens: Tensor<3>, mask: Option<&Tensor<2, Bool>>) -> Tensor<2> {
    match mask {
        None => tokens.mean_dim(1).squeeze_dim::<2>(1),
        Some(mask) => {
            let count = mask.clone().float().sum_dim(1).clamp_min(1.0); // [batch, 1]
            zero_padding(tokens, Some(mask)).sum_dim(1).squeeze_dim::<2>(1) / count
        }
    }
}
