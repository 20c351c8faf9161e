//! What the order of the scores says, whatever the threshold: the area under the ROC curve.

/// The exact area under the ROC curve, as Mann and Whitney's U over the number of pairs; a tied
/// pair counts one half. `None` if either side is empty or holds a NaN.
pub(super) fn roc_auc(mut negatives: Vec<f32>, mut positives: Vec<f32>) -> Option<f64> {
    let is_nan = |score: &f32| score.is_nan();
    if negatives.is_empty() || positives.is_empty() || negatives.iter().any(is_nan) || positives.iter().any(is_nan) {
        return None;
    }
    negatives.sort_unstable_by(f32::total_cmp);
    positives.sort_unstable_by(f32::total_cmp);
    // A won pair counts two and a tied one counts one, which keeps the sum an integer.
    let mut doubled_wins = 0_u128;
    let (mut below, mut not_above) = (0, 0);
    for score in &positives {
        while negatives.get(below).is_some_and(|other| other < score) {
            below += 1;
        }
        while negatives.get(not_above).is_some_and(|other| other <= score) {
            not_above += 1;
        }
        doubled_wins += (below + not_above) as u128;
    }
    let pairs = negatives.len() as u128 * positives.len() as u128;
    Some(doubled_wins as f64 / (2 * pairs) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the six pairs 0.8 wins two, 0.5 wins one and ties one, 0.3 loses one and ties one:
    /// 2 + 1.5 + 0.5 = 4.
    #[test]
    fn ties_by_hand() {
        let auc = roc_auc(vec![0.5, 0.3], vec![0.8, 0.5, 0.3]);
        assert_eq!(auc, Some(4.0 / 6.0));
        assert_eq!(roc_auc(vec![0.4], vec![0.4, 0.4]), Some(0.5));
    }

    #[test]
    fn the_ends_of_the_scale() {
        assert_eq!(roc_auc(vec![0.2, 0.1], vec![0.9]), Some(1.0));
        assert_eq!(roc_auc(vec![0.9], vec![0.1, 0.2]), Some(0.0));
    }

    #[test]
    fn an_empty_side_or_a_nan_has_no_area() {
        assert_eq!(roc_auc(vec![], vec![0.4]), None);
        assert_eq!(roc_auc(vec![0.4], vec![]), None);
        assert_eq!(roc_auc(vec![0.4, f32::NAN], vec![0.4]), None);
        assert_eq!(roc_auc(vec![0.4], vec![f32::NAN]), None);
    }
}
