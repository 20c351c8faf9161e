//! The weights of a model as named lists of numbers, to save, compare, load and count. Holds no file format.
//!
//! A name is the path of fields to the tensor, such as `attention.layers.0.attention.query.weight`. Names of enum
//! variants are left out, so that a name depends on what a layer is and not on what its enum calls it; and so is the encoder,
//! whose parts are named like those of the classifier.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

use crate::Classifier;

/// One weight tensor on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// The path of fields to the tensor.
    pub name: String,
    /// Its sizes, outermost first.
    pub shape: Vec<usize>,
    /// Its values in row-major order.
    pub values: Vec<f32>,
}

/// Why weights do not fit a model, or could not be read from the device.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The model has a weight that is not among those given.
    #[error("the weight `{name}` is missing")]
    Missing {
        /// The missing weight.
        name: String,
    },
    /// A weight is given that the model does not have.
    #[error("the weight `{name}` does not belong to this model")]
    Unknown {
        /// The superfluous weight.
        name: String,
    },
    /// A weight has other sizes than the model's.
    #[error("the weight `{name}` has the shape {found:?}, but the model needs {expected:?}")]
    Shape {
        /// The weight.
        name: String,
        /// The model's sizes.
        expected: Vec<usize>,
        /// The sizes given.
        found: Vec<usize>,
    },
    /// The device could not hand over the values.
    #[error("the weight `{name}` could not be read from the device: {reason}")]
    Read {
        /// The weight.
        name: String,
        /// What the device said.
        reason: String,
    },
}

/// The path to where a visitor or mapper stands in a model.
#[derive(Debug, Default)]
pub struct WeightPath(Vec<Option<String>>);

impl WeightPath {
    /// Steps into a field, list element or enum variant. `container` is what Burn passes to `enter_module`: the kind
    /// of the container the name belongs to.
    pub fn enter(&mut self, name: &str, container: &str) {
        let is_encoder = (container, name) == ("Struct:Classifier", "encoder");
        self.0.push((!is_encoder && !container.starts_with("Enum:")).then(|| name.to_string()));
    }

    /// Steps out again.
    pub fn exit(&mut self) {
        self.0.pop();
    }

    /// The name of the weight that the visitor stands at.
    pub fn name(&self) -> String {
        self.0.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(".")
    }
}

impl Classifier {
    /// All weights, read back from the device, in the order of the fields.
    ///
    /// # Errors
    /// [`WeightsError::Read`] when the device fails.
    pub fn weights(&self) -> Result<Vec<Weight>, WeightsError> {
        let read = |(name, shape, tensor): (String, Vec<usize>, Tensor<1>)| match tensor.try_into_vec_as::<f32>() {
            Ok(values) => Ok(Weight { name, shape, values }),
            Err(error) => Err(WeightsError::Read { name, reason: error.to_string() }),
        };
        self.tensors().into_iter().map(read).collect()
    }

    /// The name and shape of each weight with its values, flattened and without autodiff, on their device; in the order of
    /// the fields.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>, Tensor<1>)> {
        let mut tensors = Tensors::default();
        self.visit(&mut tensors);
        tensors.found
    }

    /// The names and shapes of all weights, without reading values.
    pub fn weight_shapes(&self) -> Vec<(String, Vec<usize>)> {
        let mut shapes = ShapeVisitor::default();
        self.visit(&mut shapes);
        shapes.found
    }

    /// The names and shapes of the weights that training changes: all but a frozen embedding.
    pub fn trained_shapes(&self) -> Vec<(String, Vec<usize>)> {
        self.weight_shapes().into_iter().filter(|(name, _)| self.encoder.kind().trains(name)).collect()
    }

    /// The same model with the given weights, which must be exactly those of the model.
    ///
    /// # Errors
    /// Names the first weight that is missing, superfluous or of another shape.
    pub fn with_weights(self, weights: Vec<Weight>) -> Result<Self, WeightsError> {
        let mut given: BTreeMap<String, Weight> = weights.into_iter().map(|w| (w.name.clone(), w)).collect();
        for (name, expected) in self.weight_shapes() {
            match given.get(&name) {
                None => return Err(WeightsError::Missing { name }),
                Some(weight) if weight.shape != expected => {
                    return Err(WeightsError::Shape { name, expected, found: weight.shape.clone() });
                }
                Some(_) => {}
            }
        }
        let mut writer = Writer { path: WeightPath::default(), weights: &mut given };
        let model = self.map(&mut writer);
        match given.into_keys().next() {
            Some(name) => Err(WeightsError::Unknown { name }),
            None => Ok(model),
        }
    }
}

#[derive(Default)]
struct Tensors {
    path: WeightPath,
    found: Vec<(String, Vec<usize>, Tensor<1>)>,
}

impl ModuleVisitor for Tensors {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val().inner();
        self.found.push((self.path.name(), tensor.dims().to_vec(), tensor.reshape([-1])));
    }
}

#[derive(Default)]
struct ShapeVisitor {
    path: WeightPath,
    found: Vec<(String, Vec<usize>)>,
}

impl ModuleVisitor for ShapeVisitor {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.push((self.path.name(), param.lazy_shape().to_vec()));
    }
}

struct Writer<'a> {
    path: WeightPath,
    weights: &'a mut BTreeMap<String, Weight>,
}

impl ModuleMapper for Writer<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(weight) = self.weights.remove(&self.path.name()) else { return param };
        // What the parameter would hold without these values is never asked for.
        let values = Tensor::from_data(TensorData::new(weight.values, weight.shape), &param.lazy_device());
        let id = param.id;
        param.transform_for_load(values, id)
    }
}
