//! What computes, and configs that name it.

use std::path::Path;

use attentive_backend::{Backend, BackendError, Opened};
use attentive_train::{Config, Machine};

use crate::error::Error;

/// Opens a backend by its name, or `auto`: a GPU if there is one, else the fastest CPU backend of this build.
///
/// # Errors
/// When there is no such backend, it is not in this build, or it finds no device.
pub fn machine(backend: &str) -> Result<Machine, BackendError> {
    attentive_backend::open(backend).map(described)
}

/// Reads a config file and checks it.
///
/// # Errors
/// When the file cannot be read, and with every problem it has.
pub fn load_config(path: impl AsRef<Path>) -> Result<Config, Error> {
    Ok(Config::load(path.as_ref(), &[], &Backend::names())?)
}

/// A device with everything that the bits of a run may depend on: the versions, the backends of this build, and a GPU's name.
pub(crate) fn described(opened: Opened) -> Machine {
    let built: Vec<_> = Backend::ALL.into_iter().filter(|backend| backend.is_built()).map(Backend::name).collect();
    let text = |(key, value): (&str, &str)| (key.to_string(), value.to_string());
    let build = [
        ("attentive", env!("CARGO_PKG_VERSION")),
        ("git_revision", env!("ATTENTIVE_GIT_REVISION")),
        ("burn", env!("ATTENTIVE_BURN_VERSION")),
        ("features", &built.join(", ")),
        ("backend", opened.backend.name()),
    ]
    .into_iter()
    .chain(opened.name.as_deref().map(|name| ("device", name)))
    .map(text)
    .collect();
    Machine {
        backend: opened.backend.name().to_string(),
        description: opened.description,
        device: opened.device,
        build,
    }
}
