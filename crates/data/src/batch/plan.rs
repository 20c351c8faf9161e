//! Which examples an epoch takes in which batch: a pure function of the seed, the epoch, the lengths and the settings,
//! so that there is nothing to save. Knows no texts.

use std::ops::Range;

use crate::order::{mix, permutation};

/// Sets the order of the batches apart from that of the examples.
const BATCHES: u64 = 0x6261_7463_6865_7300;

/// How large a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchSize {
    /// So many examples; the last of an epoch may have fewer.
    Examples(usize),
    /// As many examples as fit into a rectangle of so many tokens, but at least one.
    Tokens(usize),
}

/// How an epoch is cut into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanSettings {
    /// How large a batch is.
    pub size: BatchSize,
    /// Among so many batches, examples of like length go together; 1 for none of it.
    pub bucket_batches: usize,
}

/// What an example takes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// How many rows it has.
    pub rows: usize,
    /// The longest of its rows, in tokens; of a pair, that of each text.
    pub lengths: [usize; 2],
}

/// The batches of one epoch. It takes 4 bytes an example, and 8 a batch unless all are equally large and unsorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchPlan {
    /// Every example once; a batch is a run of them.
    order: Vec<u32>,
    cut: BatchEnds,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum BatchEnds {
    /// Runs of so many, one after the other.
    Even(usize),
    /// Run `k` ends at `ends[k]`, and the batches are the runs `sequence`.
    At { ends: Vec<u32>, sequence: Vec<u32> },
}

impl BatchPlan {
    /// The batches of `epoch` over the examples `0..n`; `extent` says what each takes.
    ///
    /// The examples are shuffled by [`permutation`]. With `bucket_batches` above 1, this order is read in windows of
    /// so many batches' examples, or tokens; each window is sorted by length, ties by place, and cut into batches; and
    /// the batches of the epoch are shuffled by another stream of the same seed and epoch.
    pub fn new(seed: u64, epoch: u64, n: usize, settings: PlanSettings, extent: impl Fn(u32) -> Extent) -> Self {
        let mut order = permutation(seed, epoch, n);
        let PlanSettings { size, bucket_batches } = settings;
        if bucket_batches <= 1 {
            let cut = match size {
                BatchSize::Examples(size) => BatchEnds::Even(size.max(1)),
                BatchSize::Tokens(_) => {
                    let ends = ends(&order, 0..n, size, &extent);
                    BatchEnds::At { sequence: (0..).take(ends.len()).collect(), ends }
                }
            };
            return Self { order, cut };
        }
        let mut all_ends = Vec::new();
        let mut start = 0;
        while start < n {
            let window = start..window_end(&order, start, size, bucket_batches, &extent);
            order[window.clone()].sort_by_key(|&example| {
                let Extent { rows, lengths } = extent(example);
                (lengths[0] + lengths[1], rows)
            });
            start = window.end;
            all_ends.extend(ends(&order, window, size, &extent));
        }
        let sequence = permutation(mix(seed ^ BATCHES), epoch, all_ends.len());
        Self { order, cut: BatchEnds::At { ends: all_ends, sequence } }
    }

    /// How many batches there are.
    pub fn len(&self) -> usize {
        match &self.cut {
            BatchEnds::Even(size) => self.order.len().div_ceil(*size),
            BatchEnds::At { sequence, .. } => sequence.len(),
        }
    }

    /// Whether there is no batch.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The examples of batch `index`. Panics if there is no such batch.
    pub fn batch(&self, index: usize) -> &[u32] {
        match &self.cut {
            BatchEnds::Even(size) => &self.order[index * size..self.order.len().min((index + 1) * size)],
            BatchEnds::At { ends, sequence } => {
                let run = sequence[index] as usize;
                let start = if run == 0 { 0 } else { ends[run - 1] };
                &self.order[start as usize..ends[run] as usize]
            }
        }
    }

    /// The batches from `first` on.
    pub fn batches_from(&self, first: usize) -> impl Iterator<Item = &[u32]> {
        (first..self.len()).map(|index| self.batch(index))
    }
}

/// Where the window that begins at `start` ends: when it holds the examples, or the tokens, of so many batches.
fn window_end(
    order: &[u32],
    start: usize,
    size: BatchSize,
    bucket_batches: usize,
    extent: &impl Fn(u32) -> Extent,
) -> usize {
    match size {
        BatchSize::Examples(size) => start.saturating_add(size.max(1).saturating_mul(bucket_batches)).min(order.len()),
        BatchSize::Tokens(tokens) => {
            let mut left = tokens.saturating_mul(bucket_batches);
            let fits = |&&example: &&u32| {
                let Extent { rows, lengths } = extent(example);
                let had = left > 0;
                left = left.saturating_sub(rows * (lengths[0] + lengths[1]));
                had
            };
            start + order[start..].iter().take_while(fits).count().max(1)
        }
    }
}

/// Cuts a part of the order into batches: where each ends.
fn ends(order: &[u32], part: Range<usize>, size: BatchSize, extent: &impl Fn(u32) -> Extent) -> Vec<u32> {
    let mut ends = Vec::new();
    let (mut examples, mut rows, mut longest) = (0, 0, [0, 0]);
    for place in part.clone() {
        let added = extent(order[place]);
        let wider = [longest[0].max(added.lengths[0]), longest[1].max(added.lengths[1])];
        let is_full = match size {
            BatchSize::Examples(size) => examples >= size,
            BatchSize::Tokens(tokens) => (rows + added.rows) * (wider[0] + wider[1]) > tokens,
        };
        if is_full && examples > 0 {
            ends.push(place as u32);
            (examples, rows, longest) = (1, added.rows, added.lengths);
        } else {
            (examples, rows, longest) = (examples + 1, rows + added.rows, wider);
        }
    }
    if examples > 0 {
        ends.push(part.end as u32);
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of 1 to 60 tokens.
    fn extent(example: u32) -> Extent {
        Extent { rows: 1, lengths: [1 + mix(u64::from(example)) as usize % 60, 0] }
    }

    /// Texts of several rows, and pairs.
    fn extent_of_many(example: u32) -> Extent {
        let draw = mix(u64::from(example)) as usize;
        Extent { rows: 1 + draw % 4, lengths: [1 + draw / 4 % 40, draw / 160 % 20] }
    }

    fn settings(size: BatchSize, bucket_batches: usize) -> PlanSettings {
        PlanSettings { size, bucket_batches }
    }

    fn all_settings() -> impl Iterator<Item = PlanSettings> {
        let sizes = [BatchSize::Examples(1), BatchSize::Examples(7), BatchSize::Tokens(1), BatchSize::Tokens(300)];
        sizes.into_iter().flat_map(|size| [1, 2, 50, usize::MAX].map(|bucket_batches| settings(size, bucket_batches)))
    }

    #[test]
    fn every_example_comes_once_an_epoch() {
        for (settings, n) in all_settings().flat_map(|settings| [0, 1, 6, 7, 8, 500].map(|n| (settings, n))) {
            let plan = BatchPlan::new(3, 1, n, settings, extent_of_many);
            let mut seen: Vec<u32> = plan.batches_from(0).flatten().copied().collect();
            assert!(plan.batches_from(0).all(|batch| !batch.is_empty()), "{settings:?} {n}");
            seen.sort_unstable();
            assert_eq!(seen, (0..n as u32).collect::<Vec<_>>(), "{settings:?}");
            assert_eq!((plan.is_empty(), plan.batches_from(0).count()), (n == 0, plan.len()));
            if let BatchSize::Examples(size) = settings.size {
                assert_eq!(plan.len(), n.div_ceil(size), "{settings:?}: sorting costs no step");
            }
        }
    }

    #[test]
    fn a_plan_is_a_pure_function_and_goes_on_where_it_stopped() {
        for settings in all_settings() {
            let plan = BatchPlan::new(3, 1, 500, settings, extent);
            let again =
                std::thread::scope(|scope| scope.spawn(|| BatchPlan::new(3, 1, 500, settings, extent)).join().unwrap());
            assert_eq!(plan, again, "{settings:?}");
            for first in [0, 1, plan.len() - 1, plan.len()] {
                let rest: Vec<&[u32]> = plan.batches_from(0).skip(first).collect();
                assert_eq!(again.batches_from(first).collect::<Vec<_>>(), rest, "{settings:?}");
            }
            for other in [BatchPlan::new(3, 2, 500, settings, extent), BatchPlan::new(4, 1, 500, settings, extent)] {
                assert_ne!(plan, other, "{settings:?}");
            }
        }
    }

    #[test]
    fn without_buckets_it_is_the_plain_shuffle() {
        let order = permutation(42, 1, 10);
        let plan = BatchPlan::new(42, 1, 10, settings(BatchSize::Examples(4), 1), extent);
        assert_eq!(plan.batches_from(0).collect::<Vec<_>>(), [&order[..4], &order[4..8], &order[8..]]);
    }

    #[test]
    fn a_batch_holds_no_more_tokens_than_asked_for() {
        for (tokens, bucket_batches) in [(50, 1), (300, 1), (300, 8), (1000, 50)] {
            let plan = BatchPlan::new(5, 0, 800, settings(BatchSize::Tokens(tokens), bucket_batches), extent_of_many);
            for batch in plan.batches_from(0) {
                let of = |batch: &[u32]| {
                    let extents: Vec<Extent> = batch.iter().map(|&example| extent_of_many(example)).collect();
                    let longest = |text: usize| extents.iter().map(|extent| extent.lengths[text]).max().unwrap();
                    extents.iter().map(|extent| extent.rows).sum::<usize>() * (longest(0) + longest(1))
                };
                assert!(of(batch) <= tokens || batch.len() == 1, "{} in {batch:?}", of(batch));
            }
        }
    }

    /// By hand: the order of seed 42 and epoch 1 is 5 1 9 6 7 2 4 0 8 3; windows of two batches of two hold 5 1 9 6,
    /// 7 2 4 0 and 8 3.
    #[test]
    fn buckets_save_padding() {
        let lengths = [1, 9, 2, 8, 3, 1, 2, 9, 4, 8];
        let extent = |example: u32| Extent { rows: 1, lengths: [lengths[example as usize], 0] };
        let padded = |plan: &BatchPlan| -> usize {
            let width = |batch: &[u32]| batch.iter().map(|&example| lengths[example as usize]).max().unwrap();
            plan.batches_from(0).map(|batch| batch.len() * width(batch)).sum()
        };
        let plain = BatchPlan::new(42, 1, 10, settings(BatchSize::Examples(2), 1), extent);
        // (1, 9) (8, 2) (9, 2) (3, 1) (4, 8)
        assert_eq!(padded(&plain), 18 + 16 + 18 + 6 + 16);
        let sorted = BatchPlan::new(42, 1, 10, settings(BatchSize::Examples(2), 2), extent);
        let mut batches: Vec<&[u32]> = sorted.batches_from(0).collect();
        assert_ne!(batches[..2], [&[5, 6][..], &[9, 1]], "the batches are shuffled");
        batches.sort_unstable();
        assert_eq!(batches, [&[0, 2][..], &[4, 7], &[5, 6], &[8, 3], &[9, 1]]);
        // (1, 2) (8, 9) (1, 2) (3, 9) (4, 8)
        assert_eq!(padded(&sorted), 4 + 18 + 4 + 18 + 16);
        // 12 tokens: one window of all ten, 1 1 2 2 | 3 4 | 8 | 8 | 9 | 9.
        let tokens = BatchPlan::new(42, 1, 10, settings(BatchSize::Tokens(12), 100), extent);
        let mut batches: Vec<&[u32]> = tokens.batches_from(0).collect();
        batches.sort_unstable();
        assert_eq!(batches, [&[1][..], &[3], &[4, 8], &[5, 0, 6, 2], &[7], &[9]]);
    }

    #[test]
    fn the_order_of_batches_never_changes() {
        let plan = BatchPlan::new(42, 1, 10, settings(BatchSize::Examples(2), 2), |example| Extent {
            rows: 1,
            lengths: [example as usize, 0],
        });
        // The windows 5 1 9 6, 7 2 4 0 and 8 3, sorted, and their five batches in an order from a second
        // implementation, in Python, of what the documentation says. Runs are resumed by it: keep it.
        let batches = [&[1u32, 5][..], &[6, 9], &[0, 2], &[4, 7], &[3, 8]];
        let sequence = SEQUENCE.map(|index| batches[index]);
        assert_eq!(plan.batches_from(0).collect::<Vec<_>>(), sequence);
    }

    const SEQUENCE: [usize; 5] = [4, 0, 1, 2, 3];
}
