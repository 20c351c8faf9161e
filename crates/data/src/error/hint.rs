//! What a user can do about each [`DataError`]: one sentence, to be printed below the message.

use super::column::ColumnSummary;
use super::data::DataError;
use super::markup::{hint as markup_hint, markup};
use super::nearest::did_you_mean;

/// What examples may stand in.
const LAYOUTS: &str = "examples are rows of a table with a column for the text and one for the label (csv, tsv, xlsx, Parquet), JSON \
    objects, lines such as `LABEL the text` or `__label__LABEL the text`, or a folder with one folder of texts per label";

impl DataError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Missing { .. } => "paths are relative to the directory the command runs in",
            Self::NoMatch { .. } => {
                "patterns are matched in the directory the command runs in; `*` stands for any characters of one name, `**` for any folders"
            }
            Self::Pattern { .. } => {
                "`?` stands for one character, `*` for any, `[ab]` for one of these, and `**` for whole folders: `data/**/*.csv`"
            }
            Self::NamedTwice { .. } => "name it once: its examples would count twice",
            Self::OtherColumns { .. } => {
                "give the files the same header, or read them as different splits; columns given by number also need the same order"
            }
            Self::NotText { path, .. } if path.extension().is_some_and(|extension| extension == "parquet") => {
                "only the first rows of a text file or a sheet are looked at: name its columns in a config, as `data.text` and `data.label`"
            }
            Self::NotText { content, .. } => match *content {
                "a gzip file" => "give it the extension .gz behind that of its format, such as .csv.gz",
                "a zstd file" => "give it the extension .zst behind that of its format, such as .csv.zst",
                "a Parquet file" => "set `data.format = \"parquet\"`, or give it the extension .parquet",
                _ => "unpack it, or give it the extension .xlsx if it is one of Excel, which begins like a .zip",
            },
            Self::Packed { .. } => {
                "get the file again: `gzip -t` or `zstd -t` should find no fault in it; if it is not packed, take .gz or .zst out of its name"
            }
            Self::Expansion { .. } => "if the file is what it should be, raise `data.max_expansion`",
            Self::NoParquet { .. } => {
                "build it with `--features parquet`, or convert the file: `pandas.read_parquet(\"a.parquet\").to_csv(\"a.csv\", index=False)`"
            }
            Self::NoXlsx { .. } => "build it with `--features xlsx`, or save the sheet as csv",
            Self::Xlsx { .. } => "open it in Excel and save it again, without a password, or save the sheet as csv",
            Self::Parquet { .. } => "get the file again, or convert it to csv or jsonl",
            Self::LabelNotMet { label, known, setting } => {
                return did_you_mean(label, known).or_else(|| Some(format!("remove it from `{setting}`")));
            }
            Self::TooManyBadRows { first, allowed } => {
                let more =
                    format!("more rows than `data.skip_bad_rows = {allowed}` allows cannot be read; this is the first");
                return Some(first.hint().map_or(more.clone(), |hint| format!("{more}: {hint}")));
            }
            Self::NoRows { .. } => "look whether `data.format`, `data.encoding` and `data.drop` are right",
            Self::IsFolder { .. } => {
                "name a file; a folder is read only with `format = \"folder\"` or \"auto\", one folder of texts per label"
            }
            Self::Cache { .. } => "make room there, or set `XDG_CACHE_HOME` to a directory with room",
            Self::Interrupted { kept: true } => "what is encoded is kept: the same command goes on from there",
            Self::Interrupted { kept: false } => return None,
            Self::NotFolder { .. } => "set `data.format` to \"csv\", \"tsv\", \"jsonl\" or \"fasttext\"",
            Self::Markup { content, .. } => return Some(markup_hint(content)),
            Self::UnknownFormat { .. } => {
                "set `data.format` to \"csv\", \"tsv\", \"jsonl\" or \"fasttext\"; of packed files .gz and .zst are read"
            }
            Self::HeaderOfUnknown { .. } => "say how it is laid out: csv, tsv, or lines if each line is a text",
            Self::UnknownEncoding { .. } => "common encodings are \"utf-8\", \"windows-1252\" and \"gb18030\"",
            Self::UnclearColumn { columns, .. } => {
                return Some(format!(
                    "name the columns of text and label; there are{}",
                    ColumnSummary::listed(columns)
                ));
            }
            Self::UnknownLayout { .. } => LAYOUTS,
            Self::ManyLabels { .. } => "name the column that holds the labels",
            Self::HeaderOnly { .. } => "if the first line is data, set `data.header = false`",
            Self::NoColumn { column, columns, .. } => return no_column_hint(column, columns),
            Self::NoColumnNumber { columns: 1, .. } => {
                "the line has one column: check `data.format` and `data.delimiter`"
            }
            Self::NoColumnNumber { .. } => "correct `data.text` or `data.label`",
            Self::DuplicateColumn { .. } => "give the column by its number, counted from 0",
            Self::SameColumn { .. } => "`data.text` and `data.label` have to name different columns",
            Self::JsonArray { .. } => {
                "a JSON file is one array of objects, such as `[{\"text\": \"…\", \"label\": \"…\"}]`"
            }
            Self::NotFromStdin { .. } => "write it to a file and name that: it is not read from front to end",
            Self::PlainFolder { setting, .. } => {
                return Some(format!("name a csv, tsv or jsonl file, or remove `{setting}`"));
            }
            Self::UnknownLabel { label, known, more, .. } => match did_you_mean(label, known) {
                Some(hint) if more.is_empty() => return Some(hint),
                _ => {
                    "the label set comes from the training split: add examples of this label to it, or leave such labels out with `data.unknown_labels = \"drop\"`"
                }
            },
            Self::NoKnownLabels { .. } => "look whether the file is the right one, and `data.label` the right column",
            Self::OneLabel { .. } | Self::NoLabels { .. } => {
                "check `data.label`: it should name the column that holds the labels"
            }
            Self::Row(error) => return error.hint(),
            Self::Division(error) => return Some(error.hint()),
            Self::NoLabelFolders { .. } => "lay the folder out as `LABEL/NAME`, or name a file",
            Self::NoTexts { has_folders: true, .. } => "name that folder if its folders are the labels",
            Self::NoTexts { any_txt: true, .. } => {
                "remove the folder, or put the label's texts into it, one .txt file each"
            }
            Self::NoTexts { .. } => "remove the folder, or put the label's texts into it, one file each",
            Self::LongLabels { .. } => "let `data.label` name the column that holds the labels, or shorten their names",
            Self::LargeTokenizer { .. } => "lower `vocab_size` or raise `min_count` of the tokenizer",
            Self::Tokenizer { .. } => "a tokenizer.json comes from the Hugging Face `tokenizers` library",
            Self::TokenizerTraining { .. } => "try another `vocab_size`, or `tokenizer.word`",
            Self::NoWords => "remove `features.character_ngrams`, or use `tokenizer.word`",
            Self::Vectors(error) => return Some(error.hint()),
            Self::Empty { .. }
            | Self::Read { .. }
            | Self::Write { .. }
            | Self::LabelsFile { .. }
            | Self::Encode { .. } => {
                return None;
            }
        };
        Some(hint.to_owned())
    }
}

fn no_column_hint(column: &str, columns: &[String]) -> Option<String> {
    if columns.iter().any(|column| column.contains('\r')) {
        return Some("its lines end with a carriage return alone, so that they are one line: `tr '\\r' '\\n' < FILE > OTHER` converts it".to_owned());
    }
    if let Some(content) = columns.first().and_then(|first| markup("", first)) {
        return Some(format!("the file is {content}: {}", markup_hint(content)));
    }
    if let [only] = columns
        && let Some(delimiter) = [';', '\t', '|', ','].into_iter().find(|&d| only.contains(d))
    {
        return Some(match delimiter {
            '\t' => "the columns look separated by tabs: set `data.format = \"tsv\"`".to_owned(),
            ',' => "the columns look separated by commas: set `data.format = \"csv\"`".to_owned(),
            other => format!(
                "the columns look separated by `{other}`: set `data.format = \"csv\"` and `data.delimiter = \"{other}\"`"
            ),
        });
    }
    did_you_mean(column, columns).or_else(|| {
        let hint = "set `data.text` and `data.label`; if the first line is data, set `data.header = false` and give columns by number";
        Some(hint.to_owned())
    })
}
