//! Averages of weights: over the steps of a run, as an exponential moving average, and over its best epochs.

use std::collections::BTreeMap;

use attentive_model::{Classifier, Weight, WeightPath};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::error::{CheckpointError, TrainError};

/// What the name of a weight's average ends in, in a checkpoint.
const SUFFIX: &str = ".average";

/// An exponential moving average of weights (Polyak & Juditsky 1992), flattened on the device, without autodiff.
#[derive(Debug, Clone)]
pub(crate) struct MovingAverage {
    decay: f64,
    values: BTreeMap<String, Tensor<1>>,
}

impl MovingAverage {
    /// An average that keeps `decay` of itself at each step, starting from a model's weights.
    pub(crate) fn new(decay: f64, model: &Classifier) -> Self {
        let mut average = Self { decay, values: BTreeMap::new() };
        average.mix(model, 0.0);
        average
    }

    /// Takes in the weights after `step` updates. The share kept is at most (1 + step) / (10 + step), so that the first
    /// weights do not outlive their use.
    pub(crate) fn update(&mut self, model: &Classifier, step: u64) {
        self.mix(model, self.decay.min((1 + step) as f64 / (10 + step) as f64));
    }

    fn mix(&mut self, model: &Classifier, keep: f64) {
        model.visit(&mut Mix { path: WeightPath::default(), values: &mut self.values, keep });
    }

    /// The averaged weights, with the shapes of the model's.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn weights(&self, model: &Classifier) -> Result<Vec<Weight>, TrainError> {
        let shapes = model.weight_shapes().into_iter();
        let read = shapes.filter_map(|(name, shape)| {
            let values = self.values.get(&name)?.try_to_vec_as::<f32>().map_err(TrainError::device);
            Some(values.map(|values| Weight { name, shape, values }))
        });
        read.collect()
    }

    /// The averages under the names they have in a checkpoint.
    pub(crate) fn tensors(&self) -> Vec<(String, Tensor<1>)> {
        self.values.iter().map(|(name, values)| (format!("{name}{SUFFIX}"), values.clone())).collect()
    }

    /// The average with the values of a checkpoint.
    ///
    /// # Errors
    /// When one of the model's weights has no average of its size.
    pub(crate) fn with_saved(
        mut self,
        saved: Vec<Weight>,
        model: &Classifier,
        device: &Device,
    ) -> Result<Self, CheckpointError> {
        for weight in shaped(saved, &model.weight_shapes())? {
            let n = weight.values.len();
            self.values.insert(weight.name, Tensor::from_data(TensorData::new(weight.values, [n]), device));
        }
        Ok(self)
    }
}

/// Parts what a checkpoint holds beside the weights into the optimizer's moments and the averages.
pub(crate) fn split_saved(saved: Vec<Weight>) -> (Vec<Weight>, Vec<Weight>) {
    saved.into_iter().partition(|weight| !weight.name.ends_with(SUFFIX))
}

/// Saved averages as weights of the model that has weights of these names and shapes.
///
/// # Errors
/// When one of the model's weights has no average of its size.
pub(crate) fn shaped(saved: Vec<Weight>, shapes: &[(String, Vec<usize>)]) -> Result<Vec<Weight>, CheckpointError> {
    let mut saved: BTreeMap<String, Vec<f32>> = saved.into_iter().map(|w| (w.name, w.values)).collect();
    let shaped = shapes.iter().map(|(name, shape)| {
        let saved_name = format!("{name}{SUFFIX}");
        match saved.remove(&saved_name) {
            Some(values) if values.len() == shape.iter().product::<usize>() => {
                Ok(Weight { name: name.clone(), shape: shape.clone(), values })
            }
            _ => Err(CheckpointError::Moments { name: saved_name }),
        }
    });
    shaped.collect()
}

/// The mean of the weights of several models of the same shape, summed in f64. Of one model, its own bits.
pub(crate) fn mean(models: Vec<Vec<Weight>>) -> Vec<Weight> {
    let n = models.len() as f64;
    let mut models = models.into_iter();
    let mut mean = models.next().unwrap_or_default();
    if n <= 1.0 {
        return mean;
    }
    let others: Vec<Vec<Weight>> = models.collect();
    for (i, weight) in mean.iter_mut().enumerate() {
        for (j, value) in weight.values.iter_mut().enumerate() {
            let sum: f64 = others.iter().map(|other| f64::from(other[i].values[j])).sum();
            *value = ((f64::from(*value) + sum) / n) as f32;
        }
    }
    mean
}

struct Mix<'a> {
    path: WeightPath,
    values: &'a mut BTreeMap<String, Tensor<1>>,
    keep: f64,
}

impl ModuleVisitor for Mix<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.path.name();
        let value = param.val().inner().reshape([-1]);
        let mixed = match self.values.remove(&name) {
            // In this form a weight that never moves is its own average, bit for bit.
            Some(average) => value.clone() + (average - value) * self.keep as f32,
            None => value,
        };
        self.values.insert(name, mixed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_by_hand() {
        let model = |values: [f32; 2]| vec![Weight { name: "a".to_string(), shape: vec![2], values: values.to_vec() }];
        assert_eq!(mean(vec![model([1.0, 2.0])])[0].values, [1.0, 2.0]);
        assert_eq!(mean(vec![model([1.0, 2.0]), model([2.0, 4.0]), model([6.0, -3.0])])[0].values, [3.0, 1.0]);
        assert!(mean(Vec::new()).is_empty());
    }

    #[test]
    fn a_moving_average_by_hand() {
        use attentive_model::{AttentionConfig, EmbeddingConfig, Initializer, ModelConfig, NoneConfig, Sizes};
        let device = attentive_backend::open("flex").expect("flex is always there").device.autodiff();
        let config = ModelConfig {
            embedding: EmbeddingConfig { dim: 1, ..EmbeddingConfig::default() },
            attention: AttentionConfig::None(NoneConfig {}),
            ..ModelConfig::default()
        };
        let model = |value: f32| {
            let model = config.init(&Sizes::of_labels(1, 2), &mut Initializer::new(0, &device));
            let mut weights = model.weights().unwrap();
            weights.iter_mut().for_each(|weight| weight.values.fill(value));
            model.with_weights(weights).unwrap()
        };
        let mut average = MovingAverage::new(0.5, &model(8.0));
        // After step 1 at most 2/11 of the start is kept, from step 8 on 9/18, which is the decay.
        average.update(&model(0.0), 1);
        average.update(&model(4.0), 8);
        let expected = 8.0 * 2.0 / 11.0 / 2.0 + 4.0 / 2.0;
        for weight in average.weights(&model(0.0)).unwrap() {
            assert!((weight.values[0] - expected).abs() < 1e-6, "{}: {}", weight.name, weight.values[0]);
        }

        let saved = average.tensors().into_iter().map(|(name, tensor)| {
            let values = tensor.try_into_vec_as::<f32>().unwrap();
            Weight { name, shape: vec![values.len()], values }
        });
        let (moments, averages) = split_saved(saved.collect());
        assert!(moments.is_empty());
        let fresh = MovingAverage::new(0.5, &model(1.0));
        let inner = attentive_backend::open("flex").expect("flex is always there").device;
        let loaded = fresh.with_saved(averages.clone(), &model(0.0), &inner).unwrap();
        assert_eq!(loaded.weights(&model(0.0)).unwrap(), average.weights(&model(0.0)).unwrap());
        let missing = averages[1..].to_vec();
        assert!(shaped(missing, &model(0.0).weight_shapes()).is_err());
    }
}
