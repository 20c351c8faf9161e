//! The config of a run: one strict TOML file, composed of the sections of the crates it configures. Reading it touches
//! no data and creates nothing; every problem is reported at once, with its place.

mod between;
mod diagnose;
mod document;
mod nearest;
mod problem;
mod reference;
mod shape;
mod train;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use attentive_data::{DataConfig, FeaturesConfig, TokenizerConfig};
use attentive_model::ModelConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use between::unknown_class_weight;
pub use problem::{InvalidConfig, Place, Problem};
pub use reference::reference;
pub use train::{EarlyStoppingConfig, Monitor, Threshold, TrainConfig};

use document::Document;

/// A longer file is no config.
const MAX_BYTES: u64 = 1 << 20;

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

/// A config that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the config `{path}`", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file is too long to be a config.
    #[error("`{path}` is longer than {MAX_BYTES} bytes; that is no config", path = path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// A config that is longer in `config.toml` of the run than a config may be.
    #[error(
        "the config takes {bytes} bytes in `config.toml`, with every default written out, which holds at most {MAX_BYTES}"
    )]
    LongWritten {
        /// The bytes of the file.
        bytes: usize,
    },
    /// The file is not UTF-8.
    #[error("the config `{path}` is not UTF-8 (at byte {byte})", path = path.display())]
    Encoding {
        /// The file.
        path: PathBuf,
        /// Where the first undecodable byte is, counted from 0.
        byte: usize,
    },
    /// The config is wrong.
    #[error(transparent)]
    Invalid(InvalidConfig),
}

impl Config {
    /// Reads a config file, with `KEY=VALUE` overrides merged in, and checks it. `backends` are the names that
    /// `backend` may take besides `auto`.
    ///
    /// # Errors
    /// When the file cannot be read, and [`ConfigError::Invalid`] with every problem it has.
    pub fn load(path: &Path, overrides: &[String], backends: &[&str]) -> Result<Self, ConfigError> {
        Self::named(path, &read(path)?, overrides, Some(backends))
    }

    /// Reads a config file whatever backend it names: who opens the device says whether there is one.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::named(path, &read(path)?, &[], None)
    }

    /// The same config, checked as one that is read; in messages it is the file `path`.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with every problem it has.
    pub fn checked(&self, path: &Path) -> Result<Self, ConfigError> {
        Self::from_bytes(path, self.to_toml().into_bytes())
    }

    /// The config of these bytes, which are those of the file `path`, as [`Config::read`] reads it.
    ///
    /// # Errors
    /// As [`Config::load`], but that nothing is read.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, ConfigError> {
        Self::named(path, &text(path, bytes)?, &[], None)
    }

    fn named(path: &Path, text: &str, overrides: &[String], backends: Option<&[&str]>) -> Result<Self, ConfigError> {
        let mut config = Self::parse(path, text, overrides, backends).map_err(ConfigError::Invalid)?;
        if config.name.is_empty() {
            config.name = default_name(path);
        }
        Ok(config)
    }

    pub(crate) fn parse(
        path: &Path,
        text: &str,
        overrides: &[String],
        backends: Option<&[&str]>,
    ) -> Result<Self, InvalidConfig> {
        static SCHEMA: LazyLock<serde_json::Value> = LazyLock::new(Config::schema);
        let document = Document::parse(path, text, overrides, &SCHEMA)?;
        let mut problems = diagnose::diagnose(&document, &SCHEMA);
        if problems.is_empty() {
            let config: Self = document.deserialize()?;
            let found = config.problems().into_iter().chain(backends.and_then(|known| config.backend_problem(known)));
            problems.extend(found.map(|(key, message)| document.problem(&key, message)));
            if config.train.batch_tokens.is_some() && document.has("train.batch_size") {
                let message = "`batch_size` and `batch_tokens` both say how large a batch is: leave one out";
                problems.push(document.problem("train.batch_tokens", message));
            }
            if problems.is_empty() {
                return Ok(config);
            }
        }
        Err(InvalidConfig { problems })
    }

    /// What is wrong between options that are each in range: (dotted key, what to change).
    fn problems(&self) -> Vec<(String, String)> {
        let below = |section: &str, problems: Vec<(&'static str, String)>| -> Vec<(String, String)> {
            problems.into_iter().map(|(key, message)| (format!("{section}.{key}"), message)).collect()
        };
        // These sections leave the key out of the message.
        let named = |problems: Vec<(String, String)>| -> Vec<(String, String)> {
            problems.into_iter().map(|(key, message)| (key.clone(), format!("`{key}` {message}"))).collect()
        };
        let mut problems = named(below("data", self.data.problems()));
        problems.extend(named(below(&self.tokenizer.key(), self.tokenizer.problems())));
        problems.extend(named(below("features", self.features.problems(&self.tokenizer))));
        problems.extend(below("model", self.model.problems()));
        problems.extend(below("train", self.train.problems()));
        problems.extend(between::problems(self));
        if !self.name.is_empty() && self.name.chars().all(|c| c == '.') {
            problems
                .push(("name".to_string(), format!("`name` is `{}`, which names no directory of its own", self.name)));
        }
        problems
    }

    /// That its backend is none of the known ones.
    fn backend_problem(&self, known: &[&str]) -> Option<(String, String)> {
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

fn read(path: &Path) -> Result<String, ConfigError> {
    let read_error = |source| ConfigError::Read { path: path.to_path_buf(), source };
    let file = std::fs::File::open(path).map_err(read_error)?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, MAX_BYTES + 1), &mut bytes).map_err(read_error)?;
    text(path, bytes)
}

fn text(path: &Path, bytes: Vec<u8>) -> Result<String, ConfigError> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ConfigError::TooLong { path: path.to_path_buf() });
    }
    String::from_utf8(bytes)
        .map_err(|error| ConfigError::Encoding { path: path.to_path_buf(), byte: error.utf8_error().valid_up_to() })
}

/// The file's name without its ending, with everything that a run's name may not hold replaced by `-`.
fn default_name(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    if name.trim_matches('.').is_empty() { "run".to_string() } else { name }
}
