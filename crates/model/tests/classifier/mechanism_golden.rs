//! Outputs, attention weights and gradients of every mechanism and pooling, against Keras, PyTorch and formulas in JAX
//! (`scripts/mechanism_golden.py`).

use std::collections::BTreeMap;
use std::path::Path;

use attentive_backend::Opened;
use attentive_model::{
    AttentionConfig, EmbeddingConfig, Head, Initializer, ModelConfig, NoneConfig, Pooling, Positions, Sequences, Sizes,
    TokenVectors, Tokens, Weight, WeightPath,
};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::gradients::gradients;
use crate::table::{assert_close, backends, tolerance, values};

#[derive(Deserialize)]
struct Mechanisms {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Poolings {
    pooling: Vec<PoolingCase>,
}

#[derive(Clone, Deserialize)]
struct Golden {
    shape: Vec<usize>,
    values: Vec<f32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Golden),
    /// One for each encoder block.
    Many(Vec<Golden>),
}

#[derive(Deserialize)]
struct Case {
    name: String,
    config: AttentionConfig,
    positions: Positions,
    masked: bool,
    input: Golden,
    second: Option<Golden>,
    mask: Vec<Vec<bool>>,
    second_mask: Option<Vec<Vec<bool>>>,
    weights: BTreeMap<String, Golden>,
    upstream: Golden,
    second_upstream: Option<Golden>,
    output: Golden,
    second_output: Option<Golden>,
    attention: OneOrMany,
    second_attention: Option<Golden>,
    input_gradient: Golden,
    second_gradient: Option<Golden>,
    weight_gradients: BTreeMap<String, Golden>,
}

#[derive(Deserialize)]
struct PoolingCase {
    name: String,
    config: PoolingConfig,
    masked: bool,
    input: Golden,
    mask: Vec<Vec<bool>>,
    weights: BTreeMap<String, Golden>,
    upstream: Golden,
    output: Golden,
    attention: Option<Golden>,
    input_gradient: Golden,
    weight_gradients: BTreeMap<String, Golden>,
}

#[derive(Deserialize)]
struct PoolingConfig {
    pooling: Pooling,
}

impl Golden {
    fn tensor<const D: usize>(&self, device: &Device) -> Tensor<D> {
        Tensor::from_data(TensorData::new(self.values.clone(), self.shape.clone()), device)
    }
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/data").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn mask_tensor(mask: &[Vec<bool>], device: &Device) -> Tensor<2, Bool> {
    Tensor::from_data(TensorData::new(mask.concat(), [mask.len(), mask[0].len()]), device)
}

/// Puts golden weights into a module, all of which must be given and used.
struct Loader<'a> {
    path: WeightPath,
    weights: &'a BTreeMap<String, Golden>,
    loaded: usize,
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let weight = &self.weights[&self.path.name()];
        assert_eq!(weight.shape, param.val().dims(), "{}", self.path.name());
        self.loaded += 1;
        Param::from_tensor(weight.tensor(&param.val().device()))
    }
}

fn load<M: Module>(module: M, weights: &BTreeMap<String, Golden>) -> M {
    let mut loader = Loader { path: WeightPath::default(), weights, loaded: 0 };
    let module = module.map(&mut loader);
    assert_eq!(loader.loaded, weights.len(), "every weight has its place");
    module
}

#[test]
fn mechanisms_follow_keras_pytorch_and_their_formulas() {
    let mut cases = read::<Mechanisms>("mechanism_golden.json").cases;
    cases.extend(read::<Mechanisms>("transformer_golden.json").cases);
    assert_eq!(cases.len(), 24);
    for opened in backends() {
        cases.iter().for_each(|case| check(case, &opened));
    }
}

fn check(case: &Case, opened: &Opened) {
    let device = opened.device.clone().autodiff();
    let close = |what: &str, found: &[f32], expected: &[f32]| {
        let what = format!("{}: {what} on {}", case.name, opened.backend);
        assert_close(&what, found, expected, tolerance(opened.backend));
    };
    let vectors = TokenVectors { dim: case.input.shape[2], rotary: case.positions == Positions::Rotary };
    let attention = case.config.init(vectors, &mut Initializer::new(0, &device)).unwrap();
    let attention = load(attention, &case.weights);

    let inputs: Vec<(Tensor<3>, &Vec<Vec<bool>>)> = [(Some(&case.input), Some(&case.mask))]
        .into_iter()
        .chain([(case.second.as_ref(), case.second_mask.as_ref())])
        .filter_map(|(input, mask)| Some((input?.tensor(&device).require_grad(), mask?)))
        .collect();
    let texts = inputs.iter().map(|(tokens, mask)| Sequences {
        tokens: tokens.clone(),
        mask: case.masked.then(|| mask_tensor(mask, &device)),
    });
    let (outputs, weights) = attention.forward(texts.collect());

    let expected = [Some(&case.output), case.second_output.as_ref()].into_iter().flatten();
    for ((output, expected), (_, mask)) in outputs.iter().zip(expected).zip(&inputs) {
        assert_eq!(output.tokens.dims().to_vec(), expected.shape, "{}", case.name);
        // What stands in padding rows is left open.
        let shown = |values: &[f32]| -> Vec<f32> {
            let rows = values.chunks(expected.shape[2]).zip(mask.iter().flatten());
            rows.filter(|&(_, &real)| real || !case.masked).flat_map(|(row, _)| row.to_vec()).collect()
        };
        close("output", &shown(&values(output.tokens.clone())), &shown(&expected.values));
    }
    let expected: Vec<&Golden> = match &case.attention {
        OneOrMany::One(first) => std::iter::once(first).chain(&case.second_attention).collect(),
        OneOrMany::Many(blocks) => blocks.iter().collect(),
    };
    assert_eq!(weights.len(), expected.len(), "{}", case.name);
    for (weights, expected) in weights.into_iter().zip(expected) {
        assert_eq!(weights.dims().to_vec(), expected.shape, "{}", case.name);
        close("attention", &values(weights), &expected.values);
    }

    let upstreams = [Some(&case.upstream), case.second_upstream.as_ref()].into_iter().flatten();
    let losses = outputs.into_iter().zip(upstreams).map(|(output, up)| (output.tokens * up.tensor(&device)).sum());
    let from = losses.reduce(|sum, loss| sum + loss).unwrap().backward();
    let expected = [Some(&case.input_gradient), case.second_gradient.as_ref()].into_iter().flatten();
    for ((tokens, _), expected) in inputs.iter().zip(expected) {
        close("input gradient", &values(tokens.grad(&from).unwrap()), &expected.values);
    }
    let found = gradients(&attention, &from);
    assert!(found.keys().eq(case.weight_gradients.keys()), "{}: {:?}", case.name, found.keys());
    for (name, gradient) in found {
        close(&format!("gradient of {name}"), &gradient, &case.weight_gradients[&name].values);
    }
}

#[test]
fn poolings_follow_their_formulas() {
    let cases = read::<Poolings>("mechanism_golden.json").pooling;
    assert_eq!(cases.len(), 8);
    for opened in backends() {
        cases.iter().for_each(|case| check_pooling(case, &opened));
    }
}

/// A classifier without attention whose table holds the input, one row for each token, and whose head is the identity,
/// so that its logits are the pooled vectors.
fn check_pooling(case: &PoolingCase, opened: &Opened) {
    let device = opened.device.clone().autodiff();
    let &[batch, length, dim] = case.input.shape.as_slice() else { panic!("{:?}", case.input.shape) };
    let close = |what: &str, found: &[f32], expected: &[f32]| {
        let what = format!("{}: {what} on {}", case.name, opened.backend);
        assert_close(&what, found, expected, tolerance(opened.backend));
    };
    let config = ModelConfig {
        embedding: EmbeddingConfig { dim, ..EmbeddingConfig::default() },
        attention: AttentionConfig::None(NoneConfig {}),
        pooling: case.config.pooling,
        ..ModelConfig::default()
    };
    let sizes = Sizes { vocab_size: batch * length, buckets: None, n_labels: dim, head: Head::Softmax };
    let weight = |name: &str, shape: &[usize], values| Weight { name: name.to_string(), shape: shape.to_vec(), values };
    let identity = (0..dim * dim).map(|i| if i / dim == i % dim { 1.0 } else { 0.0 }).collect();
    let mut weights = vec![
        weight("embedding.weight", &[batch * length, dim], case.input.values.clone()),
        weight("head.weight", &[dim, dim], identity),
        weight("head.bias", &[dim], vec![0.0; dim]),
    ];
    weights.extend(case.weights.iter().map(|(name, w)| weight(&format!("pooling.{name}"), &w.shape, w.values.clone())));
    let model = config.init(&sizes, &mut Initializer::new(0, &device)).with_weights(weights).unwrap();

    let tokens = Tokens {
        ids: Tensor::<1, Int>::arange(0..(batch * length) as i64, &device).reshape([batch, length]),
        mask: case.masked.then(|| mask_tensor(&case.mask, &device)),
    };
    let pooled = model.forward(tokens.clone());
    close("output", &values(pooled.clone()), &case.output.values);
    let found = model.attention_weights(tokens).pooling;
    assert_eq!(found.len(), case.attention.iter().len(), "{}", case.name);
    for (found, expected) in found.into_iter().zip(&case.attention) {
        assert_eq!(found.dims().to_vec(), expected.shape, "{}", case.name);
        close("attention", &values(found), &expected.values);
    }
    let found = gradients(&model, &(pooled * case.upstream.tensor(&device)).sum().backward());
    close("input gradient", &found["embedding.weight"], &case.input_gradient.values);
    for (name, expected) in &case.weight_gradients {
        close(&format!("gradient of {name}"), &found[&format!("pooling.{name}")], &expected.values);
    }
}
