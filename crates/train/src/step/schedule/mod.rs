//! The learning rate as a pure function of the step: nothing to save in a checkpoint, nothing to
//! restore on resume, but for the plateau schedule's state. It deliberately knows no optimizer; the
//! peak is the optimizer's `learning_rate`.

mod plateau;

use std::f64::consts::PI;

pub(crate) use self::plateau::PlateauState;
use crate::config::{OneCycleConfig, ScheduleConfig};

impl ScheduleConfig {
    /// The learning rate of `step`, counted from 0, in a run of `total_steps`, where `peak` is the
    /// full rate. That of `plateau` is to be multiplied by the scale of its state.
    ///
    /// A run shorter than the warm-up ends on the way up; a step past the end has the rate of the
    /// last one.
    pub fn lr(&self, peak: f64, step: u64, total_steps: u64) -> f64 {
        let warmup_steps = self.warmup_steps();
        let last_step = total_steps.saturating_sub(1);
        let step = step.min(last_step);
        if step < warmup_steps {
            return peak * ((step + 1) as f64 / warmup_steps as f64);
        }
        // The full rate is reached in the last step of the warm-up, or in the first of the run.
        let peak_step = warmup_steps.saturating_sub(1);
        let progress = if step == peak_step { 0.0 } else { (step - peak_step) as f64 / (last_step - peak_step) as f64 };
        let (height, final_ratio) = match self {
            Self::Constant(_) | Self::Plateau(_) => return peak,
            Self::Linear(linear) => (1.0 - progress, linear.final_ratio),
            Self::Cosine(cosine) => ((1.0 + (PI * progress).cos()) / 2.0, cosine.final_ratio),
            Self::Polynomial(polynomial) => ((1.0 - progress).powf(polynomial.power), polynomial.final_ratio),
            Self::OneCycle(one_cycle) => return one_cycle_lr(one_cycle, peak, step, last_step),
            Self::InverseSqrt(_) => return peak * (warmup_steps as f64 / (step + 1) as f64).sqrt(),
        };
        peak * (final_ratio + (1.0 - final_ratio) * height)
    }

    fn warmup_steps(&self) -> u64 {
        match self {
            Self::Constant(constant) => constant.warmup_steps,
            Self::Linear(linear) => linear.warmup_steps,
            Self::Cosine(cosine) => cosine.warmup_steps,
            Self::OneCycle(_) => 0,
            Self::Polynomial(polynomial) => polynomial.warmup_steps,
            Self::InverseSqrt(inverse_sqrt) => inverse_sqrt.warmup_steps.max(1),
            Self::Plateau(plateau) => plateau.warmup_steps,
        }
    }
}

/// The learning rate of PyTorch's `OneCycleLR(anneal_strategy="cos", three_phase=False)`, where the rise may end
/// between two steps. A run of one step, which has no room for a cycle, has the full rate.
fn one_cycle_lr(config: &OneCycleConfig, peak: f64, step: u64, last_step: u64) -> f64 {
    if last_step == 0 {
        return peak;
    }
    let (step, last_step) = (step as f64, last_step as f64);
    let first = peak / config.div_factor;
    let rise_end = config.pct_start * (last_step + 1.0) - 1.0;
    let (from, to, progress) = if step <= rise_end && rise_end > 0.0 {
        (first, peak, step / rise_end)
    } else {
        (peak, first / config.final_div_factor, (step - rise_end) / (last_step - rise_end))
    };
    to + (from - to) / 2.0 * ((PI * progress).cos() + 1.0)
}

#[cfg(test)]
mod tests;
