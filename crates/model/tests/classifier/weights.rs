//! Names, shapes, loading and initial values of the weights.

use attentive_model::{AttentionConfig, Initializer, Positions, Weight, WeightsError};
use burn::tensor::Device;

use crate::table::{MAX_LENGTH, VOCAB_SIZE, backends, cases, config, cpu, logits, mechanisms, padded};

/// The weights of each mechanism between the embedding and the head, for width 6; they are part of the file format.
fn golden_names(mechanism: &str) -> Vec<(String, Vec<usize>)> {
    let linear = |name: &str, d_input: usize, d_output: usize| {
        [(format!("{name}.weight"), vec![d_input, d_output]), (format!("{name}.bias"), vec![d_output])]
    };
    let norm = |name: &str| [(format!("{name}.gamma"), vec![6]), (format!("{name}.beta"), vec![6])];
    let projections =
        |name: &str, width| ["query", "key", "value"].map(|part| linear(&format!("{name}.{part}"), 6, width)).concat();
    match mechanism {
        "none" | "dot" => Vec::new(),
        "scaled_dot" => projections("attention", 6),
        "scaled_dot of 3" => projections("attention", 3),
        "transformer" => {
            let mut names = Vec::new();
            for layer in ["attention.layers.0", "attention.layers.1"] {
                names.extend(norm(&format!("{layer}.attention_norm")));
                names.extend(projections(&format!("{layer}.attention"), 6));
                names.extend(linear(&format!("{layer}.attention.output"), 6, 6));
                names.extend(norm(&format!("{layer}.feed_forward_norm")));
                names.extend(linear(&format!("{layer}.inner"), 6, 5));
                names.extend(linear(&format!("{layer}.outer"), 5, 6));
            }
            names.extend(norm("attention.norm"));
            names
        }
        other => panic!("no golden list for {other}"),
    }
}

#[test]
fn names_and_shapes_never_change() {
    let device = cpu();
    for (mechanism, attention) in mechanisms() {
        for (positions, trained) in
            [(Positions::None, false), (Positions::Learned, true), (Positions::Sinusoidal, false)]
        {
            let model = config(attention.clone(), positions).init(VOCAB_SIZE, 3, &mut Initializer::new(0, &device));
            let mut expected = vec![("embedding.weight".to_string(), vec![VOCAB_SIZE, 6])];
            if trained {
                expected.push(("positions.weight".to_string(), vec![MAX_LENGTH, 6]));
            }
            expected.extend(golden_names(mechanism));
            let pooled = if mechanism == "scaled_dot of 3" { 3 } else { 6 };
            expected.push(("head.weight".to_string(), vec![pooled, 3]));
            expected.push(("head.bias".to_string(), vec![3]));
            assert_eq!(model.weight_shapes(), expected, "{mechanism}, {positions:?}");

            let read: Vec<_> = model.weights().unwrap().into_iter().map(|w| (w.name, w.shape)).collect();
            assert_eq!(read, expected, "the weights are those of the shapes");
        }
    }
}

#[test]
fn weights_that_are_read_and_loaded_give_the_same_bits() {
    for opened in backends() {
        for case in cases() {
            let model = case.model(&opened.device);
            let other = case.config.init(VOCAB_SIZE, case.n_labels, &mut Initializer::new(99, &opened.device));
            let tokens = || padded(&[&[1, 2, 3], &[4]], 3, 0, &opened.device);
            assert_ne!(logits(&other, tokens()), logits(&model, tokens()));
            let loaded = other.with_weights(model.weights().unwrap()).unwrap();
            assert_eq!(logits(&loaded, tokens()), logits(&model, tokens()), "{} on {}", case.name, opened.backend);
            assert_eq!(loaded.weights().unwrap(), model.weights().unwrap());
        }
    }
}

#[test]
fn weights_of_another_model_are_refused_by_name() {
    let device = cpu();
    let (_, transformer) = mechanisms().pop().unwrap();
    assert!(matches!(transformer, AttentionConfig::Transformer(_)));
    let model = || config(transformer.clone(), Positions::None).init(VOCAB_SIZE, 2, &mut Initializer::new(0, &device));
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
    for case in cases() {
        let on = |seed, device: &Device| {
            let model = case.config.init(VOCAB_SIZE, case.n_labels, &mut Initializer::new(seed, device));
            model.weights().unwrap()
        };
        let reference = on(7, &cpu());
        assert_ne!(on(8, &cpu()), reference, "{}", case.name);
        for opened in backends() {
            assert_eq!(on(7, &opened.device), reference, "{} on {}", case.name, opened.backend);
            assert_eq!(on(7, &opened.device.clone().autodiff()), reference, "{} with gradients", case.name);
        }
    }
}

#[test]
fn initial_weights_are_those_of_keras() {
    let device = cpu();
    let (_, attention) = mechanisms().pop().unwrap();
    let model = config(attention, Positions::Learned).init(2000, 3, &mut Initializer::new(0, &device));
    for weight in model.weights().unwrap() {
        let (name, values) = (&weight.name, &weight.values);
        if name.ends_with(".gamma") {
            assert!(values.iter().all(|&value| value == 1.0), "{name}");
        } else if name.ends_with(".beta") || name.ends_with(".bias") {
            assert!(values.iter().all(|&value| value == 0.0), "{name}");
        } else {
            // Glorot's bound, but for tables, which Keras draws from ±0.05.
            let is_table = name.starts_with("embedding") || name.starts_with("positions");
            let bound = if is_table { 0.05 } else { (6.0 / (weight.shape[0] + weight.shape[1]) as f32).sqrt() };
            let largest = values.iter().fold(0f32, |largest, value| largest.max(value.abs()));
            assert!(largest <= bound && largest > 0.7 * bound, "{name}: {largest} of {bound}");
        }
    }
    let table = &model.weights().unwrap()[0].values;
    // The first output of SplitMix64 for the seed 0 is 0xE220A8397B1DCDAF; its first 24 bits are 0.883311... of 2^24.
    assert!((table[0] - (2.0 * 0.883_311 - 1.0) * 0.05).abs() < 1e-6, "{}", table[0]);
    let mean = table.iter().sum::<f32>() / table.len() as f32;
    let variance = table.iter().map(|value| value * value).sum::<f32>() / table.len() as f32;
    // Of 12,000 draws from U(-0.05, 0.05): the mean's deviation is 0.00026, the variance 0.05²/3 to a percent or two.
    assert!(mean.abs() < 0.001, "{mean}");
    assert!((variance / (0.05 * 0.05 / 3.0) - 1.0).abs() < 0.04, "{variance}");
}
