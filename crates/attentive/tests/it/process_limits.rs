//! Limits that a shell, a service or a container sets on a process: threads and memory. What cannot be had is told before
//! anything is trained, and what can do with less does.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::directory::{CPU, Dir, Finished, with_data};

/// Runs the command as a user of its own who may have so many processes; `None` where this user may not become another.
fn with_processes(dir: &Dir, most: usize, line: &str) -> Option<Finished> {
    // A limit counts all processes of a user, so each test process has another.
    let user = (50_000 + std::process::id() % 10_000).to_string();
    fs::set_permissions(dir.path(""), fs::Permissions::from_mode(0o777)).unwrap();
    let as_user = |command: &str| {
        let mut setpriv = Command::new("setpriv");
        setpriv.args(["--reuid", &user, "--regid", &user, "--clear-groups", "bash", "-c", command]);
        setpriv.arg(env!("CARGO_BIN_EXE_attentive")).args(line.split_whitespace());
        setpriv.current_dir(dir.path("")).env("XDG_CACHE_HOME", dir.path("cache")).env_remove("RAYON_NUM_THREADS");
        setpriv.stdin(Stdio::null());
        setpriv
    };
    let may = as_user("test -x $0 && test -w .").status().is_ok_and(|status| status.success());
    may.then(|| Finished::of(as_user(&format!("ulimit -u {most}; exec \"$0\" \"$@\"")).output().unwrap()))
}

#[test]
fn a_limit_on_processes_takes_threads_or_ends_the_command() {
    let dir = with_data("processes", 2);
    let line = |run: &str| format!("train small.toml --run-dir {run} --set backend=\"{CPU}\"");
    let Some(failed) = with_processes(&dir, 3, &line("few")) else {
        return eprintln!("skipped: only root may become another user, who must be able to run the command");
    };
    let told = failed.expect(69, "train with 3 processes").stderr;
    assert_eq!(
        told,
        "error: only 2 of the 4 threads that are needed could be started\n  caused by: Resource temporarily unavailable (os \
         error 11)\n\nhint: raise the limit on processes (`ulimit -u`; `pids.max` of a container) or on memory \
         (`ulimit -v`), or end other processes\n"
    );
    assert!(!dir.path("few").exists());
    // The command itself, one thread that computes, and three that serve it.
    let least = with_processes(&dir, 5, &line("least")).unwrap().expect(0, "train with 5 processes");
    if std::thread::available_parallelism().unwrap().get() > 1 {
        assert!(least.stderr.contains("note: a limit on processes leaves room for 1 of "), "{}", least.stderr);
    }
    with_processes(&dir, 5, "predict least --input test.csv").unwrap().expect(0, "predict with 5 processes");
    dir.ok(&line("free"));
    let weights = |run: &str| dir.json(format!("{run}/report.json"))["weights_sha256"].clone();
    assert_eq!(weights("least"), weights("free"));
}

#[test]
fn a_number_of_threads_that_is_none_is_refused() {
    let dir = with_data("thread-count", 2);
    for value in ["100000", "-1", "many"] {
        let mut command = dir.command(["train", "small.toml"]);
        let told = Finished::of(command.env("RAYON_NUM_THREADS", value).output().unwrap()).expect(2, value).stderr;
        let error = format!("error: `RAYON_NUM_THREADS={value}` is not a number of threads from 1 to ");
        assert!(told.starts_with(&error), "{told}");
        assert!(told.ends_with("\n\nhint: leave `RAYON_NUM_THREADS` out for one thread for each core\n"), "{told}");
    }
    assert!(!dir.path("runs").exists());
}

/// Tables of 4 GB in an address space of 1 GiB: said before they are made, not by an allocation that fails.
#[test]
fn a_limit_on_the_address_space_is_known_before_the_model_is_made() {
    let dir = with_data("address-space", 2);
    let line = format!(
        "train small.toml --set backend=\"{CPU}\" --set features.word_ngrams=2 --set features.buckets=16000000 \
         --set model.embedding.dim=64"
    );
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 1048576; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_attentive")]);
    command.args(line.split_whitespace()).current_dir(dir.path("")).env("RAYON_NUM_THREADS", "2");
    let told = Finished::of(command.output().unwrap()).expect(2, &line).stderr;
    // Seven times the two tables of numbers of 4 bytes: in use and in a file with two moments each, and once as gradients.
    assert!(told.starts_with("error: there is not enough memory: 28.7 GB needed, "), "{told}");
    assert!(told.contains("raise the limit on memory of the process (`ulimit -v`)"), "{told}");
    assert!(!dir.path("runs").exists());
}
