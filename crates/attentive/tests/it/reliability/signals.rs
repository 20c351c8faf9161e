//! Signals at random moments, from the first instruction to the last. Those that ask to stop leave a run that goes on as
//! if nothing had been; those that ask for something else change nothing about its end.

use std::os::unix::process::ExitStatusExt;
use std::thread::sleep;
use std::time::Duration;

use super::{Case, Draws, Ended, INTRODUCED, Model, WHOLE, tell, times};
use crate::directory::tree;
use crate::resume::step_said;

/// How often a signal that came too late is sent again, each time within half the time.
const ATTEMPTS: u32 = 20;

/// What a signal fell into.
#[derive(Default)]
struct Hits {
    before_handlers: usize,
    before_training: usize,
    in_training: usize,
}

#[test]
fn sigint_at_random_moments() {
    stopped("INT", 2, Model::Reference);
}

#[test]
fn sigterm_at_random_moments() {
    stopped("TERM", 15, Model::Averaged);
}

#[test]
fn sighup_at_random_moments() {
    stopped("HUP", 1, Model::Averaged);
}

/// Whether this process ignores a signal, as far as `/proc` tells.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Each run is stopped twice. Every second time the signal comes within the first tenth of the run, before which there is
/// little to stop.
fn stopped(name: &str, number: i32, model: Model) {
    if is_ignored(number) {
        // As SIGHUP is under `nohup`, and SIGINT behind the `&` of a script.
        return eprintln!("skipped: SIG{name} is ignored by this process, and so by every one that it starts");
    }
    let case = Case::new("stopped", model);
    let runs = times(5, 50);
    let mut draws = Draws(number as u64);
    let mut hits = Hits::default();
    for _ in 0..runs {
        for within in [case.duration / 10, case.duration] {
            stopped_once(&case, (name, number), within, &mut draws, &mut hits);
        }
        case.finish("runs/cut");
    }
    let Hits { before_handlers, before_training, in_training } = hits;
    tell(&format!(
        "SIG{name}: {runs} of {runs} runs bit-identical, stopped twice each, {before_handlers} times before there were \
         handlers, {before_training} before training, {in_training} in training (saved, exit {})",
        128 + number
    ));
}

fn stopped_once(case: &Case, (name, number): (&str, i32), mut within: Duration, draws: &mut Draws, hits: &mut Hits) {
    for _ in 0..ATTEMPTS {
        let mut process = case.start(&case.go_on("runs/cut"));
        sleep(draws.moment(within));
        process.signal(&[name]);
        let Ended { status, stderr } = process.wait();
        match (status.code(), status.signal()) {
            // It was done; the next attempt starts anew.
            (Some(0), _) => {
                case.clear("runs/cut");
                within /= 2;
                continue;
            }
            (None, Some(signal)) if signal == number => {
                assert_eq!(stderr, "", "whoever speaks listens");
                hits.before_handlers += 1;
            }
            (Some(code), _) if code == 128 + number => match step_said(&stderr) {
                Some(step) => {
                    assert!(case.dir.path(format!("runs/cut/checkpoints/step-{step:010}")).is_dir(), "{stderr}");
                    assert!(stderr.ends_with("hint: `attentive resume runs/cut` goes on from there\n"), "{stderr}");
                    hits.in_training += 1;
                }
                None => hits.before_training += 1,
            },
            _ => panic!("SIG{name}: {status}\n{stderr}"),
        }
        return;
    }
    panic!("the run was always done before SIG{name} came");
}

/// While the process stands still, two signals gather. The second is served before the loop looks for the first, so it
/// must end the process before anything is saved.
#[test]
fn a_second_signal_ends_the_process_at_once() {
    let case = Case::new("second-signal", Model::Reference);
    let mut pairs = vec![("INT", "TERM"), ("TERM", "INT"), ("HUP", "TERM"), ("INT", "HUP")];
    pairs.truncate(if is_ignored(1) { 2 } else { 4 });
    let runs = times(4, 40);
    let mut draws = Draws(3);
    for run in 0..runs {
        let (first, second) = pairs[run % pairs.len()];
        let mut within = case.duration / 2;
        let is_at_once = (0..ATTEMPTS).any(|_| {
            case.clear("runs/cut");
            let mut process = case.start(&case.train("runs/cut"));
            assert!(process.wait_for(INTRODUCED));
            sleep(draws.moment(within));
            within /= 2;
            process.signal(&["STOP", first, second, "CONT"]);
            let Ended { status, stderr } = process.wait();
            if status.code() == Some(0) {
                return false;
            }
            let code = status.code().unwrap_or_else(|| panic!("{status}\n{stderr}"));
            assert!([129, 130, 143].contains(&code), "{status}\n{stderr}");
            step_said(&stderr).is_none()
        });
        assert!(is_at_once, "SIG{first}, then SIG{second}: the run was always saved first");
        case.finish("runs/cut");
    }
    tell(&format!("a second signal: ended {runs} of {runs} runs at once, all bit-identical when gone on with"));
}

/// `verify` saves nothing and trains in a directory that goes away with it.
#[test]
fn verify_ends_at_the_first_signal_and_leaves_nothing() {
    let case = Case::new("verify-stopped", Model::Reference);
    let before = tree(&case.dir.path(WHOLE));
    let start = || {
        let mut command = case.dir.command(["verify", WHOLE, "--steps", "160"]);
        command.env("XDG_CACHE_HOME", case.dir.path("cache"));
        case.spawn(command)
    };
    let scratch = || {
        let cache = case.dir.path("cache/attentive");
        let names = if cache.exists() { case.dir.list("cache/attentive") } else { Vec::new() };
        names.into_iter().filter(|name| name.contains("verify")).collect::<Vec<_>>()
    };
    let mut draws = Draws(8);
    let (runs, mut in_training) = (times(4, 25), 0);
    for run in 0..2 * runs {
        let (name, number) = [("INT", 2), ("TERM", 15)][run % 2];
        if is_ignored(number) {
            continue;
        }
        let mut within = case.duration;
        let is_stopped = (0..ATTEMPTS).any(|_| {
            let mut process = start();
            if run % 4 < 2 {
                assert!(process.wait_for(AGAIN));
            }
            sleep(draws.moment(within));
            within /= 2;
            process.signal(&[name]);
            let Ended { status, stderr } = process.wait();
            assert_eq!(scratch(), [""; 0], "{stderr}");
            match (status.code(), status.signal()) {
                (Some(0), _) => return false, // it was done
                // Before and after it trains it stops without a word.
                (Some(code), _) if code == 128 + number => {
                    in_training += usize::from(stderr.ends_with(" before all of `runs/whole` was verified\n"));
                }
                (None, Some(signal)) if signal == number => assert_eq!(stderr, "", "whoever speaks listens"),
                _ => panic!("SIG{name}: {status}\n{stderr}"),
            }
            true
        });
        assert!(is_stopped, "the run was always verified before SIG{name} came");
    }
    assert!(in_training > 0);
    // What a killed one leaves is removed by the next.
    let is_left = (0..ATTEMPTS).any(|_| {
        let mut process = start();
        assert!(process.wait_for(AGAIN));
        process.child.kill().unwrap();
        process.wait();
        !scratch().is_empty()
    });
    assert!(is_left, "the run was always verified before it was killed");
    let ended = start().wait();
    assert_eq!((ended.status.code(), scratch()), (Some(0), Vec::new()), "{}", ended.stderr);
    assert!(tree(&case.dir.path(WHOLE)) == before);
    tell(&format!(
        "signals to verify: {} of {} ended at once (exit 130, 143), {in_training} of them in training; no directory is left",
        2 * runs,
        2 * runs
    ));
}

/// What `verify` says when it begins to train.
const AGAIN: &str = "training the first ";

#[test]
fn sigusr1_saves_and_goes_on() {
    let case = Case::new("usr1", Model::Averaged);
    let saves = |stderr: &str| stderr.matches("saved `").count();
    let usual = saves(&case.start(&case.train("runs/usual")).wait().stderr);
    let mut draws = Draws(4);
    let (runs, mut more) = (times(3, 50), 0);
    for _ in 0..runs {
        let mut within = case.duration / 4;
        let asked_for = (0..ATTEMPTS).find_map(|_| {
            case.clear("runs/asked");
            let mut process = case.start(&case.train("runs/asked"));
            assert!(process.wait_for(INTRODUCED));
            for _ in 0..3 {
                sleep(draws.moment(within));
                process.signal(&["USR1"]);
            }
            within /= 2;
            let Ended { status, stderr } = process.wait();
            assert_eq!(status.code(), Some(0), "{status}\n{stderr}");
            saves(&stderr).checked_sub(usual).filter(|&more| more > 0)
        });
        more += asked_for.expect("SIGUSR1 saves");
        case.is_whole("runs/asked");
    }
    tell(&format!("SIGUSR1: {runs} of {runs} runs bit-identical, with {more} checkpoints more"));
}

#[test]
fn what_does_not_ask_to_stop_changes_nothing() {
    let case = Case::new("unmoved", Model::Reference);
    let runs = times(3, 30);
    let mut draws = Draws(5);
    // Who starts a run under `nohup` wants it to outlive the terminal.
    let kinds: [(&str, &[&str], &str); 3] = [
        ("", &["STOP", "CONT"], "of SIGSTOP"),
        ("", &["XFSZ"], "of SIGXFSZ"),
        ("trap '' HUP", &["HUP"], "of SIGHUP under nohup"),
    ];
    let mut figures = Vec::new();
    for (before, names, what) in kinds {
        let mut signals = 0;
        for _ in 0..runs {
            let mut process = case.start_in_shell(before, &case.train("runs/moved"));
            assert!(process.wait_for(INTRODUCED));
            for _ in 0..3 {
                sleep(draws.moment(case.duration / 4));
                signals += usize::from(process.child.try_wait().unwrap().is_none());
                for name in names {
                    process.signal(&[name]);
                    sleep(Duration::from_millis(5));
                }
            }
            let Ended { status, stderr } = process.wait();
            assert_eq!(status.code(), Some(0), "{what}: {status}\n{stderr}");
            case.is_whole("runs/moved");
            case.clear("runs/moved");
        }
        figures.push(format!("{} {what}", signals));
    }
    tell(&format!("{}: {} of {} runs bit-identical", figures.join(", "), 3 * runs, 3 * runs));
}
