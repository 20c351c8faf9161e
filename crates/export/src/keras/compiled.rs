//! What `compile_config` of a Keras model says of its training: the optimizer, and whether the loss takes logits. Schedules
//! and losses are left out, and told.

use attentive_train::{AdamConfig, AdamwConfig, OptimizerConfig};
use serde_json::Value;

use super::refusal::Refusal;

/// How a model was trained.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    /// The optimizer, if it is one whose state is read.
    pub(super) optimizer: Option<OptimizerConfig>,
    /// The largest norm of the gradients together.
    pub(super) max_grad_norm: Option<f64>,
    /// For a loss of logits, whether of a softmax; else of sigmoids.
    pub(super) from_logits: Option<bool>,
}

/// Reads `compile_config`, which may be null.
///
/// # Errors
/// [`Refusal::Damaged`].
pub(super) fn compiled(json: &Value, left_out: &mut Vec<String>) -> Result<Compiled, Refusal> {
    let loss = &json["loss"];
    let name = loss.as_str().or(loss["class_name"].as_str()).unwrap_or_default();
    let is_softmax = name.to_ascii_lowercase().contains("categorical");
    if !loss.is_null() && !name.to_ascii_lowercase().replace('_', "").ends_with("crossentropy") {
        left_out.push(format!(
            "the loss `{}`: here it is cross-entropy",
            if name.is_empty() { "of its own" } else { name }
        ));
    }
    if loss["config"]["label_smoothing"].as_f64().is_some_and(|smoothing| smoothing != 0.0) {
        left_out.push("the loss's `label_smoothing`: it is `train.label_smoothing` here".to_string());
    }
    let from_logits = (loss["config"]["from_logits"] == Value::Bool(true)).then_some(is_softmax);
    let optimizer = &json["optimizer"];
    let Some(class) = optimizer["class_name"].as_str() else {
        return Ok(Compiled { from_logits, ..Compiled::default() });
    };
    let config = &optimizer["config"];
    let own = optimizer["registered_name"].as_str().is_none_or(|name| name == class);
    if !own || !["Adam", "AdamW"].contains(&class) || config["amsgrad"] == Value::Bool(true) {
        let amsgrad = if own && class.starts_with("Adam") { " with `amsgrad`" } else { "" };
        left_out.push(format!("the optimizer `{class}`{amsgrad}: only Adam and AdamW go on"));
        return Ok(Compiled { from_logits, ..Compiled::default() });
    }
    for option in ["clipnorm", "clipvalue"] {
        if !config[option].is_null() {
            left_out.push(format!("the optimizer's `{option}`, which limits each gradient by itself"));
        }
    }
    let optimizer = adam(config, left_out)?;
    Ok(Compiled { optimizer: Some(optimizer), max_grad_norm: config["global_clipnorm"].as_f64(), from_logits })
}

fn adam(config: &Value, left_out: &mut Vec<String>) -> Result<OptimizerConfig, Refusal> {
    let number = |option: &str, default: f64| match &config[option] {
        Value::Null => Ok(default),
        value => value.as_f64().ok_or_else(|| Refusal::Damaged(format!("the optimizer's `{option}` is no number"))),
    };
    let defaults = AdamConfig::default();
    let learning_rate = match &config["learning_rate"] {
        Value::Object(schedule) => {
            let class = schedule.get("class_name").and_then(Value::as_str).unwrap_or("of its own");
            left_out.push(format!("the schedule `{class}` of the learning rate: choose one by `train.schedule`"));
            defaults.learning_rate
        }
        _ => number("learning_rate", defaults.learning_rate).map(shortest)?,
    };
    let adam = AdamConfig {
        learning_rate,
        beta_1: number("beta_1", defaults.beta_1)?,
        beta_2: number("beta_2", defaults.beta_2)?,
        epsilon: number("epsilon", defaults.epsilon)?,
        sparse: false,
    };
    Ok(match number("weight_decay", 0.0)? {
        0.0 => OptimizerConfig::Adam(adam),
        weight_decay => {
            let AdamConfig { learning_rate, beta_1, beta_2, epsilon, sparse } = adam;
            OptimizerConfig::Adamw(AdamwConfig { learning_rate, beta_1, beta_2, epsilon, weight_decay, sparse })
        }
    })
}

/// The number with the fewest digits that is the same in 32 bits, in which Keras keeps it: 0.001, not 0.0010000000474974513.
pub(super) fn shortest(value: f64) -> f64 {
    (value as f32).to_string().parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_config_cannot_say_is_told() {
        let mut left_out = Vec::new();
        let json = json!({
            "loss": { "class_name": "BinaryCrossentropy", "config": { "from_logits": true, "label_smoothing": 0.1 } },
            "optimizer": { "class_name": "AdamW", "registered_name": null, "config": {
                "learning_rate": { "class_name": "CosineDecay" }, "weight_decay": 0.004, "global_clipnorm": 1.5, "clipvalue": 2.0,
            } },
        });
        let found = compiled(&json, &mut left_out).unwrap();
        let expected = AdamwConfig { weight_decay: 0.004, ..AdamwConfig::default() };
        assert_eq!(found.optimizer, Some(OptimizerConfig::Adamw(expected)));
        assert_eq!((found.max_grad_norm, found.from_logits), (Some(1.5), Some(false)));
        assert_eq!(left_out.len(), 3, "{left_out:?}");
        let mut left_out = Vec::new();
        let json = json!({ "loss": "mean_squared_error", "optimizer": { "class_name": "SGD", "config": {} } });
        assert_eq!(compiled(&json, &mut left_out).unwrap().optimizer, None);
        assert!(left_out[0].contains("`mean_squared_error`") && left_out[1].contains("`SGD`"), "{left_out:?}");
    }

    #[test]
    fn a_learning_rate_is_told_in_its_own_digits() {
        assert_eq!(shortest(0.001_000_000_047_497_451_3), 0.001);
        assert_eq!(shortest(0.25), 0.25);
    }
}
