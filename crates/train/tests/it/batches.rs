//! What bucketing and batches by tokens promise of a whole run: exact steps, and a resumed run that is the same.

use std::cell::Cell;
use std::collections::BTreeMap;

use attentive_data::UNWATCHED;
use attentive_train::{
    AdamConfig, Config, Event, Job, OptimizerConfig, Outcome, Request, RunDir, ScheduleConfig, TrainConfig, Watch, fit,
    prepare,
};

use crate::tiny::{self, weights};

fn configs(directory: &std::path::Path) -> Vec<(&'static str, Config)> {
    let (_, model) = tiny::models().remove(0);
    let optimizer = OptimizerConfig::Adam(AdamConfig { learning_rate: 0.02, sparse: true, ..Default::default() });
    let train = TrainConfig {
        epochs: 4,
        batch_size: 5,
        optimizer,
        schedule: ScheduleConfig::Linear(Default::default()),
        ..TrainConfig::default()
    };
    let of = |bucket_batches, batch_tokens| {
        let train = TrainConfig { bucket_batches, batch_tokens, ..train.clone() };
        tiny::config(directory, model.clone(), train)
    };
    vec![("buckets", of(3, None)), ("tokens", of(1, Some(40))), ("both", of(4, Some(40)))]
}

/// Trains, and stops after so many steps of this sitting. Gives the steps told of and the total announced.
fn sitting(config: &Config, run: &RunDir, stop_after: u64) -> (Outcome, Vec<(u64, f64)>, u64) {
    let prepared = prepare(config, UNWATCHED).unwrap();
    let run = run.clone().lock().unwrap();
    let recovered = run.recover().unwrap();
    let origin = prepared.origin(config, &BTreeMap::new());
    let job = Job { config, prepared: &prepared, origin: &origin, device: &tiny::cpu() };
    let (mut steps, mut total, count) = (Vec::new(), 0, Cell::new(0));
    let mut observer = |event: &Event| match event {
        Event::Start { total_steps, .. } => total = *total_steps,
        Event::Step { step, lr, .. } => {
            count.set(count.get() + 1);
            steps.push((*step, *lr));
        }
        _ => {}
    };
    let mut watch =
        Watch { observer: &mut observer, request: &|| (count.get() >= stop_after).then_some(Request::Stop) };
    let outcome = fit(&run, &job, recovered, &mut watch).unwrap();
    (outcome, steps, total)
}

#[test]
fn steps_are_counted_exactly_and_a_resumed_run_is_the_same() {
    let directory = temp_dir::TempDir::new().unwrap();
    tiny::write_csv(&directory.path().join("train.csv"), &tiny::examples(83, 3));
    for (name, config) in configs(directory.path()) {
        let make = |run: &str| {
            let prepared = prepare(&config, UNWATCHED).unwrap();
            let path = directory.path().join(format!("{name}-{run}"));
            let made = RunDir::create(&path, false).unwrap();
            made.describe(&config, &"a test", &prepared.labels, &prepared.encoder, &prepared.account).unwrap();
            drop(made);
            RunDir::open(&path).unwrap()
        };
        let whole = make("whole");
        let (outcome, steps, total) = sitting(&config, &whole, u64::MAX);
        assert!(matches!(outcome, Outcome::Finished(_)));
        assert_eq!(steps.iter().map(|(step, _)| *step).collect::<Vec<_>>(), (1..=total).collect::<Vec<_>>(), "{name}");
        // The linear schedule ends at nothing in the very last step.
        assert_eq!(steps.last().unwrap().1, 0.0, "{name}");

        let cut = make("cut");
        let mut sittings = Vec::new();
        loop {
            let (outcome, steps, again) = sitting(&config, &cut, 7);
            assert_eq!(again, total);
            sittings.extend(steps);
            if matches!(outcome, Outcome::Finished(_)) {
                break;
            }
        }
        assert_eq!(sittings, steps, "{name}");
        assert!(weights(whole.path()) == weights(cut.path()), "{name}");
    }
}
