//! The scale that makes probabilities of logits: temperature scaling (Guo et al. 2017), as a factor.

use crate::error::LinearError;
use crate::examples::{Examples, Targets};

/// Between what the factor is looked for, as natural logarithms: 1/1,000 and 1,000.
const RANGE: f64 = 6.907_755_278_982_137;

/// The factor of the logits `[texts, labels]` that makes the probabilities of the targets largest: those of softmax if each
/// example has one label, else of the logistic function for each label. The logits must be of texts that the model was not
/// trained on. It is between 1/1,000 and 1,000, and exact to rounding.
///
/// # Errors
/// [`LinearError::Parts`] if the logits are not `[texts, labels]`, or one is not finite, and what is wrong with the examples.
pub fn calibrated_scale(logits: &[f32], examples: &Examples) -> Result<f32, LinearError> {
    let n_labels = examples.n_labels.max(1);
    examples.check(logits.len() / n_labels)?;
    if !logits.len().is_multiple_of(n_labels) || !logits.iter().all(|logit| logit.is_finite()) {
        return Err(LinearError::Parts { what: "logits must be finite, one for each text and label" });
    }
    // The loss is convex in the factor: its slope has one change of sign.
    let (mut low, mut high) = (-RANGE, RANGE);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        let scale = middle.exp();
        let slope =
            logits.chunks_exact(n_labels).enumerate().map(|(example, logits)| slope(example, logits, examples, scale));
        if slope.sum::<f64>() > 0.0 { high = middle } else { low = middle }
    }
    Ok((0.5 * (low + high)).exp() as f32)
}

/// The derivative of the loss of an example by the factor.
fn slope(example: usize, logits: &[f32], examples: &Examples, scale: f64) -> f64 {
    let weight = examples.weights.map_or(1.0, |weights| f64::from(weights[example]));
    let logits = logits.iter().map(|&logit| f64::from(logit));
    weight
        * match examples.targets {
            Targets::One(labels) => {
                let most = logits.clone().fold(f64::NEG_INFINITY, f64::max);
                let (mut total, mut mean) = (0.0, 0.0);
                for logit in logits.clone() {
                    let probability = (scale * (logit - most)).exp();
                    total += probability;
                    mean += probability * logit;
                }
                mean / total - logits.clone().nth(labels[example] as usize).unwrap_or_default()
            }
            Targets::Many(_) => (0..)
                .zip(logits)
                .map(|(label, logit)| {
                    let target = f64::from(u8::from(examples.has(example, label)));
                    logit * (1.0 / (1.0 + (-scale * logit).exp()) - target)
                })
                .sum(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_makes_the_mean_probability_the_share() {
        // Right in three of four: softmax must say ¾, so that the difference of the logits becomes ln 3.
        let logits = [0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0];
        let examples = Examples::new(Targets::One(&[1, 1, 1, 0]), 2);
        let scale = calibrated_scale(&logits, &examples).unwrap();
        assert!((f64::from(scale) - 3.0_f64.ln() / 2.0).abs() < 1e-6);
        let labels = [vec![0], vec![0], vec![0], vec![]];
        let scale = calibrated_scale(&[2.0; 4], &Examples::new(Targets::Many(&labels), 1)).unwrap();
        assert!((f64::from(scale) - 3.0_f64.ln() / 2.0).abs() < 1e-6);
    }

    #[test]
    fn what_is_always_right_gets_the_largest_scale() {
        let scale = calibrated_scale(&[0.0, 1.0], &Examples::new(Targets::One(&[1]), 2)).unwrap();
        assert!((scale - 1000.0).abs() < 0.1);
    }

    #[test]
    fn logits_of_another_shape_are_refused() {
        let examples = Examples::new(Targets::One(&[1]), 2);
        assert!(calibrated_scale(&[0.0, 1.0, 2.0], &examples).is_err());
        assert!(calibrated_scale(&[0.0, f32::NAN], &examples).is_err());
    }
}
