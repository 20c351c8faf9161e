//! The learning rate as a pure function of the step: nothing to save in a checkpoint, nothing to
//! restore on resume. It deliberately knows no optimizer; the peak is the optimizer's
//! `learning_rate`.

use std::f64::consts::PI;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the learning rate moves between the first step and the last.
///
/// With `warmup_steps = w` the first `w` steps rise in a straight line: `learning_rate / w` in the
/// first step, twice that in the second, the full `learning_rate` in the `w`-th. With 0 the first
/// step already has the full rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleConfig {
    /// The full learning rate until the end, as Keras does by default.
    Constant(ConstantConfig),
    /// A straight line from the full learning rate down to `final_ratio` of it in the last step.
    Linear(LinearConfig),
    /// Half a cosine wave from the full learning rate down to `final_ratio` of it in the last step
    /// (Loshchilov and Hutter 2017, without restarts): slow at both ends, fast in the middle.
    Cosine(CosineConfig),
}

/// The full learning rate until the end.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConstantConfig {
    /// Steps of linear warm-up, 0 or more. Default 0: the reference model trains without.
    pub warmup_steps: u64,
}

/// A straight line down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinearConfig {
    /// Steps of linear warm-up, 0 or more, out of all the steps of the run. Default 0: small models
    /// need none.
    pub warmup_steps: u64,
    /// The learning rate of the last step as a share of the full one, 0 to 1. Default 0: the
    /// weights come to rest.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub final_ratio: f64,
}

/// Half a cosine wave down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CosineConfig {
    /// Steps of linear warm-up, 0 or more, out of all the steps of the run. Default 0: small models
    /// need none.
    pub warmup_steps: u64,
    /// The learning rate of the last step as a share of the full one, 0 to 1. Default 0: the
    /// weights come to rest.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub final_ratio: f64,
}

impl Default for LinearConfig {
    fn default() -> Self {
        Self { warmup_steps: 0, final_ratio: 0.0 }
    }
}

impl Default for CosineConfig {
    fn default() -> Self {
        Self { warmup_steps: 0, final_ratio: 0.0 }
    }
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self::Constant(ConstantConfig::default())
    }
}

impl ScheduleConfig {
    /// What is wrong with the values: the key, dotted from the schedule down, and the reason. Empty
    /// if all is well.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let (key, final_ratio) = match self {
            Self::Constant(_) => return Vec::new(),
            Self::Linear(linear) => ("linear.final_ratio", linear.final_ratio),
            Self::Cosine(cosine) => ("cosine.final_ratio", cosine.final_ratio),
        };
        if (0.0..=1.0).contains(&final_ratio) {
            return Vec::new();
        }
        vec![(key, format!("`{final_ratio}` is not between 0 and 1"))]
    }

    /// The learning rate of `step`, counted from 0, in a run of `total_steps`, where `peak` is the
    /// full rate.
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
            Self::Constant(_) => return peak,
            Self::Linear(linear) => (1.0 - progress, linear.final_ratio),
            Self::Cosine(cosine) => ((1.0 + (PI * progress).cos()) / 2.0, cosine.final_ratio),
        };
        peak * (final_ratio + (1.0 - final_ratio) * height)
    }

    fn warmup_steps(&self) -> u64 {
        match self {
            Self::Constant(constant) => constant.warmup_steps,
            Self::Linear(linear) => linear.warmup_steps,
            Self::Cosine(cosine) => cosine.warmup_steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(warmup_steps: u64) -> ScheduleConfig {
        ScheduleConfig::Constant(ConstantConfig { warmup_steps })
    }

    fn linear(warmup_steps: u64, final_ratio: f64) -> ScheduleConfig {
        ScheduleConfig::Linear(LinearConfig { warmup_steps, final_ratio })
    }

    fn cosine(warmup_steps: u64, final_ratio: f64) -> ScheduleConfig {
        ScheduleConfig::Cosine(CosineConfig { warmup_steps, final_ratio })
    }

    /// One step past the end is asked for too.
    fn assert_rates(schedule: &ScheduleConfig, peak: f64, total_steps: u64, expected: &[f64]) {
        for (step, expected) in expected.iter().enumerate() {
            let lr = schedule.lr(peak, step as u64, total_steps);
            assert!((lr - expected).abs() <= 1e-15, "{schedule:?}, step {step}: {lr}, expected {expected}");
        }
    }

    #[test]
    fn constant_by_hand() {
        assert_rates(&constant(0), 0.3, 3, &[0.3, 0.3, 0.3, 0.3]);
        assert_rates(&constant(4), 1.0, 6, &[0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0]);
        assert_rates(&constant(1), 1.0, 2, &[1.0, 1.0]);
    }

    #[test]
    fn linear_by_hand() {
        assert_rates(&linear(0, 0.0), 1.0, 5, &[1.0, 0.75, 0.5, 0.25, 0.0, 0.0]);
        // Down from 2.0 to 0.5 in four strides of 0.375, after two steps of warm-up.
        let expected = [1.0, 2.0, 1.625, 1.25, 0.875, 0.5, 0.5];
        assert_rates(&linear(2, 0.25), 2.0, 6, &expected);
        assert_rates(&linear(0, 1.0), 0.1, 4, &[0.1, 0.1, 0.1, 0.1]);
    }

    #[test]
    fn cosine_by_hand() {
        // The cosines of 0, 60, 120 and 180 degrees are 1, 1/2, -1/2 and -1.
        assert_rates(&cosine(0, 0.0), 1.0, 4, &[1.0, 0.75, 0.25, 0.0, 0.0]);
        let expected = [0.5, 1.0, 0.5 + 0.5 * 0.75, 0.5 + 0.5 * 0.25, 0.5];
        assert_rates(&cosine(2, 0.5), 1.0, 5, &expected);
    }

    #[test]
    fn a_run_shorter_than_the_warm_up_ends_on_the_way_up() {
        for schedule in [constant(10), linear(10, 0.0), cosine(10, 0.0)] {
            assert_rates(&schedule, 1.0, 3, &[0.1, 0.2, 0.3, 0.3]);
            assert_rates(&schedule, 1.0, 0, &[0.1, 0.1]);
            assert_rates(&schedule, 1.0, 10, &[0.1, 0.2]);
            assert_eq!(schedule.lr(1.0, 9, 10), 1.0);
        }
    }

    #[test]
    fn a_run_of_one_step_has_the_full_rate() {
        for schedule in [linear(0, 0.0), cosine(0, 0.0), linear(1, 0.0), cosine(1, 0.0)] {
            assert_rates(&schedule, 0.5, 1, &[0.5, 0.5]);
        }
        assert_eq!(linear(0, 0.0).lr(0.5, u64::MAX, 0), 0.5);
        assert_eq!(linear(u64::MAX, 0.0).lr(1.0, u64::MAX, u64::MAX), 1.0);
    }

    #[test]
    fn problems_name_the_key() {
        assert_eq!(constant(5).problems(), []);
        assert_eq!(linear(0, 0.0).problems(), []);
        assert_eq!(cosine(0, 1.0).problems(), []);
        for wrong in [-0.1, 1.5, f64::NAN, f64::INFINITY] {
            assert_eq!(linear(0, wrong).problems()[0].0, "linear.final_ratio");
            assert_eq!(cosine(0, wrong).problems()[0].0, "cosine.final_ratio");
        }
    }

    #[test]
    fn the_config_is_strict_and_survives_a_round_trip() {
        let parse = serde_json::from_str::<ScheduleConfig>;
        assert_eq!(parse(r#"{"constant": {}}"#).unwrap(), ScheduleConfig::default());
        assert_eq!(parse(r#"{"linear": {"warmup_steps": 100}}"#).unwrap(), linear(100, 0.0));
        assert!(parse(r#"{"cosine": {"warmup": 100}}"#).is_err());
        assert!(parse(r#"{"constant": {"final_ratio": 0.5}}"#).is_err());
        assert!(parse(r#"{"linear": {"warmup_steps": -1}}"#).is_err());
        for schedule in [constant(3), linear(2, 0.1), cosine(1, 0.2)] {
            let value = serde_json::to_value(&schedule).unwrap();
            assert_eq!(serde_json::from_value::<ScheduleConfig>(value).unwrap(), schedule);
        }
    }
}
