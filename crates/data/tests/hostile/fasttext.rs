//! FastText's `__label__` lines.

use attentive_data::{DataConfig, Format, load_texts};

use crate::{Fails, Read, case, check, multi, with};

fn fasttext(config: &mut DataConfig) {
    config.format = Format::Fasttext;
}

#[test]
fn lines() {
    check(vec![
        case("empty.ft", "", Fails("`DIR/empty.ft` is empty", "")),
        case("blank.ft", "\n \n", Fails("`DIR/blank.ft` is empty", "")),
        case(
            "none.ft",
            "__label__x a\nno label here\n",
            Fails(
                "DIR/none.ft:2: the line does not begin with a label: `no label here`",
                "write `__label__NAME` and a space before the text; if an example can have no label, set `data.multi_label = true`",
            ),
        ),
        case(
            "behind.ft",
            "__label__x a\nsome text __label__y\n",
            Fails(
                "DIR/behind.ft:2: the line does not begin with a label: `some text __label__y`",
                "write `__label__NAME` and a space before the text; if an example can have no label, set `data.multi_label = true`",
            ),
        ),
        case(
            "between.ft",
            "__label__x a\n__label__y b __label__z c\n",
            Fails(
                "DIR/between.ft:2: the label `__label__z` stands behind text",
                "move it to the front of the line, where all labels stand, or remove it",
            ),
        ),
        case(
            "two.ft",
            "__label__x __label__y a\n",
            Fails(
                "DIR/two.ft:1: the line has 2 labels: `__label__x __label__y a`",
                "if an example can have several labels, set `data.multi_label = true`",
            ),
        ),
        case(
            "nameless.ft",
            "__label__ a\n",
            Fails("DIR/nameless.ft:1: the label is empty", "give the row a label or remove it"),
        ),
        with(
            "csv.csv",
            "text,label\na,x\n",
            fasttext,
            Fails(
                "DIR/csv.csv:1: the line does not begin with a label: `text,label`",
                "write `__label__NAME` and a space before the text; if an example can have no label, set `data.multi_label = true`",
            ),
        ),
        case("plain.ft", "__label__x  some  text \n__label__y\tb\n", Read(&["some  text", "b"], &["x", "y"])),
        case("textless.ft", "__label__x\n__label__y b\n", Read(&["", "b"], &["x", "y"])),
        case(
            "word.ft",
            "__label__x snake__label__case\n__label__y b\n",
            Read(&["snake__label__case", "b"], &["x", "y"]),
        ),
        with(
            "several.ft",
            "__label__x __label__y a\nno label\n__label__x b\n",
            multi,
            Read(&["a", "no label", "b"], &["x+y", "", "x"]),
        ),
        // A .txt file is a table, unless it begins like this.
        case("sniffed.txt", "\n__label__x a\n__label__y b\n", Read(&["a", "b"], &["x", "y"])),
        case("table.txt", "text\tlabel\na\tx\n__label__b\ty\n", Read(&["a", "__label__b"], &["x", "y"])),
    ]);
}

#[test]
fn labels_are_not_minded_in_texts_to_predict_on() {
    let folder = temp_dir::TempDir::new().unwrap();
    let texts = |name: &str, content: &str, format: Format| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        load_texts(&path, &DataConfig { format, ..DataConfig::default() }).unwrap().rows.texts
    };
    assert_eq!(
        texts("a.ft", "__label__x a\nb\n\n__label__x __label__y c __label__z", Format::Auto),
        ["a", "b", "", "c __label__z"]
    );
    assert_eq!(texts("a.txt", "__label__x a\nb\n", Format::Auto), ["a", "b"]);
    assert_eq!(texts("b.txt", "b\n__label__x a\n", Format::Fasttext), ["b", "a"]);
    assert_eq!(texts("c.txt", "b\n__label__x a\n", Format::Auto), ["b", "__label__x a"]);
}
