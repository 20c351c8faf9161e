//! Burn's ndarray backend as host memory.
#![allow(deprecated, reason = "it is one of the backends that this project stands on")]

use std::borrow::Cow;

pub(super) use burn::backend::NdArray;
use burn::backend::ndarray::NdArrayTensor;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Bool, Int, Tensor};

use super::memory::Host;

const F32_ALONE: &str = "attentive computes in f32 alone";

impl Host for NdArray {
    fn values(tensor: &FloatTensor<Self>) -> Cow<'_, [f32]> {
        let NdArrayTensor::F32(storage) = tensor else { panic!("{F32_ALONE}") };
        let view = storage.view();
        match view.to_slice() {
            Some(values) => Cow::Borrowed(values),
            None => Cow::Owned(view.iter().copied().collect()),
        }
    }

    fn values_mut(tensor: &mut FloatTensor<Self>) -> &mut [f32] {
        let NdArrayTensor::F32(storage) = tensor else { panic!("{F32_ALONE}") };
        let array = storage.ensure_owned();
        if !array.is_standard_layout() {
            *array = array.as_standard_layout().into_owned().into();
        }
        array.as_slice_mut().expect("its layout is the standard one")
    }
}

const ITS_OWN: &str = "the tensor is this backend's, without autodiff";

/// Ids on the host; the backend's own way takes as long as a tenth of a training step.
pub(super) fn ids<const D: usize>(ids: Tensor<D, Int>) -> Vec<u32> {
    let values = ids.clone().try_into_primitive::<NdArray>().expect(ITS_OWN);
    let found = match &values {
        NdArrayTensor::I64(ids) => ids.view().to_slice().map(|ids| ids.iter().map(|&id| id as u32).collect()),
        NdArrayTensor::I32(ids) => ids.view().to_slice().map(|ids| ids.iter().map(|&id| id as u32).collect()),
        _ => None,
    };
    found.unwrap_or_else(|| ids.into_data().iter::<i64>().map(|id| id as u32).collect())
}

/// A mask on the host.
pub(super) fn bools<const D: usize>(mask: Tensor<D, Bool>) -> Vec<bool> {
    let values = mask.clone().try_into_primitive::<NdArray>().expect(ITS_OWN);
    let found = match &values {
        NdArrayTensor::Bool(mask) => mask.view().to_slice().map(<[bool]>::to_vec),
        _ => None,
    };
    found.unwrap_or_else(|| mask.into_data().iter::<bool>().collect())
}
