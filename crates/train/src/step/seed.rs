//! Where every random number of a run comes from: a pure function of the run's seed, what it is for, and a count. So
//! there is no generator state to save, and a resumed run draws what the uninterrupted one would have drawn.

/// What random numbers are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// The initial weights.
    Weights,
    /// Everything drawn on the device while training, which is dropout.
    Dropout,
}

/// The seed of one use of randomness: `index` counts the uses within a stream.
///
/// The mixing function is SplitMix64's (Steele, Lea & Flood 2014), applied once for each input.
pub(crate) fn derive(seed: u64, stream: Stream, index: u64) -> u64 {
    let stream = match stream {
        Stream::Weights => 1,
        Stream::Dropout => 2,
    };
    mix(mix(mix(seed) ^ stream) ^ index)
}

fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mixing_function_is_splitmix64() {
        // The first output of the reference implementation of SplitMix64 for the seed 0.
        assert_eq!(mix(0), 0xE220_A839_7B1D_CDAF);
    }

    #[test]
    fn seeds_streams_and_steps_are_told_apart() {
        let mut drawn = std::collections::HashSet::new();
        for seed in 0..10 {
            for stream in [Stream::Weights, Stream::Dropout] {
                for index in 0..100 {
                    assert!(drawn.insert(derive(seed, stream, index)));
                }
            }
        }
    }
}
