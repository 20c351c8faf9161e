//! `attentive quick`: from a file of labelled texts to a classifier, in one command.

use std::path::{Path, PathBuf};

use attentive_train::RunDir;

use super::init::{config_file, write_config};
use super::train::train;
use crate::args::{Allow, Quick, Set, Talk, Train};
use crate::failure::Failure;

pub(super) fn quick(args: &Quick, talk: Talk) -> Result<(), Failure> {
    let (name, config) = config_file(&args.init);
    let run = args.run_dir.clone().unwrap_or_else(|| PathBuf::from("runs").join(&name));
    if config == Path::new("-") {
        return Err(Failure::ConfigToStdout);
    }
    // Asked for before the config is written.
    RunDir::check_free(&run, args.overwrite)?;
    write_config(&args.init, "attentive quick", args.overwrite)?;
    train(
        &Train {
            config,
            set: Set { set: args.set.set.clone() },
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
