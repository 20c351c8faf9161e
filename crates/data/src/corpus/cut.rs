//! The cut of a split from the training examples, stratified and seeded, whole groups together where there are any. Reads
//! no files.

use super::groups::Groups;
use crate::error::{DataError, DivisionError};
use crate::examples::{Examples, Split, Targets};
use crate::order::permutation;

/// A share of the examples to take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    /// What the examples are taken for.
    pub(crate) split: Split,
    /// The share of these examples, above 0 and below 1.
    pub(crate) fraction: f64,
    /// The share of the whole training file, as the config has it.
    pub(crate) of_whole: f64,
}

/// Which of the examples to take: of every stratum its share; at least one example of each label stays.
///
/// A stratum holds the examples of one label; an example with several labels belongs to the one that the fewest
/// examples have, and those without a label are a stratum of their own, the last. The total is rounded to the nearest
/// whole number; shares are rounded down and what is then missing goes to the strata with the largest remainders. The
/// examples of stratum `s` are drawn in the order `permutation(seed, stream - s, n)`, where `stream` is 2^64 - 1 for the
/// validation split and 2^32 less for the test split: streams that no epoch uses.
pub(crate) fn cut(train: &Examples, n_labels: usize, share: Share, seed: u64) -> Result<Vec<bool>, DataError> {
    let strata = Strata::of(&train.targets, n_labels);
    let stream = match share.split {
        Split::Test => u64::MAX - (1 << 32),
        _ => u64::MAX,
    };
    let wanted = match &train.groups {
        Some(_) => {
            let groups = Groups::of(train);
            let wanted = draw_groups(train, &groups, &strata, n_labels, share.fraction, (seed, stream));
            if !wanted.contains(&true) {
                return Err(DivisionError::NoGroupFits {
                    split: share.split.to_string(),
                    fraction: share.of_whole,
                    groups: groups.len(),
                    smallest: (0..groups.len()).map(|group| groups.members(group).len()).min().unwrap_or(0),
                    examples: train.len(),
                }
                .into());
            }
            wanted
        }
        None => {
            let mut wanted = draw(&strata, share.fraction, (seed, stream));
            keep_every_label(&train.targets, n_labels, &mut wanted);
            wanted
        }
    };
    Ok(wanted)
}

fn draw(strata: &Strata, fraction: f64, (seed, stream): (u64, u64)) -> Vec<bool> {
    let shares: Vec<f64> = (0..strata.len()).map(|stratum| strata.size(stratum) as f64 * fraction).collect();
    let mut counts: Vec<usize> = shares.iter().map(|share| share.floor() as usize).collect();
    let total = (strata.of.len() as f64 * fraction).round() as usize;
    let mut missing = total.saturating_sub(counts.iter().sum());
    let mut by_remainder: Vec<usize> = (0..strata.len()).collect();
    by_remainder.sort_by(|&a, &b| (shares[b].fract()).total_cmp(&shares[a].fract()));
    for stratum in by_remainder {
        if missing > 0 && counts[stratum] + 1 < strata.size(stratum) {
            counts[stratum] += 1;
            missing -= 1;
        }
    }
    let mut wanted = vec![false; strata.of.len()];
    for (stratum, count) in counts.into_iter().enumerate() {
        let members = strata.members(stratum);
        let order = permutation(seed, stream - stratum as u64, members.len());
        for &position in order.iter().take(count.min(members.len().saturating_sub(1))) {
            wanted[members[position as usize] as usize] = true;
        }
    }
    wanted
}

/// Goes through the groups in random order and takes each that brings the strata, taken together, nearer to their
/// shares, and that leaves no label without an example.
fn draw_groups(
    train: &Examples,
    groups: &Groups,
    strata: &Strata,
    n_labels: usize,
    fraction: f64,
    (seed, stream): (u64, u64),
) -> Vec<bool> {
    let mut left = vec![0u32; n_labels];
    train.targets.iter().flatten().for_each(|&id| left[id as usize] += 1);
    let mut taken = vec![0u32; strata.len()];
    let mut wanted = vec![false; train.len()];
    for group in permutation(seed, stream, groups.len()) {
        let members = groups.members(group as usize);
        let nearer = strata.count(members).into_iter().map(|(stratum, count)| {
            // The difference between two squares, in units of the stratum.
            let (size, count) = (strata.size(stratum) as f64, f64::from(count));
            count * (2.0 * (f64::from(taken[stratum]) - fraction * size) + count) / size
        });
        let ids = || members.iter().flat_map(|&index| train.targets.of(index as usize));
        if nearer.sum::<f64>() >= 0.0 {
            continue;
        }
        ids().for_each(|&id| left[id as usize] -= 1);
        if ids().any(|&id| left[id as usize] == 0) {
            ids().for_each(|&id| left[id as usize] += 1);
            continue;
        }
        for &index in members {
            wanted[index as usize] = true;
            taken[strata.of[index as usize] as usize] += 1;
        }
    }
    wanted
}

/// The examples of each label, and last those without one.
pub(crate) struct Strata {
    /// The stratum of each example.
    of: Vec<u32>,
    /// The examples, those of a stratum side by side and in their order.
    members: Vec<u32>,
    /// Where each stratum begins in `members`, and behind the last the end.
    starts: Vec<usize>,
}

impl Strata {
    /// An example with several labels belongs to its rarest; of equally frequent labels the one with the smaller id wins.
    pub(crate) fn of(targets: &Targets, n_labels: usize) -> Self {
        let mut frequency = vec![0usize; n_labels];
        targets.iter().flatten().for_each(|&id| frequency[id as usize] += 1);
        let rarest = |ids: &[u32]| ids.iter().copied().min_by_key(|&id| frequency[id as usize]);
        let of: Vec<u32> = targets.iter().map(|ids| rarest(ids).unwrap_or(n_labels as u32)).collect();
        let mut starts = vec![0; n_labels + 2];
        of.iter().for_each(|&stratum| starts[stratum as usize + 1] += 1);
        (1..starts.len()).for_each(|stratum| starts[stratum] += starts[stratum - 1]);
        let mut next = starts.clone();
        let mut members = vec![0; of.len()];
        for (index, &stratum) in (0..).zip(&of) {
            members[next[stratum as usize]] = index;
            next[stratum as usize] += 1;
        }
        Self { of, members, starts }
    }

    /// How many strata there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The examples of a stratum in their order.
    pub(crate) fn members(&self, stratum: usize) -> &[u32] {
        &self.members[self.starts[stratum]..self.starts[stratum + 1]]
    }

    /// How many examples a stratum has.
    pub(crate) fn size(&self, stratum: usize) -> usize {
        self.members(stratum).len()
    }

    /// The strata of some examples, ascending, each with how many of the examples it has.
    pub(crate) fn count(&self, examples: &[u32]) -> Vec<(usize, u32)> {
        let mut strata: Vec<u32> = examples.iter().map(|&index| self.of[index as usize]).collect();
        strata.sort_unstable();
        strata.chunk_by(|a, b| a == b).map(|run| (run[0] as usize, run.len() as u32)).collect()
    }
}

/// Gives back the first example of each label that would have none left, which happens to labels that only occur beside
/// rarer ones.
fn keep_every_label(targets: &Targets, n_labels: usize, wanted: &mut [bool]) {
    let mut left = vec![false; n_labels];
    for (ids, _) in targets.iter().zip(&*wanted).filter(|(_, wanted)| !**wanted) {
        ids.iter().for_each(|&id| left[id as usize] = true);
    }
    for (ids, wanted) in targets.iter().zip(wanted) {
        if ids.iter().any(|&id| !left[id as usize]) {
            *wanted = false;
            ids.iter().for_each(|&id| left[id as usize] = true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples(targets: &[&[u32]]) -> Examples {
        let mut examples =
            Examples { texts: (0..targets.len()).map(|index| index.to_string()).collect(), ..Examples::default() };
        targets.iter().for_each(|ids| examples.targets.push(ids));
        examples
    }

    fn share(fraction: f64) -> Share {
        Share { split: Split::Validation, fraction, of_whole: fraction }
    }

    fn parts(examples: &Examples, n_labels: usize, fraction: f64, seed: u64) -> (Examples, Examples) {
        examples.split_off(&cut(examples, n_labels, share(fraction), seed).unwrap())
    }

    #[test]
    fn an_example_belongs_to_its_rarest_label() {
        // Label 0: 3 examples, label 1: 2, label 2: 2.
        let targets = examples(&[&[0, 1], &[0], &[], &[1, 2], &[0, 2], &[]]).targets;
        let strata = Strata::of(&targets, 3);
        let members: Vec<&[u32]> = (0..strata.len()).map(|stratum| strata.members(stratum)).collect();
        assert_eq!(members, [&[1][..], &[0, 3], &[4], &[2, 5]]);
        assert_eq!(strata.count(&[5, 0, 2, 4]), [(1, 1), (2, 1), (3, 2)]);
    }

    #[test]
    fn every_stratum_gives_its_share() {
        // Twenty each of {0}, {0, 1} and none; label 1 is the rarer one.
        let all: Vec<&[u32]> = [&[0][..], &[0, 1], &[]].into_iter().cycle().take(60).collect();
        let (rest, taken) = parts(&examples(&all), 2, 0.1, 1);
        assert_eq!((rest.len(), taken.len()), (54, 6));
        for ids in [&[0][..], &[0, 1], &[]] {
            assert_eq!(taken.targets.iter().filter(|target| *target == ids).count(), 2);
        }
    }

    #[test]
    fn a_label_beside_rarer_ones_stays() {
        // Label 0 is in three strata of two, each of which gives one: without care, all of label 0 in one case of
        // eight.
        let all: [&[u32]; 6] = [&[0, 1], &[1], &[0, 2], &[2], &[0, 3], &[3]];
        for seed in 0..50 {
            let (rest, _) = parts(&examples(&all), 4, 0.5, seed);
            for label in 0..4 {
                assert!(rest.targets.iter().flatten().any(|&id| id == label), "{seed} {label}");
            }
        }
    }

    /// Examples of two labels in turn, in groups of these sizes.
    fn grouped(sizes: &[usize]) -> Examples {
        let groups = sizes.iter().enumerate().flat_map(|(group, &size)| vec![format!("g{group}"); size]);
        let n = sizes.iter().sum();
        let all: Vec<&[u32]> = [&[0][..], &[1]].into_iter().cycle().take(n).collect();
        Examples { groups: Some(groups.collect()), ..examples(&all) }
    }

    #[test]
    fn groups_stay_whole_and_the_share_is_met_as_well_as_they_allow() {
        let all = grouped(&[4; 50]);
        for seed in 0..20 {
            let (rest, taken) = parts(&all, 2, 0.1, seed);
            assert_eq!((rest.len(), taken.len()), (180, 20));
            assert_eq!(taken.targets.iter().filter(|ids| **ids == [1]).count(), 10, "both labels give their share");
            assert_eq!(crate::corpus::groups::shared(&[(Split::Train, &rest), (Split::Validation, &taken)]), []);
        }
        let taken = |seed| parts(&all, 2, 0.1, seed).1.texts;
        assert!(taken(1) == taken(1) && taken(1) != taken(2));
        // The large group would take eight times the share.
        let uneven = grouped(&[80, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
        for seed in 0..20 {
            assert_eq!(parts(&uneven, 2, 0.1, seed).1.len(), 10);
        }
    }

    #[test]
    fn a_group_that_has_all_of_a_label_stays() {
        // Label 2 is in the first group alone.
        let mut targets = vec![&[2][..]; 4];
        targets.extend([&[0][..], &[1]].into_iter().cycle().take(16));
        let groups = Some((0..20).map(|index| format!("g{}", index / 4)).collect());
        let all = Examples { groups, ..examples(&targets) };
        for seed in 0..50 {
            assert!(parts(&all, 3, 0.4, seed).1.targets.iter().all(|ids| *ids != [2]), "{seed}");
        }
    }

    #[test]
    fn groups_too_large_for_the_share_are_an_error() {
        let error = cut(&grouped(&[50, 50]), 2, share(0.1), 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`data.validation.fraction = 0.1` cannot be cut off in whole groups: the smallest of 2 holds 50 of 100 examples"
        );
    }

    #[test]
    fn test_and_validation_are_drawn_apart() {
        let all: Vec<&[u32]> = vec![&[0]; 40];
        let drawn = |split| cut(&examples(&all), 1, Share { split, ..share(0.5) }, 1).unwrap();
        assert_ne!(drawn(Split::Validation), drawn(Split::Test));
    }
}
