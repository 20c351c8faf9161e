//! What bucketing and batches by tokens promise of a whole run: exact steps, and a resumed run that is the same.

use std::cell::Cell;

use attentive_train::{
    AdamConfig, Callbacks, Config, Event, OptimizerConfig, Outcome, Request, Run, ScheduleConfig, TrainConfig,
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

/// Trains, and stops after so many steps from here. Gives the steps told of and the total announced.
fn session(run: &mut Run, stop_after: u64) -> (Outcome, Vec<(u64, f64)>, u64) {
    let (mut steps, mut total, count) = (Vec::new(), 0, Cell::new(0));
    let mut on_event = |event: &Event| match event {
        Event::Start { total_steps, .. } => total = *total_steps,
        Event::Step { step, lr, .. } => {
            count.set(count.get() + 1);
            steps.push((*step, *lr));
        }
        _ => {}
    };
    let request = || (count.get() >= stop_after).then_some(Request::Stop);
    let outcome = run.fit(&mut Callbacks { on_event: &mut on_event, request: &request }).unwrap();
    (outcome, steps, total)
}

#[test]
fn steps_are_counted_exactly_and_a_resumed_run_is_the_same() {
    let directory = temp_dir::TempDir::new().unwrap();
    tiny::write_csv(&directory.path().join("train.csv"), &tiny::examples(83, 3));
    for (name, config) in configs(directory.path()) {
        let path = |run: &str| directory.path().join(format!("{name}-{run}"));
        let make = |run: &str| tiny::new_run(&config).create(&path(run), false).unwrap();
        let (outcome, steps, total) = session(&mut make("whole"), u64::MAX);
        assert!(matches!(outcome, Outcome::Finished(_)));
        assert_eq!(steps.iter().map(|(step, _)| *step).collect::<Vec<_>>(), (1..=total).collect::<Vec<_>>(), "{name}");
        // The linear schedule ends at nothing in the very last step.
        assert_eq!(steps.last().unwrap().1, 0.0, "{name}");

        drop(make("cut"));
        let mut resumed = Vec::new();
        loop {
            let (outcome, steps, again) = session(&mut tiny::resumed(&path("cut")), 7);
            assert_eq!(again, total);
            resumed.extend(steps);
            if matches!(outcome, Outcome::Finished(_)) {
                break;
            }
        }
        assert_eq!(resumed, steps, "{name}");
        assert!(weights(&path("whole")) == weights(&path("cut")), "{name}");
    }
}
