//! What a run directory holds, by the names that never change, and what is done with any file of it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use crate::error::{TrainError, io_error};
use crate::storage::staging::{directory_of, sync_dir};

/// What a run directory holds; anything else in it is left alone.
pub(super) const CONFIG: &str = "config.toml";
pub(super) const VERSIONS: &str = "versions.json";
pub(super) const TOKENIZER: &str = "tokenizer.json";
pub(super) const LABELS: &str = "labels.json";
pub(super) const SPLIT: &str = "split.json";
pub(super) const METRICS: &str = "metrics.jsonl";
pub(super) const REPORT: &str = "report.json";
pub(super) const CHECKPOINTS: &str = "checkpoints";
pub(super) const LOCK: &str = "lock";
pub(super) const FOLDS: &str = "folds.json";
/// The training on everything: a log, checkpoints, and the linear part of its own.
pub(super) const REFIT: &str = "refit";

/// The names in a directory; none where it is not there.
pub(super) fn names(path: &Path) -> Result<Vec<OsString>, TrainError> {
    let names = fs::read_dir(path).and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
    match names {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names.map_err(io_error("use the run directory", path)),
    }
}

/// Makes a directory, and those above it that are not there, for good.
pub(super) fn create_dir(path: &Path) -> Result<(), TrainError> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists()).collect();
    fs::create_dir_all(path).map_err(io_error("create", path))?;
    for above in missing.into_iter().map(directory_of) {
        sync_dir(above).map_err(io_error("sync", above))?;
    }
    Ok(())
}

/// The name under which a file is written.
pub(super) fn temporary(name: &str) -> String {
    format!(".tmp-{name}")
}
