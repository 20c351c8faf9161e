//! What a person can do about a failure of a run, its config or its checkpoints.

use std::io;

use attentive_data::Split;
use attentive_train::{CheckpointError, ConfigError, TrainError};

use super::data::of_data;

pub(crate) fn of_train(error: &TrainError) -> Option<String> {
    match error {
        TrainError::Config(error) => of_config(error),
        TrainError::Data(error) => of_data(error),
        TrainError::Checkpoint(error) => of_checkpoint(error),
        TrainError::Weights(_) => Some("the config of the run was changed after it was trained; restore it".to_string()),
        TrainError::Linear(_) => Some("leave `features.linear` out of the config".to_string()),
        TrainError::LinearPart { .. } => {
            Some("restore the files of the linear part, or train the run again".to_string())
        }
        TrainError::RunExists { path } => Some(format!(
            "go on with it by `attentive resume {0}`, replace it by `--overwrite`, or choose another place by `--run-dir`; \
             `attentive evaluate {0}` shows what it holds",
            path.display()
        )),
        TrainError::FoldsExist { .. } => Some("resume them, replace them, or choose another place".to_string()),
        TrainError::Gone { .. } => {
            Some("put it back and resume, or train again; nothing was written to its place".to_string())
        }
        TrainError::RunLocked { .. } => Some("wait for it to end, or choose another place".to_string()),
        TrainError::NotARun { .. } => Some("a run directory is what `attentive train CONFIG` makes".to_string()),
        TrainError::Occupied { .. } => Some("name a new or empty directory by `--run-dir`".to_string()),
        TrainError::Changed { differences, .. } => {
            let allow: Vec<String> =
                differences.iter().map(|difference| format!("--allow-changed {}", difference.field)).collect();
            Some(format!(
                "restore what changed; or go on all the same by `{}`, which is recorded in the run; or start a new run \
                 by `--run-dir` or `--overwrite`",
                allow.join(" ")
            ))
        }
        TrainError::Diverged { .. } => Some(
            "look at the examples, lower the learning rate, set `train.max_grad_norm = 1.0`, or add `warmup_steps` to \
             the schedule; checkpoints saved before are intact"
                .to_string(),
        ),
        TrainError::NoWayBack { .. } => Some(
            "train it again with `--overwrite`, with a lower learning rate or `train.max_grad_norm = 1.0`".to_string(),
        ),
        TrainError::NoRoom { .. } => {
            Some("free some space, or choose another disk by `--run-dir`; nothing was trained yet".to_string())
        }
        TrainError::NoMemory { .. } => Some(
            "lower the `vocab_size` of the tokenizer, `features.buckets`, `model.embedding.dim` or the number of \
             labels, leave `features.linear` out, end other programs, or raise the limit on memory of the process (`ulimit -v`) or its container"
                .to_string(),
        ),
        TrainError::NothingLogged { first: Some(first), .. } => {
            Some(format!("the first line is of step {first}: give at least that many by `--steps`"))
        }
        TrainError::NothingLogged { first: None, .. } => Some(
            "`attentive resume` continues the run, which logs a line every `train.log_every` steps".to_string(),
        ),
        TrainError::NoStart { .. } => Some(
            "`train.init_from` names a run, a bundle or a .safetensors file, relative to the directory the command runs in"
                .to_string(),
        ),
        TrainError::Start { .. } => Some(
            "`train.init_from` takes a run, a bundle or a .safetensors file whose weights have the names and shapes of \
             this model's, which `attentive inspect` shows; `train.init_names` tells other names"
                .to_string(),
        ),
        TrainError::NoSplit { split } => Some(match split {
            Split::Validation => {
                "evaluate `--split test`, or a file with `--data FILE`".to_string()
            }
            _ => "add it under `[data]`, or evaluate a file with `--data FILE`".to_string(),
        }),
        TrainError::Head { .. } => Some(
            "set `model.head = \"auto\"`, or `data.multi_label = true` if a text may have several labels"
                .to_string(),
        ),
        TrainError::Threshold { .. } => {
            Some("leave `train.threshold` out; `train.class_weights` shifts decisions between labels".to_string())
        }
        TrainError::ClassWeight { .. } => Some("correct the name, or leave it out: it then counts 1".to_string()),
        TrainError::TooLarge { .. } => {
            Some("lower the `vocab_size` of the tokenizer, `features.buckets` or `model.embedding.dim`".to_string())
        }
        TrainError::Io { source, .. } => Some(io_hint(source)),
        TrainError::Device { .. } => Some(
            "resume from the last checkpoint, if there is one; if the device ran out of memory, lower `train.batch_size` or raise \
             `train.accumulation_steps`"
                .to_string(),
        ),
    }
}

fn of_config(error: &ConfigError) -> Option<String> {
    match error {
        ConfigError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            Some("`configs/` holds examples; `attentive schema` describes every key".to_string())
        }
        ConfigError::Read { path, source } if source.kind() == io::ErrorKind::IsADirectory => {
            Some(format!("name a config file; if `{0}` is a run, `attentive resume {0}` continues it", path.display()))
        }
        ConfigError::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            Some("check who may read it".to_string())
        }
        ConfigError::Read { .. } => Some("look after the path and the disk, then run the command again".to_string()),
        ConfigError::TooLong { .. } => Some("a config is a TOML file; `configs/` holds examples".to_string()),
        ConfigError::LongWritten { .. } => {
            Some("shorten its lists of labels or files; a pattern names many files".to_string())
        }
        ConfigError::Encoding { .. } => Some("save the file as UTF-8".to_string()),
        _ => None,
    }
}

fn of_checkpoint(error: &CheckpointError) -> Option<String> {
    match error {
        CheckpointError::None { .. } => {
            Some("let `attentive train` or `attentive resume` finish a first epoch".to_string())
        }
        CheckpointError::NewestDamaged { .. } => Some(
            "`attentive resume RUN` trains again from the newest intact checkpoint; or restore the file from a backup"
                .to_string(),
        ),
        CheckpointError::AllDamaged { .. } | CheckpointError::Damaged { .. } | CheckpointError::Moments { .. } => {
            Some("restore the file from a backup, or train again with `--overwrite`".to_string())
        }
        CheckpointError::NotFinite { .. } => {
            Some("lower the learning rate; the checkpoint before is intact".to_string())
        }
        CheckpointError::Io { source, .. } => Some(io_hint(source)),
        CheckpointError::Encode { .. } => None,
    }
}

/// What the user can do about what the system said of a file of a run.
fn io_hint(source: &io::Error) -> String {
    use io::ErrorKind::{
        FileTooLarge, InvalidFilename, NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem,
        StorageFull,
    };
    let hint = match source.kind() {
        StorageFull | QuotaExceeded => "free some space and resume; checkpoints saved before are intact",
        FileTooLarge => {
            "raise the limit on the size of a file (`ulimit -f`) and resume; checkpoints saved before are intact"
        }
        ReadOnlyFilesystem => {
            "choose a place that can be written to by `--run-dir`, or make this one writable and resume"
        }
        PermissionDenied => "check who may read and write there",
        NotADirectory => "a file stands where a directory is needed; choose another place by `--run-dir`",
        InvalidFilename => "choose a shorter name by `--run-dir`",
        NotFound => "a part of the run was removed or renamed: put it back and resume, or train again",
        _ => "look after the disk, then resume; checkpoints saved before are intact",
    };
    hint.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk may be full, and a run diverge, before anything was saved.
    #[test]
    fn no_hint_speaks_of_a_checkpoint_that_need_not_be_there() {
        use io::ErrorKind::{FileTooLarge, Other, PermissionDenied, QuotaExceeded, StorageFull};
        let hints =
            [StorageFull, QuotaExceeded, FileTooLarge, PermissionDenied, Other].map(|kind| io_hint(&kind.into()));
        for hint in &hints {
            assert!(!hint.contains("the last checkpoint"), "{hint}");
        }
        assert_eq!(hints[0], "free some space and resume; checkpoints saved before are intact");
    }
}
