//! What `predict` writes can be evaluated, and is what it read: every dialect, with texts that are awkward in it.

use std::fmt::Write;

use encoding_rs::Encoding;
use serde_json::{Map, Value, json};

use crate::directory::{CONFIG, Dir, setup};

/// Texts that some dialect has to quote, escape, or cannot hold.
const AWKWARD: [&str; 16] = [
    "a great film",
    "",
    " leading and trailing ",
    "\"quoted\"",
    "a \"quote\" within",
    "one, two; three | four",
    "\"unbalanced",
    "café größe",
    "back\\slash \\n \\u0041",
    "apostrophe's",
    "#comment =1+1",
    "tab\there",
    "line\nbreak",
    "windows\r\nbreak",
    "emoji 😀 and 漢字",
    "a; \"mix\",\tof\nall",
];

/// How a file is laid out.
#[derive(Clone, Copy)]
struct Dialect {
    extension: &'static str,
    delimiter: char,
    quoted: bool,
    header: bool,
    encoding: &'static str,
    crlf: bool,
}

impl Dialect {
    fn name(&self) -> String {
        let Self { extension, delimiter, quoted, header, encoding, crlf } = self;
        format!("{extension} {delimiter:?} quoted={quoted} header={header} {encoding} crlf={crlf}")
    }

    fn is_json(&self) -> bool {
        self.extension == "jsonl"
    }

    /// Whether its encoding has every character.
    fn encodes(&self, text: &str) -> bool {
        self.encoding == "utf-16le" || !Encoding::for_label(self.encoding.as_bytes()).unwrap().encode(text).2
    }

    fn holds(&self, text: &str) -> bool {
        self.is_json() || self.encodes(text) && (self.quoted || !text.contains([self.delimiter, '\n', '\r']))
    }

    fn field(&self, text: &str) -> String {
        match self.quoted && text.contains([self.delimiter, '"', '\n', '\r']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text.to_string(),
        }
    }

    /// A file of these rows: id, text and label.
    fn file(&self, rows: &[[&str; 3]]) -> Vec<u8> {
        let mut file = String::new();
        let end = if self.crlf { "\r\n" } else { "\n" };
        if self.is_json() {
            for [id, text, label] in rows {
                let object = json!({ "id": id, "text": text, "label": label }).to_string();
                file += &if self.encoding == "utf-8" { object } else { escaped(&object) };
                file += end;
            }
        } else {
            let header = [["id", "text", "label"]];
            for row in header.iter().filter(|_| self.header).chain(rows) {
                let fields: Vec<String> = row.iter().map(|field| self.field(field)).collect();
                write!(file, "{}{end}", fields.join(&self.delimiter.to_string())).unwrap();
            }
        }
        self.encode(&file)
    }

    fn encode(&self, text: &str) -> Vec<u8> {
        match self.encoding {
            "utf-16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            name => Encoding::for_label(name.as_bytes()).unwrap().encode(text).0.into_owned(),
        }
    }

    fn decode(&self, bytes: &[u8]) -> String {
        Encoding::for_label(self.encoding.as_bytes()).unwrap().decode_without_bom_handling(bytes).0.into_owned()
    }

    /// The config that reads it.
    fn data(&self) -> String {
        let mut data = format!("encoding = \"{}\"\n", self.encoding);
        if self.extension == "csv" {
            writeln!(data, "delimiter = \"{}\"", self.delimiter).unwrap();
        } else if self.extension == "tsv" {
            writeln!(data, "quoting = {}", self.quoted).unwrap();
        }
        if !self.header {
            data += "header = false\ntext = 1\nlabel = 2\n";
        }
        data
    }
}

fn escaped(json: &str) -> String {
    json.chars().fold(String::new(), |mut text, character| {
        if character.is_ascii() {
            text.push(character);
        } else {
            character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| write!(text, "\\u{unit:04x}").unwrap());
        }
        text
    })
}

fn dialects() -> Vec<Dialect> {
    let csv = Dialect { extension: "csv", delimiter: ',', quoted: true, header: true, encoding: "utf-8", crlf: false };
    let tsv = Dialect { extension: "tsv", delimiter: '\t', quoted: false, ..csv };
    let jsonl = Dialect { extension: "jsonl", ..csv };
    let encodings = ["utf-8", "windows-1252", "utf-16le", "gb18030", "shift_jis"];
    let mut dialects = Vec::new();
    for (index, encoding) in encodings.into_iter().enumerate() {
        let odd = index % 2 == 1;
        dialects.push(Dialect { encoding, crlf: odd, delimiter: [',', ';', '|'][index % 3], ..csv });
        dialects.push(Dialect { encoding, header: odd, quoted: odd, ..tsv });
        dialects.push(Dialect { encoding, header: !odd, delimiter: [';', ',', '\t'][index % 3], ..csv });
        dialects.push(Dialect { encoding, crlf: !odd, quoted: !odd, ..tsv });
        dialects.push(Dialect { encoding, ..jsonl });
    }
    dialects
}

/// Evaluates a file, which must be possible.
fn evaluated(dir: &Dir, file: &str, what: &str) -> Value {
    let finished = dir.run(&format!("evaluate runs/small --data {file} --json"));
    serde_json::from_str(&finished.expect(0, &format!("evaluate {file}: {what}")).stdout).unwrap()
}

/// `evaluate --data X` equals `evaluate --data predict(X)`, over delimiters, quoting, headers, encodings and formats.
#[test]
fn predictions_evaluate_as_what_they_are_made_of() {
    for dialect in dialects() {
        let dir = setup("round-trip");
        let name = dialect.name();
        let texts: Vec<&str> = AWKWARD.into_iter().filter(|text| dialect.holds(text)).collect();
        let rows: Vec<[&str; 3]> =
            texts.iter().enumerate().map(|(index, text)| ["007", *text, ["größer", "b c"][index % 2]]).collect();
        let rows: Vec<[&str; 3]> = if dialect.holds("größer") {
            rows
        } else {
            rows.into_iter().map(|[id, text, label]| [id, text, if label == "b c" { label } else { "a" }]).collect()
        };
        let file = format!("train.{}", dialect.extension);
        let many: Vec<[&str; 3]> = rows.iter().cycle().take(rows.len() * 2).copied().collect();
        dir.file(&file, dialect.file(&many));
        let config = CONFIG.replace("validation = \"validation.csv\"\ntest = \"test.csv\"\n", &dialect.data());
        dir.file("small.toml", config.replace("train.csv", &file));
        dir.run("train small.toml").expect(0, &name);
        let expected = evaluated(&dir, &file, &name);
        assert_eq!(expected["n"], many.len(), "{name}");

        // In its own dialect every row is copied, and the predictions stand behind it.
        let own = format!("own.{}", dialect.extension);
        dir.run(&format!("predict runs/small --input {file} --output {own}")).expect(0, &name);
        assert_eq!(evaluated(&dir, &own, &name), expected, "{name}");
        if !dialect.is_json() {
            let added =
                |line: &str| line.contains(&format!("{}0.", dialect.delimiter)) || line.contains("predicted_label");
            let [before, after] = [&file, &own].map(|file| dialect.decode(&dir.read(file)));
            assert_eq!(before.matches('\n').count(), after.matches('\n').count(), "{name}");
            assert!(after.lines().filter(|line| added(line)).count() >= many.len(), "{name}: {after}");
        }

        // In every other format all columns are carried. What the other cannot hold is an error, never another text.
        for extension in ["csv", "tsv", "jsonl", "csv.gz", "jsonl.zst"] {
            let other = format!("other.{extension}");
            let finished = dir.run(&format!("predict runs/small --input {file} --output {other}"));
            let unquoted = extension == "tsv" && !dialect.data().contains("quoting = true");
            let splits = |text: &&str| unquoted && text.contains(['\t', '\n', '\r']);
            let lacks = |text: &&str| !extension.starts_with("jsonl") && !dialect.encodes(text);
            if rows.iter().flatten().any(|field| splits(field) || lacks(field)) {
                let told = finished.expect(65, &name).stderr;
                let message = ["and fields without quotes cannot", "does not have"];
                assert!(message.iter().any(|message| told.contains(message)), "{name}: {told}");
                assert!(!dir.path(&other).exists());
                continue;
            }
            finished.expect(0, &format!("{name} to {extension}"));
            assert_eq!(evaluated(&dir, &other, &name), expected, "{name} to {extension}");
            if extension == "jsonl" {
                let written = dialect.decode(&dir.read(&other));
                for (line, row) in written.lines().zip(&many) {
                    let object: Map<String, Value> = serde_json::from_str(line).unwrap();
                    let keys = if dialect.header { ["id", "text", "label"] } else { ["0", "1", "2"] };
                    assert_eq!(keys.map(|key| object[key].as_str().unwrap()), *row, "{name}: {line}");
                }
            }
        }
    }
}
