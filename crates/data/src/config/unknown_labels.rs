//! What happens to labels that the training examples lack.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Serialize};

/// What happens to a label of the validation or test examples that no training example has: the model cannot predict it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownLabels {
    /// It is an error, because it is most often a misspelling.
    #[default]
    Fail,
    /// Its examples are left out; with `multi_label` the label is left out and the example stays. They are counted and
    /// told.
    Drop,
}

impl FromStr for UnknownLabels {
    type Err = String;

    /// As the config names it.
    fn from_str(name: &str) -> Result<Self, String> {
        Self::deserialize(StrDeserializer::new(name)).map_err(|error: Error| error.to_string())
    }
}
