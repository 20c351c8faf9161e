//! What the order of the scores says, whatever the threshold: the areas under the ROC curve and under the
//! precision-recall curve of one label.

/// How well one label's scores put its examples above the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ranking {
    /// The exact area under the ROC curve: Mann and Whitney's U over the number of pairs, a tied pair counting one half.
    pub roc_auc: f64,
    /// The average precision: the precision at each distinct score, weighted by the recall it adds. Nothing is
    /// interpolated, which would flatter.
    pub pr_auc: f64,
}

impl Ranking {
    /// Of each example's score, at least 0, and whether it has the label. `None` if either side is empty or a score is
    /// NaN.
    pub(super) fn new(scored: impl Iterator<Item = (f32, bool)>) -> Option<Self> {
        // Numbers that are not negative are in the order of their bits, and leave the sign's place free: four bytes an
        // example.
        let packed =
            scored.map(|(score, has)| (!score.is_nan()).then(|| (score.abs().to_bits() << 1) | u32::from(has)));
        let mut scored: Vec<u32> = packed.collect::<Option<_>>()?;
        let has = |packed: &&u32| **packed & 1 == 1;
        let positives = scored.iter().filter(has).count();
        let negatives = scored.len() - positives;
        if positives == 0 || negatives == 0 {
            return None;
        }
        scored.sort_unstable_by(|left, right| right.cmp(left));
        // A won pair counts two and a tied one counts one, which keeps the sum an integer.
        let mut doubled_wins = 0_u128;
        let mut pr_auc = 0.0;
        let (mut hits, mut misses) = (0, 0);
        for tied in scored.chunk_by(|left, right| left >> 1 == right >> 1) {
            let added = tied.iter().filter(has).count();
            let tied_negatives = tied.len() - added;
            hits += added;
            misses += tied_negatives;
            doubled_wins += added as u128 * (2 * (negatives - misses) + tied_negatives) as u128;
            pr_auc += added as f64 / positives as f64 * (hits as f64 / (hits + misses) as f64);
        }
        let pairs = negatives as u128 * positives as u128;
        Some(Self { roc_auc: doubled_wins as f64 / (2 * pairs) as f64, pr_auc })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranking(negatives: &[f32], positives: &[f32]) -> Option<Ranking> {
        let of = |scores: &[f32], has: bool| scores.iter().map(move |score| (*score, has)).collect::<Vec<_>>();
        Ranking::new([of(negatives, false), of(positives, true)].concat().into_iter())
    }

    /// Of the six pairs 0.8 wins two, 0.5 wins one and ties one, 0.3 loses one and ties one: 2 + 1.5 + 0.5 = 4.
    /// The precision is 1 of 1 at 0.8, 2 of 3 at 0.5 and 3 of 5 at 0.3, and each adds a third of the recall.
    #[test]
    fn ties_by_hand() {
        let found = ranking(&[0.5, 0.3], &[0.8, 0.5, 0.3]).unwrap();
        assert_eq!(found.roc_auc, 4.0 / 6.0);
        assert!((found.pr_auc - (1.0 + 2.0 / 3.0 + 3.0 / 5.0) / 3.0).abs() < 1e-15, "{found:?}");
        let equal = ranking(&[0.4], &[0.4, 0.4]).unwrap();
        assert_eq!(equal, Ranking { roc_auc: 0.5, pr_auc: 2.0 / 3.0 });
    }

    #[test]
    fn the_ends_of_the_scale() {
        assert_eq!(ranking(&[0.2, 0.1], &[0.9]), Some(Ranking { roc_auc: 1.0, pr_auc: 1.0 }));
        assert_eq!(ranking(&[0.9], &[0.1]), Some(Ranking { roc_auc: 0.0, pr_auc: 0.5 }));
    }

    #[test]
    fn an_empty_side_or_a_nan_has_no_area() {
        assert_eq!(ranking(&[], &[0.4]), None);
        assert_eq!(ranking(&[0.4], &[]), None);
        assert_eq!(ranking(&[0.4, f32::NAN], &[0.4]), None);
        assert_eq!(ranking(&[0.4], &[f32::NAN]), None);
    }
}
