//! ONNX files of every mechanism, position, pooling and head, run by an engine that is none of ours. In `scripts`,
//! onnxruntime does the same on real texts.

use attentive_export::{ExportError, rerun_onnx, to_onnx};
use attentive_train::ngram_characters;

use crate::classifiers::{classifier, own};

/// Holds the ONNX file of a classifier to its own probabilities.
fn check(config: &str, n_labels: usize) {
    let predictor = classifier(config, n_labels);
    let bytes = to_onnx(&predictor).unwrap();
    assert_eq!(bytes, to_onnx(&predictor).unwrap(), "the same classifier gives the same bytes");
    let rerun = rerun_onnx(&bytes, &predictor, &own(&predictor)).unwrap_or_else(|error| panic!("{config}: {error}"));
    assert!(rerun.n >= 64 && rerun.largest <= 1e-5, "{config}: {rerun:?}");
}

#[test]
fn a_file_that_computes_something_else_is_told() {
    let config = |bound: &str| format!("[model]\nembedding = {{ dim = 4, bound = {bound} }}");
    let (one, other) = (classifier(&config("0.05"), 2), classifier(&config("1.0"), 2));
    let told = |bytes: &[u8]| match rerun_onnx(bytes, &one, &own(&one)).unwrap_err() {
        ExportError::Rerun { reason, .. } => reason,
        error => panic!("{error}"),
    };
    assert!(told(&to_onnx(&other).unwrap()).contains("a probability differs by"));
    let three = classifier(&config("0.05"), 3);
    assert!(told(&to_onnx(&three).unwrap()).contains("probabilities came out, not"));
    let bytes = to_onnx(&one).unwrap();
    assert!(!told(&bytes[..bytes.len() / 2]).is_empty());
}

#[test]
fn texts_that_fit_into_one_window_come_out_the_same() {
    let windows = "[model]\nembedding = { dim = 4 }\nmax_length = 5\nwindows = { stride = 3 }";
    let predictor = classifier(windows, 2);
    let rerun = rerun_onnx(&to_onnx(&predictor).unwrap(), &predictor, &own(&predictor)).unwrap();
    assert!(rerun.n > 10 && rerun.n < 84 && rerun.largest <= 1e-5, "{rerun:?}");
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
fn a_linear_part_beside_the_network_and_alone() {
    for alone in [false, true] {
        let features = format!("[features.linear]\nalone = {alone}\n");
        check(&format!("{features}[model]\nembedding = {{ dim = 4 }}"), 2);
        check(&format!("{features}[model]\nembedding = {{ dim = 4 }}\nhead = \"softmax\""), 2);
        check(&format!("{features}[model]\nembedding = {{ dim = 4 }}\nattention.multi_head = {{ n_heads = 2 }}"), 5);
        check(&format!("multi_label = true\n{features}[model]\nembedding = {{ dim = 4 }}"), 3);
    }
    check("[features]\nword_ngrams = 2\nbuckets = 30\n[features.linear]\n[model]\nembedding = { dim = 4 }", 2);
}

#[test]
fn a_linear_part_that_is_forgotten_is_told() {
    let network = "[model]\nembedding = { dim = 4 }";
    let (with, without) = (classifier(&format!("[features.linear]\n{network}"), 3), classifier(network, 3));
    let error = rerun_onnx(&to_onnx(&without).unwrap(), &with, &own(&with)).unwrap_err();
    assert!(error.to_string().contains("a probability differs by"), "{error}");
}

#[test]
fn a_file_brings_the_n_grams_of_its_linear_part_along() {
    let predictor = classifier("[features.linear]\nalone = true", 2);
    let file = to_onnx(&predictor).unwrap();
    let holds = |part: &[u8]| file.windows(part.len()).any(|window| window == part);
    assert!(holds(b"ngrams.json") && holds(&predictor.ngrams().unwrap()));
    assert!(holds(b"characters.json") && holds(&ngram_characters()));
    assert!(!holds(b"max_length"), "there is no network that it would be said of");
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
    for (pair, model) in [
        ("compare", "attention.none = {}"),
        ("compare", "attention.scaled_dot = { dim = 6 }\npositions = \"learned\"\npooling = \"max\""),
        ("join", "attention.multi_head = { n_heads = 2 }\npositions = \"rotary\"\nmax_length = 4"),
        ("join", "attention.dot = {}\npositions = \"sinusoidal\"\nmax_length = 3\npooling = \"attention\""),
        (
            "join",
            "attention.dot = {}\npositions = \"learned\"\nmasking = false\npadding = \"max_length\"\nmax_length = 5",
        ),
    ] {
        check(&format!("text = [\"a\", \"b\"]\n[model]\nembedding = {{ dim = 4 }}\npair = \"{pair}\"\n{model}"), 3);
    }
    check(
        "text = [\"a\", \"b\"]\n[model]\nembedding = { dim = 4 }\nattention.bidirectional = {}\nmasking = false\npadding = \"max_length\"",
        2,
    );
}
