//! `export --format bundle`, and the commands that take a bundle instead of a run: the same answers, the same bytes for the
//! same run, and nothing half-written where it cannot be written.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::Value;

use crate::directory::{Dir, tree, with_data};

/// A run, and its bundle.
fn exported(name: &str) -> Dir {
    let dir = with_data(name, 2);
    dir.ok("train small.toml --run-dir run");
    dir.ok("export run --format bundle --output bundle");
    dir
}

#[test]
fn a_bundle_answers_as_its_run_does() {
    let dir = exported("bundle");
    let files = [
        "MANIFEST.json",
        "README.md",
        "config.toml",
        "examples.jsonl",
        "labels.json",
        "model.safetensors",
        "tokenizer.json",
    ];
    assert_eq!(dir.list("bundle"), files);
    assert_eq!(dir.list("."), ["bundle", "run", "small.toml", "test.csv", "train.csv", "validation.csv"]);
    for line in ["evaluate RUN", "evaluate RUN --data test.csv --json", "inspect RUN", "predict RUN great dull --json"]
    {
        assert_eq!(dir.ok(&line.replace("RUN", "bundle")), dir.ok(&line.replace("RUN", "run")), "{line}");
    }
    // It stands for itself: elsewhere, without the run and the data.
    let elsewhere = crate::directory::setup("elsewhere");
    fs::create_dir(elsewhere.path("b")).unwrap();
    for file in files {
        fs::copy(dir.path("bundle").join(file), elsewhere.path("b").join(file)).unwrap();
    }
    assert_eq!(elsewhere.pipe("predict b", "great\n\ndull\n").expect(0, "predict").stdout.lines().count(), 3);
    let verified = elsewhere.ok("verify b");
    assert!(verified.contains("84 examples come out the same") && verified.contains("everything is as it should be"));
    let missing = elsewhere.run("evaluate b").expect(66, "evaluate");
    assert!(missing.error().contains("test.csv") || missing.error().contains("train.csv"), "{}", missing.error());
}

#[test]
fn a_bundle_tells_what_it_is() {
    let dir = exported("bundle-about");
    let readme = dir.text("bundle/README.md");
    for told in [
        "# small",
        "`bad`, `good`",
        "48 examples from `train.csv`",
        "On 18 examples of its test split",
        "attentive verify .",
    ] {
        assert!(readme.contains(told), "no {told} in\n{readme}");
    }
    let manifest = dir.json("bundle/MANIFEST.json");
    let report = dir.json("run/report.json");
    assert_eq!(manifest["about"]["measured"]["test"]["accuracy"], report["splits"]["test"]["accuracy"]);
    assert_eq!(manifest["files"]["model.safetensors"]["sha256"], report["weights_sha256"]);
    let examples = dir.text("bundle/examples.jsonl");
    let examples: Vec<Value> = examples.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| examples.iter().filter(|example| example["kind"] == kind).count();
    assert_eq!(
        (of("data"), of("empty"), of("very long"), of("emoji"), of("Chinese"), of("unknown words")),
        (64, 1, 1, 1, 1, 1)
    );
    for example in &examples {
        let sum: f64 = example["probabilities"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{example}");
    }
    // A report of other weights says nothing of these.
    dir.file(
        "run/report.json",
        dir.text("run/report.json").replace("\"weights_sha256\": \"", "\"weights_sha256\": \"0"),
    );
    dir.ok("export run --format bundle --output unmeasured");
    assert!(dir.text("unmeasured/README.md").contains("It was not measured"));
}

#[test]
fn a_program_that_waits_for_each_answer_gets_it() {
    let dir = exported("bundle-stream");
    let mut command = dir.command(["predict", "bundle", "--stream"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
    for (text, label) in [("a great film", "good"), ("", ""), ("awful, so dull", "bad")] {
        writeln!(stdin, "{text}").unwrap();
        // Stdin is open: without an answer this would wait for ever.
        let answer = answers.next().unwrap().unwrap();
        assert!(answer.starts_with(label), "{text}: {answer}");
    }
    drop(stdin);
    assert!(answers.next().is_none() && child.wait().unwrap().success());
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let dir = exported("bundle-bytes");
    let again = dir
        .command(["export", "run", "--format", "bundle", "--output", "again"])
        .env("RAYON_NUM_THREADS", "1")
        .output();
    assert!(again.unwrap().status.success());
    assert_eq!(tree(&dir.path("again")), tree(&dir.path("bundle")));
}

#[test]
fn damage_is_told_with_its_file() {
    let dir = exported("bundle-damage");
    for file in dir.list("bundle") {
        let whole = dir.read(format!("bundle/{file}"));
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for bytes in [flipped, whole[..whole.len() - 1].to_vec(), [whole.as_slice(), b"\n"].concat()] {
            dir.file(&format!("bundle/{file}"), bytes);
            for line in ["predict bundle great", "evaluate bundle", "inspect bundle", "verify bundle"] {
                let refused = dir.run(line).expect(65, line);
                assert!(refused.stdout.is_empty() && refused.error().contains(&format!("bundle/{file}` is damaged")));
            }
        }
        dir.file(&format!("bundle/{file}"), whole);
    }
    dir.ok("verify bundle");
}

#[test]
fn examples_that_come_out_otherwise_are_an_error() {
    let dir = exported("bundle-differs");
    let examples = dir.text("bundle/examples.jsonl");
    // Another probability, and a manifest that says so: as if another build had made the bundle.
    let (before, after) = examples.split_once("\"probabilities\":[0.").unwrap();
    let digit = if after.starts_with('5') { '6' } else { '5' };
    let changed = format!("{before}\"probabilities\":[0.{digit}{}", &after[1..]);
    dir.file("bundle/examples.jsonl", &changed);
    let mut manifest = dir.json("bundle/MANIFEST.json");
    manifest["files"]["examples.jsonl"]["sha256"] = sha256(changed.as_bytes()).into();
    manifest.as_object_mut().unwrap().shift_remove("sha256");
    let open = format!("{},\n  \"sha256\": \"", manifest.to_string().strip_suffix('}').unwrap());
    dir.file("bundle/MANIFEST.json", format!("{open}{}\"\n}}\n", sha256(open.as_bytes())));
    dir.ok("predict bundle great");
    let differs = dir.run("verify bundle").expect(65, "verify");
    assert!(differs.error().contains("1 of 84 examples differ by more than 1e-5"), "{}", differs.error());
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn nothing_is_replaced_and_nothing_half_written() {
    let dir = with_data("bundle-place", 2);
    dir.ok("train small.toml --run-dir run");
    dir.file("thesis.txt", "years of work");
    fs::create_dir(dir.path("folder")).unwrap();
    let before = tree(&dir.path(""));
    for (output, code, told) in [
        ("thesis.txt", 73, "`thesis.txt` is there already"),
        ("folder", 73, "`folder` is there already"),
        ("run", 73, "`run` is there already"),
        ("nowhere/bundle", 74, "cannot write `nowhere/bundle`"),
        ("thesis.txt/bundle", 74, "cannot write `thesis.txt/bundle`"),
        ("..", 73, "nothing can be written to `..`"),
        ("/dev/full", 73, "is there already"),
        ("/proc/bundle", 74, "cannot write `/proc/bundle`"),
    ] {
        if output.starts_with('/') && !cfg!(target_os = "linux") {
            continue;
        }
        let refused = dir.run(&format!("export run --format bundle --output {output}")).expect(code, output);
        assert!(refused.error().contains(told) && refused.error().contains("hint:"), "{output}: {}", refused.error());
    }
    // A limit on the size of a file stands for a full disk.
    let command = format!("ulimit -f 8; {} export run --format bundle --output full", env!("CARGO_BIN_EXE_attentive"));
    let limited = std::process::Command::new("sh").args(["-c", &command]).current_dir(dir.path("")).output().unwrap();
    let limited = crate::directory::Finished::of(limited).expect(74, "a full disk");
    assert!(limited.error().contains("cannot write `full/"), "{}", limited.error());
    assert_eq!(tree(&dir.path("")), before);
    dir.ok("export run --format bundle --output bundle");
    let again = dir.run("export bundle --format bundle --output again").expect(2, "a bundle");
    assert!(again.error().contains("`bundle` is a bundle already"), "{}", again.error());
    fs::remove_dir_all(dir.path("bundle")).unwrap();
    // What a bundle needs of the data is missed before anything is written.
    fs::remove_file(dir.path("test.csv")).unwrap();
    dir.run("export run --format bundle --output bundle").expect(66, "no data");
    assert!(!dir.path("bundle").exists());
}

/// Exports `$1` to a disk of `$2` KiB, mounted with the options `$3`, where only this process sees it, and lists what is on it
/// afterwards.
const SMALL_DISK: &str = r#"
mkdir disk && mount -t tmpfs -o size="$2"k none disk || exit 99
mount -o remount,"$3" disk
"$0" export run --format "$1" --output disk/out
code=$?
ls -A disk
exit $code
"#;

#[test]
fn a_full_or_read_only_disk_leaves_nothing_half_written() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let dir = with_data("bundle-disk", 2);
    dir.ok("train small.toml --run-dir run --set train.epochs=1 --set model.embedding.dim=256");
    let export = |format: &str, size: &str, options: &str| {
        let mut unshare = std::process::Command::new("unshare");
        unshare.args(["-rm", "sh", "-c", SMALL_DISK, env!("CARGO_BIN_EXE_attentive"), format, size, options]);
        unshare.current_dir(dir.path(""));
        unshare.output().map(crate::directory::Finished::of).map_err(|_| ())
    };
    for format in ["bundle", "safetensors", "onnx", "keras"] {
        for (size, options, why) in [
            ("4", "rw", "No space left on device"),
            ("8", "rw", "No space left on device"),
            ("4096", "ro", "Read-only file system"),
        ] {
            match export(format, size, options) {
                Ok(finished) if finished.code != Some(99) => {
                    let told = format!("{format} on {size} KiB, {options}: {}{}", finished.stdout, finished.stderr);
                    assert_eq!((finished.code, finished.stdout.as_str()), (Some(74), ""), "{told}");
                    assert!(finished.error().contains(why) && finished.error().contains("hint:"), "{told}");
                }
                _ => return println!("skipped: nothing can be mounted here"),
            }
            let _ = fs::remove_dir(dir.path("disk"));
        }
    }
}
