//! What the tests range over, and how they feed a model.

use attentive_backend::{Backend, Opened};
use attentive_model::{
    AttentionConfig, Classifier, DotConfig, EmbeddingConfig, Initializer, ModelConfig, NoneConfig, Positions,
    ScaledDotConfig, Tokens, TransformerConfig,
};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

pub(crate) const VOCAB_SIZE: usize = 11;
pub(crate) const DIM: usize = 6;
pub(crate) const MAX_LENGTH: usize = 9;

/// Every backend that opens here; says why another does not.
pub(crate) fn backends() -> Vec<Opened> {
    let mut opened = Vec::new();
    for backend in Backend::ALL {
        match backend.open() {
            Ok(device) => opened.push(device),
            Err(error) => println!("{backend} is skipped: {error}"),
        }
    }
    assert!(opened.iter().any(|o| o.backend == Backend::Flex) && opened.iter().any(|o| o.backend == Backend::NdArray));
    opened
}

/// A device of the backend that is always there.
pub(crate) fn cpu() -> Device {
    Backend::Flex.open().unwrap().device
}

/// The mechanisms and a name for each.
pub(crate) fn mechanisms() -> Vec<(&'static str, AttentionConfig)> {
    let transformer = TransformerConfig { n_layers: 2, n_heads: 2, d_feed_forward: 5, dropout: 0.0 };
    vec![
        ("none", AttentionConfig::None(NoneConfig {})),
        ("dot", AttentionConfig::Dot(DotConfig { dropout: 0.0 })),
        ("scaled_dot", AttentionConfig::ScaledDot(ScaledDotConfig { dim: None, dropout: 0.0 })),
        ("scaled_dot of 3", AttentionConfig::ScaledDot(ScaledDotConfig { dim: Some(3), dropout: 0.0 })),
        ("transformer", AttentionConfig::Transformer(transformer)),
    ]
}

/// One model of the table.
pub(crate) struct Case {
    /// What it is, for messages.
    pub name: String,
    pub config: ModelConfig,
    pub n_labels: usize,
}

/// Every mechanism with every kind of positions and both kinds of head.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (mechanism, attention) in mechanisms() {
        for positions in [Positions::None, Positions::Learned, Positions::Sinusoidal] {
            for n_labels in [2, 3] {
                cases.push(Case {
                    name: format!("{mechanism}, positions {positions:?}, {n_labels} labels"),
                    config: config(attention.clone(), positions),
                    n_labels,
                });
            }
        }
    }
    cases
}

/// A small model without dropout.
pub(crate) fn config(attention: AttentionConfig, positions: Positions) -> ModelConfig {
    let embedding = EmbeddingConfig { dim: DIM };
    ModelConfig { max_length: MAX_LENGTH, embedding, positions, attention, ..ModelConfig::default() }
}

impl Case {
    /// The model with initial weights that differ from zero everywhere, biases included.
    pub(crate) fn model(&self, device: &Device) -> Classifier {
        let model = self.config.init(VOCAB_SIZE, self.n_labels, &mut Initializer::new(5, device));
        let mut weights = model.weights().unwrap();
        let mut count = 0;
        for value in weights.iter_mut().flat_map(|weight| &mut weight.values) {
            count += 1;
            *value += 0.3 * (count as f32).sin(); // any spread will do
        }
        model.with_weights(weights).unwrap()
    }
}

/// The texts as a masked batch of the given width, padded with `pad_id`.
pub(crate) fn padded(texts: &[&[i32]], width: usize, pad_id: i32, device: &Device) -> Tokens {
    let shape = [texts.len(), width];
    let ids: Vec<i32> =
        texts.iter().flat_map(|text| (0..width).map(move |t| text.get(t).copied().unwrap_or(pad_id))).collect();
    let real: Vec<bool> = texts.iter().flat_map(|text| (0..width).map(move |t| t < text.len())).collect();
    Tokens {
        ids: Tensor::<2, Int>::from_data(TensorData::new(ids, shape), device),
        mask: Some(Tensor::<2, Bool>::from_data(TensorData::new(real, shape), device)),
    }
}

/// The logits on the host.
pub(crate) fn logits(model: &Classifier, tokens: Tokens) -> Vec<f32> {
    model.forward(tokens).try_into_vec_as::<f32>().unwrap()
}

/// Fails unless the numbers agree within `tolerance`, taken relative to numbers above 1.
pub(crate) fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(difference <= tolerance * expected.abs().max(1.0), "{what}, value {i}: {found} is not {expected}");
    }
}
