//! A model that holds only the rows a step uses says and learns the same, and a frozen table learns nothing.

use std::collections::BTreeMap;

use attentive_backend::Backend;
use attentive_model::{Classifier, Initializer, Input, ModelConfig, Sizes, Table};
use burn::tensor::{Int, Tensor};

use crate::gradients::gradients;
use crate::table::{Case, DIM, Example, VOCAB_SIZE, assert_close, backends, cases, cpu, padded, values};

/// Ids that leave gaps, come twice, and stand as padding (0).
const EXAMPLES: [Example; 2] = [
    Example { text: &[7, 2, 7, 10], second: &[2, 5], ngrams: &[3, 8, 3] },
    Example { text: &[5, 7], second: &[10, 10, 7], ngrams: &[1] },
];
const TOKENS: [i32; 5] = [0, 2, 5, 7, 10];
const NGRAMS: [i32; 4] = [0, 1, 3, 8];
/// The same with 0, 1, … for those rows.
const RENUMBERED: [Example; 2] = [
    Example { text: &[3, 1, 3, 4], second: &[1, 2], ngrams: &[2, 3, 2] },
    Example { text: &[2, 3], second: &[4, 4, 3], ngrams: &[1] },
];

fn step(model: &Classifier, input: Input) -> (Vec<f32>, BTreeMap<String, Vec<f32>>) {
    let logits = model.forward(input);
    let loss = logits.clone().powf_scalar(2.0).sum();
    (values(logits), gradients(model, &loss.backward()))
}

#[test]
fn the_rows_in_use_give_the_same_logits_and_gradients() {
    for opened in backends() {
        let device = opened.device.clone().autodiff();
        let index = |ids: &[i32]| Tensor::<1, Int>::from_data(ids, &opened.device);
        for case in cases(opened.backend) {
            let what = format!("{} on {}", case.name, opened.backend);
            let model = case.model(&device);
            let (logits, dense) = step(&model, case.input(&EXAMPLES, None, 0, &device));
            let small = model.with_rows(Table::Embedding, &index(&TOKENS)).with_rows(Table::Ngrams, &index(&NGRAMS));
            assert_eq!(small.weight_shapes()[0].1, [TOKENS.len(), DIM]);
            let (found, sparse) = step(&small, case.input(&RENUMBERED, None, 0, &device));
            assert_eq!(found, logits, "{what}");
            assert!(sparse.keys().eq(dense.keys()), "{what}");
            for (name, found) in &sparse {
                let rows = |ids: &[i32]| -> Vec<f32> {
                    ids.iter().flat_map(|&id| dense[name][id as usize * DIM..][..DIM].to_vec()).collect()
                };
                let expected = match name.as_str() {
                    "embedding.weight" => rows(&TOKENS),
                    "ngrams.weight" => rows(&NGRAMS),
                    _ => dense[name].clone(),
                };
                if opened.backend == Backend::Wgpu {
                    assert_close(&what, found, &expected, 1e-6); // a GPU adds in any order
                } else {
                    assert_eq!(*found, expected, "{what}: {name}");
                }
            }
        }
    }
}

#[test]
fn a_frozen_table_has_no_gradient() {
    let device = cpu().autodiff();
    let index = || Tensor::<1, Int>::from_data(TOKENS, &cpu());
    for case in cases(Backend::Flex) {
        let mut config = case.config.clone();
        config.embedding.frozen = true;
        let frozen = Case { config, ..case };
        let names =
            |model: &Classifier| -> Vec<String> { model.trained_shapes().into_iter().map(|(name, _)| name).collect() };
        let model = frozen.model(&device);
        let mut trained = names(&model);
        assert_eq!(trained.len() + 1, model.weight_shapes().len());
        assert!(!trained.contains(&"embedding.weight".to_string()));
        trained.sort();
        let (logits, found) = step(&model, frozen.input(&EXAMPLES, None, 0, &device));
        assert!(found.keys().eq(&trained), "{}: {:?}", frozen.name, found.keys());
        let (again, found) =
            step(&model.with_rows(Table::Embedding, &index()), frozen.input(&RENUMBERED_TOKENS, None, 0, &device));
        assert_eq!(again, logits, "{}", frozen.name);
        assert!(found.keys().eq(&trained), "{}: {:?}", frozen.name, found.keys());
    }
}

/// The token ids renumbered, the n-grams as they were.
const RENUMBERED_TOKENS: [Example; 2] =
    [Example { ngrams: EXAMPLES[0].ngrams, ..RENUMBERED[0] }, Example { ngrams: EXAMPLES[1].ngrams, ..RENUMBERED[1] }];

#[test]
fn a_model_without_ngrams_has_none_of_their_rows() {
    let device = cpu().autodiff();
    let sizes = Sizes::of_labels(VOCAB_SIZE, 2);
    let model = ModelConfig::default().init(&sizes, &mut Initializer::new(0, &device));
    let input = || padded(&[&[1, 2]], 2, 0, &device);
    let before = values(model.forward(input()));
    let shapes = model.weight_shapes();
    let same = model.with_rows(Table::Ngrams, &Tensor::from_data([0, 1], &cpu()));
    assert_eq!(same.weight_shapes(), shapes);
    assert_eq!(values(same.forward(input())), before);
}
