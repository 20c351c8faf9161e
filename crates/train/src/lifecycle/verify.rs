//! Whether a run is what it says: every file against the hashes that its checkpoints keep, and its first steps trained once
//! more and compared.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use attentive_data::thousands;
use burn::tensor::Device;
use serde_json::Value;

use crate::checkpoint::{Checkpoint, Newest, Store, directory_name};
use crate::config::Config;
use crate::error::io_error;
use crate::error::{CheckpointError, TrainError};
use crate::evaluation::predictor::Predictor;
use crate::lifecycle::stages::{Machine, PreparedRun, Preparing};
use crate::origin::{deciding, keys};
use crate::preparation::prepare::{Held, SplitAccount};
use crate::run::RunDir;
use crate::run::metrics_log::is_intact;
use crate::storage::encoded::sha256_of;
use crate::storage::hashed::sha256;
use crate::trainer::fit;
use crate::training::event::Event;
use crate::training::job::{Callbacks, Job, Report, Request};
use crate::training::recovery::Recovered;

/// By how much a loss may differ where a backend does not promise bits, relative to it.
const TOLERANCE: f64 = 1e-3;

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFinding {
    /// What, as a path in the run directory.
    pub what: String,
    /// What it is, or what is wrong with it.
    pub result: Result<String, String>,
}

/// A line of `metrics.jsonl`, and the same line of a replay.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The step after which.
    pub step: u64,
    /// The mean loss of the epoch so far, as the run logged it; NaN where it logged none, as a linear part alone without validation.
    pub loss: f64,
    /// The SHA-256 of the weights, where the run logged it.
    pub weights_sha256: Option<String>,
    /// The key that differs, what the run logged and what the replay has; `None` if all is the same.
    pub difference: Option<(String, Value, Value)>,
}

/// Looks at every file of a run. Changes nothing.
///
/// # Errors
/// When the directory is no run, has no checkpoint at all, or cannot be read. What is damaged is a finding, not an error.
pub fn verify_files(run: &RunDir, device: &Device) -> Result<Vec<FileFinding>, TrainError> {
    let store = Store::new(run.checkpoints());
    let (mut findings, newest) = verify_checkpoints(&store, "")?;
    let of_weights = run.of_weights()?;
    if of_weights.path() != run.path() {
        findings.extend(verify_checkpoints(&Store::new(of_weights.checkpoints()), "refit/")?.0);
    }
    let mut find =
        |what: &str, result: Result<String, String>| findings.push(FileFinding { what: what.to_string(), result });
    let Some(newest) = newest else {
        return match store.newest() {
            Err(error) => Err(error.into()),
            Ok(_) => Err(CheckpointError::None { path: run.path().to_path_buf() }.into()),
        };
    };
    let made_from = |name: &str, is: bool| match is {
        true => Ok("what the checkpoints were made from".to_string()),
        false => Err(format!("`{name}` is not what the checkpoints were made from")),
    };
    let told = |error: TrainError| error.to_string();
    find(
        "config.toml",
        match run.config() {
            Err(error) => Err(told(error)),
            Ok(config) => {
                let differences = newest.origin.config_differences(&keys(&config));
                match differences.is_empty() {
                    true => made_from("config.toml", true),
                    false => Err(differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
                }
            }
        },
    );
    let hashed = |text: String, hash: &str, name: &str| made_from(name, sha256(text.as_bytes()) == hash);
    find(
        "tokenizer.json",
        run.encoder()
            .map_err(told)
            .and_then(|encoder| hashed(encoder.to_json(), &newest.origin.tokenizer, "tokenizer.json")),
    );
    find(
        "labels.json",
        run.labels().map_err(told).and_then(|labels| hashed(labels.to_json(), &newest.origin.labels, "labels.json")),
    );
    if let Some(expected) = &newest.origin.linear {
        let is = run.linear()?.is_some_and(|files| files.sha256() == *expected);
        find("linear.safetensors", made_from("linear.safetensors` or `ngrams.json", is));
    }
    find(
        "split.json",
        run.split::<SplitAccount>()
            .map_err(told)
            .and_then(|account| made_from("split.json", account.manifest.fingerprints() == newest.origin.data)),
    );
    find(
        "versions.json",
        run.versions::<BTreeMap<String, String>>()
            .map_err(told)
            .and_then(|versions| made_from("versions.json", deciding(&versions) == deciding(&newest.origin.build))),
    );
    find(
        "metrics.jsonl",
        match is_intact(&run.metrics(), &newest.state)? {
            true => {
                Ok(format!("intact, {} bytes known to the newest checkpoint", thousands(newest.state.metrics_bytes)))
            }
            false => Err("`metrics.jsonl` is not what the newest checkpoint knows of it".to_string()),
        },
    );
    if let Some(report) = run.report::<Report>()? {
        find("report.json", verify_report(run, &report, device));
    }
    Ok(findings)
}

/// Looks at every checkpoint, and gives the newest intact one too.
fn verify_checkpoints(store: &Store, within: &str) -> Result<(Vec<FileFinding>, Option<Checkpoint>), TrainError> {
    let (mut findings, mut newest) = (Vec::new(), None);
    for step in store.steps()?.into_iter().rev() {
        let result = match store.load(step) {
            Ok(checkpoint) => {
                let tensors = checkpoint.weights().and_then(|weights| Ok((weights, checkpoint.moments()?)));
                let result = tensors.map(|(weights, moments)| {
                    let numbers: usize = weights.iter().chain(&moments).map(|tensor| tensor.values.len()).sum();
                    let (numbers, weights) = (thousands(numbers as u64), short(&checkpoint.weights_sha256));
                    format!("intact, {numbers} numbers, weights {weights}")
                });
                let result = result.map_err(|error| error.to_string());
                newest = Some(checkpoint);
                result
            }
            Err(error @ CheckpointError::Io { .. }) => return Err(error.into()),
            Err(error) => Err(error.to_string()),
        };
        findings.push(FileFinding { what: format!("{within}checkpoints/{}", directory_name(step)), result });
    }
    Ok((findings, newest))
}

/// Whether the weights that a report tells of are those that predict.
fn verify_report(run: &RunDir, report: &Report, device: &Device) -> Result<String, String> {
    let predictor = Predictor::load(run, device).map_err(|error| error.to_string())?;
    let weights = predictor.weights().map_err(|error| error.to_string())?;
    match sha256_of(&weights)? == report.weights_sha256 {
        true => Ok(format!("tells of the weights that predict, {}", short(&report.weights_sha256))),
        false => Err("`report.json` tells of other weights than those that predict".to_string()),
    }
}

/// The config with which a run began: its own, with every change on the way taken back.
///
/// # Errors
/// When the run has no intact checkpoint, or began with other data, or by another build, than it has now.
fn first_config(run: &RunDir) -> Result<Config, TrainError> {
    let config = run.config()?;
    let Newest { checkpoint, .. } = Store::new(run.checkpoints()).newest()?;
    let Some(Checkpoint { state, .. }) = checkpoint else { return Ok(config) };
    let differences: Vec<_> = state.changes.into_iter().rev().map(|change| change.difference).collect();
    if differences.is_empty() {
        return Ok(config);
    }
    let undone = differences
        .iter()
        .try_fold(serde_json::to_value(&config).unwrap_or_default(), |tree, difference| difference.undo(tree));
    match undone.and_then(|tree| serde_json::from_value(tree).ok()) {
        Some(first) => Ok(first),
        None => Err(TrainError::Changed { path: run.path().to_path_buf(), differences }),
    }
}

/// The lines of `metrics.jsonl` that a replay is compared with: those of the first `steps` steps, or up to the first that
/// tells of weights. What comes after the run first went back to a checkpoint is another attempt, and left out.
///
/// # Errors
/// When the log cannot be read or has no such line.
fn logged(run: &RunDir, steps: Option<u64>) -> Result<Vec<Value>, TrainError> {
    let path = run.metrics();
    let text = match fs::read_to_string(&path) {
        // Nothing was trained here yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        text => text.map_err(io_error("read", &path))?,
    };
    let lines = text.lines().map_while(|line| serde_json::from_str::<Value>(line).ok());
    let mut lines: Vec<Value> = lines.take_while(|line| line.get("rolled_back_from").is_none()).collect();
    let step = |line: &Value| line["step"].as_u64().unwrap_or(u64::MAX);
    let with_weights = lines.iter().find(|line| line.get("weights_sha256").is_some()).map(step);
    let last = steps.or(with_weights).unwrap_or(u64::MAX);
    let first = lines.first().map(step);
    lines.retain(|line| step(line) <= last);
    if lines.is_empty() {
        return Err(TrainError::NothingLogged { path, first });
    }
    Ok(lines)
}

/// The first steps of a run, to be trained once more.
#[derive(Debug)]
pub struct Replay {
    of: RunDir,
    logged: Vec<Value>,
    setup: PreparedRun,
}

impl Replay {
    /// Prepares to repeat the first `steps` steps that the run logged, or those up to the first line that tells of weights.
    ///
    /// # Errors
    /// When the log has no such line, the run began with other data or by another build than it has now, and as
    /// [`PreparedRun::prepare`].
    pub fn prepare<E>(of: RunDir, steps: Option<u64>, machine: Machine, preparing: Preparing<'_, E>) -> Result<Self, E>
    where
        E: From<TrainError>,
    {
        let logged = logged(&of, steps)?;
        let config = first_config(&of)?;
        let held = Held { encoder: of.held_encoder(&of.config()?, &config), ..Held::default() };
        Ok(Self { setup: PreparedRun::prepare_with(config, held, machine, preparing)?, of, logged })
    }

    /// How many steps are repeated.
    pub fn steps(&self) -> u64 {
        self.logged.iter().filter_map(|line| line["step"].as_u64()).max().unwrap_or(0)
    }

    /// The config, data and device of the run that it makes.
    pub fn setup(&self) -> &PreparedRun {
        &self.setup
    }

    /// Repeats the steps in the empty directory `scratch`, and compares the logs line by line. `callbacks` are those of any
    /// training; when they ask to stop, there is nothing to compare.
    ///
    /// # Errors
    /// [`TrainError::Changed`] when the data are not those of the run, and whatever training may fail with.
    pub fn fit(&self, scratch: &Path, callbacks: &mut Callbacks) -> Result<Option<Vec<Replayed>>, TrainError> {
        let (config, prepared, last) = (self.setup.config(), self.setup.prepared(), self.steps());
        let store = Store::new(self.of.checkpoints());
        // A run that began with what another program trained keeps that as the checkpoint before its first step.
        let first = if store.steps()?.contains(&0) { Some(store.load(0)?) } else { None };
        let mut origin = prepared.origin(config, &BTreeMap::new());
        if let Some(first) = &first {
            origin.start = first.origin.start.clone();
        }
        if let Some(Checkpoint { origin: of_run, .. }) = store.newest()?.checkpoint {
            let differences = of_run.data_differences(&origin);
            if !differences.is_empty() {
                return Err(TrainError::Changed { path: self.of.path().to_path_buf(), differences });
            }
        }
        let run = RunDir::create(scratch, false)?;
        let recovered = match first {
            Some(first) => {
                let store = Store::new(run.checkpoints());
                store.sweep()?;
                store.save(&first.state, &origin, &first.snapshot())?;
                Recovered::at(first)
            }
            None => Recovered::default(),
        };
        let (at, is_stopped) = (Cell::new(0), Cell::new(false));
        let mut on_event = |event: &Event| {
            if let Event::Step { step, .. } = event {
                at.set(*step);
            }
            (callbacks.on_event)(event);
        };
        let request = || {
            is_stopped.set((callbacks.request)() == Some(Request::Stop));
            (at.get() >= last || is_stopped.get()).then_some(Request::Stop)
        };
        let job = Job { config, prepared, origin: &origin, device: &self.setup.machine().device, settled: None };
        fit(&run, &job, recovered, &mut Callbacks { on_event: &mut on_event, request: &request })?;
        if is_stopped.get() {
            return Ok(None);
        }
        let text = fs::read_to_string(run.metrics()).map_err(io_error("read", &run.metrics()))?;
        let again: Vec<Value> = text.lines().map_while(|line| serde_json::from_str(line).ok()).collect();
        let exact = config.backend != "wgpu";
        let compared =
            self.logged.iter().enumerate().map(|(i, line)| compare(line, again.get(i).unwrap_or(&Value::Null), exact));
        Ok(Some(compared.collect()))
    }
}

fn compare(was: &Value, is: &Value, exact: bool) -> Replayed {
    let loss = ["/loss", "/train/loss", "/validation/loss"].iter().find_map(|place| was.pointer(place)?.as_f64());
    let loss = loss.unwrap_or(f64::NAN);
    let keys = was.as_object().map(|line| line.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let is_same = |key: &String| match (exact, key.as_str()) {
        (true, "validation") => is_same_evaluation(&was[key], &is[key]),
        (true, _) => was[key] == is[key],
        // A backend that promises no bits is held to what it promises.
        (false, "loss") => is["loss"].as_f64().is_some_and(|again| (again - loss).abs() <= TOLERANCE * loss.abs()),
        (false, "step" | "epoch" | "lr") => was[key] == is[key],
        (false, _) => true,
    };
    let difference = keys.into_iter().find(|key| !is_same(key));
    Replayed {
        step: was["step"].as_u64().unwrap_or(0),
        loss,
        weights_sha256: was["weights_sha256"].as_str().map(str::to_string),
        difference: difference.map(|key| (key.clone(), was[&key].clone(), is[&key].clone())),
    }
}

/// Whether two evaluations came to the same. Earlier versions logged a matrix of confusions.
fn is_same_evaluation(was: &Value, is: &Value) -> bool {
    let is_left_out = is["confusion"].as_array().is_some_and(Vec::is_empty);
    let metrics = |evaluation| metrics(evaluation).filter(move |(name, _)| !(is_left_out && *name == "confusion"));
    metrics(was).eq(metrics(is))
}

/// The metrics of an evaluation by name; none where there was nothing to evaluate.
fn metrics(evaluation: &Value) -> impl Iterator<Item = (&String, &Value)> {
    evaluation.as_object().into_iter().flatten()
}

/// Enough of a hash to tell weights apart by eye.
fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A log by a version that wrote the matrix into it is still one to compare with.
    #[test]
    fn a_matrix_in_an_older_log_is_not_compared() {
        let line = |accuracy: f64, confusion: Value| json!({ "step": 3, "train": { "loss": 0.5 }, "validation": { "accuracy": accuracy, "confusion": confusion } });
        let differs = |was: Value, is: Value| compare(&was, &is, true).difference.is_some();
        assert!(!differs(line(0.5, json!([[1, 0], [0, 1]])), line(0.5, json!([]))));
        assert!(differs(line(0.25, json!([[1, 0], [0, 1]])), line(0.5, json!([]))));
        assert!(differs(line(0.5, json!([[1, 0], [0, 1]])), line(0.5, json!([[0, 1], [0, 1]]))));
        let without = json!({ "step": 3, "train": { "loss": 0.5 }, "validation": null });
        assert!(!differs(without.clone(), without.clone()) && differs(line(0.5, json!([])), without));
    }
}
