//! What `config.json` of a `.keras` file says the model is, as far as a model here can be the same. Anything else is
//! refused by the name it has there; reads no weights.

use attentive_model::{AttentionConfig, DotConfig, HeadConfig, ModelConfig, NoneConfig, Padding, Pooling, Positions};
use attentive_model::{ScoreMode, Truncate};
use serde_json::Value;

use super::compiled::{Compiled, compiled};
use super::layers::{Layer, chain};
use super::refusal::Refusal;
use super::vectorization::{Settings, settings};

/// A model that has an equal here.
#[derive(Debug)]
pub(super) struct Architecture {
    /// How texts become ids, if the model does that itself.
    pub(super) vectorization: Option<Settings>,
    /// The rows of the embedding.
    pub(super) rows: usize,
    dim: usize,
    mask_zero: bool,
    attention: Option<DotConfig>,
    pooling: Pooling,
    /// The fixed length of a text in ids, if there is one.
    length: Option<usize>,
    dropout: Option<f64>,
    /// The units of the last layer.
    pub(super) outputs: usize,
    /// Whether they are a softmax; else each is a sigmoid.
    pub(super) is_softmax: bool,
    /// How it was trained.
    pub(super) compiled: Compiled,
    /// What it has that changes training alone, and is not taken.
    pub(super) left_out: Vec<String>,
}

/// Reads the model that `config.json` describes.
///
/// # Errors
/// What of it has no equal here.
pub(super) fn architecture(json: &Value) -> Result<Architecture, Refusal> {
    let chain = chain(json)?;
    let mut left_out = Vec::new();
    let mut rest = chain.iter().peekable();
    let mut next_if = |classes: &[&str]| rest.next_if(|layer| classes.contains(&layer.class));

    let input = next_if(&["InputLayer"]);
    let vectorization = next_if(&["TextVectorization"]).map(settings).transpose()?;
    let embedding = next_if(&["Embedding"]);
    let before = dropouts(&mut next_if)?;
    let attention = next_if(&["Attention"]);
    let between = if attention.is_some() { dropouts(&mut next_if)? } else { Vec::new() };
    let pooling = next_if(&["GlobalAveragePooling1D", "GlobalMaxPooling1D"]);
    let behind = dropouts(&mut next_if)?;
    let dense = next_if(&["Dense"]);
    let unexpected = rest.next();
    let (Some(embedding), Some(pooling), Some(dense), None) = (embedding, pooling, dense, unexpected) else {
        let found = unexpected.map_or("the end".to_string(), Layer::told);
        let missing = [
            (embedding.is_none(), "an `Embedding` layer"),
            (pooling.is_none(), "a `GlobalAveragePooling1D` layer"),
            (dense.is_none(), "a `Dense` layer"),
        ];
        let wanted = missing.into_iter().find(|(is_missing, _)| *is_missing).map_or("the end", |(_, what)| what);
        return Err(Refusal::NoEqual(format!("{found}, where {wanted} would be")));
    };

    let mask_zero = embedding.flag("mask_zero");
    let architecture = Architecture {
        rows: embedding.size("input_dim")?,
        dim: embedding.size("output_dim")?,
        length: vectorization.as_ref().map_or_else(|| input.and_then(length), |settings| settings.length),
        attention: attention.map(dot).transpose()?,
        pooling: pooled(pooling, mask_zero)?,
        outputs: dense.size("units")?,
        dropout: shared_dropout(&before, &behind, &mut left_out),
        is_softmax: false,
        compiled: compiled(&json["compile_config"], &mut left_out)?,
        left_out: Vec::new(),
        vectorization,
        mask_zero,
    };
    between.iter().for_each(|(layer, rate)| left_out.push(format!("{layer}: dropout of {rate} behind the attention")));
    if !dense.config["use_bias"].as_bool().unwrap_or(true) {
        return Err(Refusal::NoEqual(format!("{}, which has no bias", dense.told())));
    }
    for layer in &chain {
        layer.check_weights(&mut left_out)?;
    }
    let is_softmax = is_softmax(dense, &architecture)?;
    Ok(Architecture { is_softmax, left_out, ..architecture })
}

/// The dropout layers at one place, with their rates.
fn dropouts<'a>(next_if: &mut impl FnMut(&[&str]) -> Option<&'a Layer<'a>>) -> Result<Vec<(String, f64)>, Refusal> {
    let mut found = Vec::new();
    while let Some(layer) = next_if(&["Dropout", "SpatialDropout1D"]) {
        let rate = layer.config["rate"].as_f64().filter(|rate| (0.0..1.0).contains(rate));
        let rate = rate.ok_or_else(|| Refusal::Damaged(format!("{}: its `rate` is no share", layer.told())))?;
        found.push((layer.told(), rate));
    }
    Ok(found)
}

/// The rate of dropout if it is the same on tokens and on the pooled vector, as it is here; else it is left out.
fn shared_dropout(before: &[(String, f64)], behind: &[(String, f64)], left_out: &mut Vec<String>) -> Option<f64> {
    match (before, behind) {
        ([], []) => Some(0.0),
        ([(layer, rate)], [(_, other)]) if rate == other && layer.starts_with("`Dropout`") => Some(*rate),
        _ => {
            let told = |(layer, rate): &(String, f64)| {
                format!("{layer}: dropout of {rate}; `model.dropout` is one rate for tokens and pooled vector")
            };
            left_out.extend(before.iter().chain(behind).map(told));
            None
        }
    }
}

/// The length of a text that an input of ids fixes.
fn length(input: &Layer) -> Option<usize> {
    let shape = [&input.config["batch_shape"], &input.config["batch_input_shape"]];
    let shape = shape.into_iter().find_map(Value::as_array)?;
    usize::try_from(shape.get(1)?.as_u64()?).ok()
}

fn dot(layer: &Layer) -> Result<DotConfig, Refusal> {
    let score_mode = match layer.config["score_mode"].as_str() {
        None | Some("dot") => ScoreMode::Dot,
        Some("concat") => ScoreMode::Concat,
        Some(other) => return Err(Refusal::NoEqual(format!("{} with `score_mode={other:?}`", layer.told()))),
    };
    let dropout = layer.config["dropout"].as_f64().unwrap_or(0.0);
    Ok(DotConfig { use_scale: layer.flag("use_scale"), score_mode, dropout })
}

fn pooled(layer: &Layer, mask_zero: bool) -> Result<Pooling, Refusal> {
    if layer.flag("keepdims") || layer.config["data_format"].as_str().is_some_and(|format| format != "channels_last") {
        return Err(Refusal::NoEqual(format!("{} with `keepdims` or another `data_format`", layer.told())));
    }
    match (layer.class, mask_zero) {
        ("GlobalMaxPooling1D", false) => Ok(Pooling::Max),
        ("GlobalMaxPooling1D", true) => Err(Refusal::NoEqual(format!(
            "{} behind an `Embedding` with `mask_zero`, where Keras takes padding for tokens",
            layer.told()
        ))),
        _ => Ok(Pooling::Mean),
    }
}

/// Whether the last layer's units are a softmax; else each is a sigmoid.
fn is_softmax(dense: &Layer, architecture: &Architecture) -> Result<bool, Refusal> {
    let softmax = match (dense.config["activation"].as_str(), architecture.compiled.from_logits) {
        (Some("sigmoid"), _) => Some(false),
        (Some("softmax"), _) => Some(true),
        (Some("linear"), softmax) => softmax,
        _ => None,
    };
    match softmax {
        Some(true) if architecture.outputs == 1 => {
            Err(Refusal::NoEqual(format!("{}: a softmax of one unit is always 1", dense.told())))
        }
        Some(softmax) => Ok(softmax),
        None => Err(Refusal::NoEqual(format!(
            "{} with `activation={}`: a `sigmoid` or a `softmax`, or logits with a loss that says `from_logits`, make \
             probabilities",
            dense.told(),
            dense.config["activation"]
        ))),
    }
}

impl Architecture {
    /// Puts what the model decides into a config's `[model]`.
    pub(super) fn configure(&self, model: &mut ModelConfig) {
        model.embedding.dim = self.dim;
        model.embedding.vectors = None;
        model.embedding.frozen = false;
        model.pair = None;
        model.positions = Positions::None;
        model.windows = None;
        model.attention = self.attention.clone().map_or(AttentionConfig::None(NoneConfig {}), AttentionConfig::Dot);
        model.pooling = self.pooling;
        model.masking = self.mask_zero;
        model.max_length = self.length.unwrap_or(model.max_length);
        model.dropout = self.dropout.unwrap_or(model.dropout);
        if !self.mask_zero {
            model.padding = Padding::MaxLength;
        }
        if self.vectorization.is_some() {
            model.truncate = Truncate::Head;
        }
        model.head = if self.is_softmax && self.outputs == 2 { HeadConfig::Softmax } else { HeadConfig::Auto };
    }

    /// The model in a line.
    pub(super) fn told(&self) -> String {
        let masked = if self.mask_zero { ", padding masked" } else { "" };
        let attention = match &self.attention {
            Some(dot) => {
                let scale = if dot.use_scale { ", scaled" } else { "" };
                let mode = if dot.score_mode == ScoreMode::Concat { "concat" } else { "dot" };
                format!("attention ({mode}{scale})")
            }
            None => "no attention".to_string(),
        };
        let pooling = if self.pooling == Pooling::Max { "max" } else { "mean" };
        let head = if self.is_softmax { "softmax" } else { "sigmoid" };
        format!(
            "embedding of {} × {}{masked}; {attention}; {pooling} pooling; {head} of {}",
            self.rows, self.dim, self.outputs
        )
    }
}
