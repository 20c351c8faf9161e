//! `attentive quickstart`: trains the shipped dataset, from any directory.

use std::path::{Path, PathBuf};

use attentive::{QUICKSTART_CONFIG, write_quickstart};
use attentive_train::StagingError;

use super::train::train;
use crate::args::{Allow, Quickstart, Set, Talk, Train};
use crate::failure::Failure;
use crate::output::tell;

/// Where the data and the config are written to.
const DIRECTORY: &str = "quickstart";

pub(super) fn quickstart(args: &Quickstart, talk: Talk) -> Result<(), Failure> {
    let config = PathBuf::from(DIRECTORY).join(QUICKSTART_CONFIG);
    if !config.exists() {
        write_quickstart(Path::new(DIRECTORY)).map_err(|error| match error {
            StagingError::Exists { path } => Failure::NoQuickstart { path },
            error => error.into(),
        })?;
        if !talk.quiet {
            tell(&format!("wrote the data and the config of the quickstart to `{DIRECTORY}`"));
        }
    }
    train(
        &Train {
            config,
            set: Set { set: Vec::new() },
            backend: args.backend.clone(),
            run_dir: args.run_dir.clone(),
            resume: false,
            allow: Allow { changed: Vec::new() },
            overwrite: args.overwrite,
            folds: None,
            dry_run: false,
        },
        talk,
    )
}
