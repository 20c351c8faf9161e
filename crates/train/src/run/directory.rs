//! The run directory: where everything a run makes is kept, under names that never change.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use attentive_data::{Labels, TextEncoder};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::files::{
    CHECKPOINTS, CONFIG, FOLDS, LABELS, LOCK, METRICS, REFIT, REPORT, SPLIT, TOKENIZER, VERSIONS, create_dir, names,
    temporary,
};
use super::linear_files::{LINEAR, LinearFiles, NGRAMS};
use super::lock::{Lock, Taken};
use crate::checkpoint::{Disk, OsDisk, directory_name};
use crate::config::Config;
use crate::error::{TrainError, io_error};
use crate::storage::encoded::Encoded;
use crate::storage::staging::sync_dir;

/// A run directory, open for reading.
#[derive(Debug, Clone)]
pub struct RunDir {
    path: PathBuf,
}

/// A run directory that this process alone may write to, until it is dropped.
#[derive(Debug)]
pub struct LockedRun {
    run: RunDir,
    lock: Lock,
}

impl std::ops::Deref for LockedRun {
    type Target = RunDir;

    fn deref(&self) -> &RunDir {
        &self.run
    }
}

impl RunDir {
    /// Opens a run that exists.
    ///
    /// # Errors
    /// [`TrainError::NotARun`] when the directory is not there or holds no config; [`TrainError::RunLocked`] when it is
    /// being made.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let run = Self { path: path.to_path_buf() };
        let reason = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => "there is no such directory".to_string(),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => error.to_string(),
            Err(error) => return Err(io_error("read", path)(error)),
            Ok(metadata) if !metadata.is_dir() => "it is a file".to_string(),
            Ok(_) => match fs::metadata(run.file(CONFIG)) {
                Ok(config) if config.is_file() => return Ok(run),
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error("read", &run.file(CONFIG))(error));
                }
                _ if run.is_unfinished()? => match Lock::owner(&run.file(LOCK)) {
                    Some(owner) => return Err(TrainError::RunLocked { path: run.path, owner }),
                    None => "the command that was making it was cut off: run that command again".to_string(),
                },
                _ => format!("it holds no `{CONFIG}`"),
            },
        };
        Err(TrainError::NotARun { path: path.to_path_buf(), reason })
    }

    /// Makes a new run directory and locks it.
    ///
    /// # Errors
    /// [`TrainError::RunExists`] when there is one and `overwrite` is false; [`TrainError::Occupied`] when the
    /// directory holds something else; [`TrainError::RunLocked`] when another process writes to it.
    pub fn create(path: &Path, overwrite: bool) -> Result<LockedRun, TrainError> {
        Self::check_free(path, overwrite)?;
        create_dir(path)?;
        let locked = Self { path: path.to_path_buf() }.lock()?;
        locked.check_vacant(overwrite)?; // another process may have come and gone before the lock was taken
        locked.clear()?;
        Ok(locked)
    }

    /// Whether [`Self::create`] would find its place free, without touching anything.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn check_free(path: &Path, overwrite: bool) -> Result<(), TrainError> {
        let run = Self { path: path.to_path_buf() };
        run.check_vacant(overwrite).map_err(|error| match Lock::owner(&run.file(LOCK)) {
            // What stands there is being written right now: that is what there is to know.
            Some(owner) => TrainError::RunLocked { path: run.path, owner },
            None => error,
        })
    }

    /// Whether nothing is in the way of a new run but what `overwrite` replaces.
    fn check_vacant(&self, overwrite: bool) -> Result<(), TrainError> {
        let path = self.path.clone();
        let names = names(&path)?;
        let is_empty = names.iter().all(|name| self.is_left_by_a_start(name));
        match (is_empty, names.iter().any(|name| name == CONFIG), overwrite) {
            (true, ..) | (false, true, true) => Ok(()),
            (false, true, false) => Err(TrainError::RunExists { path }),
            (false, false, _) => Err(TrainError::Occupied { path }),
        }
    }

    /// Whether it holds nothing but what a command left that was cut off before this was a run.
    fn is_unfinished(&self) -> Result<bool, TrainError> {
        let names = names(&self.path)?;
        Ok(!names.is_empty() && names.iter().all(|name| self.is_left_by_a_start(name)))
    }

    /// Whether a start that was cut off before the config was there may have made this. An import writes its one checkpoint,
    /// that before the first step, before the config.
    fn is_left_by_a_start(&self, name: &OsStr) -> bool {
        let described = [VERSIONS, LABELS, TOKENIZER, NGRAMS, LINEAR, SPLIT];
        let written = described.into_iter().chain([CONFIG]);
        let is_first = |name: &OsString| name.to_string_lossy().ends_with(&directory_name(0));
        name == LOCK
            || described.iter().any(|&file| name == file)
            || written.into_iter().any(|f| name == temporary(f).as_str())
            || (name == CHECKPOINTS && names(&self.checkpoints()).is_ok_and(|names| names.iter().all(is_first)))
    }

    /// Makes the directory that holds the runs of a cross-validation, if it is not there, and locks it.
    ///
    /// # Errors
    /// [`TrainError::RunLocked`] when another process has the lock; [`TrainError::Io`] when it cannot be made.
    pub fn lock_folds(path: &Path) -> Result<LockedRun, TrainError> {
        create_dir(path)?;
        Self { path: path.to_path_buf() }.lock()
    }

    /// The run of one fold of the cross-validation in `path`, counted from 1.
    pub fn fold(path: &Path, index: u32) -> PathBuf {
        path.join(format!("fold-{index}"))
    }

    /// The runs of the cross-validation in `path`, finished or not; none where the directory is not there or is empty.
    ///
    /// # Errors
    /// [`TrainError::RunExists`] when the directory is itself a run, [`TrainError::Occupied`] when it holds something
    /// else, and [`TrainError::Io`] when it cannot be read.
    pub fn folds(path: &Path) -> Result<Vec<PathBuf>, TrainError> {
        let names = names(path)?;
        if names.iter().any(|name| name == CONFIG) {
            return Err(TrainError::RunExists { path: path.to_path_buf() });
        }
        let mut folds = Vec::new();
        for name in names {
            let index = name.to_string_lossy().strip_prefix("fold-").and_then(|index| index.parse().ok());
            let fold = index.map(|index| Self::fold(path, index)).filter(|fold| fold.file_name() == Some(&name));
            if let Some(fold) = fold {
                if matches!(Self::check_free(&fold, true), Err(TrainError::Occupied { .. })) {
                    return Err(TrainError::Occupied { path: fold });
                }
                folds.push(fold);
            } else if ![LOCK, FOLDS, &temporary(FOLDS)].iter().any(|&file| name == file) {
                return Err(TrainError::Occupied { path: path.to_path_buf() });
            }
        }
        folds.sort();
        Ok(folds)
    }

    /// Removes a run, and its directory if it then is empty.
    ///
    /// # Errors
    /// As [`Self::create`] with `overwrite`.
    pub fn remove(path: &Path) -> Result<(), TrainError> {
        let run = Self::create(path, true)?;
        run.remove_file(LOCK)?;
        match fs::remove_dir(path) {
            Err(error) if error.kind() != io::ErrorKind::DirectoryNotEmpty => Err(io_error("remove", path)(error)),
            _ => Ok(()),
        }
    }

    /// Takes the run's lock.
    ///
    /// # Errors
    /// [`TrainError::RunLocked`] when another process has it.
    pub fn lock(self) -> Result<LockedRun, TrainError> {
        self.refuse_links()?;
        let path = self.file(LOCK);
        match Lock::take(&path).map_err(io_error("lock", &path))? {
            Taken::Ours(lock) => Ok(LockedRun { run: self, lock }),
            Taken::Theirs(owner) => Err(TrainError::RunLocked { path: self.path, owner }),
        }
    }

    /// A run is written to where it is: a link, which an unpacked run of someone else may hold, could lead anywhere.
    fn refuse_links(&self) -> Result<(), TrainError> {
        let written = [
            CONFIG,
            VERSIONS,
            TOKENIZER,
            LABELS,
            NGRAMS,
            LINEAR,
            SPLIT,
            METRICS,
            REPORT,
            CHECKPOINTS,
            LOCK,
            FOLDS,
            REFIT,
        ];
        let is_link = |name: &&str| fs::symlink_metadata(self.file(name)).is_ok_and(|metadata| metadata.is_symlink());
        match written.iter().find(|name| is_link(name)) {
            Some(name) => {
                Err(TrainError::NotARun { path: self.path.clone(), reason: format!("its `{name}` is a link") })
            }
            None => Ok(()),
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the checkpoints are.
    pub fn checkpoints(&self) -> PathBuf {
        self.file(CHECKPOINTS)
    }

    /// Where the weights are that predict: in the training on everything once that is done, else in the run itself.
    ///
    /// # Errors
    /// When the report of the run is damaged.
    pub(crate) fn of_weights(&self) -> Result<Self, TrainError> {
        #[derive(serde::Deserialize)]
        struct Told {
            refit: Option<serde::de::IgnoredAny>,
        }
        let is_refitted = self.report::<Told>()?.is_some_and(|told| told.refit.is_some());
        Ok(if is_refitted { Self { path: self.file(REFIT) } } else { self.clone() })
    }

    /// The log of steps and evaluations.
    pub fn metrics(&self) -> PathBuf {
        self.file(METRICS)
    }

    /// The resolved config of the run.
    ///
    /// # Errors
    /// When it is missing or was changed into something that is no config.
    pub fn config(&self) -> Result<Config, TrainError> {
        Ok(Config::read(&self.file(CONFIG))?)
    }

    /// The labels of the run, in order.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn labels(&self) -> Result<Labels, TrainError> {
        Ok(Labels::load(&self.file(LABELS))?)
    }

    /// The tokenizer of the run.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn encoder(&self) -> Result<TextEncoder, TrainError> {
        Ok(TextEncoder::load(&self.file(TOKENIZER))?)
    }

    /// The linear part of the run as its files, if it has one.
    ///
    /// # Errors
    /// When one of the files is missing or cannot be read.
    pub(crate) fn linear(&self) -> Result<Option<LinearFiles>, TrainError> {
        let [ngrams, weights] = [NGRAMS, LINEAR].map(|name| self.file(name));
        if [&ngrams, &weights].iter().all(|path| fs::symlink_metadata(path).is_err()) {
            return Ok(None);
        }
        let read =
            |path: &Path| OsDisk.len(path).and_then(|length| OsDisk.read(path, length)).map_err(io_error("read", path));
        Ok(Some(LinearFiles { ngrams: read(&ngrams)?, weights: read(&weights)? }))
    }

    /// What made the run.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn versions<T: DeserializeOwned>(&self) -> Result<T, TrainError> {
        self.read_json(VERSIONS)
    }

    /// How the splits of the run were made.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn split<T: DeserializeOwned>(&self) -> Result<T, TrainError> {
        self.read_json(SPLIT)
    }

    /// The final metrics, if the run has ended.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn report<T: DeserializeOwned>(&self) -> Result<Option<T>, TrainError> {
        let path = self.file(REPORT);
        if path.try_exists().map_err(io_error("read", &path))? { self.read_json(REPORT).map(Some) } else { Ok(None) }
    }

    fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, TrainError> {
        let path = self.file(name);
        let bytes = OsDisk.len(&path).and_then(|length| OsDisk.read(&path, length)).map_err(io_error("read", &path))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| TrainError::NotARun { path: self.path.clone(), reason: format!("its `{name}`: {error}") })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl LockedRun {
    /// Checks that the run is still where its lock was taken: it may have been removed, or another put in its place.
    ///
    /// # Errors
    /// [`TrainError::Gone`] when it is not.
    pub(crate) fn check_in_place(&self) -> Result<(), TrainError> {
        let path = self.file(LOCK);
        match self.lock.is_in_place(&path).map_err(io_error("look at", &path))? {
            true => Ok(()),
            false => Err(TrainError::Gone { path: self.path.clone() }),
        }
    }

    /// Makes the directory of the training on everything, if it is not there, and locks it.
    ///
    /// # Errors
    /// [`TrainError::Io`] when it cannot be made.
    pub(crate) fn lock_refit(&self) -> Result<Self, TrainError> {
        self.check_in_place()?;
        RunDir::lock_folds(&self.file(REFIT))
    }

    /// Writes the files of the linear part.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn write_linear(&self, linear: Option<&LinearFiles>) -> Result<(), TrainError> {
        let Some(LinearFiles { ngrams, weights }) = linear else { return Ok(()) };
        self.write(NGRAMS, ngrams)?;
        self.write(LINEAR, weights)
    }

    /// Removes a run that could not be made, and its directory if it then is empty.
    pub fn give_up(self) {
        // The error that ended it is the one to tell.
        let _ = self.clear().and_then(|()| self.remove_file(LOCK));
        let _ = fs::remove_dir(&self.path);
    }

    /// Removes what an earlier run left here, and nothing else.
    pub(crate) fn clear(&self) -> Result<(), TrainError> {
        // First what says that the rest is whole; and each directory at once, so that half of one is never taken for a run's.
        self.remove_file(REPORT)?;
        self.remove_replaced()?;
        for name in [REFIT, CHECKPOINTS] {
            match fs::rename(self.file(name), self.file(&temporary(name))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error("remove", &self.file(name))(error));
                }
                _ => {}
            }
        }
        self.remove_replaced()?;
        for name in [REPORT, METRICS, SPLIT, LINEAR, NGRAMS, LABELS, TOKENIZER, VERSIONS, CONFIG] {
            self.remove_file(name)?;
            self.remove_file(&temporary(name))?;
        }
        Ok(())
    }

    /// Removes the directories of a run that was being replaced.
    ///
    /// # Errors
    /// When one cannot be removed.
    pub(crate) fn remove_replaced(&self) -> Result<(), TrainError> {
        for path in [REFIT, CHECKPOINTS].map(|name| self.file(&temporary(name))) {
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error("remove", &path)(error)),
                _ => {}
            }
        }
        Ok(())
    }

    fn remove_file(&self, name: &str) -> Result<(), TrainError> {
        let path = self.file(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    /// Writes down what the run is made from. The config comes last: with it, the directory is a run. A report that is
    /// there tells of something else and goes first.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn describe(
        &self,
        config: &Config,
        versions: &impl Serialize,
        labels: &Labels,
        encoder: &TextEncoder,
        linear: Option<&LinearFiles>,
        split: &impl Serialize,
    ) -> Result<(), TrainError> {
        self.remove_file(REPORT)?;
        self.write_json(VERSIONS, versions)?;
        self.write(LABELS, labels.to_json().as_bytes())?;
        self.write(TOKENIZER, encoder.to_json().as_bytes())?;
        self.write_linear(linear)?;
        self.write_json(SPLIT, split)?;
        self.write(CONFIG, config.to_toml().as_bytes())
    }

    /// Writes the final metrics.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_report(&self, report: &impl Serialize) -> Result<(), TrainError> {
        self.check_in_place()?;
        self.write_json(REPORT, report)
    }

    /// Writes what the folds of a cross-validation came to.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_folds(&self, summary: &impl Serialize) -> Result<(), TrainError> {
        self.write_json(FOLDS, summary)
    }

    /// Removes what an earlier cross-validation came to.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn remove_folds(&self) -> Result<(), TrainError> {
        self.remove_file(FOLDS)
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), TrainError> {
        let path = self.file(name);
        let mut bytes = serde_json::to_vec_pretty(value)
            .map_err(|error| io_error("write", &path)(io::Error::new(io::ErrorKind::InvalidData, error)))?;
        bytes.push(b'\n');
        self.write(name, &bytes)
    }

    /// Replaces a file as a whole: whoever reads it sees the old or the new one.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), TrainError> {
        let path = self.file(name);
        let temporary = self.file(&temporary(name));
        let written = self
            .write_synced(&temporary, bytes)
            .and_then(|()| fs::rename(&temporary, &path))
            .and_then(|()| sync_dir(&self.path));
        written.map_err(io_error("write", &path))
    }

    /// Makes a file of these bytes, on the disk; nothing of it stays when that fails.
    pub(crate) fn write_synced(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let _ = fs::remove_file(path); // what a write that was cut off left, or a link that leads elsewhere
        OsDisk.write_synced(path, &Encoded::from(bytes)).inspect_err(|_| drop(fs::remove_file(path)))
    }
}

#[cfg(test)]
mod tests;
