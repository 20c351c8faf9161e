//! How a file of texts is laid out: what whoever writes its rows back has to know.

use encoding_rs::{Encoding, UTF_8};

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// One text a line, which is not kept beside the text.
    Lines,
    /// Fields with a delimiter between them.
    Delimited {
        /// The byte between two fields.
        delimiter: u8,
        /// Whether a field may be quoted.
        quoted: bool,
    },
    /// JSON objects.
    JsonLines,
    /// JSON objects made of the rows of a format that is not written back, such as fastText.
    Objects,
}

impl TableKind {
    /// Whether each row is a JSON object.
    pub fn is_json(self) -> bool {
        matches!(self, Self::JsonLines | Self::Objects)
    }
}

/// The first line of a file, where it names the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The line as it stands in the file, without its end.
    pub row: String,
    /// The names of the columns.
    pub names: Vec<String>,
}

/// How a file of texts is laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLayout {
    /// What its rows are.
    pub kind: TableKind,
    /// The names of its columns, if its first line holds them.
    pub header: Option<Header>,
    /// The encoding of its text.
    pub encoding: &'static Encoding,
    /// Whether a byte order mark stands at its beginning.
    pub has_bom: bool,
    /// Whether its first line ends as on Windows, with a carriage return before the line feed.
    pub has_crlf: bool,
}

impl TableLayout {
    /// Rows of this kind in UTF-8, without a header.
    pub fn plain(kind: TableKind) -> Self {
        Self { kind, header: None, encoding: UTF_8, has_bom: false, has_crlf: false }
    }
}
