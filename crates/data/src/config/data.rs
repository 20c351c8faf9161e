//! The `[data]` section of the config.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::column::{Column, TextColumns};
use super::files::Files;
use super::format::Format;
use super::split_source::{Cut, CutBy, Fold, SplitSource};
use super::unescape::Unescape;
use super::unknown_labels::UnknownLabels;
use crate::error::DataError;

/// The default of `data.label_separator`.
pub(super) const LABEL_SEPARATOR: &str = ",";

/// Where the examples are and how the files are to be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// The training examples: a file, a pattern such as `"data/*.csv"`, an array of these, or a folder with one folder of
    /// texts per label. Required. Relative to the directory the command runs in. Several files are read one after
    /// the other, those of a pattern in the order of their names; they must have the same columns. Files may be packed
    /// with gzip (.csv.gz) or Zstandard (.csv.zst).
    pub train: Files,
    /// The examples to measure on after each epoch: files or a folder, or `{ fraction = 0.1 }` to cut that share from
    /// `train`, stratified by label and drawn from the seed, or `{ fraction = 0.1, by = "hash" }` to let each text
    /// decide. What is cut for `test` or `fold` is cut first; every fraction is one of all examples of `train`.
    /// Default: none.
    pub validation: Option<SplitSource>,
    /// The examples for the final figure, never looked at while training: files or a folder, or a share of `train` as for
    /// `validation`. Default: none.
    pub test: Option<SplitSource>,
    /// One part of a cross-validation: of as many parts as `of` says, part `index` becomes the test split, in the place
    /// of `test`. Every example is in exactly one part. `attentive train --folds 5` trains one run for each of five parts
    /// and writes this key into their configs. Default: none.
    pub fold: Option<Fold>,
    /// The column that names what an example belongs to, such as its author or the document it is a part of: a name of
    /// the header (or JSON key), or a number counted from 0. Wherever `train` is cut or folded, no group is in two
    /// splits, because a model that knows the author is flattered; the labels are shared out as well as whole groups
    /// allow. An example whose group is empty is a group of its own. Where splits are files, groups in two of them are
    /// told. Default: none.
    pub group: Option<Column>,
    /// The column that holds the text: a name of the header (or JSON key), or a number counted from 0. For pairs of
    /// texts an array of two columns, such as `["premise", "hypothesis"]`; for one text made of several columns
    /// `{ join = ["title", "body"], separator = " " }`. Default: "text".
    pub text: TextColumns,
    /// The column that holds the label: a name of the header (or JSON key), or a number counted from 0. Default:
    /// "label".
    pub label: Column,
    /// Whether an example can have any number of labels, also none, instead of exactly one. The label is then a list: a
    /// JSON array, or a field split at `label_separator`. Default: false.
    pub multi_label: bool,
    /// What stands between the labels of one field where `multi_label = true`; white space around it is dropped.
    /// Default: ",".
    #[schemars(length(min = 1))]
    pub label_separator: String,
    /// How the files are laid out. Default: "auto", by the file's extension.
    pub format: Format,
    /// Whether the first line of a csv or tsv file, or the first row of an xlsx file, names the columns. Default: true.
    pub header: bool,
    /// Whether a field of a tsv file may be quoted. Default: false, because most tsv files use quotes as plain
    /// characters. Csv files are always quoted.
    pub quoting: bool,
    /// The character between the fields of a csv file, one ASCII character. Default: ",".
    #[schemars(length(min = 1, max = 1))]
    pub delimiter: Option<String>,
    /// The encoding of the files: any name of the web's encoding standard, such as "windows-1252" or "gb18030".
    /// A byte order mark wins over it and is removed. Default: "utf-8".
    pub encoding: String,
    /// Escapes in the texts that are read as the characters that they stand for, in training, evaluation and prediction
    /// alike: "html" for entities such as `&amp;`. Default: none, texts are read as they stand.
    pub unescape: Option<Unescape>,
    /// Names for the labels as they stand in the files, such as `{ "0" = "negative", "1" = "positive" }`. If there are
    /// any, every label in the files must be among them. Default: none, the files' own labels are the names.
    pub labels: BTreeMap<String, String>,
    /// Other names for some labels as they stand in the files, such as `{ "4" = "positive", "5" = "positive" }`; two with
    /// the same name become one label. Labels that are not renamed stay, or are named by `labels`. Every one must occur
    /// in the training examples. Default: none.
    pub rename: BTreeMap<String, String>,
    /// Labels, by their names after `labels` and `rename`, whose examples are left out; with `multi_label` the label is
    /// left out and the example stays. Every one must occur in the training examples. Default: none.
    pub drop: Vec<String>,
    /// What happens to a label of the validation or test examples that no training example has. Default: "fail".
    pub unknown_labels: UnknownLabels,
    /// How many rows of each split may be left out because they cannot be read: a wrong number of fields, invalid JSON,
    /// no label, bytes that are not in the encoding. They are counted and listed. One more is an error. Default: 0,
    /// because a bad row is most often the first of many.
    pub skip_bad_rows: usize,
    /// How many times its size a packed file may unpack to, at least 1; files that unpack to 1 MiB or less are always
    /// read. More is an error: text seldom packs better than 1 to 20, so that such a file is damaged or made to fill the
    /// memory. It holds for the texts of a Parquet file and for an xlsx file too. Default: 100.
    #[schemars(range(min = 1))]
    pub max_expansion: u64,
    /// The longest line, field or text, in bytes of UTF-8, at least 64 and at most 2 GiB. Longer ones are an error: they are nearly
    /// always a quote that is never closed, or not text at all. Default: 1,048,576 (1 MiB).
    #[schemars(range(min = 64, max = 2_147_483_648_u64))]
    pub max_line_bytes: usize,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            train: Files::default(),
            validation: None,
            test: None,
            fold: None,
            group: None,
            text: TextColumns::One(Column::Name("text".to_owned())),
            label: Column::Name("label".to_owned()),
            multi_label: false,
            label_separator: LABEL_SEPARATOR.to_owned(),
            format: Format::Auto,
            header: true,
            quoting: false,
            delimiter: None,
            encoding: "utf-8".to_owned(),
            unescape: None,
            labels: BTreeMap::new(),
            rename: BTreeMap::new(),
            drop: Vec::new(),
            unknown_labels: UnknownLabels::Fail,
            skip_bad_rows: 0,
            max_expansion: 100,
            max_line_bytes: 1 << 20,
        }
    }
}

impl DataConfig {
    /// What is cut off for the test split, as `test` or `fold` says.
    pub(crate) fn test_cut(&self) -> Option<Cut> {
        match (&self.fold, &self.test) {
            (Some(fold), _) => Some(Cut { fraction: 1.0 / f64::from(fold.of), by: fold.by }),
            (None, Some(SplitSource::Cut(cut))) => Some(*cut),
            _ => None,
        }
    }

    /// What decides how the training file is divided, if it is; by label otherwise.
    pub fn cut_by(&self) -> CutBy {
        match (self.test_cut(), &self.validation) {
            (Some(cut), _) => cut.by,
            (None, Some(SplitSource::Cut(cut))) => cut.by,
            _ => CutBy::Label,
        }
    }

    /// A text as `unescape` reads it.
    pub fn unescaped<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.unescape.map_or(Cow::Borrowed(text), |unescape| unescape.read(text))
    }

    /// The encoding by its name.
    pub(crate) fn encoding(&self) -> Result<&'static encoding_rs::Encoding, DataError> {
        encoding_rs::Encoding::for_label(self.encoding.as_bytes())
            .ok_or_else(|| DataError::UnknownEncoding { encoding: self.encoding.clone() })
    }

    /// The byte between the fields of a csv file.
    pub fn delimiter(&self) -> u8 {
        self.delimiter.as_ref().and_then(|text| text.bytes().next()).unwrap_or(b',')
    }
}
