//! What a run minimises, as its config says: the loss, and how much each label counts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use attentive_data::Targets;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What training minimises. One loss, named by its key: `loss.focal = {}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LossConfig {
    /// −ln of the probability of the right label. On a sigmoid this is binary cross-entropy; with several labels per
    /// text, its mean over the labels, as Keras has it.
    CrossEntropy(CrossEntropyConfig),
    /// Cross-entropy times (1 − p)^gamma, with p the probability of the right label (Lin et al. 2017, §3.2): examples
    /// that are decided well count less. For classes of very unequal size.
    Focal(FocalConfig),
}

impl Default for LossConfig {
    fn default() -> Self {
        Self::CrossEntropy(CrossEntropyConfig {})
    }
}

impl LossConfig {
    /// The exponent of the focal loss; 0 makes it cross-entropy.
    pub(crate) fn gamma(&self) -> f64 {
        match self {
            Self::CrossEntropy(_) => 0.0,
            Self::Focal(config) => config.gamma,
        }
    }
}

/// `loss.cross_entropy` has no options.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CrossEntropyConfig {}

/// Options of `loss.focal`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FocalConfig {
    /// How much less well-decided examples count. Default 2, the best value in the source.
    #[schemars(range(min = 0.0, max = 10.0))]
    pub gamma: f64,
}

impl Default for FocalConfig {
    fn default() -> Self {
        Self { gamma: 2.0 }
    }
}

/// How much each label counts in the loss: `"balanced"` or `{ spam = 2.0 }`.
#[derive(Debug, Clone, PartialEq)]
pub enum ClassWeights {
    /// As if all labels were equally frequent.
    Balanced,
    /// By label name; labels that are not named count 1.
    Given(BTreeMap<String, f64>),
}

impl ClassWeights {
    /// The weight of each of the `labels`, from the targets of the training split.
    ///
    /// Balanced is n / (labels · count) with one label per example, as scikit-learn has it. With several, where a weight
    /// counts for the texts that have the label, it is the number of texts without the label by those with it.
    pub(crate) fn of_labels(&self, labels: &[String], targets: &Targets, multi_label: bool) -> Vec<f64> {
        match self {
            Self::Given(weights) => labels.iter().map(|name| weights.get(name).copied().unwrap_or(1.0)).collect(),
            Self::Balanced => {
                let mut counts = vec![0u64; labels.len()];
                targets.iter().flatten().for_each(|&id| counts[id as usize] += 1);
                let n = targets.len() as f64;
                let weight = |count: u64| match multi_label {
                    false => n / (labels.len() as f64 * count.max(1) as f64),
                    true => (n - count as f64) / count.max(1) as f64,
                };
                counts.into_iter().map(weight).collect()
            }
        }
    }

    /// The first name that is not among the labels.
    pub(crate) fn unknown<'a>(&'a self, labels: &[String]) -> Option<&'a str> {
        match self {
            Self::Balanced => None,
            Self::Given(weights) => weights.keys().find(|name| !labels.contains(name)).map(String::as_str),
        }
    }
}

const BALANCED: &str = "balanced";

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Balanced => serializer.serialize_str(BALANCED),
            Self::Given(weights) => weights.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ClassWeightsVisitor;

        impl<'de> Visitor<'de> for ClassWeightsVisitor {
            type Value = ClassWeights;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`\"balanced\"` or a table of weights by label")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ClassWeights, E> {
                match text {
                    BALANCED => Ok(ClassWeights::Balanced),
                    other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ClassWeights, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(ClassWeights::Given)
            }
        }

        deserializer.deserialize_any(ClassWeightsVisitor)
    }
}

impl JsonSchema for ClassWeights {
    fn schema_name() -> Cow<'static, str> {
        "ClassWeights".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How much each label counts in the loss.",
            "oneOf": [
                { "const": BALANCED, "description": "As if all labels were equally frequent." },
                {
                    "type": "object",
                    "description": "Weights by label name; labels that are not named count 1.",
                    "additionalProperties": { "type": "number", "exclusiveMinimum": 0 }
                }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_by_hand() {
        let labels = ["a".to_owned(), "b".to_owned()];
        let one = Targets::single(vec![0, 0, 0, 1]);
        assert_eq!(ClassWeights::Balanced.of_labels(&labels, &one, false), [4.0 / 6.0, 4.0 / 2.0]);
        let mut many = Targets::default();
        [&[0, 1][..], &[0], &[], &[0]].into_iter().for_each(|ids| many.push(ids));
        assert_eq!(ClassWeights::Balanced.of_labels(&labels, &many, true), [1.0 / 3.0, 3.0]);
        let given = ClassWeights::Given(BTreeMap::from([("b".to_owned(), 5.0)]));
        assert_eq!(given.of_labels(&labels, &one, false), [1.0, 5.0]);
        assert_eq!(given.unknown(&labels[..1]), Some("b"));
    }

    #[test]
    fn both_forms_are_read_and_written() {
        for json in [serde_json::json!("balanced"), serde_json::json!({ "spam": 2.0 })] {
            let weights: ClassWeights = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(&weights).unwrap(), json);
        }
        assert!(serde_json::from_value::<ClassWeights>(serde_json::json!("even")).is_err());
    }
}
