//! A model that Keras trained, as what a run here begins with: the config that it decides, its tokenizer, its weights, and
//! the state of its Adam. Trains and writes nothing.

use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use attentive_data::{Labels, TextEncoder};
use attentive_model::{Head, Sizes, Weight};
use attentive_train::{Config, Imported, OptimizerConfig, OptimizerState};
use serde_json::Value;

use super::architecture::{Architecture, architecture};
use super::compiled::shortest;
use super::hdf5_read::{Found, Tree};
use super::refusal::Refusal;
use super::vectorization::MEMBERS;
use super::zip_read::Archive;
use crate::error::{ExportError, read_error};

/// The largest file that is read.
const MAX_BYTES: u64 = 8 << 30;
/// The weights in an archive.
const WEIGHTS: &str = "model.weights.h5";

/// What Keras saved: a `.keras` file, or a `.weights.h5` of the weights alone.
#[derive(Debug)]
pub struct KerasModel {
    path: PathBuf,
    bytes: Vec<u8>,
    /// Where in them the weights are.
    weights: Range<usize>,
    /// What `config.json` says, which weights alone do not have.
    architecture: Option<Architecture>,
    version: Option<String>,
    tokenizer: Option<TextEncoder>,
    left_out: Vec<String>,
}

impl KerasModel {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ExportError::Read`]; [`ExportError::Unreadable`] when it is not what Keras 3 saves; [`ExportError::NoEqual`] when the
    /// model has a part that there is nothing for here.
    pub fn open(path: &Path) -> Result<Self, ExportError> {
        Self::of(path, read(path)?)
    }

    /// The model in the bytes of a file.
    pub(super) fn of(path: &Path, bytes: Vec<u8>) -> Result<Self, ExportError> {
        let mut model = Self {
            path: path.to_path_buf(),
            weights: 0..bytes.len(),
            bytes: Vec::new(),
            architecture: None,
            version: None,
            tokenizer: None,
            left_out: Vec::new(),
        };
        if bytes.starts_with(b"PK") {
            model.read_archive(&bytes)?;
        }
        model.bytes = bytes;
        model.tree()?;
        Ok(model)
    }

    fn read_archive(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        let archive = Archive::read(bytes).map_err(|reason| self.unreadable("the archive", reason))?;
        let member = |name: &str| archive.get(name).map_err(|reason| self.unreadable(name, reason));
        let needed = |name: &str| member(name)?.ok_or_else(|| self.unreadable(name, "it is not there"));
        let json = |name: &str| -> Result<Value, ExportError> {
            serde_json::from_slice(needed(name)?).map_err(|error| self.unreadable(name, error.to_string()))
        };
        let config = json("config.json")?;
        let version = json("metadata.json")?["keras_version"].as_str().map(str::to_string);
        let mut architecture = architecture(&config).map_err(|refusal| match refusal {
            Refusal::Damaged(reason) => self.unreadable("config.json", reason),
            Refusal::NoEqual(part) => ExportError::NoEqual { path: self.path.clone(), part },
        })?;
        let mut left_out = std::mem::take(&mut architecture.left_out);
        let mut tokenizer = None;
        if let Some(settings) = &architecture.vectorization {
            let adapted = MEMBERS.iter().find_map(|name| member(name).transpose()).transpose()?;
            let encoder = settings.vocabulary(adapted).and_then(|vocabulary| vocabulary.encoder());
            tokenizer = Some(encoder.map_err(|reason| self.unreadable("the vocabulary", reason))?);
        }
        let known = |name: &&str| ["config.json", "metadata.json", WEIGHTS].contains(name) || MEMBERS.contains(name);
        let others = archive.names().filter(|name| !known(name) && !name.ends_with('/'));
        left_out.extend(others.map(|name| format!("`{name}`")));
        needed(WEIGHTS)?;
        self.weights = archive.place(WEIGHTS).unwrap_or_default();
        (self.architecture, self.version, self.tokenizer) = (Some(architecture), version, tokenizer);
        self.left_out = left_out;
        Ok(())
    }

    /// The weights and the state of the optimizer where they are.
    fn tree(&self) -> Result<Tree<'_>, ExportError> {
        let place = if self.architecture.is_some() { WEIGHTS } else { "the file" };
        let bytes = self.bytes.get(self.weights.clone()).unwrap_or_default();
        Tree::read(bytes).map_err(|reason| self.unreadable(place, reason))
    }

    fn unreadable(&self, place: &str, reason: impl Into<String>) -> ExportError {
        ExportError::Unreadable { path: self.path.clone(), place: place.to_string(), reason: reason.into() }
    }

    /// What was read, in lines for a person.
    pub fn told(&self) -> Vec<String> {
        let Some(architecture) = &self.architecture else {
            return vec!["weights alone: what the model is, the config says".to_string()];
        };
        let version = self.version.as_ref().map_or(String::new(), |version| format!("Keras {version}: "));
        let mut told = vec![format!("{version}{}", architecture.told())];
        if let (Some(settings), Some(encoder)) = (&architecture.vectorization, &self.tokenizer) {
            let length = settings.length.map_or(String::new(), |length| format!(", {length} a text"));
            told.push(format!("TextVectorization of {} tokens{length}: {}", encoder.vocab_size(), settings.told()));
        }
        told
    }

    /// What is in the file and not taken.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Whether the model makes ids of texts itself; else it is asked for them.
    pub fn has_tokenizer(&self) -> bool {
        self.tokenizer.is_some()
    }

    /// Its tokenizer, which can be taken once.
    pub fn take_tokenizer(&mut self) -> Option<TextEncoder> {
        self.tokenizer.take()
    }

    /// The rows of its embedding.
    ///
    /// # Errors
    /// [`ExportError::Unreadable`] when it has none.
    pub fn rows(&self) -> Result<usize, ExportError> {
        let tree = self.tree()?;
        let table = tree.array("layers/embedding/vars/0").and_then(|table| table.shape.first().copied());
        table.ok_or_else(|| self.unreadable(WEIGHTS, "it has no `layers/embedding/vars/0`"))
    }

    /// Puts what the model decides into a config: the model, and the optimizer if it is one that goes on. Of weights alone
    /// nothing is known.
    pub fn configure(&self, config: &mut Config) {
        let Some(architecture) = &self.architecture else { return };
        architecture.configure(&mut config.model);
        config.features = Default::default();
        config.train.init_from = None;
        config.train.init_names.clear();
        if let Some(optimizer) = &architecture.compiled.optimizer {
            config.train.optimizer = optimizer.clone();
            config.train.max_grad_norm = architecture.compiled.max_grad_norm;
            if let Some(lr) = self.learning_rate() {
                match &mut config.train.optimizer {
                    OptimizerConfig::Adam(adam) => adam.learning_rate = lr,
                    OptimizerConfig::Adamw(adamw) => adamw.learning_rate = lr,
                    _ => {}
                }
            }
        }
    }

    /// The learning rate at which it stopped, if it is not that of a schedule.
    fn learning_rate(&self) -> Option<f64> {
        let tree = self.tree().ok()?;
        let lr = tree.array("optimizer/vars/1").filter(|lr| lr.shape.is_empty())?;
        lr.floats().ok()?.first().map(|lr| shortest(f64::from(*lr)))
    }

    /// The weights of the model that the config describes, and the state of its optimizer if that goes on. `order` has, for
    /// each label, the unit of the last layer that is its class in Keras.
    ///
    /// # Errors
    /// [`ExportError::Outputs`] when the model is one for other labels; [`ExportError::FewRows`] when the tokenizer has
    /// more tokens than the embedding has rows; [`ExportError::Unreadable`] when a weight is not what it should be.
    pub fn trained(&mut self, config: &Config, sizes: &Sizes, order: &[usize]) -> Result<Imported, ExportError> {
        self.check_head(sizes)?;
        let shapes = config.model.weight_shapes(sizes);
        let (weights, optimizer, left_out) = self.take(&self.tree()?, config, &shapes, sizes, order)?;
        self.left_out.extend(left_out);
        let unused = self.left_out.clone();
        Ok(Imported { path: self.path.clone(), weights, optimizer, unused })
    }

    fn check_head(&self, sizes: &Sizes) -> Result<(), ExportError> {
        let Some(architecture) = &self.architecture else { return Ok(()) };
        let fits = architecture.outputs == sizes.head.outputs(sizes.n_labels)
            && architecture.is_softmax == (sizes.head == Head::Softmax);
        match fits {
            true => Ok(()),
            false => Err(ExportError::Outputs {
                path: self.path.clone(),
                outputs: architecture.outputs,
                is_softmax: architecture.is_softmax,
                n_labels: sizes.n_labels,
            }),
        }
    }

    #[expect(clippy::type_complexity, reason = "the three parts of what is taken")]
    fn take(
        &self,
        tree: &Tree,
        config: &Config,
        shapes: &[(String, Vec<usize>)],
        sizes: &Sizes,
        order: &[usize],
    ) -> Result<(Vec<Weight>, Option<OptimizerState>, Vec<String>), ExportError> {
        let mut left_out = Vec::new();
        let has_scale = shapes.iter().any(|(name, _)| name == "attention.scale");
        let mut places = Vec::new();
        for (name, shape) in shapes {
            places.push((place(name, has_scale).ok_or_else(|| self.no_equal(name))?, name, shape));
        }
        let head = Reordered { order, is_sigmoid: sizes.head == Head::Sigmoid };
        let mut weights = Vec::new();
        for &(place, name, shape) in &places {
            let array = tree.array(place).ok_or_else(|| self.unreadable(place, "it is not there"))?;
            let mut values = self.values(place, array, name, shape)?;
            head.apply(name, shape, &mut values, true);
            weights.push(Weight { name: name.clone(), shape: shape.clone(), values });
        }
        let n_layers = tree.group("layers").map_or(0, |layers| {
            let is_weight = |path: &String| path.contains("/vars/") && !path.contains("seed_generator");
            layers.paths().iter().filter(|path| is_weight(path)).count()
        });
        if n_layers != places.len() {
            let reason = format!("it has {n_layers} weights, and the model of the config has {}", places.len());
            return Err(self.unreadable(WEIGHTS, reason));
        }
        let rows = self.rows()?;
        if rows > sizes.vocab_size {
            left_out.push(format!(
                "the last {} of {rows} rows of the embedding, which no token has",
                rows - sizes.vocab_size
            ));
        }
        let optimizer = self.optimizer(tree, config, &places, &head, &mut left_out)?;
        Ok((weights, optimizer, left_out))
    }

    /// The state of Adam, if it is there and the config goes on with it.
    fn optimizer(
        &self,
        tree: &Tree,
        config: &Config,
        places: &[(&str, &String, &Vec<usize>)],
        head: &Reordered,
        left_out: &mut Vec<String>,
    ) -> Result<Option<OptimizerState>, ExportError> {
        let goes_on = match (&self.architecture, &config.train.optimizer) {
            (Some(architecture), optimizer) => {
                architecture.compiled.optimizer.as_ref().is_some_and(|own| are_alike(own, optimizer))
            }
            (None, OptimizerConfig::Adam(_) | OptimizerConfig::Adamw(_)) => true,
            _ => false,
        };
        let Some(vars) = tree.group("optimizer/vars").filter(|vars| vars.n_arrays() > 0) else {
            left_out.push("there is no state of an optimizer: it starts anew".to_string());
            return Ok(None);
        };
        let n = vars.n_arrays();
        // Without a schedule, the learning rate is the second.
        let first = match n.checked_sub(2 * places.len()) {
            Some(first @ (1 | 2)) if goes_on => first,
            _ => {
                left_out.push(format!("the state of the optimizer, which has {n} variables: it starts anew"));
                return Ok(None);
            }
        };
        let variable = |index: usize| {
            let place = format!("optimizer/vars/{index}");
            let array = vars.array(&index.to_string()).ok_or_else(|| self.unreadable(&place, "it is not there"))?;
            Ok::<_, ExportError>((place, array))
        };
        let (place, iteration) = variable(0)?;
        let updates = iteration.count().map_err(|reason| self.unreadable(&place, reason))?;
        if updates > u64::from(u32::MAX) {
            return Err(self.unreadable(&place, format!("it counts {updates} updates")));
        }
        let mut moments = std::collections::BTreeMap::new();
        for (index, (_, name, shape)) in places.iter().enumerate() {
            for (offset, moment) in ["momentum", "velocity"].into_iter().enumerate() {
                let (place, array) = variable(first + 2 * index + offset)?;
                let mut values = self.values(&place, array, name, shape)?;
                // The mean of the squares is the same for a weight that is turned round.
                head.apply(name, shape, &mut values, moment == "momentum");
                moments.insert(format!("{name}.{moment}"), values);
            }
        }
        Ok(Some(OptimizerState { moments, updates }))
    }

    /// The values of a weight or a moment; of a table with more rows than there are tokens, the first.
    fn values(&self, place: &str, array: &Found, name: &str, shape: &[usize]) -> Result<Vec<f32>, ExportError> {
        let is_single = name.starts_with("attention.");
        let expected = if is_single { &[][..] } else { shape };
        let mut values = array.floats().map_err(|reason| self.unreadable(place, reason))?;
        let is_table = name == "embedding.weight" && array.shape.len() == 2 && array.shape[1] == shape[1];
        match is_table {
            true if array.shape[0] < shape[0] => {
                return Err(ExportError::FewRows { path: self.path.clone(), rows: array.shape[0], tokens: shape[0] });
            }
            true => values.truncate(shape[0] * shape[1]),
            false if array.shape != expected => {
                let reason = format!("its shape is {:?}, and {expected:?} is needed", array.shape);
                return Err(self.unreadable(place, reason));
            }
            false => {}
        }
        match values.iter().all(|value| value.is_finite()) {
            true => Ok(values),
            false => Err(self.unreadable(place, "it holds a value that is not a finite number")),
        }
    }

    fn no_equal(&self, name: &str) -> ExportError {
        let part = format!("the weight `{name}`, which the config has and Keras does not");
        ExportError::NoEqual { path: self.path.clone(), part }
    }
}

/// Whether two optimizers are of the same kind.
fn are_alike(one: &OptimizerConfig, other: &OptimizerConfig) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

/// Where Keras keeps a weight.
fn place(name: &str, has_scale: bool) -> Option<&'static str> {
    Some(match name {
        "embedding.weight" => "layers/embedding/vars/0",
        "attention.scale" => "layers/attention/vars/0",
        "attention.concat_weight" if has_scale => "layers/attention/vars/1",
        "attention.concat_weight" => "layers/attention/vars/0",
        "head.weight" => "layers/dense/vars/0",
        "head.bias" => "layers/dense/vars/1",
        _ => return None,
    })
}

/// The order of the labels here, by their units in Keras.
struct Reordered<'a> {
    order: &'a [usize],
    is_sigmoid: bool,
}

impl Reordered<'_> {
    /// Puts what belongs to the units of the head into the order of the labels. One sigmoid for two labels that change
    /// places has its sign turned.
    fn apply(&self, name: &str, shape: &[usize], values: &mut [f32], is_signed: bool) {
        if !name.starts_with("head.") || self.order.is_sorted() {
            return;
        }
        if self.is_sigmoid {
            if is_signed {
                values.iter_mut().for_each(|value| *value = -*value);
            }
            return;
        }
        let n = shape.last().copied().unwrap_or(1);
        for row in values.chunks_exact_mut(n) {
            let units = row.to_vec();
            row.iter_mut().zip(self.order).for_each(|(value, &unit)| *value = units[unit]);
        }
    }
}

/// For each label, its place among `classes`, the names of the classes in Keras' order.
///
/// # Errors
/// [`ExportError::Classes`] when they are not the labels.
pub fn order_of(labels: &Labels, classes: &[String]) -> Result<Vec<usize>, ExportError> {
    let places = labels.names().iter().map(|name| classes.iter().position(|class| class == name));
    match places.collect::<Option<Vec<usize>>>() {
        Some(order) if classes.len() == labels.len() => Ok(order),
        _ => Err(ExportError::Classes { given: classes.to_vec(), labels: labels.names().to_vec() }),
    }
}

/// The bytes of a file.
fn read(path: &Path) -> Result<Vec<u8>, ExportError> {
    let failed = || read_error(path);
    let file = fs::File::open(path).map_err(failed())?;
    let metadata = file.metadata().map_err(failed())?;
    let refused = |reason: &str| ExportError::Unreadable {
        path: path.to_path_buf(),
        place: "the file".to_string(),
        reason: reason.to_string(),
    };
    if !metadata.is_file() {
        return Err(refused("it is no file"));
    }
    if metadata.len() > MAX_BYTES {
        return Err(refused("it is larger than 8 GiB"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(failed())?;
    Ok(bytes)
}
