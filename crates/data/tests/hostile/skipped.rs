//! `data.skip_bad_rows`: what is left out, where reading goes on, and when it does not.

use std::fs;

use attentive_data::{Corpus, DataConfig, DataError, load_corpus};
use temp_dir::TempDir;

fn load(name: &str, content: impl AsRef<[u8]>, change: fn(&mut DataConfig)) -> Result<Corpus, DataError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    let mut config = DataConfig { train: path.into(), skip_bad_rows: 9, max_line_bytes: 64, ..DataConfig::default() };
    change(&mut config);
    load_corpus(&config, 1)
}

/// The texts that are left, and the line and reason of each row that was skipped.
fn read(name: &str, content: impl AsRef<[u8]>, change: fn(&mut DataConfig)) -> (String, Vec<String>) {
    let corpus = load(name, content, change).unwrap();
    let skipped = corpus.manifest.train.from.skipped.iter();
    let skipped = skipped.map(|row| format!("{}: {}", row.place.rsplit('/').next().unwrap(), row.reason)).collect();
    (corpus.train.texts.iter().collect::<Vec<_>>().join(" "), skipped)
}

fn check(name: &str, content: impl AsRef<[u8]>, texts: &str, skipped: &[&str]) {
    assert_eq!(read(name, content, |_| {}), (texts.to_owned(), skipped.iter().map(|&row| row.to_owned()).collect()));
}

#[test]
fn csv() {
    let long = "w".repeat(200);
    check(
        "a.csv",
        format!("text,label\na,x\nb\n\"c\"d,x\ne,\nf,y\n\0,y\ng\0\nh,x\n{long},x\ni,y\n"),
        "a f h i",
        &[
            "a.csv:3: the row has 1 field, the first line has 2: `b`",
            "a.csv:4: text follows a closing quote: `d,x`",
            "a.csv:5: the label is empty",
            "a.csv:7: the text holds a NUL character",
            "a.csv:8: the text holds a NUL character",
            "a.csv:10: the line, field or text is longer than 64 bytes",
        ],
    );
    let latin = b"text,label\na,x\ncaf\xE9 \xE9,y\nb,y\n\xE9,x\nc,x\n\xE9";
    let reason = "byte 0xE9 is not valid UTF-8";
    check(
        "b.csv",
        latin,
        "a b c",
        &[&format!("b.csv:3: {reason}"), &format!("b.csv:5: {reason}"), &format!("b.csv:7: {reason}")],
    );
}

#[test]
fn rows_that_an_open_quote_has_taken_are_read() {
    let unclosed = "a quote opens here and is never closed";
    check("a.csv", "text,label\na,x\n\"b,y\nc,y\nd,x\n", "a c d", &[&format!("a.csv:3: {unclosed}: `\"b,y`")]);
    check("b.csv", "text,label\na,x\nc,y\n\"b,y", "a c", &[&format!("b.csv:4: {unclosed}: `\"b,y`")]);
    let rows = "some text,x\n".repeat(20);
    let texts = format!("a {}", "some text ".repeat(20));
    check(
        "c.csv",
        format!("text,label\na,y\n\"b,y\n{rows}"),
        texts.trim_end(),
        &["c.csv:3: the line, field or text is longer than 64 bytes"],
    );
    // A byte that cannot be decoded: the rows that the quote took are gone with it.
    check("d.csv", b"text,label\na,x\n\"b\nc,y\n\xFF,x\nd,y\n", "a d", &["d.csv:5: byte 0xFF is not valid UTF-8"]);
}

#[test]
fn other_formats() {
    check(
        "a.tsv",
        "text\tlabel\na\tx\nb\tc\td\ne\ty\n",
        "a e",
        &["a.tsv:3: the row has 3 fields, the first line has 2: `b\\tc\\td`"],
    );
    check(
        "a.jsonl",
        "{\"text\":\"a\",\"label\":1}\n{]\n{\"txt\":\"b\",\"label\":1}\n{\"text\":3,\"label\":1}\n{\"text\":\"c\",\"label\":[1]}\n{\"text\":\"d\",\"label\":2}\n",
        "a d",
        &[
            "a.jsonl:2:2: invalid JSON: key must be a string: `{]`",
            "a.jsonl:3: the object has no key `text`: its keys are `txt`, `label`",
            "a.jsonl:4: `text` is a number, not a string",
            "a.jsonl:5: `label` is an array, not a string or an integer",
        ],
    );
    check(
        "a.ft",
        "no label\n__label__x a\n__label__x __label__y b\n__label__ c\n__label__y d\n",
        "a d",
        &[
            "a.ft:1: the line does not begin with a label: `no label`",
            "a.ft:3: the line has 2 labels: `__label__x __label__y b`",
            "a.ft:4: the label is empty",
        ],
    );
    let labels = |config: &mut DataConfig| {
        config.labels = ["x", "y"].map(|label| (label.to_owned(), label.to_owned())).into();
    };
    let (texts, skipped) = read("a.csv", "text,label\na,x\nb,z\nc,y\n", labels);
    assert_eq!(
        (texts.as_str(), skipped),
        ("a c", vec!["a.csv:3: `data.labels` does not name the label `z`: it names `x`, `y`".to_owned()])
    );
}

#[test]
fn texts_of_a_folder() {
    let folder = TempDir::new().unwrap();
    for (name, content) in [("x/1.txt", &b"a"[..]), ("x/2.txt", b"caf\xE9"), ("y/1.txt", b"b")] {
        fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
        fs::write(folder.path().join(name), content).unwrap();
    }
    let config = DataConfig { train: folder.path().into(), skip_bad_rows: 1, ..DataConfig::default() };
    let corpus = load_corpus(&config, 1).unwrap();
    assert_eq!(corpus.train.texts, ["a", "b"]);
    assert_eq!(corpus.train.location(1).unwrap().path, folder.path().join("y/1.txt"));
    let record = corpus.manifest.train.from;
    assert_eq!((record.files[0].rows, record.skipped.len()), (3, 1));
    assert!(record.skipped[0].place.ends_with("x/2.txt:1"), "{}", record.skipped[0].place);
}

#[test]
fn one_more_is_an_error() {
    let content = "text,label\na,x\nb\nc\nd,y\ne\n";
    let two = |config: &mut DataConfig| config.skip_bad_rows = 2;
    let error = load("a.csv", content, two).unwrap_err();
    assert!(error.to_string().ends_with("a.csv:3: the row has 1 field, the first line has 2: `b`"), "{error}");
    assert_eq!(
        error.hint().unwrap(),
        "more rows than `data.skip_bad_rows = 2` allows cannot be read; this is the first: look for a delimiter inside a field, or a row that is cut short; a TSV whose fields are quoted needs `data.quoting = true`"
    );
    assert_eq!(load("a.csv", content, |config| config.skip_bad_rows = 3).unwrap().train.len(), 2);
    // The header, and what is wrong with the file as a whole, is never skipped.
    assert!(load("a.csv", b"text,lab\xE9l\na,x\n", |_| {}).is_err());
    let error = load("a.csv", "text,label\na\nb\n", |_| {}).unwrap_err();
    assert!(error.to_string().contains("is left: 2 cannot be read, 0 have labels"), "{error}");
}

#[test]
fn an_endless_line_ends_the_reading() {
    let content = format!("text,label\na,x\n{}", "w".repeat(64 * 64 + 100_000));
    let error = load("a.csv", content, |_| {}).unwrap_err();
    assert!(error.to_string().ends_with("a.csv:3: the line, field or text is longer than 64 bytes"), "{error}");
}
