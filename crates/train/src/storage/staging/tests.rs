//! Outputs that are whole or not there, on a real disk and raced by threads.

use std::thread;

use super::*;

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn write_file(target: &Path, text: &str) -> Result<(), StagingError> {
    let staged = StagedFile::new(target)?;
    staged.write(text.as_bytes())?;
    staged.publish()
}

fn write_directory(target: &Path, text: &str) -> Result<(), StagingError> {
    let staged = StagedDirectory::new(target)?;
    staged.write("a", text.as_bytes())?;
    staged.write("b", text.as_bytes())?;
    staged.publish()
}

#[test]
fn an_output_is_there_as_a_whole_or_not_at_all() {
    let folder = temp_dir::TempDir::new().unwrap();
    let target = folder.path().join("out");
    let staged = StagedDirectory::new(&target).unwrap();
    staged.write("a", b"1").unwrap();
    let there = names(folder.path());
    assert!(there.len() == 1 && there[0].starts_with(".tmp-out-"), "{there:?}");
    drop(staged);
    drop(StagedFile::new(&target).unwrap());
    assert_eq!(names(folder.path()), [""; 0]);
    write_directory(&target, "1").unwrap();
    assert_eq!((names(folder.path()), names(&target)), (vec!["out".into()], vec!["a".into(), "b".into()]));
}

#[test]
fn a_new_output_replaces_nothing() {
    let folder = temp_dir::TempDir::new().unwrap();
    let target = folder.path().join("out");
    let late = (StagedFile::new(&target).unwrap(), StagedDirectory::new(&target).unwrap());
    fs::write(&target, "years of work").unwrap();
    assert!(matches!(late.0.publish(), Err(StagingError::Exists { .. })));
    assert!(matches!(late.1.publish(), Err(StagingError::Exists { .. })));
    assert!(matches!(StagedDirectory::new(&target), Err(StagingError::Exists { .. })));
    assert_eq!((names(folder.path()), fs::read(&target).unwrap()), (vec!["out".into()], b"years of work".to_vec()));
}

#[test]
fn a_file_is_replaced_as_a_whole_with_its_permissions_and_through_links() {
    let folder = temp_dir::TempDir::new().unwrap();
    let target = folder.path().join("out");
    let replace = |target: &Path, text: &str| {
        let staged = StagedFile::replacing(target).unwrap();
        staged.file().write_all(text.as_bytes()).unwrap();
        staged
    };
    replace(&target, "first").publish().unwrap();
    drop(replace(&target, "second"));
    assert_eq!((names(folder.path()), fs::read(&target).unwrap()), (vec!["out".into()], b"first".to_vec()));
    assert!(matches!(StagedFile::replacing(folder.path()), Err(StagingError::Place { .. })));
    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt, symlink};
        fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
        symlink("out", folder.path().join("link")).unwrap();
        replace(&folder.path().join("link"), "third").publish().unwrap();
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            (names(folder.path()), fs::read(&target).unwrap()),
            (vec!["link".into(), "out".into()], b"third".to_vec())
        );
    }
}

#[test]
fn leftovers_go_when_their_lock_is_free_and_only_those_of_the_target() {
    let folder = temp_dir::TempDir::new().unwrap();
    let target = folder.path().join("out");
    let (file, directory) = (".tmp-out-0123456789abcdef", ".tmp-out-fedcba9876543210");
    let others = [".tmp-out", ".tmp-out-0123", ".tmp-out-2-0123456789abcdef", ".tmp-outer-0123456789abcdef"];
    for name in others.into_iter().chain([file]) {
        fs::write(folder.path().join(name), "half").unwrap();
    }
    fs::create_dir(folder.path().join(directory)).unwrap();
    fs::write(folder.path().join(directory).join("a"), "half").unwrap();
    let in_use = (StagedFile::new(&target).unwrap(), StagedDirectory::new(&target).unwrap());
    write_file(&target, "whole").unwrap();
    let there = names(folder.path());
    assert!(others.iter().all(|&name| there.iter().any(|there| there == name)), "{there:?}");
    assert!(in_use.0.path().exists() && in_use.1.path().exists(), "{there:?}");
    assert!(!there.contains(&file.into()), "{there:?}");
    // A directory is locked where it can be opened; elsewhere it stays.
    assert_eq!(there.contains(&directory.into()), cfg!(not(unix)), "{there:?}");
}

/// Each of several threads writes its own number to the same place.
fn raced(write: impl Fn(&Path, &str) -> Result<(), StagingError> + Sync, read: impl Fn(&Path) -> Vec<String>) {
    let folder = temp_dir::TempDir::new().unwrap();
    for round in 0..40 {
        let target = folder.path().join(format!("out-{round}"));
        let written: Vec<_> = thread::scope(|scope| {
            let (write, target) = (&write, &target);
            let writers = [0, 1, 2, 3].map(|n| scope.spawn(move || write(target, &format!("{n}").repeat(9999))));
            writers.map(|writer| writer.join().unwrap()).into_iter().collect()
        });
        let winners: Vec<usize> = (0..4).filter(|&n| written[n].is_ok()).collect();
        assert!(winners.len() == 1, "{written:?}");
        let lost = |result: &Result<(), StagingError>| matches!(result, Err(StagingError::Exists { .. }));
        assert_eq!(written.iter().filter(|&result| lost(result)).count(), 3, "{written:?}");
        assert!(read(&target).iter().all(|text| *text == winners[0].to_string().repeat(9999)), "{winners:?}");
        assert_eq!(names(folder.path()).len(), round + 1, "nothing else is left");
    }
}

#[test]
fn of_several_writers_exactly_one_wins() {
    let read_file = |target: &Path| vec![fs::read_to_string(target).unwrap()];
    let read_directory = |target: &Path| ["a", "b"].map(|name| fs::read_to_string(target.join(name)).unwrap()).to_vec();
    raced(write_file, read_file);
    raced(write_directory, read_directory);
    // The same without the system's call.
    raced(
        |target, text| {
            let staged = StagedFile::new(target)?;
            staged.write(text.as_bytes())?;
            staged.staged.publish(rename_reserved)
        },
        read_file,
    );
    raced(
        |target, text| {
            let staged = StagedDirectory::new(target)?;
            staged.write("a", text.as_bytes())?;
            staged.write("b", text.as_bytes())?;
            staged.staged.publish(rename_reserved)
        },
        read_directory,
    );
}

#[test]
fn places_where_nothing_can_be() {
    let folder = temp_dir::TempDir::new().unwrap();
    assert!(matches!(StagedDirectory::new(Path::new("..")), Err(StagingError::Place { .. })));
    fs::write(folder.path().join("file"), "").unwrap();
    for place in ["nowhere/out", "file/out"] {
        assert!(matches!(StagedFile::new(&folder.path().join(place)), Err(StagingError::Io { .. })), "{place}");
    }
    // As long as a name may be.
    write_file(&folder.path().join("é".repeat(127)), "").unwrap();
}
