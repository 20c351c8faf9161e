//! Learning rates worked by hand, and those of PyTorch's rule for `one_cycle`.

use super::*;
use crate::config::{ConstantConfig, CosineConfig, InverseSqrtConfig, LinearConfig, PlateauConfig, PolynomialConfig};

fn constant(warmup_steps: u64) -> ScheduleConfig {
    ScheduleConfig::Constant(ConstantConfig { warmup_steps })
}

fn linear(warmup_steps: u64, final_ratio: f64) -> ScheduleConfig {
    ScheduleConfig::Linear(LinearConfig { warmup_steps, final_ratio })
}

fn cosine(warmup_steps: u64, final_ratio: f64) -> ScheduleConfig {
    ScheduleConfig::Cosine(CosineConfig { warmup_steps, final_ratio })
}

fn polynomial(warmup_steps: u64, power: f64, final_ratio: f64) -> ScheduleConfig {
    ScheduleConfig::Polynomial(PolynomialConfig { warmup_steps, power, final_ratio })
}

fn inverse_sqrt(warmup_steps: u64) -> ScheduleConfig {
    ScheduleConfig::InverseSqrt(InverseSqrtConfig { warmup_steps })
}

fn one_cycle(pct_start: f64, div_factor: f64, final_div_factor: f64) -> ScheduleConfig {
    ScheduleConfig::OneCycle(OneCycleConfig { pct_start, div_factor, final_div_factor })
}

fn plateau(warmup_steps: u64) -> ScheduleConfig {
    ScheduleConfig::Plateau(PlateauConfig { warmup_steps, ..PlateauConfig::default() })
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
fn polynomial_by_hand() {
    // The squares of 4/4, 3/4, 2/4, 1/4 and 0/4.
    assert_rates(&polynomial(0, 2.0, 0.0), 1.0, 5, &[1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]);
    // Down from 2 to 1 by the cubes of 1, 1/2 and 0, after two steps of warm-up.
    assert_rates(&polynomial(2, 3.0, 0.5), 2.0, 4, &[1.0, 2.0, 1.125, 1.0, 1.0]);
    for (step, expected) in [1.0, 0.75, 0.5, 0.25, 0.0].into_iter().enumerate() {
        assert_eq!(polynomial(0, 1.0, 0.0).lr(1.0, step as u64, 5), expected);
    }
}

#[test]
fn inverse_sqrt_by_hand() {
    // The full rate in step 4; then √(4/9) in step 9 and √(4/16) in step 16.
    let schedule = inverse_sqrt(4);
    assert_rates(&schedule, 3.0, 100, &[0.75, 1.5, 2.25, 3.0, 3.0 * 0.8f64.sqrt()]);
    assert!((schedule.lr(3.0, 8, 100) - 2.0).abs() < 1e-15);
    assert_eq!(schedule.lr(3.0, 15, 100), 1.5);
    assert_eq!(schedule.lr(3.0, 15, 1_000_000), 1.5);
    assert_eq!(schedule.lr(3.0, 99, 16), 1.5);
    assert_rates(&inverse_sqrt(1), 1.0, 4, &[1.0, 0.5f64.sqrt(), (1.0f64 / 3.0).sqrt(), 0.5, 0.5]);
}

/// What this Python prints, which follows `torch/optim/lr_scheduler.py`:
///
/// ```python
/// def one_cycle(total, pct=0.3, div=25.0, final_div=1e4, peak=1.0):
///     cos = lambda start, end, p: end + (start - end) / 2.0 * (math.cos(math.pi * p) + 1)
///     first, end = peak / div, pct * total - 1
///     for n in range(total):
///         if n <= end:
///             print(cos(first, peak, n / end if end else 1))
///         else:
///             print(cos(peak, first / final_div, (n - end) / (total - 1 - end)))
/// ```
#[test]
fn one_cycle_follows_pytorch() {
    let ten = [
        0.04,
        0.52,
        1.0,
        0.9504846320134737,
        0.8117456539497631,
        0.6112620219362893,
        0.38874197806371075,
        0.18825834605023697,
        0.049519367986526286,
        4e-6,
        4e-6,
    ];
    let default = ScheduleConfig::OneCycle(OneCycleConfig::default());
    assert_rates(&default, 1.0, 10, &ten);
    // The rise ends between the third step and the fourth.
    let seven = [
        0.2,
        0.8218847050625473,
        1.8281152949374526,
        1.9010678990345167,
        1.223298413022358,
        0.37813368794312524,
        0.002,
        0.002,
    ];
    assert_rates(&one_cycle(0.5, 10.0, 100.0), 2.0, 7, &seven);
    assert_rates(&one_cycle(0.25, 25.0, 1e4), 1.0, 4, &[1.0, 0.750001, 0.250003, 4e-6]);
    assert_rates(&default, 1.0, 3, &[0.9944154354509117, 0.46263710266697505, 4e-6]);
    // All the way up: a cosine of 0, 60, 120 and 180 degrees from 1/4 to 1.
    assert_rates(&one_cycle(1.0, 4.0, 10.0), 1.0, 4, &[0.25, 0.4375, 0.8125, 1.0]);
    // All the way down, from before the first step.
    assert_rates(&one_cycle(0.0, 4.0, 1.0), 1.0, 2, &[0.625, 0.25]);
}

#[test]
fn plateau_is_the_peak_until_it_is_scaled() {
    assert_rates(&plateau(0), 0.3, 3, &[0.3, 0.3, 0.3, 0.3]);
    assert_rates(&plateau(4), 1.0, 6, &[0.25, 0.5, 0.75, 1.0, 1.0, 1.0]);
}

#[test]
fn a_run_shorter_than_the_warm_up_ends_on_the_way_up() {
    let (polynomial, inverse_sqrt) = (polynomial(10, 2.0, 0.0), inverse_sqrt(10));
    for schedule in [constant(10), linear(10, 0.0), cosine(10, 0.0), polynomial, inverse_sqrt, plateau(10)] {
        assert_rates(&schedule, 1.0, 3, &[0.1, 0.2, 0.3, 0.3]);
        assert_rates(&schedule, 1.0, 0, &[0.1, 0.1]);
        assert_rates(&schedule, 1.0, 10, &[0.1, 0.2]);
        assert_eq!(schedule.lr(1.0, 9, 10), 1.0);
    }
}

#[test]
fn a_run_of_one_step_has_the_full_rate() {
    let others = [polynomial(0, 2.0, 0.0), inverse_sqrt(1), one_cycle(0.3, 25.0, 1e4), plateau(0)];
    for schedule in [linear(0, 0.0), cosine(0, 0.0), linear(1, 0.0), cosine(1, 0.0)].into_iter().chain(others) {
        assert_rates(&schedule, 0.5, 1, &[0.5, 0.5]);
        assert_rates(&schedule, 0.5, 0, &[0.5, 0.5]);
    }
    assert_eq!(linear(0, 0.0).lr(0.5, u64::MAX, 0), 0.5);
    assert_eq!(linear(u64::MAX, 0.0).lr(1.0, u64::MAX, u64::MAX), 1.0);
}

#[test]
fn the_config_is_strict_and_survives_a_round_trip() {
    let parse = serde_json::from_str::<ScheduleConfig>;
    assert_eq!(parse(r#"{"constant": {}}"#).unwrap(), ScheduleConfig::default());
    assert_eq!(parse(r#"{"linear": {"warmup_steps": 100}}"#).unwrap(), linear(100, 0.0));
    assert!(parse(r#"{"cosine": {"warmup": 100}}"#).is_err());
    assert!(parse(r#"{"constant": {"final_ratio": 0.5}}"#).is_err());
    assert!(parse(r#"{"linear": {"warmup_steps": -1}}"#).is_err());
    assert_eq!(parse(r#"{"inverse_sqrt": {"warmup_steps": 7}}"#).unwrap(), inverse_sqrt(7));
    assert_eq!(parse(r#"{"one_cycle": {"pct_start": 0.5}}"#).unwrap(), one_cycle(0.5, 25.0, 1e4));
    assert!(parse(r#"{"one_cycle": {"warmup_steps": 1}}"#).is_err());
    let falling = [polynomial(4, 3.0, 0.1), inverse_sqrt(9), one_cycle(0.1, 2.0, 3.0), plateau(5)];
    for schedule in [constant(3), linear(2, 0.1), cosine(1, 0.2)].into_iter().chain(falling) {
        let value = serde_json::to_value(&schedule).unwrap();
        assert_eq!(serde_json::from_value::<ScheduleConfig>(value).unwrap(), schedule);
    }
}
