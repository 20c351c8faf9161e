//! The files of a checkpoint's tensors before they are written: a head that tells of the tensors, and the tensors, which are
//! hashed and written from where they lie. What reads these files is in [`format`](crate::storage::format).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use attentive_model::Weight;
use attentive_ops::{is_host, with_values};
use burn::tensor::Tensor;
use burn_pack::{DType, FORMAT_VERSION, Header, MAGIC_NUMBER, TENSOR_ALIGNMENT, aligned_data_section_start};
use rayon::prelude::*;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::TrainError;
use crate::storage::hashed::hexadecimal;

/// What the data of a safetensors file, and its length, are aligned to.
const SAFETENSORS_ALIGNMENT: usize = 8;

/// A tensor that is to be written.
#[derive(Debug)]
pub(crate) struct NamedTensor<'a> {
    name: String,
    shape: Vec<usize>,
    values: Values<'a>,
}

/// Where numbers lie.
#[derive(Debug)]
enum Values<'a> {
    /// In a tensor of the host's memory.
    Tensor(Box<Tensor<1>>),
    /// Read back from another device, or of no tensor.
    Read(Cow<'a, [f32]>),
}

impl Values<'_> {
    fn with<R>(&self, see: impl FnOnce(&[f32]) -> R) -> R {
        match self {
            Self::Tensor(tensor) => with_values(Tensor::clone(tensor), see),
            Self::Read(values) => see(values),
        }
    }
}

impl NamedTensor<'static> {
    /// A flattened tensor without autodiff, under its name and shape.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn new(name: String, shape: Vec<usize>, tensor: Tensor<1>) -> Result<Self, TrainError> {
        let values = match is_host(&tensor.device()) {
            true => Values::Tensor(tensor.into()),
            false => Values::Read(tensor.try_into_vec_as::<f32>().map_err(TrainError::device)?.into()),
        };
        Ok(Self { name, shape, values })
    }
}

impl<'a> From<&'a Weight> for NamedTensor<'a> {
    fn from(weight: &'a Weight) -> Self {
        let Weight { name, shape, values } = weight;
        Self { name: name.clone(), shape: shape.clone(), values: Values::Read(values.into()) }
    }
}

impl NamedTensor<'_> {
    fn bytes(&self) -> usize {
        size_of::<f32>() * self.shape.iter().product::<usize>()
    }
}

/// The first of some tensors, by name, that holds a value that is not a finite number.
pub(crate) fn first_not_finite<'a>(tensors: impl IntoIterator<Item = &'a NamedTensor<'a>>) -> Option<&'a str> {
    // Without an early end the comparison is one of vectors.
    let is_bad_piece = |piece: &[f32]| piece.iter().fold(false, |any, value| any | !value.is_finite());
    let is_bad = |tensor: &&NamedTensor| tensor.values.with(|values| values.par_chunks(1 << 16).any(is_bad_piece));
    tensors.into_iter().find(is_bad).map(|tensor| tensor.name.as_str())
}

/// A file that is to be written.
#[derive(Debug)]
pub(crate) struct Encoded<'a> {
    head: Cow<'a, [u8]>,
    /// Each behind so many zeros.
    tensors: Vec<(usize, Values<'a>)>,
    length: usize,
}

impl<'a> From<&'a [u8]> for Encoded<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self { head: bytes.into(), tensors: Vec::new(), length: bytes.len() }
    }
}

#[cfg(test)]
impl From<Vec<u8>> for Encoded<'static> {
    fn from(bytes: Vec<u8>) -> Self {
        Self { length: bytes.len(), head: bytes.into(), tensors: Vec::new() }
    }
}

impl<'a> Encoded<'a> {
    /// Tensors as a safetensors file, bit for bit what the library makes of them: in the order of their names.
    ///
    /// # Errors
    /// The library's words when it refuses them.
    pub(crate) fn safetensors(mut tensors: Vec<NamedTensor<'a>>) -> Result<Self, String> {
        tensors.sort_by(|left, right| left.name.cmp(&right.name));
        let mut from = 0;
        let described = tensors.iter().map(|tensor| {
            let data_offsets = (from, from + tensor.bytes());
            from = data_offsets.1;
            (tensor.name.clone(), TensorInfo { dtype: Dtype::F32, shape: tensor.shape.clone(), data_offsets })
        });
        let described = Metadata::new(None, described.collect()).map_err(|error| error.to_string())?;
        let mut described = serde_json::to_vec(&described).map_err(|error| error.to_string())?;
        described.resize(described.len().next_multiple_of(SAFETENSORS_ALIGNMENT), b' ');
        let mut head = (described.len() as u64).to_le_bytes().to_vec();
        head.append(&mut described);
        let length = head.len() + from;
        let tensors = tensors.into_iter().map(|tensor| (0, tensor.values)).collect();
        Ok(Self { head: head.into(), tensors, length })
    }

    /// Tensors as a burnpack file, Burn's own container, bit for bit what the library makes of them: in their order.
    ///
    /// # Errors
    /// What keeps their description from being written.
    pub(crate) fn burnpack(tensors: Vec<NamedTensor<'a>>) -> Result<Self, String> {
        // As burn-pack's own, which it keeps to itself.
        #[derive(Serialize)]
        struct Described {
            tensors: BTreeMap<String, TensorPlace>,
        }
        #[derive(Serialize)]
        struct TensorPlace {
            dtype: DType,
            shape: Vec<usize>,
            data_offsets: (usize, usize),
        }
        let (mut placed, mut end, mut described) = (Vec::new(), 0usize, BTreeMap::new());
        for tensor in tensors {
            let from = end.next_multiple_of(TENSOR_ALIGNMENT as usize);
            let zeros = from - end;
            end = from + tensor.bytes();
            let NamedTensor { name, shape, values } = tensor;
            described.insert(name, TensorPlace { dtype: DType::F32, shape, data_offsets: (from, end) });
            placed.push((zeros, values));
        }
        let mut description = Vec::new();
        ciborium::into_writer(&Described { tensors: described }, &mut description)
            .map_err(|error| error.to_string())?;
        let metadata_size = u32::try_from(description.len()).map_err(|error| error.to_string())?;
        let header = Header { magic: MAGIC_NUMBER, version: FORMAT_VERSION, metadata_size };
        let mut head = header.into_bytes().to_vec();
        head.extend(&description);
        head.resize(aligned_data_section_start(description.len()), 0);
        let length = head.len() + end;
        Ok(Self { head: head.into(), tensors: placed, length })
    }

    /// How many bytes the file has.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Writes all bytes.
    ///
    /// # Errors
    /// What `file` says.
    pub(crate) fn write_to(&self, file: &mut dyn Write) -> io::Result<()> {
        file.write_all(&self.head)?;
        for (zeros, values) in &self.tensors {
            file.write_all(&[0; TENSOR_ALIGNMENT as usize][..*zeros])?;
            values.with(|values| match cfg!(target_endian = "little") {
                true => file.write_all(bytemuck::cast_slice(values)),
                false => values.iter().try_for_each(|value| file.write_all(&value.to_le_bytes())),
            })?;
        }
        Ok(())
    }

    /// The SHA-256 of all bytes, in hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        // Nothing that is hashed fails to be.
        let _ = self.write_to(&mut Hashing(&mut hash));
        hexadecimal(hash.finalize().as_ref())
    }

    /// All bytes.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.length);
        self.write_to(&mut bytes).map(|()| bytes).unwrap_or_default()
    }
}

struct Hashing<'a>(&'a mut Sha256);

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The SHA-256 of the safetensors file of some weights.
///
/// # Errors
/// The library's words when it refuses them.
pub(crate) fn sha256_of(weights: &[Weight]) -> Result<String, String> {
    Ok(Encoded::safetensors(weights.iter().map(NamedTensor::from).collect())?.sha256())
}

#[cfg(test)]
mod tests {
    use burn_pack::{Bytes, Writer};

    use super::*;
    use crate::storage::format::{Precision, write_safetensors};

    fn weights() -> Vec<Weight> {
        let weight = |name: &str, shape: &[usize]| {
            let n = shape.iter().product::<usize>() as u32;
            Weight { name: name.to_string(), shape: shape.to_vec(), values: (0..n).map(|i| i as f32 - 0.5).collect() }
        };
        vec![
            weight("head.weight", &[7, 3]),
            weight("embedding \"é\"", &[5, 4]),
            weight("a", &[1]),
            weight("none", &[0]),
        ]
    }

    /// The same weights, some as they are and some in tensors.
    fn placed(weights: &[Weight]) -> Vec<NamedTensor<'_>> {
        let device = attentive_backend::open("flex").unwrap().device;
        let tensor = |weight: &Weight| Tensor::from_floats(weight.values.as_slice(), &device);
        let (in_tensors, as_they_are) = weights.split_at(weights.len() / 2);
        let placed = |weight: &Weight| NamedTensor::new(weight.name.clone(), weight.shape.clone(), tensor(weight));
        in_tensors
            .iter()
            .map(|weight| placed(weight).unwrap())
            .chain(as_they_are.iter().map(NamedTensor::from))
            .collect()
    }

    #[test]
    fn files_are_bit_for_bit_those_of_the_libraries() {
        for weights in [weights(), weights()[..1].to_vec(), Vec::new()] {
            let safetensors = Encoded::safetensors(placed(&weights)).unwrap();
            let expected = write_safetensors(&weights, Precision::F32).unwrap();
            assert_eq!((safetensors.to_bytes(), safetensors.len()), (expected.clone(), expected.len()));
            assert_eq!(safetensors.sha256(), crate::sha256(&expected));
            assert_eq!(sha256_of(&weights).unwrap(), crate::sha256(&expected));

            let tensor = |Weight { name, shape, values }: Weight| {
                burn_pack::Tensor::new(name, DType::F32, shape, None, Bytes::from_elems(values))
            };
            let expected = Writer::new(weights.iter().cloned().map(tensor).collect()).into_bytes().unwrap().to_vec();
            let burnpack = Encoded::burnpack(placed(&weights)).unwrap();
            assert_eq!((burnpack.to_bytes(), burnpack.len()), (expected.clone(), expected.len()));
        }
    }

    #[test]
    fn the_first_that_is_not_finite_is_found() {
        let mut weights = weights();
        assert_eq!(first_not_finite(&placed(&weights)), None);
        weights[1].values[19] = f32::NAN;
        weights[2].values[0] = f32::INFINITY;
        assert_eq!(first_not_finite(&placed(&weights)), Some("embedding \"é\""));
    }
}
