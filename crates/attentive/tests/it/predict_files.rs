//! The output file of `predict`: whole or not there, never the input, and stdout where there is none.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::directory::{Dir, Finished, with_data};

fn trained(name: &str) -> Dir {
    let dir = with_data(name, 2);
    dir.ok("train small.toml --set train.epochs=1");
    dir
}

/// What a directory holds beside what `with_data` and `train` put there.
fn others(dir: &Dir) -> Vec<String> {
    let usual = ["cache", "runs", "small.toml", "test.csv", "train.csv", "validation.csv"];
    dir.list("").into_iter().filter(|name| !usual.contains(&name.as_str())).collect()
}

/// A signal once left a part of the output under its name, and what was there before was gone.
#[test]
fn a_signal_leaves_what_was_there() {
    let dir = trained("files-signal");
    for (signal, code, told) in [("INT", 130, "Ctrl-C"), ("TERM", 143, "SIGTERM")] {
        dir.file("out.csv", "years of work\n");
        let line = "predict runs/small --input - --format lines --output out.csv";
        let mut command = dir.command(line.split_whitespace());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // More rows than are kept in memory, so that some are in the file, and no end.
        std::io::Write::write_all(&mut stdin, "a great film\n".repeat(100_000).as_bytes()).unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        let written = || dir.list("").iter().any(|name| name.starts_with(".tmp-out.csv") && length(&dir, name) > 0);
        while !written() {
            assert!(Instant::now() < until, "nothing is written: {:?}", dir.list(""));
            std::thread::sleep(Duration::from_millis(20));
        }
        let killed = std::process::Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let finished = Finished::of(child.wait_with_output().unwrap()).expect(code, signal);
        drop(stdin);
        assert_eq!(finished.stderr, format!("error: interrupted by {told}; nothing was written to `out.csv`\n"));
        assert_eq!((others(&dir), dir.text("out.csv").as_str()), (vec!["out.csv".to_string()], "years of work\n"));
    }
}

fn length(dir: &Dir, name: &str) -> u64 {
    fs::metadata(dir.path(name)).map_or(0, |metadata| metadata.len())
}

#[test]
fn an_error_leaves_what_was_there() {
    let dir = trained("files-error");
    let rows = "a great film\n".repeat(100_000);
    dir.file("in.csv", format!("text\n{rows}one,too many\n"));
    dir.run("predict runs/small --input in.csv --output out.csv").expect(65, "a bad last row");
    assert_eq!(others(&dir), ["in.csv"]);
    dir.file("out.csv", "years of work\n");
    dir.run("predict runs/small --input in.csv --output out.csv").expect(65, "a bad last row");
    assert_eq!(
        (others(&dir), dir.text("out.csv").as_str()),
        (vec!["in.csv".into(), "out.csv".into()], "years of work\n")
    );
    dir.ok("predict runs/small --input test.csv --output out.csv");
    assert!(dir.text("out.csv").starts_with("text,label,predicted_label"));
}

/// The last to finish has the name, and what has it is whole.
#[test]
fn of_several_outputs_under_one_name_one_is_there_as_a_whole() {
    let dir = trained("files-race");
    let inputs = [("one.csv", "great film one"), ("two.csv", "awful film two"), ("three.csv", "film three")];
    let mut outputs = Vec::new();
    for (input, text) in inputs {
        dir.file(input, format!("text\n{}", format!("{text}\n").repeat(3000)));
        dir.ok(&format!("predict runs/small --input {input} --output alone.csv"));
        outputs.push(dir.text("alone.csv"));
    }
    for _ in 0..4 {
        let start = |(input, _): (&str, &str)| {
            let line = format!("predict runs/small --input {input} --output out.csv");
            dir.command(line.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        for mut child in inputs.map(start) {
            assert!(child.wait().unwrap().success());
        }
        assert!(outputs.contains(&dir.text("out.csv")));
        assert!(!dir.list("").iter().any(|name| name.starts_with(".tmp")), "{:?}", dir.list(""));
    }
}

/// `--output` equal to `--input` once replaced the input.
#[test]
fn the_input_is_never_the_output() {
    let dir = trained("files-same");
    fs::create_dir(dir.path("sub")).unwrap();
    fs::hard_link(dir.path("test.csv"), dir.path("hard.csv")).unwrap();
    symlink("test.csv", dir.path("soft.csv")).unwrap();
    let before = dir.text("test.csv");
    for output in ["test.csv", "./sub/../test.csv", "hard.csv", "soft.csv"] {
        let refused = dir.run(&format!("predict runs/small --input test.csv --output {output}")).expect(2, output);
        let message = format!(
            "error: `test.csv` and `{output}` are one file: the input would be replaced\n\nhint: name another file"
        );
        assert!(refused.error().starts_with(&message), "{}", refused.stderr);
        assert_eq!(dir.text("test.csv"), before, "{output}");
    }
    // A link to another file stays a link.
    dir.file("other.csv", "");
    symlink("other.csv", dir.path("link.csv")).unwrap();
    dir.ok("predict runs/small --input test.csv --output link.csv");
    assert!(dir.path("link.csv").is_symlink() && dir.text("other.csv").starts_with("text,label,predicted_label"));
    assert!(fs::metadata(dir.path("hard.csv")).unwrap().nlink() == 2);
}

/// Rust's runtime opens `/dev/null` where there is no stdout: `predict … >&-` once said that all was well.
#[cfg(target_os = "linux")]
#[test]
fn no_stdout_is_an_error_and_a_closed_pipe_is_none() {
    let dir = trained("files-stdout");
    let shell = |script: &str| {
        let mut command = std::process::Command::new("sh");
        let program = env!("CARGO_BIN_EXE_attentive");
        let output = command.args(["-c", script, program]).current_dir(dir.path("")).output().unwrap();
        Finished::of(output)
    };
    for line in ["predict runs/small great", "evaluate runs/small", "schema", "--quiet tokenize runs/small great"] {
        let finished = shell(&format!("\"$0\" {line} >&-")).expect(74, line);
        let expected = "error: cannot write the results to stdout\n  caused by: Bad file descriptor (os error 9)\n";
        assert_eq!(finished.stderr, expected, "{line}");
        shell(&format!("\"$0\" {line} >/dev/null")).expect(0, line);
        let piped = shell(&format!("(\"$0\" {line}; echo $? >code) | true"));
        assert_eq!((dir.text("code").trim(), piped.stderr.as_str()), ("0", ""), "{line}");
    }
    shell("\"$0\" predict runs/small --input test.csv --output out.csv >&-").expect(0, "an output that is a file");
}

/// The largest resident memory of a command in KiB.
#[cfg(target_os = "linux")]
fn peak(dir: &Dir, line: &str) -> u64 {
    // The highest mark is only there while the process is: a pipe holds it at its last breath.
    let mut child = dir.command(line.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let mark =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak = peak.max(mark.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    peak
}

/// 117 MB of rows once took 915 MB, and 24 MB of 400,000 columns 701 MB.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_input() {
    let dir = trained("files-memory");
    let row = format!("{},a great film\n", "padding ".repeat(100));
    dir.file("small.csv", format!("note,text\n{}", row.repeat(10)));
    dir.file("large.csv", format!("note,text\n{}", row.repeat(80_000)));
    let wide = format!("a great film{}\n", ",1".repeat(300_000));
    dir.file("wide.csv", format!("text{}\n{}", ",c".repeat(300_000), wide.repeat(40)));
    let [small, large, wide] = ["small", "large", "wide"]
        .map(|name| peak(&dir, &format!("predict runs/small --input {name}.csv --output out.csv")));
    assert!(large < small + 60_000, "{large} KiB for 64 MB beside {small} KiB for 8 kB");
    assert!(wide < small + 120_000, "{wide} KiB for 24 MB of 300,000 columns beside {small} KiB for 8 kB");
}
