//! Reads the gradients of a module by the names of its weights.

use std::collections::BTreeMap;

use attentive_model::WeightPath;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

use crate::table::values;

struct Collector<'a> {
    path: WeightPath,
    from: &'a Gradients,
    found: BTreeMap<String, Vec<f32>>,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.from) {
            self.found.insert(self.path.name(), values(gradient));
        }
    }
}

/// The gradient of every weight that took part, by its name.
pub(crate) fn gradients<M: Module>(module: &M, from: &Gradients) -> BTreeMap<String, Vec<f32>> {
    let mut collector = Collector { path: WeightPath::default(), from, found: BTreeMap::new() };
    module.visit(&mut collector);
    collector.found
}
