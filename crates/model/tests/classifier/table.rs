//! What the tests range over, and how they feed a model.

use attentive_backend::{Backend, Opened};
use attentive_model::{
    Activation, AdditiveConfig, AttentionConfig, BidirectionalConfig, Classifier, DotConfig, EmbeddingConfig, Head,
    Initializer, Input, ModelConfig, MultiHeadConfig, NoneConfig, Norm, Pair, Pooling, Positions, ScaledDotConfig,
    ScoreMode, Sizes, Tokens, TransformerConfig,
};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

pub(crate) const VOCAB_SIZE: usize = 11;
pub(crate) const BUCKETS: usize = 10;
pub(crate) const DIM: usize = 6;
pub(crate) const MAX_LENGTH: usize = 9;
const POOLINGS: [Pooling; 4] = [Pooling::Mean, Pooling::Max, Pooling::First, Pooling::Attention];
const HEADS: [(Head, usize); 3] = [(Head::Sigmoid, 2), (Head::Softmax, 3), (Head::MultiLabel, 3)];

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

/// How far a backend may be from a reference in float64.
pub(crate) fn tolerance(backend: Backend) -> f32 {
    if backend == Backend::Wgpu { 1e-4 } else { 1e-5 }
}

/// The mechanisms and a name for each.
pub(crate) fn mechanisms() -> Vec<(&'static str, AttentionConfig)> {
    let dot = |use_scale, score_mode| AttentionConfig::Dot(DotConfig { use_scale, score_mode, ..DotConfig::default() });
    let scaled_dot = |dim| AttentionConfig::ScaledDot(ScaledDotConfig { dim, dropout: 0.0 });
    let additive = |dim| AttentionConfig::Additive(AdditiveConfig { dim, dropout: 0.0 });
    let transformer = |activation, norm| {
        let sizes = TransformerConfig { n_layers: 2, n_heads: 3, d_feed_forward: 5, ..TransformerConfig::default() };
        AttentionConfig::Transformer(TransformerConfig { activation, norm, dropout: 0.0, ..sizes })
    };
    let bidirectional = |d_compare| AttentionConfig::Bidirectional(BidirectionalConfig { d_compare, dropout: 0.0 });
    vec![
        ("none", AttentionConfig::None(NoneConfig {})),
        ("dot", dot(false, ScoreMode::Dot)),
        ("dot scaled", dot(true, ScoreMode::Dot)),
        ("dot concat", dot(false, ScoreMode::Concat)),
        ("dot concat scaled", dot(true, ScoreMode::Concat)),
        ("scaled_dot", scaled_dot(None)),
        ("scaled_dot of 4", scaled_dot(Some(4))),
        ("additive", additive(None)),
        ("additive of 3", additive(Some(3))),
        ("multi_head", AttentionConfig::MultiHead(MultiHeadConfig { n_heads: 3, dropout: 0.0 })),
        ("transformer relu pre", transformer(Activation::Relu, Norm::Pre)),
        ("transformer relu post", transformer(Activation::Relu, Norm::Post)),
        ("transformer gelu pre", transformer(Activation::Gelu, Norm::Pre)),
        ("transformer gelu post", transformer(Activation::Gelu, Norm::Post)),
        ("bidirectional", bidirectional(None)),
        ("bidirectional of 8", bidirectional(Some(8))),
    ]
}

/// The mechanism of a name.
pub(crate) fn mechanism(name: &str) -> AttentionConfig {
    mechanisms().into_iter().find(|(found, _)| *found == name).unwrap().1
}

/// One model of the table.
pub(crate) struct Case {
    /// What it is, for messages.
    pub name: String,
    /// The name of its mechanism.
    pub mechanism: &'static str,
    pub config: ModelConfig,
    pub sizes: Sizes,
}

/// Every mechanism with every kind of positions it allows, with every pooling, with and without n-grams, and comparing pairs
/// of texts; the heads alternate. A software GPU is slow: there each mechanism has one case, in which all options still take their turn.
pub(crate) fn cases(backend: Backend) -> Vec<Case> {
    let mut cases = Vec::new();
    for (i, (mechanism, attention)) in mechanisms().into_iter().enumerate() {
        let kinds = [Positions::None, Positions::Learned, Positions::Sinusoidal, Positions::Rotary];
        let allowed = |&positions: &Positions| config(attention.clone(), positions).problems().is_empty();
        let positions: Vec<Positions> = kinds.into_iter().filter(allowed).collect();
        let mut options = vec![(positions[i % positions.len()], POOLINGS[i / 2 % 4], i % 2 == 0)];
        if backend != Backend::Wgpu {
            options.extend(positions.into_iter().map(|positions| (positions, Pooling::Mean, false)));
            options.extend(POOLINGS.into_iter().map(|pooling| (Positions::None, pooling, true)));
        }
        // A joined pair is one text.
        let pair = (!attention.compares_texts()).then_some(Pair::Compare);
        let of_pairs = pair.map(|_| (options[0].0, POOLINGS[i % 4], i % 2 == 1, pair));
        let of_texts = options.into_iter().map(|(positions, pooling, ngrams)| (positions, pooling, ngrams, None));
        for (positions, pooling, ngrams, pair) in of_texts.chain(of_pairs) {
            let (head, n_labels) = HEADS[cases.len() % 3];
            cases.push(Case {
                name: format!("{mechanism}, {positions:?}, {pooling:?}, n-grams {ngrams}, {head:?}, {pair:?}"),
                mechanism,
                config: ModelConfig { pooling, pair, ..config(attention.clone(), positions) },
                sizes: Sizes { vocab_size: VOCAB_SIZE, buckets: ngrams.then_some(BUCKETS), n_labels, head },
            });
        }
    }
    cases
}

/// A small model without dropout.
pub(crate) fn config(attention: AttentionConfig, positions: Positions) -> ModelConfig {
    let embedding = EmbeddingConfig { dim: DIM, ..EmbeddingConfig::default() };
    ModelConfig { max_length: MAX_LENGTH, embedding, positions, attention, ..ModelConfig::default() }
}

/// What one model could read of an example.
#[derive(Clone, Copy, Default)]
pub(crate) struct Example {
    pub text: &'static [i32],
    pub second: &'static [i32],
    pub ngrams: &'static [i32],
}

impl Case {
    /// The model as it is before training.
    pub(crate) fn fresh(&self, seed: u64, device: &Device) -> Classifier {
        self.config.init(&self.sizes, &mut Initializer::new(seed, device))
    }

    /// The model with weights that differ from zero everywhere, biases included.
    pub(crate) fn model(&self, device: &Device) -> Classifier {
        let model = self.fresh(5, device);
        let mut weights = model.weights().unwrap();
        let mut count = 0;
        for value in weights.iter_mut().flat_map(|weight| &mut weight.values) {
            count += 1;
            *value += 0.3 * (count as f32).sin(); // any spread will do
        }
        model.with_weights(weights).unwrap()
    }

    /// What the model reads of the examples, padded with `pad_id` to `width`, or to the longest of each kind.
    pub(crate) fn input(&self, examples: &[Example], width: Option<usize>, pad_id: i32, device: &Device) -> Input {
        let tokens = |part: fn(&Example) -> &'static [i32]| {
            let texts: Vec<&[i32]> = examples.iter().map(part).collect();
            let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0).max(1);
            padded(&texts, width.unwrap_or(longest), pad_id, device)
        };
        Input {
            texts: tokens(|example| example.text),
            seconds: self.config.reads_pairs().then(|| tokens(|example| example.second)),
            ngrams: self.sizes.buckets.map(|_| tokens(|example| example.ngrams)),
        }
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
pub(crate) fn logits(model: &Classifier, input: impl Into<Input>) -> Vec<f32> {
    values(model.forward(input))
}

/// The values of a tensor on the host.
pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().unwrap()
}

/// Fails unless the numbers agree within `tolerance`, taken relative to numbers above 1.
pub(crate) fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(difference <= tolerance * expected.abs().max(1.0), "{what}, value {i}: {found} is not {expected}");
    }
}
