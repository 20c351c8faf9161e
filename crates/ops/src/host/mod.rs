//! Burn's CPU backends as slices of host memory, and operations on such slices as operations on tensors, with a gradient of
//! their own. An operation is written once, as a [`Fused`]; which backend it runs on is told apart here.

mod memory;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "ndarray")]
mod ndarray;

use std::borrow::Cow;
use std::fmt::Debug;
use std::marker::PhantomData;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, DispatchDevice, DispatchKindConversion, DispatchTensor, TensorMetadata};
use burn::tensor::{Bool, Device, Int, Shape, Tensor, TensorData};

use self::memory::Host;

/// A differentiable operation on N tensors of f32 in host memory. It holds what else it depends on.
pub(crate) trait Fused<const N: usize>: Clone + Debug + Send + 'static {
    /// What the gradient needs of the forward pass.
    type Saved: Clone + Debug + Send + 'static;

    /// The shape of the result.
    fn shape(&self) -> Vec<usize>;

    /// The result.
    fn forward(&self, inputs: [&[f32]; N]) -> (Vec<f32>, Self::Saved);

    /// The gradient of each input from that of the result.
    fn backward(&self, inputs: [&[f32]; N], saved: &Self::Saved, gradient: &[f32]) -> [Vec<f32>; N];
}

/// The backends that are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[cfg(feature = "flex")]
    Flex,
    #[cfg(feature = "ndarray")]
    NdArray,
    Other,
}

impl Kind {
    fn of(device: &Device) -> Self {
        match device.clone().inner().as_dispatch() {
            #[cfg(feature = "flex")]
            DispatchDevice::Flex(_) => Self::Flex,
            #[cfg(feature = "ndarray")]
            DispatchDevice::NdArray(_) => Self::NdArray,
            _ => Self::Other,
        }
    }
}

/// Whether the tensors of a device lie in host memory, where the operations are fused and compute on the threads of rayon's
/// pool.
pub fn is_host(device: &Device) -> bool {
    Kind::of(device) != Kind::Other
}

/// Runs an operation on tensors of one device, which is a host's.
///
/// # Panics
/// When the device is not a host's.
pub(crate) fn apply<F: Fused<N>, const N: usize, const D: usize, const O: usize>(
    operation: F,
    inputs: [Tensor<D>; N],
) -> (Tensor<O>, F::Saved) {
    match Kind::of(&inputs[0].device()) {
        #[cfg(feature = "flex")]
        Kind::Flex => apply_on::<flex::Flex, F, N, D, O>(operation, inputs),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated)]
        Kind::NdArray => apply_on::<ndarray::NdArray, F, N, D, O>(operation, inputs),
        Kind::Other => panic!("{:?} is no device of the host", inputs[0].device()),
    }
}

fn apply_on<B: Host, F: Fused<N>, const N: usize, const D: usize, const O: usize>(
    operation: F,
    inputs: [Tensor<D>; N],
) -> (Tensor<O>, F::Saved)
where
    DispatchTensor: DispatchKindConversion<B> + DispatchKindConversion<Autodiff<B>>,
{
    const SAME_DEVICE: &str = "all inputs are on one device";
    if !inputs[0].device().is_autodiff() {
        let inputs = inputs.map(|input| input.try_into_primitive::<B>().expect(SAME_DEVICE));
        let (output, saved) = forward::<B, F, N>(&operation, &inputs);
        return (Tensor::from_primitive::<B>(output), saved);
    }
    let inputs = inputs.map(|input| input.try_into_primitive::<Autodiff<B>>().expect(SAME_DEVICE).into_parts());
    let mut primitives = Vec::with_capacity(N);
    let nodes = inputs.map(|(primitive, node)| {
        primitives.push(primitive);
        node
    });
    let (output, saved) = forward::<B, F, N>(&operation, &primitives);
    let output = match HandWritten(PhantomData).prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish((operation, primitives, saved.clone()), output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    (Tensor::from_primitive::<Autodiff<B>>(output), saved)
}

fn forward<B: Host, F: Fused<N>, const N: usize>(
    operation: &F,
    inputs: &[FloatTensor<B>],
) -> (FloatTensor<B>, F::Saved) {
    let values: Vec<Cow<'_, [f32]>> = inputs.iter().map(B::values).collect();
    let (output, saved) = operation.forward(std::array::from_fn(|i| &*values[i]));
    (from_values::<B>(output, operation.shape(), &inputs[0]), saved)
}

/// A tensor beside another one.
fn from_values<B: Host>(values: Vec<f32>, shape: impl Into<Shape>, beside: &FloatTensor<B>) -> FloatTensor<B> {
    B::float_from_data(TensorData::new(values, shape), &beside.device())
}

/// The gradient of a [`Fused`].
#[derive(Debug)]
struct HandWritten<F>(PhantomData<F>);

impl<B: Host, F: Fused<N>, const N: usize> Backward<B, N> for HandWritten<F> {
    type State = (F, Vec<FloatTensor<B>>, F::Saved);

    fn backward(self, ops: Ops<Self::State, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let (operation, inputs, saved) = ops.state;
        let gradient = gradients.consume::<B>(&ops.node);
        let values: Vec<Cow<'_, [f32]>> = inputs.iter().map(B::values).collect();
        let found = operation.backward(std::array::from_fn(|i| &*values[i]), &saved, &B::values(&gradient));
        for ((parent, input), found) in ops.parents.into_iter().zip(&inputs).zip(found) {
            if let Some(parent) = parent {
                let shape = input.shape();
                gradients.register::<B>(parent.id, from_values::<B>(found, shape, input));
            }
        }
    }
}

/// Changes the values of N tensors of one device in place, where they have no other handle. The device is a host's, without
/// autodiff.
pub(crate) fn with_values_mut<const N: usize>(
    tensors: [Tensor<1>; N],
    change: impl FnOnce([&mut [f32]; N]),
) -> [Tensor<1>; N] {
    match Kind::of(&tensors[0].device()) {
        #[cfg(feature = "flex")]
        Kind::Flex => with_values_mut_on::<flex::Flex, N>(tensors, change),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated)]
        Kind::NdArray => with_values_mut_on::<ndarray::NdArray, N>(tensors, change),
        Kind::Other => panic!("{:?} is no device of the host", tensors[0].device()),
    }
}

fn with_values_mut_on<B: Host, const N: usize>(
    tensors: [Tensor<1>; N],
    change: impl FnOnce([&mut [f32]; N]),
) -> [Tensor<1>; N]
where
    DispatchTensor: DispatchKindConversion<B>,
{
    let mut tensors = tensors.map(|tensor| tensor.try_into_primitive::<B>().expect("the device has no autodiff"));
    change(tensors.each_mut().map(B::values_mut));
    tensors.map(Tensor::from_primitive::<B>)
}

/// Hands over the values of a tensor without autodiff, row by row, from where they lie.
///
/// # Panics
/// When the tensor's device is not a host's, or has autodiff.
pub fn with_values<R>(tensor: Tensor<1>, read: impl FnOnce(&[f32]) -> R) -> R {
    match Kind::of(&tensor.device()) {
        #[cfg(feature = "flex")]
        Kind::Flex => with_values_on::<flex::Flex, R>(tensor, read),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated)]
        Kind::NdArray => with_values_on::<ndarray::NdArray, R>(tensor, read),
        Kind::Other => panic!("{:?} is no device of the host", tensor.device()),
    }
}

fn with_values_on<B: Host, R>(tensor: Tensor<1>, read: impl FnOnce(&[f32]) -> R) -> R
where
    DispatchTensor: DispatchKindConversion<B>,
{
    let tensor = tensor.try_into_primitive::<B>().expect("the device has no autodiff");
    read(&B::values(&tensor))
}

/// Ids on the host.
pub(crate) fn ids_of<const D: usize>(ids: Tensor<D, Int>) -> Vec<u32> {
    match Kind::of(&ids.device()) {
        #[cfg(feature = "flex")]
        Kind::Flex => flex::ids(ids.inner()),
        #[cfg(feature = "ndarray")]
        Kind::NdArray => ndarray::ids(ids.inner()),
        Kind::Other => ids.into_data().iter::<i64>().map(|id| id as u32).collect(),
    }
}

/// A mask on the host.
pub(crate) fn bools_of<const D: usize>(mask: Tensor<D, Bool>) -> Vec<bool> {
    #[cfg(feature = "ndarray")]
    if Kind::of(&mask.device()) == Kind::NdArray {
        return ndarray::bools(mask.inner());
    }
    let mask = mask.into_data();
    mask.as_slice::<bool>().map_or_else(|_| mask.iter::<bool>().collect(), <[bool]>::to_vec)
}

/// Numbers on the host.
pub(crate) fn floats_of<const D: usize>(values: Tensor<D>) -> Vec<f32> {
    values.into_data().iter::<f32>().collect()
}
