//! When steps were done, and what that makes for one.

use std::time::Instant;

use crate::arguments::Arguments;

/// When steps were done. An observer may be told of several at once, so that a single gap says little.
pub(crate) struct Clock {
    pub started: Instant,
    /// Seconds since then at which each step was told of.
    pub told: Vec<f64>,
}

impl Clock {
    /// One more step is done. Says whether these are enough.
    pub(crate) fn tick(&mut self, arguments: &Arguments) -> bool {
        let now = self.started.elapsed().as_secs_f64();
        self.told.push(now);
        let warm = self.told.get(arguments.warm_up.saturating_sub(1)).is_some_and(|at| now - at > arguments.seconds);
        // Two blocks at least, so that a slow model is not judged by its first steps.
        let enough = self.told.len() > arguments.warm_up + 2 * arguments.block;
        self.told.len() >= arguments.steps || (warm && enough)
    }

    /// Milliseconds a step in each block of steps, ordered. A block ends where the observer had to wait for the next step.
    pub(crate) fn blocks(&self, warm_up: usize, least: usize) -> Vec<f64> {
        let Some(&end) = self.told.last() else { return Vec::new() };
        let wait = end / self.told.len() as f64 / 4.0;
        let (mut from, mut since, mut blocks) = (0, 0.0, Vec::new());
        for (i, &at) in self.told.iter().enumerate() {
            let waits = self.told.get(i + 1).is_none_or(|next| next - at > wait);
            let least = if from == 0 { warm_up.max(1) } else { least };
            if waits && i + 1 - from >= least {
                if from > 0 || warm_up == 0 {
                    blocks.push((at - since) / (i + 1 - from) as f64 * 1e3);
                }
                (from, since) = (i + 1, at);
            }
        }
        blocks.sort_by(f64::total_cmp);
        blocks
    }
}

/// The value below which this share of the ordered values is.
pub(crate) fn quantile(ordered: &[f64], share: f64) -> Option<f64> {
    let last = ordered.len().checked_sub(1)?;
    ordered.get((last as f64 * share).round() as usize).copied()
}

/// The most memory that the process ever held, in bytes; nothing where the system does not tell.
pub(crate) fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

/// Draws numbers below a bound, each with the same chance.
pub(crate) fn draws() -> impl FnMut(usize) -> usize {
    let mut state = 1_u64;
    move |below| {
        // The generator of Knuth's MMIX; its high bits are good.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    }
}
