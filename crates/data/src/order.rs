//! The order of the examples in an epoch: a pure function of `(seed, epoch)`, with no state to save.

/// The increment of SplitMix64: 2^64 divided by the golden ratio, made odd.
const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// A random order of `0..n` that depends on nothing but its arguments. There are fewer than 2^32 texts.
///
/// Draw `k` of the stream is `mix(key + (k + 1)·GAMMA)`, which is SplitMix64 started at `key`, and
/// `key = mix(mix(seed + GAMMA) + epoch·GAMMA)`, so the streams of two epochs start at unrelated places. The draws
/// drive a Fisher-Yates shuffle from the last position down; ranges are made without bias by Lemire's method.
pub fn permutation(seed: u64, epoch: u64, n: usize) -> Vec<u32> {
    let mut state = mix(mix(seed.wrapping_add(GAMMA)).wrapping_add(epoch.wrapping_mul(GAMMA)));
    let mut draw = || {
        state = state.wrapping_add(GAMMA);
        mix(state)
    };
    let mut order: Vec<u32> = (0..).take(n).collect();
    for last in (1..n).rev() {
        let other = below(last as u64 + 1, &mut draw);
        order.swap(last, other as usize);
    }
    order
}

/// The output function of SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number below `range`, each equally likely: the high half of `draw·range`, with the draws that would favour some
/// numbers refused.
fn below(range: u64, mut draw: impl FnMut() -> u64) -> u64 {
    let refused = range.wrapping_neg() % range;
    loop {
        let product = u128::from(draw()) * u128::from(range);
        if product as u64 >= refused {
            return (product >> 64) as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_splitmix64() {
        // The first outputs for seed 1234567 in the reference implementation by Vigna.
        let outputs: Vec<u64> = (1..=3u64).map(|k| mix(1_234_567u64.wrapping_add(k.wrapping_mul(GAMMA)))).collect();
        assert_eq!(outputs, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn the_order_never_changes() {
        // From a second implementation, in Python, of what the documentation says. Runs are resumed by it: keep it.
        assert_eq!(permutation(42, 1, 10), [5, 1, 9, 6, 7, 2, 4, 0, 8, 3]);
    }

    #[test]
    fn a_permutation_holds_every_index_once() {
        for n in [0, 1, 2, 3, 1000] {
            let mut order = permutation(7, 3, n);
            order.sort_unstable();
            assert_eq!(order, (0..n as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn seed_and_epoch_both_change_the_order() {
        let first = permutation(42, 0, 100);
        assert_eq!(first, permutation(42, 0, 100));
        assert_ne!(first, permutation(42, 1, 100));
        assert_ne!(first, permutation(43, 0, 100));
        // A sum of seed and epoch would make these two equal.
        assert_ne!(permutation(42, 1, 100), permutation(43, 0, 100));
    }

    #[test]
    fn the_six_orders_of_three_are_equally_frequent() {
        let mut counts = std::collections::BTreeMap::new();
        for epoch in 0..6000 {
            *counts.entry(permutation(1, epoch, 3)).or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), 6);
        // 1000 expected, standard deviation 29.
        assert!(counts.values().all(|&count| (880..1120).contains(&count)), "{counts:?}");
    }

    #[test]
    fn a_range_maps_the_halves_of_a_draw() {
        // high half of draw·range: the lower half of all draws gives 0, the upper half 1.
        assert_eq!(below(2, || u64::MAX / 2), 0);
        assert_eq!(below(2, || u64::MAX / 2 + 1), 1);
        // 2^64 mod 3 = 1: the one draw whose low half is 0 is refused.
        let mut draws = [0, u64::MAX].into_iter();
        assert_eq!(below(3, || draws.next().expect("two draws are enough")), 2);
    }
}
