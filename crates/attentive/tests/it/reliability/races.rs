//! Several processes at one place: of two that would write, exactly one does, and what is there is wholly its own; those
//! that read are never disturbed by one that writes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::{Case, Draws, INTRODUCED, Model, tell, times};
use crate::directory::{Dir, Finished, repository, reviews, setup, tree, with_data};

/// How two trainers meet.
#[derive(Clone, Copy, PartialEq)]
enum Meeting {
    /// Where nothing is yet.
    Start,
    /// Where a run is to be replaced.
    Overwrite,
    /// Where a run was cut off.
    Resume,
}

#[test]
fn of_two_trainers_exactly_one_wins() {
    let case = Case::new("raced", Model::Reference);
    let races = times(5, 100);
    let mut draws = Draws(6);
    let (mut won, mut too_late) = ([0, 0], 0);
    for race in 0..races {
        let meeting = [Meeting::Start, Meeting::Overwrite, Meeting::Resume][race % 3];
        let winner = std::iter::repeat_with(|| raced(&case, meeting, &mut draws))
            .take(50)
            .find_map(|winner| {
                if winner.is_none() {
                    too_late += 1;
                    None
                } else {
                    winner
                }
            })
            .expect("two trainers meet now and then");
        won[winner] += 1;
    }
    tell(&format!(
        "races: {races} of {races} won by exactly one trainer, {} by the first started and {} by the second; every loser \
         exits 73 and names the winner, every run is bit-identical ({too_late} races in which they did not meet are not \
         counted)",
        won[0], won[1]
    ));
}

/// Starts two trainers together and gives which one won; `None` when the first had ended before the second came.
fn raced(case: &Case, meeting: Meeting, draws: &mut Draws) -> Option<usize> {
    const RUN: &str = "runs/raced";
    case.clear(RUN);
    let line = match meeting {
        Meeting::Start => case.train(RUN),
        Meeting::Overwrite | Meeting::Resume => {
            let mut process = case.start(&case.train(RUN));
            assert!(process.wait_for("saved `"), "a checkpoint was saved");
            process.child.kill().unwrap();
            process.wait();
            match meeting {
                Meeting::Resume => format!("resume {RUN} --verbose"),
                _ => format!("{} --overwrite", case.train(RUN)),
            }
        }
    };
    let mut trainers = [case.start(&line), case.start(&line)];
    let pids = trainers.each_ref().map(|trainer| trainer.child.id());
    // Whoever ends first is the loser, if the other is still there.
    let first = loop {
        if let Some(first) = trainers.iter_mut().position(|trainer| trainer.child.try_wait().unwrap().is_some()) {
            break first;
        }
        sleep(Duration::from_millis(1 + draws.below(2)));
    };
    let owner = fs::read_to_string(case.dir.path(RUN).join("lock")).unwrap();
    let other_was_there = trainers[1 - first].child.try_wait().unwrap().is_none();
    let ended = trainers.map(|trainer| trainer.wait());
    let codes = ended.each_ref().map(|ended| ended.status.code());
    let (loser, winner) = (first, 1 - first);
    if codes[first] == Some(0) || !other_was_there {
        // They met all the same when the one that ended first lost; otherwise it had won before the other came.
        assert!(codes.contains(&Some(0)), "{codes:?}\n{}\n{}", ended[0].stderr, ended[1].stderr);
        return None;
    }
    assert_eq!((codes[loser], codes[winner]), (Some(73), Some(0)), "{}\n{}", ended[0].stderr, ended[1].stderr);
    let host =
        fs::read_to_string("/proc/sys/kernel/hostname").map_or(String::new(), |host| format!(" on {}", host.trim()));
    assert!(owner.starts_with(&format!("process {}{host}, started 20", pids[winner])), "{owner}");
    assert_eq!(
        ended[loser].stderr,
        format!(
            "error: the run directory `{RUN}` is in use by {owner}\n\n\
             hint: wait for it to end, or choose another place\n"
        )
    );
    case.is_whole(RUN);
    Some(winner)
}

/// What is written, byte by byte; a lock tells of its process.
fn written(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    if path.is_file() {
        return BTreeMap::from([(PathBuf::new(), fs::read(path).unwrap())]);
    }
    let mut files = tree(path);
    files.remove(Path::new("lock"));
    files
}

fn remove(path: &Path) {
    if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
}

/// Races two commands that write `raced/out`, and gives how often each won. What is there afterwards is what the winner writes
/// alone, and nothing else is left.
fn race_for_output(dir: &Dir, lines: [&str; 2], races: usize) -> [usize; 2] {
    const OUTPUT: &str = "raced/out";
    fs::create_dir_all(dir.path("raced")).unwrap();
    let alone = lines.map(|line| {
        dir.ok(line);
        let alone = written(&dir.path(OUTPUT));
        remove(&dir.path(OUTPUT));
        alone
    });
    assert!(alone[0] != alone[1], "the two can be told apart");
    let mut won = [0, 0];
    for _ in 0..races {
        let start = |line: &str| {
            let mut command = dir.command(line.split_whitespace());
            command.env("RAYON_NUM_THREADS", "1").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let ended = lines.map(start).map(|process| Finished::of(process.wait_with_output().unwrap()));
        let winner = ended.iter().position(|ended| ended.code == Some(0)).unwrap_or_else(|| panic!("{ended:?}"));
        let loser = &ended[1 - winner];
        assert_eq!(loser.code, Some(73), "{ended:?}");
        let told =
            ["error: `raced/out` is there already\n", "error: the run directory `raced/out` is in use by process "];
        assert!(told.iter().any(|told| loser.error().starts_with(told)), "{}", loser.stderr);
        assert!(written(&dir.path(OUTPUT)) == alone[winner], "{}: what is there is not what it writes", lines[winner]);
        assert_eq!(dir.list("raced"), ["out"]);
        remove(&dir.path(OUTPUT));
        won[winner] += 1;
    }
    won
}

#[test]
fn of_two_exports_to_one_place_exactly_one_is_there() {
    let dir = with_data("raced-exports", 2);
    for seed in [7, 8] {
        dir.ok(&format!("train small.toml --run-dir {seed} --set seed={seed} --set train.epochs=1 -q"));
    }
    let races = times(5, 250);
    for format in ["bundle", "safetensors", "onnx", "keras"] {
        let lines = [7, 8].map(|run| format!("export {run} --format {format} --output raced/out"));
        let [first, second] = race_for_output(&dir, lines.each_ref().map(String::as_str), races);
        tell(&format!(
            "races of two {format} exports to one place: {races}, {first} won by the first started and {second} by the \
             second; the other exits 73, and what is there is what the winner writes alone, byte for byte"
        ));
    }
}

#[test]
fn of_two_imports_to_one_place_exactly_one_is_there() {
    let dir = with_data("raced-imports", 3);
    let model = repository().join("crates/export/tests/data/keras/text.keras");
    fs::copy(model, dir.path("text.keras")).unwrap();
    let races = times(5, 250);
    let lines =
        [7, 8].map(|seed| format!("import text.keras --config small.toml --output raced/out --set seed={seed} -q"));
    let [first, second] = race_for_output(&dir, lines.each_ref().map(String::as_str), races);
    tell(&format!(
        "races of two imports to one place: {races}, {first} won by the first started and {second} by the second; the other \
         exits 73, and what is there is what the winner writes alone, byte for byte"
    ));
}

/// Two processes that share a cache and, each in a namespace of its own, a process id.
#[test]
fn two_containers_that_verify_with_one_cache() {
    let dir = with_data("raced-verify", 2);
    dir.ok("train small.toml --run-dir run -q");
    let verify = || {
        let attentive = dir.command(["verify", "run", "--steps", "12"]);
        let mut command = Command::new("unshare");
        command.args(["-rpf"]).arg(attentive.get_program()).args(attentive.get_args());
        command.current_dir(dir.path("")).env("XDG_CACHE_HOME", dir.path("cache")).env("RAYON_NUM_THREADS", "1");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    };
    match verify().map(|process| Finished::of(process.wait_with_output().unwrap())) {
        Ok(Finished { code: Some(0), .. }) => {}
        other => return eprintln!("skipped: no process gets a namespace here: {other:?}"),
    }
    let races = times(5, 100);
    for _ in 0..races {
        for process in [verify(), verify()] {
            let ended = Finished::of(process.unwrap().wait_with_output().unwrap()).expect(0, "verify");
            assert!(ended.stdout.ends_with("everything is as it should be\n"), "{ended:?}");
        }
        assert_eq!(dir.list("cache/attentive").iter().filter(|name| name.contains("verify")).count(), 0);
    }
    tell(&format!("two verifications with one cache and one process id: {races} of {races} pairs undisturbed"));
}

/// A run that saves after every step, keeps one checkpoint besides the best, and finds better ones all the time: hardly
/// anything that a reader finds is there for long.
const RESTLESS: &str = r#"
seed = 7
[data]
train = "train.csv"
validation = "validation.csv"
[model]
max_length = 16
embedding = { dim = 8 }
[train]
epochs = 100000
batch_size = 16
monitor = "loss"
average_best = 2
checkpoint_every = 1
keep_checkpoints = 1
optimizer.adam = { learning_rate = 0.0001 }
"#;

#[test]
fn reading_while_a_trainer_saves_and_removes() {
    let dir = setup("read");
    dir.file("train.csv", reviews(32, 2, 1));
    dir.file("validation.csv", reviews(18, 2, 2));
    dir.file("small.toml", RESTLESS);
    let case = Case { dir, predictions: String::new(), duration: Duration::ZERO };
    let mut trainer = case.start("train small.toml --run-dir runs/busy");
    assert!(trainer.wait_for(INTRODUCED));
    let reads = times(30, 1000);
    let mut too_early = 0;
    let lines = ["predict runs/busy text", "evaluate runs/busy --split validation", "inspect runs/busy"];
    let mut failures = Vec::new();
    for read in 0..reads {
        let finished = case.dir.run(lines[read % lines.len()]);
        match finished.code {
            Some(0) => {}
            Some(66) if finished.stderr.starts_with("error: the run `runs/busy` has no checkpoint yet\n") => {
                too_early += 1
            }
            _ => failures.push(finished.stderr),
        }
    }
    let is_busy = trainer.child.try_wait().unwrap().is_none();
    trainer.child.kill().unwrap();
    let ended = trainer.wait();
    assert!(is_busy, "{}", ended.stderr);
    assert!(failures.is_empty(), "{} of {reads} failed, such as\n{}", failures.len(), failures[0]);
    tell(&format!("readers beside a trainer: {reads} reads, {too_early} before the first checkpoint, 0 failures"));
}
