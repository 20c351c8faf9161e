//! Weights of two dimensions in 8 bits: whole numbers from −127 to 127, and what one of them is worth, for each row of a table
//! and for each output of a linear layer. Bytes of a file are read and written elsewhere.

use attentive_model::Weight;

/// What the name of the numbers' worth ends in, behind that of the weight.
pub(crate) const SCALE: &str = ".scale";
/// The largest whole number; its negative is the smallest, so that zero is in the middle.
const LARGEST: f32 = 127.0;
/// The weights whose rows are looked up, rather than multiplied with. `linear.weight` is none of them: its rows are often as short as
/// one number, and a scale for each would be as large as what it is for.
const TABLES: [&str; 3] = ["embedding.weight", "ngrams.weight", "positions.weight"];

/// A weight in 8 bits: each number is its whole number times the scale of its row or column.
#[derive(Debug, PartialEq)]
pub(crate) struct Int8 {
    /// The whole numbers, in row-major order.
    pub numbers: Vec<i8>,
    /// What a one is worth.
    pub scales: Vec<f32>,
    /// `[rows, 1]` or `[1, columns]`, so that numbers times scales are the weight.
    pub scales_shape: [usize; 2],
}

impl Int8 {
    /// The nearest that there is to a weight: a row of a table, or a column of a linear layer, has the scale that makes its
    /// largest number 127. `None` for vectors, which stay as they are: they are few.
    pub(crate) fn of(weight: &Weight) -> Option<Self> {
        let &[rows, columns] = weight.shape.as_slice() else { return None };
        let by_row = TABLES.contains(&weight.name.as_str());
        let mut scales = vec![0.0f32; if by_row { rows } else { columns }];
        let place = |i: usize| if by_row { i / columns } else { i % columns };
        for (i, value) in weight.values.iter().enumerate() {
            let scale = &mut scales[place(i)];
            *scale = scale.max(value.abs() / LARGEST);
        }
        // Below the smallest number with all its digits, a scale would be wrong by more than half of itself.
        scales.iter_mut().filter(|scale| **scale < f32::MIN_POSITIVE).for_each(|scale| *scale = 0.0);
        let number = |(i, value): (usize, &f32)| match scales[place(i)] {
            0.0 => 0,
            scale => (value / scale).round_ties_even().clamp(-LARGEST, LARGEST) as i8,
        };
        let numbers = weight.values.iter().enumerate().map(number).collect();
        let scales_shape = if by_row { [rows, 1] } else { [1, columns] };
        Some(Self { numbers, scales, scales_shape })
    }
}

/// The weight that whole numbers of this shape and scales of that one stand for.
///
/// # Errors
/// What does not fit together, or is no scale.
pub(crate) fn values(
    shape: &[usize],
    numbers: &[i8],
    scales_shape: &[usize],
    scales: &[f32],
) -> Result<Vec<f32>, String> {
    let &[rows, columns] = shape else { return Err(format!("its shape is {shape:?}, not one of two sizes")) };
    if let Some(scale) = scales.iter().find(|scale| !scale.is_finite() || **scale < 0.0) {
        return Err(format!("one of its scales is {scale}"));
    }
    let mut values = Vec::with_capacity(numbers.len());
    if scales_shape == [rows, 1] && columns > 0 {
        for (row, &scale) in numbers.chunks_exact(columns).zip(scales) {
            values.extend(row.iter().map(|&number| f32::from(number) * scale));
        }
        return Ok(values);
    }
    if scales_shape == [1, columns] && columns > 0 {
        for row in numbers.chunks_exact(columns) {
            values.extend(row.iter().zip(scales).map(|(&number, scale)| f32::from(number) * scale));
        }
        return Ok(values);
    }
    Err(format!("its scales have the shape {scales_shape:?}, not [{rows}, 1] or [1, {columns}]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(name: &str, shape: [usize; 2], values: &[f32]) -> Weight {
        Weight { name: name.to_string(), shape: shape.to_vec(), values: values.to_vec() }
    }

    #[test]
    fn numbers_by_hand() {
        // 127 / 127 = 1 and 2.54 / 127 = 0.02. Of the ties, 0.5 goes down to 0 and −1.5 to −2: each to the even one.
        let values = [127.0, 0.5, -1.5, -126.6, 2.54, -2.54, 0.03, 0.0105];
        let rows = Int8::of(&weight("embedding.weight", [2, 4], &values)).unwrap();
        assert_eq!(rows.numbers, [127, 0, -2, -127, 127, -127, 2, 1]);
        assert_eq!((rows.scales.as_slice(), rows.scales_shape), ([1.0, 2.54 / 127.0].as_slice(), [2, 1]));
        // A linear layer [2 inputs, 2 outputs]: 254 / 127 = 2 for the first output, 1.27 / 127 = 0.01 for the second.
        let columns = Int8::of(&weight("head.weight", [2, 2], &[254.0, 0.5, -11.0, -1.27])).unwrap();
        assert_eq!(columns.numbers, [127, 50, -6, -127]);
        assert_eq!((columns.scales.as_slice(), columns.scales_shape), ([2.0, 1.27 / 127.0].as_slice(), [1, 2]));
        let linear = Int8::of(&weight("linear.weight", [2, 2], &[254.0, 0.5, -11.0, -1.27])).unwrap();
        assert_eq!(linear, columns);
        let Int8 { numbers, scales, scales_shape } = columns;
        let back = super::values(&[2, 2], &numbers, &scales_shape, &scales).unwrap();
        assert_eq!((back[0], back[2]), (254.0, -12.0));
        assert!((back[1] - 0.5).abs() < 1e-6 && (back[3] + 1.27).abs() < 1e-6);
        assert_eq!(Int8::of(&Weight { name: "head.bias".to_string(), shape: vec![2], values: vec![1.0, 2.0] }), None);
    }

    #[test]
    fn nothing_and_next_to_nothing_are_zero() {
        let rows = Int8::of(&weight("ngrams.weight", [2, 2], &[0.0, -0.0, 1e-40, -1e-38])).unwrap();
        assert_eq!((rows.numbers.as_slice(), rows.scales.as_slice()), ([0; 4].as_slice(), [0.0; 2].as_slice()));
    }

    #[test]
    fn no_number_is_wrong_by_more_than_half_a_scale() {
        // SplitMix64, as numbers of every size between 1e-30 and 1e30.
        let mut state = 7u64;
        let mut next = || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            ((z >> 40) as f32 / (1u32 << 24) as f32) * 2.0 - 1.0
        };
        for (name, shape) in [("embedding.weight", [50, 40]), ("attention.query.weight", [40, 50])] {
            for size in [1e-30f32, 0.05, 3.0, 1e30] {
                let values: Vec<f32> = (0..2000).map(|_| next() * size).collect();
                let int8 = Int8::of(&weight(name, shape, &values)).unwrap();
                let back = super::values(&shape, &int8.numbers, &int8.scales_shape, &int8.scales).unwrap();
                for (i, (value, back)) in values.iter().zip(&back).enumerate() {
                    let scale = int8.scales[if name == "embedding.weight" { i / shape[1] } else { i % shape[1] }];
                    // Besides, the product and the quotient are rounded as f32 are.
                    assert!((value - back).abs() <= scale * (0.5 + 2e-5), "{name} {size} {value} {back} {scale}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_scale_is_refused() {
        let told = |shape: &[usize], scales_shape: &[usize], scales: &[f32]| {
            super::values(shape, &[1, 2, 3, 4, 5, 6], scales_shape, scales).unwrap_err()
        };
        for bad in [f32::NAN, f32::INFINITY, -1.0, -f32::MIN_POSITIVE] {
            assert_eq!(told(&[2, 3], &[2, 1], &[1.0, bad]), format!("one of its scales is {bad}"));
        }
        for shape in [&[3, 1][..], &[1, 2], &[2], &[1, 3, 1], &[]] {
            let n = shape.iter().product();
            assert!(told(&[2, 3], shape, &vec![1.0; n]).starts_with("its scales have the shape"), "{shape:?}");
        }
        assert!(told(&[6], &[6, 1], &[1.0; 6]).contains("not one of two sizes"));
        assert!(super::values(&[2, 0], &[], &[2, 1], &[1.0; 2]).is_err());
    }
}
