//! Files of examples. The first byte says how the rest is read: the format, the encoding, and what else the config asks
//! for; both the reading of labelled examples and that of texts to predict on must end with texts or with a message.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use attentive_data::{
    Column, DataConfig, DataOrigin, FieldSplitter, Format, JoinedColumns, TableKind, TablePart, TextColumns, TextInput,
    load_corpus, load_texts, read_texts_lines,
};
use libfuzzer_sys::fuzz_target;

/// Short enough that long lines are found.
const MAX_LINE_BYTES: usize = 4096;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(attentive_fuzz::scratch);

fuzz_target!(|data: &[u8]| attentive_fuzz::uncaught(|| try_file(data)));

fn try_file(data: &[u8]) {
    let Some((&how, file)) = data.split_first() else { return };
    let formats = [(Format::Csv, "csv"), (Format::Tsv, "tsv"), (Format::Jsonl, "jsonl"), (Format::Fasttext, "txt")];
    let (format, extension) = match formats[usize::from(how & 3)] {
        (Format::Jsonl, _) if file.trim_ascii_start().starts_with(b"[") => (Format::Json, "json"),
        format => format,
    };
    let encodings = ["utf-8", "utf-16le", "utf-16be", "windows-1252", "shift_jis", "gb18030", "iso-2022-jp", "euc-kr"];
    let mut config = DataConfig {
        format,
        encoding: encodings[usize::from(how >> 2 & 7)].to_owned(),
        max_line_bytes: MAX_LINE_BYTES,
        ..DataConfig::default()
    };
    let name = |name: &str| Column::Name(name.to_owned());
    let mut packing = "";
    match how >> 5 {
        0 => {}
        1 => config.multi_label = true,
        2 => {
            config.text = TextColumns::Two(name("text"), name("second"));
            config.quoting = true;
        }
        3 => {
            (config.header, config.text, config.label) = (false, TextColumns::One(Column::Number(0)), Column::Number(1))
        }
        4 => packing = ".gz",
        5 => packing = ".zst",
        6 => config.skip_bad_rows = 3,
        _ => {
            config.text = TextColumns::Joined(JoinedColumns {
                join: vec![name("text"), name("second")],
                separator: " ".to_owned(),
            });
            config.group = Some(name("group"));
        }
    }
    let path = FOLDER.join(format!("examples.{extension}{packing}"));
    std::fs::write(&path, file).expect("the file can be written");
    config.train = path.clone().into();
    if !config.problems().is_empty() {
        return; // refused before any file is read
    }

    match load_corpus(&config, 7) {
        Ok(corpus) => {
            let train = &corpus.train;
            assert_eq!(train.texts.len(), train.targets.len());
            assert!(train.seconds.as_ref().is_none_or(|seconds| seconds.len() == train.texts.len()));
            for text in train.texts.iter() {
                assert!(!text.contains('\0') && text.len() <= 2 * MAX_LINE_BYTES + 1);
            }
            for id in train.targets.iter().flatten() {
                assert!((*id as usize) < corpus.labels.len());
            }
        }
        Err(error) => told(&error),
    }
    match load_texts(&path, &config) {
        Ok(table) => {
            let rows = table.rows;
            assert_eq!(rows.texts.len(), rows.lines.len());
            assert!(rows.rows.is_empty() || rows.rows.len() == rows.texts.len());
            if let TableKind::Delimited { delimiter, quoted } = table.layout.kind {
                let mut splitter = FieldSplitter::new(delimiter, quoted);
                rows.rows.iter().for_each(|row| assert!(splitter.fields(row).is_ok()));
            }
            // In pieces they are the same.
            let (mut texts, mut lines) = (Vec::new(), Vec::new());
            let input =
                TextInput { from: DataOrigin::File(&path), format: None, config: &config, at_once: 2, keep_bad: true };
            let read = input.read(&mut |part| {
                if let TablePart::Rows(piece) = part {
                    assert!(!piece.texts.is_empty() && piece.texts.len() <= 2 && piece.bad.is_empty());
                    texts.extend(piece.texts);
                    lines.extend(piece.lines);
                }
                true
            });
            assert!(read.is_ok() && texts == rows.texts && lines == rows.lines);
        }
        Err(error) => told(&error),
    }
    for line in read_texts_lines(file, "stdin", MAX_LINE_BYTES, config.text.is_pair()) {
        if let Err(error) = line {
            told(&error);
            break;
        }
    }
}

/// Every error has words on one line, nothing in them that a terminal would obey, and perhaps a hint.
fn told(error: &attentive_data::DataError) {
    for text in [Some(error.to_string()), error.hint()].into_iter().flatten() {
        assert!(!text.is_empty() && !text.contains(char::is_control), "{text:?}");
    }
}
