//! The same config gives the same bytes for any number of threads, however often and beside whatever else it is trained.

use std::fs;
use std::process::{Child, Stdio};

use super::{Case, Draws, Model, tell, times};
use crate::directory::{Dir, Finished, reviews, setup};
use crate::resume::assert_same;

const THREADS: [&str; 3] = ["1", "2", "4"];

const MODELS: [(&str, &str); 3] = [
    ("dot", "model.attention.dot={}"),
    ("multi_head", "model.attention.multi_head={n_heads=4,dropout=0.1}"),
    ("transformer", "model.attention.transformer={n_layers=1,n_heads=2,d_feed_forward=128,dropout=0.2}"),
];

/// Large enough for the kernels to use several threads.
const CONFIG: &str = r#"
[data]
train = "train.csv"
validation = "validation.csv"
[model]
max_length = 64
embedding = { dim = 64 }
dropout = 0.1
[train]
epochs = 1
"#;

/// Tables of n-grams with more than 4,194,304 values. Burn's sum of as many depends on the timing of threads, and the norm
/// of the gradient is such a sum: over the values of a wide table, over the rows of a tall one.
const TABLES: [(&str, &str); 2] = [
    ("wide table", "--set model.embedding.dim=64 --set features.buckets=70000"),
    ("tall table", "--set model.embedding.dim=1 --set features.buckets=4300000"),
];

/// The norm decides how far every step goes, and the table has a large part in it: each text is of words of its own.
const LARGE: &str = r#"
[data]
train = "train.csv"
validation = "validation.csv"
[tokenizer.word]
vocab_size = 1000
[features]
word_ngrams = 2
[train]
epochs = 1
batch_size = 64
max_grad_norm = 0.001
optimizer.sgd = { learning_rate = 0.1 }
"#;

/// A directory with texts that fill a batch, and a config.
fn with_long_texts(name: &str, config: &str) -> Dir {
    let dir = setup(name);
    let long = |csv: String| csv.replace("film ", &format!("film {}", "the a was it and ".repeat(12)));
    dir.file("train.csv", long(reviews(192, 3, 1)));
    dir.file("validation.csv", long(reviews(64, 3, 2)));
    dir.file("small.toml", config);
    dir
}

/// Labelled texts of three words that no other text has.
fn rare_words(n: usize, seed: u64) -> String {
    let mut draws = Draws(seed);
    let mut word = || format!("{:x}", draws.next());
    let rows = (0..n).map(|i| format!("{} {} {},{}\n", word(), word(), word(), ["bad", "good", "mixed"][i % 3]));
    rows.fold("text,label\n".to_string(), |csv, row| csv + &row)
}

/// Trains the same with every number of threads and gives the hash of the weights and how many runs there were.
fn train_all(dir: &Dir, backend: &str, set: &str, repeats: usize, at_once: usize) -> (String, usize) {
    let mut first: Option<String> = None;
    let mut n_runs = 0;
    for threads in THREADS {
        for repeat in 0..repeats {
            let names: Vec<_> = (0..at_once).map(|n| format!("runs/{backend}-{threads}-{repeat}-{n}")).collect();
            let started: Vec<_> = names.iter().map(|run| start(dir, run, threads, backend, set)).collect();
            for (child, run) in started.into_iter().zip(names) {
                Finished::of(child.wait_with_output().unwrap()).expect(0, set);
                n_runs += 1;
                if let Some(first) = &first {
                    assert_same(dir, first, &run);
                    fs::remove_dir_all(dir.path(run)).unwrap();
                } else {
                    first = Some(run);
                }
            }
        }
    }
    let report = dir.json(format!("{}/report.json", first.expect("there were runs")));
    (report["weights_sha256"].as_str().unwrap()[..16].to_string(), n_runs)
}

fn start(dir: &Dir, run: &str, threads: &str, backend: &str, set: &str) -> Child {
    let line = format!("train small.toml --run-dir {run} --backend {backend} {set}");
    let mut command = dir.command(line.split_whitespace());
    command.env("RAYON_NUM_THREADS", threads).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Begun on one core and finished on all, and the other way round: the run is the one that was never stopped.
#[cfg(target_os = "linux")]
#[test]
fn a_run_resumes_on_another_number_of_cores() {
    const FREE: &str = "unset RAYON_NUM_THREADS";
    let cores = std::thread::available_parallelism().unwrap().get();
    let has_taskset = std::process::Command::new("taskset").arg("--version").output().is_ok();
    if cores < 2 || !has_taskset {
        return eprintln!("skipped: there is one core, or no `taskset`");
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim();
    let first: String = allowed.chars().take_while(char::is_ascii_digit).collect();
    let one = format!("{FREE}; taskset -pc {first} $$ > /dev/null");
    let case = Case::new("affinity", Model::Averaged);
    for (begin, finish) in [(one.as_str(), FREE), (FREE, one.as_str())] {
        let mut process = case.start_in_shell(begin, &case.train("runs/moved"));
        assert!(process.wait_for("step 40/"), "it was done before it was stopped");
        process.child.kill().unwrap();
        drop(process.wait());
        let ended = case.start_in_shell(finish, &case.go_on("runs/moved")).wait();
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        case.is_whole("runs/moved");
        case.clear("runs/moved");
    }
    tell(&format!("threads: begun on 1 core and resumed on {cores}, and the reverse: bit-identical"));
}

#[test]
fn the_same_config_gives_the_same_bytes_for_any_number_of_threads() {
    let (repeats, at_once) = (times(1, 5), times(1, 2));
    for (backend, built) in [("flex", cfg!(feature = "flex")), ("ndarray", cfg!(feature = "ndarray"))] {
        if !built {
            eprintln!("skipped: this build does not hold the backend `{backend}`");
            continue;
        }
        for (name, set) in MODELS {
            let dir = with_long_texts("threads", CONFIG);
            let (hash, n_runs) = train_all(&dir, backend, &format!("--set {set}"), repeats, at_once);
            tell(&format!("threads, {name} on {backend}: {n_runs} runs with 1, 2 and 4 threads, one hash, {hash}"));
        }
    }
}

#[cfg(feature = "flex")]
#[test]
fn a_tensor_of_more_than_four_million_values_has_one_sum() {
    for (name, set) in TABLES {
        let dir = setup("large");
        dir.file("train.csv", rare_words(640, 1));
        dir.file("validation.csv", rare_words(64, 2));
        dir.file("small.toml", LARGE);
        let (hash, n_runs) = train_all(&dir, "flex", set, times(1, 5), times(1, 2));
        tell(&format!("threads, {name}: {n_runs} runs with 1, 2 and 4 threads, one hash, {hash}"));
    }
}
