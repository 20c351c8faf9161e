//! What a backend has to have whose tensors lie in host memory.

use std::borrow::Cow;

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

/// A backend whose tensors lie in host memory.
pub(crate) trait Host: Backend {
    /// The values of a tensor of f32, row by row: copied only if they do not lie so.
    fn values(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]>;

    /// The values of a tensor of f32, to change them; copied before if the tensor has another handle.
    fn values_mut(tensor: &mut FloatTensor<Self>) -> &mut [f32];
}
