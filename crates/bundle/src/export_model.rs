//! A classifier as an export holds it: its weights in the numbers of the file, and the classifier that comes out of them.

use attentive_data::TextEncoder;
use attentive_train::{Parts, Precision, Predictor, TrainError, read_safetensors, write_safetensors};
use burn::tensor::Device;

use crate::error::BundleError;

/// The file that the weights are in.
pub const WEIGHTS: &str = "model.safetensors";

/// A classifier with the weights that an export holds.
#[derive(Debug)]
pub struct ExportModel {
    /// The numbers.
    pub precision: Precision,
    /// The classifier with the weights as whoever receives them will have them.
    pub predictor: Predictor,
    /// The file.
    pub weights: Vec<u8>,
}

impl ExportModel {
    /// The classifier with its weights in these numbers.
    ///
    /// # Errors
    /// [`BundleError::Encode`] when a weight does not fit into them; when the device fails.
    pub fn new(predictor: &Predictor, precision: Precision, device: &Device) -> Result<Self, BundleError> {
        let encode = |reason| BundleError::Encode { file: WEIGHTS, reason };
        let weights = predictor.weights()?;
        let weights = write_safetensors(&weights, precision).map_err(encode)?;
        let parts = Parts {
            config: predictor.config().clone(),
            labels: predictor.labels().clone(),
            encoder: TextEncoder::from_bytes(predictor.encoder().to_json().as_bytes()).map_err(TrainError::from)?,
            weights: read_safetensors(&weights).map_err(encode)?,
            ngrams: predictor.ngrams(),
            thresholds: predictor.thresholds().to_vec(),
            step: predictor.step(),
        };
        Ok(Self { precision, predictor: Predictor::new(parts, device)?, weights })
    }
}
