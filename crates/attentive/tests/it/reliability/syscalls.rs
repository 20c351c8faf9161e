//! Cut off, or refused, at every system call that touches the run directory: what is there afterwards is whole, and the run
//! goes on from it. Needs Linux with strace, which injects the faults.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use super::disk::{assert_refused, goes_on};
use super::{Case, is_full, tell};
use crate::directory::{CPU, Finished, repository, reviews, setup, tree, with_data};

/// The calls by which a process can reach a file. Those with `?` are not on every architecture.
const CALLS: &str = "?open,openat,?creat,read,pread64,write,pwrite64,writev,?sendfile,copy_file_range,fsync,fdatasync,\
                     ?rename,?renameat,renameat2,?mkdir,mkdirat,?unlink,unlinkat,?rmdir,ftruncate,fallocate,flock,\
                     getdents64,?stat,?newfstatat,fstat,statx,lseek";

/// Those that need room.
const NEED_ROOM: [&str; 12] = [
    "open",
    "openat",
    "write",
    "pwrite64",
    "writev",
    "fsync",
    "fdatasync",
    "rename",
    "renameat2",
    "mkdir",
    "mkdirat",
    "ftruncate",
];

/// In a usual test run, this many faults are injected.
const USUAL: usize = 30;

/// A call that touches the run directory.
struct Point {
    call: String,
    /// The how manieth such call of the process it is, from 1.
    nth: usize,
    /// As strace shows it.
    shown: String,
}

/// Faults, as strace is asked for them, and what the system is heard to say of them.
const FAULTS: [(&str, &str, &str); 3] = [
    ("SIGKILL", "signal=SIGKILL", ""),
    ("EIO", "error=EIO", "Input/output error (os error 5)"),
    ("ENOSPC", "error=ENOSPC", "No space left on device (os error 28)"),
];

/// A run of two epochs with one checkpoint each, of which the second replaces the first.
fn small_case(name: &str) -> Case {
    let dir = setup(name);
    dir.file("train.csv", reviews(16, 2, 1));
    dir.file("validation.csv", reviews(8, 2, 2));
    dir.file("test.csv", reviews(8, 2, 3));
    dir.file(
        "small.toml",
        format!(
            "backend = \"{CPU}\"\n[data]\ntrain = \"train.csv\"\nvalidation = \"validation.csv\"\n[model]\nmax_length = 8\n\
             embedding = {{ dim = 4 }}\n[train]\nepochs = 2\nbatch_size = 8\nlog_every = 1\nkeep_checkpoints = 1\n\
             monitor = \"loss\"\n"
        ),
    );
    Case::of(dir)
}

/// The command under strace with these options.
fn traced(case: &Case, options: &[impl AsRef<OsStr>], line: &str) -> Command {
    let attentive = case.dir.command([""; 0]);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-o", "strace.log"]).args(options);
    strace.arg(attentive.get_program()).args(line.split_whitespace());
    strace.current_dir(attentive.get_current_dir().unwrap()).env("RAYON_NUM_THREADS", "1");
    strace
}

/// Whether this machine lets a process be traced, and tells the reason if not.
fn can_trace() -> bool {
    let reason = match Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output() {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_string(),
        Err(error) => format!("strace: {error}"),
    };
    eprintln!("skipped: no process can be traced here: {reason}");
    false
}

/// The calls of the command's first thread that touch the run directory.
fn points(case: &Case, line: &str, code: i32) -> Vec<Point> {
    points_at(RUN, case, line, code)
}

/// The calls of the command's first thread that touch what has this in its path.
fn points_at(place: &str, case: &Case, line: &str, code: i32) -> Vec<Point> {
    let finished = Finished::of(traced(case, &["-y".to_string(), format!("-etrace={CALLS}")], line).output().unwrap());
    finished.expect(code, line);
    let log = case.dir.text("strace.log");
    let thread = log.split(' ').next().unwrap().to_string();
    let mut counts = std::collections::BTreeMap::new();
    let mut points = Vec::new();
    for shown in log.lines().filter_map(|line| line.strip_prefix(&thread)).map(str::trim_start) {
        let Some((call, _)) = shown.split_once('(').filter(|(call, _)| !call.starts_with(['<', '+', '-'])) else {
            continue;
        };
        let nth = counts.entry(call.to_string()).or_insert(0);
        *nth += 1;
        if shown.contains(place) {
            points.push(Point { call: call.to_string(), nth: *nth, shown: shown.to_string() });
        }
    }
    let elsewhere = log.lines().filter(|line| !line.starts_with(&thread) && line.contains(place)).count();
    assert_eq!(elsewhere, 0, "one thread writes");
    points
}

/// Where the faults are injected.
const RUN: &str = "runs/cut";

#[test]
fn a_fault_at_every_system_call_of_a_new_run() {
    if can_trace() {
        let case = small_case("faults-new");
        let line = format!("train small.toml --run-dir {RUN} -q");
        inject_faults(&case, "a new run", &line, || case.clear(RUN));
    }
}

#[test]
fn a_fault_at_every_system_call_of_a_resumed_run() {
    if can_trace() {
        let case = small_case("faults-resumed");
        let train = format!("train small.toml --run-dir {RUN} -q");
        // Cut off before the second save, with what the log has by then.
        let points = points(&case, &train, 0);
        let second =
            points.iter().rposition(|point| point.call.starts_with("mkdir")).expect("every save makes a directory");
        case.clear(RUN);
        traced(&case, &injection(&points[second], "signal=SIGKILL"), &train).output().unwrap();
        let cut = tree(&case.dir.path(RUN));
        assert_eq!(case.dir.list(&format!("{RUN}/checkpoints")), ["step-0000000002"]);
        let restore = || {
            case.clear(RUN);
            for (name, bytes) in &cut {
                let path = case.dir.path(RUN).join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
        };
        inject_faults(&case, "a resumed run", &format!("resume {RUN} -q"), restore);
    }
}

/// The options that make this call fail, or end the process.
fn injection(Point { call, nth, .. }: &Point, fault: &str) -> [String; 4] {
    ["-e", &format!("trace={call}"), "-e", &format!("inject={call}:{fault}:when={nth}")].map(str::to_string)
}

/// Starts the command from the state that `restore` makes, once for each fault at each call, and goes on after it.
fn inject_faults(case: &Case, what: &str, line: &str, restore: impl Fn()) {
    restore();
    let points = points(case, line, 0);
    let needs_room = |Point { call, shown, .. }: &&Point| {
        NEED_ROOM.contains(&call.as_str()) && (!call.starts_with("open") || shown.contains("O_CREAT"))
    };
    let stride = if is_full() { 1 } else { (points.len() * FAULTS.len()).div_ceil(USUAL) };
    let mut failures = Vec::new();
    for (offset, (name, fault, said)) in FAULTS.into_iter().enumerate() {
        let touched: Vec<_> = points.iter().filter(|point| name != "ENOSPC" || needs_room(point)).collect();
        let (mut n_faults, mut with_checkpoint, mut harmless) = (0, 0, 0);
        for point in touched.iter().skip(offset % stride).step_by(stride) {
            restore();
            let finished = Finished::of(traced(case, &injection(point, fault), line).output().unwrap());
            n_faults += 1;
            match (name, finished.code) {
                ("SIGKILL", None) => {}
                // What is there and cannot be looked at is in the way of a directory that is to be made.
                ("EIO", Some(74)) if finished.error().contains("File exists (os error 17)") => {
                    assert_refused(&finished, "", &point.shown);
                }
                ("EIO" | "ENOSPC", Some(74)) => assert_refused(&finished, said, &point.shown),
                // Such as a file that could not be looked at, and was not needed.
                ("EIO" | "ENOSPC", Some(0)) => harmless += 1,
                (_, code) => {
                    failures.push(format!("{name} at {}\nends with {code:?}: {}", point.shown, finished.stderr));
                    continue;
                }
            }
            with_checkpoint += usize::from(goes_on(case, RUN));
        }
        tell(&format!(
            "{name} at {n_faults} of the {} system calls of {what} that touch it: {with_checkpoint} times with a checkpoint, \
             which loads; {harmless} times without effect; gone on with, all bit-identical",
            touched.len()
        ));
    }
    assert!(failures.is_empty(), "{} of the faults ended otherwise:\n{}", failures.len(), failures.join("\n"));
}

/// Sends a signal to the command at calls that touch what has `place` in its path, from a clean state each time, and has `check`
/// look at what is left: it is given how many there were before, the call and the exit code.
fn signal_everywhere(
    (signal, case): (&str, &Case),
    what: &str,
    place: &str,
    line: &str,
    restore: impl Fn(),
    check: impl Fn(usize, &str, Option<i32>),
) {
    restore();
    let points = points_at(place, case, line, 0);
    let stride = if is_full() { 1 } else { points.len().div_ceil(USUAL) };
    let mut n_signals = 0;
    for point in points.iter().step_by(stride) {
        restore();
        let fault = format!("signal={signal}");
        let ended = Finished::of(traced(case, &injection(point, &fault), line).output().unwrap());
        check(n_signals, &point.shown, ended.code);
        n_signals += 1;
    }
    restore();
    tell(&format!(
        "{signal} at {n_signals} of the {} system calls of {what} that touch its place: whole or not there, and made again",
        points.len()
    ));
}

#[test]
fn an_import_killed_at_every_system_call_is_made_again() {
    if !can_trace() {
        return;
    }
    let case = Case { dir: with_data("killed-import", 3), predictions: String::new(), duration: Duration::ZERO };
    let model = repository().join("crates/export/tests/data/keras/text.keras");
    fs::copy(model, case.dir.path("text.keras")).unwrap();
    fs::create_dir(case.dir.path("runs")).unwrap();
    let import = format!("import text.keras --config small.toml --output {RUN} --backend {CPU} -q");
    let train = format!("train small.toml --run-dir {RUN} --overwrite --backend {CPU} -q");
    signal_everywhere(
        ("SIGKILL", &case),
        "an import",
        RUN,
        &import,
        || case.clear(RUN),
        |n, at, code| {
            assert_eq!(code, None, "{at}");
            if !case.dir.path(RUN).join("config.toml").exists() {
                let refused = case.dir.run(&format!("resume {RUN}")).expect(66, at);
                let true_of_it =
                    ["there is no such directory", "it holds no `config.toml`", "was cut off: run that command again"];
                assert!(true_of_it.iter().any(|reason| refused.error().contains(reason)), "{at}: {}", refused.error());
                case.dir.run(if n % 2 == 0 { &import } else { &train }).expect(0, at);
            }
            case.dir.run(&format!("resume {RUN} -q")).expect(0, at);
        },
    );
}

#[test]
fn an_export_stopped_at_every_system_call_is_whole_or_not_there() {
    if !can_trace() {
        return;
    }
    let case = Case { dir: with_data("killed-export", 2), predictions: String::new(), duration: Duration::ZERO };
    case.dir.ok("train small.toml --run-dir run --set train.epochs=1 -q");
    fs::create_dir(case.dir.path("exports")).unwrap();
    let clear = || {
        fs::remove_dir_all(case.dir.path("exports")).unwrap();
        fs::create_dir(case.dir.path("exports")).unwrap();
    };
    for format in ["bundle", "safetensors", "onnx", "keras"] {
        let line = format!("export run --format {format} --output exports/out");
        case.dir.ok(&line);
        let whole = tree(&case.dir.path("exports"));
        let what = format!("{format} export");
        signal_everywhere(("SIGKILL", &case), &what, "exports/", &line, clear, |_, at, code| {
            assert_eq!(code, None, "{at}");
            let code = if case.dir.path("exports/out").exists() { 73 } else { 0 };
            case.dir.run(&line).expect(code, at);
            // Together with what the killed one left, where it did not come to its end.
            let mut left = tree(&case.dir.path("exports"));
            left.retain(|path, _| code == 0 || path.starts_with("out"));
            assert!(left == whole, "{at}: {:?}", left.keys());
        });
        signal_everywhere(("SIGTERM", &case), &what, "exports/", &line, clear, |_, at, code| {
            let left = tree(&case.dir.path("exports"));
            let is_finished = left == whole;
            assert!(is_finished || left.is_empty(), "{at}: {:?}", left.keys());
            assert!(code == Some(143) || (code == Some(0) && is_finished), "{at}: {code:?}");
        });
    }
}

/// What stands where a run should start cannot be looked at: it is never taken for nothing.
#[test]
fn a_fault_at_every_system_call_of_a_start_that_is_refused() {
    if !can_trace() {
        return;
    }
    let case = small_case("faults-refused");
    let line = format!("train small.toml --run-dir {RUN} -q");
    case.dir.run(&line).expect(0, &line);
    let before = tree(&case.dir.path(RUN));
    let points = points(&case, &line, 73);
    for point in &points {
        let once = injection(point, "error=EIO");
        // A disk that has failed once tends to go on failing.
        let from_then_on = once.clone().map(|option| if option.starts_with("inject") { option + "+" } else { option });
        for options in [once, from_then_on] {
            let finished = Finished::of(traced(&case, &options, &line).output().unwrap());
            assert!(matches!(finished.code, Some(73 | 74)), "{options:?}, {}\n{}", point.shown, finished.stderr);
            assert!(tree(&case.dir.path(RUN)) == before, "{options:?}, {}", point.shown);
        }
    }
    tell(&format!(
        "EIO at each of the {} system calls of a start that is refused, once and from then on: the run that is there is \
         untouched",
        points.len()
    ));
}

/// A trainer that found the place free, and gets the lock when another has trained there from beginning to end.
#[test]
fn a_lock_that_comes_late_does_not_cost_the_run_that_came_between() {
    if !can_trace() {
        return;
    }
    let case = small_case("late-lock");
    let line = &format!("train small.toml --run-dir {RUN} -q");
    for _ in 0..5 {
        let late = ["-e", "trace=flock", "-e", "inject=flock:delay_enter=1500000:when=1"];
        let late = traced(&case, &late, line).stderr(std::process::Stdio::piped()).spawn().unwrap();
        while !case.dir.path(RUN).join("lock").exists() {
            sleep(Duration::from_millis(1));
        }
        let between = case.dir.run(line);
        let mut before = tree(&case.dir.path(RUN));
        let late = Finished::of(late.wait_with_output().unwrap());
        if between.code == Some(73) {
            case.clear(RUN);
            continue; // It came too late to come between.
        }
        assert_eq!((between.code, late.code), (Some(0), Some(73)), "{}{}", between.stderr, late.stderr);
        let after = tree(&case.dir.path(RUN));
        before.insert("lock".into(), after[std::path::Path::new("lock")].clone());
        assert!(after == before, "the run that came between is untouched");
        return;
    }
    panic!("the other trainer never came between");
}
