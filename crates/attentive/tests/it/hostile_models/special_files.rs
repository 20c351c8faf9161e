//! What is no file in the place of one: folders, pipes, links to devices and to nowhere, and nothing at all.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::{Case, refused};

/// Puts something else in the place of a file.
fn put(kind: &str, path: &Path) {
    fs::remove_file(path).unwrap();
    match kind {
        "a folder" => fs::create_dir(path).unwrap(),
        "a pipe" => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        "a link to /dev/zero" => symlink("/dev/zero", path).unwrap(),
        "a link to itself" => symlink(path.file_name().unwrap(), path).unwrap(),
        "a link out of the run" => symlink("../../../../nowhere", path).unwrap(),
        "nothing" => {}
        other => panic!("{other}"),
    }
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in ["a folder", "a link to itself", "a link out of the run", "nothing"] {
        for file in ["MANIFEST.json", "model.safetensors", "optimizer.bpk", "state.json"] {
            let case = refused(format!("{kind} for {file}"), file, move |run| put(kind, &run.checkpoint().join(file)));
            cases.push(case.codes(&[65, 74], &[65, 74]));
        }
        for file in ["labels.json", "tokenizer.json"] {
            let case = refused(format!("{kind} for {file}"), file, move |run| put(kind, &run.file(file)));
            cases.push(case.codes(&[65, 66, 74], &[0, 65, 66, 74]));
        }
        let case =
            refused(format!("{kind} for config.toml"), "config.toml", move |run| put(kind, &run.file("config.toml")));
        cases.push(case.codes(&[66, 74], &[66, 74]));
    }
    // A log that is none is set aside.
    for (kind, file, codes) in [
        ("a folder", "metrics.jsonl", &[0][..]),
        ("a folder", "lock", &[74]),
        ("a link to itself", "metrics.jsonl", &[66]),
        ("a link to itself", "lock", &[66]),
    ] {
        let case = refused(format!("{kind} for {file}"), file, move |run| put(kind, &run.file(file)));
        cases.push(case.codes(&[0], codes));
    }
    cases
}

/// Files that have no end, or lead out of the run.
pub(super) fn endless() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in ["a pipe", "a link to /dev/zero"] {
        for file in ["MANIFEST.json", "model.safetensors", "optimizer.bpk", "state.json"] {
            cases.push(refused(format!("{kind} for {file}"), file, move |run| put(kind, &run.checkpoint().join(file))));
        }
        cases.push(refused(format!("{kind} of no bytes for model.safetensors"), "model.safetensors", move |run| {
            run.replace("model.safetensors", b"");
            put(kind, &run.checkpoint().join("model.safetensors"));
        }));
        for file in ["labels.json", "tokenizer.json", "split.json"] {
            let case = refused(format!("{kind} for {file}"), file, move |run| put(kind, &run.file(file)));
            cases.push(case.codes(&[0, 65, 66, 74], &[0, 65, 66, 74]));
        }
        for file in ["metrics.jsonl", "lock"] {
            let case = refused(format!("{kind} for {file}"), file, move |run| put(kind, &run.file(file)));
            cases.push(case.codes(&[0], if kind == "a pipe" { &[0, 74] } else { &[66] }));
        }
    }
    for file in ["metrics.jsonl", "lock", ".tmp-report.json", ".tmp-config.toml", "checkpoints/.tmp-x"] {
        let case = refused(format!("a link to the data for {file}"), "", move |run| {
            let path = run.file(file);
            let _ = fs::remove_file(&path);
            symlink(run.path.parent().unwrap().join("train.csv"), path).unwrap();
        });
        cases.push(case.codes(&[0], &[0, 65, 66, 74]));
    }
    for file in ["metrics.jsonl", "lock"] {
        let case = refused(format!("a link to nowhere beside the run for {file}"), file, move |run| {
            fs::remove_file(run.file(file)).unwrap();
            symlink("../nowhere", run.file(file)).unwrap();
        });
        cases.push(case.codes(&[0], &[66]));
    }
    cases
}
