//! What a person gets for each thing that can be wrong with a run, or with what is read and written beside it.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::bad_input::refused;
use crate::directory::{CONFIG, Finished, tree, with_data};

#[test]
fn run_directories() {
    let dir = with_data("run-directories", 2);
    dir.ok("train small.toml --set train.epochs=1");
    let run = tree(&dir.path("runs"));
    refused(
        &dir,
        "train small.toml",
        73,
        "error: the run directory `runs/small` already exists

hint: go on with it by `attentive resume runs/small`, replace it by `--overwrite`, or choose another place by `--run-dir`; `attentive evaluate runs/small` shows what it holds",
    );
    for line in ["train small.toml --run-dir .", "train small.toml --run-dir . --overwrite"] {
        refused(
            &dir,
            line,
            73,
            "error: `.` holds files that are not a run's, and attentive does not overwrite them

hint: name a new or empty directory by `--run-dir`",
        );
    }
    refused(
        &dir,
        "train small.toml --run-dir train.csv/run",
        74,
        "error: cannot use the run directory `train.csv/run`
  caused by: Not a directory (os error 20)

hint: a file stands where a directory is needed; choose another place by `--run-dir`",
    );
    let no_run = "hint: a run directory is what `attentive train CONFIG` makes";
    for command in ["resume", "predict", "evaluate", "train small.toml --resume --run-dir"] {
        let nowhere = format!("error: `nowhere` is not a run directory: there is no such directory\n\n{no_run}");
        refused(&dir, &format!("{command} nowhere"), 66, &nowhere);
        let file = format!("error: `train.csv` is not a run directory: it is a file\n\n{no_run}");
        refused(&dir, &format!("{command} train.csv"), 66, &file);
        let other = format!("error: `runs` is not a run directory: it holds no `config.toml`\n\n{no_run}");
        refused(&dir, &format!("{command} runs"), 66, &other);
    }
    assert!(tree(&dir.path("runs")) == run, "nothing of the run was touched");
}

#[test]
fn a_run_whose_files_do_not_belong_together() {
    let dir = with_data("mixed-up", 2);
    dir.ok("train small.toml --set train.epochs=1");
    dir.ok("train small.toml --set train.epochs=1 --set model.embedding.dim=4 --run-dir runs/other");
    let checkpoint = "checkpoints/step-0000000006";
    for file in ["MANIFEST.json", "model.safetensors", "optimizer.bpk", "state.json"] {
        let bytes = dir.read(format!("runs/other/{checkpoint}/{file}"));
        dir.file(&format!("runs/small/{checkpoint}/{file}"), bytes);
    }
    std::fs::remove_file(dir.path("runs/small/report.json")).unwrap();
    for line in ["predict runs/small text", "evaluate runs/small", "resume runs/small"] {
        let finished = dir.run(line).expect(65, line);
        let message =
            "error: what the run in `runs/small` was made from has changed\n  model.embedding.dim: was 4, is 8\n";
        assert!(finished.error().starts_with(message), "{finished:?}");
    }

    dir.ok("train small.toml --set train.epochs=1 --overwrite");
    dir.file("runs/small/labels.json", "[\"good\", \"bad\"]\n");
    refused(
        &dir,
        "evaluate runs/small",
        65,
        "error: `runs/small/labels.json` is damaged: it is not the file the checkpoint was trained with

hint: restore the file from a backup, or train again with `--overwrite`",
    );
    dir.file("runs/small/config.toml", format!("{CONFIG}\n[modle]\n"));
    let finished = dir.run("predict runs/small text").expect(2, "predict");
    assert!(finished.stderr.contains("unknown key `modle`"), "{}", finished.stderr);
}

#[test]
fn evaluating_what_is_not_there() {
    let dir = with_data("evaluate-nothing", 2);
    dir.file("small.toml", CONFIG.replace("validation = \"validation.csv\"\ntest = \"test.csv\"\n", ""));
    dir.ok("train small.toml --set train.epochs=1");
    refused(
        &dir,
        "evaluate runs/small --split test",
        2,
        "error: the config of this run names no test data

hint: add it under `[data]`, or evaluate a file with `--data FILE`",
    );
    refused(
        &dir,
        "evaluate runs/small --split validation",
        2,
        "error: the config of this run names no validation data

hint: evaluate `--split test`, or a file with `--data FILE`",
    );
    refused(
        &dir,
        "evaluate runs/small --data nowhere.csv",
        66,
        "error: `nowhere.csv` does not exist

hint: paths are relative to the directory the command runs in",
    );
    dir.file("other.csv", "text,label\na,good\nb,neutral\n");
    refused(
        &dir,
        "evaluate runs/small --data other.csv",
        65,
        "error: other.csv:3: unknown label `neutral`: the labels are `bad`, `good`

hint: the classifier knows the labels of its training split: `--unknown-labels drop` leaves out the others",
    );
}

#[test]
fn predicting_from_what_cannot_be_read() {
    let dir = with_data("predict-bad", 2);
    dir.ok("train small.toml --set train.epochs=1");
    refused(
        &dir,
        "predict runs/small --input nowhere.txt",
        66,
        "error: `nowhere.txt` does not exist

hint: paths are relative to the directory the command runs in",
    );
    refused(
        &dir,
        "predict runs/small --input runs",
        65,
        "error: `runs` is a folder, not a file

hint: name a file; a folder is read only with `format = \"folder\"` or \"auto\", one folder of texts per label",
    );
    refused(
        &dir,
        "predict runs/small --input /dev/zero",
        65,
        "error: /dev/zero:1: the text holds a NUL character

hint: no text holds it: take it out; if the file is full of them, it may be UTF-16: set `data.encoding = \"utf-16le\"`",
    );
    let nul = dir.pipe("predict runs/small", "fine\nbad\0\n").expect(65, "NUL on stdin");
    assert_eq!(nul.error().lines().next().unwrap(), "error: stdin:2: the text holds a NUL character");
    let latin = dir.pipe("predict runs/small", b"fine\ncaf\xE9 au lait\n").expect(65, "Latin-1 on stdin");
    assert_eq!(latin.error().lines().next().unwrap(), "error: stdin:2: byte 0xE9 is not valid UTF-8");
}

#[cfg(target_os = "linux")]
#[test]
fn writing_where_nothing_can_be_written() {
    let dir = with_data("unwritable", 2);
    dir.ok("train small.toml --set train.epochs=1");
    refused(
        &dir,
        "predict runs/small --input test.csv --output /dev/full",
        74,
        "error: cannot write `/dev/full`
  caused by: No space left on device (os error 28)

hint: free some space and run the command again",
    );
    refused(
        &dir,
        "predict runs/small text --output nowhere/out.csv",
        74,
        "error: cannot write `nowhere/out.csv`
  caused by: No such file or directory (os error 2)

hint: make its directory first",
    );
    for line in ["predict runs/small text", "evaluate runs/small", "inspect small.toml", "schema", "devices"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = dir.command(line.split_whitespace()).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(74), "{line}");
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "error: cannot write the results to stdout
  caused by: No space left on device (os error 28)

hint: free some space and run the command again
",
            "{line}"
        );
    }
}

/// As in `attentive predict RUN | head -1`.
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = with_data("closed-pipe", 2);
    dir.ok("train small.toml --set train.epochs=1");
    let mut command = dir.command(["predict", "runs/small"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        // More answers than any pipe holds; the command stops reading when no one listens.
        for _ in 0..100_000 {
            if stdin.write_all(b"a great film\n").is_err() {
                return;
            }
        }
    });
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.ends_with('\n'), "{first}");
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

/// A machine without a graphics driver, as far as the loaders of Vulkan and EGL can tell.
#[test]
fn a_gpu_that_is_not_there() {
    if !cfg!(feature = "wgpu") || !cfg!(target_os = "linux") {
        return println!("skipped: this build has no wgpu, or this is not Linux");
    }
    let dir = with_data("no-gpu", 2);
    let mut command = dir.command(["train", "small.toml", "--backend", "wgpu"]);
    for variable in ["VK_ICD_FILENAMES", "VK_DRIVER_FILES", "__EGL_VENDOR_LIBRARY_FILENAMES"] {
        command.env(variable, "/nonexistent");
    }
    let finished = Finished::of(command.output().unwrap()).expect(69, "train on wgpu");
    let expected = "error: the backend `wgpu` found no device on this machine\n\nhint: install a Vulkan driver";
    assert!(finished.error().starts_with(expected), "{}", finished.stderr);
    assert!(!dir.path("runs").exists());
}
