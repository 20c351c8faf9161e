//! The config of a run as a struct, its defaults, and how it is written. Reads nothing and checks nothing but its size.

use attentive_data::{DataConfig, FeaturesConfig, TokenizerConfig};
use attentive_model::ModelConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::{ConfigError, MAX_BYTES};
use super::train::TrainConfig;

/// The most weights that an embedding may have: 2³², 16 GiB in f32. A config above it is a slip.
pub(crate) const MAX_PARAMETERS: u128 = 1 << 32;

/// Everything that decides what a run does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The name of the run, which goes to `runs/<name>` unless `--run-dir` says otherwise: letters, digits, `.`, `_`
    /// and `-`. Default: the name of the config file, without its ending.
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub name: String,
    /// Decides every random choice: initial weights, the order of the examples, dropout, the splits that are cut
    /// off by label and the folds. The same seed gives the same bits on a CPU. Default 42.
    #[schemars(range(max = 9_223_372_036_854_775_807_u64))]
    pub seed: u64,
    /// What computes: `auto` (a GPU if there is one, else the fastest CPU backend), or the name of a backend that
    /// `attentive devices` lists. Default `auto`.
    pub backend: String,
    /// Where the examples are and how to read them.
    pub data: DataConfig,
    /// How text becomes tokens. Default: `word`.
    pub tokenizer: TokenizerConfig,
    /// What the classifier sees of a text beside its tokens. Default: nothing.
    pub features: FeaturesConfig,
    /// What the classifier is made of.
    pub model: ModelConfig,
    /// How it is trained.
    pub train: TrainConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: String::new(),
            seed: 42,
            backend: "auto".to_string(),
            data: DataConfig::default(),
            tokenizer: TokenizerConfig::default(),
            features: FeaturesConfig::default(),
            model: ModelConfig::default(),
            train: TrainConfig::default(),
        }
    }
}

impl Config {
    /// Whether a network is trained: not where a linear part is the whole classifier.
    pub fn has_network(&self) -> bool {
        !self.features.linear.as_ref().is_some_and(|linear| linear.alone)
    }

    /// That its backend is none of the known ones.
    pub(super) fn backend_problem(&self, known: &[&str]) -> Option<(String, String)> {
        if self.backend == "auto" || known.contains(&self.backend.as_str()) {
            return None;
        }
        let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        Some(("backend".to_string(), format!("there is no backend `{}`; choose `auto`, {known}", self.backend)))
    }

    /// The resolved config, every default written out, as TOML: of the two sizes of a batch the one that holds.
    pub fn to_toml(&self) -> String {
        const WRITABLE: &str = "a config holds only what TOML can write";
        if self.train.batch_tokens.is_none() {
            return toml::to_string(self).expect(WRITABLE);
        }
        let mut tree = toml::Table::try_from(self).expect(WRITABLE);
        if let Some(train) = tree.get_mut("train").and_then(toml::Value::as_table_mut) {
            train.remove("batch_size");
        }
        toml::to_string(&tree).expect(WRITABLE)
    }

    /// Whether [`Config::load`] would read what is written of it.
    ///
    /// # Errors
    /// [`ConfigError::LongWritten`].
    pub(crate) fn check_size(&self) -> Result<(), ConfigError> {
        let bytes = self.to_toml().len();
        if bytes as u64 <= MAX_BYTES { Ok(()) } else { Err(ConfigError::LongWritten { bytes }) }
    }

    /// The JSON Schema of the config, for editors; the same schema checks the config.
    pub fn schema() -> serde_json::Value {
        let mut schema = schemars::schema_for!(Self).to_value();
        schema["title"] = "Attentive config".into();
        schema
    }
}
