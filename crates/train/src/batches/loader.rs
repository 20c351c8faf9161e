//! What each step learns from, made ready on the host by a thread of its own while the device computes. Which thread does
//! it changes nothing: the batches come in order and are the same. Touches no device.

use std::sync::mpsc::{IntoIter, sync_channel};
use std::thread;

use attentive_data::{BatchPlan, BatchSize};

use crate::batches::batching::{Batching, HostBatch, UsedRows};
use crate::config::Config;
use crate::preparation::prepare::{EncodedSplit, Prepared};

/// How many batches may wait for the device: enough for one that takes longer to prepare.
const WAITING: usize = 3;

/// The training examples of a step.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StepBatch<'a> {
    /// The parts in which the step is computed.
    pub parts: Vec<StepPart<'a>>,
    /// The rows of the tables that the step uses.
    pub used: UsedRows,
    /// How many examples there are in all parts.
    pub examples: usize,
}

impl<'a> StepBatch<'a> {
    /// The label ids of each example.
    pub(crate) fn targets(&self) -> Vec<&'a [u32]> {
        self.parts.iter().flat_map(|part| &part.targets).copied().collect()
    }
}

/// Examples that are computed at once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StepPart<'a> {
    /// The texts.
    pub texts: HostBatch,
    /// The label ids of each.
    pub targets: Vec<&'a [u32]>,
}

/// Makes the batches of training.
#[derive(Debug, Clone)]
pub(crate) struct Loader<'a> {
    config: &'a Config,
    train: &'a EncodedSplit,
    batching: Batching,
}

impl<'a> Loader<'a> {
    /// The batches that the config asks for, of the training split.
    pub(crate) fn new(config: &'a Config, prepared: &'a Prepared) -> Self {
        let batching = Batching::new(&config.model, prepared.encoder.pad_id());
        Self { config, train: &prepared.train, batching }
    }

    /// Which examples the steps of an epoch take, counted from 0.
    pub(crate) fn plan(&self, epoch: u64) -> BatchPlan {
        let (n, settings) = (self.train.targets.len(), self.config.train.plan());
        BatchPlan::new(self.config.seed, epoch, n, settings, |index| self.batching.extent(&self.train.inputs, index))
    }

    /// The steps of all epochs. Where an epoch's batches are filled by tokens, its number of steps is its own.
    pub(crate) fn total_steps(&self) -> u64 {
        let epochs = self.config.train.epochs;
        match self.config.train.plan().size {
            BatchSize::Examples(size) => self.train.targets.len().div_ceil(size) as u64 * epochs,
            BatchSize::Tokens(_) => (0..epochs).map(|epoch| self.plan(epoch).len() as u64).sum(),
        }
    }

    /// A step's examples, ready for the device.
    pub(crate) fn batch(&self, examples: &[u32]) -> StepBatch<'a> {
        let train = &self.config.train;
        let inputs = &self.train.inputs;
        let size = match train.plan().size {
            BatchSize::Examples(size) => size,
            BatchSize::Tokens(_) => examples.len(),
        };
        let used = self.batching.used_rows(inputs, examples, &self.config.model);
        let parts = examples.chunks(size.div_ceil(train.accumulation_steps)).map(|part| StepPart {
            texts: self.batching.batch(inputs, part, Some(&used)),
            targets: part.iter().map(|&index| self.train.targets.of(index as usize)).collect(),
        });
        StepBatch { parts: parts.collect(), used, examples: examples.len() }
    }
}

/// Hands `items` to `work` in their order, while a thread of their own makes the next ones. When `work` is done with
/// them, early or late, by an error or a panic, the thread ends too.
pub(crate) fn ahead<T: Send, R>(items: impl Iterator<Item = T> + Send, work: impl FnOnce(IntoIter<T>) -> R) -> R {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(WAITING);
        scope.spawn(move || {
            // A refusal means that nobody waits any more.
            for item in items {
                if sender.send(item).is_err() {
                    break;
                }
            }
        });
        work(receiver.into_iter())
    })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread::ThreadId;

    use attentive_model::WindowsConfig;

    use super::*;
    use crate::config::{AdamConfig, OptimizerConfig};
    use crate::preparation::prepare::prepare;

    #[test]
    fn items_come_in_order_from_another_thread() {
        let here = thread::current().id();
        let items = (0..500).map(|item| (item, thread::current().id()));
        let seen: Vec<(i32, ThreadId)> = ahead(items, |items| items.collect());
        assert!(seen.iter().map(|(item, _)| *item).eq(0..500));
        assert!(seen.iter().all(|(_, thread)| *thread != here));
        assert_eq!(ahead(0..0, |items| items.count()), 0);
    }

    #[test]
    fn who_stops_early_stops_the_thread() {
        let made = AtomicUsize::new(0);
        let items = || {
            (0..).inspect(|_| {
                made.fetch_add(1, Ordering::SeqCst);
            })
        };
        let third_fails = |item| if item == 3 { Err(item) } else { Ok(()) };
        assert_eq!(ahead(items(), |mut items| items.try_for_each(third_fails)), Err(3));
        // Four were taken, some wait, and one is in the thread's hand.
        assert!(made.load(Ordering::SeqCst) <= 4 + WAITING + 1, "{made:?}");
        ahead(items(), |_| ());
        let panic = catch_unwind(AssertUnwindSafe(|| ahead(items(), |_| panic!("in the step"))));
        assert!(panic.is_err());
        let dividing = (0..9).map(|item| 3 / (3 - item));
        let panic = catch_unwind(AssertUnwindSafe(|| ahead(dividing, |items| items.count())));
        assert!(panic.is_err(), "what goes wrong in the thread does not look like the end of the items");
    }

    /// Everything that a batch can have: several windows, n-grams, used rows, parts, targets.
    #[test]
    fn a_thread_changes_nothing() {
        let directory = temp_dir::TempDir::new().unwrap();
        let path = directory.path().join("train.csv");
        let text = |i: usize| (0..1 + i * 7 % 23).map(|j| format!("w{} ", (i + j * j) % 19)).collect::<String>();
        let rows: String = (0..101).map(|i| format!("{},{}\n", text(i), i % 3)).collect();
        std::fs::write(&path, format!("text,label\n{rows}")).unwrap();
        let mut config = Config::default();
        config.data.train = path.into();
        config.features.word_ngrams = 2;
        config.model.max_length = 6;
        config.model.windows = Some(WindowsConfig { stride: 4, ..WindowsConfig::default() });
        config.train.optimizer = OptimizerConfig::Adam(AdamConfig { sparse: true, ..AdamConfig::default() });
        config.train.accumulation_steps = 2;
        config.train.bucket_batches = 3;
        let prepared = prepare(&config, attentive_data::UNWATCHED).unwrap();
        for batch_tokens in [None, Some(120)] {
            config.train.batch_tokens = batch_tokens;
            let loader = Loader::new(&config, &prepared);
            let mut total = 0;
            for epoch in 0..config.train.epochs {
                let plan = loader.plan(epoch);
                let batches = || plan.batches_from(1).map(|examples| loader.batch(examples));
                let alone: Vec<StepBatch> = batches().collect();
                assert!(ahead(batches(), |ahead| ahead.collect::<Vec<_>>()) == alone);
                assert!(alone.iter().all(|batch| batch.parts.len() <= 2));
                total += 1 + alone.len() as u64;
            }
            assert_eq!(loader.total_steps(), total);
        }
    }
}
