//! The fused operations against the same ones composed of Burn's, and their gradients against finite differences.

use attentive_backend::Backend;
use burn::tensor::{Bool, Device, IndexingUpdateOp, Int, Tensor, TensorData};

use super::*;

/// Numbers between −1 and 1 that look random.
fn numbers(n: usize, seed: u32) -> Vec<f32> {
    let mix = |i: u32| (i ^ seed.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B) ^ 0xC2B2_AE35;
    let mix = |i: u32| mix(mix(i) ^ (mix(i) >> 13)) >> 8;
    (0..n as u32).map(|i| mix(i) as f32 / (1 << 23) as f32 - 1.0).collect()
}

fn tensor<const D: usize>(shape: [usize; D], seed: u32, device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(numbers(shape.iter().product(), seed), shape), device)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn assert_close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1e-3f32, |largest, value| largest.max(value.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance * largest, "{what}: {found} instead of {expected} at {i}");
    }
}

/// Texts of these lengths, padded to the longest; where `scattered`, every third token of the rest is padding too.
fn mask(lengths: &[usize], length: usize, scattered: bool, device: &Device) -> Tensor<2, Bool> {
    let is_real = |&own: &usize| (0..length).map(move |place| place < own && !(scattered && place % 3 == 1));
    let real: Vec<bool> = lengths.iter().flat_map(is_real).collect();
    Tensor::from_data(TensorData::new(real, [lengths.len(), length]), device)
}

fn devices() -> [Device; 2] {
    [Backend::Flex, Backend::NdArray].map(|backend| backend.open().unwrap().device.autodiff())
}

/// A loss whose gradient is different for every number.
fn loss(vectors: Tensor<2>) -> Tensor<1> {
    let [batch, dim] = vectors.dims();
    let factors = tensor([batch, dim], 77, &vectors.device());
    (vectors.clone() * factors + vectors.square() * 0.5).sum()
}

/// What a pooling gives, and the gradients of what it is given.
fn with_gradients<const N: usize, const D: usize>(
    inputs: [Tensor<D>; N],
    pooling: impl FnOnce([Tensor<D>; N]) -> (Tensor<2>, Vec<f32>),
) -> Vec<Vec<f32>> {
    let inputs = inputs.map(Tensor::require_grad);
    let (vectors, weights) = pooling(inputs.clone());
    let found = values(vectors.clone());
    let gradients = loss(vectors).backward();
    let of_inputs = inputs.into_iter().map(|input| values(input.grad(&gradients).unwrap()));
    [found, weights].into_iter().chain(of_inputs).collect()
}

/// Lengths of texts, dimension, how large the numbers are, scale.
const SELF: [(&[usize], usize, f32, f32); 9] = [
    (&[5], 4, 1.0, 1.0),
    (&[1, 1], 1, 1.0, 1.0),
    (&[7, 0, 3, 1], 3, 1.0, 0.7),
    (&[17, 16, 33], 16, 0.5, 1.0),
    (&[100, 64, 8, 9], 64, 0.05, 1.0),
    (&[40, 31], 65, 1.0, -0.5),
    (&[50, 20], 33, 3.0, 1.0), // largest scores that lie far apart
    (&[70, 3], 20, 9.0, 0.9),
    (&[0, 0], 5, 1.0, 1.0),
];

#[test]
fn self_attention_is_that_of_burns_operations() {
    for device in devices() {
        for (i, (lengths, dim, size, scale)) in SELF.into_iter().enumerate() {
            // A table so small that texts have the same rows many times, and one so large that they hardly do.
            let tables = [1 + i * 5, 401];
            let masks = [(false, true), (true, true), (false, false)];
            for (n_rows, (scattered, masked)) in tables.into_iter().flat_map(|rows| masks.map(|mask| (rows, mask))) {
                // An f32 score of some hundreds is known to 3e-5, and so is its weight.
                let tolerance = if size > 4.0 { 1e-4 } else { 1e-5 };
                let length = lengths.iter().copied().max().unwrap_or(0).max(2);
                let table = tensor([n_rows, dim], i as u32, &device) * size;
                let ids: Vec<i32> = (0..lengths.len() * length).map(|j| (j * j % n_rows) as i32).collect();
                let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [lengths.len(), length]), &device);
                let mask = masked.then(|| mask(lengths, length, scattered, &device));
                let weights = mean_weights(ids.dims(), mask.as_ref(), &device);
                let fused = with_gradients([table.clone()], |[table]| {
                    let pooled = self_attention_pooling(table, ids.clone(), mask.as_ref(), None, scale);
                    let token_weights = values(pooled.token_weights());
                    (pooled.vectors, token_weights)
                });
                let composed = with_gradients([table], |[table]| {
                    let tokens = embedding(table, ids.clone());
                    let inputs = [tokens.clone(), tokens.clone(), tokens];
                    let (vectors, token_weights) =
                        composed::attention_pooling(inputs, mask.as_ref(), weights.clone(), 1, scale);
                    (vectors, values(token_weights))
                });
                for (what, (fused, composed)) in
                    ["vectors", "token weights", "gradient"].iter().zip(fused.iter().zip(&composed))
                {
                    assert_close(
                        fused,
                        composed,
                        tolerance,
                        &format!("{what} of {lengths:?} × {dim}, {n_rows} rows, {scattered}, {masked}"),
                    );
                }
            }
        }
    }
}

#[test]
fn attention_in_heads_is_that_of_burns_operations() {
    // Lengths of the keys, queries, dim, value_dim, heads, how large the numbers are.
    let cases = [
        (vec![5, 2], 5, [4, 4], 1, 1.0),
        (vec![7, 0, 1], 3, [6, 10], 2, 1.0),
        (vec![33, 40], 41, [64, 32], 4, 1.0),
        (vec![300, 270], 35, [24, 24], 3, 2.0),
        (vec![20], 70, [17, 5], 1, 6.0),
        (vec![1], 1, [1, 1], 1, 1.0),
    ];
    for device in devices() {
        for (lengths, queries, [dim, value_dim], n_heads, size) in cases.clone() {
            let (batch, keys) = (lengths.len(), lengths.iter().copied().max().unwrap_or(0));
            for scattered in [false, true] {
                let inputs = || {
                    let query = tensor([batch, queries, dim], 1, &device) * size;
                    let key = tensor([batch, keys, dim], 2, &device) * size;
                    [query, key, tensor([batch, keys, value_dim], 3, &device)]
                };
                let mask = mask(&lengths, keys, scattered, &device);
                // Some queries do not count, and those that do count differently.
                let weights = tensor([batch, queries], 4, &device).clamp_min(0.0);
                // Inputs of different shapes, so each is its own leaf.
                let run = |fused: bool| {
                    with_gradients(inputs(), |[query, key, value]| {
                        if fused {
                            let pooled =
                                attention_pooling(query, key, value, Some(&mask), Some(weights.clone()), n_heads, 0.4);
                            let token_weights = values(pooled.token_weights());
                            (pooled.vectors, token_weights)
                        } else {
                            let inputs = [query, key, value];
                            let (vectors, token_weights) =
                                composed::attention_pooling(inputs, Some(&mask), weights.clone(), n_heads, 0.4);
                            (vectors, values(token_weights))
                        }
                    })
                };
                let names = ["vectors", "token weights", "query", "key", "value"];
                for (what, (fused, composed)) in names.iter().zip(run(true).iter().zip(&run(false))) {
                    assert_close(
                        fused,
                        composed,
                        2e-5,
                        &format!("{what} of {lengths:?} × {queries} × {dim}, {n_heads}"),
                    );
                }
            }
        }
    }
}

/// Central differences in f32 of a loss of a few numbers.
#[test]
fn gradients_are_slopes() {
    let device = Backend::Flex.open().unwrap().device.autodiff();
    let ids = Tensor::<2, Int>::from_data([[0, 1, 2, 1], [3, 0, 0, 0]], &device);
    let mask = mask(&[4, 2], 4, false, &device);
    let weights = mean_weights([2, 4], Some(&mask), &device);
    let start = numbers(4 * 3, 5);
    let of = |table: &[f32]| Tensor::<2>::from_data(TensorData::new(table.to_vec(), [4, 3]), &device);
    let attend = |table| self_attention_pooling(table, ids.clone(), Some(&mask), Some(weights.clone()), 1.3).vectors;
    let sum = |table| embedding_pooling(table, ids.clone(), Some(&mask), None);
    let query = tensor([3], 7, &device);
    let by_query = |table| query_pooling(table, query.clone(), ids.clone(), Some(&mask));
    let poolings: [&dyn Fn(Tensor<2>) -> Tensor<2>; 3] = [&attend, &sum, &by_query];
    for pooling in poolings {
        let table = of(&start).require_grad();
        let gradients = loss(pooling(table.clone())).backward();
        let gradient = values(table.grad(&gradients).unwrap());
        for (i, found) in gradient.into_iter().enumerate() {
            let at = |change: f32| {
                let mut table = start.clone();
                table[i] += change;
                f64::from(values(loss(pooling(of(&table))))[0])
            };
            let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!((f64::from(found) - slope).abs() < 2e-3, "{found} instead of {slope} at {i}");
        }
    }
}

#[test]
fn token_weights_are_what_the_vectors_are_made_of() {
    let device = Backend::Flex.open().unwrap().device;
    let ids = Tensor::<2, Int>::from_data([[0, 1, 2, 1, 4]], &device);
    let table = tensor([5, 8], 3, &device);
    let mask = mask(&[4], 5, false, &device);
    let pooled = self_attention_pooling(table.clone(), ids.clone(), Some(&mask), None, 1.0);
    let weights = pooled.token_weights().reshape([1, 5]);
    let found = values(weights.clone());
    assert!(found.iter().all(|&weight| weight >= 0.0) && found[4] == 0.0, "{found:?}");
    assert!((found.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{found:?}");
    assert_close(&values(pooled.vectors), &values(embedding_pooling(table, ids, None, Some(weights))), 1e-6, "vectors");
}

#[test]
fn a_batch_without_texts_is_an_empty_result() {
    for device in devices() {
        let ids = Tensor::<2, Int>::empty([0, 3], &device);
        let table = tensor([5, 8], 3, &device);
        let pooled = self_attention_pooling(table, ids, None, None, 1.0);
        assert_eq!(pooled.vectors.dims(), [0, 8]);
    }
}

/// A number that is not finite must not get lost on its way to the loss, or a run could not notice that it diverged.
#[test]
fn what_is_not_finite_stays_so() {
    let device = Backend::Flex.open().unwrap().device;
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for place in [0, 7, 20] {
            let mut numbers = numbers(3 * 7, 1);
            numbers[place] = bad;
            let table = Tensor::<2>::from_data(TensorData::new(numbers, [3, 7]), &device);
            let ids = Tensor::<2, Int>::from_data([[0, 1, 2]], &device);
            let vectors = self_attention_pooling(table, ids, None, None, 1.0).vectors;
            assert!(values(vectors).iter().any(|value| !value.is_finite()), "{bad} at {place}");
        }
    }
}

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let device = Backend::Flex.open().unwrap().device.autodiff();
    let (batch, length) = (13, 37);
    let ids: Vec<i32> = (0..13 * 37).map(|i| i * i % 29).collect();
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [batch, length]), &device);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let found = with_gradients([tensor([29, 24], 9, &device)], |[table]| {
                let pooled = self_attention_pooling(table, ids.clone(), None, None, 1.0);
                (pooled.vectors, Vec::new())
            });
            found.concat().into_iter().map(f32::to_bits).collect::<Vec<u32>>()
        })
    };
    let alone = run(1);
    for threads in [2, 3, 4, 8] {
        assert_eq!(run(threads), alone, "{threads} threads");
    }
}

#[test]
fn pooling_by_a_query_is_that_of_burns_operations() {
    for device in devices() {
        for (i, (lengths, dim, size, _)) in SELF.into_iter().enumerate() {
            for (n_rows, masked) in [(1 + i * 5, true), (401, true), (7, false)] {
                let length = lengths.iter().copied().max().unwrap_or(0).max(2);
                let table = tensor([n_rows, dim], i as u32, &device) * size;
                // So that no token takes all the weight, where nothing but cancelled digits would be left of the gradient.
                let query = tensor([1, dim], 9, &device) * (0.3 / size);
                let ids: Vec<i32> = (0..lengths.len() * length).map(|j| (j * j % n_rows) as i32).collect();
                let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [lengths.len(), length]), &device);
                let mask = masked.then(|| mask(lengths, length, i % 2 == 0, &device));
                let pool = |is_fused: bool| {
                    with_gradients([table.clone(), query.clone()], |[table, query]| {
                        let query = query.reshape([-1]);
                        let pooled = match is_fused {
                            true => query_pooling(table, query, ids.clone(), mask.as_ref()),
                            false => composed::query_pooling(embedding(table, ids.clone()), query, mask.as_ref()),
                        };
                        (pooled, Vec::new())
                    })
                };
                for (what, (fused, composed)) in
                    ["vectors", "nothing", "gradient of the table", "gradient of the query"]
                        .iter()
                        .zip(pool(true).iter().zip(&pool(false)))
                {
                    // What is left of a gradient of large numbers is little.
                    let tolerance = if size > 1.0 { 1e-4 } else { 1e-5 };
                    assert_close(
                        fused,
                        composed,
                        tolerance,
                        &format!("{what} of {lengths:?} × {dim}, {n_rows}, {masked}"),
                    );
                }
            }
        }
    }
}

#[test]
fn sums_of_rows_are_those_of_burns_operations() {
    for device in devices() {
        let ids: Vec<i32> = (0..60).map(|i| i * i % 11).collect();
        let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [4, 15]), &device);
        let factors = tensor([4, 15], 8, &device).clamp_min(0.0);
        let table = tensor([11, 19], 7, &device);
        let fused = with_gradients([table.clone()], |[table]| {
            (embedding_pooling(table, ids.clone(), None, Some(factors.clone())), Vec::new())
        });
        let composed = with_gradients([table], |[table]| {
            (composed::embedding_pooling(table, ids.clone(), factors.clone()), Vec::new())
        });
        for (what, (fused, composed)) in ["sums", "nothing", "gradient"].iter().zip(fused.iter().zip(&composed)) {
            assert_close(fused, composed, 1e-6, what);
        }
    }
}

/// Several steps: on all values; on some rows, whose others have the gradient 0; and on some rows alone.
#[test]
fn adam_is_that_of_burns_operations() {
    for device in devices().map(Device::inner) {
        for (n_rows, width, decay) in [(1, 1, 0.0), (7, 3, 0.01), (100, 64, 0.0), (3, 40_000, 0.1)] {
            let rows: Vec<i32> = (0..n_rows as i32).filter(|row| row % 3 != 1).collect();
            let indices = Tensor::<1, Int>::from_data(TensorData::new(rows.clone(), [rows.len()]), &device);
            let n = n_rows * width;
            let zeros = || Tensor::<1>::zeros([n], &device);
            let start = [tensor([n], 1, &device), zeros(), zeros()];
            let [mut by_rows, mut whole, mut expected] = [start.clone(), start.clone(), start.clone()];
            let [mut alone, mut expected_alone] = [start.clone(), start.clone()];
            for seed in 0..3 {
                let step = Adam {
                    alpha: 0.01 / (seed + 1) as f32,
                    one_minus_beta_1: 0.1,
                    one_minus_beta_2: 0.001,
                    epsilon: 1e-7,
                    decay,
                };
                let gradient = tensor([rows.len() * width], 20 + seed, &device);
                let as_rows = gradient.clone().reshape([rows.len(), width]);
                let spread = zeros().reshape([n_rows, width]);
                let spread = spread.select_assign(0, indices.clone(), as_rows, IndexingUpdateOp::Assign).reshape([n]);
                let of = |moves_others| Some(GradientRows { indices: indices.clone(), width, moves_others });
                by_rows = adam(&step, by_rows, gradient.clone(), of(true).as_ref());
                whole = adam(&step, whole, spread.clone(), None);
                expected = composed::adam(&step, expected, spread);
                alone = adam(&step, alone, gradient.clone(), of(false).as_ref());
                expected_alone = composed::adam_of_rows(&step, expected_alone, gradient, of(false).as_ref());
            }
            for (of_start, (alone, expected)) in start.into_iter().zip(alone.into_iter().zip(expected_alone)) {
                let (of_start, alone) = (values(of_start), values(alone));
                assert_close(&alone, &values(expected), 1e-6, "rows alone");
                let rows = of_start.chunks_exact(width).zip(alone.chunks_exact(width)).enumerate();
                rows.filter(|(row, _)| row % 3 == 1).for_each(|(_, (before, after))| assert_eq!(before, after));
            }
            for (what, ((by_rows, whole), expected)) in
                ["value", "m", "v"].iter().zip(by_rows.into_iter().zip(whole).zip(expected))
            {
                let (by_rows, whole) = (values(by_rows), values(whole));
                assert_eq!(by_rows, whole, "{what}");
                assert_close(&whole, &values(expected), 1e-6, what);
            }
        }
    }
}

/// A handle that somebody else holds keeps its values.
#[test]
fn adam_changes_no_other_handle() {
    for device in devices().map(Device::inner) {
        let start = tensor::<1>([10], 1, &device);
        let kept = start.clone();
        let step = Adam { alpha: 0.1, one_minus_beta_1: 0.1, one_minus_beta_2: 0.1, epsilon: 1e-7, decay: 0.0 };
        let zeros = Tensor::<1>::zeros([10], &device);
        let [moved, ..] = adam(&step, [start, zeros.clone(), zeros], tensor([10], 2, &device), None);
        assert_eq!(values(kept), numbers(10, 1));
        assert_ne!(values(moved), numbers(10, 1));
    }
}

#[test]
fn selected_rows_are_those_of_burns_operation() {
    for device in devices().map(Device::inner) {
        let table = tensor([40, 7], 1, &device);
        let indices: Vec<i32> = (0..1_000).map(|i| i * i % 40).collect();
        let indices = Tensor::<1, Int>::from_data(TensorData::new(indices, [1_000]), &device);
        let found = select_rows(table.clone(), &indices);
        assert_eq!(found.dims(), [1_000, 7]);
        assert_eq!(values(found), values(table.select(0, indices)));
    }
}
