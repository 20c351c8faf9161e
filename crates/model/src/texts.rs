//! Batches of texts on their way through a model: as ids, then as vectors.

use burn::tensor::{Bool, Int, Tensor};

/// A batch of texts as ids.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Ids `[batch, length]`; every id is below the number of rows of its table.
    pub ids: Tensor<2, Int>,
    /// `[batch, length]`, true where a token is real; `None` when padding counts as tokens.
    pub mask: Option<Tensor<2, Bool>>,
}

/// The texts of a batch on their way through the model.
#[derive(Debug, Clone)]
pub struct Sequences {
    /// Token vectors `[batch, length, dim]`.
    pub tokens: Tensor<3>,
    /// `[batch, length]`, true where a token is real; `None` when padding counts as tokens.
    pub mask: Option<Tensor<2, Bool>>,
}
