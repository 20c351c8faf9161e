//! Bytes, encodings and line ends, in each of the formats of lines.

use crate::{Fails, Read, case, check, short, with};

const LATIN: &str =
    "set `data.encoding` to the encoding of the file, for example \"windows-1252\" for western European text";
const NUL: &str =
    "no text holds it: take it out; if the file is full of them, it may be UTF-16: set `data.encoding = \"utf-16le\"`";

#[test]
fn byte_order_marks_are_removed() {
    check(vec![
        case("bom.csv", "\u{FEFF}text,label\na,x\nb,y\n", Read(&["a", "b"], &["x", "y"])),
        case("bom.tsv", "\u{FEFF}text\tlabel\na\tx\nb\ty\n", Read(&["a", "b"], &["x", "y"])),
        case(
            "bom.jsonl",
            "\u{FEFF}{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\",\"label\":\"y\"}\n",
            Read(&["a", "b"], &["x", "y"]),
        ),
        case("bom.txt", "\u{FEFF}__label__x a\n__label__y b\n", Read(&["a", "b"], &["x", "y"])),
        // One that stands inside a field belongs to the text.
        case("inside.csv", "text,label\n\u{FEFF}a,x\nb,y\n", Read(&["\u{FEFF}a", "b"], &["x", "y"])),
    ]);
}

#[test]
fn utf_16() {
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let csv = "text,label\né,x\nb,y\n";
    check(vec![
        case("marked.csv", utf_16(&format!("\u{FEFF}{csv}")), Read(&["é", "b"], &["x", "y"])),
        case("marked.ft", utf_16("\u{FEFF}__label__x é\n__label__y b\n"), Read(&["é", "b"], &["x", "y"])),
        with(
            "named.csv",
            utf_16(csv),
            |config| config.encoding = "utf-16le".to_owned(),
            Read(&["é", "b"], &["x", "y"]),
        ),
        case("unmarked.csv", utf_16(csv), Fails("DIR/unmarked.csv:1: the text holds a NUL character", NUL)),
        case("unmarked.tsv", utf_16("text\tlabel\n"), Fails("DIR/unmarked.tsv:1: the text holds a NUL character", NUL)),
        case(
            "unmarked.jsonl",
            utf_16("{\"text\":\"a\",\"label\":1}\n"),
            Fails("DIR/unmarked.jsonl:1: the text holds a NUL character", NUL),
        ),
        case("unmarked.ft", utf_16("__label__x a\n"), Fails("DIR/unmarked.ft:1: the text holds a NUL character", NUL)),
        // Half of the last character is missing.
        with(
            "cut.csv",
            &utf_16(csv)[..utf_16(csv).len() - 1],
            |config| config.encoding = "utf-16le".to_owned(),
            Fails(
                "DIR/cut.csv:3: byte 0x0A is not valid UTF-16LE",
                "set `data.encoding` to the encoding of the file, for example \"utf-8\"",
            ),
        ),
    ]);
}

#[test]
fn nul_characters() {
    check(vec![
        case("a.csv", "text,label\na,x\nb\0c,y\n", Fails("DIR/a.csv:3: the text holds a NUL character", NUL)),
        case("a.tsv", "text\tlabel\na\tx\nb\ty\0\n", Fails("DIR/a.tsv:3: the text holds a NUL character", NUL)),
        case(
            "a.jsonl",
            "{\"text\":\"a\",\"label\":\"x\"}\n\0\n",
            Fails("DIR/a.jsonl:2: the text holds a NUL character", NUL),
        ),
        case("a.ft", "__label__x a\0\n", Fails("DIR/a.ft:1: the text holds a NUL character", NUL)),
        case(
            "quoted.csv",
            "text,label\n\"a\n\nb\0\",x\n",
            Fails("DIR/quoted.csv:4: the text holds a NUL character", NUL),
        ),
        case("end.csv", "text,label\na,x\n\0\0\0\0", Fails("DIR/end.csv:3: the text holds a NUL character", NUL)),
    ]);
}

#[test]
fn bytes_that_are_not_utf_8() {
    check(vec![
        case(
            "latin.csv",
            b"text,label\na,x\ncaf\xE9,y\n",
            Fails("DIR/latin.csv:3: byte 0xE9 is not valid UTF-8", LATIN),
        ),
        case("latin.tsv", b"text\tlabel\ncaf\xE9\ty\n", Fails("DIR/latin.tsv:2: byte 0xE9 is not valid UTF-8", LATIN)),
        case(
            "latin.jsonl",
            b"{\"text\":\"caf\xE9\",\"label\":1}\n",
            Fails("DIR/latin.jsonl:1: byte 0xE9 is not valid UTF-8", LATIN),
        ),
        case("latin.txt", b"__label__x caf\xE9\n", Fails("DIR/latin.txt:1: byte 0xE9 is not valid UTF-8", LATIN)),
        case("header.csv", b"text,labe\xEE\na,x\n", Fails("DIR/header.csv:1: byte 0xEE is not valid UTF-8", LATIN)),
        case("first.csv", b"\xFFtext,label\na,x\n", Fails("DIR/first.csv:1: byte 0xFF is not valid UTF-8", LATIN)),
        case("last.csv", b"text,label\na,x\nb,y\xC3", Fails("DIR/last.csv:3: byte 0xC3 is not valid UTF-8", LATIN)),
        // An overlong slash, a surrogate, a code point beyond the last.
        case(
            "overlong.csv",
            b"text,label\n\xC0\xAF,x\n",
            Fails("DIR/overlong.csv:2: byte 0xC0 is not valid UTF-8", LATIN),
        ),
        case(
            "surrogate.csv",
            b"text,label\n\xED\xA0\x80,x\n",
            Fails("DIR/surrogate.csv:2: byte 0xED is not valid UTF-8", LATIN),
        ),
        case(
            "beyond.csv",
            b"text,label\n\xF4\x90\x80\x80,x\n",
            Fails("DIR/beyond.csv:2: byte 0xF4 is not valid UTF-8", LATIN),
        ),
        with(
            "latin.csv",
            b"text,label\ncaf\xE9,x\n\x93b\x94,y\n",
            |config| config.encoding = "latin1".to_owned(),
            Read(&["café", "\u{201C}b\u{201D}"], &["x", "y"]),
        ),
    ]);
}

#[test]
fn a_bad_byte_anywhere_is_named_with_its_line() {
    // Reads are of 64 KiB; the bad byte is put before, on and behind the seams.
    for position in [11, 65_530, 65_535, 65_536, 65_537, 131_071, 131_072, 200_000] {
        let mut content = b"text,label\n".to_vec();
        while content.len() <= 200_000 {
            content.extend_from_slice(b"some words of text,x\n");
        }
        content[position] = 0xFF;
        let line = content[..position].iter().filter(|&&byte| byte == b'\n').count() + 1;
        let folder = temp_dir::TempDir::new().unwrap();
        let Err((_, [message, _])) = crate::load(&folder, "a.csv", &content, |_| {}) else { panic!("{position}") };
        assert_eq!(message, format!("DIR/a.csv:{line}: byte 0xFF is not valid UTF-8"));
    }
}

#[test]
fn line_ends() {
    check(vec![
        case("crlf.csv", "text,label\r\na,x\r\nb,y\r\n", Read(&["a", "b"], &["x", "y"])),
        case("mixed.tsv", "text\tlabel\r\na\tx\nb\ty\r\n", Read(&["a", "b"], &["x", "y"])),
        case(
            "crlf.jsonl",
            "{\"text\":\"a\",\"label\":\"x\"}\r\n{\"text\":\"b\",\"label\":\"y\"}\r\n",
            Read(&["a", "b"], &["x", "y"]),
        ),
        case("crlf.ft", "__label__x a\r\n__label__y b\r\n", Read(&["a", "b"], &["x", "y"])),
        case("lone_inside.csv", "text,label\n\"a\rb\",x\nc,y\n", Read(&["a\rb", "c"], &["x", "y"])),
        // The line ends of a Macintosh of the last century are none here: it is one line.
        case(
            "lone.csv",
            "text,label\ra,x\rb,y\r",
            Fails(
                "`DIR/lone.csv` has no column `label`: its columns are `text`, `label a`, `x b`, `y`",
                "its lines end with a carriage return alone, so that they are one line: `tr '\\r' '\\n' < FILE > OTHER` converts it",
            ),
        ),
        case("no_final.csv", "text,label\na,x\nb,y", Read(&["a", "b"], &["x", "y"])),
        case(
            "no_final.jsonl",
            "{\"text\":\"a\",\"label\":\"x\"}\n{\"text\":\"b\",\"label\":\"y\"}",
            Read(&["a", "b"], &["x", "y"]),
        ),
        case("no_final.ft", "__label__x a\n__label__y b", Read(&["a", "b"], &["x", "y"])),
        case("blank.csv", "\n\ntext,label\n\na,x\n\r\nb,y\n\n\n", Read(&["a", "b"], &["x", "y"])),
        case("blank.tsv", "text\tlabel\n\na\tx\n\n\nb\ty\n", Read(&["a", "b"], &["x", "y"])),
        case(
            "blank.jsonl",
            "\n{\"text\":\"a\",\"label\":\"x\"}\n  \n{\"text\":\"b\",\"label\":\"y\"}\n\n",
            Read(&["a", "b"], &["x", "y"]),
        ),
        case("blank.ft", "\n__label__x a\n  \n__label__y b\n\n", Read(&["a", "b"], &["x", "y"])),
    ]);
}

#[test]
fn lines_that_are_too_long() {
    let long = "w ".repeat(50);
    check(vec![
        with(
            "a.csv",
            format!("text,label\n{long},x\n"),
            short,
            Fails(
                "DIR/a.csv:2: the line, field or text is longer than 64 bytes",
                "look for a quote that is never closed; if the text is really that long, raise `data.max_line_bytes`",
            ),
        ),
        with(
            "a.tsv",
            format!("text\tlabel\nb\ty\n{long}\tx\n"),
            short,
            Fails(
                "DIR/a.tsv:3: the line, field or text is longer than 64 bytes",
                "look for a quote that is never closed; if the text is really that long, raise `data.max_line_bytes`",
            ),
        ),
        with(
            "a.jsonl",
            format!("{{\"text\":\"{long}\",\"label\":1}}\n"),
            short,
            Fails(
                "DIR/a.jsonl:1: the line, field or text is longer than 64 bytes",
                "look for a quote that is never closed; if the text is really that long, raise `data.max_line_bytes`",
            ),
        ),
        with(
            "a.ft",
            format!("__label__x {long}\n"),
            short,
            Fails(
                "DIR/a.ft:1: the line, field or text is longer than 64 bytes",
                "look for a quote that is never closed; if the text is really that long, raise `data.max_line_bytes`",
            ),
        ),
        with(
            "header.csv",
            format!("{long},text,label\na,b,x\n"),
            short,
            Fails(
                "DIR/header.csv:1: the line, field or text is longer than 64 bytes",
                "look for a quote that is never closed; if the text is really that long, raise `data.max_line_bytes`",
            ),
        ),
    ]);
}

#[test]
fn long_texts_within_the_limit_are_read_whole() {
    // A million tokens.
    let long = "w ".repeat(1_000_000);
    let folder = temp_dir::TempDir::new().unwrap();
    let content = format!("text,label\n{long},x\nb,y\n");
    let corpus = crate::load(&folder, "a.csv", content.as_bytes(), |config| config.max_line_bytes = 3 << 20).unwrap();
    assert_eq!(corpus.train.texts.get(0), long);
}
