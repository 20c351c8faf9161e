//! Reading a config, from a file or from its text, with every problem it has.

use std::path::Path;
use std::sync::LazyLock;

use super::between;
use super::diagnose::diagnose;
use super::document::Document;
use super::problem::{ConfigError, InvalidConfig, MAX_BYTES};
use super::sections::Config;

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

    /// The same config with the name of a path, where it has none, as a config that is read has that of its file.
    #[must_use]
    pub fn named_after(mut self, path: &Path) -> Self {
        if self.name.is_empty() {
            self.name = default_name(path);
        }
        self
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
        let config = Self::parse(path, text, overrides, backends).map_err(ConfigError::Invalid)?;
        Ok(config.named_after(path))
    }

    pub(crate) fn parse(
        path: &Path,
        text: &str,
        overrides: &[String],
        backends: Option<&[&str]>,
    ) -> Result<Self, InvalidConfig> {
        static SCHEMA: LazyLock<serde_json::Value> = LazyLock::new(Config::schema);
        let document = Document::parse(path, text, overrides, &SCHEMA)?;
        let mut problems = diagnose(&document, &SCHEMA);
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
