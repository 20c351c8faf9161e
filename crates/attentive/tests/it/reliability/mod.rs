//! What only whole processes can prove: that being killed, signalled, raced, starved of disk or cut off at a system call
//! costs nothing but time.
//!
//! Every proof runs in a small number with the other tests. With `ATTENTIVE_PROOF=full` in the environment it runs in the
//! numbers that `docs/reliability.md` quotes. Either way it prints one line of figures, which `--nocapture` shows.
//! Moments are drawn from a seed and scaled to how long an undisturbed run takes; where one falls is up to the machine, so
//! nothing is asserted about time, and a signal that came too late is sent again.

mod disk;
mod kills;
mod places;
mod races;
mod signals;
#[cfg(target_os = "linux")]
mod syscalls;
mod threads;

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::directory::{CPU, Dir, reviews, setup};
use crate::resume::assert_same;

/// Whether the numbers of `docs/reliability.md` are asked for.
fn is_full() -> bool {
    std::env::var_os("ATTENTIVE_PROOF").is_some_and(|value| value == "full")
}

/// How often: in every test run, and in full.
fn times(usual: usize, full: usize) -> usize {
    if is_full() { full } else { usual }
}

/// The figures of a proof.
fn tell(figures: &str) {
    eprintln!("proof: {figures}");
}

/// Random numbers from a seed (SplitMix64, Steele et al. 2014).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn moment(&mut self, within: Duration) -> Duration {
        Duration::from_nanos(self.below(within.as_nanos().max(1) as u64))
    }
}

/// What is trained in the proofs.
#[derive(Clone, Copy, PartialEq)]
enum Model {
    /// Embedding, dot attention, pooling, head.
    Reference,
    /// Dropout, accumulated gradients, a moving average, and the mean of the two best epochs.
    Averaged,
}

impl Model {
    fn lines(self) -> (&'static str, &'static str) {
        match self {
            Self::Reference => ("attention.dot = {}", ""),
            Self::Averaged => (
                "dropout = 0.2\nattention.multi_head = { n_heads = 2, dropout = 0.1 }",
                "accumulation_steps = 2\nema = 0.9\naverage_best = 2",
            ),
        }
    }
}

/// A training and what comes of it undisturbed: 2 epochs of 80 steps, saved after every 20.
struct Case {
    dir: Dir,
    predictions: String,
    /// How long the undisturbed run took.
    duration: Duration,
}

/// Where the undisturbed run is.
const WHOLE: &str = "runs/whole";

impl Case {
    fn new(name: &str, model: Model) -> Self {
        let dir = setup(name);
        dir.file("train.csv", reviews(1280, 2, 1));
        dir.file("validation.csv", reviews(48, 2, 2));
        dir.file("test.csv", reviews(48, 2, 3));
        let (of_model, of_train) = model.lines();
        dir.file(
            "small.toml",
            format!(
                "seed = 7\nbackend = \"{CPU}\"\n\
                 [data]\ntrain = \"train.csv\"\nvalidation = \"validation.csv\"\ntest = \"test.csv\"\n\
                 [model]\nmax_length = 16\nembedding = {{ dim = 32 }}\n{of_model}\n\
                 [train]\nepochs = 2\nbatch_size = 16\nlog_every = 5\ncheckpoint_every = 20\n\
                 optimizer.adam = {{ learning_rate = 0.003 }}\n{of_train}\n"
            ),
        );
        Self::of(dir)
    }

    /// With the undisturbed run of `small.toml` in this directory.
    fn of(dir: Dir) -> Self {
        let mut case = Self { dir, predictions: String::new(), duration: Duration::ZERO };
        let started = Instant::now();
        let ended = case.start(&case.train(WHOLE)).wait();
        case.duration = started.elapsed();
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        case.predictions = case.predict(WHOLE);
        case
    }

    /// The command that starts a run.
    fn train(&self, run: &str) -> String {
        format!("train small.toml --run-dir {run} --verbose")
    }

    /// The command that goes on with a run, or starts it while it is none.
    fn go_on(&self, run: &str) -> String {
        let is_run = self.dir.path(run).join("config.toml").exists();
        if is_run { format!("resume {run} --verbose") } else { self.train(run) }
    }

    /// Starts a command with what it says going to a file, so that it never waits for a reader.
    fn start(&self, line: &str) -> Process {
        self.spawn(self.dir.command(line.split_whitespace()))
    }

    /// As [`Self::start`], after a shell has set what the process is to inherit.
    fn start_in_shell(&self, before: &str, line: &str) -> Process {
        self.spawn(in_shell(&self.dir.command(line.split_whitespace()), before))
    }

    fn spawn(&self, mut command: Command) -> Process {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let name = format!("stderr-{}", STARTED.fetch_add(1, Ordering::Relaxed));
        let stderr = self.dir.path(name);
        // The proofs run beside each other, and every thread of theirs would wait for a core.
        command.env("RAYON_NUM_THREADS", "1").stdout(Stdio::null()).stderr(File::create(&stderr).unwrap());
        Process { child: command.spawn().unwrap(), stderr }
    }

    fn predict(&self, run: &str) -> String {
        self.dir.ok(&format!("predict {run} --input test.csv --json"))
    }

    /// Goes on until the run is done; it must be what the undisturbed one is, and is removed.
    #[track_caller]
    fn finish(&self, run: &str) {
        let ended = self.start(&self.go_on(run)).wait();
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        self.is_whole(run);
        self.clear(run);
    }

    /// Weights, moments, state, log, report and predictions are those of the undisturbed run, bit for bit.
    #[track_caller]
    fn is_whole(&self, run: &str) {
        assert_same(&self.dir, WHOLE, run);
        assert_eq!(self.predict(run), self.predictions);
    }

    fn clear(&self, run: &str) {
        let path = self.dir.path(run);
        if path.exists() {
            fs::remove_dir_all(path).unwrap();
        }
    }

    /// The saves in a run that have neither ended nor been swept away.
    fn unfinished_saves(&self, run: &str) -> Vec<String> {
        let checkpoints = format!("{run}/checkpoints");
        let names = if self.dir.path(&checkpoints).is_dir() { self.dir.list(&checkpoints) } else { Vec::new() };
        names.into_iter().filter(|name| name.starts_with(".tmp")).collect()
    }
}

/// A command, started by a shell that first runs `before`: it sets limits and signals as a user's shell would.
fn in_shell(command: &Command, before: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{before}\nexec \"$0\" \"$@\"")]).arg(command.get_program()).args(command.get_args());
    if let Some(directory) = command.get_current_dir() {
        shell.current_dir(directory);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(Stdio::null());
    shell
}

/// A command under way.
struct Process {
    child: Child,
    stderr: PathBuf,
}

/// A command that has ended, in whichever way.
struct Ended {
    status: ExitStatus,
    stderr: String,
}

impl Process {
    /// What it has said so far.
    fn said(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap()
    }

    /// Sends signals one right after the other; the process may have ended already.
    fn signal(&mut self, names: &[&str]) {
        if self.child.try_wait().unwrap().is_some() {
            return; // its number may be another's by now
        }
        let process = self.child.id();
        let line: Vec<_> = names.iter().map(|name| format!("kill -{name} {process}")).collect();
        let _ = Command::new("sh").args(["-c", &line.join("; ")]).stderr(Stdio::null()).status().unwrap();
    }

    /// Waits until it has said this. Gives false when it ended without.
    fn wait_for(&mut self, text: &str) -> bool {
        loop {
            let has_ended = self.child.try_wait().unwrap().is_some();
            if self.said().contains(text) {
                return true;
            }
            if has_ended {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn wait(mut self) -> Ended {
        let status = self.child.wait().unwrap();
        let stderr = self.said();
        fs::remove_file(&self.stderr).unwrap();
        Ended { status, stderr }
    }
}

/// The last thing said before the first step.
const INTRODUCED: &str = " weights, vocabulary ";
