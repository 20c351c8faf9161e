//! What can go wrong with data: one error type, the place and the reason in each error, and what the user can do about
//! it. Reads nothing and prints nothing.

mod excerpt;
mod column;
mod location;
mod markup;
mod nearest;
mod row;
mod division;
mod vectors;
mod data;
mod kind;
mod hint;

pub use column::ColumnSummary;
pub use data::DataError;
pub use division::DivisionError;
pub use excerpt::thousands;
pub(crate) use excerpt::{beginning, excerpt, quoted};
pub use kind::DataErrorKind;
pub use location::Location;
pub(crate) use markup::markup;
pub use row::{RowError, RowFault};
pub use vectors::VectorsError;
