//! Killed by SIGKILL at random moments, from the first instruction to the last, and gone on with until done: the run ends
//! with the bits of one that was never killed.

use std::os::unix::process::ExitStatusExt;
use std::thread::sleep;
use std::time::Duration;

use super::{Case, Draws, INTRODUCED, Model, tell, times};

/// Fewer kills than this prove little about a run.
const AT_LEAST: u64 = 3;
const AT_MOST: u64 = 8;

/// What a kill fell into.
#[derive(Default)]
struct Kills {
    before_training: usize,
    in_training: usize,
    in_saving: usize,
}

#[test]
fn killed_at_random_moments_the_reference_model() {
    killed(Model::Reference, "reference model", 1);
}

#[test]
fn killed_at_random_moments_dropout_accumulation_and_averages() {
    killed(Model::Averaged, "dropout, accumulation and averages", 2);
}

fn killed(model: Model, name: &str, seed: u64) {
    let case = Case::new("killed", model);
    let runs = times(10, 100);
    let mut draws = Draws(seed);
    let mut kills = Kills::default();
    for _ in 0..runs {
        let n_kills = AT_LEAST + draws.below(AT_MOST - AT_LEAST + 1);
        let mut within = case.duration / 2;
        while !killed_often(&case, n_kills, within, &mut draws, &mut kills) {
            case.clear("runs/cut");
            within /= 2;
        }
        case.finish("runs/cut");
    }
    let Kills { before_training, in_training, in_saving } = kills;
    tell(&format!(
        "SIGKILL, {name}: {runs} of {runs} runs bit-identical after {} kills, {before_training} of them before training, \
         {in_training} in training, {in_saving} in saving",
        before_training + in_training + in_saving
    ));
}

/// Starts and kills a run this often. Gives false when it was done after fewer kills than are worth counting.
fn killed_often(case: &Case, n_kills: u64, within: Duration, draws: &mut Draws, kills: &mut Kills) -> bool {
    for n in 0..n_kills {
        let saves_before = case.unfinished_saves("runs/cut");
        let mut process = case.start(&case.go_on("runs/cut"));
        sleep(draws.moment(within));
        process.child.kill().unwrap();
        let ended = process.wait();
        if ended.status.signal() != Some(9) {
            assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
            return n >= AT_LEAST;
        }
        let is_saving = case.unfinished_saves("runs/cut").iter().any(|save| !saves_before.contains(save));
        match (ended.stderr.contains(INTRODUCED), is_saving) {
            (_, true) => kills.in_saving += 1,
            (true, false) => kills.in_training += 1,
            (false, false) => kills.before_training += 1,
        }
    }
    true
}
