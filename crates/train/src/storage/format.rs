//! The file formats of a checkpoint's tensors: safetensors for the weights, which any library reads, and burnpack,
//! Burn's own container, for the optimizer's moments. Bytes in, bytes out; no files.

use std::borrow::Cow;
use std::collections::BTreeMap;

use attentive_model::Weight;
use burn_pack::{Bytes, DType, Reader};
use half::{bf16, f16};
use rayon::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use crate::storage::int8::{self, Int8, SCALE};

/// The longest description of a file's tensors that is read, in bytes. The largest model has some thousand tensors of about a
/// hundred bytes each; the libraries take twenty times as much memory as it is long.
const MAX_DESCRIPTION: u64 = 1 << 20;

/// The numbers that weights are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits, as they are trained.
    F32,
    /// 16 bits, 11 of them for the fraction: values above 65504 do not fit.
    F16,
    /// 16 bits, 8 of them for the fraction, with the range of 32.
    Bf16,
    /// 8 bits for weights of two dimensions, whole numbers from −127 to 127, with what a one is worth in 32 bits for each row
    /// of a table and each output of a linear layer, under the weight's name and `.scale`; 32 bits for all else.
    Int8,
}

impl Precision {
    /// Its name in configs of Hugging Face models.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
            Self::Int8 => "int8",
        }
    }

    /// A weight as the tensors of a file.
    fn tensors(self, weight: &Weight) -> Vec<FileTensor<'_>> {
        let Weight { name, shape, values } = weight;
        let tensor = |dtype, bytes| vec![FileTensor { name: name.clone(), dtype, shape: shape.clone(), bytes }];
        match self {
            Self::F16 => tensor(Dtype::F16, values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect()),
            Self::Bf16 => tensor(Dtype::BF16, values.iter().flat_map(|&v| bf16::from_f32(v).to_le_bytes()).collect()),
            Self::Int8 if let Some(int8) = Int8::of(weight) => {
                let bytes = int8.numbers.iter().map(|number| number.cast_unsigned()).collect();
                let scales = FileTensor {
                    name: format!("{name}{SCALE}"),
                    dtype: Dtype::F32,
                    shape: int8.scales_shape.to_vec(),
                    bytes: Cow::Owned(le_bytes(&int8.scales).into_owned()),
                };
                tensor(Dtype::I8, bytes).into_iter().chain([scales]).collect()
            }
            Self::F32 | Self::Int8 => tensor(Dtype::F32, le_bytes(values)),
        }
    }
}

/// A tensor as it is written.
struct FileTensor<'a> {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Cow<'a, [u8]>,
}

/// Weights as a safetensors file; the same weights give the same bytes, in whatever order they come.
///
/// # Errors
/// The library's words when it refuses the weights.
pub fn write_safetensors(weights: &[Weight], precision: Precision) -> Result<Vec<u8>, String> {
    let tensors: Vec<FileTensor<'_>> = weights.iter().flat_map(|weight| precision.tensors(weight)).collect();
    let views: Result<Vec<_>, _> = tensors
        .iter()
        .map(|tensor| {
            let view = TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes)?;
            Ok::<_, SafeTensorError>((tensor.name.as_str(), view))
        })
        .collect();
    let views = views.map_err(|error| error.to_string())?;
    safetensors::serialize(views, None).map_err(|error| error.to_string())
}

/// The weights of a safetensors file, in the order of their names.
///
/// # Errors
/// What is wrong with the file: not safetensors, or a tensor that is not f32 or not finite.
pub(crate) fn from_safetensors(bytes: &[u8]) -> Result<Vec<Weight>, String> {
    tensors_of(bytes, |_, name, view| match view.dtype() {
        Dtype::F32 => finite(name, view.shape().to_vec(), floats(view.data())).map(Some),
        other => Err(format!("the tensor `{name}` holds {other:?}, not F32")),
    })
}

/// The weights of a safetensors file in any [`Precision`], in the order of their names.
///
/// # Errors
/// What is wrong with the file: not safetensors, or a tensor of other numbers, or one that is not finite.
pub fn read_safetensors(bytes: &[u8]) -> Result<Vec<Weight>, String> {
    tensors_of(bytes, |file, name, view| {
        let is_int8 = |name: &str| file.tensor(name).is_ok_and(|tensor| tensor.dtype() == Dtype::I8);
        if name.strip_suffix(SCALE).is_some_and(is_int8) {
            return Ok(None); // part of the other
        }
        let halves = || view.data().as_chunks::<2>().0.iter();
        let values = match view.dtype() {
            Dtype::F32 => floats(view.data()),
            Dtype::F16 => halves().map(|half| f16::from_le_bytes(*half).to_f32()).collect(),
            Dtype::BF16 => halves().map(|half| bf16::from_le_bytes(*half).to_f32()).collect(),
            Dtype::I8 => {
                let told = |reason: String| format!("the tensor `{name}` cannot be read: {reason}");
                let scales =
                    file.tensor(&format!("{name}{SCALE}")).map_err(|_| told("its scales are missing".into()))?;
                if scales.dtype() != Dtype::F32 {
                    return Err(told(format!("its scales are {:?}, not F32", scales.dtype())));
                }
                let numbers: Vec<i8> = view.data().iter().map(|byte| byte.cast_signed()).collect();
                int8::values(view.shape(), &numbers, scales.shape(), &floats(scales.data())).map_err(told)?
            }
            other => return Err(format!("the tensor `{name}` holds {other:?}, not F32, F16, BF16 or I8")),
        };
        finite(name, view.shape().to_vec(), values).map(Some)
    })
}

/// What `read` makes of each tensor of a safetensors file, in the order of their names.
fn tensors_of(
    bytes: &[u8],
    read: impl Fn(&SafeTensors<'_>, String, TensorView<'_>) -> Result<Option<Weight>, String>,
) -> Result<Vec<Weight>, String> {
    check_description(bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length)))?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let mut tensors = file.tensors();
    tensors.sort_by(|(left, _), (right, _)| left.cmp(right)); // the library's order differs from call to call
    tensors.into_iter().filter_map(|(name, view)| read(&file, name, view).transpose()).collect()
}

/// The moments of a burnpack file.
///
/// # Errors
/// What is wrong with the file: not burnpack, or a tensor that is not f32 or not finite, or lies over another.
pub(crate) fn from_burnpack(bytes: &[u8]) -> Result<Vec<Weight>, String> {
    // Behind the name of the format and its version.
    check_description(
        bytes.get(6..).and_then(<[u8]>::first_chunk).map_or(0, |length| u32::from_le_bytes(*length).into()),
    )?;
    let reader = Reader::from_bytes(Bytes::from_bytes_vec(bytes.to_vec())).map_err(|error| error.to_string())?;
    let tensors = reader.into_tensors().map_err(|error| error.to_string())?;
    let mut left = bytes.len();
    let mut moments = BTreeMap::new();
    for tensor in tensors {
        if tensor.dtype != DType::F32 {
            return Err(format!("the tensor `{}` holds {:?}, not F32", tensor.name, tensor.dtype));
        }
        let bytes = tensor.to_bytes().map_err(|error| error.to_string())?;
        // The container lets tensors lie over each other: a short file could take any amount of memory.
        left = left.checked_sub(bytes.len()).ok_or_else(|| format!("the tensor `{}` overlaps another", tensor.name))?;
        moments.insert(tensor.name.clone(), finite(tensor.name, tensor.shape.to_vec(), floats(&bytes))?);
    }
    Ok(moments.into_values().collect())
}

fn check_description(bytes: u64) -> Result<(), String> {
    if bytes <= MAX_DESCRIPTION {
        return Ok(());
    }
    Err(format!("the description of its tensors has {bytes} bytes, which is more than {MAX_DESCRIPTION}"))
}

/// Numbers as the formats have them, which is as nearly every machine has them.
fn le_bytes(values: &[f32]) -> Cow<'_, [u8]> {
    match cfg!(target_endian = "little") {
        true => Cow::Borrowed(bytemuck::cast_slice(values)),
        false => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    // What costs is memory that was never touched, which threads share.
    bytes.as_chunks::<4>().0.par_iter().with_min_len(1 << 18).map(|chunk| f32::from_le_bytes(*chunk)).collect()
}

/// The tensor of these values; only numbers are ever saved.
fn finite(name: String, shape: Vec<usize>, values: Vec<f32>) -> Result<Weight, String> {
    // Without an early end the comparison is one of vectors.
    let are_finite = |values: &[f32]| values.iter().fold(true, |all, value| all & value.is_finite());
    let piece = values.chunks(4096).find(|piece| !are_finite(piece)).unwrap_or_default();
    match piece.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(format!("the tensor `{name}` holds {value}")),
        None => Ok(Weight { name, shape, values }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::encoded::{Encoded, NamedTensor};

    fn safetensors(weights: &[Weight]) -> Vec<u8> {
        Encoded::safetensors(weights.iter().map(NamedTensor::from).collect()).unwrap().to_bytes()
    }

    fn burnpack(weights: &[Weight]) -> Vec<u8> {
        Encoded::burnpack(weights.iter().map(NamedTensor::from).collect()).unwrap().to_bytes()
    }

    fn weights() -> Vec<Weight> {
        let values = vec![1.0, -0.0, f32::MIN_POSITIVE, f32::MAX, 0.1, 2.0];
        vec![
            Weight { name: "a.weight".to_string(), shape: vec![2, 3], values },
            Weight { name: "b".to_string(), shape: vec![1], values: vec![-7.25] },
        ]
    }

    #[test]
    fn both_formats_keep_every_bit() {
        let bits = |weights: &[Weight]| -> Vec<(String, Vec<usize>, Vec<u32>)> {
            let mut bits: Vec<_> = weights
                .iter()
                .map(|w| (w.name.clone(), w.shape.clone(), w.values.iter().map(|v| v.to_bits()).collect()))
                .collect();
            bits.sort();
            bits
        };
        let weights = weights();
        assert_eq!(bits(&from_safetensors(&safetensors(&weights)).unwrap()), bits(&weights));
        assert_eq!(bits(&from_burnpack(&burnpack(&weights)).unwrap()), bits(&weights));
    }

    #[test]
    fn halves_are_the_nearest() {
        let bits = |values: &[f32], precision| {
            let weights = [Weight { name: "w".to_string(), shape: vec![values.len()], values: values.to_vec() }];
            read_safetensors(&write_safetensors(&weights, precision).unwrap()).unwrap()[0].values.clone()
        };
        // By hand: f16 has ten bits behind the point, bf16 seven; a tie goes to the even one.
        let (f16s, bf16s) = ([1.0 + 1.0 / 1024.0, 65504.0], [1.0 + 1.0 / 128.0, 1e38]);
        assert_eq!(bits(&f16s, Precision::F16), f16s);
        assert_eq!(bits(&[1.0 + 1.0 / 2048.0, -0.0], Precision::F16), [1.0, 0.0]);
        assert_eq!(bits(&bf16s[..1], Precision::Bf16), bf16s[..1]);
        assert_eq!(bits(&[1.0 + 1.0 / 256.0, 1.0 + 3.0 / 256.0], Precision::Bf16), [1.0, 1.0 + 4.0 / 256.0]);
        assert!((bits(&bf16s, Precision::Bf16)[1] / 1e38 - 1.0).abs() < 1.0 / 256.0);
        let beyond = [Weight { name: "w".to_string(), shape: vec![1], values: vec![1e6] }];
        let written = write_safetensors(&beyond, Precision::F16).unwrap();
        assert_eq!(read_safetensors(&written).unwrap_err(), "the tensor `w` holds inf");
    }

    /// A file of tensors that somebody else wrote.
    fn file(tensors: &[(&str, Dtype, &[usize], Vec<u8>)]) -> Vec<u8> {
        let view = |(name, dtype, shape, bytes)| (name, TensorView::new(dtype, shape, bytes).unwrap());
        let tensors = tensors.iter().map(|(name, dtype, shape, bytes)| view((*name, *dtype, shape.to_vec(), bytes)));
        safetensors::serialize(tensors, None).unwrap()
    }

    #[test]
    fn eight_bits_come_back_with_their_scales() {
        let weights = [
            Weight { name: "attention.scale".to_string(), shape: vec![1], values: vec![0.1] },
            Weight { name: "embedding.weight".to_string(), shape: vec![2, 2], values: vec![127.0, -3.4, 0.0, 0.0] },
            Weight { name: "head.weight".to_string(), shape: vec![2, 1], values: vec![25.4, -0.29] },
        ];
        let bytes = write_safetensors(&weights, Precision::Int8).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let of = |name: &str| tensors.tensor(name).map(|view| (view.dtype(), view.shape().to_vec())).unwrap();
        assert_eq!(of("embedding.weight"), (Dtype::I8, vec![2, 2]));
        assert_eq!(of("embedding.weight.scale"), (Dtype::F32, vec![2, 1]));
        assert_eq!(of("head.weight.scale"), (Dtype::F32, vec![1, 1]));
        assert_eq!((of("attention.scale"), tensors.len()), ((Dtype::F32, vec![1]), 5));
        // By hand: a one is worth 1 in the first row, and 25.4 / 127 = 0.2 in the head.
        let read = read_safetensors(&bytes).unwrap();
        let names: Vec<&str> = read.iter().map(|weight| weight.name.as_str()).collect();
        assert_eq!(names, ["attention.scale", "embedding.weight", "head.weight"]);
        assert_eq!((&read[0], read[1].values.as_slice()), (&weights[0], [127.0, -3.0, 0.0, 0.0].as_slice()));
        assert!(read[2].values.iter().zip([25.4, -0.2]).all(|(is, expected)| (is - expected).abs() < 1e-6));
        assert_eq!(write_safetensors(&weights, Precision::Int8).unwrap(), bytes);
        assert!(from_safetensors(&bytes).unwrap_err().contains("holds I8, not F32"));
    }

    #[test]
    fn eight_bits_that_nothing_scales_are_refused() {
        let numbers = || ("w", Dtype::I8, &[2usize, 2][..], vec![1, 2, 3, 255]);
        let scales = |values: [f32; 2]| ("w.scale", Dtype::F32, &[2usize, 1][..], le_bytes(&values).into_owned());
        let read = |tensors: &[_]| read_safetensors(&file(tensors));
        assert_eq!(read(&[numbers(), scales([1.0, 0.5])]).unwrap()[0].values, [1.0, 2.0, 1.5, -0.5]);
        for (tensors, told) in [
            (vec![numbers()], "its scales are missing"),
            (vec![numbers(), scales([1.0, f32::NAN])], "one of its scales is NaN"),
            (vec![numbers(), scales([1.0, -0.5])], "one of its scales is -0.5"),
            (vec![numbers(), scales([1.0, f32::INFINITY])], "one of its scales is inf"),
            (vec![numbers(), ("w.scale", Dtype::F32, &[2], vec![0; 8])], "its scales have the shape [2]"),
            (vec![numbers(), ("w.scale", Dtype::F32, &[3, 1], vec![0; 12])], "its scales have the shape [3, 1]"),
            (vec![numbers(), ("w.scale", Dtype::F16, &[2, 1], vec![0; 4])], "its scales are F16, not F32"),
            (vec![numbers(), ("w.scale", Dtype::I8, &[2, 1], vec![0; 2])], "its scales are I8, not F32"),
            (vec![("w", Dtype::I8, &[4], vec![0; 4]), scales([1.0, 1.0])], "its shape is [4]"),
        ] {
            let error = read(&tensors).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
        // A scale that is one makes numbers that are none.
        assert_eq!(read(&[numbers(), scales([f32::MAX, 1.0])]).unwrap_err(), "the tensor `w` holds inf");
    }

    #[test]
    fn the_same_weights_give_the_same_bytes() {
        assert_eq!(safetensors(&weights()), safetensors(&weights()));
        assert_eq!(burnpack(&weights()), burnpack(&weights()));
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let weights = vec![Weight { name: "w".to_string(), shape: vec![2], values: vec![0.0, value] }];
            let expected = Err(format!("the tensor `w` holds {value}"));
            assert_eq!(from_safetensors(&safetensors(&weights)), expected);
            assert_eq!(from_burnpack(&burnpack(&weights)), expected);
        }
    }

    #[test]
    fn other_files_are_refused() {
        assert!(from_safetensors(b"not a file").is_err());
        assert!(from_burnpack(b"not a file").is_err());
    }
}
