//! Who may make, replace and write to a run directory.

use super::*;

#[test]
fn two_writers_exclude_each_other() {
    let directory = temp_dir::TempDir::new().unwrap();
    let path = directory.path().join("run");
    let first = RunDir::create(&path, false).unwrap();
    let second = RunDir::create(&path, false).unwrap_err();
    assert!(second.to_string().contains(&format!("process {}", std::process::id())), "{second}");
    drop(first);
    RunDir::create(&path, false).unwrap();
}

#[test]
fn other_peoples_files_are_never_overwritten() {
    let directory = temp_dir::TempDir::new().unwrap();
    fs::write(directory.path().join("thesis.txt"), "years of work").unwrap();
    let error = RunDir::create(directory.path(), true).unwrap_err();
    assert!(matches!(error, TrainError::Occupied { .. }), "{error}");
    assert!(directory.path().join("thesis.txt").exists());
}

#[test]
fn a_start_that_was_cut_off_is_no_obstacle() {
    let directory = temp_dir::TempDir::new().unwrap();
    for name in [LOCK, VERSIONS, LABELS, TOKENIZER, ".tmp-split.json"] {
        fs::write(directory.path().join(name), "half").unwrap();
    }
    RunDir::create(directory.path(), false).unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "the lock alone stays");
}

#[test]
fn an_import_that_was_cut_off_is_no_obstacle_and_no_run() {
    let directory = temp_dir::TempDir::new().unwrap();
    let first = directory.path().join(CHECKPOINTS).join(".tmp-step-0000000000");
    fs::create_dir_all(&first).unwrap();
    fs::write(directory.path().join(LOCK), "process 1").unwrap();
    let error = RunDir::open(directory.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("is not a run directory: the command that was making it was cut off: run that command again"),
        "{error}"
    );
    RunDir::check_free(directory.path(), false).unwrap();
    // A checkpoint of a training is worth something, even where its config is gone.
    fs::rename(&first, directory.path().join(CHECKPOINTS).join("step-0000000020")).unwrap();
    assert!(matches!(RunDir::create(directory.path(), true), Err(TrainError::Occupied { .. })));
    fs::rename(directory.path().join(CHECKPOINTS).join("step-0000000020"), &first).unwrap();
    RunDir::create(directory.path(), false).unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "the lock alone stays");
}

#[test]
fn an_existing_run_is_replaced_only_on_request() {
    let directory = temp_dir::TempDir::new().unwrap();
    fs::write(directory.path().join(CONFIG), "").unwrap();
    assert!(matches!(RunDir::create(directory.path(), false), Err(TrainError::RunExists { .. })));
    RunDir::create(directory.path(), true).unwrap();
    assert!(!directory.path().join(CONFIG).exists());
}
