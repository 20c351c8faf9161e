//! What a run was made from, and in what another differs: the config key by key, the data, the tokenizer, the labels, and
//! the build that computes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use attentive_data::Split;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Config;

/// The key of the one change that needs no permission: more of them.
const EPOCHS: &str = "train.epochs";
/// The field of the pretrained vectors that a run started from.
const VECTORS: &str = "vectors";
/// The field of the weights that a run started from.
const START: &str = "start";
/// The field of the linear part.
const LINEAR: &str = "linear";

/// What a run was made from. A checkpoint only continues a run made from the same. Hashes are SHA-256 in hexadecimal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Every key of the resolved config but the name of the run.
    pub(crate) config: BTreeMap<String, Value>,
    /// The texts and labels of each split.
    pub(crate) data: BTreeMap<Split, String>,
    /// `tokenizer.json`.
    pub(crate) tokenizer: String,
    /// `labels.json`.
    pub(crate) labels: String,
    /// The file of pretrained vectors that its embedding started from, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) vectors: Option<String>,
    /// The weights that it started from, if another training made them; see [`crate::StartAccount`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<String>,
    /// The linear part, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) linear: Option<String>,
    /// What computes: version, revision, backends, and a GPU's name.
    pub(crate) build: BTreeMap<String, String>,
}

/// Something in which two runs differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// A key of the config, or `data.train.examples`, `tokenizer`, `labels`, `vectors`, `start`, `linear`, `build.…`.
    pub field: String,
    /// What it was; of what is too long to tell, the hash. `None` where there was nothing.
    pub was: Option<Value>,
    /// Likewise, what it is.
    pub is: Option<Value>,
}

/// A difference that was allowed, and from when on it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Steps taken before it.
    pub step: u64,
    /// What changed.
    pub difference: Difference,
}

impl Origin {
    /// What a run is made from, as far as its config says it.
    pub(crate) fn of_config(config: &Config) -> Self {
        let nothing = String::new;
        Self {
            config: keys(config),
            data: BTreeMap::new(),
            tokenizer: nothing(),
            labels: nothing(),
            vectors: None,
            start: None,
            linear: None,
            build: BTreeMap::new(),
        }
    }

    /// In what `now` differs.
    pub(crate) fn differences(&self, now: &Self) -> Vec<Difference> {
        let mut all = self.config_differences(&now.config);
        all.extend(self.data_differences(now));
        let [was, is] = [&self.build, &now.build].map(deciding);
        all.extend(between(|key| format!("build.{key}"), &was, &is, |text| Value::String(text.clone())));
        all
    }

    /// In what the data, the tokenizer, the labels, or the vectors or weights at the start of `now` differ.
    pub(crate) fn data_differences(&self, now: &Self) -> Vec<Difference> {
        let hash = |hash: &String| Value::String(hash.clone());
        let of_split = |split: &Split| format!("data.{split}.examples");
        let mut all = between(of_split, &self.data, &now.data, hash);
        for (field, was, is) in [("tokenizer", &self.tokenizer, &now.tokenizer), ("labels", &self.labels, &now.labels)]
        {
            if was != is {
                all.push(Difference { field: field.to_string(), was: Some(hash(was)), is: Some(hash(is)) });
            }
        }
        let at_start = [
            // Not known of a run that an older program made.
            (VECTORS, &self.vectors, &now.vectors, self.vectors.is_some()),
            (START, &self.start, &now.start, true),
            (LINEAR, &self.linear, &now.linear, true),
        ];
        for (field, was, is, is_known) in at_start {
            if is_known && was != is {
                let hash = |hash: &Option<String>| hash.clone().map(Value::String);
                all.push(Difference { field: field.to_string(), was: hash(was), is: hash(is) });
            }
        }
        all
    }

    /// In what another config differs; see [`keys`]. A key that was not there and has its default now is no difference: the
    /// program that wrote this did not know it yet.
    pub(crate) fn config_differences(&self, now: &BTreeMap<String, Value>) -> Vec<Difference> {
        let mut all = between(String::clone, &self.config, now, Value::clone);
        all.retain(|difference| difference.was.is_some() || !is_default(&difference.field, now));
        all
    }
}

impl Config {
    /// The keys in which another config differs from this one.
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        Origin::of_config(self).config_differences(&keys(other))
    }
}

impl Difference {
    /// Whether it needs no permission: more epochs.
    pub(crate) fn is_free(&self) -> bool {
        let epochs = |value: &Option<Value>| value.as_ref().and_then(Value::as_u64);
        self.field == EPOCHS && epochs(&self.is) > epochs(&self.was)
    }

    /// Whether one of these names permits it: its field or one above it, such as `train` for `train.seed`.
    pub(crate) fn is_allowed(&self, allowed: &[String]) -> bool {
        allowed.iter().any(|name| {
            self.field.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// A resolved config as it was before; `None` where the difference is not in the config.
    pub(crate) fn undo(&self, mut config: Value) -> Option<Value> {
        if !self.is_told() || self.field.starts_with("build.") {
            return None;
        }
        let (above, key) = self.field.rsplit_once('.').map_or(("", self.field.as_str()), |(above, key)| (above, key));
        let mut section = &mut config;
        for name in above.split('.').filter(|name| !name.is_empty()) {
            section = section.as_object_mut()?.entry(name).or_insert_with(|| Value::Object(serde_json::Map::new()));
        }
        let section = section.as_object_mut()?;
        match &self.was {
            Some(value) => drop(section.insert(key.to_string(), value.clone())),
            None => drop(section.remove(key)),
        }
        Some(config)
    }

    /// Whether values are told, not hashes.
    fn is_told(&self) -> bool {
        !(self.field.ends_with(".examples")
            || ["tokenizer", "labels", VECTORS, START, LINEAR].contains(&self.field.as_str()))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |value: &Option<Value>| value.as_ref().map_or("not there".to_string(), Value::to_string);
        match (&self.was, &self.is) {
            _ if self.is_told() => write!(f, "{}: was {}, is {}", self.field, told(&self.was), told(&self.is)),
            (Some(_), Some(_)) => write!(f, "{}: not the same", self.field),
            (None, _) => write!(f, "{}: was not there", self.field),
            (_, None) => write!(f, "{}: is not there any more", self.field),
        }
    }
}

/// What of a build may decide bits. Checkpoints of earlier versions name the threads of a CPU as its device.
pub(crate) fn deciding(build: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let is_cpu = |device: &str| {
        let count = device.strip_suffix(" threads").or_else(|| device.strip_suffix(" thread"));
        device == "CPU" || count.is_some_and(|count| count.parse::<usize>().is_ok())
    };
    let mut build = build.clone();
    build.retain(|key, value| key != "device" || !is_cpu(value));
    build
}

/// Every key of a config but the name of the run, with its value.
pub(crate) fn keys(config: &Config) -> BTreeMap<String, Value> {
    let mut keys = BTreeMap::new();
    let tree = serde_json::to_value(Config { name: String::new(), ..config.clone() }).unwrap_or_default();
    flatten(&mut keys, "", tree);
    keys.remove("name");
    if config.train.batch_tokens.is_some() {
        keys.remove("train.batch_size"); // decides nothing, and is not written
    }
    keys
}

fn flatten(keys: &mut BTreeMap<String, Value>, key: &str, value: Value) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                flatten(keys, &if key.is_empty() { name } else { format!("{key}.{name}") }, value);
            }
        }
        value => drop(keys.insert(key.to_string(), value)),
    }
}

/// Whether a config without this key is the same config.
fn is_default(key: &str, config: &BTreeMap<String, Value>) -> bool {
    let others = config.iter().filter(|(other, _)| *other != key);
    let mut tree = Value::Object(serde_json::Map::new());
    for (key, value) in others {
        let mut place = &mut tree;
        for name in key.split('.') {
            let Value::Object(fields) = place else { return false };
            place = fields.entry(name).or_insert_with(|| Value::Object(serde_json::Map::new()));
        }
        *place = value.clone();
    }
    serde_json::from_value::<Config>(tree).is_ok_and(|without| keys(&without) == *config)
}

fn between<K: Ord, V: PartialEq>(
    field: impl Fn(&K) -> String,
    was: &BTreeMap<K, V>,
    is: &BTreeMap<K, V>,
    value: impl Fn(&V) -> Value,
) -> Vec<Difference> {
    let names: BTreeSet<&K> = was.keys().chain(is.keys()).collect();
    let differing = names.into_iter().filter(|name| was.get(name) != is.get(name));
    differing
        .map(|name| Difference { field: field(name), was: was.get(name).map(&value), is: is.get(name).map(&value) })
        .collect()
}
