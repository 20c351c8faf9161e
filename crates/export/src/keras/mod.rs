//! A classifier as a Keras 3 model: `.keras`, which `load_model` opens, or `.weights.h5`. For the reference model and the
//! options of Keras' `Attention` layer; whatever Keras has no layer for is refused. The way back is in `import.rs`.

mod hdf5;
mod hdf5_read;
mod refusal;
mod compiled;
mod layers;
mod vectorization;
mod architecture;
mod zip;
mod zip_read;
mod import;
mod reread;
#[cfg(fuzzing)]
pub mod fuzzing;

use std::path::Path;

use attentive_model::{AttentionConfig, Head, Pooling, Positions, ScoreMode, Weight};
use attentive_train::{OptimizerConfig, OptimizerState, Predictor, StagedFile};
use serde_json::{Value, json};

#[cfg(test)]
mod tests;

use self::hdf5::{Array, Group};
pub use self::import::{KerasModel, order_of};
use crate::error::ExportError;

/// The version whose files these are like.
const KERAS: &str = "3.15.1";

/// What was written of the training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trainable {
    /// The optimizer with its moments, after so many updates.
    GoesOn {
        /// How many.
        updates: u64,
    },
    /// An optimizer that starts anew.
    Anew,
}

/// Writes the classifier as a Keras model, with the state of its Adam if it has one; a path that ends in `.h5` gets the
/// weights alone, as `model.load_weights` reads them. It has its name only when it has been read again, see [`reread`].
///
/// # Errors
/// [`ExportError::Rerun`] when what is read is not what was written; [`ExportError::Unsupported`] when Keras has no layer for
/// a part; [`ExportError::Output`] when there is something already or the file cannot be written.
pub fn write_keras(
    predictor: &Predictor,
    state: Option<&OptimizerState>,
    output: &Path,
) -> Result<Trainable, ExportError> {
    check(predictor)?;
    let weights = predictor.weights()?;
    let variables = variables(&weights);
    let adam = match &predictor.config().train.optimizer {
        OptimizerConfig::Adam(adam) => Some(adam),
        _ => None,
    };
    let mut file = Group::default();
    for (path, weight) in &variables {
        file.put(path, Array::floats(&keras_shape(weight), &weight.values));
    }
    let mut trainable = Trainable::Anew;
    if let (Some(adam), Some(state)) = (adam, state) {
        trainable = Trainable::GoesOn { updates: state.updates };
        let iteration = i32::try_from(state.updates).unwrap_or(i32::MAX);
        file.put("optimizer/vars/0", Array::int(iteration));
        file.put("optimizer/vars/1", Array::floats(&[], &[adam.learning_rate as f32]));
        let moments = variables.iter().flat_map(|(_, weight)| ["momentum", "velocity"].map(|moment| (weight, moment)));
        for ((weight, moment), index) in moments.zip(2..) {
            let values = state.moments.get(&format!("{}.{moment}", weight.name));
            let values = values.filter(|values| values.len() == weight.values.len());
            // A frozen weight has none, and Keras keeps none for it either; the config refuses to freeze.
            let values =
                values.ok_or_else(|| unsupported(format!("`{}`, of which no {moment} was kept", weight.name)))?;
            file.put(&format!("optimizer/vars/{index}"), Array::floats(&keras_shape(weight), values));
        }
    }
    let file = file.to_bytes();
    let bytes = match output.extension().is_some_and(|extension| extension == "h5") {
        true => file,
        false => {
            let metadata = json!({ "keras_version": KERAS, "date_saved": "1980-01-01@00:00:00" }).to_string();
            let config = config(predictor, adam.map(|adam| json!({
                "name": "adam", "learning_rate": adam.learning_rate, "beta_1": adam.beta_1, "beta_2": adam.beta_2,
                "epsilon": adam.epsilon,
            })))
            .to_string();
            zip::archive(&[
                ("metadata.json", metadata.as_bytes()),
                ("config.json", config.as_bytes()),
                ("model.weights.h5", &file),
            ])?
        }
    };
    let staged = StagedFile::new(output)?;
    staged.write(&bytes)?;
    let written = state.filter(|_| trainable != Trainable::Anew);
    reread::read_again(bytes, output, predictor, &weights, written)?;
    staged.publish()?;
    Ok(trainable)
}

fn unsupported(part: impl Into<String>) -> ExportError {
    ExportError::Unsupported { format: "keras", part: part.into() }
}

/// Whether Keras has a layer for every part.
fn check(predictor: &Predictor) -> Result<(), ExportError> {
    let (config, sizes) = (predictor.config(), predictor.sizes());
    let model = &config.model;
    let reasons = [
        (!matches!(model.attention, AttentionConfig::None(_) | AttentionConfig::Dot(_)), "model.attention"),
        (model.pair.is_some(), "model.pair"),
        (model.positions != Positions::None, "model.positions"),
        // Keras' GlobalMaxPooling1D takes padding for tokens.
        (!matches!(model.pooling, Pooling::Mean | Pooling::Max), "model.pooling"),
        (model.pooling == Pooling::Max && model.masking, "model.pooling"),
        (model.windows.is_some(), "model.windows"),
        (model.embedding.frozen, "model.embedding.frozen"),
        (sizes.buckets.is_some(), "features"),
        (predictor.has_linear(), "features.linear"),
        (model.masking && predictor.encoder().pad_id() != 0, "tokenizer"),
    ];
    match reasons.into_iter().find(|(is_in_the_way, _)| *is_in_the_way) {
        Some((_, key)) => Err(unsupported(format!("`{key}` as this config has it"))),
        None => Ok(()),
    }
}

/// The weights in Keras' order, by their places in the file.
fn variables(weights: &[Weight]) -> Vec<(&'static str, &Weight)> {
    let named = |name: &str| weights.iter().find(|weight| weight.name == name);
    let has_scale = named("attention.scale").is_some();
    let places = [
        ("layers/embedding/vars/0", "embedding.weight"),
        ("layers/attention/vars/0", "attention.scale"),
        (if has_scale { "layers/attention/vars/1" } else { "layers/attention/vars/0" }, "attention.concat_weight"),
        ("layers/dense/vars/0", "head.weight"),
        ("layers/dense/vars/1", "head.bias"),
    ];
    places.into_iter().filter_map(|(place, name)| Some((place, named(name)?))).collect()
}

/// Keras keeps the attention's single numbers without an axis.
fn keras_shape(weight: &Weight) -> Vec<usize> {
    if weight.name.starts_with("attention.") { Vec::new() } else { weight.shape.clone() }
}

/// `config.json`: the model as Keras builds it, and what it is compiled with.
fn config(predictor: &Predictor, adam: Option<Value>) -> Value {
    let (config, sizes) = (predictor.config(), predictor.sizes());
    let (model, outputs) = (&config.model, sizes.head.outputs(sizes.n_labels));
    let length = (!model.masking).then_some(model.max_length);
    let dim = model.embedding.dim;
    let tensor = |layer: &str, shape: Value, dtype: &str| {
        json!({ "class_name": "__keras_tensor__",
                "config": { "shape": shape, "dtype": dtype, "keras_history": [layer, 0, 0] } })
    };
    let layer = |class: &str, mut options: Value, arguments: Option<Value>| {
        let name = options["name"].clone();
        options["dtype"] = if class == "InputLayer" { json!("int32") } else { json!("float32") };
        let nodes = arguments.map_or(json!([]), |arguments| json!([{ "args": [arguments], "kwargs": {} }]));
        json!({ "module": "keras.layers", "class_name": class, "config": options, "registered_name": null,
                "name": name, "inbound_nodes": nodes })
    };
    let ids = tensor("input_layer", json!([null, length]), "int32");
    let mut last = ("embedding", tensor("embedding", json!([null, length, dim]), "float32"));
    let mut layers = vec![
        layer("InputLayer", json!({ "name": "input_layer", "batch_shape": [null, length] }), None),
        layer(
            "Embedding",
            json!({ "name": "embedding", "input_dim": sizes.vocab_size, "output_dim": dim, "mask_zero": model.masking }),
            Some(ids),
        ),
    ];
    if let AttentionConfig::Dot(dot) = &model.attention {
        let mode = if dot.score_mode == ScoreMode::Dot { "dot" } else { "concat" };
        let options = json!({ "name": "attention", "use_scale": dot.use_scale, "score_mode": mode, "dropout": 0.0 });
        layers.push(layer("Attention", options, Some(json!([last.1, last.1]))));
        last = ("attention", tensor("attention", json!([null, length, dim]), "float32"));
    }
    let (class, name) = match model.pooling {
        Pooling::Max => ("GlobalMaxPooling1D", "global_max_pooling1d"),
        _ => ("GlobalAveragePooling1D", "global_average_pooling1d"),
    };
    layers.push(layer(class, json!({ "name": name }), Some(last.1)));
    let (activation, loss) = match sizes.head {
        Head::Sigmoid | Head::MultiLabel => ("sigmoid", "binary_crossentropy"),
        Head::Softmax => ("softmax", "sparse_categorical_crossentropy"),
    };
    let pooled = tensor(name, json!([null, dim]), "float32");
    layers.push(layer("Dense", json!({ "name": "dense", "units": outputs, "activation": activation }), Some(pooled)));
    let mut model = json!({
        "module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional",
        "config": { "name": "functional", "trainable": true, "layers": layers,
                    "input_layers": ["input_layer", 0, 0], "output_layers": ["dense", 0, 0] },
    });
    if let Some(adam) = adam {
        model["compile_config"] = json!({
            "optimizer": { "module": "keras.optimizers", "class_name": "Adam", "config": adam, "registered_name": null },
            "loss": loss, "metrics": ["accuracy"],
        });
    }
    model
}
