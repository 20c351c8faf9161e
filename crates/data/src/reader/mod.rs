//! Files to texts and labels: finds the format, opens the files, hands their rows on.
//!
//! Everything is read forwards, once, in bounded pieces. Knows neither splits nor tokenizers.

mod origin;
mod open;
mod layout;
mod input;
mod source;
mod delimited_row;
mod rows;
mod columns;
mod formats;
mod choice;
mod file;
mod label_values;
mod raw;
mod folder;
mod labelled;
mod table;
mod vectors;

pub use choice::TextFormat;
pub use delimited_row::FieldSplitter;
pub(crate) use file::first_rows_of_sheet;
pub use formats::{TextLines, read_texts_lines};
pub(crate) use formats::{split_label, whole_elements};
pub(crate) use input::{open_unpacked, read_failure};
pub(crate) use labelled::{read_labelled, read_labelled_stdin};
pub use layout::{Header, TableKind, TableLayout};
pub(crate) use open::read_small;
pub use origin::DataOrigin;
pub(crate) use raw::{RawExamples, raw_in_memory};
pub use table::{BadRow, TablePart, TableRows, TextInput, TextTable, load_texts};
pub use vectors::{Vectors, load_vectors};
