//! Packed files: gzip and Zstandard, whole, in several members, cut short, damaged, and made to fill the memory.

use std::fs;
use std::io::Write;

use attentive_data::{DataConfig, load_corpus, load_texts};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{Fails, Read, case, check, with};

const GOOD: &str = "text,label\na,x\nb,y\n";

pub(crate) fn gzip(content: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// `zstd --check` of `GOOD`, by the C library.
fn zstd() -> Vec<u8> {
    let hex = "28b52ffd2413990000746578742c6c6162656c0a612c780a622c790a98d054e4";
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn packed_files_are_read_as_what_they_hold() {
    let jsonl = "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\",\"label\":\"y\"}\n";
    // A skippable frame of three bytes.
    let skippable = b"\x50\x2A\x4D\x18\x03\x00\x00\x00abc".to_vec();
    check(vec![
        case("a.csv.gz", gzip(GOOD), Read(&["a", "b"], &["x", "y"])),
        case("a.tsv.GZ", gzip("text\tlabel\na\tx\nb\ty\n"), Read(&["a", "b"], &["x", "y"])),
        case("a.jsonl.gz", gzip(jsonl), Read(&["a", "b"], &["x", "y"])),
        case("a.txt.gz", gzip("__label__x a\n__label__y b\n"), Read(&["a", "b"], &["x", "y"])),
        case("a.csv.zst", zstd(), Read(&["a", "b"], &["x", "y"])),
        case("members.csv.gz", [gzip("text,label\na,"), gzip("x\nb,y\n")].concat(), Read(&["a", "b"], &["x", "y"])),
        case(
            "frames.csv.zst",
            [skippable.clone(), zstd(), skippable, zstd()].concat(),
            Read(&["a", "b", "text", "a", "b"], &["x", "y", "label", "x", "y"]),
        ),
        case("empty.csv.gz", gzip(""), Fails("`DIR/empty.csv.gz` is empty", "")),
        case(
            "nothing.csv.gz",
            "",
            Fails(
                "DIR/nothing.csv.gz: the packed data is damaged or cut short behind this place: unexpected end of file",
                "get the file again: `gzip -t` or `zstd -t` should find no fault in it; if it is not packed, take .gz or .zst out of its name",
            ),
        ),
        case(
            "row.csv.gz",
            gzip("text,label\na,x\nb\n"),
            Fails(
                "DIR/row.csv.gz:3: the row has 1 field, the first line has 2: `b`",
                "look for a delimiter inside a field, or a row that is cut short; a TSV whose fields are quoted needs `data.quoting = true`",
            ),
        ),
        case(
            "latin.csv.gz",
            gzip(b"text,label\ncaf\xE9,x\n"),
            Fails(
                "DIR/latin.csv.gz:2: byte 0xE9 is not valid UTF-8",
                "set `data.encoding` to the encoding of the file, for example \"windows-1252\" for western European text",
            ),
        ),
    ]);
}

#[test]
fn what_a_name_does_not_tell() {
    check(vec![
        case(
            "a.csv",
            gzip(GOOD),
            Fails(
                "`DIR/a.csv` is a gzip file, not text",
                "give it the extension .gz behind that of its format, such as .csv.gz",
            ),
        ),
        case(
            "a.csv",
            zstd(),
            Fails(
                "`DIR/a.csv` is a zstd file, not text",
                "give it the extension .zst behind that of its format, such as .csv.zst",
            ),
        ),
        case(
            "a.csv",
            "PK\x03\x04 and so on",
            Fails(
                "`DIR/a.csv` is a zip file, not text",
                "unpack it, or give it the extension .xlsx if it is one of Excel, which begins like a .zip",
            ),
        ),
        case(
            "a.jsonl",
            "PAR1 and so on",
            Fails(
                "`DIR/a.jsonl` is a Parquet file, not text",
                "set `data.format = \"parquet\"`, or give it the extension .parquet",
            ),
        ),
        case(
            "a.csv.gz",
            GOOD,
            Fails(
                "DIR/a.csv.gz: the packed data is damaged or cut short behind this place: invalid gzip header",
                "get the file again: `gzip -t` or `zstd -t` should find no fault in it; if it is not packed, take .gz or .zst out of its name",
            ),
        ),
        case(
            "a.csv.zst",
            GOOD,
            Fails(
                "DIR/a.csv.zst: the packed data is damaged or cut short behind this place: no Zstandard frame begins here",
                "get the file again: `gzip -t` or `zstd -t` should find no fault in it; if it is not packed, take .gz or .zst out of its name",
            ),
        ),
        case(
            "a.csv.gz",
            zstd(),
            Fails(
                "DIR/a.csv.gz: the packed data is damaged or cut short behind this place: invalid gzip header",
                "get the file again: `gzip -t` or `zstd -t` should find no fault in it; if it is not packed, take .gz or .zst out of its name",
            ),
        ),
        case(
            "a.gz",
            gzip(GOOD),
            Fails(
                "`DIR/a.gz` has no extension that names a format",
                "set `data.format` to \"csv\", \"tsv\", \"jsonl\" or \"fasttext\"; of packed files .gz and .zst are read",
            ),
        ),
        case(
            "a.csv.bz2",
            "BZh",
            Fails(
                "`DIR/a.csv.bz2` has no extension that names a format",
                "set `data.format` to \"csv\", \"tsv\", \"jsonl\" or \"fasttext\"; of packed files .gz and .zst are read",
            ),
        ),
    ]);
}

#[test]
fn damage_is_told() {
    let gz = gzip(GOOD);
    let flipped = |position: usize| {
        let mut bytes = gz.clone();
        bytes[position] ^= 0x10;
        bytes
    };
    let mut zst = zstd();
    let last = zst.len() - 1;
    zst[last] ^= 1;
    check(vec![
        case(
            "cut.csv.gz",
            &gz[..gz.len() - 4],
            Fails(
                "DIR/cut.csv.gz:3: the packed data is damaged or cut short behind this place: unexpected end of file",
                "get the file again: `gzip -t` or `zstd -t` should find no fault in it; if it is not packed, take .gz or .zst out of its name",
            ),
        ),
        case(
            "head.csv.gz",
            &gz[..5],
            Fails(
                "DIR/head.csv.gz: the packed data is damaged or cut short behind this place: unexpected end of file",
                "get the file again: `gzip -t` or `zstd -t` should find no fault in it; if it is not packed, take .gz or .zst out of its name",
            ),
        ),
        case(
            "sum.csv.gz",
            flipped(gz.len() - 6),
            Fails(
                "DIR/sum.csv.gz:3: the packed data is damaged or cut short behind this place: corrupt gzip stream does not have a matching checksum",
                "get the file again: `gzip -t` or `zstd -t` should find no fault in it; if it is not packed, take .gz or .zst out of its name",
            ),
        ),
        case(
            "method.csv.gz",
            flipped(2),
            Fails(
                "DIR/method.csv.gz: the packed data is damaged or cut short behind this place: invalid gzip header",
                "get the file again: `gzip -t` or `zstd -t` should find no fault in it; if it is not packed, take .gz or .zst out of its name",
            ),
        ),
        case(
            "behind.csv.gz",
            [&gz[..], b"garbage"].concat(),
            Fails(
                "DIR/behind.csv.gz:3: the packed data is damaged or cut short behind this place: unexpected end of file",
                "get the file again: `gzip -t` or `zstd -t` should find no fault in it; if it is not packed, take .gz or .zst out of its name",
            ),
        ),
        case(
            "cut.csv.zst",
            &zstd()[..zstd().len() - 6],
            Fails(
                "DIR/cut.csv.zst: the packed data is damaged or cut short behind this place: Failed to parse block header: Error while reading bytes for Raw: failed to fill whole buffer",
                "get the file again: `gzip -t` or `zstd -t` should find no fault in it; if it is not packed, take .gz or .zst out of its name",
            ),
        ),
        case(
            "sum.csv.zst",
            zst,
            Fails(
                "DIR/sum.csv.zst:3: the packed data is damaged or cut short behind this place: the checksum is not that of the data",
                "get the file again: `gzip -t` or `zstd -t` should find no fault in it; if it is not packed, take .gz or .zst out of its name",
            ),
        ),
    ]);
}

#[test]
fn no_damage_is_passed_over() {
    let text: String = (0..4000).map(|row| format!("row {row} of some text,{}\n", row % 3)).collect();
    let text = format!("text,label\n{text}");
    let folder = temp_dir::TempDir::new().unwrap();
    let whole = load_packed(&folder, "a.csv.gz", &gzip(&text)).unwrap();
    assert_eq!(whole, 4000);
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let zst = ruzstd::encoding::compress_to_vec(text.as_bytes(), level);
    assert_eq!(load_packed(&folder, "a.csv.zst", &zst), Ok(4000));
    for (name, packed) in [("a.csv.gz", gzip(&text)), ("a.csv.zst", zst)] {
        for length in (0..packed.len()).step_by(499) {
            load_packed(&folder, name, &packed[..length]).unwrap_err();
        }
        // Some bytes of a header say nothing about the content; whatever else is flipped has to be noticed, or to have
        // left the texts as they were.
        for position in (0..packed.len()).step_by(307) {
            let mut bytes = packed.clone();
            bytes[position] ^= 0x55;
            if let Ok(rows) = load_packed(&folder, name, &bytes) {
                assert!(rows == 4000 || name == "a.csv.zst", "{name}, byte {position}: {rows}");
            }
        }
    }
}

fn load_packed(folder: &temp_dir::TempDir, name: &str, content: &[u8]) -> Result<usize, String> {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    let config = DataConfig { train: path.into(), ..DataConfig::default() };
    load_corpus(&config, 1).map(|corpus| corpus.train.len()).map_err(|error| error.to_string())
}

#[test]
fn a_file_that_unpacks_to_too_much_ends_the_reading() {
    let bomb = |line: &str, lines: usize| gzip(format!("text,label\n{}", line.repeat(lines)));
    check(vec![
        case(
            "rows.csv.gz",
            bomb("a,x\n", 1 << 20),
            Fails(
                "`DIR/rows.csv.gz` unpacks to more than 100 times its size",
                "if the file is what it should be, raise `data.max_expansion`",
            ),
        ),
        case(
            "line.csv.gz",
            bomb("a", 2 << 20),
            Fails(
                "`DIR/line.csv.gz` unpacks to more than 100 times its size",
                "if the file is what it should be, raise `data.max_expansion`",
            ),
        ),
        // A mebibyte is free, whatever it was packed to.
        with(
            "small.csv.gz",
            gzip(format!("text,label\nb,y\n{},x\n", "a".repeat(1 << 19))),
            |config| config.max_line_bytes = 64,
            Fails(
                "DIR/small.csv.gz:3: the line, field or text is longer than 64 bytes",
                "look for a quote that is never closed; if the text is really that long, raise `data.max_line_bytes`",
            ),
        ),
    ]);
    let folder = temp_dir::TempDir::new().unwrap();
    let rows = bomb("a,x\nb,y\n", 1 << 18);
    fs::write(folder.path().join("a.csv.gz"), &rows).unwrap();
    let mut config = DataConfig { train: folder.path().join("a.csv.gz").into(), ..DataConfig::default() };
    config.max_expansion = 2000;
    assert_eq!(load_corpus(&config, 1).unwrap().train.len(), 1 << 19);
}

#[test]
fn fingerprints_are_of_the_packed_file_and_texts_to_predict_on_may_be_packed() {
    let folder = temp_dir::TempDir::new().unwrap();
    let path = folder.path().join("a.csv.zst");
    fs::write(&path, zstd()).unwrap();
    let config = DataConfig { train: path.clone().into(), ..DataConfig::default() };
    let manifest = load_corpus(&config, 1).unwrap().manifest;
    // sha256sum of the bytes above.
    assert_eq!(manifest.train.from.files[0].sha256, "5cf561432db70add32053c235ae3f3a9c87e5140b183e43268a3cbfedfffd2a8");
    assert_eq!(load_texts(&path, &config).unwrap().rows.texts, ["a", "b"]);
    let path = folder.path().join("b.txt.gz");
    fs::write(&path, gzip("one\ntwo\n")).unwrap();
    assert_eq!(load_texts(&path, &config).unwrap().rows.texts, ["one", "two"]);
}
