//! The result of running an exported file in another engine.

/// What became of the examples in another engine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rerun {
    /// How many texts were run.
    pub n: usize,
    /// By how much a probability differs at most.
    pub largest: f32,
}
