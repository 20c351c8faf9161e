//! Several processes at one run directory: of two that would write, exactly one does; those that read are never disturbed
//! by one that writes.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use super::{Case, Draws, INTRODUCED, Model, tell, times};
use crate::directory::{reviews, setup};

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
             hint: wait for it to end, or choose another place by `--run-dir`\n"
        )
    );
    case.is_whole(RUN);
    Some(winner)
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
