//! ONNX files of every mechanism, position, pooling and head, run by an engine that is none of ours. In `scripts`,
//! onnxruntime does the same on real texts.

use attentive_data::{EncodedTexts, Texts, UNWATCHED};
use attentive_export::to_onnx;
use attentive_train::{Predictor, limit};
use rten::{Model, NodeId, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};

use crate::classifiers::classifier;

/// A text without tokens, one of one token, and longer ones; the other way round they are the second texts of pairs.
const TEXTS: [&str; 5] = ["", "good", "the food was not bad at all", "zebra crossing", "a great film, and a fine one"];

/// Ids and mask `[batch, length]`.
fn padded(texts: &EncodedTexts, pad_id: u32, length: Option<usize>) -> [NdTensor<i32, 2>; 2] {
    let rows: Vec<Vec<u32>> = (0..texts.len()).map(|index| texts.ids(index).into_owned()).collect();
    let length = length.unwrap_or_else(|| rows.iter().map(Vec::len).max().unwrap_or(0).max(1));
    let place = |row: &Vec<u32>, i: usize| (row.get(i).copied().unwrap_or(pad_id) as i32, i32::from(i < row.len()));
    let of = |pick: fn((i32, i32)) -> i32| -> NdTensor<i32, 2> {
        let values: Vec<i32> = rows.iter().flat_map(|row| (0..length).map(move |i| pick(place(row, i)))).collect();
        NdTensor::from_data([rows.len(), length], values)
    };
    [of(|(id, _)| id), of(|(_, real)| real)]
}

/// By how much the probabilities of the file differ from the classifier's, with so many texts in a batch.
fn difference(predictor: &Predictor, model: &Model, texts: &[String], seconds: Option<&[String]>) -> f32 {
    let (config, encoder) = (predictor.config(), predictor.encoder());
    let length = (!config.model.masking).then_some(config.model.max_length);
    let encoded = |texts: &[String]| {
        let texts = encoder.encode(&texts.iter().collect::<Texts>(), limit(&config.model), UNWATCHED).unwrap();
        padded(&texts, encoder.pad_id(), length)
    };
    let mut inputs: Vec<(&str, NdTensor<i32, 2>)> = Vec::new();
    let mut add =
        |names: [&'static str; 2], tensors: [NdTensor<i32, 2>; 2]| inputs.extend(names.into_iter().zip(tensors));
    add(["ids", "mask"], encoded(texts));
    if let Some(seconds) = seconds {
        add(["second_ids", "second_mask"], encoded(seconds));
    }
    if config.features.is_on() {
        let all: Texts = texts.iter().collect();
        let ngrams = encoder.features(&all, &config.features, limit(&config.model), UNWATCHED).unwrap();
        add(["ngrams", "ngram_mask"], padded(&ngrams, 0, None));
    }
    // A model without masking has no masks.
    let given: Vec<(NodeId, ValueOrView)> =
        inputs.iter().filter_map(|(name, tensor)| Some((model.find_node(name)?, tensor.view().into()))).collect();
    assert_eq!(given.len(), model.input_ids().len());
    let [logits, probabilities] =
        model.run_n(given, ["logits", "probabilities"].map(|name| model.node_id(name).unwrap()), None).unwrap();
    let logits: Tensor<f32> = logits.try_into().unwrap();
    assert_eq!(logits.shape(), [texts.len(), predictor.model().outputs()]);
    let found: Tensor<f32> = probabilities.try_into().unwrap();
    assert_eq!(found.shape(), [texts.len(), predictor.labels().len()]);
    let expected = predictor.predict(texts, seconds).unwrap();
    let expected = expected.iter().flat_map(|prediction| &prediction.probabilities);
    found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, |most: f32, own| {
        assert!(!own.is_nan());
        most.max(own)
    })
}

/// Holds the ONNX file of a classifier to its own probabilities, in one batch and text by text.
fn check(config: &str, n_labels: usize) {
    let predictor = classifier(config, n_labels);
    let bytes = to_onnx(&predictor).unwrap();
    assert_eq!(bytes, to_onnx(&predictor).unwrap(), "the same classifier gives the same bytes");
    let folder = temp_dir::TempDir::new().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, bytes).unwrap();
    let model = Model::load_file(&path).unwrap_or_else(|error| panic!("{config}: {error}"));
    let texts: Vec<String> = TEXTS.map(String::from).to_vec();
    let seconds: Vec<String> = texts.iter().rev().cloned().collect();
    let is_pair = predictor.config().data.text.is_pair();
    let all = difference(&predictor, &model, &texts, is_pair.then_some(seconds.as_slice()));
    let each =
        (0..texts.len()).map(|i| difference(&predictor, &model, &texts[i..=i], is_pair.then_some(&seconds[i..=i])));
    let largest = each.fold(all, f32::max);
    assert!(largest <= 1e-5, "{config}: {largest:e}");
}

#[test]
fn every_mechanism() {
    for attention in [
        "none = {}",
        "dot = {}",
        "dot = { use_scale = true }",
        "dot = { use_scale = true, score_mode = \"concat\" }",
        "scaled_dot = { dim = 6 }",
        "additive = { dim = 6 }",
        "multi_head = { n_heads = 2 }",
        "transformer = { n_heads = 2, d_feed_forward = 10 }",
        "transformer = { n_heads = 4, n_layers = 1, norm = \"post\", activation = \"gelu\" }",
    ] {
        check(&format!("[model]\nembedding = {{ dim = 8 }}\nattention.{attention}"), 2);
    }
}

#[test]
fn every_position() {
    for positions in [
        "positions = \"learned\"",
        "positions = \"sinusoidal\"\nmax_length = 4",
        "positions = \"rotary\"\nattention.scaled_dot = {}",
        "positions = \"rotary\"\nattention.multi_head = { n_heads = 2 }",
        "positions = \"rotary\"\nattention.transformer = { n_heads = 2 }",
    ] {
        check(&format!("[model]\nembedding = {{ dim = 8 }}\n{positions}"), 2);
    }
}

#[test]
fn every_pooling_with_and_without_masking() {
    for pooling in ["mean", "max", "first", "attention"] {
        for masking in ["", "masking = false\npadding = \"max_length\"\nmax_length = 9\n"] {
            check(&format!("[model]\nembedding = {{ dim = 8 }}\n{masking}pooling = \"{pooling}\""), 2);
        }
    }
}

#[test]
fn every_head_and_what_it_sees() {
    check("[model]\nembedding = { dim = 4 }", 5);
    check("[model]\nembedding = { dim = 4 }\nhead = \"softmax\"", 2);
    check("multi_label = true\n[model]\nembedding = { dim = 4 }", 3);
    check(
        "[features]\nword_ngrams = 2\nbuckets = 30\ncharacter_ngrams = { min = 2, max = 3 }\n[model]\nembedding = { dim = 4 }",
        2,
    );
    for pooling in ["mean", "max", "first", "attention"] {
        let model = format!(
            "[model]\nembedding = {{ dim = 4 }}\npooling = \"{pooling}\"\nattention.bidirectional = {{ d_compare = 5 }}"
        );
        check(&format!("text = [\"a\", \"b\"]\n{model}"), 3);
    }
    check(
        "text = [\"a\", \"b\"]\n[model]\nembedding = { dim = 4 }\nattention.bidirectional = {}\nmasking = false\npadding = \"max_length\"",
        2,
    );
}
