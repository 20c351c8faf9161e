//! Burn's ndarray backend as host memory.
#![allow(deprecated, reason = "it is one of the backends that this project stands on")]

use std::borrow::Cow;

pub(super) use burn::backend::NdArray;
use burn::backend::ndarray::NdArrayTensor;
use burn::backend::tensor::FloatTensor;

use super::Host;

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
