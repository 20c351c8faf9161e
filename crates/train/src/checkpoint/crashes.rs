//! A disk that loses power: every state in which a crash may leave it is made, and a run is started from each.
//!
//! After the method of ALICE (Pillai et al. 2014): what a program does to names and data is kept only once it is synced;
//! before, any part of it may be on the disk, in any order. File systems promise more; a checkpoint relies on no more.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use serde_json::Value;

use super::disk::Disk;
use super::store::Store;
use super::{Encoded, Origin, Snapshot, State};

/// Data reach a disk in sectors of this size.
const SECTOR: usize = 512;

type Inode = usize;

/// What is on a disk, or seems to be.
#[derive(Debug, Clone, Default)]
struct Image {
    directories: BTreeMap<Inode, BTreeMap<String, Inode>>,
    files: BTreeMap<Inode, Rc<Vec<u8>>>,
}

/// Something that reaches the disk as a whole, or not at all until it is synced.
#[derive(Debug, Clone)]
enum Effect {
    /// Names that come, or go.
    Names { directory: Inode, names: Vec<(String, Option<Inode>)> },
    /// The data of a file; part of it may reach the disk.
    Data { file: Inode, bytes: Rc<Vec<u8>> },
}

#[derive(Debug, Clone)]
enum DiskEvent {
    /// A directory that nothing names yet.
    NewDirectory(Inode),
    Effect(Effect),
    SyncDirectory(Inode),
    SyncFile(Inode),
}

/// What a test lets the disk forget to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Forgets {
    Nothing,
    SyncingFiles,
    SyncingDirectories,
}

#[derive(Debug)]
struct SimulatedDisk {
    live: Image,
    log: Vec<DiskEvent>,
    forgets: Forgets,
    next: Inode,
}

#[derive(Debug)]
struct CrashingDisk(RefCell<SimulatedDisk>);

const ROOT: Inode = 0;

impl Image {
    fn empty() -> Self {
        Self { directories: BTreeMap::from([(ROOT, BTreeMap::new())]), files: BTreeMap::new() }
    }

    fn apply(&mut self, effect: &Effect) {
        match effect {
            Effect::Names { directory, names } => {
                let directory = self.directories.entry(*directory).or_default();
                for (name, inode) in names {
                    match inode {
                        Some(inode) => drop(directory.insert(name.clone(), *inode)),
                        None => drop(directory.remove(name)),
                    }
                }
            }
            Effect::Data { file, bytes } => drop(self.files.insert(*file, Rc::clone(bytes))),
        }
    }

    fn find(&self, path: &Path) -> io::Result<Inode> {
        path.components().filter(|part| matches!(part, Component::Normal(_))).try_fold(ROOT, |inode, part| {
            let directory = self.directories.get(&inode).ok_or(io::ErrorKind::NotADirectory)?;
            let name = part.as_os_str().to_string_lossy();
            Ok(*directory.get(name.as_ref()).ok_or(io::ErrorKind::NotFound)?)
        })
    }

    fn directory(&self, path: &Path) -> io::Result<(Inode, &BTreeMap<String, Inode>)> {
        let inode = self.find(path)?;
        self.directories.get(&inode).map(|names| (inode, names)).ok_or_else(|| io::ErrorKind::NotADirectory.into())
    }
}

impl SimulatedDisk {
    fn act(&mut self, effect: Effect) {
        self.live.apply(&effect);
        self.log.push(DiskEvent::Effect(effect));
    }

    fn link(&mut self, path: &Path, inode: Option<Inode>) -> io::Result<()> {
        let (directory, _) = self.live.directory(path.parent().unwrap())?;
        self.act(Effect::Names { directory, names: vec![(base(path), inode)] });
        Ok(())
    }

    fn inode(&mut self) -> Inode {
        self.next += 1;
        self.next
    }
}

fn base(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

impl CrashingDisk {
    fn of(live: Image) -> Self {
        let next = live.directories.keys().chain(live.files.keys()).max().copied().unwrap_or(ROOT);
        Self(RefCell::new(SimulatedDisk { live, log: Vec::new(), forgets: Forgets::Nothing, next }))
    }

    fn image(&self) -> Image {
        self.0.borrow().live.clone()
    }

    fn log(&self) -> Vec<DiskEvent> {
        self.0.borrow().log.clone()
    }
}

impl Disk for CrashingDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut machine = self.0.borrow_mut();
        if machine.live.find(path).is_err() {
            let inode = machine.inode();
            machine.live.directories.insert(inode, BTreeMap::new());
            machine.log.push(DiskEvent::NewDirectory(inode));
            machine.link(path, Some(inode))?;
        }
        Ok(())
    }

    fn write_synced(&self, path: &Path, encoded: &Encoded<'_>) -> io::Result<()> {
        let mut machine = self.0.borrow_mut();
        let file = machine.inode();
        machine.live.files.insert(file, Rc::default());
        machine.link(path, Some(file))?;
        machine.act(Effect::Data { file, bytes: Rc::new(encoded.to_bytes()) });
        if machine.forgets != Forgets::SyncingFiles {
            machine.log.push(DiskEvent::SyncFile(file));
        }
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut machine = self.0.borrow_mut();
        let (inode, _) = machine.live.directory(path)?;
        if machine.forgets != Forgets::SyncingDirectories {
            machine.log.push(DiskEvent::SyncDirectory(inode));
        }
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut machine = self.0.borrow_mut();
        let inode = machine.live.find(from)?;
        if let Ok((_, names)) = machine.live.directory(to)
            && !names.is_empty()
        {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        assert_eq!(from.parent(), to.parent(), "a rename is one effect only within a directory");
        let (directory, _) = machine.live.directory(from.parent().unwrap())?;
        machine.act(Effect::Names { directory, names: vec![(base(from), None), (base(to), Some(inode))] });
        Ok(())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let mut machine = self.0.borrow_mut();
        let names: Vec<String> = machine.live.directory(path)?.1.keys().cloned().collect();
        for name in names {
            machine.link(&path.join(name), None)?;
        }
        machine.link(path, None)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        Ok(self.0.borrow().live.directory(path)?.1.keys().cloned().collect())
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        let machine = self.0.borrow();
        let inode = machine.live.find(path)?;
        if machine.live.directories.contains_key(&inode) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // A name may reach the disk before its data.
        Ok(machine.live.files.get(&inode).map_or(0, |bytes| bytes.len() as u64))
    }

    fn read(&self, path: &Path, at_most: u64) -> io::Result<Vec<u8>> {
        let machine = self.0.borrow();
        let bytes = machine.live.files.get(&machine.live.find(path)?).cloned().unwrap_or_default();
        Ok(bytes[..bytes.len().min(at_most as usize)].to_vec())
    }
}

/// Calls `see` with every image in which a crash after the first `done` events of `log` may leave a disk that held `before`.
fn crash_images(before: &Image, log: &[DiskEvent], see: &mut dyn FnMut(Image)) {
    let mut durable = before.clone();
    let mut pending: Vec<&Effect> = Vec::new();
    for event in log {
        let is_synced = |effect: &&Effect| match (effect, event) {
            (Effect::Names { directory, .. }, DiskEvent::SyncDirectory(synced)) => directory == synced,
            (Effect::Data { file, .. }, DiskEvent::SyncFile(synced)) => file == synced,
            _ => false,
        };
        match event {
            DiskEvent::NewDirectory(inode) => drop(durable.directories.insert(*inode, BTreeMap::new())),
            DiskEvent::Effect(effect) => pending.push(effect),
            DiskEvent::SyncDirectory(_) | DiskEvent::SyncFile(_) => {
                let (synced, rest): (Vec<&Effect>, Vec<&Effect>) = pending.into_iter().partition(is_synced);
                synced.into_iter().for_each(|effect| durable.apply(effect));
                pending = rest;
            }
        }
    }
    let (names, data): (Vec<&Effect>, Vec<&Effect>) =
        pending.into_iter().partition(|effect| matches!(effect, Effect::Names { .. }));
    for kept in subsets(names.len()) {
        let mut with_names = durable.clone();
        names.iter().zip(&kept).filter(|(_, kept)| **kept).for_each(|(effect, _)| with_names.apply(effect));
        // Of several files that were not synced only the last is torn: that is enough to notice.
        let Some((Effect::Data { file, bytes }, others)) = data.split_last() else {
            see(with_names);
            continue;
        };
        others.iter().for_each(|effect| with_names.apply(effect));
        for torn in torn(bytes) {
            let mut image = with_names.clone();
            image.files.insert(*file, Rc::new(torn));
            see(image);
        }
    }
}

/// All subsets of a few things; of many, those that lack or have one, and those up to each.
fn subsets(n: usize) -> Vec<Vec<bool>> {
    if n <= 7 {
        return (0..1usize << n).map(|set| (0..n).map(|i| set >> i & 1 == 1).collect()).collect();
    }
    let all = |kept: &dyn Fn(usize, usize) -> bool| (0..=n).map(|k| (0..n).map(|i| kept(i, k)).collect()).collect();
    let kinds: [Vec<Vec<bool>>; 3] = [all(&|i, k| i < k), all(&|i, k| i != k), all(&|i, k| i == k)];
    kinds.concat()
}

/// What may be on the disk of data that were not synced: cut off after any sector, or with any sector still empty.
fn torn(bytes: &[u8]) -> Vec<Vec<u8>> {
    let sectors = bytes.len().div_ceil(SECTOR);
    let cut = (0..=sectors).map(|n| bytes[..bytes.len().min(n * SECTOR)].to_vec());
    let holed = (0..sectors).map(|n| {
        let mut holed = bytes.to_vec();
        holed[n * SECTOR..bytes.len().min((n + 1) * SECTOR)].fill(0);
        holed
    });
    cut.chain(holed).collect()
}

fn directory() -> PathBuf {
    PathBuf::from("/checkpoints")
}

fn origin() -> Origin {
    let text = |text: &str| text.to_string();
    let config = (0..40).map(|i| (format!("train.key_{i}"), Value::from(i))).collect();
    let build = BTreeMap::from([(text("attentive"), text("1"))]);
    Origin {
        config,
        data: BTreeMap::new(),
        tokenizer: text("t"),
        labels: text("l"),
        vectors: None,
        start: None,
        linear: None,
        build,
    }
}

/// Bytes that are their step's, so that those of different steps are told apart.
fn snapshot(step: u64) -> Snapshot<'static> {
    let bytes =
        |n: usize, salt: u64| (0..n as u64).map(|i| ((i * 31 + step * 7 + salt) % 251) as u8).collect::<Vec<u8>>();
    Snapshot::of(bytes(64 << 10, 1), bytes(128 << 10, 2))
}

/// A save as the trainer does it.
fn save(disk: &CrashingDisk, step: u64) {
    let store = Store::on(disk, directory());
    let state = State { step, ..State::default() };
    store.save(&state, &origin(), &snapshot(step)).unwrap();
    store.retain(2, |_| false).unwrap();
}

/// Starts as a run does and gives the step that it finds; `None` when what it finds is not what was saved.
fn recover(disk: &CrashingDisk) -> Option<u64> {
    let store = Store::on(disk, directory());
    store.sweep().ok()?;
    let found = store.newest().ok()?;
    let step = found.checkpoint.as_ref()?.state.step;
    let is_whole = found.checkpoint.is_some_and(|checkpoint| checkpoint.snapshot() == snapshot(step));
    for damage in found.damaged {
        store.set_aside(damage.step).ok()?;
    }
    is_whole.then_some(step)
}

/// What became of a save, crashed in every way.
#[derive(Debug, Default)]
struct CrashTally {
    images: usize,
    /// Those from which a start did not find what it should have.
    bad: usize,
}

/// A third save into a directory that holds two, crashed in every way, and every start after it crashed too.
fn crash_a_save(forgets: Forgets, crash_starts: bool) -> CrashTally {
    let disk = CrashingDisk::of(Image::empty());
    let store = Store::on(&disk, directory());
    store.sweep().unwrap();
    save(&disk, 1);
    save(&disk, 2);
    let before = disk.image();
    let disk = CrashingDisk::of(before.clone());
    disk.0.borrow_mut().forgets = forgets;
    save(&disk, 3);
    let log = disk.log();
    // From where the new name is synced, the new checkpoint is the one that must be found.
    let renamed = log.iter().position(|event| {
        matches!(event, DiskEvent::Effect(Effect::Names { names, .. }) if names.iter().any(|(name, _)| name == "step-0000000003"))
    });
    let committed = renamed.unwrap() + 1;

    let mut tally = CrashTally::default();
    for done in 0..=log.len() {
        let mut number = 0;
        crash_images(&before, &log[..done], &mut |image| {
            tally.images += 1;
            number += 1;
            let disk = CrashingDisk::of(image.clone());
            let is_good = |found: Option<u64>| match found {
                Some(3) => true,
                Some(2) => done <= committed,
                _ => false,
            };
            tally.bad += usize::from(!is_good(recover(&disk)));
            if crash_starts && number % 16 == 1 {
                let log = disk.log();
                for done in 0..=log.len() {
                    crash_images(&image, &log[..done], &mut |image| {
                        tally.images += 1;
                        tally.bad += usize::from(!is_good(recover(&CrashingDisk::of(image))));
                    });
                }
            }
        });
    }
    tally
}

/// No crash, at whatever moment and whatever had reached the disk, costs more than the save that it cut off.
#[test]
fn after_a_crash_in_a_save_the_old_or_the_new_checkpoint_is_there() {
    let tally = crash_a_save(Forgets::Nothing, false);
    println!("{} crash states of a save, {} bad recoveries", tally.images, tally.bad);
    assert!(tally.images >= 5_000, "{tally:?}");
    assert_eq!(tally.bad, 0, "{tally:?}");
}

#[test]
fn a_start_after_a_crash_may_crash_too() {
    let tally = crash_a_save(Forgets::Nothing, true);
    println!("{} crash states of a save and of the start after it, {} bad recoveries", tally.images, tally.bad);
    assert_eq!(tally.bad, 0, "{tally:?}");
}

/// The simulation is worth something: a save that leaves out a sync is found out.
#[test]
fn a_save_that_forgets_to_sync_is_found_out() {
    for forgets in [Forgets::SyncingFiles, Forgets::SyncingDirectories] {
        assert!(crash_a_save(forgets, false).bad > 0, "{forgets:?}");
    }
}
