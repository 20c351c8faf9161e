//! Excel files, written by XlsxWriter and openpyxl (`scripts/xlsx_fixtures.py`), whole and damaged.

use std::fs;
use std::path::Path;

use attentive_data::{Column, DataConfig, TableKind, TextColumns, Wishes, load_corpus, load_texts, sniff};

use crate::packed::gzip;
use crate::{Case, Fails, Read, check, damaged, with};

const TEXTS: &[&str] = &["a", "bé\nb", "", "d", "e & <e>", "f"];
const AGAIN: &str = "open it in Excel and save it again, without a password, or save the sheet as csv";

fn content(name: &str) -> Vec<u8> {
    fs::read(Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/fixtures").join(name)).unwrap()
}

fn file(name: &'static str, change: fn(&mut DataConfig), expected: crate::Expected) -> Case {
    with(name, content(name), change, expected)
}

#[test]
fn the_first_sheet_is_read_whoever_wrote_it() {
    let plain = |name| file(name, |_| {}, Read(TEXTS, &["x", "y", "x", "y", "x", "y"]));
    check(vec![
        plain("plain.xlsx"),
        plain("inline.xlsx"),
        plain("openpyxl.xlsx"),
        with("b.XLSM", content("plain.xlsx"), |_| {}, Read(TEXTS, &["x", "y", "x", "y", "x", "y"])),
        // Rows without text are none; a cell that is not there is empty, and one behind the header is nobody's.
        file("gaps.xlsx", |config| config.skip_bad_rows = 1, Read(&["a", "b"], &["x", "y"])),
        file(
            "gaps.xlsx",
            |config| {
                config.header = false;
                (config.text, config.label) = (TextColumns::One(Column::Number(2)), Column::Number(1));
            },
            Read(&["label", "x", "y", ""], &["text", "a", "b", "c"]),
        ),
    ]);
}

/// The text of each row of the fixture is what Excel shows of the label beside it.
#[test]
fn values_are_the_text_that_one_sees() {
    let folder = temp_dir::TempDir::new().unwrap();
    let path = folder.path().join("values.xlsx");
    fs::write(&path, content("values.xlsx")).unwrap();
    let config = DataConfig { train: path.into(), ..DataConfig::default() };
    let corpus = load_corpus(&config, 1).unwrap();
    assert_eq!(corpus.train.len(), 12);
    for (text, ids) in corpus.train.texts.iter().zip(corpus.train.targets.iter()) {
        assert_eq!(corpus.labels.names()[ids[0] as usize], text);
    }
}

#[test]
fn what_cannot_be_read() {
    let whole = content("plain.xlsx");
    check(vec![
        file(
            "errors.xlsx",
            |_| {},
            Fails("DIR/errors.xlsx:3: `B` is an error of a formula, not a value", "check `data.text` and `data.label`"),
        ),
        file("gaps.xlsx", |_| {}, Fails("DIR/gaps.xlsx:9: the label is empty", "give the row a label or remove it")),
        file("empty.xlsx", |_| {}, Fails("`DIR/empty.xlsx` is empty", "")),
        file(
            "header.xlsx",
            |_| {},
            Fails("`DIR/header.xlsx` has a header and no rows", "if the first line is data, set `data.header = false`"),
        ),
        file(
            "bomb.xlsx",
            |_| {},
            Fails(
                "`DIR/bomb.xlsx` unpacks to more than 100 times its size",
                "if the file is what it should be, raise `data.max_expansion`",
            ),
        ),
        file(
            "plain.xlsx",
            |config| config.label = Column::Name("lable".to_owned()),
            Fails(
                "`DIR/plain.xlsx` has no column `lable`: its columns are `id`, `text`, `label`",
                "did you mean `label`?",
            ),
        ),
        with(
            "csv.xlsx",
            "text,label\na,x\n",
            |_| {},
            Fails("`DIR/csv.xlsx` is not a readable Excel file: invalid Zip archive: Could not find EOCD", AGAIN),
        ),
        with(
            "nothing.xlsx",
            "",
            |_| {},
            Fails("`DIR/nothing.xlsx` is not a readable Excel file: invalid Zip archive: Could not find EOCD", AGAIN),
        ),
        with(
            "packed.xlsx",
            gzip(&whole),
            |_| {},
            Fails("`DIR/packed.xlsx` is not a readable Excel file: invalid Zip archive: Could not find EOCD", AGAIN),
        ),
        with(
            "cut.xlsx",
            &whole[..whole.len() - 9],
            |_| {},
            Fails(
                "`DIR/cut.xlsx` is not a readable Excel file: invalid Zip archive: Unexpected end of zip::format::blocks::Zip32CDEBlock",
                AGAIN,
            ),
        ),
    ]);
}

/// A sheet takes the memory of its cells, not of the rectangle that they span: here 17 thousand million cells.
#[test]
fn cells_far_apart_take_no_memory() {
    check(vec![file("far.xlsx", |_| {}, Read(&["a", "b"], &["x", "y"]))]);
}

#[test]
fn rows_have_their_numbers_and_all_of_their_columns() {
    let folder = temp_dir::TempDir::new().unwrap();
    let path = folder.path().join("a.xlsx");
    fs::write(&path, content("gaps.xlsx")).unwrap();
    let config = DataConfig { train: path.clone().into(), skip_bad_rows: 1, ..DataConfig::default() };
    let corpus = load_corpus(&config, 1).unwrap();
    assert_eq!(corpus.train.location(1).unwrap().line, Some(7));
    assert!(corpus.manifest.train.from.skipped[0].place.ends_with("a.xlsx:9"));

    let table = load_texts(&path, &config).unwrap();
    assert_eq!(table.layout.kind, TableKind::Delimited { delimiter: b',', quoted: true });
    assert_eq!(table.layout.header.unwrap().names, ["", "text", "label"]);
    assert_eq!(table.rows.rows, [",a,x", ",b,y", ",c,"]);
    assert_eq!(
        (table.rows.texts, table.rows.lines),
        (vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], vec![4, 7, 9])
    );

    fs::write(&path, content("plain.xlsx")).unwrap();
    let found = sniff(&path, &Wishes::default()).unwrap();
    let column = |name: &str| Column::Name(name.to_owned());
    assert_eq!((found.data.text, found.data.label), (TextColumns::One(column("text")), column("label")));
    assert_eq!(found.examples, 6);
}

#[test]
fn damage_never_ends_the_program() {
    let (refused, tried) = damaged("a.xlsx", &["plain.xlsx", "inline.xlsx", "values.xlsx"], content, 61);
    // Every part has a checksum; what is left are dates and flags that nobody reads.
    assert!(refused * 2 > tried, "{refused} of {tried}");
}
