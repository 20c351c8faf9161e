//! The layers of a Keras model, one behind the other: a `Sequential` model, or a `Functional` one in which each layer reads
//! the one before. What code of somebody else would be needed for is refused here.

use serde_json::Value;

use super::refusal::Refusal;

/// More are no model that has an equal here.
const MAX_LAYERS: usize = 64;

/// A layer as `config.json` describes it.
#[derive(Debug)]
pub(super) struct Layer<'a> {
    pub(super) class: &'a str,
    pub(super) name: &'a str,
    pub(super) config: &'a Value,
    module: &'a str,
    nodes: &'a Value,
}

impl<'a> Layer<'a> {
    fn of(json: &'a Value) -> Result<Self, Refusal> {
        let class = json["class_name"].as_str();
        let class = class.ok_or_else(|| Refusal::Damaged("a layer has no `class_name`".to_string()))?;
        let config = &json["config"];
        let name = json["name"].as_str().or(config["name"].as_str()).unwrap_or(class);
        let module = json["module"].as_str().unwrap_or_default();
        let layer = Self { class, name, config, module, nodes: &json["inbound_nodes"] };
        if class == "Lambda" {
            let told = format!("{}, which is a Python function: no code that comes with a model is run", layer.told());
            return Err(Refusal::NoEqual(told));
        }
        own(json).map_err(|package| {
            Refusal::NoEqual(format!("{}, a class of its own (`{package}`): its code is not in Keras", layer.told()))
        })?;
        Ok(layer)
    }

    /// Its class and name.
    pub(super) fn told(&self) -> String {
        format!("`{}` layer `{}`", self.class, self.name)
    }

    /// An option that is on.
    pub(super) fn flag(&self, option: &str) -> bool {
        self.config[option].as_bool().unwrap_or(false)
    }

    /// An option that is a size of at least 1.
    pub(super) fn size(&self, option: &str) -> Result<usize, Refusal> {
        let size = self.config[option].as_u64().filter(|size| (1..1 << 32).contains(size));
        let size = size.ok_or_else(|| Refusal::Damaged(format!("{}: its `{option}` is no size", self.told())))?;
        Ok(size as usize)
    }

    /// Refuses what makes its weights something else; what matters to training alone is left out, and told.
    pub(super) fn check_weights(&self, left_out: &mut Vec<String>) -> Result<(), Refusal> {
        for option in ["quantization_config", "lora_rank"] {
            if !self.config[option].is_null() {
                return Err(Refusal::NoEqual(format!("{} with `{option}`", self.told())));
            }
        }
        if self.config["trainable"] == Value::Bool(false) && self.class != "TextVectorization" {
            return Err(Refusal::NoEqual(format!("{}, which is not trainable", self.told())));
        }
        for (option, value) in self.config.as_object().into_iter().flatten() {
            if (option.ends_with("_regularizer") || option.ends_with("_constraint")) && !value.is_null() {
                left_out.push(format!("{}: its `{option}`", self.told()));
            }
        }
        let dtype = &self.config["dtype"];
        let dtype = dtype.as_str().or(dtype["config"]["name"].as_str()).unwrap_or("float32");
        if ["Embedding", "Attention", "Dense"].contains(&self.class) && dtype != "float32" {
            left_out.push(format!("{}: it computes in `{dtype}`, and here in 32 bits", self.told()));
        }
        Ok(())
    }
}

/// Whether a class is one of Keras' own.
///
/// # Errors
/// The name that it is registered under, or its module.
fn own(json: &Value) -> Result<(), String> {
    let class = json["class_name"].as_str();
    let module = json["module"].as_str().unwrap_or_default();
    match json["registered_name"].as_str() {
        Some(name) if Some(name) != class => Err(name.to_string()),
        _ if module == "keras" || module.starts_with("keras.") => Ok(()),
        _ => Err(if module.is_empty() { "no module".to_string() } else { module.to_string() }),
    }
}

/// The layers from input to output.
///
/// # Errors
/// What has no equal here.
pub(super) fn chain(json: &Value) -> Result<Vec<Layer<'_>>, Refusal> {
    let class = json["class_name"].as_str().unwrap_or_default();
    own(json).map_err(|package| {
        Refusal::NoEqual(format!("the model itself, a class of its own (`{package}`): its code is not in Keras"))
    })?;
    let layers = json["config"]["layers"].as_array();
    let layers = layers.ok_or_else(|| Refusal::Damaged("it has no list of layers".to_string()))?;
    if layers.len() > MAX_LAYERS {
        return Err(Refusal::NoEqual(format!("{} layers", layers.len())));
    }
    let layers = layers.iter().map(Layer::of).collect::<Result<Vec<_>, _>>()?;
    match class {
        "Sequential" => Ok(layers),
        "Functional" | "Model" => in_order(layers, &json["config"]["output_layers"]),
        _ => Err(Refusal::NoEqual(format!("a model of the class `{class}`"))),
    }
}

/// The layers in the order in which each reads the one before.
fn in_order<'a>(layers: Vec<Layer<'a>>, outputs: &Value) -> Result<Vec<Layer<'a>>, Refusal> {
    let branches = |layer: &Layer| Refusal::NoEqual(format!("{}, where the layers branch or meet", layer.told()));
    let (masks, layers): (Vec<_>, Vec<_>) =
        layers.into_iter().partition(|layer| layer.module.starts_with("keras.src.ops."));
    let mut rest = Vec::new();
    for layer in layers {
        let sources = sources(&layer)?;
        rest.push((layer, sources));
    }
    let mut chain: Vec<Layer> = Vec::new();
    while !rest.is_empty() {
        let last = chain.last().map(|layer| layer.name);
        let reads_last = |(_, sources): &(Layer, Vec<&str>)| sources.first().copied() == last;
        let Some(next) = rest.iter().position(reads_last) else { return Err(branches(&rest[0].0)) };
        let (layer, sources) = rest.swap_remove(next);
        // Queries, keys and values are the same; anything else reads one.
        let at_most = if layer.class == "Attention" { 2..=3 } else { 0..=1 };
        if !at_most.contains(&sources.len()) || sources.iter().any(|source| Some(*source) != last) {
            return Err(branches(&layer));
        }
        chain.push(layer);
    }
    let output = [outputs[0].as_str(), outputs[0][0].as_str()].into_iter().flatten().next();
    let (Some(last), false) = (chain.last(), masks.len() > MAX_LAYERS) else {
        return Err(Refusal::Damaged("it has no layers".to_string()));
    };
    if output.is_some_and(|output| output != last.name) {
        return Err(branches(last));
    }
    check_masks(&masks, &chain)?;
    Ok(chain)
}

/// Keras writes how it makes the mask of padding as layers: ids that are not 0. Any other operation is refused.
fn check_masks(masks: &[Layer], chain: &[Layer]) -> Result<(), Refusal> {
    let embedding = chain.iter().position(|layer| layer.class == "Embedding");
    let ids = embedding.and_then(|index| Some(chain.get(index.checked_sub(1)?)?.name));
    let is_masked = embedding.is_some_and(|index| chain[index].flag("mask_zero"));
    for layer in masks {
        let arguments = &layer.nodes[0]["args"];
        let source = history(&arguments[0]);
        let is_mask = match layer.class {
            "NotEqual" => source.is_some() && source == ids && arguments[1] == 0,
            "ConvertToTensor" => masks.iter().any(|mask| mask.class == "NotEqual" && Some(mask.name) == source),
            _ => false,
        };
        if !is_mask || !is_masked {
            return Err(Refusal::NoEqual(format!("the operation `{}`", layer.class)));
        }
    }
    Ok(())
}

/// The layers whose outputs a layer reads: none for an input.
fn sources<'a>(layer: &Layer<'a>) -> Result<Vec<&'a str>, Refusal> {
    let nodes = layer.nodes.as_array().map_or(&[][..], Vec::as_slice);
    if nodes.len() > 1 {
        return Err(Refusal::NoEqual(format!("{}, which is used more than once", layer.told())));
    }
    let Some(node) = nodes.first() else { return Ok(Vec::new()) };
    let plain = |(name, value): (&String, &Value)| name == "mask" || value.is_null() || *value == Value::Bool(false);
    if !node["kwargs"].as_object().is_none_or(|options| options.iter().all(plain)) {
        return Err(Refusal::NoEqual(format!("{}, called with `{}`", layer.told(), node["kwargs"])));
    }
    let Some([argument, options @ ..]) = node["args"].as_array().map(Vec::as_slice) else { return Ok(Vec::new()) };
    let unread = || Refusal::NoEqual(format!("{}, called in a way that is not understood", layer.told()));
    if !options.iter().all(Value::is_null) {
        return Err(unread());
    }
    match argument.as_array() {
        Some(tensors) => tensors.iter().map(|tensor| history(tensor).ok_or_else(unread)).collect(),
        None => Ok(vec![history(argument).ok_or_else(unread)?]),
    }
}

/// The layer whose output a tensor is.
fn history(tensor: &Value) -> Option<&str> {
    tensor["config"]["keras_history"][0].as_str()
}
