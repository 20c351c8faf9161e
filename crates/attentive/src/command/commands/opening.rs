//! What most commands open first: a config, the place of a run, and what computes.

use std::path::{Path, PathBuf};

use attentive_backend::{Backend, BackendError};
use attentive_train::{Config, Machine};

use crate::args::Train;
use crate::failure::Failure;

/// A config file with overrides.
pub(super) fn load_config(path: &Path, set: &[String]) -> Result<Config, Failure> {
    Ok(Config::load(path, set, &Backend::names())?)
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
