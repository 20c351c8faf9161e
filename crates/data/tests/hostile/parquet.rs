//! Parquet files, written by pyarrow (`scripts/parquet_fixtures.py`), whole and damaged.

use std::fs;
use std::path::Path;

use attentive_data::{Column, DataConfig, load_corpus, load_texts};

use crate::{Case, Fails, Read, check, damaged, multi, with};

const TEXTS: &[&str] = &["a", "bé\nb", "", "d", "e", "f"];

fn content(name: &str) -> Vec<u8> {
    fs::read(Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/fixtures").join(name)).unwrap()
}

fn file(name: &'static str, change: fn(&mut DataConfig), expected: crate::Expected) -> Case {
    with(name, content(name), change, expected)
}

#[test]
fn packings_and_types() {
    let plain = |name| file(name, |_| {}, Read(TEXTS, &["x", "y", "x", "y", "x", "y"]));
    check(vec![
        plain("none.parquet"),
        plain("snappy.parquet"),
        plain("gzip.parquet"),
        plain("zstd.parquet"),
        plain("lz4.parquet"),
        plain("v2.parquet"),
        plain("categories.parquet"),
        plain("large_string.parquet"),
        file("integers.parquet", |_| {}, Read(TEXTS, &["1", "0", "1", "0", "10", "2"])),
        file("booleans.parquet", |_| {}, Read(TEXTS, &["true", "false", "true", "false", "true", "false"])),
        file("lists.parquet", multi, Read(TEXTS, &["x+y", "", "y", "", "z", "x"])),
    ]);
}

#[test]
fn what_cannot_be_read() {
    let whole = content("snappy.parquet");
    check(vec![
        file(
            "lists.parquet",
            |_| {},
            Fails(
                "DIR/lists.parquet:1: `label` is an array, not a string or an integer",
                "if an example can have several labels, set `data.multi_label = true`",
            ),
        ),
        file(
            "nulls.parquet",
            |_| {},
            Fails("DIR/nulls.parquet:2: `text` is null, not a string", "check `data.text` and `data.label`"),
        ),
        file(
            "fractions.parquet",
            |_| {},
            Fails(
                "DIR/fractions.parquet:1: `label` is a fraction, not a string or an integer",
                "check `data.text` and `data.label`",
            ),
        ),
        file(
            "numbers.parquet",
            |_| {},
            Fails("DIR/numbers.parquet:1: `text` is a number, not a string", "check `data.text` and `data.label`"),
        ),
        file("no_rows.parquet", |_| {}, Fails("`DIR/no_rows.parquet` is empty", "")),
        file(
            "expanding.parquet",
            |_| {},
            Fails(
                "`DIR/expanding.parquet` unpacks to more than 100 times its size",
                "if the file is what it should be, raise `data.max_expansion`",
            ),
        ),
        file(
            "none.parquet",
            |config| config.label = Column::Name("lable".to_owned()),
            Fails(
                "`DIR/none.parquet` has no column `lable`: its columns are `id`, `text`, `label`",
                "did you mean `label`?",
            ),
        ),
        with(
            "empty.parquet",
            "",
            |_| {},
            Fails(
                "`DIR/empty.parquet` is not a readable Parquet file: EOF: Parquet file too small. Size is 0 but need 8",
                "get the file again, or convert it to csv or jsonl",
            ),
        ),
        with(
            "csv.parquet",
            "text,label\na,x\n",
            |_| {},
            Fails(
                "`DIR/csv.parquet` is not a readable Parquet file: Parquet error: Invalid Parquet file. Corrupt footer",
                "get the file again, or convert it to csv or jsonl",
            ),
        ),
        with(
            "cut.parquet",
            &whole[..whole.len() - 9],
            |_| {},
            Fails(
                "`DIR/cut.parquet` is not a readable Parquet file: Parquet error: Invalid Parquet file. Corrupt footer",
                "get the file again, or convert it to csv or jsonl",
            ),
        ),
    ]);
}

#[test]
fn bad_rows_are_skipped_and_labels_not_minded() {
    let folder = temp_dir::TempDir::new().unwrap();
    let path = folder.path().join("a.parquet");
    fs::write(&path, content("nulls.parquet")).unwrap();
    let config = DataConfig { train: path.into(), skip_bad_rows: 1, ..DataConfig::default() };
    let corpus = load_corpus(&config, 1).unwrap();
    assert_eq!(corpus.train.texts, ["a", "c", "d", "e", "f"]);
    assert_eq!(corpus.train.location(1).unwrap().line, Some(3));
    let skipped = &corpus.manifest.train.from.skipped[0];
    assert!(skipped.place.ends_with("a.parquet:2"), "{}", skipped.place);
    assert_eq!(skipped.reason, "`text` is null, not a string");

    let path = folder.path().join("b.parquet");
    fs::write(&path, content("fractions.parquet")).unwrap();
    assert_eq!(load_texts(&path, &DataConfig::default()).unwrap().rows.texts, TEXTS);
}

#[test]
fn damage_never_ends_the_program() {
    let names = ["snappy.parquet", "zstd.parquet", "v2.parquet", "gzip.parquet", "lz4.parquet"];
    let (refused, tried) = damaged("a.parquet", &names, content, 13);
    // Parquet has no checksums by default: a flipped letter of a text is another text.
    assert!(refused * 4 > tried, "{refused} of {tried}");
}
