//! Training does not notice that it was cut off: killed, interrupted and resumed runs end with the same bytes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::directory::{CPU, Dir, Finished, reviews, tree, with_data};

/// A process that has not said what is waited for after this long never will.
const ATTEMPTS: usize = 5;

const REFERENCE: &str = "model.attention.dot={}";
const TRANSFORMER: &str = "model.attention.transformer={n_layers=1,n_heads=2,d_feed_forward=16,dropout=0.2}";

/// The arguments of a training of 2 epochs of 40 steps with a checkpoint after every 4.
fn arguments(mechanism: &str, run: &str) -> String {
    let mut line = format!(
        "train small.toml --run-dir {run} --verbose --set {mechanism} --set train.checkpoint_every=4 \
         --set model.dropout=0.1"
    );
    if mechanism == TRANSFORMER {
        line.push_str(" --set train.accumulation_steps=2 --set train.schedule.cosine={warmup_steps=5}");
    }
    line
}

fn with_many_steps(name: &str) -> Dir {
    let dir = with_data(name, 2);
    dir.file("train.csv", reviews(320, 2, 1));
    dir
}

/// What training leaves behind, apart from the checkpoints on the way, which depend on where it was interrupted.
#[track_caller]
pub(crate) fn assert_same(dir: &Dir, expected: &str, run: &str) {
    let last = |run: &str| format!("{run}/checkpoints/{}", dir.list(&format!("{run}/checkpoints")).pop().unwrap());
    assert_eq!(dir.text(format!("{run}/metrics.jsonl")), dir.text(format!("{expected}/metrics.jsonl")));
    assert_eq!(dir.text(format!("{run}/report.json")), dir.text(format!("{expected}/report.json")));
    for file in ["model.safetensors", "optimizer.bpk", "state.json", "MANIFEST.json"] {
        let [theirs, ours] = [expected, run].map(|run| dir.read(format!("{}/{file}", last(run))));
        assert!(ours == theirs, "`{}/{file}` differs from an uninterrupted run's", last(run));
    }
    let leftovers: Vec<_> =
        tree(&dir.path(run)).into_keys().filter(|path| path.to_string_lossy().contains(".tmp")).collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

/// Starts the command and waits until it has said that it saved `saves` checkpoints. Everything it says after that can
/// be read from the second value.
fn start(dir: &Dir, line: &str, saves: usize) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut command = dir.command(line.split_whitespace());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let (mut seen, mut text) = (0, String::new());
    while seen < saves && stderr.read_line(&mut text).unwrap() > 0 {
        seen = text.matches("saved `").count();
    }
    (child, stderr)
}

/// Sends a signal; the process may have ended already.
fn signal(child: &Child, name: &str) {
    let _ = Command::new("sh").args(["-c", &format!("kill -{name} {} 2>&-", child.id())]).status().unwrap();
}

/// Sends a signal after so many checkpoints and gives how the command ended.
pub(crate) fn interrupt(dir: &Dir, line: &str, saves: usize, name: &str) -> Finished {
    let (child, mut stderr) = start(dir, line, saves);
    signal(&child, name);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stderr, &mut text).unwrap();
    let finished = Finished::of(child.wait_with_output().unwrap());
    Finished { stderr: text, ..finished }
}

/// The step that an interrupted run says it saved.
pub(crate) fn interrupted_step(finished: &Finished) -> u64 {
    step_said(&finished.stderr).unwrap_or_else(|| panic!("{finished:?}"))
}

/// The step of the checkpoint that an interrupted run speaks of.
pub(crate) fn step_said(stderr: &str) -> Option<u64> {
    let rest = stderr.split("the checkpoint after step ").nth(1)?;
    Some(rest.split(' ').next().unwrap().parse().unwrap())
}

#[test]
fn killed_at_a_checkpoint_the_reference_model() {
    killed_at_checkpoints("killed-reference", REFERENCE);
}

#[test]
fn killed_at_a_checkpoint_transformer() {
    killed_at_checkpoints("killed-transformer", TRANSFORMER);
}

fn killed_at_checkpoints(name: &str, mechanism: &str) {
    let dir = with_many_steps(name);
    dir.ok(&arguments(mechanism, "runs/whole"));
    let (mut child, _stderr) = start(&dir, &arguments(mechanism, "runs/cut"), 1);
    child.kill().unwrap();
    child.wait().unwrap();
    for saves in [1, 3, 5] {
        let (mut child, _stderr) = start(&dir, "resume runs/cut --verbose", saves);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    dir.ok("resume runs/cut");
    assert_same(&dir, "runs/whole", "runs/cut");
}

/// A run has the tokenizer that its config names, from its start on.
#[test]
fn a_run_goes_on_without_the_tokenizer_that_it_was_given() {
    let dir = with_data("resume-tokenizer", 2);
    dir.ok("train small.toml --run-dir runs/first");
    let file = dir.read("runs/first/tokenizer.json");
    let train = "train small.toml --set tokenizer.file.path=tokenizer.json --set train.epochs";
    dir.file("tokenizer.json", &file);
    dir.ok(&format!("{train}=3 --run-dir runs/whole"));
    for (run, other) in [("runs/gone", None), ("runs/swapped", Some(b"{}"))] {
        dir.file("tokenizer.json", &file);
        dir.ok(&format!("{train}=3 --run-dir {run}"));
        match other {
            Some(other) => dir.file("tokenizer.json", other),
            None => fs::remove_file(dir.path("tokenizer.json")).unwrap(),
        }
        // As it was before its first checkpoint, and before its last.
        fs::remove_dir_all(dir.path(run).join("checkpoints")).unwrap();
        dir.ok(&format!("resume {run}"));
        assert_same(&dir, "runs/whole", run);
        fs::remove_dir_all(dir.path(run).join("checkpoints/step-0000000018")).unwrap();
        fs::remove_file(dir.path(run).join("report.json")).unwrap();
        dir.ok(&format!("resume {run}"));
        assert_same(&dir, "runs/whole", run);
        assert!(dir.ok(&format!("verify {run}")).contains("everything is as it should be"));
    }
}

/// Killed after ever longer times, from before the run directory is there to when the run has ended.
#[test]
fn killed_at_any_moment() {
    let dir = with_many_steps("killed-anywhere");
    let line = |run: &str| format!("{} --set train.epochs=1", arguments(REFERENCE, run));
    dir.ok(&line("runs/whole"));
    for milliseconds in [1, 4, 8, 12, 16, 20, 25, 30, 40, 60, 90, 130] {
        let exists = dir.path("runs/cut/config.toml").exists();
        let line = if exists { "resume runs/cut".to_string() } else { line("runs/cut") };
        let mut command = dir.command(line.split_whitespace());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    if !dir.path("runs/cut/config.toml").exists() {
        dir.ok(&line("runs/cut"));
    }
    dir.ok("resume runs/cut");
    assert_same(&dir, "runs/whole", "runs/cut");
}

#[test]
fn ctrl_c_saves_and_says_how_to_go_on() {
    let dir = with_many_steps("sigint");
    dir.ok(&arguments(TRANSFORMER, "runs/whole"));
    for attempt in 1..=ATTEMPTS {
        let finished = interrupt(&dir, &format!("{} --overwrite", arguments(TRANSFORMER, "runs/cut")), 2, "INT");
        if finished.code == Some(0) {
            continue; // It ended before the signal came.
        }
        assert_eq!(finished.code, Some(130), "attempt {attempt}: {finished:?}");
        let step = interrupted_step(&finished);
        assert_eq!(
            finished.error(),
            format!(
                "error: interrupted by Ctrl-C; the checkpoint after step {step} is in `runs/cut`\n\n\
                 hint: `attentive resume runs/cut` goes on from there\n"
            )
        );
        assert!(dir.path(format!("runs/cut/checkpoints/step-{step:010}")).is_dir());
        let resumed = dir.run("resume runs/cut").expect(0, "resume");
        assert!(resumed.stderr.contains(&format!("resuming after step {step} of 80\n")), "{}", resumed.stderr);
        return assert_same(&dir, "runs/whole", "runs/cut");
    }
    panic!("the run ended before the signal came, {ATTEMPTS} times");
}

#[test]
fn sigterm_saves_too() {
    let dir = with_many_steps("sigterm");
    dir.ok(&arguments(REFERENCE, "runs/whole"));
    for _ in 0..ATTEMPTS {
        let finished = interrupt(&dir, &format!("{} --overwrite", arguments(REFERENCE, "runs/cut")), 3, "TERM");
        if finished.code != Some(0) {
            assert_eq!(finished.code, Some(143), "{finished:?}");
            assert!(finished.error().starts_with("error: interrupted by SIGTERM; the checkpoint after step "));
            dir.ok("resume runs/cut");
            return assert_same(&dir, "runs/whole", "runs/cut");
        }
    }
    panic!("the run ended before the signal came, {ATTEMPTS} times");
}

#[test]
fn interrupted_twice_within_an_epoch_the_reference_model() {
    interrupted_twice("twice-reference", REFERENCE);
}

#[test]
fn interrupted_twice_within_an_epoch_transformer() {
    interrupted_twice("twice-transformer", TRANSFORMER);
}

fn interrupted_twice(name: &str, mechanism: &str) {
    let dir = with_many_steps(name);
    dir.ok(&arguments(mechanism, "runs/whole"));
    for _ in 0..ATTEMPTS {
        let first = interrupt(&dir, &format!("{} --overwrite", arguments(mechanism, "runs/cut")), 1, "INT");
        let second = interrupt(&dir, "resume runs/cut --verbose", 1, "INT");
        if (first.code, second.code) == (Some(130), Some(130)) && interrupted_step(&second) < 40 {
            assert!(interrupted_step(&first) < interrupted_step(&second));
            dir.ok("resume runs/cut");
            return assert_same(&dir, "runs/whole", "runs/cut");
        }
    }
    panic!("the first epoch ended before both signals had come, {ATTEMPTS} times");
}

#[test]
fn resuming_a_finished_run_changes_nothing() {
    let dir = with_data("finished", 2);
    let first = dir.ok("train small.toml");
    let before = tree(&dir.path("runs/small"));
    assert_eq!(dir.ok("resume runs/small"), first);
    assert_eq!(dir.ok("train small.toml --resume"), first);
    let mut after = tree(&dir.path("runs/small"));
    // The lock tells who took it last.
    after.insert("lock".into(), before[Path::new("lock")].clone());
    assert!(after == before);
}

#[test]
fn more_epochs_go_on_where_fewer_ended() {
    let dir = with_data("more-epochs", 2);
    dir.ok("train small.toml --set train.epochs=3 --run-dir runs/whole");
    dir.ok("train small.toml --set train.epochs=1 --run-dir runs/grown");
    let resumed = dir.run("train small.toml --set train.epochs=3 --run-dir runs/grown --resume").expect(0, "more");
    assert!(resumed.stderr.contains("resuming after step 6 of 18\n"), "{}", resumed.stderr);
    // Its state remembers that it once had fewer.
    for file in [
        "checkpoints/step-0000000018/model.safetensors",
        "checkpoints/step-0000000018/optimizer.bpk",
        "metrics.jsonl",
        "report.json",
    ] {
        assert!(dir.read(format!("runs/grown/{file}")) == dir.read(format!("runs/whole/{file}")), "{file}");
    }
    let [grown, whole] = ["grown", "whole"].map(|run| dir.text(format!("runs/{run}/config.toml")));
    assert_eq!(grown, whole, "the config of the run tells of the epochs it has");
}

/// The message of a run that is not gone on with, because these fields differ.
fn refusal(lines: &[&str]) -> String {
    let allow: Vec<String> =
        lines.iter().map(|line| format!("--allow-changed {}", line.split(':').next().unwrap())).collect();
    format!(
        "error: what the run in `runs/small` was made from has changed{}\n\nhint: restore what changed; or go on all the \
         same by `{}`, which is recorded in the run; or start a new run by `--run-dir` or `--overwrite`\n",
        lines.iter().map(|line| format!("\n  {line}")).collect::<String>(),
        allow.join(" ")
    )
}

#[test]
fn another_config_or_other_data_is_refused() {
    let dir = with_data("changed", 2);
    dir.ok("train small.toml --set train.epochs=1");
    let before = tree(&dir.path("runs/small"));
    let refused = |line: &str, lines: &[&str]| {
        assert_eq!(dir.run(line).expect(65, line).error(), refusal(lines));
    };
    refused(
        "train small.toml --resume --set train.epochs=1 --set train.optimizer.adam.learning_rate=0.1 --set seed=8",
        &["seed: was 7, is 8", "train.optimizer.adam.learning_rate: was 0.05, is 0.1"],
    );
    refused("train small.toml --resume --set train.log_every=7", &["train.log_every: was 3, is 7"]);
    refused("train small.toml --resume --set model.max_length=8", &["model.max_length: was 16, is 8"]);
    if cfg!(all(feature = "flex", feature = "ndarray")) {
        let backend = format!("backend: was \"{CPU}\", is \"ndarray\"");
        refused("train small.toml --resume --backend ndarray", &[&backend]);
    } else {
        eprintln!("skipped: a change of backend, for which this build holds too few");
    }

    // Whoever writes into the run's own config is asked too, before anything predicts by it.
    let config = dir.text("runs/small/config.toml");
    dir.file("runs/small/config.toml", config.replace("max_length = 16", "max_length = 4"));
    refused("resume runs/small", &["model.max_length: was 16, is 4"]);
    refused("predict runs/small text", &["model.max_length: was 16, is 4"]);
    dir.file("runs/small/config.toml", config);

    dir.file("test.csv", reviews(18, 2, 4));
    refused("resume runs/small", &["data.test.examples: not the same"]);
    dir.file("train.csv", reviews(48, 2, 5));
    refused(
        "resume runs/small",
        &["data.train.examples: not the same", "data.test.examples: not the same", "tokenizer: not the same"],
    );
    dir.file("validation.csv", reviews(18, 3, 2));
    dir.file("train.csv", reviews(48, 3, 5));
    let finished = dir.run("resume runs/small").expect(65, "other labels");
    assert!(finished.error().contains("\n  labels: not the same\n"), "{finished:?}");
    let weights = Path::new("checkpoints/step-0000000006/model.safetensors");
    assert!(tree(&dir.path("runs/small"))[weights] == before[weights]);
}

/// Another build is another origin; the checkpoint of one is made by writing into its manifest what another would have.
#[test]
fn what_is_allowed_to_change_is_recorded() {
    let dir = with_data("allowed", 2);
    dir.ok("train small.toml --set train.epochs=1");
    let line = "train small.toml --resume --set train.optimizer.adam.learning_rate=0.01";
    dir.run(line).expect(65, "not allowed");
    let finished = dir.run(&format!("{line} --allow-changed train.optimizer")).expect(0, "allowed");
    assert!(
        finished.stderr.contains(
            "warning: going on although something changed: train.optimizer.adam.learning_rate: was 0.05, is 0.01\n"
        ),
        "{}",
        finished.stderr
    );
    let report = dir.json("runs/small/report.json");
    let changes: Vec<String> = report["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| format!("{} {}", change["step"], change["difference"]["field"]))
        .collect();
    assert_eq!(changes, ["6 \"train.optimizer.adam.learning_rate\""]);
    // It is now what the run is made from.
    dir.ok("resume runs/small");
    assert!(dir.text("runs/small/config.toml").contains("learning_rate = 0.01"));
    dir.ok("predict runs/small text");
}

#[test]
fn a_damaged_checkpoint_is_set_aside_and_made_again() {
    let dir = with_data("damaged", 2);
    dir.ok("train small.toml --run-dir runs/whole");
    dir.ok("train small.toml --run-dir runs/hit");
    let newest = "runs/hit/checkpoints/step-0000000012";
    let mut weights = dir.read(format!("{newest}/model.safetensors"));
    *weights.last_mut().unwrap() ^= 1;
    dir.file(&format!("{newest}/model.safetensors"), &weights);
    fs::remove_file(dir.path("runs/hit/report.json")).unwrap();
    let resumed = dir.run("resume runs/hit").expect(0, "resume");
    let warning = format!(
        "warning: damaged, and set aside as `{newest}.corrupt`: `{newest}/model.safetensors` is damaged: its hash does \
         not match\n"
    );
    assert!(resumed.stderr.contains(&warning), "{}", resumed.stderr);
    assert!(resumed.stderr.contains("resuming after step 6 of 12\n"), "{}", resumed.stderr);
    assert_eq!(dir.read(format!("{newest}.corrupt/model.safetensors")), weights, "it is kept");
    fs::remove_dir_all(dir.path(format!("{newest}.corrupt"))).unwrap();
    assert_same(&dir, "runs/whole", "runs/hit");
}

/// A damaged newest checkpoint once hid the best epoch: predictions silently came from an older one.
#[test]
fn predictions_never_come_from_an_older_checkpoint_than_the_damaged_newest() {
    let dir = with_data("hidden-best", 2);
    dir.ok("train small.toml");
    dir.file("runs/small/checkpoints/step-0000000012/model.safetensors", "x");
    for line in ["predict runs/small text", "evaluate runs/small", "inspect runs/small"] {
        let finished = dir.run(line).expect(65, line);
        let error = finished.error();
        assert!(error.starts_with("error: the newest checkpoint of the run is damaged\n"), "{error}");
        assert!(error.contains("step-0000000012/model.safetensors` is damaged"), "{error}");
    }
}

#[test]
fn when_all_checkpoints_are_damaged_each_is_named() {
    let dir = with_data("all-damaged", 2);
    dir.ok("train small.toml");
    let checkpoints = "runs/small/checkpoints";
    dir.file(&format!("{checkpoints}/step-0000000012/state.json"), "{}");
    fs::remove_file(dir.path(format!("{checkpoints}/step-0000000006/optimizer.bpk"))).unwrap();
    let before = tree(&dir.path("runs/small"));
    let bytes = before[Path::new("checkpoints/step-0000000006/state.json")].len();
    assert!(bytes > 100, "the other checkpoint is whole but for one file");
    for line in ["resume runs/small", "predict runs/small text", "evaluate runs/small", "inspect runs/small"] {
        let finished = dir.run(line).expect(65, line);
        let error = finished.error();
        let named = [
            "error: no checkpoint of the run is intact\n".to_string(),
            format!("  `{checkpoints}/step-0000000012/state.json` is damaged: it has 2 bytes, but was written with "),
            format!("  `{checkpoints}/step-0000000006/optimizer.bpk` is damaged: it is not there"),
            "\n\nhint: restore the file from a backup, or train again with `--overwrite`\n".to_string(),
        ];
        for part in named {
            assert!(error.contains(&part), "`{part}` is not in\n{error}");
        }
    }
}

#[test]
fn a_run_without_a_checkpoint_starts_from_the_beginning() {
    let dir = with_data("no-checkpoint", 2);
    dir.ok("train small.toml --run-dir runs/whole");
    dir.ok("train small.toml --run-dir runs/bare");
    fs::remove_dir_all(dir.path("runs/bare/checkpoints")).unwrap();
    let finished = dir.run("predict runs/bare text").expect(66, "predict");
    assert_eq!(
        finished.stderr,
        "error: the run `runs/bare` has no checkpoint yet\n\n\
         hint: let `attentive train` or `attentive resume` finish a first epoch\n"
    );
    fs::remove_file(dir.path("runs/bare/report.json")).unwrap();
    dir.ok(&format!("train small.toml --run-dir runs/bare --resume --backend {CPU}"));
    assert_same(&dir, "runs/whole", "runs/bare");
}

#[test]
fn two_processes_never_train_the_same_run() {
    let dir = with_many_steps("locked");
    let line = format!("{} --set train.epochs=100000", arguments(REFERENCE, "runs/busy"));
    let (mut child, _stderr) = start(&dir, &line, 1);
    let owner = dir.text("runs/busy/lock");
    assert!(owner.starts_with(&format!("process {}", child.id())), "{owner}");
    let results = ["resume runs/busy", "train small.toml --run-dir runs/busy --overwrite"].map(|line| dir.run(line));
    child.kill().unwrap();
    child.wait().unwrap();
    for finished in results {
        assert_eq!(
            finished.error(),
            format!(
                "error: the run directory `runs/busy` is in use by {owner}\n\n\
                 hint: wait for it to end, or choose another place\n"
            )
        );
        assert_eq!(finished.code, Some(73));
    }
    // The lock goes with the process that held it.
    dir.ok("train small.toml --run-dir runs/busy --overwrite --set train.epochs=1");
}
