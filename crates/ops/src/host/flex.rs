//! Burn's flex backend as host memory.

use std::borrow::Cow;

pub(super) use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Int, Tensor};

use super::memory::Host;

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

const ITS_OWN: &str = "the tensor is this backend's, without autodiff";

/// Ids on the host, without the copy of all data that the backend's own way takes.
pub(super) fn ids<const D: usize>(ids: Tensor<D, Int>) -> Vec<u32> {
    let values = ids.clone().try_into_primitive::<Flex>().expect(ITS_OWN);
    match values.as_slice::<i32>() {
        Some(ids) => ids.iter().map(|&id| id as u32).collect(),
        None => ids.into_data().iter::<i64>().map(|id| id as u32).collect(),
    }
}
