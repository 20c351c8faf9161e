//! What a user can do about each [`DataError`]: one sentence, to be printed below the message.

use crate::error::{DataError, excerpt};

impl DataError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { .. } => "paths are relative to the directory the command runs in".to_owned(),
            Self::NoMatch { .. } => "patterns are matched in the directory the command runs in; `*` stands for any characters of one name, `**` for any folders".to_owned(),
            Self::Pattern { .. } => "`?` stands for one character, `*` for any, `[ab]` for one of these, and `**` for whole folders: `data/**/*.csv`".to_owned(),
            Self::NamedTwice { .. } => "name it once: its examples would count twice".to_owned(),
            Self::OtherColumns { .. } => {
                "give the files the same header, or read them as different splits; columns given by number also need the same order".to_owned()
            }
            Self::NotText { content, .. } => match *content {
                "a gzip file" => "give it the extension .gz behind that of its format, such as .csv.gz".to_owned(),
                "a zstd file" => "give it the extension .zst behind that of its format, such as .csv.zst".to_owned(),
                "a Parquet file" => "set `data.format = \"parquet\"`, or give it the extension .parquet".to_owned(),
                _ => "unpack it, or give it the extension .xlsx if it is one of Excel, which begins like a .zip".to_owned(),
            },
            Self::Packed { .. } => "get the file again: `gzip -t` or `zstd -t` should find no fault in it; if it is not packed, take .gz or .zst out of its name".to_owned(),
            Self::Expansion { .. } => "if the file is what it should be, raise `data.max_expansion`".to_owned(),
            Self::NoParquet { .. } => {
                "build it with `--features parquet`, or convert the file: `pandas.read_parquet(\"a.parquet\").to_csv(\"a.csv\", index=False)`".to_owned()
            }
            Self::NoXlsx { .. } => "build it with `--features xlsx`, or save the sheet as csv".to_owned(),
            Self::Xlsx { .. } => "open it in Excel and save it again, without a password, or save the sheet as csv".to_owned(),
            Self::Parquet { .. } => "get the file again, or convert it to csv or jsonl".to_owned(),
            Self::NoLabelAtFront { .. } => {
                "write `__label__NAME` and a space before the text; if an example can have no label, set `data.multi_label = true`".to_owned()
            }
            Self::SeveralLabels { .. } => "if an example can have several labels, set `data.multi_label = true`".to_owned(),
            Self::LabelInText { .. } => "move it to the front of the line, where all labels stand, or remove it".to_owned(),
            Self::LabelNotMet { label, known, setting } => match nearest(label, known) {
                Some(name) => format!("did you mean `{}`?", excerpt(name)),
                None => format!("remove it from `{setting}`"),
            },
            Self::TooManyBadRows { first, allowed } => {
                let more = format!("more rows than `data.skip_bad_rows = {allowed}` allows cannot be read; this is the first");
                match first.hint() {
                    Some(hint) => format!("{more}: {hint}"),
                    None => more,
                }
            }
            Self::NoRows { .. } => "look whether `data.format`, `data.encoding` and `data.drop` are right".to_owned(),
            Self::IsFolder { .. } => {
                "name a file; a folder is read only with `format = \"folder\"` or \"auto\", one folder of .txt files per label"
                    .to_owned()
            }
            Self::Cache { .. } => "make room there, or set `XDG_CACHE_HOME` to a directory with room".to_owned(),
            Self::Interrupted { kept: true } => "what is encoded is kept: the same command goes on from there".to_owned(),
            Self::Interrupted { kept: false } => return None,
            Self::NotFolder { .. } => "set `data.format` to \"csv\", \"tsv\", \"jsonl\" or \"fasttext\"".to_owned(),
            Self::UnknownFormat { .. } => {
                "set `data.format` to \"csv\", \"tsv\", \"jsonl\" or \"fasttext\"; of packed files .gz and .zst are read".to_owned()
            }
            Self::HeaderOfUnknown { .. } => {
                "say with `--format` how it is laid out: `csv`, `tsv`, or `lines` if each line is a text".to_owned()
            }
            Self::UnknownEncoding { .. } => "common encodings are \"utf-8\", \"windows-1252\" and \"gb18030\"".to_owned(),
            Self::UnclearColumn { which, .. } => format!("name it with `--{which} COLUMN`"),
            Self::ManyLabels { .. } => "name the column that holds the labels with `--label`".to_owned(),
            Self::HeaderOnly { .. } => "if the first line is data, set `data.header = false`".to_owned(),
            Self::NoColumn { column, columns, .. } => return no_column_hint(column, columns),
            Self::NoColumnNumber { columns: 1, .. } => {
                "the line has one column: check `data.format` and `data.delimiter`".to_owned()
            }
            Self::NoColumnNumber { .. } => "correct `data.text` or `data.label`".to_owned(),
            Self::DuplicateColumn { .. } => "give the column by its number, counted from 0".to_owned(),
            Self::SameColumn { .. } => "`data.text` and `data.label` have to name different columns".to_owned(),
            Self::FieldCount { .. } => {
                "look for a delimiter inside a field, or a row that is cut short; a TSV whose fields are quoted needs `data.quoting = true`"
                    .to_owned()
            }
            Self::Nul { .. } => {
                "no text holds it: take it out; if the file is full of them, it may be UTF-16: set `data.encoding = \"utf-16le\"`".to_owned()
            }
            Self::Undecodable { encoding, .. } if encoding == "UTF-8" => {
                "set `data.encoding` to the encoding of the file, for example \"windows-1252\" for western European text"
                    .to_owned()
            }
            Self::Undecodable { .. } => "set `data.encoding` to the encoding of the file, for example \"utf-8\"".to_owned(),
            Self::TooLong { .. } => {
                "look for a quote that is never closed; if the text is really that long, raise `data.max_line_bytes`".to_owned()
            }
            Self::UnclosedQuote { .. } => {
                "close the quote; a TSV whose quotes are part of the text needs `data.quoting = false`".to_owned()
            }
            Self::AfterQuote { .. } => {
                "a quote inside a quoted field is written twice; a TSV whose quotes are part of the text needs `data.quoting = false`"
                    .to_owned()
            }
            Self::JsonArray { .. } => {
                "a JSON file is one array of objects, such as `[{\"text\": \"…\", \"label\": \"…\"}]`".to_owned()
            }
            Self::Json { at, .. } if at.element.is_some() => "every element of the array has to be one JSON object".to_owned(),
            Self::Json { row, .. } if row.trim_start().starts_with('[') => {
                "a JSONL file has one JSON object on each line; for one array of objects set `data.format = \"json\"`".to_owned()
            }
            Self::Json { .. } => "a JSONL file has one JSON object on each line".to_owned(),
            Self::NoKey { key, keys, .. } => return nearest(key, keys).map(|name| format!("did you mean `{}`?", excerpt(name))),
            Self::LabelList { .. } => "if an example can have several labels, set `data.multi_label = true`".to_owned(),
            Self::PairLine { .. } => {
                "write `first<TAB>second` on each line; texts that hold tabs need a csv or jsonl file, and a table the extension .tsv"
                    .to_owned()
            }
            Self::OneText { .. } => "name a csv, tsv or jsonl file, which has columns".to_owned(),
            Self::NotFromStdin { .. } => "write it to a file and name that: it is not read from front to end".to_owned(),
            Self::PlainFolder { setting, .. } => {
                format!("name a csv, tsv or jsonl file, or remove `{setting}`")
            }
            Self::EmptyInList { .. } => "remove the separator that nothing follows or goes before".to_owned(),
            Self::EmptyLabel { .. } => "give the row a label or remove it".to_owned(),
            Self::UnmappedLabel { .. } => "add the value to `data.labels`, or remove the rows that have it".to_owned(),
            Self::UnknownLabel { label, known, .. } => match nearest(label, known) {
                Some(name) => format!("did you mean `{}`?", excerpt(name)),
                None => "the label set comes from the training split: add examples of this label to it, or remove the row".to_owned(),
            },
            Self::OneLabel { .. } => "check `data.label`: it should name the column that holds the labels".to_owned(),
            Self::NoLabels { .. } => "check `data.label`: it should name the column that holds the labels".to_owned(),
            Self::Division(error) => error.hint(),
            Self::NoLabelFolders { .. } => "lay the folder out as `LABEL/NAME.txt`, or name a file".to_owned(),
            Self::NoTexts { .. } => "remove the folder, or put the label's texts into it, one .txt file each".to_owned(),
            Self::LongLabels { .. } => "let `data.label` name the column that holds the labels, or shorten their names".to_owned(),
            Self::LargeTokenizer { .. } => "lower `vocab_size` or raise `min_count` of the tokenizer".to_owned(),
            Self::Tokenizer { .. } => "a tokenizer.json comes from the Hugging Face `tokenizers` library".to_owned(),
            Self::TokenizerTraining { .. } => "try another `vocab_size`, or `tokenizer.word`".to_owned(),
            Self::NoWords => "remove `features.character_ngrams`, or use `tokenizer.word`".to_owned(),
            Self::Vectors(error) => error.hint(),
            Self::JsonType { .. } => "check `data.text` and `data.label`".to_owned(),
            Self::Read { .. } | Self::Write { .. } | Self::Empty { .. } | Self::LabelsFile { .. } | Self::Encode { .. } => {
                return None;
            }
        })
    }
}

fn no_column_hint(column: &str, columns: &[String]) -> Option<String> {
    if columns.iter().any(|column| column.contains('\r')) {
        return Some("its lines end with a carriage return alone, so that they are one line: `tr '\\r' '\\n' < FILE > OTHER` converts it".to_owned());
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
    Some(match nearest(column, columns) {
        Some(name) => format!("did you mean `{}`?", excerpt(name)),
        None => "set `data.text` and `data.label`; if the first line is data, set `data.header = false` and give columns by number"
            .to_owned(),
    })
}

/// The name most like `name`, if any is like it at all. Long ones are not compared, which takes the product of their lengths.
fn nearest<'a>(name: &str, names: &'a [String]) -> Option<&'a str> {
    const LONGEST: usize = 200;
    if name.len() > LONGEST {
        return None;
    }
    let wanted = name.to_lowercase();
    names
        .iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::jaro_winkler(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|&(similarity, _)| similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.as_str())
}
