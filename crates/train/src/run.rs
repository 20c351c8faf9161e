//! The run directory: where everything a run makes is kept, under names that never change, and the lock that lets one
//! process write to it.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use attentive_data::{Labels, TextEncoder};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::Config;
use crate::error::TrainError;

/// What a run directory holds; anything else in it is left alone.
const CONFIG: &str = "config.toml";
const VERSIONS: &str = "versions.json";
const TOKENIZER: &str = "tokenizer.json";
const LABELS: &str = "labels.json";
const SPLIT: &str = "split.json";
const METRICS: &str = "metrics.jsonl";
const REPORT: &str = "report.json";
const CHECKPOINTS: &str = "checkpoints";
const LOCK: &str = "lock";
const FOLDS: &str = "folds.json";

/// A run directory, open for reading.
#[derive(Debug, Clone)]
pub struct RunDir {
    path: PathBuf,
}

/// A run directory that this process alone may write to, until it is dropped.
#[derive(Debug)]
pub struct LockedRun {
    run: RunDir,
    /// The kernel releases the lock with the file, also when the process is killed.
    _lock: File,
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
    /// [`TrainError::NotARun`] when the directory is not there or holds no config.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let run = Self { path: path.to_path_buf() };
        let reason = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => "there is no such directory".to_string(),
            Err(error) => error.to_string(),
            Ok(metadata) if !metadata.is_dir() => "it is a file".to_string(),
            Ok(_) if !run.file(CONFIG).is_file() => format!("it holds no `{CONFIG}`"),
            Ok(_) => return Ok(run),
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
        fs::create_dir_all(path).map_err(io_error("create", path))?;
        let locked = Self { path: path.to_path_buf() }.lock()?;
        locked.clear()?;
        Ok(locked)
    }

    /// Whether [`Self::create`] would find its place free, without touching anything.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn check_free(path: &Path, overwrite: bool) -> Result<(), TrainError> {
        let run = Self { path: path.to_path_buf() };
        let is_empty = match fs::read_dir(path) {
            Ok(entries) => entries.flatten().all(|entry| is_left_by_a_start(&entry.file_name())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io_error("use the run directory", path)(error)),
        };
        if is_empty {
            return Ok(());
        }
        match (run.file(CONFIG).is_file(), overwrite) {
            (true, true) => Ok(()),
            (true, false) => Err(TrainError::RunExists { path: path.to_path_buf() }),
            (false, _) => Err(TrainError::Occupied { path: path.to_path_buf() }),
        }
    }

    /// Makes the directory that holds the runs of a cross-validation, if it is not there, and locks it.
    ///
    /// # Errors
    /// [`TrainError::RunLocked`] when another process has the lock; [`TrainError::Io`] when it cannot be made.
    pub fn lock_folds(path: &Path) -> Result<LockedRun, TrainError> {
        fs::create_dir_all(path).map_err(io_error("create", path))?;
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
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error("use the run directory", path)(error)),
        };
        if path.join(CONFIG).exists() {
            return Err(TrainError::RunExists { path: path.to_path_buf() });
        }
        let mut folds = Vec::new();
        for name in entries.flatten().map(|entry| entry.file_name()) {
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
        let path = self.file(LOCK);
        let options = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut lock = options.map_err(io_error("open", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                let _ = lock.take(1024).read_to_string(&mut owner); // a lock without a text still locks
                let owner = match owner.trim() {
                    "" => "another process".to_string(),
                    owner => owner.to_string(),
                };
                return Err(TrainError::RunLocked { path: self.path, owner });
            }
            Err(TryLockError::Error(source)) => return Err(io_error("lock", &path)(source)),
        }
        let write = |lock: &mut File| {
            lock.set_len(0)?;
            lock.rewind()?;
            lock.write_all(owner().as_bytes())
        };
        write(&mut lock).map_err(io_error("write", &path))?;
        Ok(LockedRun { run: self, _lock: lock })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the checkpoints are.
    pub fn checkpoints(&self) -> PathBuf {
        self.file(CHECKPOINTS)
    }

    /// The log of steps and evaluations.
    pub fn metrics(&self) -> PathBuf {
        self.file(METRICS)
    }

    /// The resolved config of the run.
    ///
    /// # Errors
    /// When it is missing or was changed into something that is no config.
    pub fn config(&self, backends: &[&str]) -> Result<Config, TrainError> {
        Ok(Config::load(&self.file(CONFIG), &[], backends)?)
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
        if self.file(REPORT).exists() { self.read_json(REPORT).map(Some) } else { Ok(None) }
    }

    fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, TrainError> {
        let path = self.file(name);
        let bytes = fs::read(&path).map_err(io_error("read", &path))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| TrainError::NotARun { path: self.path.clone(), reason: format!("its `{name}`: {error}") })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl LockedRun {
    /// Removes what an earlier run left here, and nothing else.
    fn clear(&self) -> Result<(), TrainError> {
        let checkpoints = self.checkpoints();
        if checkpoints.exists() {
            fs::remove_dir_all(&checkpoints).map_err(io_error("remove", &checkpoints))?;
        }
        for name in [REPORT, METRICS, SPLIT, LABELS, TOKENIZER, VERSIONS, CONFIG] {
            self.remove_file(name)?;
            self.remove_file(&temporary(name))?;
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

    /// Writes down what the run is made from. The config comes last: with it, the directory is a run.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn describe(
        &self,
        config: &Config,
        versions: &impl Serialize,
        labels: &Labels,
        encoder: &TextEncoder,
        split: &impl Serialize,
    ) -> Result<(), TrainError> {
        self.write_json(VERSIONS, versions)?;
        self.write(LABELS, labels.to_json().as_bytes())?;
        self.write(TOKENIZER, encoder.to_json().as_bytes())?;
        self.write_json(SPLIT, split)?;
        self.write(CONFIG, config.to_toml().as_bytes())
    }

    /// Writes the config again, where more epochs were asked for. The report goes, because it tells of fewer: a run that
    /// is cut off after its last epoch must not end with it.
    ///
    /// # Errors
    /// When a file cannot be written or removed.
    pub fn write_config(&self, config: &Config) -> Result<(), TrainError> {
        self.remove_file(REPORT)?;
        self.write(CONFIG, config.to_toml().as_bytes())
    }

    /// Writes the final metrics.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_report(&self, report: &impl Serialize) -> Result<(), TrainError> {
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
        let write = || {
            let mut file = File::create(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        };
        write().map_err(io_error("write", &path))
    }
}

/// The name under which a file is written.
fn temporary(name: &str) -> String {
    format!(".tmp-{name}")
}

/// Whether a start that was cut off before the config was there may have made this file.
fn is_left_by_a_start(name: &std::ffi::OsStr) -> bool {
    let described = [VERSIONS, LABELS, TOKENIZER, SPLIT];
    let written = described.into_iter().chain([CONFIG]);
    name == LOCK
        || described.iter().any(|&file| name == file)
        || written.into_iter().any(|f| name == temporary(f).as_str())
}

/// Who holds the lock, for the message that another process prints.
fn owner() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => String::new(),
        host => format!(" on {host}"),
    };
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
    format!("process {}{host}, started {}", std::process::id(), utc(seconds))
}

/// Seconds since 1970 as `2026-11-22 09:30:00 UTC` (the civil-from-days algorithm of Hinnant 2013).
fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", rest / 3600, rest / 60 % 60, rest % 60)
}

pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TrainError {
    let path = path.to_path_buf();
    move |source| TrainError::Io { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        // `date -u -d @N` of coreutils.
        assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(utc(1_795_339_845), "2026-11-22 09:30:45 UTC");
    }

    #[test]
    fn two_writers_exclude_each_other() {
        let directory = temp_dir::TempDir::new().unwrap();
        let path = directory.path().join("run");
        let first = RunDir::create(&path, false).unwrap();
        let second = RunDir::create(&path, false).unwrap_err();
        assert!(second.to_string().contains(&format!("process {}", std::process::id())), "{second}");
        drop(first);
        RunDir::create(&path, false).unwrap();
    }

    #[test]
    fn other_peoples_files_are_never_overwritten() {
        let directory = temp_dir::TempDir::new().unwrap();
        fs::write(directory.path().join("thesis.txt"), "years of work").unwrap();
        let error = RunDir::create(directory.path(), true).unwrap_err();
        assert!(matches!(error, TrainError::Occupied { .. }), "{error}");
        assert!(directory.path().join("thesis.txt").exists());
    }

    #[test]
    fn a_start_that_was_cut_off_is_no_obstacle() {
        let directory = temp_dir::TempDir::new().unwrap();
        for name in [LOCK, VERSIONS, LABELS, TOKENIZER, ".tmp-split.json"] {
            fs::write(directory.path().join(name), "half").unwrap();
        }
        RunDir::create(directory.path(), false).unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "the lock alone stays");
    }

    #[test]
    fn an_existing_run_is_replaced_only_on_request() {
        let directory = temp_dir::TempDir::new().unwrap();
        fs::write(directory.path().join(CONFIG), "").unwrap();
        assert!(matches!(RunDir::create(directory.path(), false), Err(TrainError::RunExists { .. })));
        RunDir::create(directory.path(), true).unwrap();
        assert!(!directory.path().join(CONFIG).exists());
    }
}
