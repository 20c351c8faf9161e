//! Doors for the fuzz targets in `fuzz/`, which are there only when they are built: what reads bytes that came from
//! somewhere else, as functions of bytes.

use std::path::{Path, PathBuf};

use attentive_model::Weight;

use crate::checkpoint::{self, Store};
use crate::config::{Config, InvalidConfig};
use crate::storage::encoded::{Encoded, NamedTensor};
use crate::storage::format;

/// The version of the layout that a manifest names.
pub const SCHEMA: u32 = checkpoint::SCHEMA;

/// A config file with this text, which the file's name names.
pub fn config(text: &str) -> Result<Config, InvalidConfig> {
    let mut config = Config::parse(Path::new("fuzzed.toml"), text, &[], Some(&["flex", "ndarray", "wgpu"]))?;
    if config.name.is_empty() {
        config.name = "fuzzed".to_string();
    }
    Ok(config)
}

/// The checkpoint of a step in a directory of them, every hash verified; only whether it can be read, or why not.
pub fn checkpoint(directory: PathBuf, step: u64) -> Result<(), String> {
    Store::new(directory).load(step).map(drop).map_err(|error| error.to_string())
}

/// The two formats of tensors.
#[derive(Debug, Clone, Copy)]
pub enum TensorFormat {
    /// `model.safetensors`.
    Safetensors,
    /// `optimizer.bpk`.
    Burnpack,
}

/// A tensor: its name, its shape and its values.
pub type Tensor = (String, Vec<usize>, Vec<f32>);

impl TensorFormat {
    /// The tensors of a file.
    pub fn read(self, bytes: &[u8]) -> Result<Vec<Tensor>, String> {
        let weights = match self {
            Self::Safetensors => format::from_safetensors(bytes),
            Self::Burnpack => format::from_burnpack(bytes),
        };
        Ok(weights?.into_iter().map(|weight| (weight.name, weight.shape, weight.values)).collect())
    }

    /// A file of these tensors.
    pub fn write(self, tensors: &[Tensor]) -> Result<Vec<u8>, String> {
        let weight = |(name, shape, values): &Tensor| Weight {
            name: name.clone(),
            shape: shape.clone(),
            values: values.clone(),
        };
        let weights: Vec<Weight> = tensors.iter().map(weight).collect();
        let tensors = weights.iter().map(NamedTensor::from).collect();
        match self {
            Self::Safetensors => Encoded::safetensors(tensors),
            Self::Burnpack => Encoded::burnpack(tensors),
        }
        .map(|file| file.to_bytes())
    }
}
