//! Shapes, and that padding changes neither what a model says nor what it learns.

use attentive_model::{Classifier, WeightPath};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

use crate::table::{DIM, MAX_LENGTH, assert_close, backends, cases, logits, padded};

const TEXTS: [&[i32]; 4] = [&[1, 2, 3, 4], &[5, 1], &[6], &[2, 2, 6]];

#[test]
fn outputs_have_the_shape_of_the_head() {
    for opened in backends() {
        for case in cases() {
            let model = case.model(&opened.device);
            let outputs = if case.n_labels == 2 { 1 } else { case.n_labels };
            assert_eq!(model.forward(padded(&TEXTS, 4, 0, &opened.device)).dims(), [4, outputs], "{}", case.name);
            assert_eq!(model.n_labels(), case.n_labels);

            let probabilities = model.probabilities(padded(&TEXTS, 4, 0, &opened.device));
            assert_eq!(probabilities.dims(), [4, case.n_labels], "{}", case.name);
            let sums = probabilities.sum_dim(1).try_into_vec_as::<f32>().unwrap();
            assert_close(&case.name, &sums, &[1.0; 4], 1e-6);
        }
    }
}

#[test]
fn a_text_gets_the_same_logits_whatever_surrounds_it() {
    for opened in backends() {
        for case in cases() {
            let model = case.model(&opened.device);
            let outputs = if case.n_labels == 2 { 1 } else { case.n_labels };
            let together = logits(&model, padded(&TEXTS, MAX_LENGTH, 0, &opened.device));
            for (i, text) in TEXTS.iter().enumerate() {
                let alone = logits(&model, padded(&[text], text.len(), 0, &opened.device));
                let what = format!("{} on {}", case.name, opened.backend);
                assert_close(&what, &together[i * outputs..][..outputs], &alone, 1e-6);
            }
            assert!(together[..outputs] != together[outputs..2 * outputs], "the texts are told apart");
        }
    }
}

#[test]
fn the_ids_under_the_padding_change_no_bit() {
    for opened in backends() {
        for case in cases() {
            let model = case.model(&opened.device);
            let with = |pad_id| logits(&model, padded(&TEXTS, 7, pad_id, &opened.device));
            assert_eq!(with(0), with(9), "{} on {}", case.name, opened.backend);
        }
    }
}

#[test]
fn a_text_without_tokens_gets_the_bias_of_the_head() {
    for opened in backends() {
        for case in cases() {
            let model = case.model(&opened.device);
            let bias = model.weights().unwrap().into_iter().find(|w| w.name == "head.bias").unwrap().values;
            assert!(bias.iter().all(|&value| value != 0.0));
            let found = logits(&model, padded(&[&[], &[1, 2]], 3, 0, &opened.device));
            assert_eq!(found[..bias.len()], bias, "{} on {}", case.name, opened.backend);
            assert!(found.iter().all(|value| value.is_finite()));
        }
    }
}

#[test]
fn padding_has_no_gradient() {
    for opened in backends() {
        let device = opened.device.autodiff();
        for case in cases() {
            let what = format!("{} on {}", case.name, opened.backend);
            let model = case.model(&device);
            let texts: [&[i32]; 3] = [&[1, 2, 3, 4], &[5, 1], &[]]; // a text without tokens must not spoil the others
            let forward = model.forward(padded(&texts, 7, 9, &device));
            let gradients = gradients(&model, forward.powf_scalar(2.0).sum().backward());
            assert!(gradients.iter().all(|(_, values)| values.iter().all(|value| value.is_finite())), "{what}");

            let rows = |name: &str| -> Vec<bool> {
                let values = &gradients.iter().find(|(found, _)| found == name).unwrap().1;
                values.chunks(DIM).map(|row| row.iter().any(|&value| value != 0.0)).collect()
            };
            // Id 9 is only padding; 0, 6, 7, 8 and 10 are nowhere.
            let moved = rows("embedding.weight");
            let expected: Vec<bool> = (0..moved.len()).map(|id| (1..=5).contains(&id)).collect();
            assert_eq!(moved, expected, "{what}");
            if gradients.iter().any(|(name, _)| name == "positions.weight") {
                let expected: Vec<bool> = (0..MAX_LENGTH).map(|t| t < 4).collect();
                assert_eq!(rows("positions.weight"), expected, "{what}");
            }
        }
    }
}

/// The gradient of every weight by its name.
fn gradients(model: &Classifier, from: Gradients) -> Vec<(String, Vec<f32>)> {
    struct Collector {
        path: WeightPath,
        from: Gradients,
        found: Vec<(String, Vec<f32>)>,
    }

    impl ModuleVisitor for Collector {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.enter(name, container);
        }

        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.exit();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradient = param.val().grad(&self.from).expect("every weight takes part");
            self.found.push((self.path.name(), gradient.try_into_vec_as::<f32>().unwrap()));
        }
    }

    let mut collector = Collector { path: WeightPath::default(), from, found: Vec::new() };
    model.visit(&mut collector);
    collector.found
}
