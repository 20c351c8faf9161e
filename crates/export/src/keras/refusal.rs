//! Why a model of Keras is refused.

/// Why a model cannot be imported.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    /// It is not what Keras writes.
    Damaged(String),
    /// A part of it has no equal here.
    NoEqual(String),
}
