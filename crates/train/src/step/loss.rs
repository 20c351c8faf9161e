//! The loss: its value, on the host, and its gradient, on the device.
//!
//! The gradient is written out rather than left to autodiff: it is exact at every logit, zero included, and takes one
//! pass.

use attentive_model::Head;
use burn::tensor::activation::{log_sigmoid, log_softmax};
use burn::tensor::{Tensor, TensorData};

use crate::config::LossConfig;

/// The loss of a run.
///
/// With p the probability of an output and gamma the focal exponent, a sigmoid costs
/// −a·(1 − p)^gamma·ln p − b·p^gamma·ln(1 − p), and a softmax −Σ a·(1 − p)^gamma·ln p, where a and b say how much the
/// output is wanted and not wanted: 1 or 0, but for label smoothing and label weights. Several sigmoids cost their mean.
#[derive(Debug, Clone)]
pub(crate) struct Loss {
    head: Head,
    gamma: f64,
    smoothing: f64,
    /// One for each label.
    weights: Vec<f64>,
}

/// How much each output of some examples is wanted (a) and not wanted (b), row-major; b is empty for a softmax.
struct Target {
    a: Vec<f32>,
    b: Vec<f32>,
}

impl Loss {
    /// The loss for a head over `weights.len()` labels. `smoothing` is the share of certainty taken from each target:
    /// spread over all labels by a softmax (Szegedy et al. 2016, §7), over both sides by a sigmoid.
    pub(crate) fn new(head: Head, config: &LossConfig, smoothing: f64, weights: Vec<f64>) -> Self {
        Self { head, gamma: config.gamma(), smoothing, weights }
    }

    fn wanted(&self, targets: &[&[u32]]) -> Target {
        let n_labels = self.weights.len();
        let s = self.smoothing;
        let mut wanted = Target { a: Vec::new(), b: Vec::new() };
        for ids in targets {
            match self.head {
                Head::Sigmoid => {
                    let id = ids.first().copied().unwrap_or_default();
                    let (y, weight) = (f64::from(id) * (1.0 - s) + 0.5 * s, self.weights[id as usize]);
                    wanted.a.push((weight * y) as f32);
                    wanted.b.push((weight * (1.0 - y)) as f32);
                }
                Head::Softmax => {
                    let id = ids.first().copied().unwrap_or_default() as usize;
                    let y = |k| if k == id { 1.0 - s + s / n_labels as f64 } else { s / n_labels as f64 };
                    wanted.a.extend((0..n_labels).map(|k| (self.weights[id] * y(k)) as f32));
                }
                Head::MultiLabel => {
                    for (k, weight) in self.weights.iter().enumerate() {
                        let y = if ids.contains(&(k as u32)) { 1.0 - 0.5 * s } else { 0.5 * s };
                        wanted.a.push((weight * y) as f32);
                        wanted.b.push((1.0 - y) as f32);
                    }
                }
            }
        }
        wanted
    }

    /// The gradient of each example's loss with respect to its logits, `[batch, outputs]`, given the logits (without
    /// autodiff) and the label ids of each example.
    pub(crate) fn gradient(&self, logits: Tensor<2>, targets: &[&[u32]]) -> Tensor<2> {
        let device = logits.device();
        let [batch, outputs] = logits.dims();
        let wanted = self.wanted(targets);
        let upload = |values: Vec<f32>| Tensor::<2>::from_data(TensorData::new(values, [batch, outputs]), &device);
        match self.head {
            Head::Softmax => {
                let ln_p = log_softmax(logits, 1);
                let p = ln_p.clone().exp();
                let pull = upload(wanted.a) * self.pull(&p, ln_p);
                p * pull.clone().sum_dim(1) - pull
            }
            Head::Sigmoid | Head::MultiLabel => {
                let (ln_p, ln_q) = (log_sigmoid(logits.clone()), log_sigmoid(logits.neg()));
                let (p, q) = (ln_p.clone().exp(), ln_q.clone().exp());
                let (up, down) = (upload(wanted.a) * self.pull(&p, ln_p), upload(wanted.b) * self.pull(&q, ln_q));
                (p * down - q * up) / outputs as f32
            }
        }
    }

    /// −p·d/dp of (1 − p)^gamma·(−ln p): (1 − p)^gamma − gamma·(1 − p)^(gamma − 1)·p·ln p. It is 1 for cross-entropy.
    fn pull(&self, p: &Tensor<2>, ln_p: Tensor<2>) -> Tensor<2> {
        if self.gamma == 0.0 {
            return p.ones_like();
        }
        let gamma = self.gamma as f32;
        // At p = 1 both terms vanish; the floor keeps a power of zero with a negative exponent from spoiling that.
        let rest = p.clone().neg().add_scalar(1.0).clamp_min(f32::MIN_POSITIVE);
        let focused = rest.clone().powf_scalar(gamma);
        focused.clone() - focused / rest * p.clone() * ln_p * gamma
    }

    /// The loss of each example, whose gradient is [`Loss::gradient`]: `logits` is `[targets.len(), outputs]`,
    /// row-major. A logit that is not a number makes its example's loss NaN. No finite logit overflows.
    pub(crate) fn values(&self, logits: &[f32], targets: &[&[u32]]) -> Vec<f64> {
        let outputs = self.head.outputs(self.weights.len());
        let wanted = self.wanted(targets);
        let focus = |ln_p: f64, ln_rest: f64| -(self.gamma * ln_rest).exp() * ln_p;
        let cost = |weight: f32, ln_p: f64, ln_rest: f64| match weight {
            0.0 => 0.0,
            weight => f64::from(weight) * focus(ln_p, if self.gamma == 0.0 { 0.0 } else { ln_rest }),
        };
        let rows = logits.chunks_exact(outputs).enumerate();
        rows.map(|(i, row)| {
            // `max` ignores NaN: it must be looked for, or divergence would go unseen.
            if row.iter().any(|z| z.is_nan()) {
                return f64::NAN;
            }
            let a = &wanted.a[i * outputs..][..outputs];
            match self.head {
                Head::Softmax => {
                    let max = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
                    let ln_sum = max + row.iter().map(|&z| (f64::from(z) - max).exp()).sum::<f64>().ln();
                    let ln_p = |z: f32| f64::from(z) - ln_sum;
                    row.iter().zip(a).map(|(&z, &a)| cost(a, ln_p(z), (-ln_p(z).exp()).ln_1p())).sum()
                }
                Head::Sigmoid | Head::MultiLabel => {
                    let b = &wanted.b[i * outputs..][..outputs];
                    let sides = row.iter().zip(a.iter().zip(b));
                    let sum: f64 = sides
                        .map(|(&z, (&a, &b))| {
                            let z = f64::from(z);
                            let (ln_p, ln_q) = (ln_sigmoid(z), ln_sigmoid(-z));
                            cost(a, ln_p, ln_q) + cost(b, ln_q, ln_p)
                        })
                        .sum();
                    sum / outputs as f64
                }
            }
        })
        .collect()
    }
}

/// ln σ(z) = min(z, 0) − ln(1 + e^−|z|).
fn ln_sigmoid(z: f64) -> f64 {
    z.min(0.0) - (-z.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FocalConfig;

    const FOCAL: LossConfig = LossConfig::Focal(FocalConfig { gamma: 2.0 });

    fn cross_entropy(head: Head, n_labels: usize) -> Loss {
        Loss::new(head, &LossConfig::default(), 0.0, vec![1.0; n_labels])
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(f, e)| (f - e).abs() < 1e-7), "{found:?} is not {expected:?}");
    }

    #[test]
    fn cross_entropy_by_hand() {
        let ln2 = std::f64::consts::LN_2;
        // -ln σ(2) = ln(1 + e^-2) = 0.12692801104297263; -ln(1 - σ(2)) = 2 more.
        let binary = cross_entropy(Head::Sigmoid, 2);
        close(
            &binary.values(&[0.0, 2.0, 2.0], &[&[1], &[1], &[0]]),
            &[ln2, 0.126_928_011_042_972_63, 2.126_928_011_042_972_6],
        );
        assert_eq!(binary.values(&[1000.0, -1000.0], &[&[1], &[1]]), [0.0, 1000.0], "large logits do not overflow");
        assert!(binary.values(&[f32::NAN], &[&[0]])[0].is_nan());

        let softmax = cross_entropy(Head::Softmax, 3);
        close(&softmax.values(&[1.0, 1.0, 1.0], &[&[2]]), &[3f64.ln()]);
        assert!(softmax.values(&[1.0, f32::NAN, 0.0], &[&[0]])[0].is_nan());

        // One label of two holds: the mean of -ln σ(2) and -ln(1 - σ(0)).
        let both = cross_entropy(Head::MultiLabel, 2).values(&[2.0, 0.0], &[&[0]]);
        close(&both, &[(0.126_928_011_042_972_63 + ln2) / 2.0]);
    }

    #[test]
    fn weights_smoothing_and_focus_by_hand() {
        let ln = f64::ln;
        // σ(ln 3) = 3/4.
        let z = 3f32.ln();
        let weighted = Loss::new(Head::Sigmoid, &LossConfig::default(), 0.0, vec![1.0, 5.0]);
        close(&weighted.values(&[z, z], &[&[1], &[0]]), &[-5.0 * ln(0.75), -ln(0.25)]);
        // One sigmoid has two sides: a smoothing of 0.2 leaves a target of 0.9, not 0.8.
        let smoothed = Loss::new(Head::Sigmoid, &LossConfig::default(), 0.2, vec![1.0; 2]);
        close(&smoothed.values(&[z], &[&[1]]), &[-0.9 * ln(0.75) - 0.1 * ln(0.25)]);
        // Over four labels 0.2 spreads 0.05 to each.
        let spread = Loss::new(Head::Softmax, &LossConfig::default(), 0.2, vec![1.0; 4]);
        let quarter = ln(0.25);
        close(&spread.values(&[0.0; 4], &[&[3]]), &[-0.85 * quarter - 0.15 * quarter]);
        let focal = Loss::new(Head::Sigmoid, &FOCAL, 0.0, vec![1.0; 2]);
        close(&focal.values(&[z, z], &[&[1], &[0]]), &[-0.0625 * ln(0.75), -0.5625 * ln(0.25)]);
        // Of two labels that count 3 and 1 the first holds: its side alone is weighted.
        let many = Loss::new(Head::MultiLabel, &LossConfig::default(), 0.0, vec![3.0, 1.0]);
        close(&many.values(&[z, z], &[&[0]]), &[(-3.0 * ln(0.75) - ln(0.25)) / 2.0]);
    }

    #[test]
    fn the_gradient_is_that_of_the_value() {
        let device = attentive_backend::open("flex").expect("flex is always there").device;
        for (head, logits, targets) in [
            (Head::Sigmoid, vec![0.0, 1.5, -3.0f32], vec![&[1u32][..], &[0], &[1]]),
            (Head::Softmax, vec![0.2, -1.0, 3.0, 0.0, 0.0, 0.0f32], vec![&[2][..], &[1]]),
            (Head::MultiLabel, vec![0.2, -1.0, 3.0, 0.0, 0.0, 0.5f32], vec![&[0, 2][..], &[]]),
        ] {
            for (config, smoothing, weight) in
                [(LossConfig::default(), 0.0, 1.0), (LossConfig::default(), 0.1, 3.0), (FOCAL, 0.1, 0.5)]
            {
                let n_labels = if head == Head::Sigmoid { 2 } else { 3 };
                let weights = (0..n_labels).map(|k| 1.0 + weight * f64::from(k)).collect();
                let loss = Loss::new(head, &config, smoothing, weights);
                let shape = [targets.len(), head.outputs(n_labels as usize)];
                let tensor = Tensor::from_data(TensorData::new(logits.clone(), shape), &device);
                let gradient = loss.gradient(tensor, &targets).try_into_vec_as::<f32>().expect("host memory");
                for i in 0..logits.len() {
                    let at = |delta: f32| {
                        let mut moved = logits.clone();
                        moved[i] += delta;
                        loss.values(&moved, &targets).iter().sum::<f64>()
                    };
                    let difference = (at(1e-2) - at(-1e-2)) / 2e-2;
                    let found = f64::from(gradient[i]);
                    assert!((found - difference).abs() < 2e-4, "{head:?} {config:?} {i}: {found} is not {difference}");
                }
            }
        }
    }

    #[test]
    fn a_sure_focal_loss_has_a_finite_gradient() {
        let device = attentive_backend::open("flex").expect("flex is always there").device;
        let loss = Loss::new(Head::Sigmoid, &FOCAL, 0.0, vec![1.0; 2]);
        let logits = Tensor::<2>::from_data([[200.0], [-200.0], [0.0]], &device);
        let gradient = loss.gradient(logits, &[&[1], &[1], &[1]]).try_into_vec_as::<f32>().expect("host memory");
        // Sure and right pulls nowhere, sure and wrong pulls like cross-entropy.
        assert_eq!(gradient[..2], [0.0, -1.0]);
        assert!(gradient[2].is_finite());
    }
}
