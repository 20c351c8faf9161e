//! Some rows of a table, which is held flattened: taking them out and putting them back. What happens to them in between
//! is not known here.

use attentive_ops::GradientRows;
use burn::tensor::{IndexingUpdateOp, Int, Tensor};

/// The rows of a table that a step uses.
#[derive(Debug, Clone)]
pub(crate) struct StepRows {
    /// Which rows, ascending, each at most once.
    pub(crate) indices: Tensor<1, Int>,
    /// The length of a row.
    pub(crate) width: usize,
}

impl StepRows {
    /// Whether a step uses none.
    pub(crate) fn is_empty(&self) -> bool {
        self.indices.dims() == [0]
    }

    /// The rows of a flattened table, flattened and in the order of the indices.
    pub(crate) fn of(&self, table: &Tensor<1>) -> Tensor<1> {
        self.table(table.clone()).select(0, self.indices()).reshape([-1])
    }

    /// A flattened table with these rows in place of its own. A table that has no other handle is written in place,
    /// otherwise it is copied first.
    pub(crate) fn put(&self, table: Tensor<1>, rows: Tensor<1>) -> Tensor<1> {
        let rows = self.table(rows);
        self.table(table).select_assign(0, self.indices(), rows, IndexingUpdateOp::Assign).reshape([-1])
    }

    /// These rows between zeros: a flattened table of `n_values`.
    pub(crate) fn spread(&self, rows: Tensor<1>, n_values: usize) -> Tensor<1> {
        self.put(Tensor::zeros([n_values], &rows.device()), rows)
    }

    /// The same for an operation that takes the rows as they are.
    pub(crate) fn of_gradient(&self, moves_others: bool) -> GradientRows {
        GradientRows { indices: self.indices(), width: self.width, moves_others }
    }

    fn table(&self, flat: Tensor<1>) -> Tensor<2> {
        flat.reshape([-1, self.width as i32])
    }

    /// Without autodiff, so that what they index has none either.
    fn indices(&self) -> Tensor<1, Int> {
        self.indices.clone().inner()
    }
}
