//! Logits that numpy computed from the formulas in float64 (`scripts/attention_golden.py`), and position vectors by
//! hand.

use attentive_model::{Initializer, ModelConfig, Sizes, Tokens, Weight, sinusoids};
use burn::tensor::{Bool, Int, Tensor, TensorData};
use serde::Deserialize;

use crate::table::{assert_close, backends, logits, tolerance};

#[derive(Deserialize)]
struct Golden {
    vocab_size: usize,
    ids: Vec<Vec<i32>>,
    mask: Vec<Vec<bool>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    config: ModelConfig,
    n_labels: usize,
    weights: Vec<GoldenWeight>,
    logits: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct GoldenWeight {
    name: String,
    shape: Vec<usize>,
    values: Vec<f32>,
}

#[test]
fn logits_follow_numpy() {
    let path = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/tests/data/attention_golden.json";
    let golden: Golden = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let shape = [golden.ids.len(), golden.ids[0].len()];
    for opened in backends() {
        let device = &opened.device;
        for case in &golden.cases {
            let model =
                case.config.init(&Sizes::of_labels(golden.vocab_size, case.n_labels), &mut Initializer::new(0, device));
            let weights = case.weights.iter().map(|weight| Weight {
                name: weight.name.clone(),
                shape: weight.shape.clone(),
                values: weight.values.clone(),
            });
            let model = model.with_weights(weights.collect()).unwrap();
            let mask = TensorData::new(golden.mask.concat(), shape);
            let tokens = Tokens {
                ids: Tensor::<2, Int>::from_data(TensorData::new(golden.ids.concat(), shape), device),
                mask: case.config.masking.then(|| Tensor::<2, Bool>::from_data(mask, device)),
            };
            let what = format!("{:?} on {}", case.config, opened.backend);
            assert_close(&what, &logits(&model, tokens), &case.logits.concat(), tolerance(opened.backend));
        }
    }
}

#[test]
fn sinusoidal_vectors_by_hand() {
    let vectors = sinusoids(3, 4);
    // Frequencies 1 and 10000^(-2/4) = 0.01: sin t, cos t, sin t/100, cos t/100.
    let expected = [
        [0.0, 1.0, 0.0, 1.0],
        [0.841_470_98, 0.540_302_3, 0.009_999_833, 0.999_95],
        [0.909_297_4, -0.416_146_84, 0.019_998_667, 0.999_8],
    ];
    assert_close("vectors", &vectors, &expected.concat(), 1e-7);
}
