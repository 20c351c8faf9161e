//! The optimizers. One step maps a model and its gradients to the model after the step; the moments are kept by weight
//! name, so a checkpoint can be checked for completeness and loaded on any device.
//!
//! Burn's own optimizers are not used: no setting of its Adam is Keras' Adam, and loading their state goes through a
//! global default device.

use std::collections::BTreeMap;

use attentive_model::{Classifier, Weight, WeightPath};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{CheckpointError, TrainError};
use crate::gradients::Gradients;

/// The rule by which gradients change weights. One rule, named by its key: `optimizer.adam = {}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerConfig {
    /// Adam in Keras' form: θ −= α·m / (√v + ε) with α = learning_rate·√(1 − β₂ᵗ) / (1 − β₁ᵗ), the "ε̂" form of
    /// Kingma & Ba 2015, end of §2.
    Adam(AdamConfig),
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019), in Keras' form: θ −= learning_rate·weight_decay·θ
    /// before Adam's step.
    Adamw(AdamwConfig),
    /// Stochastic gradient descent, with momentum if asked for, in Keras' form.
    Sgd(SgdConfig),
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::Adam(AdamConfig::default())
    }
}

/// Options of `optimizer.adam`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdamConfig {
    /// The highest learning rate; the schedule scales it. Default 0.001, as Keras.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// How slowly the mean of the gradients forgets. Default 0.9, as Keras.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta_1: f64,
    /// How slowly the mean of the squared gradients forgets. Default 0.999, as Keras.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta_2: f64,
    /// Keeps the step finite where gradients vanish. Default 1e-7, as Keras.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub epsilon: f64,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }
}

/// Options of `optimizer.adamw`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdamwConfig {
    /// The highest learning rate; the schedule scales it. Default 0.001, as Keras.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// How slowly the mean of the gradients forgets. Default 0.9, as Keras.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta_1: f64,
    /// How slowly the mean of the squared gradients forgets. Default 0.999, as Keras.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta_2: f64,
    /// Keeps the step finite where gradients vanish. Default 1e-7, as Keras.
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    pub epsilon: f64,
    /// The share of every weight removed by a step at learning rate 1. Default 0.004, as Keras.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub weight_decay: f64,
}

impl Default for AdamwConfig {
    fn default() -> Self {
        let AdamConfig { learning_rate, beta_1, beta_2, epsilon } = AdamConfig::default();
        Self { learning_rate, beta_1, beta_2, epsilon, weight_decay: 0.004 }
    }
}

/// Options of `optimizer.sgd`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SgdConfig {
    /// The highest learning rate; the schedule scales it. Default 0.01, as Keras.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// The share of the last step that the next one keeps. Default 0, as Keras.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub momentum: f64,
    /// Look ahead along the momentum (Sutskever et al. 2013). Default false, as Keras.
    pub nesterov: bool,
}

impl Default for SgdConfig {
    fn default() -> Self {
        Self { learning_rate: 0.01, momentum: 0.0, nesterov: false }
    }
}

impl OptimizerConfig {
    /// The learning rate that a schedule scales.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Adam(config) => config.learning_rate,
            Self::Adamw(config) => config.learning_rate,
            Self::Sgd(config) => config.learning_rate,
        }
    }

    /// The names of the moments it keeps for each weight.
    fn moments(&self) -> &'static [&'static str] {
        match self {
            Self::Adam(_) | Self::Adamw(_) => &["momentum", "velocity"],
            Self::Sgd(config) if config.momentum > 0.0 => &["momentum"],
            Self::Sgd(_) => &[],
        }
    }

    /// An optimizer at its first step.
    pub fn init(&self) -> Optimizer {
        Optimizer { config: self.clone(), moments: BTreeMap::new() }
    }
}

/// An optimizer and its moments, which are flattened and live on the device of the weights, without autodiff.
#[derive(Debug)]
pub struct Optimizer {
    config: OptimizerConfig,
    moments: BTreeMap<String, Vec<Tensor<1>>>,
}

impl Optimizer {
    /// Changes every weight of `model` that has a gradient. `step` counts from 0.
    pub fn step(&mut self, model: Classifier, gradients: Gradients, step: u64, lr: f64) -> Classifier {
        model.map(&mut Update { path: WeightPath::default(), optimizer: self, gradients, step, lr })
    }

    /// All moments, read back from the device; named as their weight, a dot, and `momentum` or `velocity`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn moments(&self) -> Result<Vec<Weight>, TrainError> {
        let names = self.config.moments();
        let mut all = Vec::new();
        for (weight, moments) in &self.moments {
            for (moment, name) in moments.iter().zip(names) {
                let values = moment.try_to_vec_as::<f32>().map_err(TrainError::device)?;
                all.push(Weight { name: format!("{weight}.{name}"), shape: vec![values.len()], values });
            }
        }
        Ok(all)
    }

    /// The optimizer with the moments of a checkpoint.
    ///
    /// # Errors
    /// When a moment of one of the model's weights is missing or has another size, or one belongs to no weight: the
    /// run would silently continue as another.
    pub fn with_moments(
        mut self,
        moments: Vec<Weight>,
        model: &Classifier,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        let mut given: BTreeMap<String, Vec<f32>> = moments.into_iter().map(|m| (m.name, m.values)).collect();
        for (weight, shape) in model.weight_shapes() {
            let mut of_weight = Vec::new();
            for moment in self.config.moments() {
                let name = format!("{weight}.{moment}");
                let size: usize = shape.iter().product();
                match given.remove(&name) {
                    Some(values) if values.len() == size => {
                        of_weight.push(Tensor::from_data(TensorData::new(values, [size]), device));
                    }
                    _ => return Err(CheckpointError::Moments { name }),
                }
            }
            self.moments.insert(weight, of_weight);
        }
        match given.into_keys().next() {
            Some(name) => Err(CheckpointError::Moments { name }),
            None => Ok(self),
        }
    }

    /// The value of one weight after a step; everything is flattened.
    fn update(&mut self, name: &str, value: Tensor<1>, gradient: Tensor<1>, step: u64, lr: f64) -> Tensor<1> {
        let moments = self.moments.entry(name.to_string()).or_default();
        if moments.is_empty() {
            moments.resize(self.config.moments().len(), gradient.zeros_like());
        }
        match &self.config {
            OptimizerConfig::Adam(AdamConfig { beta_1, beta_2, epsilon, .. }) => {
                adam(value, gradient, moments, [*beta_1, *beta_2, *epsilon], step, lr)
            }
            OptimizerConfig::Adamw(AdamwConfig { beta_1, beta_2, epsilon, weight_decay, .. }) => {
                let decayed = value.clone() - value * (lr * weight_decay) as f32;
                adam(decayed, gradient, moments, [*beta_1, *beta_2, *epsilon], step, lr)
            }
            OptimizerConfig::Sgd(config) => sgd(value, gradient, moments, config, lr),
        }
    }
}

/// Adam as `keras/src/optimizers/adam.py` computes it, all tensors in f32.
fn adam(
    value: Tensor<1>,
    gradient: Tensor<1>,
    moments: &mut [Tensor<1>],
    [beta_1, beta_2, epsilon]: [f64; 3],
    step: u64,
    lr: f64,
) -> Tensor<1> {
    let [m, v] = moments else { return value };
    let t = (step + 1) as f64;
    let alpha = lr * (1.0 - beta_2.powf(t)).sqrt() / (1.0 - beta_1.powf(t));
    *m = m.clone() + (gradient.clone() - m.clone()) * (1.0 - beta_1) as f32;
    *v = v.clone() + (gradient.square() - v.clone()) * (1.0 - beta_2) as f32;
    value - (m.clone() * alpha as f32) / (v.clone().sqrt() + epsilon as f32)
}

/// Gradient descent as `keras/src/optimizers/sgd.py` computes it.
fn sgd(value: Tensor<1>, gradient: Tensor<1>, moments: &mut [Tensor<1>], config: &SgdConfig, lr: f64) -> Tensor<1> {
    let change = gradient * -(lr as f32);
    let [m] = moments else { return value + change };
    let momentum = config.momentum as f32;
    *m = m.clone() * momentum + change.clone();
    if config.nesterov { value + m.clone() * momentum + change } else { value + m.clone() }
}

struct Update<'a> {
    path: WeightPath,
    optimizer: &'a mut Optimizer,
    gradients: Gradients,
    step: u64,
    lr: f64,
}

impl ModuleMapper for Update<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.name();
        let Some(gradient) = self.gradients.remove(&name) else { return param };
        param.map(|tensor| {
            let value = tensor.inner();
            let shape = value.dims();
            let updated = self.optimizer.update(&name, value.reshape([-1]), gradient, self.step, self.lr);
            Tensor::from_inner(updated.reshape(shape)).require_grad()
        })
    }
}

#[cfg(test)]
mod tests {
    use attentive_backend::Backend;
    use attentive_model::{AttentionConfig, EmbeddingConfig, Initializer, ModelConfig, NoneConfig};
    use burn::module::ModuleVisitor;

    use super::*;
    use crate::format;

    /// What `scripts/optimizer_golden.py` had Keras compute; everything is by weight name and flattened.
    #[derive(Deserialize)]
    struct Golden {
        init: BTreeMap<String, Vec<f32>>,
        gradients: Vec<BTreeMap<String, Vec<f32>>>,
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        config: OptimizerConfig,
        steps: Vec<BTreeMap<String, Vec<f32>>>,
    }

    fn golden() -> Golden {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/optimizer_golden.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// A model whose weights are those of the golden file.
    fn model(golden: &Golden, device: &Device) -> Classifier {
        let config = ModelConfig {
            embedding: EmbeddingConfig { dim: 2 },
            attention: AttentionConfig::None(NoneConfig {}),
            ..ModelConfig::default()
        };
        let model = config.init(3, 2, &mut Initializer::new(0, device));
        let weights = model.weight_shapes().into_iter();
        let weights = weights.map(|(name, shape)| Weight { values: golden.init[&name].clone(), name, shape }).collect();
        model.with_weights(weights).unwrap()
    }

    /// The given gradients, by way of a function that has them: the sum of each weight times its gradient.
    fn gradients(model: &Classifier, values: &BTreeMap<String, Vec<f32>>) -> Gradients {
        struct Sum<'a> {
            path: WeightPath,
            values: &'a BTreeMap<String, Vec<f32>>,
            sum: Option<Tensor<1>>,
        }

        impl ModuleVisitor for Sum<'_> {
            fn enter_module(&mut self, name: &str, container: &str) {
                self.path.enter(name, container);
            }

            fn exit_module(&mut self, _: &str, _: &str) {
                self.path.exit();
            }

            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let weight = param.val();
                let values = TensorData::new(self.values[&self.path.name()].clone(), weight.dims());
                let product = (weight.clone() * Tensor::from_data(values, &weight.device())).sum();
                self.sum = Some(match self.sum.take() {
                    Some(sum) => sum + product,
                    None => product,
                });
            }
        }

        let mut sum = Sum { path: WeightPath::default(), values, sum: None };
        model.visit(&mut sum);
        let mut gradients = Gradients::default();
        gradients.add(model, sum.sum.unwrap().backward());
        gradients
    }

    #[test]
    fn ten_steps_follow_keras() {
        let golden = golden();
        for backend in Backend::ALL {
            let device = match backend.open() {
                Ok(opened) => opened.device.autodiff(),
                Err(error) => {
                    println!("{backend} is skipped: {error}");
                    continue;
                }
            };
            for case in &golden.cases {
                let (mut model, mut optimizer) = (model(&golden, &device), case.config.init());
                for (step, (values, expected)) in golden.gradients.iter().zip(&case.steps).enumerate() {
                    let gradients = gradients(&model, values);
                    model = optimizer.step(model, gradients, step as u64, case.config.learning_rate());
                    for weight in model.weights().unwrap() {
                        for (found, expected) in weight.values.iter().zip(&expected[&weight.name]) {
                            assert!(
                                (found - expected).abs() < 2e-6,
                                "{:?} on {backend}, {} after step {}: {found} is not {expected}",
                                case.config,
                                weight.name,
                                step + 1
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_saved_optimizer_goes_on_with_the_same_bits() {
        let golden = golden();
        for backend in [Backend::Flex, Backend::NdArray] {
            let plain = backend.open().unwrap().device;
            let device = plain.clone().autodiff();
            for case in &golden.cases {
                let step = |model: Classifier, optimizer: &mut Optimizer, step: usize| {
                    let gradients = gradients(&model, &golden.gradients[step]);
                    optimizer.step(model, gradients, step as u64, case.config.learning_rate())
                };
                let (mut model, mut optimizer) = (model(&golden, &device), case.config.init());
                for done in 0..5 {
                    model = step(model, &mut optimizer, done);
                }
                let file = format::to_burnpack(&optimizer.moments().unwrap()).unwrap();
                let moments = format::from_burnpack(&file).unwrap();
                let mut loaded = case.config.init().with_moments(moments, &model, &plain).unwrap();

                let kept = step(model.clone(), &mut optimizer, 5);
                let resumed = step(model, &mut loaded, 5);
                assert_eq!(resumed.weights().unwrap(), kept.weights().unwrap(), "{:?} on {backend}", case.config);
                assert_eq!(loaded.moments().unwrap(), optimizer.moments().unwrap());
            }
        }
    }

    #[test]
    fn moments_must_be_exactly_those_of_the_model() {
        let golden = golden();
        let plain = Backend::Flex.open().unwrap().device;
        let device = plain.clone().autodiff();
        let (start, mut optimizer) = (model(&golden, &device), OptimizerConfig::default().init());
        let gradients = gradients(&start, &golden.gradients[0]);
        let model = optimizer.step(start, gradients, 0, 0.01);
        let moments = optimizer.moments().unwrap();
        let names: Vec<&str> = moments.iter().map(|moment| moment.name.as_str()).collect();
        let expected = ["embedding.weight", "head.bias", "head.weight"];
        let expected: Vec<String> =
            expected.iter().flat_map(|weight| ["momentum", "velocity"].map(|m| format!("{weight}.{m}"))).collect();
        assert_eq!(names, expected);

        let refused = |moments: Vec<Weight>| -> String {
            match OptimizerConfig::default().init().with_moments(moments, &model, &plain).unwrap_err() {
                CheckpointError::Moments { name } => name,
                other => panic!("{other}"),
            }
        };
        for missing in 0..moments.len() {
            let mut others = moments.clone();
            let missing = others.remove(missing);
            assert_eq!(refused(others), missing.name);
        }
        assert_eq!(refused(Vec::new()), "embedding.weight.momentum");
        let mut shorter = moments.clone();
        shorter[2].values.clear();
        assert_eq!(refused(shorter), moments[2].name);
        let mut more = moments.clone();
        more.push(Weight { name: "head.scale.momentum".to_string(), shape: vec![1], values: vec![0.0] });
        assert_eq!(refused(more), "head.scale.momentum");
    }
}
