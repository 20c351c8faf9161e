//! The learning rate's answer to validation: the one schedule that is not a function of the step. Its state is the
//! caller's to keep, and to save in a checkpoint; what is monitored is not known here.

use serde::{Deserialize, Serialize};

use crate::config::PlateauConfig;

/// Where the `plateau` schedule stands between two evaluations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlateauState {
    /// The share of the learning rate that is left, 0 to 1.
    pub scale: f64,
    /// Evaluations without improvement that count.
    pub since: u64,
    /// Evaluations still to come in which lack of improvement does not count.
    pub cooldown: u64,
    /// The best value so far.
    pub best: Option<f64>,
}

impl Default for PlateauState {
    fn default() -> Self {
        Self { scale: 1.0, since: 0, cooldown: 0, best: None }
    }
}

impl PlateauState {
    /// Takes note of an evaluation; a higher `value` is better. The steps of Keras' `ReduceLROnPlateau.on_epoch_end`,
    /// except that NaN is never the best, not even at first.
    pub(crate) fn observe(&mut self, config: &PlateauConfig, value: f64) {
        if self.cooldown > 0 {
            self.cooldown -= 1;
            self.since = 0;
        }
        if self.best.map_or(!value.is_nan(), |best| value - config.min_delta > best) {
            self.best = Some(value);
            self.since = 0;
        } else if self.cooldown == 0 {
            self.since += 1;
            if self.since >= config.patience && self.scale > config.min_ratio {
                self.scale = (self.scale * config.factor).max(config.min_ratio);
                self.cooldown = config.cooldown;
                self.since = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The scales after each of the values.
    fn scales(config: &PlateauConfig, values: &[f64]) -> Vec<f64> {
        let mut state = PlateauState::default();
        let observe = |&value: &f64| {
            state.observe(config, value);
            state.scale
        };
        values.iter().map(observe).collect()
    }

    #[test]
    fn every_epoch_without_improvement_halves_by_default() {
        let config = PlateauConfig::default();
        let values = [0.5, 0.6, 0.6, 0.7, 0.65, 0.65];
        assert_eq!(scales(&config, &values), [1.0, 1.0, 0.5, 0.5, 0.25, 0.125]);
    }

    #[test]
    fn an_improvement_must_exceed_min_delta_over_the_best() {
        let config = PlateauConfig { min_delta: 0.25, ..PlateauConfig::default() };
        // 0.75 is exactly 0.25 above 0.5, which is not more; 1.0 is 0.5 above it.
        assert_eq!(scales(&config, &[0.5, 0.75, 1.0]), [1.0, 0.5, 0.5]);
    }

    /// What Keras 3.15.1 prints for:
    ///
    /// ```python
    /// c = keras.callbacks.ReduceLROnPlateau("v", factor=0.5, patience=2, mode="max", cooldown=2, min_lr=0.1875)
    /// c._model = SimpleNamespace(optimizer=keras.optimizers.SGD(1.0))
    /// c.on_train_begin()
    /// for epoch, v in enumerate([1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 3, 2, 2, 2]):
    ///     c.on_epoch_end(epoch, {"v": v})
    ///     print(float(c.model.optimizer.learning_rate))
    /// ```
    #[test]
    fn patience_cooldown_and_floor_are_those_of_keras() {
        let config = PlateauConfig { patience: 2, cooldown: 2, min_ratio: 0.1875, ..PlateauConfig::default() };
        let values = [1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 3.0, 2.0, 2.0, 2.0];
        let keras = [1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25, 0.1875, 0.1875];
        assert_eq!(scales(&config, &values), keras);
    }

    #[test]
    fn nan_is_no_improvement_and_never_the_best() {
        let config = PlateauConfig::default();
        assert_eq!(scales(&config, &[f64::NAN, 0.5, f64::NAN, 0.6]), [0.5, 0.5, 0.25, 0.25]);
    }

    #[test]
    fn the_state_survives_a_round_trip() {
        let mut state = PlateauState::default();
        let config = PlateauConfig { patience: 3, cooldown: 4, ..PlateauConfig::default() };
        for value in [0.1, 0.1] {
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(serde_json::from_str::<PlateauState>(&json).unwrap(), state);
            state.observe(&config, value);
        }
        assert_eq!(state, PlateauState { scale: 1.0, since: 1, cooldown: 0, best: Some(0.1) });
    }
}
