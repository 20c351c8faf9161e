//! The gradients of one optimizer step: collected from autodiff by weight name, summed over micro-batches, clipped by
//! their global norm. Of a table of which a step used only some rows, there is the gradient of those rows.

use std::collections::BTreeMap;

use attentive_model::{Classifier, WeightPath};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients as AutodiffGradients, Int, Tensor};

use crate::error::TrainError;
use crate::step::rows::StepRows;

/// So many values are added up by one thread.
const SUMMED_IN_ORDER: usize = 1 << 21;

/// One gradient tensor for each weight, flattened, without autodiff.
#[derive(Debug, Default)]
pub struct Gradients(BTreeMap<String, Gradient>);

/// The gradient of one weight.
#[derive(Debug)]
pub(crate) struct Gradient {
    /// Flattened.
    pub values: Tensor<1>,
    /// The innermost size of the weight: sums are taken along it first.
    width: usize,
    /// The rows that the values are of; `None` for the whole weight.
    pub rows: Option<StepRows>,
}

impl Gradient {
    /// The sum of all values. Burn's CPU sum of more than four million values depends on thread timing, so each row is
    /// summed first.
    fn sum(&self) -> Tensor<1> {
        self.values.clone().reshape([-1, self.width as i32]).sum_dim(1).sum()
    }
}

impl Gradients {
    /// Adds the gradients of a backward pass through `model`.
    pub fn add(&mut self, model: &Classifier, gradients: AutodiffGradients) {
        model.visit(&mut Collector { path: WeightPath::default(), from: gradients, into: &mut self.0 });
    }

    /// The norm of all gradients as one vector, √Σg².
    ///
    /// Burn's CPU sum of more than four million values depends on thread timing, so each row is summed first, and the rows
    /// in parts.
    ///
    /// # Errors
    /// When the device fails.
    pub fn norm(&self) -> Result<f64, TrainError> {
        let mut sum = 0f64;
        for gradient in self.0.values() {
            let rows = gradient.values.clone().reshape([-1, gradient.width as i32]).square().sum_dim(1);
            for part in rows.split(SUMMED_IN_ORDER, 0) {
                sum += f64::from(part.sum().try_into_scalar::<f32>().map_err(TrainError::device)?);
            }
        }
        Ok(sum.sqrt())
    }

    /// The sum of each weight's gradient, by name: finite only if all of its values are.
    pub fn sums(&self) -> Vec<(&str, Tensor<1>)> {
        let gradients = self.0.iter().filter(|(_, gradient)| gradient.values.dims()[0] > 0);
        gradients.map(|(name, gradient)| (name.as_str(), gradient.sum())).collect()
    }

    /// The first weight, by name, whose gradient holds a value that is not a finite number.
    ///
    /// # Errors
    /// When the device fails.
    pub fn first_not_finite(&self) -> Result<Option<&str>, TrainError> {
        let (names, sums): (Vec<&str>, Vec<Tensor<1>>) = self.sums().into_iter().unzip();
        if sums.is_empty() {
            return Ok(None);
        }
        // All sums are read back at once.
        let sums = Tensor::cat(sums, 0).try_into_vec_as::<f32>().map_err(TrainError::device)?;
        Ok(names.into_iter().zip(sums).find(|(_, sum)| !sum.is_finite()).map(|(name, _)| name))
    }

    /// Scales all gradients so that their norm is at most `max_norm` (Pascanu et al. 2013, §3.2).
    ///
    /// # Errors
    /// When the device fails.
    pub fn clip(&mut self, max_norm: f64) -> Result<(), TrainError> {
        let norm = self.norm()?;
        if norm > max_norm {
            let scale = (max_norm / norm) as f32;
            for gradient in self.0.values_mut() {
                gradient.values = gradient.values.clone() * scale;
            }
        }
        Ok(())
    }

    /// The same in 32 bits, without a number being read back from the device.
    pub fn clip_unread(&mut self, max_norm: f64) {
        let squares = self.0.values().map(|gradient| gradient.values.clone().square().sum());
        let Some(sum) = squares.reduce(|sum, squares| sum + squares) else { return };
        let scale = (sum.sqrt().recip() * max_norm as f32).clamp_max(1.0);
        for gradient in self.0.values_mut() {
            gradient.values = gradient.values.clone() * scale.clone();
        }
    }

    /// Says that the gradient of a table is that of the rows `indices` alone.
    pub(crate) fn of_rows(&mut self, name: &str, indices: &Tensor<1, Int>) {
        if let Some(gradient) = self.0.get_mut(name) {
            gradient.rows = Some(StepRows { indices: indices.clone(), width: gradient.width });
        }
    }

    /// Takes the gradient of a weight.
    pub(crate) fn remove(&mut self, name: &str) -> Option<Gradient> {
        self.0.remove(name)
    }
}

struct Collector<'a> {
    path: WeightPath,
    from: AutodiffGradients,
    into: &'a mut BTreeMap<String, Gradient>,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(values) = param.val().grad_remove(&mut self.from) else { return };
        let width = values.dims().last().copied().unwrap_or(1);
        let values = values.reshape([-1]);
        let name = self.path.name();
        let values = match self.into.remove(&name) {
            Some(sum) => sum.values + values,
            None => values,
        };
        self.into.insert(name, Gradient { values, width, rows: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradients() -> Gradients {
        let device = attentive_backend::open("flex").expect("flex is always there").device;
        let gradient =
            |values: [f32; 2]| Gradient { values: Tensor::from_floats(values, &device), width: 2, rows: None };
        Gradients(BTreeMap::from([("a".to_string(), gradient([3.0, 0.0])), ("b".to_string(), gradient([0.0, -4.0]))]))
    }

    #[test]
    fn clipping_is_by_the_norm_over_all_weights() {
        assert!((gradients().norm().expect("host memory") - 5.0).abs() < 1e-6);
        let mut clipped = gradients();
        clipped.clip(1.0).expect("host memory");
        let a = clipped.remove("a").expect("is there").values.try_into_vec_as::<f32>().expect("host memory");
        let b = clipped.remove("b").expect("is there").values.try_into_vec_as::<f32>().expect("host memory");
        assert!((a[0] - 0.6).abs() < 1e-6 && (b[1] + 0.8).abs() < 1e-6, "{a:?} {b:?}");
    }

    #[test]
    fn clipping_needs_no_number_read_back() {
        for (max_norm, expected) in [(1.0, [0.6, -0.8]), (10.0, [3.0, -4.0])] {
            let mut clipped = gradients();
            clipped.clip_unread(max_norm);
            let a = clipped.remove("a").expect("is there").values.try_into_vec_as::<f32>().expect("host memory");
            let b = clipped.remove("b").expect("is there").values.try_into_vec_as::<f32>().expect("host memory");
            assert!((a[0] - expected[0]).abs() < 1e-6 && (b[1] - expected[1]).abs() < 1e-6, "{a:?} {b:?}");
        }
        Gradients::default().clip_unread(1.0);
    }

    #[test]
    fn a_norm_below_the_limit_changes_nothing() {
        let mut kept = gradients();
        kept.clip(10.0).expect("host memory");
        let a = kept.remove("a").expect("is there").values.try_into_vec_as::<f32>().expect("host memory");
        assert_eq!(a, [3.0, 0.0]);
    }

    /// More rows than Burn adds up in one order.
    #[test]
    fn the_norm_of_a_tall_table_does_not_depend_on_threads() {
        let device = attentive_backend::open("flex").expect("flex is always there").device;
        let values: Vec<f32> = (0u32..4_300_000).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 * 1e-6).collect();
        let values = Tensor::from_floats(values.as_slice(), &device);
        let table = Gradients(BTreeMap::from([("a".to_string(), Gradient { values, width: 1, rows: None })]));
        let norm_with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads");
            pool.install(|| table.norm().expect("host memory").to_bits())
        };
        let expected = norm_with(1);
        for threads in [1, 2, 3, 4, 7].repeat(5) {
            assert_eq!(norm_with(threads), expected, "{threads} threads");
        }
    }
}
