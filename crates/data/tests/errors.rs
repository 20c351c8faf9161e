//! What a user sees for each thing that can be wrong with a file: the exact message, the sort of failure and the hint.
//!
//! Paths are shown as `DIR/…`, `DIR` being the test's own folder.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use attentive_data::{
    Column, Cut, CutBy, DataConfig, DataError, DataErrorKind, Files, Fold, Format, Labels, RowError, RowFault,
    SplitSource, TextColumns, load_corpus, load_examples, load_texts, load_vectors, read_texts_lines,
};
use temp_dir::TempDir;

/// A folder with one file and a config that reads it.
struct Case {
    folder: TempDir,
    config: DataConfig,
}

impl Case {
    fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = temp_dir::TempDir::new().unwrap();
        let train = folder.path().join(name);
        fs::write(&train, content).unwrap();
        Self { folder, config: DataConfig { train: train.into(), ..DataConfig::default() } }
    }

    fn train(&self) -> &Path {
        &self.config.train.as_written()[0]
    }

    fn with(mut self, change: impl FnOnce(&mut DataConfig)) -> Self {
        change(&mut self.config);
        self
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    fn fails(&self, message: &str, hint: &str) {
        self.fails_as(DataErrorKind::Bad, message, hint);
    }

    fn fails_as(&self, kind: DataErrorKind, message: &str, hint: &str) {
        self.matches(&load_corpus(&self.config, 1).unwrap_err(), kind, message, hint);
    }

    fn matches(&self, error: &DataError, kind: DataErrorKind, message: &str, hint: &str) {
        let folder = self.folder.path().display().to_string();
        assert_eq!(error.to_string().replace(&folder, "DIR"), message);
        assert_eq!(error.kind(), kind);
        assert_eq!(error.hint().unwrap_or_default(), hint);
    }
}

/// A file in the folder of another, or with no name the folder itself.
fn beside(files: &Files, name: &str) -> Files {
    let folder = files.as_written()[0].parent().unwrap();
    if name.is_empty() { folder.into() } else { folder.join(name).into() }
}

fn name(name: &str) -> Column {
    Column::Name(name.to_owned())
}

fn pair(first: Column, second: Column) -> impl FnOnce(&mut DataConfig) {
    |config| config.text = TextColumns::Two(first, second)
}

fn multi(config: &mut DataConfig) {
    config.multi_label = true;
}

const GOOD: &str = "text,label\na,x\nb,y\n";

#[test]
fn missing_file() {
    let case = Case::new("a.csv", GOOD).with(|config| config.train = beside(&config.train, "b.csv"));
    let hint = "paths are relative to the directory the command runs in";
    case.fails_as(DataErrorKind::Missing, "`DIR/b.csv` does not exist", hint);
}

#[test]
fn folder_where_a_file_is_needed() {
    let case = Case::new("a.csv", GOOD).with(|config| {
        config.train = beside(&config.train, "");
        config.format = Format::Csv;
    });
    let hint =
        "name a file; a folder is read only with `format = \"folder\"` or \"auto\", one folder of texts per label";
    case.fails("`DIR` is a folder, not a file", hint);
    let error = load_texts(case.folder.path(), &case.config).unwrap_err();
    case.matches(&error, DataErrorKind::Bad, "`DIR` is a folder, not a file", hint);
}

#[test]
fn file_where_a_folder_is_needed() {
    let case = Case::new("a.csv", GOOD).with(|config| config.format = Format::Folder);
    case.fails(
        "`DIR/a.csv` is a file, not a folder",
        "set `data.format` to \"csv\", \"tsv\", \"jsonl\" or \"fasttext\"",
    );
}

#[test]
fn unknown_extension() {
    Case::new("a.xls.gz", GOOD).fails(
        "`DIR/a.xls.gz` has no extension that names a format",
        "set `data.format` to \"csv\", \"tsv\", \"jsonl\" or \"fasttext\"; of packed files .gz and .zst are read",
    );
}

#[test]
fn empty_file() {
    for content in ["", "\n\r\n"] {
        Case::new("a.csv", content).fails("`DIR/a.csv` is empty", "");
        Case::new("a.tsv", content).fails("`DIR/a.tsv` is empty", "");
        Case::new("a.jsonl", content).fails("`DIR/a.jsonl` is empty", "");
    }
}

#[test]
fn header_only() {
    let hint = "if the first line is data, set `data.header = false`";
    Case::new("a.csv", "text,label\n").fails("`DIR/a.csv` has a header and no rows", hint);
}

#[test]
fn missing_column() {
    let case = Case::new("a.csv", "Sentence,label\na,x\n");
    let by_name = case.with(|config| config.text = TextColumns::One(name("sentense")));
    by_name
        .fails("`DIR/a.csv` has no column `sentense`: its columns are `Sentence`, `label`", "did you mean `Sentence`?");

    Case::new("a.csv", "id,stars\n1,2\n").fails(
        "`DIR/a.csv` has no column `text`: its columns are `id`, `stars`",
        "set `data.text` and `data.label`; if the first line is data, set `data.header = false` and give columns by number",
    );
    Case::new("a.csv", "text;label\na;x\n").fails(
        "`DIR/a.csv` has no column `text`: its columns are `text;label`",
        "the columns look separated by `;`: set `data.format = \"csv\"` and `data.delimiter = \";\"`",
    );
    Case::new("a.csv", "text\tlabel\na\tx\n").fails(
        "`DIR/a.csv` has no column `text`: its columns are `text label`",
        "the columns look separated by tabs: set `data.format = \"tsv\"`",
    );
}

#[test]
fn column_number_too_large() {
    let case = Case::new("a.tsv", "a\tx\n").with(|config| {
        config.header = false;
        config.text = TextColumns::One(Column::Number(0));
        config.label = Column::Number(2);
    });
    case.fails(
        "DIR/a.tsv:1: there is no column 2: the line has 2 columns, counted from 0",
        "correct `data.text` or `data.label`",
    );
}

#[test]
fn duplicate_column() {
    Case::new("a.csv", "text,label,text\na,x,b\n")
        .fails("`DIR/a.csv` has 2 columns called `text`", "give the column by its number, counted from 0");
    // Columns that nobody asks for may have any name.
    assert!(load_corpus(&Case::new("a.csv", "text,label,,\na,x,,\nb,y,,\n").config, 1).is_ok());
}

#[test]
fn wrong_field_count() {
    let hint = "look for a delimiter inside a field, or a row that is cut short; a TSV whose fields are quoted needs `data.quoting = true`";
    // The first row spans two lines, so the short row is on line 4.
    Case::new("a.csv", "text,label\n\"a\nb\",x\nc\n")
        .fails("DIR/a.csv:4: the row has 1 field, the first line has 2: `c`", hint);
    Case::new("a.tsv", "text\tlabel\na\tx\nb\ty\tz\n")
        .fails("DIR/a.tsv:3: the row has 3 fields, the first line has 2: `b\\ty\\tz`", hint);
}

#[test]
fn nul_character() {
    let hint = "no text holds it: take it out; if the file is full of them, it may be UTF-16: set `data.encoding = \"utf-16le\"`";
    Case::new("a.csv", "text,label\na,x\nb\0,y\n").fails("DIR/a.csv:3: the text holds a NUL character", hint);
}

/// Found by the readers' fuzz target: JSON can write down any character without holding it.
#[test]
fn nul_character_that_json_escapes() {
    let hint = "no text holds it: take it out; if the file is full of them, it may be UTF-16: set `data.encoding = \"utf-16le\"`";
    for (text, label) in [("a\\u0000", "\"x\""), ("a", "\"\\u0000\""), ("a", "[\"x\", \"\\u0000\"]")] {
        Case::new("a.jsonl", format!("{{\"text\":\"{text}\",\"label\":{label}}}\n"))
            .with(|config| config.multi_label = label.starts_with('['))
            .fails("DIR/a.jsonl:1: the text holds a NUL character", hint);
    }
}

#[test]
fn undecodable_byte() {
    let hint =
        "set `data.encoding` to the encoding of the file, for example \"windows-1252\" for western European text";
    Case::new("a.csv", b"text,label\na,x\ncaf\xE9,y\n").fails("DIR/a.csv:3: byte 0xE9 is not valid UTF-8", hint);
    // Cut inside a character at the very end.
    Case::new("a.csv", b"text,label\na,x\nb,y\xC3").fails("DIR/a.csv:3: byte 0xC3 is not valid UTF-8", hint);
    // An error on an earlier line is the one that is reported.
    let error = load_corpus(&Case::new("a.csv", b"text,label\na\ncaf\xE9,y\n").config, 1).unwrap_err();
    assert!(matches!(error, DataError::Row(RowError { fault: RowFault::FieldCount { found: 1, .. }, .. })), "{error}");

    let case = Case::new("a.csv", b"text,label\na\xFF,x\n").with(|config| config.encoding = "gb18030".to_owned());
    case.fails(
        "DIR/a.csv:2: byte 0xFF is not valid gb18030",
        "set `data.encoding` to the encoding of the file, for example \"utf-8\"",
    );
}

#[test]
fn too_long() {
    let hint = "look for a quote that is never closed; if the text is really that long, raise `data.max_line_bytes`";
    let limited = |config: &mut DataConfig| config.max_line_bytes = 64;
    let long = "a".repeat(65);
    let message = "DIR/a.tsv:2: the line, field or text is longer than 64 bytes";
    Case::new("a.tsv", format!("text\tlabel\n{long}\tx\n")).with(limited).fails(message, hint);
    // A quote that swallows row after row: the row it opens in is named, not the line where the limit was met.
    let swallowed = format!("text,label\na,x\n\"b,y\n{}", "c,x\n".repeat(100));
    Case::new("a.csv", swallowed)
        .with(limited)
        .fails("DIR/a.csv:3: the line, field or text is longer than 64 bytes", hint);
    // Exactly at the limit is fine, line end not counted.
    let fits = format!("text,label\n{},x\r\nb,y\r\n", "a".repeat(62));
    assert!(load_corpus(&Case::new("a.csv", fits).with(limited).config, 1).is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn endless_streams_end_at_once() {
    let case = |name: &str, encoding: &str| {
        Case::new("a.csv", "").with(|config| {
            config.train = name.into();
            config.format = Format::Tsv;
            config.encoding = encoding.to_owned();
        })
    };
    case("/dev/zero", "utf-8").fails(
        "/dev/zero:1: the text holds a NUL character",
        "no text holds it: take it out; if the file is full of them, it may be UTF-16: set `data.encoding = \"utf-16le\"`",
    );
    assert!(load_corpus(&case("/dev/urandom", "utf-8").config, 1).is_err());
}

#[test]
fn a_huge_line_stops_the_reading_at_the_limit() {
    /// An endless line that fails if more of it is read than is needed to see that it is too long.
    struct Endless(usize);
    impl std::io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0 += buffer.len();
            assert!(self.0 < (2 << 20), "read on after the limit");
            buffer.fill(b'a');
            Ok(buffer.len())
        }
    }
    let mut lines = read_texts_lines(Endless(0), "stdin", 1 << 20, false);
    let error = lines.next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "stdin:1: the line, field or text is longer than 1048576 bytes");
}

#[test]
fn quotes() {
    Case::new("a.csv", "text,label\na,x\n\"b,y\nc,x\n").fails(
        "DIR/a.csv:3: a quote opens here and is never closed: `\"b,y`",
        "close the quote; a TSV whose quotes are part of the text needs `data.quoting = false`",
    );
    Case::new("a.csv", "text,label\n\"a\"b,x\n").fails(
        "DIR/a.csv:2: text follows a closing quote: `b,x`",
        "a quote inside a quoted field is written twice; a TSV whose quotes are part of the text needs `data.quoting = false`",
    );
}

#[test]
fn jsonl() {
    let one = "{\"text\": \"a\", \"label\": \"x\"}\n";
    let object = "a JSONL file has one JSON object on each line";
    Case::new("a.jsonl", format!("{one}{{\"text\": \"a\",}}\n"))
        .fails("DIR/a.jsonl:2:14: invalid JSON: trailing comma: `{\"text\": \"a\",}`", object);
    let array = format!("{object}; for one array of objects set `data.format = \"json\"`");
    Case::new("a.jsonl", "[1]\n")
        .fails("DIR/a.jsonl:1:1: invalid JSON: invalid type: sequence, expected an object: `[1]`", &array);
    Case::new("a.jsonl", format!("{one}\n{{\"txt\": \"a\", \"label\": 1}}\n"))
        .fails("DIR/a.jsonl:3: the object has no key `text`: its keys are `txt`, `label`", "did you mean `txt`?");
    let columns = "check `data.text` and `data.label`";
    Case::new("a.jsonl", "{\"text\": 5, \"label\": \"x\"}\n")
        .fails("DIR/a.jsonl:1: `text` is a number, not a string", columns);
    Case::new("a.jsonl", "{\"text\": \"a\", \"label\": 0.5}\n")
        .fails("DIR/a.jsonl:1: `label` is a fraction, not a string or an integer", columns);
    Case::new("a.jsonl", "{\"text\": \"a\", \"label\": null}\n")
        .fails("DIR/a.jsonl:1: the label is empty", "give the row a label or remove it");
    let deep = format!("{{\"text\": {}", "[".repeat(100_000));
    let error = load_corpus(&Case::new("a.jsonl", deep).config, 1).unwrap_err();
    assert!(matches!(error, DataError::Row(RowError { fault: RowFault::Json { .. }, .. })), "{error}");
}

#[test]
fn labels() {
    Case::new("a.csv", "text,label\na,x\nb, \n")
        .fails("DIR/a.csv:3: the label is empty", "give the row a label or remove it");
    Case::new("a.csv", "text,label\na,x\nb,x\n").fails(
        "every example of `DIR/a.csv` has the label `x`: a classifier needs at least two labels",
        "check `data.label`: it should name the column that holds the labels",
    );
    let case = Case::new("a.csv", "text,label\na,0\nb,1\nc,2\n");
    let case =
        case.with(|config| config.labels = [("0", "neg"), ("1", "pos")].map(|(a, b)| (a.into(), b.into())).into());
    case.fails(
        "DIR/a.csv:4: `data.labels` does not name the label `2`: it names `0`, `1`",
        "add the value to `data.labels`, or remove the rows that have it",
    );
}

#[test]
fn label_that_training_does_not_have() {
    let mut case = Case::new("a.csv", "text,label\na,negative\nb,positive\n");
    let other = case.file("b.csv", "text,label\na,negative\nb,postive\n");
    let message = "DIR/b.csv:3: unknown label `postive`: the labels are `negative`, `positive`";
    let hint = "did you mean `positive`?";
    case.config.test = Some(SplitSource::Files(other.clone().into()));
    case.fails(message, hint);
    case.config.test = None;
    case.config.validation = Some(SplitSource::Files(other.clone().into()));
    case.fails(message, hint);
    let labels = Labels::from_names(["negative", "positive"]);
    let error = load_examples(&other, &case.config, &labels).unwrap_err();
    case.matches(&error, DataErrorKind::Bad, message, hint);
}

#[test]
fn fraction_of_nothing() {
    let case = Case::new("a.csv", "text,label\na,x\nb,y\nc,x\n");
    case.with(|config| config.validation = Some(SplitSource::Cut(Cut::by_label(0.1)))).fails(
        "`data.validation.fraction = 0.1` of 3 examples leaves the validation split empty",
        "raise the fraction, add examples, or name a validation file",
    );
}

#[test]
fn folders() {
    let mut case = Case::new("a.txt", "");
    case.config.train = case.folder.path().into();
    case.fails(
        "`DIR` holds no folders: a folder of texts needs one folder per label",
        "lay the folder out as `LABEL/NAME`, or name a file",
    );
    case.file("neg/1.txt", "bad");
    case.file("pos/notes.md", "");
    case.fails(
        "`DIR/pos` holds no .txt files",
        "remove the folder, or put the label's texts into it, one .txt file each",
    );
    let mut nested = Case::new("a.txt", "");
    nested.file("train/neg/1", "bad");
    nested.config.train = nested.folder.path().into();
    nested.fails("`DIR/train` holds no texts", "name that folder if its folders are the labels");
    case.file("pos/1.txt", "one\ntwo\nth\0ree");
    case.fails(
        "DIR/pos/1.txt:3: the text holds a NUL character",
        "no text holds it: take it out; if the file is full of them, it may be UTF-16: set `data.encoding = \"utf-16le\"`",
    );
    case.config.max_line_bytes = 64;
    case.file("pos/1.txt", &"long\n".repeat(20));
    case.fails(
        "DIR/pos/1.txt: the line, field or text is longer than 64 bytes",
        "look for a quote that is never closed; if the text is really that long, raise `data.max_line_bytes`",
    );
}

#[test]
fn unknown_encoding() {
    Case::new("a.csv", GOOD)
        .with(|config| config.encoding = "utf8x".to_owned())
        .fails("unknown encoding `utf8x`", "common encodings are \"utf-8\", \"windows-1252\" and \"gb18030\"");
}

#[test]
fn columns_that_are_the_same() {
    let hint = "`data.text` and `data.label` have to name different columns";
    Case::new("a.csv", "one,two,label\na,b,x\n")
        .with(pair(name("two"), Column::Number(1)))
        .fails("`DIR/a.csv`: `two` and `1` are the same column", hint);
    Case::new("a.csv", GOOD)
        .with(|config| config.label = Column::Number(0))
        .fails("`DIR/a.csv`: `text` and `0` are the same column", hint);
}

#[test]
fn second_texts() {
    Case::new("a.csv", "premise,hypothesis,label\na,b,x\n").with(pair(name("premise"), name("hypotesis"))).fails(
        "`DIR/a.csv` has no column `hypotesis`: its columns are `premise`, `hypothesis`, `label`",
        "did you mean `hypothesis`?",
    );
    Case::new("a.jsonl", "{\"premise\": \"a\", \"hypothesis\": [], \"label\": 1}\n")
        .with(pair(name("premise"), name("hypothesis")))
        .fails("DIR/a.jsonl:1: `hypothesis` is an array, not a string", "check `data.text` and `data.label`");
}

#[test]
fn lines_that_are_not_pairs() {
    let hint = "write `first<TAB>second` on each line; texts that hold tabs need a csv or jsonl file, and a table the extension .tsv";
    let case = Case::new("a.txt", "x\ty\n\n").with(pair(name("a"), name("b")));
    let case = case.with(|config| config.train = "a.csv".into());
    let error = load_texts(&case.folder.path().join("a.txt"), &case.config).unwrap_err();
    let message = "DIR/a.txt:2: the line has 0 tabs, but a pair of texts has one between them";
    case.matches(&error, DataErrorKind::Bad, message, hint);
    let error = read_texts_lines("a\tb\tc".as_bytes(), "stdin", 64, true).next().unwrap().unwrap_err();
    let message = "stdin:1: the line has 2 tabs, but a pair of texts has one between them";
    case.matches(&error, DataErrorKind::Bad, message, hint);
}

#[test]
fn folders_hold_one_text_and_one_label() {
    let mut case = Case::new("a.txt", "");
    case.file("neg/1.txt", "bad");
    case.config.train = case.folder.path().into();
    case.config.multi_label = true;
    case.fails(
        "`DIR` is a folder, which cannot hold lists of labels",
        "name a csv, tsv or jsonl file, or remove `data.multi_label`",
    );
    case.with(pair(name("a"), name("b"))).fails(
        "`DIR` is a folder, which cannot hold pairs of texts",
        "name a csv, tsv or jsonl file, or remove `data.text`",
    );
}

#[test]
fn lists_of_labels() {
    let array = "{\"text\": \"a\", \"label\": [\"x\", 2]}\n";
    Case::new("a.jsonl", array).fails(
        "DIR/a.jsonl:1: `label` is an array, not a string or an integer",
        "if an example can have several labels, set `data.multi_label = true`",
    );
    Case::new("a.jsonl", format!("{array}{{\"text\": \"a\", \"label\": [\"x\", [3]]}}\n")).with(multi).fails(
        "DIR/a.jsonl:2: `label[1]` is an array, not a string or an integer",
        "check `data.text` and `data.label`",
    );
    let hint = "remove the separator that nothing follows or goes before";
    Case::new("a.tsv", "text\tlabel\na\tx\nb\tx, ,y\n")
        .with(multi)
        .fails("DIR/a.tsv:3: one of the labels in `x,,y` is empty", hint);
    Case::new("a.tsv", "text\tlabel\na\t\nb\t \n").with(multi).fails(
        "no example of `DIR/a.tsv` has a label",
        "check `data.label`: it should name the column that holds the labels",
    );
    let case = Case::new("a.tsv", "text\tlabel\na\t0,2\n").with(multi);
    case.with(|config| config.labels = [("0".to_owned(), "neg".to_owned())].into()).fails(
        "DIR/a.tsv:2: `data.labels` does not name the label `2`: it names `0`",
        "add the value to `data.labels`, or remove the rows that have it",
    );
    let mut case = Case::new("a.tsv", "text\tlabel\na\tjoy,anger\n").with(multi);
    case.config.test = Some(SplitSource::Files(case.file("b.tsv", "text\tlabel\na\tjoy\nb\tanger,angr\n").into()));
    case.fails("DIR/b.tsv:3: unknown label `angr`: the labels are `anger`, `joy`", "did you mean `anger`?");
}

#[test]
fn vectors() {
    let fails = |content: &[u8], dim: usize, message: &str, hint: &str| {
        let case = Case::new("a.vec", content);
        let error = load_vectors(case.train(), &|word| (word == "the").then_some(0), dim).unwrap_err();
        case.matches(&error, DataErrorKind::Bad, message, hint);
    };
    fails(b"", 2, "`DIR/a.vec` is empty", "");
    fails(b"\n \n", 2, "`DIR/a.vec` is empty", "");
    let message = |dim| format!("the vectors of `DIR/a.vec` have 3 values, but `model.embedding.dim` is {dim}");
    let hint = "set `model.embedding.dim = 3`";
    fails(b"2 3\nthe 1 2 3\na 1 2 3\n", 2, &message(2), hint);
    fails(b"the 1 2 3\n", 2, &message(2), hint);
    fails(b"the 1 2 3\n", 5, &message(5), hint);
    let hint = "look for a line that is cut short, or two lines that have become one";
    fails(b"the 1 2\na 1\n", 2, "DIR/a.vec:2: the vector has 1 values, not 2", hint);
    fails(b"the 1 2\na 1 2 3\n", 2, "DIR/a.vec:2: the vector has 3 values, not 2", hint);
    let hint = "correct the value, or remove the line";
    fails(b"2 2\na 1 2\nthe 1 x\n", 2, "DIR/a.vec:3: `x` is not a finite number", hint);
    fails(b"the 1 NaN\n", 2, "DIR/a.vec:1: `NaN` is not a finite number", hint);
    fails(b"the 1 1e39\n", 2, "DIR/a.vec:1: `1e39` is not a finite number", hint);
    fails(
        b"3 1\nthe 1\na 2\n",
        1,
        "`DIR/a.vec` announces 3 vectors and holds 2",
        "the file is probably cut short: get it again, or correct its first line",
    );
    fails(
        b"The 1\nA 2\n",
        1,
        "none of the 2 vectors of `DIR/a.vec` is for a token of the vocabulary",
        "look whether the file is for the language of the texts; if its words have capitals, set `tokenizer.word.lowercase = false`",
    );
    let hint = "vectors are read from text in UTF-8, a word and its values on each line; other files have to be converted or unpacked first";
    let not_text = "DIR/a.vec:2: not a text file of vectors:";
    fails(b"the 1\n\xFF\xFE 2\n", 1, &format!("{not_text} byte 0xFF is not valid UTF-8"), hint);
    fails(b"1 1\na \0\0\0\0", 1, &format!("{not_text} the line holds a NUL character"), hint);
    let long = format!("\n{}", "a".repeat((1 << 20) + 65));
    fails(long.as_bytes(), 1, &format!("{not_text} the line is longer than 1048640 bytes"), hint);
    let error = load_vectors("none.vec".as_ref(), &|_| None, 1).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.kind()), ("`none.vec` does not exist", DataErrorKind::Missing));
}

#[test]
fn splits_that_cannot_be_divided_so() {
    let grouped = "text,label,author\na,x,ann\nb,y,ann\nc,x,bob\nd,y,bob\n";
    let by_author = |config: &mut DataConfig| config.group = Some(name("author"));
    let case = Case::new("a.csv", grouped).with(by_author);
    case.with(|config| config.test = Some(SplitSource::Cut(Cut::by_label(0.2)))).fails(
        "`data.test.fraction = 0.2` cannot be cut off in whole groups: the smallest of 2 holds 2 of 4 examples",
        "raise the fraction, or let `data.group` name a column with more and smaller groups",
    );
    let fold = |of| move |config: &mut DataConfig| config.fold = Some(Fold { index: 1, of, by: CutBy::Label });
    Case::new("a.csv", grouped).with(by_author).with(fold(3)).fails(
        "2 groups are too few for 3 folds",
        "ask for fewer folds, or let `data.group` name a column with more groups",
    );
    Case::new("a.csv", GOOD).with(fold(3)).fails("2 examples are too few for 3 folds", "ask for fewer folds");
    Case::new("a.csv", GOOD).with(by_author).fails(
        "`DIR/a.csv` has no column `author`: its columns are `text`, `label`",
        "set `data.text` and `data.label`; if the first line is data, set `data.header = false` and give columns by number",
    );
    let case = Case::new("a.csv", grouped).with(|config| config.group = Some(Column::Number(1)));
    case.fails(
        "`DIR/a.csv`: `label` and `1` are the same column",
        "`data.text` and `data.label` have to name different columns",
    );
    let case = Case::new("a.csv", GOOD);
    case.file("x/1.txt", "a");
    case.file("y/1.txt", "b");
    let folder = case.folder.path().to_owned();
    case.with(by_author)
        .with(|config| config.train = folder.into())
        .fails("`DIR` is a folder, which cannot hold groups", "name a csv, tsv or jsonl file, or remove `data.group`");
    Case::new("a.jsonl", "{\"text\":\"a\",\"label\":1,\"author\":[]}")
        .with(by_author)
        .fails("DIR/a.jsonl:1: `author` is an array, not a string or an integer", "check `data.text` and `data.label`");
}
