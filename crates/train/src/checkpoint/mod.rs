//! Checkpoints: one directory each, with one commit point. A checkpoint is either whole or not there.
//!
//! It is written under a temporary name, every file synced, the manifest with sizes and SHA-256 last, then renamed,
//! the parent directory synced, and read back. There is no pointer to the latest: the newest directory whose manifest
//! verifies is the latest. Nothing is parsed before its hash is verified.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use attentive_model::Weight;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::CheckpointError;
use crate::format;
use crate::schedule::PlateauState;
use crate::selection::Selection;

const MANIFEST: &str = "MANIFEST.json";
/// The version of the layout; it changes with what the files hold.
pub(crate) const SCHEMA: u32 = 2;
/// The weights of the model, as safetensors.
pub(crate) const WEIGHTS: &str = "model.safetensors";
/// The optimizer's moments and the moving averages of weights, as burnpack.
pub(crate) const MOMENTS: &str = "optimizer.bpk";
/// The loop's state.
pub(crate) const STATE: &str = "state.json";

/// Where the loop stands: everything that is neither weight nor moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Optimizer updates done.
    pub step: u64,
    /// Epochs done.
    pub epoch: u64,
    /// Steps done in the epoch under way.
    pub step_in_epoch: u64,
    /// What the epoch under way has summed up.
    pub running: Running,
    /// The best evaluations so far.
    pub selection: Selection,
    /// Above which probability each label is decided for, as the last evaluation found; empty for one half.
    pub thresholds: Vec<f32>,
    /// Where a schedule that waits for improvement stands.
    pub plateau: PlateauState,
    /// Whether early stopping ended the run.
    pub stopped_early: bool,
    /// The length of `metrics.jsonl` in bytes; what is behind belongs to steps that a resumed run repeats.
    pub metrics_bytes: u64,
}

/// Sums over the examples of the epoch under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// The losses.
    pub loss: f64,
    /// The right decisions.
    pub correct: u64,
    /// The examples.
    pub examples: u64,
}

impl std::ops::AddAssign for Running {
    fn add_assign(&mut self, other: Self) {
        self.loss += other.loss;
        self.correct += other.correct;
        self.examples += other.examples;
    }
}

impl Running {
    /// The mean loss; 0 before the first example.
    pub(crate) fn mean_loss(&self) -> f64 {
        self.loss / self.examples.max(1) as f64
    }

    /// The share of right decisions; 0 before the first example.
    pub(crate) fn accuracy(&self) -> f64 {
        self.correct as f64 / self.examples.max(1) as f64
    }
}

/// What a run was made from; a checkpoint only continues a run made from the same. Each is a SHA-256 in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// The config, without what may change.
    pub config: String,
    /// The files of all splits and how they were cut.
    pub data: String,
    /// `tokenizer.json`.
    pub tokenizer: String,
    /// `labels.json`.
    pub labels: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    schema: u32,
    step: u64,
    fingerprints: Fingerprints,
    files: BTreeMap<String, FileEntry>,
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    bytes: u64,
    sha256: String,
}

/// A verified checkpoint in memory.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    /// Its directory.
    pub path: PathBuf,
    /// Where the loop stood.
    pub state: State,
    /// What the run was made from.
    pub fingerprints: Fingerprints,
    /// The bytes of [`WEIGHTS`].
    pub weights: Vec<u8>,
    /// The bytes of [`MOMENTS`].
    pub moments: Vec<u8>,
}

impl Checkpoint {
    /// The weights of the model.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`] when the file, although it is the one that was written, is not safetensors.
    pub(crate) fn weights(&self) -> Result<Vec<Weight>, CheckpointError> {
        format::from_safetensors(&self.weights).map_err(|reason| self.damaged(WEIGHTS, reason))
    }

    /// The moments of the optimizer, and the moving averages if there are any.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`] when the file, although it is the one that was written, is not burnpack.
    pub(crate) fn moments(&self) -> Result<Vec<Weight>, CheckpointError> {
        format::from_burnpack(&self.moments).map_err(|reason| self.damaged(MOMENTS, reason))
    }

    fn damaged(&self, file: &str, reason: String) -> CheckpointError {
        CheckpointError::Damaged { path: self.path.join(file), reason }
    }
}

/// The SHA-256 of some bytes, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The name of the checkpoint after `step` updates.
pub(crate) fn directory_name(step: u64) -> String {
    format!("step-{step:010}")
}

/// Writes a checkpoint into `checkpoints` and returns its directory, once it is safely on disk and read back.
///
/// # Errors
/// When a file cannot be written, synced or read back; the checkpoints that were there are untouched.
pub(crate) fn save(
    checkpoints: &Path,
    state: &State,
    fingerprints: &Fingerprints,
    weights: &[u8],
    moments: &[u8],
) -> Result<PathBuf, CheckpointError> {
    let name = directory_name(state.step);
    let committed = checkpoints.join(&name);
    let temporary = checkpoints.join(format!(".tmp-{name}-{}", std::process::id()));
    fs::create_dir_all(&temporary).map_err(io_error("create", &temporary))?;
    let written = write_files(&temporary, state, fingerprints, weights, moments)
        .and_then(|()| commit(&temporary, &committed))
        .and_then(|()| load(&committed).map(|_| ()));
    if written.is_err() && temporary.exists() {
        // The error that is reported is the first one; what is left behind is swept at the next start.
        let _ = fs::remove_dir_all(&temporary);
    }
    written.map(|()| committed)
}

fn write_files(
    directory: &Path,
    state: &State,
    fingerprints: &Fingerprints,
    weights: &[u8],
    moments: &[u8],
) -> Result<(), CheckpointError> {
    let state_json = to_json(STATE, state)?;
    let files = [(WEIGHTS, weights), (MOMENTS, moments), (STATE, state_json.as_slice())];
    let mut entries = BTreeMap::new();
    for (name, bytes) in files {
        write_synced(&directory.join(name), bytes)?;
        entries.insert(name.to_string(), FileEntry { bytes: bytes.len() as u64, sha256: sha256(bytes) });
    }
    let manifest = Manifest { schema: SCHEMA, step: state.step, fingerprints: fingerprints.clone(), files: entries };
    // The last line is the hash of what is above, so that the manifest itself is covered.
    let mut text = to_json(MANIFEST, &manifest)?;
    let hash = sha256(&text);
    text.extend_from_slice(format!("\n{hash}\n").as_bytes());
    write_synced(&directory.join(MANIFEST), &text)?;
    sync_directory(directory)
}

fn commit(temporary: &Path, committed: &Path) -> Result<(), CheckpointError> {
    if committed.exists() {
        // A run that was cut off after this save and resumed from an older one comes by again.
        fs::remove_dir_all(committed).map_err(io_error("replace", committed))?;
    }
    fs::rename(temporary, committed).map_err(io_error("rename", temporary))?;
    committed.parent().map_or(Ok(()), sync_directory)
}

/// Reads a checkpoint, all hashes verified.
///
/// # Errors
/// [`CheckpointError::Damaged`] names the file and what is wrong with it.
pub(crate) fn load(directory: &Path) -> Result<Checkpoint, CheckpointError> {
    let damaged = |name: &str, reason: String| CheckpointError::Damaged { path: directory.join(name), reason };
    let manifest_path = directory.join(MANIFEST);
    let text = fs::read(&manifest_path).map_err(|error| damaged(MANIFEST, error.to_string()))?;
    let body = verified_body(&text).ok_or_else(|| damaged(MANIFEST, "its hash does not match".to_string()))?;
    let manifest: Manifest = serde_json::from_slice(body).map_err(|error| damaged(MANIFEST, error.to_string()))?;
    if manifest.schema != SCHEMA {
        return Err(damaged(MANIFEST, format!("schema {} is not known to this version", manifest.schema)));
    }
    let read = |name: &str| -> Result<Vec<u8>, CheckpointError> {
        let entry =
            manifest.files.get(name).ok_or_else(|| damaged(name, "the manifest does not list it".to_string()))?;
        let path = directory.join(name);
        let length = fs::metadata(&path).map_err(|error| damaged(name, error.to_string()))?.len();
        if length != entry.bytes {
            return Err(damaged(name, format!("it has {length} bytes, but was written with {}", entry.bytes)));
        }
        let bytes = fs::read(&path).map_err(|error| damaged(name, error.to_string()))?;
        if sha256(&bytes) != entry.sha256 {
            return Err(damaged(name, "its hash does not match".to_string()));
        }
        Ok(bytes)
    };
    let state = serde_json::from_slice(&read(STATE)?).map_err(|error| damaged(STATE, error.to_string()))?;
    Ok(Checkpoint {
        path: directory.to_path_buf(),
        state,
        weights: read(WEIGHTS)?,
        moments: read(MOMENTS)?,
        fingerprints: manifest.fingerprints,
    })
}

fn verified_body(text: &[u8]) -> Option<&[u8]> {
    let (body, hash) = text.split_at_checked(text.len().checked_sub(66)?)?;
    (hash == format!("\n{}\n", sha256(body)).as_bytes()).then_some(body)
}

/// The committed checkpoints in `checkpoints`, newest first.
///
/// # Errors
/// When the directory cannot be read; a directory that is not there has none.
pub(crate) fn list(checkpoints: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let entries = match fs::read_dir(checkpoints) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("list", checkpoints)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(io_error("list", checkpoints))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(step) = name.strip_prefix("step-").and_then(|step| step.parse::<u64>().ok()) {
            found.push((step, path));
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// The newest intact checkpoint, and the damaged ones that were passed over.
///
/// # Errors
/// [`CheckpointError::None`] when there is none at all, [`CheckpointError::AllDamaged`] when none is intact.
pub(crate) fn newest(run: &Path, checkpoints: &Path) -> Result<(Checkpoint, Vec<(PathBuf, String)>), CheckpointError> {
    let mut damaged = Vec::new();
    for path in list(checkpoints)? {
        match load(&path) {
            Ok(checkpoint) => return Ok((checkpoint, damaged)),
            Err(error) => damaged.push((path, error.to_string())),
        }
    }
    if damaged.is_empty() {
        Err(CheckpointError::None { path: run.to_path_buf() })
    } else {
        Err(CheckpointError::AllDamaged { damaged })
    }
}

/// Removes all but the newest `keep` checkpoints, the best ones, and what cut-off saves left behind.
///
/// # Errors
/// When the directory cannot be read or an entry not be removed.
pub(crate) fn retain(checkpoints: &Path, keep: usize, best_steps: &[u64]) -> Result<(), CheckpointError> {
    let best: Vec<String> = best_steps.iter().copied().map(directory_name).collect();
    for path in list(checkpoints)?.into_iter().skip(keep) {
        if !best.iter().any(|best| path.file_name().is_some_and(|name| name == best.as_str())) {
            fs::remove_dir_all(&path).map_err(io_error("remove", &path))?;
        }
    }
    Ok(())
}

/// Removes what a save that was cut off left behind. Only for the one process that holds the run's lock.
///
/// # Errors
/// When an entry cannot be removed.
pub(crate) fn sweep(checkpoints: &Path) -> Result<(), CheckpointError> {
    let Ok(entries) = fs::read_dir(checkpoints) else { return Ok(()) };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(".tmp-") {
            fs::remove_dir_all(entry.path()).map_err(io_error("remove", &entry.path()))?;
        }
    }
    Ok(())
}

fn to_json<T: Serialize>(file: &'static str, value: &T) -> Result<Vec<u8>, CheckpointError> {
    serde_json::to_vec_pretty(value).map_err(|error| CheckpointError::Encode { file, reason: error.to_string() })
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    let mut file = File::create(path).map_err(io_error("create", path))?;
    file.write_all(bytes).map_err(io_error("write", path))?;
    file.sync_all().map_err(io_error("sync", path))
}

/// Makes the names in a directory durable. Windows has no such call and keeps its own journal of names.
fn sync_directory(path: &Path) -> Result<(), CheckpointError> {
    if cfg!(unix) {
        File::open(path).and_then(|directory| directory.sync_all()).map_err(io_error("sync", path))?;
    }
    Ok(())
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CheckpointError {
    let path = path.to_path_buf();
    move |source| CheckpointError::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::Best;

    fn fingerprints() -> Fingerprints {
        let text = |text: &str| text.to_string();
        Fingerprints { config: text("c"), data: text("d"), tokenizer: text("t"), labels: text("l") }
    }

    fn save_step(checkpoints: &Path, step: u64) -> PathBuf {
        let state = State { step, ..State::default() };
        save(checkpoints, &state, &fingerprints(), b"weights", b"moments").unwrap()
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let directory = temp_dir::TempDir::new().unwrap();
        let mut selection = Selection::default();
        selection.observe(Best { step: 3, epoch: 1, value: 0.1 + 0.2 }, 2, 0.0);
        let running = Running { loss: 1.0 / 3.0, correct: 2, examples: 5 };
        let state = State { step: 7, epoch: 2, selection, thresholds: vec![0.1], running, ..State::default() };
        let path = save(directory.path(), &state, &fingerprints(), b"weights", b"moments").unwrap();
        let loaded = load(&path).unwrap();
        assert_eq!(loaded.state, state);
        assert_eq!((loaded.weights.as_slice(), loaded.moments.as_slice()), (&b"weights"[..], &b"moments"[..]));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing temporary stays");
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_noticed() {
        let directory = temp_dir::TempDir::new().unwrap();
        let path = save_step(directory.path(), 1);
        for name in [WEIGHTS, MOMENTS, STATE, MANIFEST] {
            let file = path.join(name);
            let intact = fs::read(&file).unwrap();
            for bit in 0..intact.len() * 8 {
                let mut flipped = intact.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                fs::write(&file, &flipped).unwrap();
                assert!(load(&path).is_err(), "bit {bit} of {name}");
            }
            for length in 0..intact.len() {
                fs::write(&file, &intact[..length]).unwrap();
                assert!(load(&path).is_err(), "{name} cut to {length}");
            }
            fs::remove_file(&file).unwrap();
            assert!(load(&path).is_err(), "{name} removed");
            fs::write(&file, &intact).unwrap();
        }
        assert!(load(&path).is_ok());
    }

    #[test]
    fn the_newest_intact_checkpoint_is_used_and_the_damaged_one_named() {
        let directory = temp_dir::TempDir::new().unwrap();
        save_step(directory.path(), 9);
        let damaged = save_step(directory.path(), 10);
        fs::write(damaged.join(WEIGHTS), b"weightz").unwrap();
        let (checkpoint, skipped) = newest(directory.path(), directory.path()).unwrap();
        assert_eq!(checkpoint.state.step, 9);
        assert_eq!(skipped.len(), 1);
        assert!(skipped[0].1.contains("its hash does not match"), "{}", skipped[0].1);
    }

    #[test]
    fn no_checkpoint_and_only_damaged_ones_are_different_errors() {
        let directory = temp_dir::TempDir::new().unwrap();
        assert!(matches!(newest(directory.path(), directory.path()), Err(CheckpointError::None { .. })));
        let path = save_step(directory.path(), 1);
        fs::write(path.join(STATE), b"").unwrap();
        assert!(matches!(newest(directory.path(), directory.path()), Err(CheckpointError::AllDamaged { .. })));
    }

    #[test]
    fn the_last_ones_and_the_best_are_kept() {
        let directory = temp_dir::TempDir::new().unwrap();
        for step in [5, 10, 15, 20] {
            save_step(directory.path(), step);
        }
        retain(directory.path(), 2, &[5, 15]).unwrap();
        let kept: Vec<_> = list(directory.path()).unwrap();
        let expected = [20, 15, 5].map(|step| directory.path().join(directory_name(step)));
        assert_eq!(kept, expected);
    }

    #[test]
    fn a_cut_off_save_is_no_checkpoint_and_is_swept() {
        let directory = temp_dir::TempDir::new().unwrap();
        let cut_off = directory.path().join(".tmp-step-0000000003-1");
        fs::create_dir(&cut_off).unwrap();
        fs::write(cut_off.join(WEIGHTS), b"half").unwrap();
        assert!(list(directory.path()).unwrap().is_empty());
        sweep(directory.path()).unwrap();
        assert!(!cut_off.exists());
    }
}
