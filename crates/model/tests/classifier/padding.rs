//! Shapes, and that padding changes neither what a model says nor what it learns.

use attentive_model::{Classifier, Pooling};

use crate::gradients::gradients;
use crate::table::{BUCKETS, DIM, Example, MAX_LENGTH, VOCAB_SIZE, assert_close, backends, cases, logits};

const EXAMPLES: [Example; 5] = [
    Example { text: &[1, 2, 3, 4], second: &[7, 8], ngrams: &[2, 3, 4] },
    Example { text: &[5, 1], second: &[6, 2, 4, 8, 1], ngrams: &[5] },
    Example { text: &[6], second: &[], ngrams: &[] },
    Example { text: &[], second: &[3, 7, 1], ngrams: &[] },
    Example { text: &[2, 2, 6], second: &[2], ngrams: &[1, 1, 2, 3, 4] },
];

#[test]
fn outputs_have_the_shape_of_the_head() {
    for opened in backends() {
        for case in cases(opened.backend) {
            let model = case.model(&opened.device);
            let outputs = if case.sizes.n_labels == 2 { 1 } else { 3 };
            let input = case.input(&EXAMPLES, None, 0, &opened.device);
            assert_eq!(model.forward(input).dims(), [EXAMPLES.len(), outputs], "{}", case.name);
            assert_eq!(model.outputs(), outputs, "{}", case.name);
        }
    }
}

#[test]
fn a_text_gets_the_same_logits_whatever_surrounds_it() {
    for opened in backends() {
        for case in cases(opened.backend) {
            let model = case.model(&opened.device);
            let n = model.outputs();
            let together = logits(&model, case.input(&EXAMPLES, Some(MAX_LENGTH), 0, &opened.device));
            for (i, example) in EXAMPLES.iter().enumerate() {
                let alone = logits(&model, case.input(&[*example], None, 0, &opened.device));
                let what = format!("{} on {}, example {i}", case.name, opened.backend);
                assert_close(&what, &together[i * n..][..n], &alone, 1e-6);
            }
            assert!(together[..n] != together[n..2 * n], "{}: the texts are told apart", case.name);
        }
    }
}

#[test]
fn the_ids_under_the_padding_change_no_bit() {
    for opened in backends() {
        for case in cases(opened.backend) {
            let model = case.model(&opened.device);
            let with = |pad_id| logits(&model, case.input(&EXAMPLES, Some(7), pad_id, &opened.device));
            assert_eq!(with(0), with(9), "{} on {}", case.name, opened.backend);
        }
    }
}

#[test]
fn an_example_without_tokens_gets_the_bias_of_the_head() {
    for opened in backends() {
        for case in cases(opened.backend) {
            let model = case.model(&opened.device);
            let bias = weight(&model, "head.bias");
            assert!(bias.iter().all(|&value| value != 0.0));
            let found = logits(&model, case.input(&[Example::default(), EXAMPLES[0]], None, 0, &opened.device));
            assert_eq!(found[..bias.len()], bias, "{} on {}", case.name, opened.backend);
            assert!(found.iter().all(|value| value.is_finite()));
        }
    }
}

#[test]
fn padding_has_no_gradient() {
    // Texts without tokens must not spoil the others.
    let examples = [
        Example { text: &[1, 2, 3, 4], second: &[6, 7], ngrams: &[2, 3, 4] },
        Example { text: &[5, 1], second: &[], ngrams: &[5] },
        Example { text: &[], second: &[8], ngrams: &[] },
        Example::default(),
    ];
    for opened in backends() {
        let device = opened.device.autodiff();
        for case in cases(opened.backend) {
            let what = format!("{} on {}", case.name, opened.backend);
            let model = case.model(&device);
            let loss = model.forward(case.input(&examples, Some(7), 9, &device)).powf_scalar(2.0).sum();
            let gradients = gradients(&model, &loss.backward());
            assert_eq!(gradients.len(), model.weight_shapes().len(), "{what}: every weight takes part");
            assert!(gradients.values().flatten().all(|value| value.is_finite()), "{what}");

            let moved = |name: &str, n: usize| -> Vec<usize> {
                let rows: Vec<&[f32]> = gradients[name].chunks(DIM).collect();
                assert_eq!(rows.len(), n);
                (0..n).filter(|&row| rows[row].iter().any(|&value| value != 0.0)).collect()
            };
            // Id 9 is only padding; what is in no text has no gradient either.
            let read: Vec<usize> = (1..=if case.config.reads_pairs() { 8 } else { 5 }).collect();
            let tokens = moved("embedding.weight", VOCAB_SIZE);
            if case.mechanism == "none" && matches!(case.config.pooling, Pooling::Max | Pooling::First) {
                assert!(!tokens.is_empty() && tokens.iter().all(|id| read.contains(id)), "{what}: {tokens:?}");
            } else {
                assert_eq!(tokens, read, "{what}");
                if gradients.contains_key("positions.weight") {
                    assert_eq!(moved("positions.weight", MAX_LENGTH), [0, 1, 2, 3], "{what}");
                }
            }
            if gradients.contains_key("ngrams.weight") {
                assert_eq!(moved("ngrams.weight", BUCKETS), [2, 3, 4, 5], "{what}");
            }
        }
    }
}

fn weight(model: &Classifier, name: &str) -> Vec<f32> {
    model.weights().unwrap().into_iter().find(|weight| weight.name == name).unwrap().values
}
