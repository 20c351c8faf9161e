//! Cross-entropy: its value, on the host, and its gradient, on the device.
//!
//! The gradient is written out (probability minus target) rather than left to autodiff: it is exact at every logit,
//! zero included, and takes one pass.

use burn::tensor::activation::{sigmoid, softmax};
use burn::tensor::{Tensor, TensorData};

/// The gradient of each example's loss with respect to its logits, `[batch, outputs]`, given the logits (without
/// autodiff) and the target labels.
///
/// With one output the loss is binary cross-entropy on a sigmoid and the gradient σ(z) − y; with more it is
/// cross-entropy on a softmax and the gradient softmax(z) − onehot(y).
pub(crate) fn gradient(logits: Tensor<2>, targets: &[u32]) -> Tensor<2> {
    let [batch, outputs] = logits.dims();
    let device = logits.device();
    let mut expected = vec![0f32; batch * outputs];
    if outputs == 1 {
        expected.iter_mut().zip(targets).for_each(|(e, &target)| *e = target as f32);
        sigmoid(logits) - Tensor::from_data(TensorData::new(expected, [batch, 1]), &device)
    } else {
        targets.iter().enumerate().for_each(|(i, &target)| expected[i * outputs + target as usize] = 1.0);
        softmax(logits, 1) - Tensor::from_data(TensorData::new(expected, [batch, outputs]), &device)
    }
}

/// The sum over the examples of the loss whose gradient is [`gradient`]: `logits` is `[targets.len(), outputs]`,
/// row-major.
///
/// One output: max(z, 0) − z·y + ln(1 + e^−|z|), which is Keras' binary cross-entropy on logits and never overflows.
/// More: ln Σ e^(z − max z) + max z − z_y.
pub(crate) fn value(logits: &[f32], outputs: usize, targets: &[u32]) -> f64 {
    logits
        .chunks_exact(outputs)
        .zip(targets)
        .map(|(row, &target)| {
            if outputs == 1 {
                let (z, y) = (f64::from(row[0]), f64::from(target));
                z.max(0.0) - z * y + (-z.abs()).exp().ln_1p()
            } else {
                let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let sum: f64 = row.iter().map(|&z| f64::from(z - max).exp()).sum();
                sum.ln() + f64::from(max) - f64::from(row[target as usize])
            }
        })
        // `max` ignores NaN, in both forms: a sum that a NaN entered must stay NaN for divergence to be seen.
        .zip(logits.chunks_exact(outputs))
        .map(|(loss, row)| if row.iter().any(|z| z.is_nan()) { f64::NAN } else { loss })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_by_hand() {
        let ln2 = std::f64::consts::LN_2;
        assert!((value(&[0.0], 1, &[1]) - ln2).abs() < 1e-15);
        // -ln σ(2) = ln(1 + e^-2) = 0.12692801104297263; -ln(1 - σ(2)) = 2 more.
        assert!((value(&[2.0, 2.0], 1, &[1, 0]) - (2.0 * 0.126_928_011_042_972_63 + 2.0)).abs() < 1e-12);
        assert!((value(&[1.0, 1.0, 1.0], 3, &[2]) - 3f64.ln()).abs() < 1e-12);
        assert_eq!(value(&[1000.0, 0.0], 1, &[1, 1]), ln2, "large logits do not overflow");
        assert!(value(&[f32::NAN], 1, &[0]).is_nan());
        assert!(value(&[1.0, f32::NAN, 0.0], 3, &[0]).is_nan());
    }

    #[test]
    fn the_gradient_is_that_of_the_value() {
        let device = attentive_backend::open("flex").expect("flex is always there").device;
        for (logits, outputs, targets) in
            [(vec![0.0, 1.5, -3.0f32], 1, vec![1, 0, 1]), (vec![0.2, -1.0, 3.0, 0.0, 0.0, 0.0f32], 3, vec![2, 1])]
        {
            let tensor = Tensor::from_data(TensorData::new(logits.clone(), [targets.len(), outputs]), &device);
            let gradient = gradient(tensor, &targets).try_into_vec_as::<f32>().expect("host memory");
            for i in 0..logits.len() {
                let at = |delta: f32| {
                    let mut moved = logits.clone();
                    moved[i] += delta;
                    value(&moved, outputs, &targets)
                };
                let finite_difference = (at(1e-2) - at(-1e-2)) / 2e-2;
                assert!((f64::from(gradient[i]) - finite_difference).abs() < 1e-4, "{i}: {gradient:?}");
            }
        }
    }
}
