//! What most commands open first: a config, the place of a run, and what computes.

use std::path::{Path, PathBuf};

use attentive_backend::{Backend, BackendError};
use attentive_train::{Config, ConfigError, Machine};

use crate::args::Train;
use crate::failure::Failure;

/// A config file with overrides.
pub(super) fn load_config(path: &Path, set: &[String]) -> Result<Config, Failure> {
    Config::load(path, set, &Backend::names()).map_err(|error| match error {
        // What stands in a file of data would be told as hundreds of problems of a config.
        ConfigError::Invalid(_) | ConfigError::TooLong { .. } | ConfigError::Encoding { .. } if is_data(path) => {
            Failure::DataAsConfig { path: path.to_path_buf() }
        }
        error => error.into(),
    })
}

/// Whether a file is one of data by its name.
fn is_data(path: &Path) -> bool {
    const DATA: [&str; 9] = ["csv", "tsv", "json", "jsonl", "txt", "parquet", "xlsx", "gz", "zst"];
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| DATA.contains(&extension.as_str()))
}

/// The config that the arguments of a training name, with these overrides.
pub(super) fn resolve(args: &Train, set: &[String]) -> Result<Config, Failure> {
    let mut config = load_config(&args.config, set)?;
    if let Some(name) = &args.backend {
        if name != "auto" && !Backend::names().contains(&name.as_str()) {
            return Err(Failure::Backend(BackendError::Unknown { name: name.clone() }));
        }
        config.backend.clone_from(name);
    }
    Ok(config)
}

/// Where the run is kept.
pub(super) fn place(args: &Train, config: &Config) -> PathBuf {
    args.run_dir.clone().unwrap_or_else(|| PathBuf::from("runs").join(&config.name))
}

/// What computes a run: the backend named on the command line, else the one in the config.
pub(super) fn open_machine(argument: Option<&str>, config: &Config) -> Result<Machine, Failure> {
    Ok(attentive::machine(argument.unwrap_or(&config.backend))?)
}
