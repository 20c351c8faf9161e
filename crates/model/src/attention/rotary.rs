//! Rotary positions: queries and keys are turned by an angle that grows with their position, so that their product
//! depends on the distance between them.

use burn::tensor::{Tensor, TensorData};

/// Turns each pair of numbers (2k, 2k + 1) of the vector at position t by the angle t·10000^(−2k/d) if `rotary`, else
/// gives the vectors back: `[batch, length, d]` → `[batch, length, d]`, d even (Su et al. 2021, §3.2.2, eq. 34).
pub(super) fn turn(vectors: Tensor<3>, rotary: bool) -> Tensor<3> {
    if !rotary {
        return vectors;
    }
    let [batch, length, d] = vectors.dims();
    let [cos, sin] = rotations(length, d)
        .map(|values| Tensor::<4>::from_data(TensorData::new(values, [1, length, d / 2, 1]), &vectors.device()));
    let pairs = vectors.reshape([batch, length, d / 2, 2]);
    let (x, y) = (pairs.clone().narrow(3, 0, 1), pairs.narrow(3, 1, 1)); // [batch, length, d / 2, 1]
    let turned_x = x.clone() * cos.clone() - y.clone() * sin.clone();
    let turned_y = x * sin + y * cos;
    Tensor::cat(vec![turned_x, turned_y], 3).reshape([batch, length, d])
}

/// The cosines and the sines of the angles t·10000^(−2k/d), `[length, d / 2]` each, row-major.
pub fn rotations(length: usize, d: usize) -> [Vec<f32>; 2] {
    [f64::cos, f64::sin].map(|function| {
        let value = |t: usize, k: usize| function(t as f64 * 10_000f64.powf(-2.0 * k as f64 / d as f64)) as f32;
        (0..length).flat_map(|t| (0..d / 2).map(move |k| value(t, k))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_by_hand() {
        let device = attentive_backend::Backend::Flex.open().unwrap().device;
        let vectors = Tensor::<3>::from_data([[[1.0, 0.0, 0.0, 2.0], [1.0, 0.0, 0.0, 2.0]]], &device);
        assert_eq!(turn(vectors.clone(), false).try_into_vec_as::<f32>().unwrap()[4..], [1.0, 0.0, 0.0, 2.0]);
        let found = turn(vectors, true).try_into_vec_as::<f32>().unwrap();
        // Position 0 stays; at position 1 the angles are 1 and 1/100.
        let expected = [1.0, 0.0, 0.0, 2.0, 0.540_302_3, 0.841_471, -0.019_999_67, 1.999_9];
        assert!(found.iter().zip(expected).all(|(f, e): (&f32, f32)| (f - e).abs() < 1e-6), "{found:?}");
    }
}
