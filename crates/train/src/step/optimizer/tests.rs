//! The rules against Keras, sparse steps against dense ones, and moments on their way through a checkpoint.

use attentive_backend::Backend;
use attentive_model::{AttentionConfig, EmbeddingConfig, Initializer, ModelConfig, NoneConfig, Sizes, Table};
use burn::module::ModuleVisitor;
use burn::tensor::Int;
use serde::Deserialize;

use super::*;
use crate::config::SgdConfig;
use crate::storage::encoded::{Encoded, NamedTensor};
use crate::storage::format;

/// What `scripts/optimizer_golden.py` had Keras compute; everything is by weight name and flattened.
#[derive(Deserialize)]
struct Golden {
    init: BTreeMap<String, Vec<f32>>,
    gradients: Vec<BTreeMap<String, Vec<f32>>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    config: OptimizerConfig,
    steps: Vec<BTreeMap<String, Vec<f32>>>,
}

fn golden() -> Golden {
    let path = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/tests/data/optimizer_golden.json";
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A model whose weights are those of the golden file.
fn model(golden: &Golden, device: &Device) -> Classifier {
    let config = ModelConfig {
        embedding: EmbeddingConfig { dim: 2, ..EmbeddingConfig::default() },
        attention: AttentionConfig::None(NoneConfig {}),
        ..ModelConfig::default()
    };
    let model = config.init(&Sizes::of_labels(3, 2), &mut Initializer::new(0, device));
    let weights = model.weight_shapes().into_iter();
    let weights = weights.map(|(name, shape)| Weight { values: golden.init[&name].clone(), name, shape }).collect();
    model.with_weights(weights).unwrap()
}

/// The given gradients, by way of a function that has them: the sum of each weight times its gradient.
fn gradients(model: &Classifier, values: &BTreeMap<String, Vec<f32>>) -> Gradients {
    struct Sum<'a> {
        path: WeightPath,
        values: &'a BTreeMap<String, Vec<f32>>,
        sum: Option<Tensor<1>>,
    }

    impl ModuleVisitor for Sum<'_> {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.enter(name, container);
        }

        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.exit();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let weight = param.val();
            let values = TensorData::new(self.values[&self.path.name()].clone(), weight.dims());
            let product = (weight.clone() * Tensor::from_data(values, &weight.device())).sum();
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + product,
                None => product,
            });
        }
    }

    let mut sum = Sum { path: WeightPath::default(), values, sum: None };
    model.visit(&mut sum);
    let mut gradients = Gradients::default();
    gradients.add(model, sum.sum.unwrap().backward());
    gradients
}

#[test]
fn ten_steps_follow_keras() {
    let golden = golden();
    for backend in Backend::ALL {
        let device = match backend.open() {
            Ok(opened) => opened.device.autodiff(),
            Err(error) => {
                println!("{backend} is skipped: {error}");
                continue;
            }
        };
        for case in &golden.cases {
            let (mut model, mut optimizer) = (model(&golden, &device), case.config.init());
            for (step, (values, expected)) in golden.gradients.iter().zip(&case.steps).enumerate() {
                let gradients = gradients(&model, values);
                model = optimizer.step(model, gradients, step as u64, &|_| case.config.learning_rate());
                for weight in model.weights().unwrap() {
                    for (found, expected) in weight.values.iter().zip(&expected[&weight.name]) {
                        assert!(
                            (found - expected).abs() < 2e-6,
                            "{:?} on {backend}, {} after step {}: {found} is not {expected}",
                            case.config,
                            weight.name,
                            step + 1
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_saved_optimizer_goes_on_with_the_same_bits() {
    let golden = golden();
    for backend in [Backend::Flex, Backend::NdArray] {
        let plain = backend.open().unwrap().device;
        let device = plain.clone().autodiff();
        for case in &golden.cases {
            let step = |model: Classifier, optimizer: &mut Optimizer, step: usize| {
                let gradients = gradients(&model, &golden.gradients[step]);
                optimizer.step(model, gradients, step as u64, &|_| case.config.learning_rate())
            };
            let (mut model, mut optimizer) = (model(&golden, &device), case.config.init());
            for done in 0..5 {
                model = step(model, &mut optimizer, done);
            }
            let saved = optimizer.moments().unwrap();
            let file = Encoded::burnpack(saved.iter().map(NamedTensor::from).collect()).unwrap().to_bytes();
            let moments = format::from_burnpack(&file).unwrap();
            let mut loaded = case.config.init().with_moments(moments, &model, &plain).unwrap();

            let kept = step(model.clone(), &mut optimizer, 5);
            let resumed = step(model, &mut loaded, 5);
            assert_eq!(resumed.weights().unwrap(), kept.weights().unwrap(), "{:?} on {backend}", case.config);
            assert_eq!(loaded.moments().unwrap(), optimizer.moments().unwrap());
        }
    }
}

#[test]
fn moments_must_be_exactly_those_of_the_model() {
    let golden = golden();
    let plain = Backend::Flex.open().unwrap().device;
    let device = plain.clone().autodiff();
    let (start, mut optimizer) = (model(&golden, &device), OptimizerConfig::default().init());
    let gradients = gradients(&start, &golden.gradients[0]);
    let model = optimizer.step(start, gradients, 0, &|_| 0.01);
    let moments = optimizer.moments().unwrap();
    let names: Vec<&str> = moments.iter().map(|moment| moment.name.as_str()).collect();
    let expected = ["embedding.weight", "head.bias", "head.weight"];
    let expected: Vec<String> =
        expected.iter().flat_map(|weight| ["momentum", "velocity"].map(|m| format!("{weight}.{m}"))).collect();
    assert_eq!(names, expected);

    let refused = |moments: Vec<Weight>| -> String {
        match OptimizerConfig::default().init().with_moments(moments, &model, &plain).unwrap_err() {
            CheckpointError::Moments { name } => name,
            other => panic!("{other}"),
        }
    };
    for missing in 0..moments.len() {
        let mut others = moments.clone();
        let missing = others.remove(missing);
        assert_eq!(refused(others), missing.name);
    }
    assert_eq!(refused(Vec::new()), "embedding.weight.momentum");
    let mut shorter = moments.clone();
    shorter[2].values.clear();
    assert_eq!(refused(shorter), moments[2].name);
    let mut more = moments.clone();
    more.push(Weight { name: "head.scale.momentum".to_string(), shape: vec![1], values: vec![0.0] });
    assert_eq!(refused(more), "head.scale.momentum");
}

#[test]
fn each_weight_has_its_own_learning_rate() {
    let golden = golden();
    let device = Backend::Flex.open().unwrap().device.autodiff();
    let start = model(&golden, &device);
    let gradients = gradients(&start, &golden.gradients[0]);
    let mut optimizer = OptimizerConfig::Sgd(SgdConfig::default()).init();
    let lr = |name: &str| if name == "head.bias" { 0.5 } else { 0.0 };
    for weight in optimizer.step(start, gradients, 0, &lr).weights().unwrap() {
        let init = &golden.init[&weight.name];
        if weight.name == "head.bias" {
            assert!((weight.values[0] - (init[0] - 0.5 * golden.gradients[0]["head.bias"][0])).abs() < 1e-6);
        } else {
            assert_eq!(&weight.values, init);
        }
    }
}

/// A step in which the gradient of the embedding is that of some of its rows alone.
fn step_of_rows<const N: usize>(
    model: Classifier,
    optimizer: &mut Optimizer,
    values: &BTreeMap<String, Vec<f32>>,
    rows: [i32; N],
    step: usize,
    device: &Device,
) -> Classifier {
    let table = &values["embedding.weight"];
    let of_rows = rows.iter().flat_map(|&row| table[2 * row as usize..][..2].to_vec()).collect();
    let mut values = values.clone();
    values.insert("embedding.weight".to_string(), of_rows);
    let indices = Tensor::<1, Int>::from_data(rows, device);
    let mut gradients = gradients(&model.clone().with_rows(Table::Embedding, &indices), &values);
    gradients.of_rows("embedding.weight", &indices);
    let lr = optimizer.config.learning_rate();
    optimizer.step(model, gradients, step as u64, &|_| lr)
}

/// The optimizer that leaves other rows alone, where there is one.
fn sparse(config: &OptimizerConfig) -> Option<OptimizerConfig> {
    let mut value = serde_json::to_value(config).unwrap();
    let fields = value.as_object_mut().unwrap().values_mut().next().unwrap();
    *fields.get_mut("sparse")? = true.into();
    Some(serde_json::from_value(value).unwrap())
}

/// Weights and moments, bit for bit.
fn bits(model: &Classifier, optimizer: &Optimizer) -> BTreeMap<String, Vec<u32>> {
    let all = model.weights().unwrap().into_iter().chain(optimizer.moments().unwrap());
    all.map(|weight| (weight.name, weight.values.into_iter().map(f32::to_bits).collect())).collect()
}

#[test]
fn steps_of_all_rows_are_dense_steps_to_the_bit() {
    let golden = golden();
    for backend in [Backend::Flex, Backend::NdArray] {
        let plain = backend.open().unwrap().device;
        let device = plain.clone().autodiff();
        for Case { config, .. } in &golden.cases {
            let (mut dense, mut dense_optimizer) = (model(&golden, &device), config.init());
            let (mut sparse, mut optimizer) =
                (model(&golden, &device), sparse(config).unwrap_or(config.clone()).init());
            for (step, values) in golden.gradients.iter().enumerate() {
                let all = gradients(&dense, values);
                dense = dense_optimizer.step(dense, all, step as u64, &|_| config.learning_rate());
                sparse = step_of_rows(sparse, &mut optimizer, values, [0, 1, 2], step, &plain);
            }
            assert_eq!(bits(&sparse, &optimizer), bits(&dense, &dense_optimizer), "{config:?} on {backend}");
        }
    }
}

#[test]
fn rows_without_a_gradient_keep_every_bit() {
    let golden = golden();
    for backend in [Backend::Flex, Backend::NdArray] {
        let plain = backend.open().unwrap().device;
        let device = plain.clone().autodiff();
        for config in golden.cases.iter().filter_map(|case| sparse(&case.config)) {
            let (mut dense, mut dense_optimizer) = (model(&golden, &device), config.init());
            let (mut model, mut optimizer) = (dense.clone(), config.init());
            for (step, values) in golden.gradients.iter().enumerate() {
                let before = bits(&model, &optimizer);
                let all = gradients(&dense, values);
                dense = dense_optimizer.step(dense, all, step as u64, &|_| config.learning_rate());
                model = step_of_rows(model, &mut optimizer, values, [0, 2], step, &plain);

                let expected = bits(&dense, &dense_optimizer);
                for (name, found) in bits(&model, &optimizer) {
                    if !name.starts_with("embedding.weight") {
                        assert_eq!(found, expected[&name], "{name}, {config:?} on {backend}");
                        continue;
                    }
                    assert_eq!(found[..2], expected[&name][..2], "row 0 of {name}, {config:?} on {backend}");
                    assert_eq!(found[4..], expected[&name][4..], "row 2 of {name}, {config:?} on {backend}");
                    if let Some(before) = before.get(&name) {
                        assert_eq!(found[2..4], before[2..4], "row 1 of {name}, {config:?} on {backend}");
                    }
                }
            }
        }
    }
}

/// As Keras has it: they move by their moments.
#[test]
fn rows_that_a_step_does_not_use_have_the_gradient_0() {
    let golden = golden();
    for backend in [Backend::Flex, Backend::NdArray] {
        let plain = backend.open().unwrap().device;
        let device = plain.clone().autodiff();
        for Case { config, .. } in &golden.cases {
            let (mut whole, mut whole_optimizer) = (model(&golden, &device), config.init());
            let (mut by_rows, mut optimizer) = (model(&golden, &device), config.init());
            for (step, values) in golden.gradients.iter().enumerate() {
                let mut values = values.clone();
                if step > 0 {
                    values.get_mut("embedding.weight").unwrap()[2..4].fill(0.0);
                }
                let all = gradients(&whole, &values);
                whole = whole_optimizer.step(whole, all, step as u64, &|_| config.learning_rate());
                by_rows = match step {
                    0 => step_of_rows(by_rows, &mut optimizer, &values, [0, 1, 2], step, &plain),
                    _ => step_of_rows(by_rows, &mut optimizer, &values, [0, 2], step, &plain),
                };
            }
            assert_eq!(bits(&by_rows, &optimizer), bits(&whole, &whole_optimizer), "{config:?} on {backend}");
        }
    }
}

#[test]
fn moments_are_counted() {
    let count = |json: &str| serde_json::from_str::<OptimizerConfig>(json).unwrap().n_moments();
    assert_eq!(count(r#"{"adam": {}}"#), 2);
    assert_eq!(count(r#"{"adamw": {}}"#), 2);
    assert_eq!(count(r#"{"sgd": {}}"#), 0);
    assert_eq!(count(r#"{"sgd": {"momentum": 0.9}}"#), 1);
    assert_eq!(count(r#"{"rmsprop": {}}"#), 1);
    assert_eq!(count(r#"{"rmsprop": {"momentum": 0.9}}"#), 2);
    assert_eq!(count(r#"{"rmsprop": {"momentum": 0.9, "centered": true}}"#), 3);
    assert_eq!(count(r#"{"adagrad": {}}"#), 1);
    assert_eq!(count(r#"{"lion": {}}"#), 1);
}
