//! Resuming with every part of a run's state in play: averages, selections, thresholds, schedules, sparse moments.

use crate::directory::{CONFIG, Dir, Finished, reviews, setup, with_data};
use crate::resume::{assert_same, interrupt, interrupted_step};

/// What needs state beyond weights and moments, or draws at random.
const TRAIN: &str = r#"
ema = 0.9
average_best = 2
threshold = "tuned"
monitor = "loss"
schedule.plateau = { patience = 1, min_delta = 0.5, factor = 0.5 }
accumulation_steps = 2
label_smoothing = 0.1
class_weights = "balanced"
learning_rates = { embedding = 0.02 }
checkpoint_every = 4
"#;

/// (name, lines of `[model]`, sections behind)
const RUNS: [(&str, &str, &str); 2] = [
    (
        "n-grams",
        "dropout = 0.1\npooling = \"attention\"\npositions = \"rotary\"\nattention.multi_head = { n_heads = 2, dropout = 0.1 }",
        "[features]\nword_ngrams = 2\ncharacter_ngrams = { min = 3, max = 4 }\nbuckets = 2000\n",
    ),
    ("frozen", "dropout = 0.1\nattention.transformer = { n_layers = 1, n_heads = 2, d_feed_forward = 16 }", ""),
];

/// A directory with a run's data and config: 40 steps an epoch, 4 epochs.
fn with_run(name: &str, (run, model, sections): (&str, &str, &str)) -> Dir {
    let dir = with_data(&format!("{name}-{run}"), 2);
    dir.file("train.csv", reviews(320, 2, 1));
    dir.file("words.vec", "great 1 0 0 0 0 0 0 1\nawful 0 1 0 0 0 0 0 1\n");
    let frozen = "{ dim = 8, vectors = \"words.vec\", frozen = true }";
    let config = CONFIG
        .replace("epochs = 2", "epochs = 4")
        .replace("learning_rate = 0.05", "learning_rate = 0.05, sparse = true")
        .replace(
            "embedding = { dim = 8 }",
            &format!("embedding = {}\n{model}", if run == "frozen" { frozen } else { "{ dim = 8 }" }),
        );
    let train = if run == "frozen" { TRAIN.replace("embedding = 0.02", "head = 0.02") } else { TRAIN.to_string() };
    dir.file("small.toml", format!("{config}{train}{sections}"));
    dir
}

#[test]
fn interrupted_runs_end_with_the_same_bits() {
    for run in RUNS {
        let dir = with_run("resume-options", run);
        dir.ok("train small.toml --run-dir runs/whole");
        let rates: Vec<f64> = dir
            .text("runs/whole/metrics.jsonl")
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["lr"].as_f64())
            .collect();
        assert!(rates[0] == 0.05 && rates[rates.len() - 1] < 0.05, "the plateau was met: {rates:?}");
        // Within the first epoch, and after some epochs are among the best.
        let mut line = "train small.toml --run-dir runs/cut --verbose".to_string();
        let mut steps = vec![0];
        for saves in [2, 22] {
            let finished = interrupt(&dir, &line, saves, "INT");
            if finished.code == Some(0) {
                break; // it ended before the signal came
            }
            steps.push(interrupted_step(&finished));
            line = "resume runs/cut --verbose".to_string();
        }
        assert!(steps.len() > 1 && steps.is_sorted(), "{steps:?}");
        dir.ok("resume runs/cut");
        assert_same(&dir, "runs/whole", "runs/cut");
        let answers = |run: &str| dir.pipe(&format!("predict {run} --json"), "a great film\nawful\n").stdout;
        assert_eq!(answers("runs/cut"), answers("runs/whole"));
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for (name, model, sections) in RUNS {
        // Large enough for the kernels to use several threads.
        let dir = setup("threads-options");
        let long = |csv: String| csv.replace("film ", &"film the a was it and ".repeat(12));
        dir.file("train.csv", long(reviews(192, 2, 1)));
        dir.file("validation.csv", long(reviews(64, 2, 2)));
        dir.file("words.vec", format!("great{0}\nawful{0}\n", " 1 0 0 0.5".repeat(16)));
        let embedding = if name == "frozen" { ", vectors = \"words.vec\", frozen = true" } else { "" };
        let train = TRAIN.replace("embedding = 0.02", "head = 0.02");
        dir.file(
            "small.toml",
            format!(
                "[data]\ntrain = \"train.csv\"\nvalidation = \"validation.csv\"\n[model]\nmax_length = 64\nembedding = {{ dim = 64{embedding} }}\n{model}\n\
                 [train]\nepochs = 2\noptimizer.adam = {{ sparse = true }}\n{train}{sections}"
            ),
        );
        for threads in ["1", "2", "4"] {
            let mut command = dir.command(["train", "small.toml", "--run-dir", &format!("runs/{threads}")]);
            command.env("RAYON_NUM_THREADS", threads);
            Finished::of(command.output().unwrap()).expect(0, name);
            assert_same(&dir, "runs/1", &format!("runs/{threads}"));
        }
    }
}
