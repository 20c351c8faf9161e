//! Files as people write them, read to the examples they mean.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use attentive_data::{
    Column, Corpus, Cut, CutBy, CutRecord, DataConfig, DataError, DataOrigin, Examples, FieldSplitter, Fold, Format,
    RowError, RowFault, SharedGroups, Split, SplitOrigin, SplitSource, TableKind, TablePart, Targets, TextColumns,
    TextFormat, TextInput, load_corpus, load_examples, load_texts, read_texts_lines,
};

fn config(train: PathBuf) -> DataConfig {
    DataConfig { train: train.into(), ..DataConfig::default() }
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

fn load(name: &str, content: impl AsRef<[u8]>, change: impl FnOnce(&mut DataConfig)) -> Corpus {
    let folder = temp_dir::TempDir::new().unwrap();
    let mut config = config(write(folder.path(), name, content));
    change(&mut config);
    load_corpus(&config, 1).unwrap()
}

/// The ids of examples with one label each.
fn ids(examples: &Examples) -> Vec<u32> {
    assert!(examples.targets.iter().all(|ids| ids.len() == 1));
    examples.targets.iter().flatten().copied().collect()
}

fn name(name: &str) -> Column {
    Column::Name(name.to_owned())
}

fn lines(examples: &Examples) -> Vec<u64> {
    (0..examples.len()).map(|index| examples.location(index).unwrap().line.unwrap()).collect()
}

#[test]
fn csv_follows_rfc_4180() {
    let content =
        "id,text,label\r\n1,\"say \"\"hi\"\", ok\",x\r\n2,\"two\r\nlines\",y\r\n\r\n3,plain \"word\",x\r\n4,,y";
    let corpus = load("a.csv", content, |_| {});
    assert_eq!(corpus.train.texts, ["say \"hi\", ok", "two\r\nlines", "plain \"word\"", ""]);
    assert_eq!(ids(&corpus.train), [0, 1, 0, 1]);
    assert_eq!(lines(&corpus.train), [2, 3, 6, 7]);
    assert_eq!(corpus.findings.empty.values().copied().collect::<Vec<_>>(), [1]);
}

#[test]
fn quotes_in_a_tsv_are_text_unless_asked_for() {
    let content = "label\ttext\nx\t\"Odd quote\ny\tit's \"fine\"\n";
    assert_eq!(load("a.tsv", content, |_| {}).train.texts, ["\"Odd quote", "it's \"fine\""]);
    let content = "label\ttext\nx\t\"a\tb\"\ny\tc\n";
    assert_eq!(load("a.tsv", content, |config| config.quoting = true).train.texts, ["a\tb", "c"]);
}

#[test]
fn columns_by_number_with_and_without_a_header() {
    let by_number = |header| {
        move |config: &mut DataConfig| {
            config.header = header;
            config.text = TextColumns::One(Column::Number(2));
            config.label = Column::Number(0);
        }
    };
    let content = "3,title,text one\n4,title,text two\n3,title,text three\n";
    assert_eq!(load("a.csv", content, by_number(false)).train.texts, ["text one", "text two", "text three"]);
    assert_eq!(load("a.csv", content, by_number(true)).train.texts, ["text two", "text three"]);
}

#[test]
fn other_delimiters_for_csv() {
    let corpus = load("a.csv", "text;label\n\"a;b\";x\nc,d;y\n", |config| config.delimiter = Some(";".to_owned()));
    assert_eq!(corpus.train.texts, ["a;b", "c,d"]);
}

#[test]
fn jsonl_labels_may_be_integers_and_booleans() {
    let corpus = load("a.jsonl", "{\"text\":\"a\\nb\",\"label\":10}\n\n{\"label\":2,\"text\":\"\\u00e9\"}", |_| {});
    assert_eq!(corpus.train.texts, ["a\nb", "é"]);
    assert_eq!(corpus.labels.names(), ["2", "10"]);
    assert_eq!(lines(&corpus.train), [1, 3]);
    let corpus = load("a.ndjson", "{\"text\":\"a\",\"label\":true}\n{\"text\":\"b\",\"label\":false}", |_| {});
    assert_eq!(corpus.labels.names(), ["false", "true"]);
}

#[test]
fn label_values_get_their_names() {
    let names = |config: &mut DataConfig| {
        config.labels = BTreeMap::from([("0".into(), "negative".into()), ("1".into(), "positive".into())]);
    };
    let corpus = load("a.tsv", "text\tlabel\ngood\t1\nbad\t0 \n", names);
    assert_eq!(corpus.labels.names(), ["negative", "positive"]);
    assert_eq!(ids(&corpus.train), [1, 0]);
}

#[test]
fn encodings_and_byte_order_marks() {
    let texts = |content: &[u8], encoding: &str| {
        load("a.csv", content, |config| config.encoding = encoding.to_owned()).train.texts
    };
    assert_eq!(texts("\u{FEFF}text,label\né,x\nb,y\n".as_bytes(), "utf-8"), ["é", "b"]);
    assert_eq!(texts(b"text,label\ncaf\xE9 \x80,x\nb,y\n", "windows-1252"), ["café €", "b"]);
    assert_eq!(texts(b"text,label\n\xC4\xE3\xBA\xC3,x\nb,y\n", "gb18030"), ["你好", "b"]);
    let utf16: Vec<u8> = "\u{FEFF}text,label\n日本,x\nb,y\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(texts(&utf16, "utf-8"), ["日本", "b"]);
    assert_eq!(texts(&utf16[2..], "utf-16le"), ["日本", "b"]);
}

#[test]
fn characters_that_fall_between_two_reads_are_whole() {
    // Three bytes each, so that no power of two is a multiple: some character straddles every read.
    let text = "日".repeat(100_000);
    let corpus = load("a.tsv", format!("text\tlabel\n{text}\tx\nb\ty\n"), |_| {});
    assert_eq!(corpus.train.texts.get(0), text);
}

#[test]
fn a_folder_per_label_in_the_order_of_names() {
    let folder = temp_dir::TempDir::new().unwrap();
    for (name, content) in [
        ("pos/2.txt", "good\n"),
        ("pos/10.txt", "great"),
        ("neg/1.txt", "bad"),
        ("neg/.hidden.txt", "?"),
        ("urls.txt", "?"),
    ] {
        write(folder.path(), name, content);
    }
    let corpus = load_corpus(&config(folder.path().to_owned()), 1).unwrap();
    assert_eq!(corpus.train.texts, ["bad", "great", "good\n"]);
    assert_eq!(ids(&corpus.train), [0, 1, 1]);
    assert_eq!(corpus.labels.names(), ["neg", "pos"]);
    assert_eq!(corpus.manifest.train.origin, SplitOrigin::Folder);
    assert_eq!(corpus.train.location(1).unwrap().path, folder.path().join("pos/10.txt"));
}

fn numbered(rows: usize, rare: usize) -> String {
    let row = |index: usize| format!("text {index},{}\n", if index < rare { "rare" } else { "usual" });
    format!("text,label\n{}", (0..rows).map(row).collect::<String>())
}

#[test]
fn a_fraction_is_stratified_seeded_and_complete() {
    let folder = temp_dir::TempDir::new().unwrap();
    let mut config = config(write(folder.path(), "a.csv", numbered(100, 20)));
    config.validation = Some(SplitSource::Cut(Cut::by_label(0.1)));
    let corpus = load_corpus(&config, 1).unwrap();
    let validation = corpus.validation.as_ref().unwrap();
    assert_eq!((corpus.train.len(), validation.len()), (90, 10));
    // A tenth of 20 and of 80.
    assert_eq!(corpus.findings.counts[&attentive_data::Split::Validation]["rare"], 2);
    let mut all: Vec<u64> = lines(&corpus.train).into_iter().chain(lines(validation)).collect();
    assert!(lines(validation).is_sorted() && lines(&corpus.train).is_sorted());
    all.sort_unstable();
    assert_eq!(all, (2..=101).collect::<Vec<_>>());

    assert_eq!(load_corpus(&config, 1).unwrap(), corpus);
    assert_ne!(load_corpus(&config, 2).unwrap().validation.unwrap().texts, validation.texts);
    let record = corpus.manifest.validation.unwrap();
    assert_eq!(
        record.origin,
        SplitOrigin::Cut(CutRecord { fraction: 0.1, seed: Some(1), by: CutBy::Label, group: None })
    );
    assert_eq!((record.from.files[0].rows, record.examples), (100, 10));
    assert_eq!(record.from, corpus.manifest.train.from);
}

#[test]
fn a_fraction_never_takes_the_last_example_of_a_label() {
    let corpus =
        load("a.csv", numbered(10, 1), |config| config.validation = Some(SplitSource::Cut(Cut::by_label(0.9))));
    // Nine of ten were asked for; one example of each of the two labels stays.
    assert_eq!(corpus.train.len(), 2);
    assert_eq!(corpus.validation.unwrap().len(), 8);
    assert!(corpus.manifest.train.labels.values().all(|&count| count == 1));
}

#[test]
fn many_small_labels_still_give_their_share() {
    // Ten labels of four: a tenth of each rounds to nothing, a tenth of all is four.
    let rows: String = (0..40).map(|index| format!("t{index},l{}\n", index % 10)).collect();
    let corpus = load("a.csv", format!("text,label\n{rows}"), |config| {
        config.validation = Some(SplitSource::Cut(Cut::by_label(0.1)))
    });
    assert_eq!(corpus.validation.unwrap().len(), 4);
}

#[test]
fn the_manifest_names_the_bytes_and_the_fingerprint_the_meaning() {
    let folder = temp_dir::TempDir::new().unwrap();
    let first = load_corpus(&config(write(folder.path(), "a.csv", "text,label\na,x\nb,y\n")), 1).unwrap().manifest;
    // sha256sum of these 19 bytes.
    assert_eq!(first.train.from.files[0].sha256, "aa5c4c36e41149f509999197529caea001f8344c8fbe1478e39c9da8b19549a9");
    let moved = load_corpus(&config(write(folder.path(), "b.tsv", "text\tlabel\na\tx\nb\ty\n")), 1).unwrap().manifest;
    assert_ne!(moved.train.from.files[0].sha256, first.train.from.files[0].sha256);
    assert_eq!(moved.fingerprint, first.fingerprint);
    let changed = load_corpus(&config(write(folder.path(), "c.csv", "text,label\na,y\nb,x\n")), 1).unwrap().manifest;
    assert_ne!(changed.fingerprint, first.fingerprint);

    let json = serde_json::to_value(&first).unwrap();
    assert_eq!(json["train"]["origin"], "file");
    assert_eq!(serde_json::from_value::<attentive_data::SplitManifest>(json).unwrap(), first);
}

#[test]
fn other_files_use_the_same_labels() {
    let folder = temp_dir::TempDir::new().unwrap();
    let mut config = config(write(folder.path(), "a.csv", "text,label\na,x\nb,y\n"));
    config.test = Some(SplitSource::Files(write(folder.path(), "b.csv", "text,label\nc,y\n").into()));
    let corpus = load_corpus(&config, 1).unwrap();
    assert_eq!(ids(corpus.test.as_ref().unwrap()), [1]);
    let path = folder.path().join("b.csv");
    assert_eq!(load_examples(&path, &config, &corpus.labels).unwrap().0, corpus.test.unwrap());
}

#[test]
fn texts_to_predict_keep_their_rows() {
    let folder = temp_dir::TempDir::new().unwrap();
    let config = config(PathBuf::new());
    let table = load_texts(&write(folder.path(), "a.csv", "id,text\n7,\"a, b\"\n8,c\n"), &config).unwrap();
    assert_eq!(table.layout.kind, TableKind::Delimited { delimiter: b',', quoted: true });
    assert_eq!(table.layout.header.unwrap().names, ["id", "text"]);
    assert_eq!(table.rows.rows, ["7,\"a, b\"", "8,c"]);
    let mut splitter = FieldSplitter::new(b',', true);
    assert_eq!(splitter.fields(&table.rows.rows[0]).unwrap().collect::<Vec<_>>(), ["7", "a, b"]);
    assert_eq!(table.rows.texts, ["a, b", "c"]);
    assert_eq!(table.rows.lines, [2, 3]);

    let table = load_texts(&write(folder.path(), "a.txt", "one\ttab\r\n\nthree"), &config).unwrap();
    assert_eq!(table.layout.kind, TableKind::Lines);
    assert_eq!(table.rows.texts, ["one\ttab", "", "three"]);

    let table = load_texts(&write(folder.path(), "a.jsonl", "{\"text\": \"a\", \"id\": 1}\n"), &config).unwrap();
    assert_eq!((table.layout.kind, table.rows.texts), (TableKind::JsonLines, vec!["a".to_owned()]));
    assert_eq!(table.rows.rows, ["{\"text\": \"a\", \"id\": 1}"]);

    // In pieces they are the same rows, and those before a bad one have been handed over when it is met.
    let path = write(folder.path(), "b.csv", "id,text\n1,a\n2,b\n3,c\n");
    assert_eq!(pieces(&path, &config, 2, false).0, [vec!["a", "b"], vec!["c"]]);
    let path = write(folder.path(), "c.csv", "id,text\n1,a\n2,b\n3\n4,d\n");
    let (read, error) = pieces(&path, &config, 1, false);
    assert_eq!((read.len(), error.unwrap().to_string().contains("c.csv:4: the row has 1 field")), (2, true));
    // Where it is kept, it stands in its place.
    let (read, error) = pieces(&path, &config, 3, true);
    assert!(error.is_none());
    assert_eq!(read, [vec!["a", "b", "c.csv:4: the row has 1 field, the first line has 2: `3`"], vec!["d"]]);

    // No extension: as the config says, else one text a line, but for a table.
    assert_eq!(load_texts(&write(folder.path(), "bare", "a\tx\nb\n"), &config).unwrap().rows.texts, ["a\tx", "b"]);
    let bare = write(folder.path(), "bare", "text\tlabel\na\tx\n");
    assert!(matches!(load_texts(&bare, &config).unwrap_err(), DataError::HeaderOfUnknown { .. }));
    let tsv = DataConfig { format: Format::Tsv, ..config };
    assert_eq!(load_texts(&bare, &tsv).unwrap().rows.texts, ["a"]);
}

/// The texts of each piece, with what is wrong with the rows that have none; and what ended the reading.
fn pieces(path: &Path, config: &DataConfig, at_once: usize, keep_bad: bool) -> (Vec<Vec<String>>, Option<DataError>) {
    let mut pieces = Vec::new();
    let input = TextInput { from: DataOrigin::File(path), format: None, config, at_once, keep_bad };
    let result = input.read(&mut |part| {
        if let TablePart::Rows(rows) = part {
            let mut texts = rows.texts;
            for bad in rows.bad.iter().rev() {
                let message = bad.error.to_string();
                texts.insert(bad.before, message[message.find("c.csv").unwrap_or(0)..].to_owned());
            }
            pieces.push(texts);
        }
        true
    });
    (pieces, result.err())
}

/// A run is trained, evaluated and asked by the same reading of a file.
#[test]
fn a_txt_file_is_a_table_where_training_takes_it_for_one() {
    let folder = temp_dir::TempDir::new().unwrap();
    let texts = |train: &str, format: Format, content: &str| {
        let config = DataConfig { train: train.into(), format, ..DataConfig::default() };
        load_texts(&write(folder.path(), "a.txt", content), &config).map(|table| table.rows.texts)
    };
    let table = "text\tlabel\na \"b\"\tx\n";
    for train in ["train.txt", "train.csv"] {
        assert_eq!(texts(train, Format::Auto, table).unwrap(), ["a \"b\""], "{train}");
        assert_eq!(texts(train, Format::Auto, "one text\nthe label\n").unwrap(), ["one text", "the label"], "{train}");
    }
    assert_eq!(texts("train.dat", Format::Csv, "label,text\nx,\"a, b\"\n").unwrap(), ["a, b"]);
    // Its header is not taken for a text where the column is misspelled.
    let error = texts("train.txt", Format::Auto, "Text\tlabel\na\tx\n").unwrap_err();
    assert!(matches!(error, DataError::NoColumn { .. }), "{error}");
    assert_eq!(texts("train.csv", Format::Auto, "a\ttab\n").unwrap(), ["a\ttab"]);
    // By number, without a header.
    let config = DataConfig { header: false, text: TextColumns::One(Column::Number(1)), ..config(PathBuf::new()) };
    assert_eq!(load_texts(&write(folder.path(), "b.txt", "x\ta\ny\tb\n"), &config).unwrap().rows.texts, ["a", "b"]);
    assert_eq!(load_texts(&write(folder.path(), "c.txt", "no tab\n"), &config).unwrap().rows.texts, ["no tab"]);
}

#[test]
fn texts_in_another_format_than_the_examples() {
    let folder = temp_dir::TempDir::new().unwrap();
    let path = write(folder.path(), "a.csv", "text\nb\n");
    let config = config(PathBuf::new());
    let read = |format: &str| {
        let mut texts = Vec::new();
        let format = Some(format.parse::<TextFormat>().unwrap());
        let input = TextInput { from: DataOrigin::File(&path), format, config: &config, at_once: 9, keep_bad: false };
        let result = input.read(&mut |part| {
            texts.extend(if let TablePart::Rows(rows) = part { rows.texts } else { Vec::new() });
            true
        });
        result.map(|()| texts)
    };
    assert_eq!(read("lines").unwrap(), ["text", "b"]);
    assert_eq!(read("tsv").unwrap(), ["b"]);
    assert!(matches!(read("jsonl"), Err(DataError::Row(RowError { fault: RowFault::Json { .. }, .. }))));
    let error = "cvs".parse::<TextFormat>().unwrap_err();
    assert!(error.starts_with("unknown variant `cvs`, expected one of `lines`, `auto`, `csv`"), "{error}");
}

#[test]
fn a_row_keeps_its_encoding_mark_and_line_end() {
    let folder = temp_dir::TempDir::new().unwrap();
    let layout = |content: &[u8], encoding: &str| {
        let path = folder.path().join("a.csv");
        std::fs::write(&path, content).unwrap();
        let config = DataConfig { encoding: encoding.to_owned(), ..config(PathBuf::new()) };
        let layout = load_texts(&path, &config).unwrap().layout;
        (layout.encoding.name(), layout.has_bom, layout.has_crlf)
    };
    assert_eq!(layout(b"text\na\n", "utf-8"), ("UTF-8", false, false));
    assert_eq!(layout(b"\xEF\xBB\xBFtext\r\na\r\n", "windows-1252"), ("UTF-8", true, true));
    assert_eq!(layout(b"text\n\xE9\n", "latin1"), ("windows-1252", false, false));
    assert_eq!(layout(b"\xFF\xFEt\0e\0x\0t\0\n\0a\0\n\0", "utf-8"), ("UTF-16LE", true, false));
}

#[test]
fn lines_of_a_stream() {
    let one = |text: &str| (text.to_owned(), None);
    let texts: Result<Vec<_>, _> = read_texts_lines("a\r\n\nc\td".as_bytes(), "stdin", 64, false).collect();
    assert_eq!(texts.unwrap(), [one("a"), one(""), one("c\td")]);
    let mut lines = read_texts_lines(&b"a\n\xFF\n"[..], "stdin", 64, false);
    assert_eq!(lines.next().unwrap().unwrap(), one("a"));
    assert_eq!(lines.next().unwrap().unwrap_err().to_string(), "stdin:2: byte 0xFF is not valid UTF-8");
    let pairs: Result<Vec<_>, _> = read_texts_lines("a\tb\r\n\tc\n".as_bytes(), "stdin", 64, true).collect();
    assert_eq!(pairs.unwrap(), [("a".to_owned(), Some("b".to_owned())), (String::new(), Some("c".to_owned()))]);
}

fn pair(config: &mut DataConfig) {
    config.text = TextColumns::Two(name("premise"), name("hypothesis"));
}

fn multi(config: &mut DataConfig) {
    config.multi_label = true;
}

#[test]
fn pairs_are_read_from_columns_and_keys() {
    let csv = "hypothesis,label,premise\n\"b, c\",x,a\nd,y,\"e\nf\"\n";
    let corpus = load("a.csv", csv, pair);
    assert_eq!(corpus.train.texts, ["a", "e\nf"]);
    assert_eq!(corpus.train.seconds.unwrap(), ["b, c", "d"]);
    let jsonl = r#"{"premise":"a","hypothesis":"b","label":1}
        {"hypothesis":"d","premise":"c","label":0}"#;
    let corpus = load("a.jsonl", jsonl, pair);
    assert_eq!(corpus.train.texts, ["a", "c"]);
    assert_eq!(corpus.train.seconds.unwrap(), ["b", "d"]);
    // A byte order mark, CRLF, stray quotes and columns by number, as in the paraphrase corpus of Microsoft.
    let corpus = load(
        "a.txt",
        "\u{FEFF}Quality\t#1 ID\t#1 String\t#2 String\r\n1\t7\tSay \"a\tb\"\r\n0\t8\tc\td\r\n",
        |config| {
            config.text = TextColumns::Two(name("#1 String"), Column::Number(3));
            config.label = name("Quality");
        },
    );
    assert_eq!(corpus.train.texts, ["Say \"a", "c"]);
    assert_eq!(corpus.train.seconds.unwrap(), ["b\"", "d"]);
    assert_eq!(load("a.csv", "text,label\na,x\nb,y\n", |_| {}).train.seconds, None);
}

#[test]
fn a_cut_keeps_pairs_together() {
    let rows: String = (0..40).map(|index| format!("a{index},b{index},{}\n", index % 2)).collect();
    let corpus = load("a.csv", format!("premise,hypothesis,label\n{rows}"), |config| {
        pair(config);
        config.validation = Some(SplitSource::Cut(Cut::by_label(0.25)));
    });
    let validation = corpus.validation.unwrap();
    assert_eq!((corpus.train.len(), validation.len()), (30, 10));
    for examples in [&corpus.train, &validation] {
        let seconds = examples.seconds.as_ref().unwrap();
        assert_eq!(seconds.len(), examples.len());
        assert!(examples.texts.iter().zip(seconds.iter()).all(|(first, second)| first[1..] == second[1..]));
    }
}

#[test]
fn pairs_to_predict() {
    let folder = temp_dir::TempDir::new().unwrap();
    let mut config = config(PathBuf::new());
    pair(&mut config);
    for (name, content) in [
        ("a.csv", "premise,id,hypothesis\na,1,b\n"),
        ("a.jsonl", "{\"premise\":\"a\",\"hypothesis\":\"b\"}"),
        ("a.txt", "a\tb\n"),
    ] {
        let table = load_texts(&write(folder.path(), name, content), &config).unwrap();
        assert_eq!(
            (table.rows.texts, table.rows.seconds.unwrap()),
            (vec!["a".to_owned()], vec!["b".to_owned()]),
            "{name}"
        );
    }
    config.text = TextColumns::One(name("premise"));
    assert_eq!(load_texts(&folder.path().join("a.csv"), &config).unwrap().rows.seconds, None);
}

#[test]
fn lists_of_labels_are_split_trimmed_and_counted_once() {
    let csv = "text,label\na,\"x, y\"\nb,\nc,\"y,y ,x\"\nd,z\n";
    let corpus = load("a.csv", csv, multi);
    assert_eq!(corpus.labels.names(), ["x", "y", "z"]);
    let expected: [&[u32]; 4] = [&[0, 1], &[], &[0, 1], &[2]];
    assert_eq!(corpus.train.targets.iter().collect::<Vec<_>>(), expected);
    let counts = [("x", 2), ("y", 2), ("z", 1)].map(|(name, count)| (name.to_owned(), count));
    assert_eq!(corpus.manifest.train.labels, BTreeMap::from(counts));
    assert_eq!(corpus.manifest.train.examples, 4);

    let tsv = "text\tlabel\na\tx | y\nb\t \nc\ty|x\nd\tz\n";
    let targets = load("a.tsv", tsv, |config| {
        multi(config);
        config.label_separator = "|".to_owned();
    });
    assert_eq!(targets.train.targets, corpus.train.targets);

    let jsonl = "{\"text\":\"a\",\"label\":[\"y\",\"x\"]}\n{\"text\":\"b\",\"label\":null}\n{\"text\":\"c\",\"label\":\"x,y\"}\n\
                 {\"text\":\"d\",\"label\":[\"z\"]}\n";
    assert_eq!(load("a.jsonl", jsonl, multi).train.targets, corpus.train.targets);
    // In an array a separator is part of the label; integers are labels as well.
    let corpus = load("a.jsonl", "{\"text\":\"a\",\"label\":[\"x,y\",3]}\n{\"text\":\"b\",\"label\":[]}", multi);
    assert_eq!(corpus.labels.names(), ["3", "x,y"]);
    assert_eq!(corpus.train.targets.iter().collect::<Vec<_>>(), [&[0, 1][..], &[]]);
}

#[test]
fn each_part_of_a_list_gets_its_name_and_one_label_is_enough() {
    let corpus = load("a.tsv", "text\tlabel\na\t2,10\nb\t10\n", |config| {
        multi(config);
        config.labels = BTreeMap::from([("2".into(), "joy".into()), ("10".into(), "anger".into())]);
    });
    assert_eq!(corpus.labels.names(), ["anger", "joy"]);
    assert_eq!(corpus.train.targets.iter().collect::<Vec<_>>(), [&[0, 1][..], &[0]]);
    // Two values for one name count once.
    let corpus = load("a.tsv", "text\tlabel\na\t2,10\nb\t\n", |config| {
        multi(config);
        config.labels = BTreeMap::from([("2".into(), "joy".into()), ("10".into(), "joy".into())]);
    });
    assert_eq!(corpus.train.targets.iter().collect::<Vec<_>>(), [&[0][..], &[]]);
}

#[test]
fn fingerprints_of_single_texts_never_change_and_tell_kinds_apart() {
    let fingerprint = |content: &str, change: fn(&mut DataConfig)| load("a.tsv", content, change).manifest.fingerprint;
    // Python: hashlib.sha256 over each of train, a, x, b, y as its length in eight bytes, lowest first, and its UTF-8.
    let single = fingerprint("text\tlabel\na\tx\nb\ty\n", |_| {});
    assert_eq!(single, "1eb92e696914ec1c9a1ed30a23922832d705f27154b8204e4b67ebff581d97e6");
    // The same, with 2^64 - 2 behind train and the number of labels, 1, before each label.
    assert_eq!(
        fingerprint("text\tlabel\na\tx\nb\ty\n", multi),
        "d383bd4541e95120c8bd88e576bf12d1703d937551ea3032c9acb72c9f88d6fc"
    );
    // With 2^64 - 1 behind train, and the second text behind the first.
    assert_eq!(
        fingerprint("premise\thypothesis\tlabel\na\tc\tx\nb\td\ty\n", pair),
        "b46f51ac2416f2fdb23741f7f56265d18953d22c8764fa8e58e8ae8593a9e772"
    );
    let sets =
        ["x,y\nb\tx", "x\nb\tx,y", "y\nb\tx"].map(|rest| fingerprint(&format!("text\tlabel\na\t{rest}\n"), multi));
    assert!(sets[0] != sets[1] && sets[1] != sets[2]);
}

#[test]
fn targets_are_those_of_the_file() {
    assert_eq!(load("a.csv", "text,label\na,y\nb,x\n", |_| {}).train.targets, Targets::single(vec![1, 0]));
}

/// Posts of twelve authors, five of each label by each.
fn posts() -> String {
    let row = |index: usize| format!("post {index},{},author {}\n", ["x", "y"][index / 12 % 2], index % 12);
    format!("text,label,author\n{}", (0..120).map(row).collect::<String>())
}

#[test]
fn groups_are_cut_whole_from_a_file() {
    for column in [name("author"), Column::Number(2)] {
        let corpus = load("a.csv", posts(), |config| {
            config.group = Some(column);
            config.test = Some(SplitSource::Cut(Cut::by_label(0.25)));
            config.validation = Some(SplitSource::Cut(Cut::by_label(0.2)));
        });
        // Three authors of twelve; two of the other nine are as near to 24 examples as whole groups come.
        let (validation, test) = (corpus.validation.unwrap(), corpus.test.unwrap());
        assert_eq!((corpus.train.len(), validation.len(), test.len()), (70, 20, 30));
        let authors = |examples: &Examples| {
            let mut authors: Vec<u64> = lines(examples).into_iter().map(|line| (line - 2) % 12).collect();
            authors.sort_unstable();
            authors.dedup();
            authors
        };
        let mut all = [authors(&corpus.train), authors(&validation), authors(&test)].concat();
        all.sort_unstable();
        assert_eq!(all, (0..12).collect::<Vec<_>>());
        assert_eq!(corpus.findings.shared_groups, []);
    }
}

#[test]
fn groups_in_two_files_are_told() {
    let folder = temp_dir::TempDir::new().unwrap();
    let lines = |rows: &[(&str, &str)]| -> String {
        rows.iter().map(|(text, author)| format!("{{\"text\":\"{text}\",\"label\":\"x\",\"by\":{author}}}\n")).collect()
    };
    let train = lines(&[("a", "7"), ("b", "\"Ann\""), ("c", "null"), ("d", "\"Bob\"")]);
    let mut config = config(write(folder.path(), "a.jsonl", train.replacen("\"x\"", "\"y\"", 1)));
    let test = lines(&[("e", "\" Ann \""), ("f", "null"), ("g", "\"7\""), ("h", "\"Ann\""), ("i", "\"Eve\"")]);
    config.test = Some(SplitSource::Files(write(folder.path(), "b.jsonl", test).into()));
    config.group = Some(name("by"));
    let found = load_corpus(&config, 1).unwrap().findings.shared_groups;
    let splits = [Split::Train, Split::Test];
    assert_eq!(found, [SharedGroups { splits, count: 2, examples: 3, excerpts: vec!["Ann".into(), "7".into()] }]);
    // A file to evaluate alone needs no groups.
    let bare = write(folder.path(), "c.jsonl", "{\"text\":\"a\",\"label\":\"x\"}");
    let labels = load_corpus(&config, 1).unwrap().labels;
    assert_eq!(load_examples(&bare, &config, &labels).unwrap().0.len(), 1);
}

#[test]
fn the_manifest_says_how_each_split_was_made() {
    let folder = temp_dir::TempDir::new().unwrap();
    let mut config = config(write(folder.path(), "a.csv", posts()));
    let origins = |config: &DataConfig| {
        let manifest = load_corpus(config, 7).unwrap().manifest;
        let json = serde_json::to_value(&manifest).unwrap();
        assert_eq!(serde_json::from_value::<attentive_data::SplitManifest>(json.clone()).unwrap(), manifest);
        ["train", "validation", "test"].map(|split| json[split]["origin"].clone())
    };
    config.test = Some(SplitSource::Cut(Cut::by_label(0.25)));
    config.validation = Some(SplitSource::Cut(Cut::by_label(0.125)));
    assert_eq!(
        origins(&config),
        [
            serde_json::json!({ "rest": { "fraction": 0.375, "seed": 7 } }),
            serde_json::json!({ "cut": { "fraction": 0.125, "seed": 7 } }),
            serde_json::json!({ "cut": { "fraction": 0.25, "seed": 7 } }),
        ]
    );
    config.test = None;
    config.fold = Some(Fold { index: 2, of: 4, by: CutBy::Hash });
    config.validation = None;
    config.group = Some(name("author"));
    assert_eq!(
        origins(&config),
        [
            serde_json::json!({ "rest": { "fraction": 0.25, "by": "hash", "group": "author" } }),
            serde_json::Value::Null,
            serde_json::json!({ "fold": { "index": 2, "of": 4, "by": "hash", "group": "author" } }),
        ]
    );
    // As an earlier version wrote it.
    let old = r#"{ "origin": { "cut": { "fraction": 0.1, "seed": 3 } }, "path": "a.csv", "sha256": "", "rows": 10,
        "examples": 1, "labels": {} }"#;
    let old: attentive_data::SplitRecord = serde_json::from_str(old).unwrap();
    assert_eq!(old.origin, SplitOrigin::Cut(CutRecord { fraction: 0.1, seed: Some(3), by: CutBy::Label, group: None }));
}

#[test]
fn equal_splits_have_equal_fingerprints_whatever_they_are_called() {
    let folder = temp_dir::TempDir::new().unwrap();
    let (a, b) = ("text\tlabel\na\tx\nb\ty\n", "text\tlabel\nc\tx\n");
    let mut config = config(write(folder.path(), "a.tsv", a));
    config.validation = Some(SplitSource::Files(write(folder.path(), "b.tsv", b).into()));
    config.test = Some(SplitSource::Files(write(folder.path(), "c.tsv", a).into()));
    let manifest = load_corpus(&config, 1).unwrap().manifest;
    let [validation, test] = [manifest.validation.unwrap(), manifest.test.unwrap()];
    assert_eq!(manifest.train.fingerprint, test.fingerprint);
    assert_ne!(manifest.train.fingerprint, validation.fingerprint);
    // Python: hashlib.sha256 over each of a, x, b, y as its length in eight bytes, lowest first, and its UTF-8.
    assert_eq!(test.fingerprint, "45e7e7b0176844e5983b149980a409f6de3fb70fb4363d384711465c7b02c191");
}
