//! Names, shapes, loading and initial values of the weights.

use std::collections::BTreeSet;

use attentive_backend::Backend;
use attentive_model::{
    AttentionConfig, EmbeddingConfig, Head, Initializer, ModelConfig, Pair, Pooling, Positions, Sizes, Weight,
    WeightsError,
};
use burn::tensor::Device;

use crate::table::{
    BUCKETS, Example, MAX_LENGTH, VOCAB_SIZE, backends, cases, config, cpu, logits, mechanism, mechanisms,
};

type Shapes = Vec<(String, Vec<usize>)>;

fn linear(name: &str, d_input: usize, d_output: usize) -> Shapes {
    vec![(format!("{name}.weight"), vec![d_input, d_output]), (format!("{name}.bias"), vec![d_output])]
}

/// The weights of each mechanism between the embedding and the head, for width 6, and the width of its output; they
/// are part of the file format.
fn golden_names(mechanism: &str) -> (Shapes, usize) {
    let number = |name: &str| (format!("attention.{name}"), vec![1]);
    let norm = |name: &str| vec![(format!("{name}.gamma"), vec![6]), (format!("{name}.beta"), vec![6])];
    let parts = |name: &str, parts: &[&str], width| -> Shapes {
        parts.iter().flat_map(|part| linear(&format!("{name}.{part}"), 6, width)).collect()
    };
    let additive = |width| {
        let mut names = parts("attention", &["query", "key"], width);
        names.push(("attention.additive_weight".to_string(), vec![width]));
        names
    };
    let encoder = |last: Shapes| {
        let mut names = Vec::new();
        for layer in ["attention.layers.0", "attention.layers.1"] {
            names.extend(norm(&format!("{layer}.attention_norm")));
            names.extend(parts(&format!("{layer}.attention"), &["query", "key", "value", "output"], 6));
            names.extend(norm(&format!("{layer}.feed_forward_norm")));
            names.extend(linear(&format!("{layer}.inner"), 6, 5));
            names.extend(linear(&format!("{layer}.outer"), 5, 6));
        }
        names.extend(last);
        names
    };
    match mechanism {
        "none" | "dot" => (Vec::new(), 6),
        "dot scaled" => (vec![number("scale")], 6),
        "dot concat" => (vec![number("concat_weight")], 6),
        "dot concat scaled" => (vec![number("scale"), number("concat_weight")], 6),
        "scaled_dot" => (parts("attention", &["query", "key", "value"], 6), 6),
        "scaled_dot of 4" => (parts("attention", &["query", "key", "value"], 4), 4),
        "additive" => (additive(6), 6),
        "additive of 3" => (additive(3), 6),
        "multi_head" => (parts("attention", &["query", "key", "value", "output"], 6), 6),
        "transformer relu pre" | "transformer gelu pre" => (encoder(norm("attention.norm")), 6),
        "transformer relu post" | "transformer gelu post" => (encoder(Vec::new()), 6),
        "bidirectional" => (linear("attention.compare", 24, 6), 6),
        "bidirectional of 8" => (linear("attention.compare", 24, 8), 8),
        other => panic!("no golden list for {other}"),
    }
}

#[test]
fn names_and_shapes_never_change() {
    let device = cpu();
    for case in cases(Backend::Flex) {
        let (of_mechanism, width) = golden_names(case.mechanism);
        let mut expected = vec![("embedding.weight".to_string(), vec![VOCAB_SIZE, 6])];
        if case.config.positions == Positions::Learned {
            expected.push(("positions.weight".to_string(), vec![MAX_LENGTH, 6]));
        }
        expected.extend(of_mechanism);
        if case.config.pooling == Pooling::Attention {
            expected.push(("pooling.query".to_string(), vec![width]));
        }
        if case.sizes.buckets.is_some() {
            expected.push(("ngrams.weight".to_string(), vec![BUCKETS, 6]));
        }
        let texts = match (case.config.pair, case.config.attention.compares_texts()) {
            (Some(Pair::Compare), _) => 4 * width, // u, v, |u − v|, u∘v
            (_, true) => 2 * width,
            _ => width,
        };
        let read = if case.sizes.buckets.is_some() { texts + 6 } else { texts };
        expected.extend(linear("head", read, if case.sizes.head == Head::Sigmoid { 1 } else { 3 }));

        assert_eq!(case.config.weight_shapes(&case.sizes), expected, "{}, before it is built", case.name);
        let model = case.fresh(0, &device);
        assert_eq!(model.weight_shapes(), expected, "{}", case.name);
        let read: Shapes = model.weights().unwrap().into_iter().map(|w| (w.name, w.shape)).collect();
        assert_eq!(read, expected, "the weights are those of the shapes");
        assert_eq!(model.trained_shapes(), expected, "training changes all of them");
    }
}

/// A joined pair has the weights of a single text, but for positions for two texts and what is between them.
#[test]
fn a_joined_pair_has_places_for_both_texts() {
    let text = config(mechanism("dot"), Positions::Learned);
    let pair = ModelConfig { pair: Some(Pair::Join), ..text.clone() };
    let sizes = Sizes::of_labels(VOCAB_SIZE, 2);
    let mut expected = text.weight_shapes(&sizes);
    expected[1].1 = vec![2 * MAX_LENGTH + 1, 6];
    assert_eq!(pair.weight_shapes(&sizes), expected);
    assert_eq!(pair.init(&sizes, &mut Initializer::new(0, &cpu())).weight_shapes(), expected);
}

/// The table of these tests leaves no mechanism out, and a mechanism has the name by which a config calls it.
#[test]
fn every_mechanism_is_tested() {
    let schema = schemars::schema_for!(AttentionConfig).to_value();
    let variants = schema["oneOf"].as_array().unwrap().iter();
    let known: BTreeSet<&str> = variants.map(|variant| variant["required"][0].as_str().unwrap()).collect();
    let tested: Vec<AttentionConfig> = mechanisms().into_iter().map(|(_, attention)| attention).collect();
    assert_eq!(tested.iter().map(AttentionConfig::name).collect::<BTreeSet<_>>(), known);
    for attention in tested {
        assert!(serde_json::to_value(&attention).unwrap().get(attention.name()).is_some(), "{}", attention.name());
    }
}

#[test]
fn weights_that_are_read_and_loaded_give_the_same_bits() {
    let examples = [
        Example { text: &[1, 2, 3], second: &[6, 5], ngrams: &[1, 4] },
        Example { text: &[4], second: &[7, 1], ngrams: &[2] },
    ];
    for opened in backends() {
        for case in cases(opened.backend) {
            let model = case.model(&opened.device);
            let other = case.fresh(99, &opened.device);
            let input = || case.input(&examples, None, 0, &opened.device);
            assert_ne!(logits(&other, input()), logits(&model, input()));
            let loaded = other.with_weights(model.weights().unwrap()).unwrap();
            assert_eq!(logits(&loaded, input()), logits(&model, input()), "{} on {}", case.name, opened.backend);
            assert_eq!(loaded.weights().unwrap(), model.weights().unwrap());
        }
    }
}

#[test]
fn weights_of_another_model_are_refused_by_name() {
    let device = cpu();
    let config = config(mechanism("transformer relu pre"), Positions::None);
    let model = || config.init(&Sizes::of_labels(VOCAB_SIZE, 2), &mut Initializer::new(0, &device));
    let refused = |change: fn(&mut Vec<Weight>)| {
        let mut weights = model().weights().unwrap();
        change(&mut weights);
        model().with_weights(weights).unwrap_err()
    };
    const NAME: &str = "attention.layers.1.inner.weight";

    let error = refused(|weights| weights.retain(|weight| weight.name != NAME));
    assert!(matches!(&error, WeightsError::Missing { name } if name == NAME), "{error}");

    let error = refused(|weights| {
        let extra = Weight { name: "attention.layers.2.inner.weight".to_string(), shape: vec![1], values: vec![0.0] };
        weights.push(extra);
    });
    assert!(matches!(&error, WeightsError::Unknown { name } if name == "attention.layers.2.inner.weight"), "{error}");

    // Transposed: as many values, other sizes.
    let error = refused(|weights| weights.iter_mut().find(|weight| weight.name == NAME).unwrap().shape.reverse());
    assert_eq!(
        error.to_string(),
        "the weight `attention.layers.1.inner.weight` has the shape [5, 6], but the model needs [6, 5]"
    );

    let error = model().with_weights(Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "the weight `embedding.weight` is missing");
}

#[test]
fn initial_weights_depend_on_the_seed_and_not_on_the_backend() {
    for opened in backends() {
        for case in cases(opened.backend) {
            let on = |seed, device: &Device| case.fresh(seed, device).weights().unwrap();
            let reference = on(7, &cpu());
            assert_ne!(on(8, &cpu()), reference, "{}", case.name);
            assert_eq!(on(7, &opened.device), reference, "{} on {}", case.name, opened.backend);
            assert_eq!(on(7, &opened.device.clone().autodiff()), reference, "{} with gradients", case.name);
        }
    }
}

#[test]
fn initial_weights_are_those_of_keras() {
    let device = cpu();
    for name in ["transformer relu pre", "additive", "dot concat scaled", "bidirectional"] {
        let config = ModelConfig {
            embedding: EmbeddingConfig { dim: 48, ..EmbeddingConfig::default() },
            pooling: Pooling::Attention,
            ..config(mechanism(name), Positions::Learned)
        };
        let sizes = Sizes { buckets: Some(BUCKETS), ..Sizes::of_labels(2000, 3) };
        let weights = config.init(&sizes, &mut Initializer::new(0, &device)).weights().unwrap();
        for Weight { name, shape, values } in &weights {
            let all = |expected: f32| assert!(values.iter().all(|&value| value == expected), "{name}");
            let uniform = |bound: f32| {
                let largest = values.iter().fold(0f32, |largest, value| largest.max(value.abs()));
                assert!(largest <= bound && largest > 0.7 * bound, "{name}: {largest} of {bound}");
            };
            match (name.as_str(), shape.as_slice()) {
                ("embedding.weight" | "positions.weight", _) => uniform(0.05),
                // A bucket that is never trained adds nothing.
                ("ngrams.weight", _) => all(0.0),
                (name, [_]) if name.ends_with(".beta") || name.ends_with(".bias") => all(0.0),
                (name, [_]) if name.ends_with(".gamma") || name.ends_with("scale") => all(1.0),
                ("attention.concat_weight", [1]) => all(1.0),
                // Glorot's bound, where Keras counts the one size of a vector as input and as output.
                (_, [n]) => uniform((6.0 / (n + n) as f32).sqrt()),
                (_, [d_input, d_output]) => uniform((6.0 / (d_input + d_output) as f32).sqrt()),
                _ => panic!("{name} {shape:?}"),
            }
        }
        let table = &weights[0].values;
        // The first output of SplitMix64 for the seed 0 is 0xE220A8397B1DCDAF; its first 24 bits are 0.883311... of 2^24.
        assert!((table[0] - (2.0 * 0.883_311 - 1.0) * 0.05).abs() < 1e-6, "{}", table[0]);
        let mean = table.iter().sum::<f32>() / table.len() as f32;
        let variance = table.iter().map(|value| value * value).sum::<f32>() / table.len() as f32;
        // Of 96,000 draws from U(-0.05, 0.05): the mean's deviation is 0.0001, the variance 0.05²/3 to half a percent.
        assert!(mean.abs() < 0.0004, "{mean}");
        assert!((variance / (0.05 * 0.05 / 3.0) - 1.0).abs() < 0.02, "{variance}");
    }
}
