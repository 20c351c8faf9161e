//! A model that holds only the rows of its tables that a step uses, so that the gradient of a large table is as small as
//! the step, and pretrained rows put into a table.

use attentive_ops::select_rows;
use burn::module::Param;
use burn::nn::Embedding;
use burn::tensor::{Int, Tensor};

use crate::Classifier;

/// A table of vectors, one row for each id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// The token vectors of the encoder.
    Embedding,
    /// The n-gram vectors.
    Ngrams,
}

impl Table {
    /// The name of its weight.
    pub fn weight(self) -> &'static str {
        match self {
            Self::Embedding => "embedding.weight",
            Self::Ngrams => "ngrams.weight",
        }
    }
}

impl Classifier {
    /// The same model with only the rows `indices` of a table, which are its rows 0, 1, … from then on: the ids of a
    /// batch must be numbered accordingly. A model without that table stays as it is.
    ///
    /// The rows are leaves of their own for autodiff, which the model's device must have; the other weights are shared
    /// with this model.
    pub fn with_rows(mut self, table: Table, indices: &Tensor<1, Int>) -> Self {
        let pick = |table: &Embedding| {
            let rows = select_rows(table.weight.val().inner(), indices);
            Embedding { weight: Param::from_tensor(Tensor::from_inner(rows).require_grad()) }
        };
        match table {
            Table::Embedding => {
                let table = self.encoder.table_mut();
                *table = pick(table);
            }
            Table::Ngrams => self.ngrams = self.ngrams.as_ref().map(pick),
        }
        self
    }
}
