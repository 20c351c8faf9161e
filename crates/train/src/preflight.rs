//! What would stop a run hours later, asked before its first step: whether its directory can be written to and read back,
//! whether there is room for checkpoints, and memory for what training keeps.

use std::fs;
use std::io;

use crate::config::Config;
use crate::error::TrainError;
use crate::learner::Learner;
use crate::run::{LockedRun, io_error};

/// For how many checkpoints there must be room: the newest, the best, and one that is being written.
const CHECKPOINTS: u64 = 3;

/// What a number takes, in weights, gradients and moments.
const BYTES: u64 = 4;

/// What the file that is written and read back holds.
const PROBE: &[u8] = b"attentive was here\n";

/// Checks the run directory, the disk it is on, and memory.
///
/// # Errors
/// [`TrainError::Io`] when the directory does not keep a file, [`TrainError::NoRoom`] and [`TrainError::NoMemory`] with what
/// is needed and what there is. Where the system does not tell how much there is, that is not checked.
pub(crate) fn check(run: &LockedRun, config: &Config, learner: &Learner) -> Result<(), TrainError> {
    probe(run)?;
    let need = Need::of(config, learner);
    let needed = CHECKPOINTS * need.checkpoint;
    if let Ok(free) = fs4::available_space(run.path())
        && free < needed
    {
        return Err(TrainError::NoRoom { path: run.path().to_path_buf(), needed, free });
    }
    match available_memory() {
        Some(available) if available < need.memory => Err(TrainError::NoMemory { needed: need.memory, available }),
        _ => Ok(()),
    }
}

/// What a run takes, in bytes.
#[derive(Debug, PartialEq, Eq)]
struct Need {
    /// A checkpoint on the disk.
    checkpoint: u64,
    /// What is kept in memory beside the weights, which are there already: gradients, moments, averages, and a copy of the
    /// checkpoint while it is written. What a step computes comes on top.
    memory: u64,
}

impl Need {
    fn of(config: &Config, learner: &Learner) -> Self {
        let count = |shapes: Vec<(String, Vec<usize>)>| -> u64 {
            shapes.iter().map(|(_, shape)| shape.iter().product::<usize>() as u64).sum()
        };
        let weights = count(learner.model.weight_shapes());
        let trained = count(learner.model.trained_shapes());
        let moments = trained * config.train.optimizer.n_moments();
        let averages = if config.train.ema.is_some() { weights } else { 0 };
        let checkpoint = BYTES * (weights + moments + averages);
        Self { checkpoint, memory: BYTES * (trained + moments + averages) + checkpoint }
    }
}

/// Writes, syncs, renames, reads back and removes a small file: what every checkpoint does.
fn probe(run: &LockedRun) -> Result<(), TrainError> {
    let [first, second] = [".tmp-probe", ".tmp-probe-renamed"].map(|name| run.path().join(name));
    run.write_synced(&first, PROBE).map_err(io_error("write", &first))?;
    fs::rename(&first, &second).map_err(io_error("rename", &first))?;
    let read = fs::read(&second).map_err(io_error("read", &second))?;
    if read != PROBE {
        let source = io::Error::new(io::ErrorKind::InvalidData, "what is read is not what was written");
        return Err(io_error("trust", &second)(source));
    }
    fs::remove_file(&second).map_err(io_error("remove", &second))
}

/// The bytes of memory that may still be taken, as Linux tells: of the machine and, where there is a limit, of the group
/// of processes.
fn available_memory() -> Option<u64> {
    let machine = in_meminfo(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let number = |name: &str| fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok()?.trim().parse::<u64>().ok();
    let group = number("memory.max").map(|limit| limit.saturating_sub(number("memory.current").unwrap_or(0)));
    Some(machine.min(group.unwrap_or(u64::MAX)))
}

fn in_meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read_as_linux_writes_it() {
        let text = "MemTotal:       24689764 kB\nMemFree:          100 kB\nMemAvailable:   23000000 kB\n";
        assert_eq!(in_meminfo(text), Some(23_000_000 * 1024));
        assert_eq!(in_meminfo("MemTotal: 1 kB\n"), None);
    }
}
