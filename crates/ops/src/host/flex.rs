//! Burn's flex backend as host memory.

use std::borrow::Cow;

pub(super) use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;

use super::Host;

impl Host for Flex {
    fn values(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]> {
        match tensor.as_slice() {
            Some(values) => Cow::Borrowed(values),
            None => Cow::Owned(tensor.to_contiguous().storage().to_vec()),
        }
    }

    fn values_mut(tensor: &mut FloatTensor<Self>) -> &mut [f32] {
        let is_whole = tensor.as_slice::<f32>().is_some_and(|values| values.len() == tensor.storage::<f32>().len());
        if !is_whole {
            *tensor = tensor.to_contiguous();
        }
        tensor.storage_mut()
    }
}
