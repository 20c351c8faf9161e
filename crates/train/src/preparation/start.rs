//! Weights to start from that another training made: which of them a new model takes, by name and shape, by token or by
//! position, and an account of it. Opens no run and no bundle.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use attentive_data::{FeaturesConfig, Labels, TextEncoder};
use attentive_model::{Table, Weight};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::error::io_error;
use crate::storage::encoded::sha256_of;
use crate::storage::format::read_safetensors;

/// The weights that turn the text vector into logits, and the one of positions.
pub(crate) const HEAD: &str = "head.";
const POSITIONS: &str = "positions.weight";

/// Weights, and what they were trained for as far as it is known.
#[derive(Debug)]
pub struct Source {
    weights: Vec<Weight>,
    known: Option<Known>,
}

#[derive(Debug)]
struct Known {
    encoder: TextEncoder,
    labels: Labels,
    features: FeaturesConfig,
}

/// What became of one weight of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightInit {
    /// It has the values of the weight of its name.
    Whole,
    /// Some of its rows have.
    Rows {
        /// How many.
        loaded: usize,
        /// Of how many.
        of: usize,
        /// What names a row: `token` or `position`.
        by: String,
    },
    /// It starts as without a source.
    New {
        /// Why.
        reason: String,
    },
}

/// What a model took from a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartAccount {
    /// What `train.init_from` names.
    pub path: PathBuf,
    /// The SHA-256 of all weights of the source as safetensors in 32 bits.
    pub weights_sha256: String,
    /// What became of each weight of the model.
    pub weights: BTreeMap<String, WeightInit>,
    /// The weights of the source that the model does not have.
    pub unused: Vec<String>,
}

/// Values for the weights of a model.
#[derive(Debug)]
pub struct Start {
    /// Which weights, and why not the others.
    pub account: StartAccount,
    patches: BTreeMap<String, Patch>,
}

/// Values for a weight: for all of it, or for some of its rows.
#[derive(Debug)]
struct Patch {
    rows: Option<Vec<usize>>,
    values: Vec<f32>,
}

impl Source {
    /// The weights of a classifier that was trained for this tokenizer, these labels and these n-grams.
    pub(crate) fn new(weights: Vec<Weight>, encoder: TextEncoder, labels: Labels, features: FeaturesConfig) -> Self {
        Self { weights, known: Some(Known { encoder, labels, features }) }
    }

    /// The weights of a safetensors file in any [`crate::Precision`].
    ///
    /// # Errors
    /// [`TrainError::NoStart`] where there is no such file; [`TrainError::Start`] when it is none; [`TrainError::Io`].
    pub fn of_file(path: &Path) -> Result<Self, TrainError> {
        let none = |reason: String| TrainError::Start { path: path.to_path_buf(), reason };
        match fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(TrainError::NoStart { path: path.to_path_buf() });
            }
            Err(error) => return Err(io_error("read", path)(error)),
            Ok(metadata) if !metadata.is_file() => return Err(none("it is no file and no directory".to_string())),
            Ok(_) => {}
        }
        let bytes = fs::read(path).map_err(io_error("read", path))?;
        Ok(Self { weights: read_safetensors(&bytes).map_err(none)?, known: None })
    }
}

/// The model that takes weights from a source.
pub(crate) struct StartTarget<'a> {
    pub(crate) shapes: Vec<(String, Vec<usize>)>,
    pub(crate) encoder: &'a TextEncoder,
    pub(crate) labels: &'a Labels,
    pub(crate) features: &'a FeaturesConfig,
    /// What its weights are called in the source where they have other names there.
    pub(crate) names: &'a BTreeMap<String, String>,
}

impl Start {
    /// What the model takes from the source at `path`.
    ///
    /// # Errors
    /// [`TrainError::Start`] when it takes nothing, or a weight is not where `target.names` says.
    pub(crate) fn new(path: &Path, source: Source, target: &StartTarget) -> Result<Self, TrainError> {
        let failed = |reason: String| TrainError::Start { path: path.to_path_buf(), reason };
        let weights_sha256 = sha256_of(&source.weights).map_err(failed)?;
        let mut given: BTreeMap<String, Weight> =
            source.weights.into_iter().map(|weight| (weight.name.clone(), weight)).collect();
        let (mut weights, mut patches) = (BTreeMap::new(), BTreeMap::new());
        if let Some(name) = target.names.keys().find(|name| target.shapes.iter().all(|(own, _)| own != *name)) {
            let own: Vec<String> = target.shapes.iter().map(|(own, _)| format!("`{own}`")).collect();
            return Err(failed(format!("this model has no weight `{name}`; it has {}", own.join(", "))));
        }
        for (name, shape) in &target.shapes {
            let there = target.names.get(name);
            let (started, patch) = match (given.remove(there.unwrap_or(name)), there) {
                (None, Some(there)) => return Err(failed(format!("it has no weight `{there}`"))),
                (None, None) => (new("there is none of this name"), None),
                (Some(weight), Some(there)) if weight.shape != *shape => {
                    let found = weight.shape;
                    return Err(failed(format!("its `{there}` is {found:?}, and `{name}` of this model {shape:?}")));
                }
                (Some(weight), _) => {
                    let weight = Weight { name: name.clone(), ..weight };
                    taken(weight, shape, source.known.as_ref(), target)
                }
            };
            weights.insert(name.clone(), started);
            patches.extend(patch.map(|patch| (name.clone(), patch)));
        }
        if patches.is_empty() {
            return Err(failed("none of its weights fits this model".to_string()));
        }
        let unused = given.into_keys().collect();
        Ok(Self { account: StartAccount { path: path.to_path_buf(), weights_sha256, weights, unused }, patches })
    }

    /// Puts the values into the weights of the model.
    pub(crate) fn apply(&self, weights: &mut [Weight]) {
        for weight in weights {
            match self.patches.get(&weight.name) {
                None => {}
                Some(Patch { rows: None, values }) => weight.values.clone_from(values),
                Some(Patch { rows: Some(rows), values }) => {
                    let width = weight.shape.get(1).copied().unwrap_or(1);
                    for (row, values) in rows.iter().zip(values.chunks_exact(width)) {
                        weight.values[row * width..][..width].copy_from_slice(values);
                    }
                }
            }
        }
    }
}

fn new(reason: impl Into<String>) -> WeightInit {
    WeightInit::New { reason: reason.into() }
}

/// What becomes of a weight of this shape, given the source's of the same name.
fn taken(weight: Weight, shape: &[usize], known: Option<&Known>, target: &StartTarget) -> (WeightInit, Option<Patch>) {
    let is_table = weight.name == Table::Embedding.weight();
    let same_width = weight.shape.len() == 2 && shape.len() == 2 && weight.shape[1] == shape[1];
    if let Some(known) = known {
        if weight.name.starts_with(HEAD) && known.labels != *target.labels {
            return (new("the labels are others"), None);
        }
        if weight.name == Table::Ngrams.weight() && known.features != *target.features {
            return (new("the n-grams are others"), None);
        }
        if is_table && same_width && known.encoder.to_json() != target.encoder.to_json() {
            let own = |row: usize| target.encoder.token(u32::try_from(row).ok()?);
            let theirs = |row| Some(known.encoder.id(&own(row)?)? as usize);
            return rows(&weight, shape, theirs, "token");
        }
    }
    if weight.name == POSITIONS && same_width && weight.shape != shape {
        return rows(&weight, shape, Some, "position");
    }
    match weight.shape == shape {
        true => (WeightInit::Whole, Some(Patch { rows: None, values: weight.values })),
        false => (new(format!("its shape is {:?}, not {shape:?}", weight.shape)), None),
    }
}

/// The rows that the source has too: `theirs` is where.
fn rows(
    weight: &Weight,
    shape: &[usize],
    theirs: impl Fn(usize) -> Option<usize>,
    by: &str,
) -> (WeightInit, Option<Patch>) {
    let width = shape[1];
    let found = (0..shape[0]).filter_map(|row| Some((row, theirs(row).filter(|&their| their < weight.shape[0])?)));
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for (row, their) in found {
        rows.push(row);
        values.extend_from_slice(&weight.values[their * width..][..width]);
    }
    if rows.is_empty() {
        return (new(format!("it has no {by} of this model's")), None);
    }
    (
        WeightInit::Rows { loaded: rows.len(), of: shape[0], by: by.to_string() },
        Some(Patch { rows: Some(rows), values }),
    )
}

#[cfg(test)]
mod tests {
    use attentive_data::TokenizerConfig;

    use super::*;

    fn weight(name: &str, shape: &[usize], first: f32) -> Weight {
        let n = shape.iter().product::<usize>();
        Weight { name: name.into(), shape: shape.to_vec(), values: (0..n).map(|i| first + i as f32).collect() }
    }

    fn encoder(text: &str) -> TextEncoder {
        TextEncoder::train(&TokenizerConfig::default(), &[text].into_iter().collect()).unwrap()
    }

    #[test]
    fn weights_are_taken_by_name_token_and_position() {
        // Ids: [PAD], [UNK], then words by frequency.
        let (theirs, own) = (encoder("a a a b b c"), encoder("c c b d d d"));
        let labels = |names: [&'static str; 2]| Labels::from_names(names);
        let source = Source::new(
            vec![
                weight("embedding.weight", &[5, 2], 0.0),
                weight("positions.weight", &[2, 2], 50.0),
                weight("attention.scale", &[1], 70.0),
                weight("head.weight", &[2, 1], 80.0),
                weight("gone", &[1], 0.0),
            ],
            theirs,
            labels(["x", "y"]),
            FeaturesConfig::default(),
        );
        let shapes: Vec<(String, Vec<usize>)> = [
            ("embedding.weight", vec![5, 2]),
            ("positions.weight", vec![3, 2]),
            ("attention.scale", vec![1]),
            ("head.weight", vec![2, 1]),
            ("pooling.query", vec![2]),
        ]
        .map(|(name, shape)| (name.to_string(), shape))
        .into();
        let mut weights: Vec<Weight> = shapes.iter().map(|(name, shape)| weight(name, shape, -100.0)).collect();
        let features = FeaturesConfig::default();
        let target = StartTarget {
            shapes,
            encoder: &own,
            labels: &labels(["x", "z"]),
            features: &features,
            names: &BTreeMap::new(),
        };
        let start = Start::new(Path::new("run"), source, &target).unwrap();
        start.apply(&mut weights);
        // Their rows are [PAD], [UNK], a, b, c; ours [PAD], [UNK], d, c, b.
        assert_eq!(weights[0].values, [0.0, 1.0, 2.0, 3.0, -96.0, -95.0, 8.0, 9.0, 6.0, 7.0]);
        assert_eq!(weights[1].values, [50.0, 51.0, 52.0, 53.0, -96.0, -95.0]);
        assert_eq!((weights[2].values[0], weights[3].values[0], weights[4].values[0]), (70.0, -100.0, -100.0));
        let account = &start.account;
        let started = |name: &str| account.weights[name].clone();
        assert_eq!(started("embedding.weight"), WeightInit::Rows { loaded: 4, of: 5, by: "token".into() });
        assert_eq!(started("positions.weight"), WeightInit::Rows { loaded: 2, of: 3, by: "position".into() });
        assert_eq!(started("attention.scale"), WeightInit::Whole);
        assert_eq!(started("head.weight"), new("the labels are others"));
        assert_eq!(started("pooling.query"), new("there is none of this name"));
        assert_eq!(account.unused, ["gone"]);
    }

    #[test]
    fn a_source_that_gives_nothing_is_refused() {
        let source = Source { weights: vec![weight("embedding.weight", &[2, 3], 0.0)], known: None };
        let own = encoder("a");
        let (labels, features) = (Labels::from_names(["x"]), FeaturesConfig::default());
        let shapes = vec![("embedding.weight".to_string(), vec![3, 2])];
        let target =
            StartTarget { shapes, encoder: &own, labels: &labels, features: &features, names: &BTreeMap::new() };
        let error = Start::new(Path::new("a.safetensors"), source, &target).unwrap_err();
        assert_eq!(error.to_string(), "cannot start from `a.safetensors`: none of its weights fits this model");
    }

    #[test]
    fn weights_are_taken_by_the_names_that_are_stated() {
        let own = encoder("a");
        let (labels, features) = (Labels::from_names(["x"]), FeaturesConfig::default());
        let start = |names: [(&str, &str); 1]| {
            let names = names.map(|(own, there)| (own.to_string(), there.to_string())).into();
            let weights =
                vec![weight("wte", &[3, 2], 4.0), weight("bias", &[1], 7.0), weight("head.weight", &[2, 1], 9.0)];
            let shapes = [("embedding.weight", vec![3, 2]), ("head.weight", vec![2, 1]), ("head.bias", vec![1])];
            let shapes: Vec<_> = shapes.map(|(name, shape)| (name.to_string(), shape)).into();
            let target = StartTarget { shapes, encoder: &own, labels: &labels, features: &features, names: &names };
            Start::new(Path::new("a.safetensors"), Source { weights, known: None }, &target)
        };
        let taken = start([("embedding.weight", "wte")]).unwrap();
        assert_eq!(taken.account.weights["embedding.weight"], WeightInit::Whole);
        assert_eq!(taken.account.weights["head.weight"], WeightInit::Whole);
        assert_eq!(taken.account.weights["head.bias"], new("there is none of this name"));
        assert_eq!(taken.account.unused, ["bias"]);
        let mut weights = [weight("embedding.weight", &[3, 2], 0.0)];
        taken.apply(&mut weights);
        assert_eq!(weights[0].values, [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        for (names, reason) in [
            (("embedding.weight", "wpe"), "it has no weight `wpe`"),
            (("embedding.weight", "bias"), "its `bias` is [1], and `embedding.weight` of this model [3, 2]"),
            (
                ("embed.weight", "wte"),
                "this model has no weight `embed.weight`; it has `embedding.weight`, `head.weight`, `head.bias`",
            ),
        ] {
            let error = start([names]).unwrap_err().to_string();
            assert_eq!(error, format!("cannot start from `a.safetensors`: {reason}"));
        }
    }
}
