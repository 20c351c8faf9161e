//! The `TextVectorization` layer of a Keras model: how it makes ids of texts, and its vocabulary. The tokenizer that does the
//! same is made by the `data` crate.

use attentive_data::KerasVocabulary;
use serde_json::Value;

use super::layers::Layer;
use super::refusal::Refusal;

/// Where a vocabulary that was adapted is kept.
pub(super) const MEMBERS: [&str; 2] = [
    "assets/layers/text_vectorization/_lookup_layer/vocabulary.txt",
    "assets/layers/text_vectorization/vocabulary.txt",
];

/// The first two entries of a vocabulary: padding, and what is not in it.
const SPECIAL: [&str; 2] = ["", "[UNK]"];

/// How a layer makes ids of texts.
#[derive(Debug)]
pub(super) struct Settings {
    lowercase: bool,
    strip_punctuation: bool,
    /// The vocabulary if it was given, not adapted.
    tokens: Option<Vec<String>>,
    /// How many tokens it has.
    size: Option<usize>,
    /// The length that texts are cut and padded to.
    pub(super) length: Option<usize>,
}

/// The settings of the layer.
///
/// # Errors
/// What of it has no equal here.
pub(super) fn settings(layer: &Layer) -> Result<Settings, Refusal> {
    let config = layer.config;
    let refused = |option: &str| {
        let function =
            if config[option].is_object() { ", a Python function: no code that comes with a model is run" } else { "" };
        let value = if config[option].is_object() { "…".to_string() } else { config[option].to_string() };
        Refusal::NoEqual(format!("{} with `{option}={value}`{function}", layer.told()))
    };
    let (lowercase, strip_punctuation) = match &config["standardize"] {
        Value::Null => (false, false),
        Value::String(name) if name == "lower_and_strip_punctuation" => (true, true),
        Value::String(name) if name == "lower" => (true, false),
        Value::String(name) if name == "strip_punctuation" => (false, true),
        _ => return Err(refused("standardize")),
    };
    for (option, is_same) in [
        ("split", config["split"] == "whitespace"),
        ("ngrams", config["ngrams"].is_null()),
        ("output_mode", config["output_mode"] == "int"),
        ("ragged", !layer.flag("ragged")),
        ("encoding", config["encoding"].as_str().is_none_or(|encoding| encoding.eq_ignore_ascii_case("utf-8"))),
    ] {
        if !is_same {
            return Err(refused(option));
        }
    }
    let tokens = match &config["vocabulary"] {
        Value::Null => None,
        Value::Array(tokens) => {
            Some(tokens.iter().map(|token| token.as_str().map(str::to_string)).collect::<Option<_>>())
        }
        _ => return Err(refused("vocabulary")),
    };
    let tokens = tokens.map(|tokens: Option<Vec<String>>| tokens.ok_or_else(|| refused("vocabulary"))).transpose()?;
    let size = |option: &str| config[option].as_u64().and_then(|size| usize::try_from(size).ok());
    Ok(Settings {
        lowercase,
        strip_punctuation,
        tokens,
        size: size("vocabulary_size"),
        length: size("output_sequence_length"),
    })
}

impl Settings {
    /// The vocabulary: the one in the settings, or else the one in the file that was `adapted`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn vocabulary(&self, adapted: Option<&[u8]>) -> Result<KerasVocabulary, String> {
        let tokens = match (&self.tokens, adapted) {
            (Some(tokens), _) if tokens.starts_with(&SPECIAL.map(str::to_string)) => tokens.clone(),
            (Some(tokens), _) => SPECIAL.map(str::to_string).into_iter().chain(tokens.iter().cloned()).collect(),
            (None, Some(bytes)) => KerasVocabulary::lines(bytes)?,
            (None, None) => return Err("it is not there".to_string()),
        };
        if let Some(size) = self.size.filter(|&size| size != tokens.len()) {
            return Err(format!("it has {} tokens, and `vocabulary_size` is {size}", tokens.len()));
        }
        Ok(KerasVocabulary { tokens, lowercase: self.lowercase, strip_punctuation: self.strip_punctuation })
    }

    /// How texts are standardized, in words.
    pub(super) fn told(&self) -> &'static str {
        match (self.lowercase, self.strip_punctuation) {
            (true, true) => "lower case, punctuation stripped",
            (true, false) => "lower case",
            (false, true) => "punctuation stripped",
            (false, false) => "as they are",
        }
    }
}
