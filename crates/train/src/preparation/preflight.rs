//! What would stop a run hours later, asked before its first step: whether its directory can be written to and read back,
//! whether there is room for checkpoints, and memory for what training keeps.

use std::fs;
use std::io;

use attentive_model::{Classifier, Sizes};

use crate::config::Config;
use crate::error::TrainError;
use crate::error::io_error;
use crate::preparation::memory;
use crate::run::LockedRun;

/// For how many checkpoints there must be room: the newest, the best, and one that is being written.
const CHECKPOINTS: u64 = 3;

/// What a number takes, in weights, gradients and moments.
const BYTES: u64 = 4;

/// What a linear part takes for each byte of training text, at most: the features with their values, several times over while
/// they are put together. Measured at 20 to 36 on corpora of every kind.
const LINEAR_BYTES: u64 = 40;

/// What the file that is written and read back holds.
const PROBE: &[u8] = b"attentive was here\n";

/// Checks that the run directory keeps what is written to it, and that its disk has room for three checkpoints of `model`, the network if there is one.
///
/// # Errors
/// [`TrainError::Io`] when the directory does not keep a file, [`TrainError::NoRoom`] with what is needed and what there
/// is. Where the system does not tell how much there is, that is not checked.
pub(crate) fn check_disk(run: &LockedRun, config: &Config, model: Option<&Classifier>) -> Result<(), TrainError> {
    probe(run)?;
    let of_model = |model: &Classifier| (count(model.weight_shapes().iter()), count(model.trained_shapes().iter()));
    let (weights, trained) = model.map_or((0, 0), of_model);
    let needed = CHECKPOINTS * checkpoint(config, weights, trained);
    match fs4::available_space(run.path()) {
        Ok(free) if free < needed => Err(TrainError::NoRoom { path: run.path().to_path_buf(), needed, free }),
        _ => Ok(()),
    }
}

/// Checks that there is memory for what outweighs all else in a large training, before anything of it is made: the tables and
/// the head of the model, the scores of `examples`, the largest split that is evaluated, and a linear part that is solved on
/// `bytes` of text.
///
/// # Errors
/// [`TrainError::NoMemory`] with what is needed and what there is. Where the system does not tell how much there is, that is
/// not checked.
pub(crate) fn check_memory(config: &Config, sizes: &Sizes, examples: usize, bytes: u64) -> Result<(), TrainError> {
    let network = if config.has_network() { of_weights(config, sizes) } else { 0 };
    let linear = if config.features.linear.is_some() { LINEAR_BYTES.saturating_mul(bytes) } else { 0 };
    check_available(network.saturating_add(linear).saturating_add(scores(sizes, examples)))
}

/// Checks that there is memory for the scores of `examples` that a trained model is evaluated on.
///
/// # Errors
/// As [`check_memory`].
pub(crate) fn check_scores(sizes: &Sizes, examples: usize) -> Result<(), TrainError> {
    check_available(scores(sizes, examples))
}

fn check_available(needed: u64) -> Result<(), TrainError> {
    match memory::available() {
        Some(available) if available < needed => Err(TrainError::NoMemory { needed, available }),
        _ => Ok(()),
    }
}

/// How many weights there are in all, given their names and shapes.
fn count<'a>(shapes: impl Iterator<Item = &'a (String, Vec<usize>)>) -> u64 {
    shapes.map(|(_, shape)| shape.iter().product::<usize>() as u64).sum()
}

/// The bytes of a checkpoint: weights, of those that are trained the moments, and averages.
fn checkpoint(config: &Config, weights: u64, trained: u64) -> u64 {
    let averages = if config.train.ema.is_some() { weights } else { 0 };
    BYTES * (weights + trained * config.train.optimizer.n_moments() + averages)
}

/// The bytes that the tables and the head of a model take in training: what a checkpoint of them holds, once in use and once
/// as the files that a run is resumed from, and their gradients. What a step computes comes on top.
fn of_weights(config: &Config, sizes: &Sizes) -> u64 {
    let dim = config.model.embedding.dim as u64;
    let (words, ngrams) = (sizes.vocab_size as u64 * dim, sizes.buckets.unwrap_or(0) as u64 * dim);
    let shapes = config.model.weight_shapes(sizes);
    let head = count(shapes.iter().filter(|(name, _)| name.starts_with("head.")));
    let trained = if config.model.embedding.frozen { ngrams } else { words + ngrams };
    let gradients = BYTES * if config.train.optimizer.is_sparse() { head } else { trained + head };
    gradients + 2 * checkpoint(config, words + ngrams + head, trained + head)
}

/// The bytes of a split's scores: an evaluation has every label's probability of every example in memory.
fn scores(sizes: &Sizes, examples: usize) -> u64 {
    BYTES.saturating_mul(examples as u64).saturating_mul(sizes.n_labels as u64)
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

#[cfg(test)]
mod tests {
    use attentive_model::Head;

    use super::*;
    use crate::config::{AdamConfig, OptimizerConfig};

    /// 1,000 rows of 64, and a head of 64 weights and a bias, by Adam: a gradient, and twice weights and two moments. 100
    /// n-grams more, which the head reads beside the words, and no gradient but the head's.
    #[test]
    fn the_tables_and_the_head_of_a_model_are_counted_by_hand() {
        let mut config = Config::default();
        config.model.embedding.dim = 64;
        let mut sizes = Sizes { vocab_size: 1000, buckets: None, n_labels: 2, head: Head::Sigmoid };
        assert_eq!(of_weights(&config, &sizes), 4 * 64_065 * (1 + 2 * 3));
        sizes.buckets = Some(100);
        config.train.optimizer = OptimizerConfig::Adam(AdamConfig { sparse: true, ..AdamConfig::default() });
        config.train.ema = Some(0.9);
        assert_eq!(of_weights(&config, &sizes), 4 * (70_529 * 2 * 4 + 129));
        config.model.embedding.frozen = true;
        assert_eq!(of_weights(&config, &sizes), 2 * 4 * (70_529 * 2 + 6_529 * 2) + 4 * 129);
    }

    /// 10,000 labels: a head of 64 weights and a bias each, and 40 kB of scores for each of 12,000 examples.
    #[test]
    fn many_labels_are_counted_by_hand() {
        let mut config = Config::default();
        config.model.embedding.dim = 64;
        let sizes = Sizes { vocab_size: 1000, buckets: None, n_labels: 10_000, head: Head::Softmax };
        assert_eq!(of_weights(&config, &sizes), 4 * (64_000 + 650_000) * (1 + 2 * 3));
        assert_eq!(scores(&sizes, 12_000), 480_000_000);
        let Err(TrainError::NoMemory { needed, .. }) = check_memory(&config, &sizes, 1 << 40, 0) else {
            panic!("no machine has the memory for so many scores")
        };
        assert!(needed > 1 << 54, "{needed}");
    }
}
