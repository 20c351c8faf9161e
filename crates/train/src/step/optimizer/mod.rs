//! The optimizers. One step maps a model and its gradients to the model after the step; the moments are kept by weight
//! name, so a checkpoint can be checked for completeness and loaded on any device.
//!
//! Burn's own optimizers are not used: no setting of its Adam is Keras' Adam, and loading their state goes through a
//! global default device.

mod rules;

use std::collections::BTreeMap;

use attentive_model::{Classifier, Weight, WeightPath};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::config::OptimizerConfig;
use crate::error::{CheckpointError, TrainError};
use crate::step::gradients::{Gradient, Gradients};

impl OptimizerConfig {
    /// An optimizer at its first step.
    pub fn init(&self) -> Optimizer {
        Optimizer { config: self.clone(), moments: BTreeMap::new() }
    }

    /// All moments before the first step, as a checkpoint has them.
    pub(crate) fn first_moments(&self, model: &Classifier) -> Vec<Weight> {
        let of_weight = |(weight, shape): (String, Vec<usize>)| {
            let n = shape.iter().product();
            let named = move |moment: &&str| Weight {
                name: format!("{weight}.{moment}"),
                shape: vec![n],
                values: vec![self.initial_moment(); n],
            };
            self.moments().iter().map(named).collect::<Vec<_>>()
        };
        model.trained_shapes().into_iter().flat_map(of_weight).collect()
    }
}

/// An optimizer and its moments, which are flattened and live on the device of the weights, without autodiff.
#[derive(Debug, Clone)]
pub struct Optimizer {
    config: OptimizerConfig,
    moments: BTreeMap<String, Vec<Tensor<1>>>,
}

impl Optimizer {
    /// Changes every weight of `model` that has a gradient. `step` counts from 0; `lr` gives the learning rate of a
    /// weight by its name.
    pub fn step(&mut self, model: Classifier, gradients: Gradients, step: u64, lr: &dyn Fn(&str) -> f64) -> Classifier {
        model.map(&mut Update { path: WeightPath::default(), optimizer: self, gradients, step, lr })
    }

    /// All moments; named as their weight, a dot, and the moment: `head.bias.momentum`.
    pub fn tensors(&self) -> Vec<(String, Tensor<1>)> {
        let of_weight = |(weight, moments): (&String, &Vec<Tensor<1>>)| {
            let names = self.config.moments().iter().map(|name| format!("{weight}.{name}"));
            names.zip(moments.clone()).collect::<Vec<_>>()
        };
        self.moments.iter().flat_map(of_weight).collect()
    }

    /// All moments, read back from the device.
    ///
    /// # Errors
    /// When the device fails.
    pub fn moments(&self) -> Result<Vec<Weight>, TrainError> {
        let read = |(name, moment): (String, Tensor<1>)| {
            let values = moment.try_into_vec_as::<f32>().map_err(TrainError::device)?;
            Ok(Weight { name, shape: vec![values.len()], values })
        };
        self.tensors().into_iter().map(read).collect()
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
        for (weight, shape) in model.trained_shapes() {
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

    /// The value of one weight after a step; everything is flattened. If the gradient is that of some rows of a table, that of
    /// the others is 0; where the optimizer is sparse, they and their moments keep every bit.
    fn update(
        &mut self,
        name: &str,
        value: Tensor<1>,
        Gradient { values: gradient, rows, .. }: Gradient,
        step: u64,
        lr: f64,
    ) -> Tensor<1> {
        // The moments leave the map, so that a table of them has no second handle and can be written in place.
        let mut moments = self.moments.remove(name).unwrap_or_else(|| {
            self.config.moments().iter().map(|_| value.full_like(self.config.initial_moment())).collect()
        });
        let updated = rules::apply(&self.config, value, gradient, rows.as_ref(), &mut moments, step, lr);
        self.moments.insert(name.to_string(), moments);
        updated
    }
}

struct Update<'a> {
    path: WeightPath,
    optimizer: &'a mut Optimizer,
    gradients: Gradients,
    step: u64,
    lr: &'a dyn Fn(&str) -> f64,
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
        let lr = (self.lr)(&name);
        param.map(|tensor| {
            let value = tensor.inner();
            let shape = value.dims();
            let updated = self.optimizer.update(&name, value.reshape([-1]), gradient, self.step, lr);
            Tensor::from_inner(updated.reshape(shape)).require_grad()
        })
    }
}

#[cfg(test)]
mod tests;
