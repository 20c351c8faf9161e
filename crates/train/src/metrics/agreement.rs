//! How far predictions and targets agree beyond chance, where an example has one of each: two single numbers of the
//! labels' counts, which are the margins and the diagonal of a confusion matrix.

use super::confusion::Count;

/// Sums of the counts, in integers that no split overflows.
struct Margins {
    total: i128,
    agreed: i128,
    targets: Vec<i128>,
    predictions: Vec<i128>,
}

impl Margins {
    fn new(counts: &[Count]) -> Self {
        let each = |part: fn(&Count) -> u64| -> Vec<i128> { counts.iter().map(part).map(i128::from).collect() };
        let (targets, predictions) = (each(|count| count.support), each(|count| count.predicted));
        Self { total: targets.iter().sum(), agreed: each(|count| count.hits).iter().sum(), targets, predictions }
    }

    /// The agreement expected of independent predictions with the same margins, times the square of the total.
    fn chance(&self) -> i128 {
        dot(&self.targets, &self.predictions)
    }
}

/// Matthews' correlation coefficient for any number of labels (Gorodkin 2004), in `-1..=1`; 0 where all targets or all
/// predictions are one label.
pub(super) fn matthews(counts: &[Count]) -> f64 {
    let margins = Margins::new(counts);
    let square = margins.total * margins.total;
    let covariance = margins.agreed * margins.total - margins.chance();
    let spread = |counts: &[i128]| (square - dot(counts, counts)) as f64;
    let product = spread(&margins.targets) * spread(&margins.predictions);
    if product == 0.0 { 0.0 } else { covariance as f64 / product.sqrt() }
}

/// Cohen's kappa, at most 1; `None` where all targets and all predictions are the same label, or there are none.
pub(super) fn cohen(counts: &[Count]) -> Option<f64> {
    let margins = Margins::new(counts);
    let (observed, chance) = (margins.agreed * margins.total, margins.chance());
    let possible = margins.total * margins.total - chance;
    (possible != 0).then(|| (observed - chance) as f64 / possible as f64)
}

fn dot(left: &[i128], right: &[i128]) -> i128 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The counts of a confusion matrix, `[target][prediction]`.
    fn counts<const N: usize>(confusion: [[u64; N]; N]) -> [Count; N] {
        std::array::from_fn(|id| Count {
            hits: confusion[id][id],
            support: confusion[id].iter().sum(),
            predicted: confusion.iter().map(|row| row[id]).sum(),
        })
    }

    /// Of 50: 20 agreed yes, 15 agreed no. Expected by chance: (25·30 + 25·20) / 50² = 0.5, observed 0.7, so
    /// kappa = 0.2 / 0.5. Matthews: (20·15 - 10·5) / √(30·25·25·20).
    #[test]
    fn two_labels_by_hand() {
        let counts = counts([[15, 10], [5, 20]]);
        let kappa = cohen(&counts).unwrap();
        assert!((kappa - 0.4).abs() < 1e-15, "{kappa}");
        let mcc = matthews(&counts);
        assert!((mcc - 250.0 / 375_000f64.sqrt()).abs() < 1e-15, "{mcc}");
    }

    #[test]
    fn the_ends_of_the_scale() {
        assert_eq!(matthews(&counts([[3, 0], [0, 2]])), 1.0);
        assert_eq!(matthews(&counts([[0, 3], [3, 0]])), -1.0);
        assert_eq!(cohen(&counts([[3, 0], [0, 2]])), Some(1.0));
    }

    #[test]
    fn without_a_second_label_there_is_no_agreement_beyond_chance() {
        assert_eq!(matthews(&counts([[3, 0], [2, 0]])), 0.0);
        assert_eq!(cohen(&counts([[3, 0], [2, 0]])), Some(0.0));
        assert_eq!(cohen(&counts([[3, 0], [0, 0]])), None);
        assert_eq!((matthews(&counts([[0]])), cohen(&counts([[0]]))), (0.0, None));
    }
}
