//! Checkpoints on a real disk: what is saved is loaded, and nothing else is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::manifest::{CheckpointManifest, MANIFEST, MAX_BYTES};
use super::*;
use crate::checkpoint::selection::Best;
use crate::config::Config;
use crate::origin::{Difference, keys};
use crate::storage::hashed::sha256;

fn origin() -> Origin {
    let text = |text: &str| text.to_string();
    Origin {
        config: BTreeMap::from([(text("seed"), Value::from(7)), (text("train.epochs"), Value::from(2))]),
        data: BTreeMap::new(),
        tokenizer: text("t"),
        labels: text("l"),
        vectors: None,
        start: None,
        linear: None,
        build: BTreeMap::from([(text("burn"), text("0"))]),
    }
}

fn snapshot(step: u64) -> Snapshot<'static> {
    Snapshot::of(format!("weights of step {step}").into_bytes(), format!("moments of {step}").into_bytes())
}

fn store(directory: &Path) -> Store<'static> {
    Store::new(directory.to_path_buf())
}

fn save(directory: &Path, step: u64) -> PathBuf {
    let state = State { step, ..State::default() };
    store(directory).save(&state, &origin(), &snapshot(step)).unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_saved_is_loaded() {
    let directory = temp_dir::TempDir::new().unwrap();
    let mut selection = Selection::default();
    selection.observe(Best { step: 3, epoch: 1, value: 0.1 + 0.2, weights_sha256: "w".to_string() }, 2, 0.0);
    let running = Running { loss: 1.0 / 3.0, correct: 2, examples: 5 };
    let non_finite = NonFinite { skipped: 3, in_a_row: 1, rollbacks: 1 };
    let difference = Difference { field: "seed".to_string(), was: Some(Value::from(1)), is: None };
    let state = State {
        step: 7,
        epoch: 2,
        selection,
        thresholds: vec![0.1],
        running,
        non_finite,
        last_scheduled: Some(6),
        last_good: Some(5),
        changes: vec![Change { step: 4, difference }],
        ..State::default()
    };
    store(directory.path()).save(&state, &origin(), &snapshot(7)).unwrap();
    let loaded = store(directory.path()).load(7).unwrap();
    assert_eq!(loaded.state, state);
    assert_eq!((loaded.snapshot(), &loaded.origin), (snapshot(7), &origin()));
    assert_eq!(names(directory.path()), ["step-0000000007"], "nothing temporary stays");
}

/// Every damage of one byte or of the end, in every file, with the checkpoint before as what is used instead.
#[test]
fn every_flipped_bit_and_every_truncation_is_noticed_and_the_one_before_is_used() {
    let directory = temp_dir::TempDir::new().unwrap();
    save(directory.path(), 1);
    let path = save(directory.path(), 2);
    let mut damages = 0;
    let mut falls_back = |what: &str| {
        damages += 1;
        let found = store(directory.path()).newest().unwrap();
        assert_eq!(found.checkpoint.unwrap().snapshot(), snapshot(1), "{what}");
        assert_eq!(found.damaged.len(), 1, "{what}");
    };
    for name in [WEIGHTS, MOMENTS, STATE, MANIFEST] {
        let file = path.join(name);
        let intact = fs::read(&file).unwrap();
        for bit in 0..intact.len() * 8 {
            let mut flipped = intact.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, &flipped).unwrap();
            falls_back(&format!("bit {bit} of {name}"));
        }
        for length in 0..intact.len() {
            fs::write(&file, &intact[..length]).unwrap();
            falls_back(&format!("{name} cut to {length}"));
        }
        fs::write(&file, [&intact[..], b"\0"].concat()).unwrap();
        falls_back(&format!("{name} with a byte more"));
        fs::write(&file, vec![0; intact.len()]).unwrap();
        falls_back(&format!("{name} zeroed"));
        fs::remove_file(&file).unwrap();
        falls_back(&format!("{name} removed"));
        fs::create_dir(&file).unwrap();
        falls_back(&format!("{name} as a directory"));
        fs::remove_dir(&file).unwrap();
        fs::copy(directory.path().join("step-0000000001").join(name), &file).unwrap();
        falls_back(&format!("{name} of another checkpoint"));
        fs::write(&file, &intact).unwrap();
    }
    println!("{damages} damages of a checkpoint, all noticed, the one before used each time");
    assert_eq!(store(directory.path()).newest().unwrap().checkpoint.unwrap().snapshot(), snapshot(2));
}

#[test]
fn a_checkpoint_under_the_name_of_another_step_is_not_that() {
    let directory = temp_dir::TempDir::new().unwrap();
    let path = save(directory.path(), 1);
    fs::rename(path, directory.path().join("step-0000000009")).unwrap();
    let error = store(directory.path()).load(9).unwrap_err().to_string();
    assert!(error.ends_with("MANIFEST.json` is damaged: it is that of step 1"), "{error}");
}

#[test]
fn no_checkpoint_and_only_damaged_ones_are_different_things() {
    let directory = temp_dir::TempDir::new().unwrap();
    let store = store(directory.path());
    assert!(store.newest().unwrap().checkpoint.is_none());
    let path = save(directory.path(), 1);
    fs::write(path.join(STATE), b"").unwrap();
    let all_damaged = |error: CheckpointError| match error {
        CheckpointError::AllDamaged { damaged, aside } => (damaged.len(), aside.len()),
        other => panic!("{other}"),
    };
    assert_eq!(all_damaged(store.newest().unwrap_err()), (1, 0));
    // That one was set aside does not make the run a new one.
    assert_eq!(store.set_aside(1).unwrap(), directory.path().join("step-0000000001.corrupt"));
    assert_eq!(all_damaged(store.newest().unwrap_err()), (0, 1));
    // The same step may be damaged again.
    save(directory.path(), 1);
    assert_eq!(store.set_aside(1).unwrap(), directory.path().join("step-0000000001-2.corrupt"));
}

#[test]
fn the_last_ones_and_the_wanted_are_kept() {
    let directory = temp_dir::TempDir::new().unwrap();
    for step in [5, 10, 15, 20, 25] {
        save(directory.path(), step);
    }
    let store = store(directory.path());
    store.retain(2, |step| step == 5).unwrap();
    assert_eq!(store.steps().unwrap(), [25, 20, 5]);
    store.remove_after(20).unwrap();
    assert_eq!(names(directory.path()), ["step-0000000005", "step-0000000020"]);
}

#[test]
fn what_was_cut_off_is_no_checkpoint_and_is_swept() {
    let directory = temp_dir::TempDir::new().unwrap();
    for left in [".tmp-step-0000000003", ".trash-step-0000000001"] {
        let left = directory.path().join(left);
        fs::create_dir(&left).unwrap();
        fs::write(left.join(WEIGHTS), b"half").unwrap();
    }
    assert!(store(directory.path()).steps().unwrap().is_empty());
    store(directory.path()).sweep().unwrap();
    assert!(names(directory.path()).is_empty());
}

#[test]
fn a_save_that_fails_leaves_the_checkpoints_as_they_were() {
    let directory = temp_dir::TempDir::new().unwrap();
    save(directory.path(), 1);
    // A directory that is not empty cannot be replaced.
    fs::create_dir(directory.path().join("step-0000000002")).unwrap();
    fs::write(directory.path().join("step-0000000002/mine"), b"").unwrap();
    let state = State { step: 2, ..State::default() };
    let error = store(directory.path()).save(&state, &origin(), &snapshot(2)).unwrap_err();
    assert!(matches!(error, CheckpointError::Io { action: "rename", .. }), "{error}");
    assert_eq!(names(directory.path()), ["step-0000000001", "step-0000000002"]);
    assert_eq!(store(directory.path()).load(1).unwrap().snapshot(), snapshot(1));
}

/// Files that are large enough to be written and hashed by several threads.
#[test]
fn a_large_checkpoint_is_saved_like_a_small_one() {
    let directory = temp_dir::TempDir::new().unwrap();
    let bytes = |n: usize, salt: usize| (0..n).map(|i| (i * 31 + salt) as u8).collect::<Vec<u8>>();
    let large = || Snapshot::of(bytes(3 << 20, 1), bytes((5 << 20) + 3, 2));
    let store = store(directory.path());
    let state = State { step: 4, ..State::default() };
    store.save(&state, &origin(), &large()).unwrap();
    assert!(store.load(4).unwrap().snapshot() == large());
    let false_hash = Snapshot { moments_sha256: sha256(b"others"), ..large() };
    let error = store.save(&State { step: 5, ..State::default() }, &origin(), &false_hash).unwrap_err();
    assert!(matches!(&error, CheckpointError::Damaged { path, .. } if path.ends_with(MOMENTS)), "{error}");
    // What is in the way of a file is told with its place.
    fs::create_dir_all(directory.path().join(".tmp-step-0000000006").join(WEIGHTS)).unwrap();
    let error = store.save(&State { step: 6, ..State::default() }, &origin(), &large()).unwrap_err();
    assert!(matches!(&error, CheckpointError::Io { action: "write", path, .. } if path.ends_with(WEIGHTS)), "{error}");
}

#[test]
fn a_file_whose_parser_panics_is_damaged() {
    assert_eq!(
        guarded(|| -> Result<(), String> { panic!("at the first byte") }),
        Err("its parser gave up on it".into())
    );
}

#[test]
fn a_file_that_is_read_alone_is_verified_alone() {
    let directory = temp_dir::TempDir::new().unwrap();
    let tensor = |name: &str| Weight { name: name.to_string(), shape: vec![3], values: vec![1.0, -2.0, 0.5] };
    let (weight, moment) = (tensor("w"), tensor("w.momentum"));
    let saved = Snapshot::new(vec![NamedTensor::from(&weight)], vec![NamedTensor::from(&moment)]).unwrap();
    let store = store(directory.path());
    let path = store.save(&State { step: 3, ..State::default() }, &origin(), &saved).unwrap();
    let whole = |name: &str| {
        let glance = store.glance(3)?;
        if name == WEIGHTS { store.weights(&glance) } else { store.moments(&glance) }
    };
    assert_eq!(whole(WEIGHTS).unwrap(), [tensor("w")]);
    assert_eq!(whole(MOMENTS).unwrap(), [tensor("w.momentum")]);
    for (name, other) in [(WEIGHTS, MOMENTS), (MOMENTS, WEIGHTS)] {
        let bytes = fs::read(path.join(name)).unwrap();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(path.join(name), flipped).unwrap();
            let error = whole(name).unwrap_err();
            assert!(matches!(&error, CheckpointError::Damaged { path: of, .. } if *of == path.join(name)), "{error}");
            assert!(whole(other).is_ok() && store.load(3).is_err());
        }
        // A file that is missing or cut off makes the whole checkpoint a damaged one, whatever is read of it.
        fs::write(path.join(name), &bytes[1..]).unwrap();
        assert!(store.glance(3).is_err() && store.newest_at_a_glance().is_err());
        fs::remove_file(path.join(name)).unwrap();
        assert!(store.glance(3).is_err());
        fs::write(path.join(name), &bytes).unwrap();
    }
    assert_eq!(store.newest_at_a_glance().unwrap().checkpoint.unwrap().weights_sha256, saved.weights_sha256);
}

/// One difference for each thing that a run is made from.
#[test]
fn every_difference_is_named_and_only_more_epochs_are_free() {
    let now = Origin {
        config: BTreeMap::from([("seed".to_string(), Value::from(8)), ("train.epochs".to_string(), Value::from(3))]),
        data: BTreeMap::from([(attentive_data::Split::Test, "x".to_string())]),
        tokenizer: "u".to_string(),
        labels: "m".to_string(),
        vectors: Some("w".to_string()),
        start: Some("s".to_string()),
        linear: None,
        build: BTreeMap::from([("burn".to_string(), "1".to_string())]),
    };
    let was = Origin { vectors: Some("v".to_string()), ..origin() };
    let differences = was.differences(&now);
    let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "seed: was 7, is 8",
            "train.epochs: was 2, is 3",
            "data.test.examples: was not there",
            "tokenizer: not the same",
            "labels: not the same",
            "vectors: not the same",
            "start: was not there",
            "build.burn: was \"0\", is \"1\"",
        ]
    );
    let free: Vec<bool> = differences.iter().map(Difference::is_free).collect();
    assert_eq!(free, [false, true, false, false, false, false, false, false]);
    assert!(!now.differences(&origin())[1].is_free(), "fewer epochs are not free");
    let allowed = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        differences.iter().map(|difference| difference.is_allowed(&names)).collect::<Vec<_>>()
    };
    assert_eq!(allowed(&["build", "data.test"]), [false, false, true, false, false, false, false, true]);
    assert_eq!(allowed(&["see", "token", "train"]), [false, true, false, false, false, false, false, false]);
    assert_eq!(allowed(&["vectors"]), [false, false, false, false, false, true, false, false]);
}

/// What an earlier program did not record cannot have changed.
#[test]
fn vectors_that_were_not_recorded_are_no_difference() {
    let now = Origin { vectors: Some("w".to_string()), ..origin() };
    assert_eq!(origin().differences(&now), []);
    let bytes = serde_json::to_string(&origin()).unwrap();
    assert!(!bytes.contains("vectors"), "{bytes}");
    assert_eq!(serde_json::from_str::<Origin>(&bytes).unwrap(), origin());
}

/// The threads of a CPU decide no bits, whichever number an earlier version wrote down; which GPU it was may.
#[test]
fn another_number_of_threads_is_no_difference_and_another_gpu_is() {
    let on = |device: Option<&str>| {
        let device = device.map(|device| ("device".to_string(), device.to_string()));
        Origin { build: BTreeMap::from_iter(device), ..origin() }
    };
    for (was, is) in
        [("2 threads", None), ("1 thread", Some("128 threads")), ("CPU", None), ("64 threads", Some("CPU"))]
    {
        assert_eq!(on(Some(was)).differences(&on(is)), [], "{was}");
    }
    let told = |was, is| on(was).differences(&on(is)).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told(Some("NVIDIA L4"), Some("NVIDIA T4")), ["build.device: was \"NVIDIA L4\", is \"NVIDIA T4\""]);
    assert_eq!(told(Some("NVIDIA L4"), None), ["build.device: was \"NVIDIA L4\", is not there"]);
    assert_eq!(told(Some("2 threads"), Some("NVIDIA T4")), ["build.device: was not there, is \"NVIDIA T4\""]);
}

/// A run of an earlier program lacks the keys that have come since. They count once they are used.
#[test]
fn a_key_that_was_not_known_is_no_difference_while_it_has_its_default() {
    let mut config = Config { seed: 8, ..Config::default() };
    let now = keys(&config);
    for key in ["train.init_names", "model.attention.dot.use_scale", "train.optimizer.adam.beta_1"] {
        let mut was = Origin::of_config(&config);
        assert!(was.config.remove(key).is_some(), "{key} is a key");
        assert_eq!(was.config_differences(&now), []);
    }
    let mut was = Origin::of_config(&config);
    was.config.remove("model.dropout");
    was.config.remove("seed");
    config.model.dropout = 0.5;
    let told = was.config_differences(&keys(&config)).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told, ["model.dropout: was not there, is 0.5", "seed: was not there, is 8"]);
}

/// The config is the largest part of a manifest: here as long as one may be, in short keys, which become longest.
#[test]
fn the_manifest_of_the_longest_config_can_be_read() {
    let mut config = Config::default();
    config.data.rename = (0..84_000).map(|i| (format!("{i:05}"), "b".to_owned())).collect();
    assert!(config.check_size().is_ok() && config.to_toml().len() > 1_000_000, "{}", config.to_toml().len());
    let origin = Origin { config: keys(&config), ..origin() };
    let bytes = CheckpointManifest::new(1, &origin).to_bytes().unwrap();
    assert!((bytes.len() as u64) < MAX_BYTES, "{}", bytes.len());
    assert_eq!(CheckpointManifest::from_bytes(&bytes).unwrap().origin, origin);
}
