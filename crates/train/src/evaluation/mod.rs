//! What a trained classifier says: the weights that are chosen, scores, metrics, predictions. Trains nothing.

pub(crate) mod chosen;
pub(crate) mod evaluate;
pub(crate) mod baseline;
pub(crate) mod predictor;

pub use predictor::{Parts, Prediction, Predictor, summary};
