//! The parts of a cross-validation: every example in exactly one, labels shared out evenly, groups whole. Reads no files.

use super::cut::Strata;
use super::groups::Groups;
use crate::error::{DataError, DivisionError};
use crate::examples::Examples;
use crate::order::permutation;

/// The draws of folds, apart from those of an epoch or a cut: those of stratum `s` are stream `STREAM - s`.
const STREAM: u64 = u64::MAX - (2 << 32);

/// The fold of each example, counted from 0, drawn from the seed.
///
/// The examples of each stratum (see `cut`) are dealt out in random order, each stratum going on with the fold behind
/// the one where the last ended: neither the folds' sizes nor their shares of a stratum differ by more than one. Groups
/// are dealt out largest first, each to the fold that has least of the group's labels.
pub(crate) fn folds(examples: &Examples, n_labels: usize, of: u32, seed: u64) -> Result<Vec<u32>, DataError> {
    let strata = Strata::of(&examples.targets, n_labels);
    let mut folds = vec![0; examples.len()];
    if examples.groups.is_some() {
        let groups = Groups::of(examples);
        if groups.len() < of as usize {
            return Err(DivisionError::FewForFolds { what: "groups", found: groups.len(), of }.into());
        }
        deal_groups(&groups, &strata, of as usize, seed, &mut folds);
        return Ok(folds);
    }
    if examples.len() < of as usize {
        return Err(DivisionError::FewForFolds { what: "examples", found: examples.len(), of }.into());
    }
    let mut next = (0..of).cycle();
    for stratum in 0..strata.len() {
        let members = strata.members(stratum);
        let order = permutation(seed, STREAM - stratum as u64, members.len());
        for (position, fold) in order.into_iter().zip(&mut next) {
            folds[members[position as usize] as usize] = fold;
        }
    }
    Ok(folds)
}

fn deal_groups(groups: &Groups, strata: &Strata, of: usize, seed: u64, folds: &mut [u32]) {
    let n_strata = strata.len();
    let mut order = permutation(seed, STREAM, groups.len());
    order.sort_by_key(|&group| std::cmp::Reverse(groups.members(group as usize).len()));
    // How many examples each fold has, of each stratum and in all.
    let mut dealt = vec![0u32; of * n_strata];
    let mut sizes = vec![0u32; of];
    for group in order {
        let members = groups.members(group as usize);
        let counts = strata.count(members);
        let cost = |fold: usize| {
            let labels = counts.iter().map(|&(stratum, count)| {
                f64::from(count) * f64::from(dealt[fold * n_strata + stratum]) / strata.size(stratum) as f64
            });
            // The size counts as much as a label that every example has.
            labels.sum::<f64>() + members.len() as f64 * f64::from(sizes[fold]) / folds.len() as f64
        };
        let least = (0..of).map(|fold| (fold, cost(fold))).min_by(|a, b| a.1.total_cmp(&b.1));
        let fold = least.map_or(0, |(fold, _)| fold);
        for (stratum, count) in counts {
            dealt[fold * n_strata + stratum] += count;
        }
        sizes[fold] += members.len() as u32;
        members.iter().for_each(|&index| folds[index as usize] = fold as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples(targets: &[&[u32]]) -> Examples {
        let mut examples = Examples { texts: targets.iter().map(|_| "text").collect(), ..Examples::default() };
        targets.iter().for_each(|ids| examples.targets.push(ids));
        examples
    }

    fn sizes(folds: &[u32], of: u32, wanted: impl Fn(usize) -> bool) -> Vec<usize> {
        let size = |fold| folds.iter().enumerate().filter(|&(index, &of)| of == fold && wanted(index)).count();
        (0..of).map(size).collect()
    }

    #[test]
    fn every_fold_has_its_share_of_every_label() {
        // 23 of label 0, 11 of label 1, 3 without a label.
        let mut targets = vec![&[0][..]; 23];
        targets.extend(vec![&[1][..]; 11]);
        targets.extend(vec![&[][..]; 3]);
        let all = examples(&targets);
        for seed in 0..20 {
            let folds = folds(&all, 2, 5, seed).unwrap();
            let within = |wanted: &dyn Fn(usize) -> bool, least: usize| {
                let sizes = sizes(&folds, 5, wanted);
                assert!(sizes.iter().all(|&size| size == least || size == least + 1), "{sizes:?}");
            };
            within(&|_| true, 7);
            within(&|index| index < 23, 4);
            within(&|index| (23..34).contains(&index), 2);
            within(&|index| index >= 34, 0);
        }
        assert_eq!(folds(&all, 2, 5, 1).unwrap(), folds(&all, 2, 5, 1).unwrap());
        assert_ne!(folds(&all, 2, 5, 1).unwrap(), folds(&all, 2, 5, 2).unwrap());
    }

    #[test]
    fn groups_are_whole_and_folds_as_even_as_they_allow() {
        // Groups of 1 to 6 examples, label 1 in every third group: 70 examples, 20 of them of label 1.
        let sizes_of: Vec<usize> = (0..20).map(|group| group % 6 + 1).collect();
        let mut targets: Vec<&[u32]> = Vec::new();
        let mut names = Vec::new();
        for (group, &size) in sizes_of.iter().enumerate() {
            for _ in 0..size {
                targets.push(if group % 3 == 0 { &[1] } else { &[0] });
                names.push(format!("g{group}"));
            }
        }
        let n = targets.len();
        let all = Examples { groups: Some(names.iter().collect()), ..examples(&targets) };
        for seed in 0..20 {
            let folds = folds(&all, 2, 4, seed).unwrap();
            for index in 1..n {
                assert!(names[index] != names[index - 1] || folds[index] == folds[index - 1]);
            }
            let whole = sizes(&folds, 4, |_| true);
            let rare = sizes(&folds, 4, |index| targets[index] == [1]);
            let [most, least] = [n / 4 + 3, n / 4 - 2];
            assert!(whole.iter().all(|&size| (least..=most).contains(&size)), "{whole:?}");
            assert!(rare.iter().all(|&size| size > 0), "{rare:?}");
        }
    }

    #[test]
    fn there_is_something_for_every_fold() {
        let all = examples(&[&[0], &[1], &[0]]);
        let error = folds(&all, 2, 4, 1).unwrap_err();
        assert_eq!(error.to_string(), "3 examples are too few for 4 folds");
        let all = Examples { groups: Some(["a", "b", "a"].into_iter().collect()), ..all };
        assert_eq!(folds(&all, 2, 3, 1).unwrap_err().to_string(), "2 groups are too few for 3 folds");
        let two = folds(&all, 2, 2, 1).unwrap();
        assert!(two[0] == two[2] && two[0] != two[1]);
    }
}
