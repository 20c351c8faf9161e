//! What a path may turn out to be, several files of a split, and patterns.

use std::fs;
use std::path::Path;

use attentive_data::{
    Column, DataConfig, DataErrorKind, Files, JoinedColumns, TextColumns, load_corpus, load_examples,
};
use temp_dir::TempDir;

fn config(folder: &TempDir, names: &[&str]) -> DataConfig {
    let paths: Vec<_> = names.iter().map(|name| folder.path().join(name)).collect();
    DataConfig { train: Files::from(paths), ..DataConfig::default() }
}

/// Kind, message and hint of the error.
fn fails(folder: &TempDir, config: &DataConfig) -> (DataErrorKind, String, String) {
    let error = load_corpus(config, 1).unwrap_err();
    let path = folder.path().display().to_string();
    (error.kind(), error.to_string().replace(&path, "DIR"), error.hint().unwrap_or_default())
}

fn write(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn files_are_read_one_after_the_other() {
    let folder = TempDir::new().unwrap();
    write(&folder, "data/b.csv", "label,text\ny,c\n");
    write(&folder, "data/a.csv", "text,label\na,x\nb,y\n");
    write(&folder, "data/c.jsonl", "{\"text\":\"d\",\"label\":\"x\"}\n");
    write(&folder, "data/.d.csv", "text,label\nhidden,x\n");
    write(&folder, "data/deep/er/e.csv", "text,label\ne,x\n");
    let read = |names: &[&str]| {
        let corpus = load_corpus(&config(&folder, names), 1).unwrap();
        let places = (0..corpus.train.len()).map(|index| corpus.train.location(index).unwrap().to_string());
        let path = format!("{}/data/", folder.path().display());
        let places: Vec<String> = places.map(|place| place.replace(&path, "")).collect();
        (corpus.train.texts.iter().collect::<String>(), places.join(" "), corpus.manifest.train.from.files)
    };
    let (texts, places, files) = read(&["data/*.csv"]);
    assert_eq!((texts.as_str(), places.as_str()), ("abc", "a.csv:2 a.csv:3 b.csv:2"));
    assert_eq!(files.iter().map(|file| file.rows).collect::<Vec<_>>(), [2, 1]);
    // sha256sum of `data/b.csv`.
    assert_eq!(files[1].sha256, "26eb6b97d6aa6415e4909d38b89b4255258bf31f3ce68524f9c3ed938bad2445");
    assert_eq!(read(&["data/b.csv", "data/?.jsonl", "data/a.csv"]).0, "cdab");
    assert_eq!(read(&["data/**/*.csv"]).0, "abce");
    // Validation cut from several files, and a pattern for `evaluate`.
    let labels = load_corpus(&config(&folder, &["data/a.csv"]), 1).unwrap().labels;
    let pattern = folder.path().join("data/[ab].csv");
    assert_eq!(load_examples(&pattern, &DataConfig::default(), &labels).unwrap().0.len(), 3);
}

#[test]
fn files_that_do_not_go_together() {
    let folder = TempDir::new().unwrap();
    write(&folder, "a.csv", "text,label\na,x\nb,y\n");
    write(&folder, "b.csv", "text,label,id\na,x,1\n");
    write(&folder, "c.csv", "label,text\nx,a\n");
    write(&folder, "d.csv", "text,label\na,x\nb\n");
    write(&folder, "folder/e.csv", "text,label\na,x\n");
    let bad = DataErrorKind::Bad;
    let told = |kind, message: &str, hint: &str| (kind, message.to_owned(), hint.to_owned());
    let columns = "give the files the same header, or read them as different splits; columns given by number also need the same order";
    assert_eq!(
        fails(&folder, &config(&folder, &["a.csv", "b.csv"])),
        told(
            bad,
            "`DIR/a.csv` and `DIR/b.csv` have different columns: `text`, `label` and `text`, `label`, `id`",
            columns
        )
    );
    let by_number = DataConfig { text: TextColumns::One(Column::Number(0)), ..config(&folder, &["a.csv", "c.csv"]) };
    assert_eq!(
        fails(&folder, &by_number),
        told(bad, "`DIR/a.csv` and `DIR/c.csv` have different columns: `text`, `label` and `label`, `text`", columns)
    );
    let (_, message, _) = fails(&folder, &config(&folder, &["a.csv", "d.csv"]));
    assert_eq!(message, "DIR/d.csv:3: the row has 1 field, the first line has 2: `b`");
    assert_eq!(
        fails(&folder, &config(&folder, &["a.csv", "*.csv"])),
        told(bad, "`DIR/a.csv` is named twice in one split", "name it once: its examples would count twice")
    );
    let (_, message, _) = fails(&folder, &config(&folder, &["a.csv", "folder"]));
    assert_eq!(message, "`DIR/folder` is a folder, not a file");
    assert_eq!(
        fails(&folder, &config(&folder, &["*.json"])),
        told(
            DataErrorKind::Missing,
            "no file matches `DIR/*.json`",
            "patterns are matched in the directory the command runs in; `*` stands for any characters of one name, `**` for any folders"
        )
    );
    assert_eq!(
        fails(&folder, &config(&folder, &["a[.csv"])),
        told(
            bad,
            "`DIR/a[.csv` is not a pattern: invalid range pattern",
            "`?` stands for one character, `*` for any, `[ab]` for one of these, and `**` for whole folders: `data/**/*.csv`"
        )
    );
    assert_eq!(
        fails(&folder, &config(&folder, &["a.csv", "none.csv"])),
        told(
            DataErrorKind::Missing,
            "`DIR/none.csv` does not exist",
            "paths are relative to the directory the command runs in"
        )
    );
}

#[test]
fn a_name_with_the_signs_of_a_pattern_is_a_name_if_it_is_there() {
    let folder = TempDir::new().unwrap();
    write(&folder, "a[1]*.csv", "text,label\na,x\nb,y\n");
    write(&folder, "a1.csv", "text,label\nno,x\n");
    assert_eq!(load_corpus(&config(&folder, &["a[1]*.csv"]), 1).unwrap().train.texts, ["a", "b"]);
}

#[test]
fn texts_of_several_columns() {
    let folder = TempDir::new().unwrap();
    write(&folder, "a.csv", "title,body,id,label\nT,B,1,x\n,\"only, body\",2,y\nonly title, ,3,x\n,,4,y\n");
    write(
        &folder,
        "b.jsonl",
        "{\"title\":\"T\",\"body\":null,\"id\":1,\"label\":\"x\"}\n{\"title\":\"\\\"t\",\"body\":\"b\",\"id\":2,\"label\":\"y\"}\n",
    );
    let name = |name: &str| Column::Name(name.to_owned());
    let joined = |separator: &str, names: &[&str]| DataConfig {
        text: TextColumns::Joined(JoinedColumns {
            join: vec![name("title"), name("body")],
            separator: separator.to_owned(),
        }),
        ..config(&folder, names)
    };
    let texts = |config: &DataConfig| load_corpus(config, 1).unwrap().train.texts;
    assert_eq!(texts(&joined(": ", &["a.csv"])), ["T: B", "only, body", "only title", ""]);
    assert_eq!(texts(&joined(" | ", &["a.csv", "b.jsonl"])), ["T | B", "only, body", "only title", "", "T", "\"t | b"]);
    let table = attentive_data::load_texts(&folder.path().join("a.csv"), &joined(" ", &[])).unwrap();
    assert_eq!(table.rows.texts, ["T B", "only, body", "only title", ""]);
    let mut wrong = joined(" ", &["a.csv"]);
    wrong.label = name("body");
    let (_, message, _) = fails(&folder, &wrong);
    assert_eq!(message, "`DIR/a.csv`: `body` and `body` are the same column");
}

/// As the Ohsumed abstracts and the 20 newsgroups are laid out.
#[test]
fn files_of_a_folder_may_have_any_name_unless_some_are_txt() {
    let folder = TempDir::new().unwrap();
    for (name, content) in [
        ("C01/0000001", "fever".as_bytes()),
        ("C01/0000002.v2", b"cough"),
        ("C01/.DS_Store", b"?"),
        ("C01/scan.png", b"\x89PNG\r\n\0\0"),
        ("C01/model.bin", b"\x01\x83\xF2\x05\x90\x1A\x07\xC3"),
        ("C02/0000003", b""),
        ("C02/archive", b"\x1F\x8B\x08"),
        ("C02/wide", b"\xFF\xFEf\0l\0u\0"),
    ] {
        write(&folder, name, content);
    }
    let config = DataConfig { train: folder.path().into(), ..DataConfig::default() };
    let train = load_corpus(&config, 1).unwrap().train;
    assert_eq!(train.texts, ["fever", "cough", "", "flu"]);
    assert_eq!(train.targets.iter().flatten().copied().collect::<Vec<_>>(), [0, 0, 1, 1]);

    write(&folder, "C01/a.txt", "the text");
    assert_eq!(fails(&folder, &config).1, "`DIR/C02` holds no .txt files");
    write(&folder, "C02/b.txt", "another");
    assert_eq!(load_corpus(&config, 1).unwrap().train.texts, ["the text", "another"]);
}

#[test]
fn folders_where_columns_are_asked_for() {
    let folder = TempDir::new().unwrap();
    write(&folder, "texts/x/1.txt", "a");
    let mut config = config(&folder, &["texts"]);
    config.text = TextColumns::Joined(JoinedColumns { join: vec![Column::Number(0)], separator: String::new() });
    let (_, message, hint) = fails(&folder, &config);
    assert_eq!(message, "`DIR/texts` is a folder, which cannot hold columns");
    assert_eq!(hint, "name a csv, tsv or jsonl file, or remove `data.text`");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_needs_its_feature() {
    let folder = TempDir::new().unwrap();
    write(&folder, "a.parquet", "PAR1");
    let (kind, message, hint) = fails(&folder, &config(&folder, &["a.parquet"]));
    assert_eq!(kind, DataErrorKind::Bad);
    assert_eq!(message, "`DIR/a.parquet` is a Parquet file, which this build of the program cannot read");
    assert_eq!(
        hint,
        "build it with `--features parquet`, or convert the file: `pandas.read_parquet(\"a.parquet\").to_csv(\"a.csv\", index=False)`"
    );
}

#[cfg(unix)]
#[test]
fn links_pipes_and_devices() {
    use std::os::unix::fs::symlink;
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    symlink(path("loop.csv"), path("loop.csv")).unwrap();
    let (kind, message, _) = fails(&folder, &config(&folder, &["loop.csv"]));
    assert_eq!((kind, message.as_str()), (DataErrorKind::Io, "cannot read `DIR/loop.csv`"));
    symlink(path("nowhere"), path("dangling.csv")).unwrap();
    let (kind, message, _) = fails(&folder, &config(&folder, &["dangling.csv"]));
    assert_eq!((kind, message.as_str()), (DataErrorKind::Missing, "`DIR/dangling.csv` does not exist"));
    // A folder that holds itself.
    fs::create_dir(path("round")).unwrap();
    symlink(path("round"), path("round/again")).unwrap();
    write(&folder, "round/a.csv", "text,label\na,x\nb,y\n");
    assert_eq!(load_corpus(&config(&folder, &["round/**/*.csv"]), 1).unwrap().train.texts, ["a", "b"]);

    let read = |name: &str| {
        let mut config = config(&folder, &[]);
        config.train = Path::new(name).into();
        config.format = attentive_data::Format::Csv;
        config
    };
    let (_, message, _) = fails(&folder, &read("/dev/null"));
    assert_eq!(message, "`/dev/null` is empty");
    let (_, message, _) = fails(&folder, &read("/dev/zero"));
    assert_eq!(message, "/dev/zero:1: the text holds a NUL character");
    let (_, message, _) = fails(&folder, &DataConfig { skip_bad_rows: 5, ..read("/dev/zero") });
    assert_eq!(message, "/dev/zero:1: the text holds a NUL character");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_like_a_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("pipe.csv");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let writer = {
        let path = path.clone();
        std::thread::spawn(move || fs::write(path, "text,label\na,x\nb,y\n").unwrap())
    };
    assert_eq!(load_corpus(&config(&folder, &["pipe.csv"]), 1).unwrap().train.texts, ["a", "b"]);
    writer.join().unwrap();
}

#[cfg(unix)]
#[test]
fn files_without_permission() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    write(&folder, "a.csv", "text,label\na,x\nb,y\n");
    fs::set_permissions(folder.path().join("a.csv"), fs::Permissions::from_mode(0o000)).unwrap();
    // The administrator may read it all the same.
    if fs::File::open(folder.path().join("a.csv")).is_err() {
        let (kind, message, _) = fails(&folder, &config(&folder, &["a.csv"]));
        assert_eq!((kind, message.as_str()), (DataErrorKind::Io, "cannot read `DIR/a.csv`"));
    }
}

/// What Excel calls .xlsx needs a build with the feature.
#[cfg(not(feature = "xlsx"))]
#[test]
fn excel_files_need_their_feature() {
    crate::check(vec![crate::case(
        "a.xlsx",
        "PK\x03\x04",
        crate::Fails(
            "`DIR/a.xlsx` is an Excel file, which this build of the program cannot read",
            "build it with `--features xlsx`, or save the sheet as csv",
        ),
    )]);
}
