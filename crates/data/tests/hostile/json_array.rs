//! One JSON array of objects.

use std::fs;

use attentive_data::{
    DataConfig, DataOrigin, Sniffed, TableKind, TablePart, TextInput, Wishes, load_corpus, load_texts, sniff,
};
use temp_dir::TempDir;

use crate::packed::gzip;
use crate::{Fails, Read, case, check, multi, short, with};

const ARRAY: &str = "a JSON file is one array of objects, such as `[{\"text\": \"…\", \"label\": \"…\"}]`";
const ELEMENT: &str = "every element of the array has to be one JSON object";

/// Two examples on one line.
const MINIFIED: &str = "[{\"text\":\"a\",\"label\":\"x\"},{\"text\":\"b\",\"label\":\"y\"}]";

#[test]
fn arrays_are_read_however_they_are_laid_out() {
    let both = || Read(&["a", "b"], &["x", "y"]);
    let pretty = "\u{feff}[\r\n  {\r\n    \"text\": \"a\",\r\n    \"label\": \"x\"\r\n  },\r\n  { \"text\": \"b\", \"label\": \"y\" }\r\n]\r\n";
    check(vec![
        case("minified.json", MINIFIED, both()),
        case("pretty.json", pretty, both()),
        case("packed.json.gz", gzip(MINIFIED), both()),
        with("named.txt", MINIFIED, |config| config.format = attentive_data::Format::Json, both()),
        // Brackets, commas and quotes within strings, and keys that are not asked for, end no element.
        case(
            "brackets.json",
            r#"[{"text":"],[{\"","more":[{"a":[1,2]},"}"],"label":"x"},{"label":"\\","text":","}]"#,
            Read(&["],[{\"", ","], &["x", "\\"]),
        ),
        // One object a line under the same name, as many programs write it.
        case("lines.json", "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\",\"label\":\"y\"}\n", both()),
        with(
            "lists.json",
            "[{\"text\":\"a\",\"label\":[\"y\",\"x\"]},{\"text\":\"b\",\"label\":[]}]",
            multi,
            Read(&["a", "b"], &["x+y", ""]),
        ),
    ]);
}

#[test]
fn what_is_no_array_is_told_with_its_place() {
    check(vec![
        case("empty.json", "", Fails("`DIR/empty.json` is empty", "")),
        case("none.json", " [ ] \n", Fails("`DIR/none.json` is empty", "")),
        case(
            "cut.json",
            "[{\"text\":\"a\",\"label\":\"x\"},\n {\"text\":\"b\",\"la",
            Fails("DIR/cut.json:2:17, element 2: not a JSON array: the file ends within this element", ARRAY),
        ),
        case(
            "open.json",
            "[{\"text\":\"a\",\"label\":\"x\"}\n",
            Fails("DIR/open.json:2:1, element 1: not a JSON array: the file ends within this element", ARRAY),
        ),
        case(
            "comma.json",
            "[{\"text\":\"a\",\"label\":\"x\"},\n]",
            Fails(
                "DIR/comma.json:2:1, element 1: not a JSON array: nothing stands between the last comma and this bracket",
                ARRAY,
            ),
        ),
        case(
            "commas.json",
            "[,{\"text\":\"a\",\"label\":\"x\"}]",
            Fails("DIR/commas.json:1:2: not a JSON array: nothing stands before this comma", ARRAY),
        ),
        case(
            "behind.json",
            format!("{MINIFIED}\n{MINIFIED}"),
            Fails("DIR/behind.json:2:1, element 2: not a JSON array: something stands behind its end", ARRAY),
        ),
        with(
            "object.json",
            "{\"data\": []}",
            |config| config.format = attentive_data::Format::Json,
            Fails("DIR/object.json:1:1: not a JSON array: it does not begin with `[`", ARRAY),
        ),
        case(
            "strings.json",
            "[\"a\", \"b\"]",
            Fails(
                "DIR/strings.json:1:4, element 1: invalid JSON: invalid type: string \"a\", expected an object: `\"a\"`",
                ELEMENT,
            ),
        ),
        // As in a line of a jsonl file, and the column is that of the line in the file.
        case(
            "value.json",
            "[{\"text\":\"a\",\"label\":\"x\"}, {\"text\":NaN,\"label\":1}]",
            Fails(
                "DIR/value.json:1:36, element 2: invalid JSON: expected value: `{\"text\":NaN,\"label\":1}`",
                ELEMENT,
            ),
        ),
        case(
            "below.json",
            "[\n{\n\"text\": \"a\"\n\"label\": \"x\"\n}\n]",
            Fails(
                "DIR/below.json:4:1, element 1: invalid JSON: expected `,` or `}`: `{\\n\"text\": \"a\"\\n\"label\": \"x\"\\n}`",
                ELEMENT,
            ),
        ),
        case(
            "key.json",
            "[\n {\"text\":\"a\",\"label\":\"x\"},\n {\"txt\":\"b\",\"label\":\"y\"}\n]",
            Fails(
                "DIR/key.json:3, element 2: the object has no key `text`: its keys are `txt`, `label`",
                "did you mean `txt`?",
            ),
        ),
        case(
            "deep.json",
            format!("[{{\"text\":{}{},\"label\":1}}]", "[".repeat(100_000), "]".repeat(100_000)),
            Fails(
                "DIR/deep.json:1:136, element 1: invalid JSON: recursion limit exceeded: `{\"text\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[…`",
                ELEMENT,
            ),
        ),
        with(
            "long.json",
            format!("[{{\"text\":\"{}\",\"label\":1}}]", "a".repeat(100)),
            short,
            Fails(
                "DIR/long.json:1, element 1: the line, field or text is longer than 64 bytes",
                "look for a quote that is never closed; if the text is really that long, raise `data.max_line_bytes`",
            ),
        ),
        case(
            "nul.json",
            "[{\"text\":\"a\0\",\"label\":1}]",
            Fails(
                "DIR/nul.json:1, element 1: the text holds a NUL character",
                "no text holds it: take it out; if the file is full of them, it may be UTF-16: set `data.encoding = \"utf-16le\"`",
            ),
        ),
        case(
            "latin.json",
            b"[\n{\"text\":\"caf\xE9\",\"label\":1}]",
            Fails(
                "DIR/latin.json:2, element 1: byte 0xE9 is not valid UTF-8",
                "set `data.encoding` to the encoding of the file, for example \"windows-1252\" for western European text",
            ),
        ),
    ]);
}

/// An array on one line is far longer than a line may be, and each of its elements is not.
#[test]
fn only_an_element_is_bounded_not_the_line() {
    let elements: Vec<String> = (0..40_000).map(|i| format!("{{\"text\":\"a\",\"label\":{}}}", i % 2)).collect();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.json");
    fs::write(&path, format!("[{}]", elements.join(","))).unwrap();
    let config = DataConfig { train: path.clone().into(), max_line_bytes: 64, ..DataConfig::default() };
    let corpus = load_corpus(&config, 1).unwrap();
    assert_eq!(corpus.train.len(), 40_000);
    assert!(corpus.train.location(39_999).unwrap().to_string().ends_with("a.json, element 40000"));
    let mut pieces = Vec::new();
    let from = DataOrigin::File(&path);
    let input = TextInput { from, format: None, config: &config, at_once: 1000, keep_bad: false };
    let take = &mut |part| {
        pieces.extend(if let TablePart::Rows(rows) = part { Some(rows.texts.len()) } else { None });
        true
    };
    input.read(take).unwrap();
    assert_eq!(pieces, [1000; 40]);
}

#[test]
fn bad_elements_are_skipped_with_their_places() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.json");
    let long = "a".repeat(100);
    let mut bytes = format!(
        "[{{\"text\":\"a\",\"label\":1}},\n{{\"text\":tru,\"label\":1}}, {{\"text\":\"{long}\",\"label\":1}},\n7,\n{{\"text\":\"?\",\"label\":1}},{{\"text\":\"b\",\"label\":2}}]"
    )
    .into_bytes();
    let question = bytes.iter().position(|&byte| byte == b'?').unwrap();
    bytes[question] = 0xFF;
    fs::write(&path, bytes).unwrap();
    let mut config =
        DataConfig { train: path.clone().into(), skip_bad_rows: 4, max_line_bytes: 64, ..DataConfig::default() };
    let corpus = load_corpus(&config, 1).unwrap();
    assert_eq!(corpus.train.texts, ["a", "b"]);
    let skipped: Vec<(String, &str)> = corpus
        .manifest
        .train
        .from
        .skipped
        .iter()
        .map(|row| (row.place.rsplit_once('/').unwrap().1.to_owned(), row.reason.as_str()))
        .collect();
    let told: Vec<(&str, &str)> = skipped.iter().map(|(place, reason)| (place.as_str(), *reason)).collect();
    assert_eq!(
        told,
        [
            ("a.json:2:12, element 2", "invalid JSON: expected ident: `{\"text\":tru,\"label\":1}`"),
            ("a.json:2, element 3", "the line, field or text is longer than 64 bytes"),
            ("a.json:3:1, element 4", "invalid JSON: invalid type: integer `7`, expected an object: `7`"),
            ("a.json:4, element 5", "byte 0xFF is not valid UTF-8"),
        ]
    );
    config.skip_bad_rows = 3;
    assert!(load_corpus(&config, 1).unwrap_err().to_string().contains("a.json:2:12, element 2: invalid JSON"));
}

/// An array that never ends a string swallows the rest: that is told, and the search for an end is bounded.
#[test]
fn what_swallows_the_rest_of_the_file_ends_the_reading() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.json");
    let config =
        DataConfig { train: path.clone().into(), skip_bad_rows: 9, max_line_bytes: 64, ..DataConfig::default() };
    for (filler, told) in [(10, "the file ends within this element"), (100_000, "is longer than 64 bytes")] {
        fs::write(&path, format!("[{{\"text\":\"a,{}", "b".repeat(filler))).unwrap();
        let error = load_corpus(&config, 1).unwrap_err().to_string();
        assert!(error.contains("a.json:1") && error.contains(told), "{error}");
    }
}

#[test]
fn texts_to_predict_on_keep_their_objects() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.json");
    fs::write(
        &path,
        "[\n  {\n    \"id\": 12345678901234567890123,\n    \"text\": \"a\\nb\"\n  },\n  {\"text\": \"c\"}\n]\n",
    )
    .unwrap();
    let table = load_texts(&path, &DataConfig::default()).unwrap();
    assert_eq!((table.layout.kind, table.layout.header), (TableKind::JsonLines, None));
    assert_eq!((table.rows.texts, table.rows.lines), (vec!["a\nb".to_owned(), "c".to_owned()], vec![2, 6]));
    let object = "{\n    \"id\": 12345678901234567890123,\n    \"text\": \"a\\nb\"\n  }";
    assert_eq!(table.rows.rows, [object, "{\"text\": \"c\"}"]);
    fs::write(&path, "{\"text\":\"a\"}\n").unwrap();
    assert_eq!(load_texts(&path, &DataConfig::default()).unwrap().rows.texts, ["a"]);
}

#[test]
fn init_knows_an_array_by_its_beginning() {
    let folder = TempDir::new().unwrap();
    let rows = |separator: &str| {
        let rows = (0..40).map(|i| format!("{{\"review\": \"text {i}\", \"stars\": \"{}\"}}", i % 2));
        rows.collect::<Vec<_>>().join(separator)
    };
    let array = format!("[{}]", rows(", "));
    let found = |name: &str, content: &str| -> Sniffed {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        sniff(&path, &Wishes::default()).unwrap()
    };
    for (name, content, format) in [
        ("a.json", &array, "auto"),
        ("a.data", &array, "json"),
        ("b.json", &rows("\n"), "auto"),
        ("b.data", &rows("\n"), "jsonl"),
    ] {
        let data = serde_json::to_value(found(name, content).data).unwrap();
        assert_eq!(
            (&data["format"], &data["text"], &data["label"]),
            (&format.into(), &"review".into(), &"stars".into()),
            "{name}"
        );
    }
}
