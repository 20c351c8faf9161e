//! Data files that cannot be used, each tried by processes of its own: exit code 65, the name of the file, little memory,
//! and nothing created. The words of the messages are tested with the readers.

use std::collections::BTreeSet;
use std::io::Write;

use flate2::write::GzEncoder;

use crate::directory::with_data;
use crate::limited::limited;

/// A file as the training file: what is wrong, its name, its content, and the settings of `[data]` beside it.
type Case = (&'static str, &'static str, Vec<u8>, &'static [&'static str]);

fn case(what: &'static str, file: &'static str, content: impl AsRef<[u8]>) -> Case {
    (what, file, content.as_ref().to_vec(), &[])
}

fn with(what: &'static str, file: &'static str, content: impl AsRef<[u8]>, set: &'static [&'static str]) -> Case {
    (what, file, content.as_ref().to_vec(), set)
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn tables() -> Vec<Case> {
    let long = "w".repeat(2 << 20);
    vec![
        case("no byte", "a.csv", ""),
        case("blank lines", "a.csv", "\n\n\r\n"),
        case("a byte order mark alone", "a.csv", "\u{FEFF}"),
        case("a header alone", "a.csv", "text,label\n"),
        case("no column of that name", "a.csv", "sentence,label\na,x\nb,y\n"),
        case("a column twice", "a.csv", "text,label,label\na,x,x\n"),
        case("no header", "a.csv", "a,x\nb,y\n"),
        with("no such column number", "a.csv", "a,x\nb,y\n", &["header=false", "text=0", "label=7"]),
        with("a column beyond 32 bits", "a.csv", "a,x\nb,y\n", &["header=false", "text=0", "label=4294967296"]),
        case("a field too many", "a.csv", "text,label\na,x\nb,y,z\n"),
        case("a field too few", "a.csv", "text,label\na,x\nb\n"),
        case("an unclosed quote", "a.csv", "text,label\n\"a,x\nb,y\n"),
        case("an unclosed quote over megabytes", "a.csv", format!("text,label\n\"{long}")),
        case("text behind a quote", "a.csv", "text,label\n\"a\" b,x\n"),
        case("a quote in the header", "a.csv", "\"text,label\na,x\n"),
        case("a NUL character", "a.csv", "text,label\na\0,x\n"),
        case("NUL characters alone", "a.csv", vec![0; 1 << 20]),
        case("UTF-16 without a mark", "a.csv", utf_16("text,label\na,x\nb,y\n")),
        case("half a UTF-16 character", "a.csv", [&utf_16("\u{FEFF}text,label\na,x\n")[..], b"\n"].concat()),
        case("Latin-1", "a.csv", b"text,label\ncaf\xE9,x\nb,y\n"),
        case("an overlong character", "a.csv", b"text,label\n\xC0\xAF,x\nb,y\n"),
        case("half a surrogate", "a.csv", b"text,label\n\xED\xA0\x80,x\nb,y\n"),
        with("bytes that are not GB 18030", "a.csv", b"text,label\n\x81\x20,x\nb,y\n", &["encoding=\"gb18030\""]),
        with("bytes that are not Shift JIS", "a.csv", b"text,label\n\x85\xFF,x\nb,y\n", &["encoding=\"shift_jis\""]),
        with("UTF-8 read as UTF-16", "a.csv", "text,label\na,x\n", &["encoding=\"utf-16le\""]),
        case("carriage returns alone", "a.csv", "text,label\ra,x\rb,y\r"),
        case("a long line", "a.csv", format!("text,label\n{long},x\n")),
        case("a long header", "a.csv", format!("{long},text,label\na,b,x\n")),
        case("a long label", "a.csv", format!("text,label\na,{long}\n")),
        case("100,000 columns", "a.csv", format!("text{}\na,x\n", ",label".repeat(100_000))),
        case("an empty label", "a.csv", "text,label\na,x\nb,\n"),
        case("one label", "a.csv", "text,label\na,x\nb,x\n"),
        case("one label that a terminal would obey", "a.csv", "text,label\na,\x1b]0;evil\x07\nb,\x1b]0;evil\x07\n"),
        with(
            "a label that is not named",
            "a.csv",
            "text,label\na,0\nb,2\n",
            &["labels={ \"0\" = \"no\", \"1\" = \"yes\" }"],
        ),
        with("everything dropped", "a.csv", "text,label\na,x\nb,y\n", &["drop=[\"x\", \"y\"]"]),
        with("no label in a list", "a.csv", "text,label\na,\nb,\n", &["multi_label=true"]),
        with("an empty label in a list", "a.csv", "text,label\na,\"x,,y\"\nb,z\n", &["multi_label=true"]),
        with("more bad rows than allowed", "a.csv", "text,label\na\nb\nc,x\nd,y\n", &["skip_bad_rows=1"]),
        with("another delimiter", "a.csv", "text;label\na;x\nb;y\n", &[]),
        case("a row too short", "a.tsv", "text\tlabel\na\tx\nb\n"),
        case("a tab too many", "a.tsv", "text\tlabel\na\tx\tz\n"),
        with("an unclosed quote with tabs", "a.tsv", "text\tlabel\n\"a\tx\n", &["quoting=true"]),
        case("a zip file", "a.csv", b"PK\x03\x04\x14\0\0\0\x08\0"),
        case("a gzip file by another name", "a.csv", gzip(b"text,label\na,x\nb,y\n")),
        case("a zstd file by another name", "a.csv", b"\x28\xB5\x2F\xFD\x00\x58"),
        case("a Parquet file by another name", "a.csv", b"PAR1PAR1"),
    ]
}

fn lines_and_packed() -> Vec<Case> {
    let row = "{\"text\":\"a\",\"label\":\"x\"}\n";
    let good = format!("{row}{{\"text\":\"b\",\"label\":\"y\"}}\n");
    let mut cut = gzip(good.as_bytes());
    cut.truncate(cut.len() / 2);
    let mut flipped = gzip(good.as_bytes());
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    vec![
        case("an array of objects", "a.jsonl", format!("[{}]", row.trim_end())),
        case("an object over lines", "a.jsonl", "{\"text\":\"a\",\n\"label\":\"x\"}\n"),
        case("a comma behind an object", "a.jsonl", "{\"text\":\"a\",\"label\":\"x\"},\n"),
        case("two objects on a line", "a.jsonl", "{\"text\":\"a\",\"label\":\"x\"} {}\n"),
        case("a number", "a.jsonl", format!("{row}1e400\n")),
        case("null", "a.jsonl", format!("{row}null\n")),
        case("NaN", "a.jsonl", "{\"text\":\"a\",\"label\":NaN}\n"),
        case("a key twice", "a.jsonl", "{\"text\":\"a\",\"text\":\"b\",\"label\":\"x\"}\n{\"text\":1}\n"),
        case("no label", "a.jsonl", "{\"text\":\"a\"}\n"),
        case("a label that is null", "a.jsonl", "{\"text\":\"a\",\"label\":null}\n"),
        case("a label that is an object", "a.jsonl", "{\"text\":\"a\",\"label\":{}}\n"),
        case("a label that is a list", "a.jsonl", "{\"text\":\"a\",\"label\":[\"x\"]}\n"),
        case("a label that is a fraction", "a.jsonl", "{\"text\":\"a\",\"label\":0.5}\n"),
        case("a text that is a number", "a.jsonl", "{\"text\":1,\"label\":\"x\"}\n"),
        case("half a surrogate as an escape", "a.jsonl", "{\"text\":\"\\ud800\",\"label\":\"x\"}\n"),
        case("an escaped NUL character", "a.jsonl", "{\"text\":\"\\u0000\",\"label\":\"x\"}\n"),
        case("a control character", "a.jsonl", "{\"text\":\"a\x01\",\"label\":\"x\"}\n"),
        case("arrays 100,000 deep", "a.jsonl", format!("{{\"text\":{}\n", "[".repeat(100_000))),
        case("objects 100,000 deep", "a.jsonl", "{\"text\":".repeat(100_000)),
        case("Latin-1 in JSON", "a.jsonl", b"{\"text\":\"caf\xE9\",\"label\":\"x\"}\n"),
        case("no label in front", "a.ft", "a b c\n"),
        case("a prefix alone", "a.ft", "__label__ a\n"),
        case("two labels", "a.ft", "__label__x __label__y a\n"),
        case("a label behind text", "a.ft", "__label__x a __label__y\n"),
        case("a NUL character behind a label", "a.ft", "__label__x a\0\n"),
        case("half a gzip file", "a.jsonl.gz", cut),
        case("a gzip file with a wrong checksum", "a.jsonl.gz", flipped),
        case("text called gzip", "a.csv.gz", "text,label\na,x\n"),
        case("an empty gzip file", "a.csv.gz", ""),
        case("a gzip file of nothing", "a.csv.gz", gzip(b"")),
        case("gzip in gzip", "a.csv.gz", gzip(&gzip(b"text,label\na,x\nb,y\n"))),
        case("a gzip file that becomes 200 MB", "a.csv.gz", gzip(&vec![b'\n'; 200 << 20])),
        case("a gzip file of one line that becomes 200 MB", "a.csv.gz", gzip(&vec![b'a'; 200 << 20])),
        case("text called Zstandard", "a.csv.zst", "text,label\na,x\n"),
        case("half a Zstandard header", "a.csv.zst", b"\x28\xB5\x2F\xFD"),
        case("a Zstandard window of 2 TB", "a.csv.zst", b"\x28\xB5\x2F\xFD\x00\xF8\x01\x00\x00"),
        case(
            "a Zstandard frame of 2^64 - 1 bytes",
            "a.csv.zst",
            b"\x28\xB5\x2F\xFD\xE0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x00\x00",
        ),
        case("an extension that says nothing", "a.dat", "text,label\na,x\n"),
        case("a Parquet file that is none", "a.parquet", "PAR1"),
    ]
}

#[test]
fn data_files_that_cannot_be_used() {
    let cases: Vec<Case> = tables().into_iter().chain(lines_and_packed()).collect();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    assert_eq!(cases.iter().map(|(what, ..)| what).collect::<BTreeSet<_>>().len(), cases.len());

    let dir = with_data("hostile-data", 2);
    let before = dir.list("");
    let mut wrong = Vec::new();
    for (what, file, content, set) in &cases {
        dir.file(file, content);
        for command in ["train", "check"] {
            let train = format!("data.train=\"{file}\"");
            let set: Vec<String> = set.iter().map(|set| format!("data.{set}")).collect();
            let mut arguments = vec![command, "small.toml", "--set", &train];
            set.iter().for_each(|set| arguments.extend(["--set", set]));
            let (code, stderr) = limited(&dir.path(""), &arguments);
            let is_told = stderr.starts_with("error: ") && stderr.contains(file);
            let harmless = !stderr.contains(|c: char| c.is_control() && c != '\n') && stderr.len() < 8 << 10;
            if code != Some(65) || !is_told || !harmless {
                let start: String = stderr.chars().take(500).collect();
                wrong.push(format!("{what}: `{command}`: {code:?}, {is_told}, {harmless}: {start}"));
            }
        }
        std::fs::remove_file(dir.path(file)).unwrap();
        assert_eq!(dir.list(""), before, "{what}");
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{} data files that cannot be used", cases.len());
}
