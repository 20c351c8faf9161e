//! The cut of a validation split from the training examples: stratified and seeded. Reads no files.

use crate::error::DataError;
use crate::examples::Examples;
use crate::order::permutation;
use crate::targets::Targets;

/// Cuts `fraction` of the examples off, of every stratum its share; at least one example of each label stays.
///
/// A stratum holds the examples of one label; an example with several labels belongs to the one that the fewest
/// examples have, and those without a label are a stratum of their own, the last. The total is rounded to the nearest
/// whole number; shares are rounded down and what is then missing goes to the strata with the largest remainders. The
/// examples of stratum `s` are drawn in the order `permutation(seed, 2^64 - 1 - s, n)`, a stream that no epoch uses.
pub(crate) fn cut(
    train: &Examples,
    n_labels: usize,
    fraction: f64,
    seed: u64,
) -> Result<(Examples, Examples), DataError> {
    let strata = strata(&train.targets, n_labels);
    let shares: Vec<f64> = strata.iter().map(|indices| indices.len() as f64 * fraction).collect();
    let mut counts: Vec<usize> = shares.iter().map(|share| share.floor() as usize).collect();
    let mut missing = ((train.len() as f64 * fraction).round() as usize).saturating_sub(counts.iter().sum());
    let mut by_remainder: Vec<usize> = (0..strata.len()).collect();
    by_remainder.sort_by(|&a, &b| (shares[b].fract()).total_cmp(&shares[a].fract()));
    for stratum in by_remainder {
        if missing > 0 && counts[stratum] + 1 < strata[stratum].len() {
            counts[stratum] += 1;
            missing -= 1;
        }
    }

    let mut wanted = vec![false; train.len()];
    for (stratum, indices) in strata.iter().enumerate() {
        let order = permutation(seed, u64::MAX - stratum as u64, indices.len());
        for &position in order.iter().take(counts[stratum].min(indices.len().saturating_sub(1))) {
            wanted[indices[position]] = true;
        }
    }
    keep_every_label(&train.targets, n_labels, &mut wanted);
    let examples = train.len();
    let (rest, taken) = train.split_off(&wanted);
    if taken.is_empty() {
        return Err(DataError::EmptyCut { fraction, examples });
    }
    Ok((rest, taken))
}

/// The examples of each label, and last those without one. Of equally frequent labels the one with the smaller id wins.
fn strata(targets: &Targets, n_labels: usize) -> Vec<Vec<usize>> {
    let mut frequency = vec![0usize; n_labels];
    for &id in targets.iter().flatten() {
        frequency[id as usize] += 1;
    }
    let mut strata = vec![Vec::new(); n_labels + 1];
    for (index, ids) in targets.iter().enumerate() {
        let rarest = ids.iter().map(|&id| id as usize).min_by_key(|&id| frequency[id]);
        strata[rarest.unwrap_or(n_labels)].push(index);
    }
    strata
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

    #[test]
    fn an_example_belongs_to_its_rarest_label() {
        // Label 0: 3 examples, label 1: 2, label 2: 2.
        let targets = examples(&[&[0, 1], &[0], &[], &[1, 2], &[0, 2], &[]]).targets;
        assert_eq!(strata(&targets, 3), [vec![1], vec![0, 3], vec![4], vec![2, 5]]);
    }

    #[test]
    fn every_stratum_gives_its_share() {
        // Twenty each of {0}, {0, 1} and none; label 1 is the rarer one.
        let all: Vec<&[u32]> = [&[0][..], &[0, 1], &[]].into_iter().cycle().take(60).collect();
        let (rest, taken) = cut(&examples(&all), 2, 0.1, 1).unwrap();
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
            let (rest, _) = cut(&examples(&all), 4, 0.5, seed).unwrap();
            for label in 0..4 {
                assert!(rest.targets.iter().flatten().any(|&id| id == label), "{seed} {label}");
            }
        }
    }
}
