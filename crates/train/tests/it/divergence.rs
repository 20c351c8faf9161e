//! What becomes of losses and gradients that are no finite numbers: skipped, gone back from, told of, and never saved.

use std::fs;
use std::path::Path;

use attentive_model::{AttentionConfig, NoneConfig};
use attentive_train::{
    AdamConfig, Callbacks, Config, Event, OptimizerConfig, Outcome, Predictor, Request, RunDir, SgdConfig, TrainConfig,
    TrainError,
};

use crate::tiny::{self, metrics, weights};

/// Forty examples in five steps an epoch, with a checkpoint after each.
fn config(directory: &Path, learning_rate: f64, epochs: u64) -> Config {
    tiny::write_csv(&directory.join("train.csv"), &tiny::examples(40, 6));
    let (_, model) = tiny::models().remove(0);
    let train = TrainConfig {
        epochs,
        batch_size: 8,
        log_every: 1,
        checkpoint_every: Some(1),
        keep_checkpoints: 1000,
        optimizer: OptimizerConfig::Sgd(SgdConfig { learning_rate, ..SgdConfig::default() }),
        ..TrainConfig::default()
    };
    tiny::config(directory, model, train)
}

/// Trains in a new run directory and gives what was told of.
fn train(config: &Config, path: &Path) -> (Result<Outcome, TrainError>, Vec<Event>) {
    let mut run = tiny::new_run(config).create(path, false).unwrap();
    let mut events = Vec::new();
    let mut on_event = |event: &Event| events.push(event.clone());
    let outcome = run.fit(&mut Callbacks { on_event: &mut on_event, request: &|| None });
    (outcome, events)
}

fn rollbacks(events: &[Event]) -> Vec<(u64, u64, f64)> {
    let rolled_back = |event: &Event| match event {
        Event::RolledBack { from, to, scale } => Some((*from, *to, *scale)),
        _ => None,
    };
    events.iter().filter_map(rolled_back).collect()
}

/// One example in each epoch whose loss is not finite, because of a vector that came with it.
#[test]
fn a_step_that_is_not_finite_changes_nothing_and_is_counted() {
    let directory = temp_dir::TempDir::new().unwrap();
    let mut config = config(directory.path(), 0.1, 3);
    let mut examples = tiny::examples(39, 6);
    examples.push(("boom boom".to_string(), "bad"));
    tiny::write_csv(&directory.path().join("train.csv"), &examples);
    fs::write(directory.path().join("words.vec"), format!("boom{}\n", " 1e25".repeat(8))).unwrap();
    config.model.embedding.vectors = Some(directory.path().join("words.vec"));
    let path = directory.path().join("run");
    let (outcome, events) = train(&config, &path);
    let Outcome::Finished(report) = outcome.unwrap() else { panic!("not finished") };
    assert_eq!((report.skipped_steps, report.rollbacks), (3, 0));

    let skipped: Vec<u64> = metrics(&path)
        .iter()
        .filter(|line| line.get("skipped").is_some_and(|what| what == "what the model makes of the texts (the logits)"))
        .map(|line| line["step"].as_u64().unwrap())
        .collect();
    assert_eq!(skipped.iter().map(|step| (step - 1) / 5).collect::<Vec<_>>(), [0, 1, 2], "one in each epoch");
    let file = |step: u64, name: &str| fs::read(path.join(format!("checkpoints/step-{step:010}/{name}"))).unwrap();
    for step in skipped.into_iter().filter(|&step| step > 1) {
        assert!(file(step, "model.safetensors") == file(step - 1, "model.safetensors"), "step {step}");
        assert!(file(step, "optimizer.bpk") == file(step - 1, "optimizer.bpk"), "step {step}");
    }
    assert!(rollbacks(&events).is_empty());
}

#[test]
fn a_run_that_diverges_goes_back_twice_and_ends_with_the_places_of_its_examples() {
    let directory = temp_dir::TempDir::new().unwrap();
    let path = directory.path().join("run");
    let (outcome, events) = train(&config(directory.path(), 1e30, 5), &path);
    // The first step is finite and what it makes is not: the checkpoint after it is never proven.
    assert_eq!(rollbacks(&events), [(6, 0, 0.5), (6, 0, 0.25)]);
    let error = outcome.unwrap_err();
    let TrainError::Diverged { step: 6, epoch: 2, rollbacks: 2, examples, .. } = &error else { panic!("{error}") };
    assert_eq!(examples.matches("train.csv:").count(), 8, "{examples}");
    assert!(error.to_string().contains("is not finite, after going back 2 times"), "{error}");
    assert!(weights(&path).iter().all(|weight| weight.values.iter().all(|value| value.is_finite())));
}

#[test]
fn weights_that_are_not_finite_are_never_saved() {
    let directory = temp_dir::TempDir::new().unwrap();
    let path = directory.path().join("run");
    let (outcome, events) = train(&config(directory.path(), 1e42, 5), &path);
    assert_eq!(rollbacks(&events).len(), 2);
    let error = outcome.unwrap_err();
    assert!(matches!(&error, TrainError::Diverged { step: 1, epoch: 1, .. }), "{error}");
    assert!(error.to_string().contains("`attention") || error.to_string().contains("`embedding"), "{error}");
    let run = RunDir::open(&path).unwrap();
    let error = Predictor::load(&run, &tiny::cpu()).unwrap_err();
    assert!(error.to_string().ends_with("has no checkpoint yet"), "{error}");
}

/// Adam moves every weight by about its learning rate, so that here the logits overflow within some steps, and with a
/// lower rate they do not.
fn on_the_edge(directory: &Path) -> Config {
    let mut config = config(directory, 8e18, 2);
    config.model.attention = AttentionConfig::None(NoneConfig {});
    config.train.optimizer = OptimizerConfig::Adam(AdamConfig { learning_rate: 8e18, ..AdamConfig::default() });
    config.train.checkpoint_every = None;
    config.train.max_skipped = 1;
    config
}

/// A resumed run reads its vectors only when it goes back to its start, and then they must be the same.
#[test]
fn a_resumed_run_goes_back_to_the_vectors_that_it_started_from() {
    let directory = temp_dir::TempDir::new().unwrap();
    let mut config = on_the_edge(directory.path());
    let vectors = directory.path().join("words.vec");
    let text = "film 1 2 3 4 5 6 7 8\ndull -1 2 0.5 7 3 -4 1 1e-3\n";
    fs::write(&vectors, text).unwrap();
    config.model.embedding.vectors = Some(vectors.clone());
    let whole = directory.path().join("whole");
    let (outcome, events) = train(&config, &whole);
    let Outcome::Finished(_) = outcome.unwrap() else { panic!("not finished") };
    assert_eq!(rollbacks(&events).len(), 1, "{events:?}");

    let resumed = |name: &str, vectors_then: &str| {
        fs::write(&vectors, text).unwrap();
        let path = directory.path().join(name);
        let mut run = tiny::new_run(&config).create(&path, false).unwrap();
        let outcome = tiny::fit(&mut run, &|| Some(Request::Stop)).unwrap();
        assert_eq!(outcome, Outcome::Interrupted { step: Some(1) });
        let covered = run.setup().prepared().account.vectors.clone();
        drop(run);

        fs::write(&vectors, vectors_then).unwrap();
        let mut run = tiny::resumed(&path);
        let prepared = run.setup().prepared();
        assert_eq!((&prepared.vectors, &prepared.account.vectors), (&None, &covered), "nothing was read");
        tiny::fit(&mut run, &|| None)
    };
    resumed("resumed", text).unwrap();
    for file in ["metrics.jsonl", "report.json"] {
        assert_eq!(fs::read(directory.path().join("resumed").join(file)).unwrap(), fs::read(whole.join(file)).unwrap());
    }
    let error = resumed("swapped", "film 8 7 6 5 4 3 2 1\n").unwrap_err();
    assert!(matches!(&error, TrainError::NoWayBack { path } if *path == vectors), "{error}");
}

#[test]
fn a_run_that_goes_back_may_go_on_with_a_lower_learning_rate() {
    let directory = temp_dir::TempDir::new().unwrap();
    let mut config = on_the_edge(directory.path());
    let path = directory.path().join("run");
    let (outcome, events) = train(&config, &path);
    let Outcome::Finished(report) = outcome.unwrap() else { panic!("not finished") };
    let [(_, 0, 0.5)] = rollbacks(&events)[..] else { panic!("{:?}", rollbacks(&events)) };
    assert_eq!((report.rollbacks, report.skipped_steps), (1, 0));
    // What the log has of the first attempt is gone, but for that there was one.
    let steps: Vec<u64> = metrics(&path).iter().filter_map(|line| line.get("lr").and(line["step"].as_u64())).collect();
    assert_eq!(steps, (1..=10).collect::<Vec<_>>());

    // Checkpoints that a signal asks for are nothing to go back to, and change nothing.
    config.name = "besides".to_string();
    let besides = directory.path().join("besides");
    let mut run = tiny::new_run(&config).create(&besides, false).unwrap();
    tiny::fit(&mut run, &|| Some(Request::Save)).unwrap();
    assert_eq!(fs::read(besides.join("metrics.jsonl")).unwrap(), fs::read(path.join("metrics.jsonl")).unwrap());
    assert_eq!(fs::read(besides.join("report.json")).unwrap(), fs::read(path.join("report.json")).unwrap());
}
