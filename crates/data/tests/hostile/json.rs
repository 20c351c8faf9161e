//! JSON Lines.

use crate::{Fails, Read, case, check, multi, with};

const ONE: &str = "{\"text\":\"a\",\"label\":\"x\"}\n";

#[test]
fn lines() {
    let deep = format!("{{\"text\":{}", "[".repeat(100_000));
    let deep_elsewhere =
        format!("{{\"text\":\"a\",\"other\":{}{},\"labl\":1}}\n", "[".repeat(100_000), "]".repeat(100_000));
    check(vec![
        case("empty.jsonl", "", Fails("`DIR/empty.jsonl` is empty", "")),
        case("blank.jsonl", "\n \n", Fails("`DIR/blank.jsonl` is empty", "")),
        case(
            "cut.jsonl",
            format!("{ONE}{{\"text\":\"b\",\"la"),
            Fails(
                "DIR/cut.jsonl:2:15: invalid JSON: EOF while parsing a string: `{\"text\":\"b\",\"la`",
                "a JSONL file has one JSON object on each line",
            ),
        ),
        case(
            "comma.jsonl",
            format!("{ONE}{{\"text\":\"b\",}}\n"),
            Fails(
                "DIR/comma.jsonl:2:13: invalid JSON: trailing comma: `{\"text\":\"b\",}`",
                "a JSONL file has one JSON object on each line",
            ),
        ),
        case(
            "array.jsonl",
            "[\"a\",\"x\"]\n",
            Fails(
                "DIR/array.jsonl:1:1: invalid JSON: invalid type: sequence, expected an object: `[\"a\",\"x\"]`",
                "a JSONL file has one JSON object on each line; for one array of objects set `data.format = \"json\"`",
            ),
        ),
        case(
            "pretty.jsonl",
            "{\n  \"text\": \"a\",\n  \"label\": 1\n}\n",
            Fails(
                "DIR/pretty.jsonl:1:1: invalid JSON: EOF while parsing an object: `{`",
                "a JSONL file has one JSON object on each line",
            ),
        ),
        case(
            "two.jsonl",
            "{\"text\":\"a\",\"label\":1} {\"text\":\"b\",\"label\":2}\n",
            Fails(
                "DIR/two.jsonl:1:24: invalid JSON: trailing characters: `{\"text\":\"a\",\"label\":1} {\"text\":\"b\",\"label\":2}`",
                "a JSONL file has one JSON object on each line",
            ),
        ),
        case(
            "csv.jsonl",
            "text,label\na,x\n",
            Fails(
                "DIR/csv.jsonl:1:2: invalid JSON: expected ident: `text,label`",
                "a JSONL file has one JSON object on each line",
            ),
        ),
        case(
            "single_quotes.jsonl",
            "{'text': 'a', 'label': 1}\n",
            Fails(
                "DIR/single_quotes.jsonl:1:2: invalid JSON: key must be a string: `{'text': 'a', 'label': 1}`",
                "a JSONL file has one JSON object on each line",
            ),
        ),
        case(
            "surrogate.jsonl",
            "{\"text\":\"\\ud800\",\"label\":1}\n",
            Fails(
                "DIR/surrogate.jsonl:1:16: invalid JSON: unexpected end of hex escape: `{\"text\":\"\\ud800\",\"label\":1}`",
                "a JSONL file has one JSON object on each line",
            ),
        ),
        case(
            "tab.jsonl",
            "{\"text\":\"a\tb\",\"label\":1}\n",
            Fails(
                "DIR/tab.jsonl:1:11: invalid JSON: control character (\\u0000-\\u001F) found while parsing a string: `{\"text\":\"a\\tb\",\"label\":1}`",
                "a JSONL file has one JSON object on each line",
            ),
        ),
        case(
            "deep.jsonl",
            deep,
            Fails(
                "DIR/deep.jsonl:1:135: invalid JSON: recursion limit exceeded: `{\"text\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[…`",
                "a JSONL file has one JSON object on each line",
            ),
        ),
        case(
            "deep_elsewhere.jsonl",
            deep_elsewhere,
            Fails(
                "DIR/deep_elsewhere.jsonl:1: the object has no key `label`: its keys are `text`, `other`, `labl`",
                "did you mean `labl`?",
            ),
        ),
    ]);
}

#[test]
fn values() {
    check(vec![
        case(
            "nan.jsonl",
            format!("{ONE}{{\"text\":NaN,\"label\":1}}\n"),
            Fails(
                "DIR/nan.jsonl:2:9: invalid JSON: expected value: `{\"text\":NaN,\"label\":1}`",
                "a JSONL file has one JSON object on each line",
            ),
        ),
        case(
            "number.jsonl",
            "{\"text\":1.5,\"label\":1}\n",
            Fails("DIR/number.jsonl:1: `text` is a fraction, not a string", "check `data.text` and `data.label`"),
        ),
        case(
            "null.jsonl",
            "{\"text\":null,\"label\":1}\n",
            Fails("DIR/null.jsonl:1: `text` is null, not a string", "check `data.text` and `data.label`"),
        ),
        case(
            "missing.jsonl",
            format!("{ONE}{{\"txt\":\"b\",\"label\":1}}\n"),
            Fails(
                "DIR/missing.jsonl:2: the object has no key `text`: its keys are `txt`, `label`",
                "did you mean `txt`?",
            ),
        ),
        case(
            "no_label.jsonl",
            format!("{ONE}{{\"text\":\"b\"}}\n"),
            Fails("DIR/no_label.jsonl:2: the object has no key `label`: its keys are `text`", ""),
        ),
        case(
            "null_label.jsonl",
            format!("{ONE}{{\"text\":\"b\",\"label\":null}}\n"),
            Fails("DIR/null_label.jsonl:2: the label is empty", "give the row a label or remove it"),
        ),
        case(
            "fraction.jsonl",
            "{\"text\":\"a\",\"label\":1.0}\n",
            Fails(
                "DIR/fraction.jsonl:1: `label` is a fraction, not a string or an integer",
                "check `data.text` and `data.label`",
            ),
        ),
        case(
            "list.jsonl",
            "{\"text\":\"a\",\"label\":[1]}\n",
            Fails(
                "DIR/list.jsonl:1: `label` is an array, not a string or an integer",
                "if an example can have several labels, set `data.multi_label = true`",
            ),
        ),
        with(
            "nested.jsonl",
            "{\"text\":\"a\",\"label\":[[1]]}\n",
            multi,
            Fails(
                "DIR/nested.jsonl:1: `label[0]` is an array, not a string or an integer",
                "check `data.text` and `data.label`",
            ),
        ),
        with(
            "empty_label.jsonl",
            "{\"text\":\"a\",\"label\":[\"x\",\"\"]}\n",
            multi,
            Fails(
                "DIR/empty_label.jsonl:1: one of the labels in `x,` is empty",
                "remove the separator that nothing follows or goes before",
            ),
        ),
        // An integer and a string of the same digits are the same label.
        case(
            "mixed.jsonl",
            "{\"text\":\"a\",\"label\":1}\n{\"text\":\"b\",\"label\":\"1\"}\n{\"text\":\"c\",\"label\":2}\n",
            Read(&["a", "b", "c"], &["1", "1", "2"]),
        ),
        case(
            "large.jsonl",
            "{\"text\":\"a\",\"label\":18446744073709551615}\n{\"text\":\"b\",\"label\":-1}\n",
            Read(&["a", "b"], &["18446744073709551615", "-1"]),
        ),
        case(
            "booleans.jsonl",
            "{\"text\":\"a\",\"label\":true}\n{\"text\":\"b\",\"label\":false}\n",
            Read(&["a", "b"], &["true", "false"]),
        ),
        case(
            "escapes.jsonl",
            "{\"t\\u0065xt\":\"\\u00e9\\n\",\"label\":1}\n{\"text\":\"b\",\"label\":2}\n",
            Read(&["é\n", "b"], &["1", "2"]),
        ),
        // Of a key that is there twice the last counts, as in every common reader.
        case(
            "twice.jsonl",
            "{\"text\":\"a\",\"text\":\"b\",\"label\":1}\n{\"text\":\"c\",\"label\":2}\n",
            Read(&["b", "c"], &["1", "2"]),
        ),
        case(
            "nul.jsonl",
            "{\"text\":\"a\\u0000b\",\"label\":1}\n{\"text\":\"c\",\"label\":2}\n",
            Fails(
                "DIR/nul.jsonl:1: the text holds a NUL character",
                "no text holds it: take it out; if the file is full of them, it may be UTF-16: set `data.encoding = \"utf-16le\"`",
            ),
        ),
    ]);
}
