//! The `checkpoints` directory of a run: saving, finding the newest intact checkpoint, setting damaged ones aside, and
//! removing those that are no longer wanted.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use attentive_model::Weight;

use super::disk::{Disk, OsDisk};
use super::manifest::{CheckpointManifest, MANIFEST, MAX_BYTES};
use super::{Checkpoint, MOMENTS, STATE, Snapshot, State, WEIGHTS, guarded};
use crate::error::{CheckpointError, Damage};
use crate::origin::Origin;
use crate::storage::encoded::Encoded;
use crate::storage::format;
use crate::storage::hashed::sha256;
use crate::storage::manifest::FileEntry;

/// What a checkpoint is called while it is written.
const TEMPORARY: &str = ".tmp-";
/// What one is called while it is removed.
const TRASH: &str = ".trash-";
/// What the name of a damaged one ends in, once it is set aside.
const CORRUPT: &str = ".corrupt";

/// The `checkpoints` directory of a run.
#[derive(Debug, Clone)]
pub(crate) struct Store<'a> {
    disk: &'a dyn Disk,
    directory: PathBuf,
}

/// What [`Store::newest`] found.
#[derive(Debug)]
pub(crate) struct Newest<T> {
    /// The newest intact checkpoint; `None` where there is not one at all, intact or not.
    pub checkpoint: Option<T>,
    /// The damaged ones that are newer.
    pub damaged: Vec<Damage>,
}

/// What a checkpoint holds beside tensors, verified.
#[derive(Debug)]
pub(crate) struct Glance {
    /// Its directory.
    pub path: PathBuf,
    /// Where the loop stood.
    pub state: State,
    /// What the run was made from.
    pub origin: Origin,
    /// What the hash of the weights has to be.
    pub weights_sha256: String,
    /// Every file, as it was written.
    files: BTreeMap<String, FileEntry>,
}

impl Glance {
    /// That a file is the one that was written and yet cannot be what it should be.
    pub(crate) fn damaged(&self, file: &str, reason: impl Into<String>) -> CheckpointError {
        CheckpointError::Damaged { path: self.path.join(file), reason: reason.into() }
    }

    /// Whether there can be its thresholds for so many labels: none, one for the second of two, or one for each.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`] when there cannot.
    pub(crate) fn check_labels(&self, n_labels: usize) -> Result<(), CheckpointError> {
        let n = self.state.thresholds.len();
        if [0, 1, n_labels].contains(&n) {
            return Ok(());
        }
        Err(self.damaged(STATE, format!("it has {n} thresholds for {n_labels} labels")))
    }
}

impl Store<'static> {
    /// The checkpoints in a directory, which need not be there.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Store { disk: &OsDisk, directory }
    }
}

impl<'a> Store<'a> {
    /// The checkpoints in a directory of some disk.
    #[cfg(test)]
    pub(super) fn on(disk: &'a dyn Disk, directory: PathBuf) -> Self {
        Self { disk, directory }
    }

    /// Writes a checkpoint and returns its directory, once it is safely on disk and read back.
    ///
    /// # Errors
    /// When a file cannot be written, synced or read back; the checkpoints that were there are untouched.
    pub(crate) fn save(
        &self,
        state: &State,
        origin: &Origin,
        snapshot: &Snapshot<'_>,
    ) -> Result<PathBuf, CheckpointError> {
        let name = directory_name(state.step);
        let committed = self.directory.join(&name);
        let temporary = self.directory.join(format!("{TEMPORARY}{name}"));
        let written = self
            .write_files(&temporary, state, origin, snapshot)
            .and_then(|()| self.rename(&temporary, &committed))
            .and_then(|()| self.check(state.step));
        if written.is_err() {
            // The error that is reported is the first one; what is left behind is swept at the next start.
            let _ = self.disk.remove_dir(&temporary);
        }
        written.map(|()| committed)
    }

    fn write_files(
        &self,
        directory: &Path,
        state: &State,
        origin: &Origin,
        snapshot: &Snapshot<'_>,
    ) -> Result<(), CheckpointError> {
        let encode = |file| move |reason| CheckpointError::Encode { file, reason };
        self.disk.create_dir(directory).map_err(io_error("create", directory))?;
        let state_json = serde_json::to_vec_pretty(state).map_err(|error| encode(STATE)(error.to_string()))?;
        let mut manifest = CheckpointManifest::new(state.step, origin);
        let state_file = Encoded::from(state_json.as_slice());
        let files = [(WEIGHTS, &snapshot.weights), (MOMENTS, &snapshot.moments), (STATE, &state_file)];
        let hashes = [snapshot.weights_sha256.clone(), snapshot.moments_sha256.clone(), sha256(&state_json)];
        for ((name, file), hash) in files.into_iter().zip(hashes) {
            manifest.add(name, file.len(), hash);
        }
        self.write_all(directory, &files)?;
        let manifest = manifest.to_bytes().map_err(encode(MANIFEST))?;
        self.write_all(directory, &[(MANIFEST, &Encoded::from(manifest.as_slice()))])?;
        self.sync(directory)
    }

    fn write_all(&self, directory: &Path, files: &[(&str, &Encoded<'_>)]) -> Result<(), CheckpointError> {
        let files: Vec<_> = files.iter().map(|(name, file)| (directory.join(name), *file)).collect();
        let written = self.disk.write_all_synced(&files);
        files.iter().zip(written).try_for_each(|((path, _), written)| written.map_err(io_error("write", path)))
    }

    /// Reads the checkpoint after `step`, all hashes verified.
    ///
    /// # Errors
    /// As [`Store::glance`].
    pub(crate) fn load(&self, step: u64) -> Result<Checkpoint, CheckpointError> {
        let glance = self.glance(step)?;
        let (weights, moments) = (self.read(&glance, WEIGHTS)?, self.read(&glance, MOMENTS)?);
        let hash = |name: &str| glance.files[name].sha256.clone();
        let (weights_sha256, moments_sha256) = (hash(WEIGHTS), hash(MOMENTS));
        let Glance { path, state, origin, .. } = glance;
        Ok(Checkpoint { path, state, origin, weights, moments, weights_sha256, moments_sha256 })
    }

    /// Whether [`Store::load`] would find the checkpoint after `step` intact. Its tensors are not kept in memory.
    ///
    /// # Errors
    /// As [`Store::glance`].
    fn check(&self, step: u64) -> Result<(), CheckpointError> {
        let glance = self.glance(step)?;
        let names = [WEIGHTS, MOMENTS];
        let files = names.map(|name| (glance.path.join(name), glance.files[name].bytes));
        for (name, hashed) in names.into_iter().zip(self.disk.hash_all(&files)) {
            let (length, hash) = hashed.map_err(unreadable(&glance.path, name))?;
            glance.files[name].check(length, &hash).map_err(|reason| glance.damaged(name, reason))?;
        }
        Ok(())
    }

    /// Reads what the checkpoint after `step` holds beside tensors, whose files must be there and as long as they were.
    ///
    /// # Errors
    /// [`CheckpointError::Damaged`] names the file and what is wrong with it; [`CheckpointError::Io`] when the system
    /// fails to read it, which says nothing about what is on the disk.
    pub(crate) fn glance(&self, step: u64) -> Result<Glance, CheckpointError> {
        let path = self.directory.join(directory_name(step));
        let damaged = |name: &str, reason: String| CheckpointError::Damaged { path: path.join(name), reason };
        if self.length(&path, MANIFEST)? > MAX_BYTES {
            return Err(damaged(MANIFEST, format!("it is longer than {MAX_BYTES} bytes")));
        }
        let bytes = self.disk.read(&path.join(MANIFEST), MAX_BYTES).map_err(unreadable(&path, MANIFEST))?;
        let manifest = CheckpointManifest::from_bytes(&bytes).map_err(|reason| damaged(MANIFEST, reason))?;
        if manifest.step != step {
            return Err(damaged(MANIFEST, format!("it is that of step {}", manifest.step)));
        }
        for name in [STATE, WEIGHTS, MOMENTS] {
            let entry =
                manifest.files.get(name).ok_or_else(|| damaged(name, "the manifest has no such file".into()))?;
            entry.check_length(self.length(&path, name)?).map_err(|reason| damaged(name, reason))?;
        }
        let weights_sha256 = manifest.files[WEIGHTS].sha256.clone();
        let CheckpointManifest { origin, files, .. } = manifest;
        let mut glance = Glance { path, state: State::default(), origin, files, weights_sha256 };
        let state: State = serde_json::from_slice(&self.read(&glance, STATE)?)
            .map_err(|error| glance.damaged(STATE, error.to_string()))?;
        if state.step != step {
            return Err(glance.damaged(STATE, format!("it is that of step {}", state.step)));
        }
        state.check().map_err(|reason| glance.damaged(STATE, reason))?;
        glance.state = state;
        Ok(glance)
    }

    /// The weights of a checkpoint, of which nothing else is read.
    ///
    /// # Errors
    /// As [`Store::glance`].
    pub(crate) fn weights(&self, glance: &Glance) -> Result<Vec<Weight>, CheckpointError> {
        let bytes = self.read(glance, WEIGHTS)?;
        guarded(|| format::from_safetensors(&bytes)).map_err(|reason| glance.damaged(WEIGHTS, reason))
    }

    /// The moments of the optimizer and the moving averages of a checkpoint, of which nothing else is read.
    ///
    /// # Errors
    /// As [`Store::glance`].
    pub(crate) fn moments(&self, glance: &Glance) -> Result<Vec<Weight>, CheckpointError> {
        let bytes = self.read(glance, MOMENTS)?;
        guarded(|| format::from_burnpack(&bytes)).map_err(|reason| glance.damaged(MOMENTS, reason))
    }

    /// A file of a checkpoint, its hash verified.
    fn read(&self, glance: &Glance, name: &str) -> Result<Vec<u8>, CheckpointError> {
        let entry = &glance.files[name];
        let length = self.length(&glance.path, name)?;
        entry.check_length(length).map_err(|reason| glance.damaged(name, reason))?;
        let read = self.disk.read_hashed(&glance.path.join(name), length);
        let (bytes, hash) = read.map_err(unreadable(&glance.path, name))?;
        entry.check(bytes.len() as u64, &hash).map_err(|reason| glance.damaged(name, reason))?;
        Ok(bytes)
    }

    fn length(&self, directory: &Path, name: &str) -> Result<u64, CheckpointError> {
        self.disk.len(&directory.join(name)).map_err(unreadable(directory, name))
    }

    /// The steps of the committed checkpoints, newest first.
    ///
    /// # Errors
    /// When the directory cannot be read; a directory that is not there has none.
    pub(crate) fn steps(&self) -> Result<Vec<u64>, CheckpointError> {
        let mut steps: Vec<u64> = self.names()?.iter().filter_map(|found| step_of(found)).collect();
        steps.sort_unstable_by(|a, b| b.cmp(a));
        Ok(steps)
    }

    fn names(&self) -> Result<Vec<String>, CheckpointError> {
        match self.disk.names(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            names => names.map_err(io_error("list", &self.directory)),
        }
    }

    /// The newest intact checkpoint, and the damaged ones that are newer. Changes nothing.
    ///
    /// # Errors
    /// [`CheckpointError::AllDamaged`] when there are some, or were some before they were set aside, and none is
    /// intact; [`CheckpointError::Io`] when one cannot be read.
    pub(crate) fn newest(&self) -> Result<Newest<Checkpoint>, CheckpointError> {
        self.newest_by(|step| self.load(step))
    }

    /// The newest checkpoint of which all but the tensors is intact, and the others that are newer. Changes nothing.
    ///
    /// # Errors
    /// As [`Store::newest`].
    pub(crate) fn newest_at_a_glance(&self) -> Result<Newest<Glance>, CheckpointError> {
        self.newest_by(|step| self.glance(step))
    }

    fn newest_by<T>(&self, load: impl Fn(u64) -> Result<T, CheckpointError>) -> Result<Newest<T>, CheckpointError> {
        let mut damaged = Vec::new();
        for step in self.steps()? {
            match load(step) {
                Ok(checkpoint) => return Ok(Newest { checkpoint: Some(checkpoint), damaged }),
                Err(error @ CheckpointError::Io { .. }) => return Err(error),
                Err(error) => damaged.push(Damage { step, reason: error.to_string() }),
            }
        }
        let mut aside: Vec<String> = self.names()?.into_iter().filter(|name| is_aside(name)).collect();
        if damaged.is_empty() && aside.is_empty() {
            return Ok(Newest { checkpoint: None, damaged });
        }
        aside.sort();
        let aside = aside.iter().map(|name| self.directory.join(name)).collect();
        Err(CheckpointError::AllDamaged { damaged, aside })
    }

    /// Gives a damaged checkpoint a name under which nothing looks for it, and returns its new place. Only for the one
    /// process that holds the run's lock, as all that follow.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub(crate) fn set_aside(&self, step: u64) -> Result<PathBuf, CheckpointError> {
        let names = self.names()?;
        let count = (1..).map(|n| if n == 1 { String::new() } else { format!("-{n}") });
        let mut candidates = count.map(|count| format!("{}{count}{CORRUPT}", directory_name(step)));
        let free = candidates.find(|candidate| !names.contains(candidate)).unwrap_or_default();
        let aside = self.directory.join(free);
        self.rename(&self.directory.join(directory_name(step)), &aside)?;
        Ok(aside)
    }

    /// Removes all checkpoints but the newest `last` and those of the steps that are `wanted`.
    ///
    /// # Errors
    /// When the directory cannot be read or an entry not be removed.
    pub(crate) fn retain(&self, last: usize, wanted: impl Fn(u64) -> bool) -> Result<(), CheckpointError> {
        self.steps()?.into_iter().skip(last).filter(|&step| !wanted(step)).try_for_each(|step| self.remove(step))
    }

    /// Removes the checkpoints after `step`.
    ///
    /// # Errors
    /// As [`Store::retain`].
    pub(crate) fn remove_after(&self, step: u64) -> Result<(), CheckpointError> {
        self.steps()?.into_iter().filter(|&newer| newer > step).try_for_each(|newer| self.remove(newer))
    }

    /// Takes the name first, so that a checkpoint is never there in part.
    fn remove(&self, step: u64) -> Result<(), CheckpointError> {
        let trash = self.directory.join(format!("{TRASH}{}", directory_name(step)));
        self.rename(&self.directory.join(directory_name(step)), &trash)?;
        self.disk.remove_dir(&trash).map_err(io_error("remove", &trash))
    }

    /// Makes the directory ready to be written to: it is there for good, and what a save or a removal that was cut off left
    /// behind is gone.
    ///
    /// # Errors
    /// When the directory cannot be made or an entry not be removed.
    pub(crate) fn sweep(&self) -> Result<(), CheckpointError> {
        self.disk.create_dir(&self.directory).map_err(io_error("create", &self.directory))?;
        self.directory.parent().map_or(Ok(()), |run| self.sync(run))?;
        let left = |name: &String| name.starts_with(TEMPORARY) || name.starts_with(TRASH);
        for path in self.names()?.into_iter().filter(left).map(|name| self.directory.join(name)) {
            self.disk.remove_dir(&path).map_err(io_error("remove", &path))?;
        }
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), CheckpointError> {
        self.disk.rename(from, to).map_err(io_error("rename", from))?;
        self.sync(&self.directory)
    }

    fn sync(&self, directory: &Path) -> Result<(), CheckpointError> {
        self.disk.sync_dir(directory).map_err(io_error("sync", directory))
    }
}

/// The name of the checkpoint after `step` steps.
pub(crate) fn directory_name(step: u64) -> String {
    format!("step-{step:010}")
}

/// The step of a committed checkpoint, by its name.
fn step_of(found: &str) -> Option<u64> {
    let step = found.strip_prefix("step-")?.parse().ok()?;
    (found == directory_name(step)).then_some(step)
}

fn is_aside(name: &str) -> bool {
    name.starts_with("step-") && name.ends_with(CORRUPT)
}

/// What a file of a checkpoint that cannot be read tells of it: one that is not there, or is no file, is damage.
fn unreadable(directory: &Path, name: &str) -> impl FnOnce(io::Error) -> CheckpointError {
    let path = directory.join(name);
    move |error| match error.kind() {
        io::ErrorKind::NotFound => CheckpointError::Damaged { path, reason: "it is not there".to_string() },
        io::ErrorKind::InvalidInput | io::ErrorKind::NotADirectory => {
            CheckpointError::Damaged { path, reason: error.to_string() }
        }
        _ => io_error("read", &path)(error),
    }
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CheckpointError {
    let path = path.to_path_buf();
    move |source| CheckpointError::Io { action, path, source }
}
