//! A small config shaped like the real one, and what is expected of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::diagnose::diagnose;
use super::super::document::Document;
use super::super::problem::InvalidConfig;

/// A whole experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Names the run.
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) seed: u64,
    pub(super) data: Data,
    #[serde(default)]
    pub(super) model: Model,
    /// How to train.
    #[serde(default)]
    pub(super) train: Train,
    #[serde(default)]
    pub(super) class_weights: BTreeMap<String, f32>,
}

/// Where the examples are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Data {
    /// The training file.
    #[schemars(length(min = 1))]
    pub(super) train: PathBuf,
    pub(super) validation: Option<Validation>,
    #[serde(default)]
    #[schemars(length(min = 1, max = 2))]
    pub(super) text: Vec<String>,
    #[serde(default)]
    pub(super) lowercase: bool,
}

/// A file, or a part of the training file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Validation {
    Path(PathBuf),
    Cut { fraction: f64 },
}

impl JsonSchema for Validation {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Validation".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "oneOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": {
                        "fraction": { "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 }
                    },
                    "required": ["fraction"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Model {
    /// What the model attends with.
    pub(super) attention: Attention,
    pub(super) pooling: Pooling,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Attention {
    /// No attention.
    #[default]
    None,
    /// Luong 2015.
    Dot(Scale),
    ScaledDot(Scale),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Scale {
    #[schemars(range(min = 1, max = 64))]
    pub(super) heads: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pooling {
    /// The mean over the tokens.
    #[default]
    Mean,
    Max,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Train {
    /// Passes over the training split.
    #[schemars(range(min = 1))]
    pub(super) epochs: u32,
    #[schemars(range(min = 1, max = 65536))]
    pub(super) batch_size: usize,
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(super) dropout: f32,
    /// Stop after this many epochs without progress.
    #[schemars(range(min = 1))]
    pub(super) patience: Option<u32>,
    pub(super) optimizer: Optimizer,
}

impl Default for Train {
    fn default() -> Self {
        let optimizer = Optimizer::Adam(Adam::default());
        Self { epochs: 3, batch_size: 32, dropout: 0.1, patience: None, optimizer }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Optimizer {
    Adam(Adam),
    Sgd(Sgd),
}

/// Kingma and Ba 2015.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Adam {
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(super) learning_rate: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 1e-3 }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sgd {
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(super) learning_rate: f64,
    pub(super) momentum: Option<f64>,
}

pub(super) fn schema() -> serde_json::Value {
    schemars::schema_for!(Config).to_value()
}

pub(super) fn read(text: &str, overrides: &[&str]) -> Result<Config, InvalidConfig> {
    let overrides: Vec<String> = overrides.iter().map(|argument| (*argument).to_owned()).collect();
    let document = Document::parse(Path::new("c.toml"), text, &overrides, &schema())?;
    let problems = diagnose(&document, &schema());
    if problems.is_empty() { document.deserialize() } else { Err(InvalidConfig { problems }) }
}

#[track_caller]
pub(super) fn assert_report(text: &str, overrides: &[&str], expected: &str) {
    let report = read(text, overrides).expect_err("the config is bad").to_string();
    assert!(report == expected.trim_start_matches('\n'), "--- got\n{report}\n--- expected{expected}");
}

/// `line` follows a valid `data` on line 1, so it is line 2.
#[track_caller]
pub(super) fn assert_line(line: &str, message_at: &str, carets: &str) {
    let (place, message) = message_at.split_once(' ').expect("place and message");
    let expected = format!("c.toml:{place}: {message}\n  |\n2 | {line}\n  | {carets}\n  |\n1 problem in c.toml");
    assert_report(&format!("data.train = \"a\"\n{line}\n"), &[], &expected);
}
