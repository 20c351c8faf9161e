//! Attention between token vectors as they are, on one sentence of nine words and one of seven with 64 numbers each,
//! against the formulas written out in float64.

use attentive_model::{AttentionConfig, BidirectionalConfig, Initializer, Sequences, TokenVectors, scaled_dot_product};
use burn::tensor::{Device, Tensor, TensorData};

use crate::table::{assert_close, backends, tolerance, values};

const WORDS: [&str; 9] = ["the", "animal", "did", "not", "cross", "because", "it", "was", "tired"];
const SECOND_WORDS: [&str; 7] = ["the", "animal", "stayed", "where", "it", "lay", "down"];
const DIM: usize = 64;

type Matrix = Vec<Vec<f64>>;

/// Multiples of 1/64 in [−1, 1), scattered by a linear congruence that `start` sets off; f32 holds them exactly.
fn draw(words: &[&str], start: u32) -> Matrix {
    let mut state = start;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 25) / 64.0 - 1.0
    };
    words.iter().map(|_| (0..DIM).map(|_| next()).collect()).collect()
}

/// softmax(Q·Kᵀ / 8)·K and the softmax itself, as √64 = 8.
fn attend(queries: &Matrix, keys: &Matrix) -> (Vec<f32>, Vec<f32>) {
    let (mut context, mut weights) = (Vec::new(), Vec::new());
    for query in queries {
        let score = |key: &Vec<f64>| query.iter().zip(key).map(|(q, k)| q * k).sum::<f64>() / 8.0;
        let exponentials: Vec<f64> = keys.iter().map(|key| score(key).exp()).collect();
        let sum: f64 = exponentials.iter().sum();
        let shares: Vec<f64> = exponentials.iter().map(|e| e / sum).collect();
        let drawn = |d: usize| shares.iter().zip(keys).map(|(share, key)| share * key[d]).sum::<f64>();
        context.extend((0..DIM).map(|d| drawn(d) as f32));
        weights.extend(shares.iter().map(|&share| share as f32));
    }
    (context, weights)
}

fn tensor(matrix: &Matrix, device: &Device) -> Tensor<3> {
    let values: Vec<f32> = matrix.iter().flatten().map(|&value| value as f32).collect();
    Tensor::from_data(TensorData::new(values, [1, matrix.len(), DIM]), device)
}

#[test]
fn nine_words_look_at_each_other() {
    let h = draw(&WORDS, 1);
    let (context, weights) = attend(&h, &h);
    for opened in backends() {
        let tokens = tensor(&h, &opened.device);
        let (found, found_weights) = scaled_dot_product(tokens.clone(), tokens.clone(), tokens, None);
        assert_eq!((found.dims(), found_weights.dims()), ([1, 9, 64], [1, 9, 9]));
        assert_close("weights", &values(found_weights), &weights, tolerance(opened.backend));
        assert_close("context", &values(found), &context, tolerance(opened.backend));
    }
}

#[test]
fn two_sentences_look_at_each_other() {
    let (h_d, h_e) = (draw(&WORDS, 1), draw(&SECOND_WORDS, 2));
    let (c_e, a_e) = attend(&h_d, &h_e); // softmax(H_d·H_eᵀ/√d)·H_e
    let (c_d, a_d) = attend(&h_e, &h_d); // softmax(H_e·H_dᵀ/√d)·H_d
    for opened in backends() {
        let close = |what, found: Vec<f32>, expected: &[f32]| {
            assert_close(what, &found, expected, tolerance(opened.backend));
        };
        let (d, e) = (tensor(&h_d, &opened.device), tensor(&h_e, &opened.device));
        let (found_c_e, found_a_e) = scaled_dot_product(d.clone(), e.clone(), e.clone(), None);
        let (found_c_d, found_a_d) = scaled_dot_product(e.clone(), d.clone(), d.clone(), None);
        assert_eq!((found_a_e.dims(), found_c_e.dims()), ([1, 9, 7], [1, 9, 64]));
        assert_eq!((found_a_d.dims(), found_c_d.dims()), ([1, 7, 9], [1, 7, 64]));
        close("A_e", values(found_a_e), &a_e);
        close("A_d", values(found_a_d), &a_d);
        close("C_e", values(found_c_e), &c_e);
        close("C_d", values(found_c_d), &c_d);

        // The mechanism looks with the same weights, whatever its comparison has learnt.
        let mechanism = AttentionConfig::Bidirectional(BidirectionalConfig::default());
        let vectors = TokenVectors { dim: DIM, rotary: false };
        let attention = mechanism.init(vectors, &mut Initializer::new(0, &opened.device)).unwrap();
        let texts = [d, e].map(|tokens| Sequences { tokens, mask: None });
        let (compared, weights) = attention.forward(texts.to_vec());
        assert_eq!([compared[0].tokens.dims(), compared[1].tokens.dims()], [[1, 9, 64], [1, 7, 64]]);
        let [first, second] = weights.try_into().unwrap();
        close("the first text's weights", values(first), &a_e);
        close("the second text's weights", values(second), &a_d);
    }
}
