//! An ONNX file run by rten, an engine that is none of ours, on texts with the probabilities that they must get. What of
//! ONNX stays with the caller is done here: ids, masks, n-grams and what they weigh.

use std::iter;

use attentive_data::{EncodedTexts, Texts, UNWATCHED};
use attentive_train::{LinearRows, Predictor, TrainError, limit};
use rten::{Model, NodeId, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};

use super::account::Rerun;
use crate::error::ExportError;
use attentive_bundle::{Example, OwnTexts};

/// By how much a probability may differ from the classifier's.
const TOLERANCE: f32 = 1e-5;
/// How many texts are run together, so that memory does not grow with their number.
const AT_ONCE: usize = 16;

/// An input of whole numbers, by its name.
type Ids = (&'static str, NdTensor<i32, 2>);

/// Runs the examples of a classifier through its ONNX file. Texts that it reads in several windows are left out, because pooling
/// them is the caller's.
///
/// # Errors
/// [`ExportError::Rerun`] when the engine refuses the file, or a probability differs by more than 1e-5.
pub fn rerun_onnx(file: &[u8], predictor: &Predictor, own: &OwnTexts) -> Result<Rerun, ExportError> {
    let failed = |reason: String| ExportError::Rerun { format: "onnx", reason };
    let model = Model::load(file.to_vec()).map_err(|error| failed(error.to_string()))?;
    let mut examples = Example::all(own, predictor)?;
    if predictor.config().model.windows.is_some() {
        let texts: Texts = examples.iter().map(Example::text).collect();
        let encoded = encode(predictor, &texts)?;
        let mut index = 0..;
        let fits = |index: usize| encoded.length(index) <= predictor.config().model.max_length;
        examples.retain(|_| index.next().is_some_and(fits));
    }
    let mut largest = 0.0f32;
    for batch in examples.chunks(AT_ONCE) {
        let found = probabilities(&model, predictor, batch)?.map_err(failed)?;
        let expected: Vec<f32> = batch.iter().flat_map(|example| example.probabilities().iter().copied()).collect();
        if found.len() != expected.len() {
            return Err(failed(format!("{} probabilities came out, not {}", found.len(), expected.len())));
        }
        for (found, expected) in found.iter().zip(&expected) {
            let difference = (found - expected).abs();
            largest = largest.max(if difference.is_nan() { f32::INFINITY } else { difference });
        }
    }
    match largest <= TOLERANCE {
        true => Ok(Rerun { n: examples.len(), largest }),
        false => Err(failed(format!("a probability differs by {largest:.1e}"))),
    }
}

/// The probabilities that the engine computes, one text behind the other, or what it says.
fn probabilities(
    model: &Model,
    predictor: &Predictor,
    batch: &[Example],
) -> Result<Result<Vec<f32>, String>, ExportError> {
    let texts: Texts = batch.iter().map(Example::text).collect();
    let inputs = match predictor.network() {
        Some(_) => network_inputs(predictor, batch, &texts)?,
        None => Vec::new(),
    };
    let linear = predictor.linear_rows(&texts)?.map(|rows| linear_inputs(&rows));
    // A model without masking has no masks.
    let mut given: Vec<(NodeId, ValueOrView)> =
        inputs.iter().filter_map(|(name, tensor)| Some((model.find_node(name)?, tensor.view().into()))).collect();
    if let Some((ids, values)) = &linear {
        given.extend(model.find_node("linear_ids").map(|node| (node, ids.view().into())));
        given.extend(model.find_node("linear_values").map(|node| (node, values.view().into())));
    }
    let run = || -> Result<Vec<f32>, String> {
        let output = model.node_id("probabilities").map_err(|error| error.to_string())?;
        let [found] = model.run_n(given, [output], None).map_err(|error| error.to_string())?;
        let found: Tensor<f32> = found.try_into().map_err(|_| "its probabilities are no numbers".to_string())?;
        Ok(found.to_vec())
    };
    Ok(run())
}

/// What the network reads, by name.
fn network_inputs(predictor: &Predictor, batch: &[Example], texts: &Texts) -> Result<Vec<Ids>, ExportError> {
    let config = predictor.config();
    let length = (!config.model.masking).then(|| config.model.longest_row());
    let pad_id = predictor.encoder().pad_id();
    let mut inputs: Vec<Ids> = Vec::new();
    let mut add =
        |names: [&'static str; 2], tensors: [NdTensor<i32, 2>; 2]| inputs.extend(names.into_iter().zip(tensors));
    let mut rows = rows(&encode(predictor, texts)?);
    if config.model.reads_pairs() {
        let seconds: Texts = batch.iter().map(|example| example.second().unwrap_or_default()).collect();
        let seconds = self::rows(&encode(predictor, &seconds)?);
        if config.model.rows_of_example() == 2 {
            add(["second_ids", "second_mask"], padded(&seconds, pad_id, length));
        } else {
            rows.iter_mut().zip(&seconds).for_each(|(row, second)| {
                row.push(pad_id);
                row.extend(second);
            });
        }
    }
    add(["ids", "mask"], padded(&rows, pad_id, length));
    if config.features.is_on() {
        let ngrams = predictor.encoder().features(texts, &config.features, limit(&config.model), UNWATCHED);
        add(["ngrams", "ngram_mask"], padded(&self::rows(&ngrams.map_err(TrainError::from)?), 0, None));
    }
    Ok(inputs)
}

/// The n-grams of the linear part and what they weigh, `[batch, n_linear]`.
fn linear_inputs(rows: &LinearRows) -> (NdTensor<i32, 2>, NdTensor<f32, 2>) {
    let length = (0..rows.len()).map(|index| rows.row(index).0.len()).max().unwrap_or(0).max(1);
    let (mut ids, mut values) = (Vec::new(), Vec::new());
    for index in 0..rows.len() {
        let (columns, weighs) = rows.row(index);
        let padding = length - columns.len();
        ids.extend(columns.iter().map(|&id| id as i32).chain(iter::repeat_n(0, padding)));
        values.extend(weighs.iter().copied().chain(iter::repeat_n(0.0, padding)));
    }
    let shape = [rows.len(), length];
    (NdTensor::from_data(shape, ids), NdTensor::from_data(shape, values))
}

fn encode(predictor: &Predictor, texts: &Texts) -> Result<EncodedTexts, ExportError> {
    let encoded = predictor.encoder().encode(texts, limit(&predictor.config().model), UNWATCHED);
    Ok(encoded.map_err(TrainError::from)?)
}

fn rows(texts: &EncodedTexts) -> Vec<Vec<u32>> {
    (0..texts.len()).map(|index| texts.ids(index).into_owned()).collect()
}

/// Ids and mask `[batch, length]`; without a length, that of the longest row, and at least 1.
fn padded(rows: &[Vec<u32>], pad_id: u32, length: Option<usize>) -> [NdTensor<i32, 2>; 2] {
    let length = length.unwrap_or_else(|| rows.iter().map(Vec::len).max().unwrap_or(0).max(1));
    let place = |row: &Vec<u32>, i: usize| (row.get(i).copied().unwrap_or(pad_id) as i32, i32::from(i < row.len()));
    let of = |pick: fn((i32, i32)) -> i32| -> NdTensor<i32, 2> {
        let values: Vec<i32> = rows.iter().flat_map(|row| (0..length).map(move |i| pick(place(row, i)))).collect();
        NdTensor::from_data([rows.len(), length], values)
    };
    [of(|(id, _)| id), of(|(_, real)| real)]
}
