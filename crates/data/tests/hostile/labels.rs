//! Labels: missing, unknown, alike, few, many, renamed, dropped.

use std::fs;

use attentive_data::{DataConfig, SplitSource, UnknownLabels, load_corpus};

use crate::{Fails, Read, case, check, multi, with};

fn rename(config: &mut DataConfig) {
    config.rename = [("4", "positive"), ("3", "positive")].map(|(a, b)| (a.to_owned(), b.to_owned())).into();
}

#[test]
fn labels_that_are_none() {
    check(vec![
        case(
            "empty.csv",
            "text,label\na,x\nb,\n",
            Fails("DIR/empty.csv:3: the label is empty", "give the row a label or remove it"),
        ),
        case(
            "spaces.tsv",
            "text\tlabel\na\tx\nb\t  \n",
            Fails("DIR/spaces.tsv:3: the label is empty", "give the row a label or remove it"),
        ),
        with(
            "between.tsv",
            "text\tlabel\na\tx,,y\n",
            multi,
            Fails(
                "DIR/between.tsv:2: one of the labels in `x,,y` is empty",
                "remove the separator that nothing follows or goes before",
            ),
        ),
        with(
            "no_one.tsv",
            "text\tlabel\na\t\nb\t\n",
            multi,
            Fails(
                "no example of `DIR/no_one.tsv` has a label",
                "check `data.label`: it should name the column that holds the labels",
            ),
        ),
        case(
            "single.csv",
            "text,label\na,x\nb,x\n",
            Fails(
                "every example of `DIR/single.csv` has the label `x`: a classifier needs at least two labels",
                "check `data.label`: it should name the column that holds the labels",
            ),
        ),
    ]);
}

#[test]
fn labels_that_a_terminal_would_obey_are_told_on_one_line() {
    let dropped = "check `data.label`: it should name the column that holds the labels";
    check(vec![
        case(
            "lines.csv",
            "text,label\na,\"x\ny\"\n",
            Fails(
                "every example of `DIR/lines.csv` has the label `x y`: a classifier needs at least two labels",
                dropped,
            ),
        ),
        case(
            "escapes.jsonl",
            "{\"text\":\"a\",\"label\":\"\\u001b[31mx\"}\n",
            Fails(
                "every example of `DIR/escapes.jsonl` has the label ` [31mx`: a classifier needs at least two labels",
                dropped,
            ),
        ),
    ]);
}

/// Comparing two of them would take as many steps as the product of their lengths.
#[test]
fn labels_of_half_a_megabyte_are_not_compared() {
    let folder = temp_dir::TempDir::new().unwrap();
    let (known, unknown) = ("a".repeat(500_000), "b".repeat(500_000));
    let test = folder.path().join("test.csv");
    fs::write(&test, format!("text,label\na,{unknown}\n")).unwrap();
    let train = folder.path().join("train.csv");
    fs::write(&train, format!("text,label\na,{known}\nb,x\n")).unwrap();
    let config =
        DataConfig { train: train.into(), test: Some(SplitSource::Files(test.into())), ..DataConfig::default() };
    let error = load_corpus(&config, 1).unwrap_err();
    assert!(error.to_string().contains("unknown label `bbb"), "{error}");
    assert!(error.to_string().len() < 1000 && error.hint().is_some_and(|hint| hint.starts_with("the label set")));
}

#[test]
fn labels_that_look_alike() {
    check(vec![
        // White space around a label is not part of it; capitals are.
        case("spaces.csv", "text,label\na, x\nb,x \nc,X\n", Read(&["a", "b", "c"], &["x", "x", "X"])),
        // The same letter in two Unicode normal forms is two labels: only the user can tell which is meant.
        case("forms.csv", "text,label\na,caf\u{E9}\nb,cafe\u{301}\n", Read(&["a", "b"], &["caf\u{E9}", "cafe\u{301}"])),
        case("digits.csv", "text,label\na,1\nb,01\nc,1.0\n", Read(&["a", "b", "c"], &["1", "01", "1.0"])),
        // A class of one example can be trained on, if hardly learned.
        case("one.csv", "text,label\na,x\nb,x\nc,y\n", Read(&["a", "b", "c"], &["x", "x", "y"])),
        // Texts may be empty; `check` tells of them.
        case("texts.csv", "text,label\n,x\n ,y\n", Read(&["", " "], &["x", "y"])),
        case("nan.csv", "text,label\nNaN,x\nnull,y\n", Read(&["NaN", "null"], &["x", "y"])),
    ]);
}

#[test]
fn labels_are_renamed_merged_and_dropped() {
    let rows = "text,label\na,4\nb,3\nc,2\nd,1\n";
    check(vec![
        with("merged.csv", rows, rename, Read(&["a", "b", "c", "d"], &["positive", "positive", "2", "1"])),
        with(
            "dropped.csv",
            rows,
            |config| {
                rename(config);
                config.drop = vec!["2".to_owned()];
            },
            Read(&["a", "b", "d"], &["positive", "positive", "1"]),
        ),
        with(
            "from_lists.tsv",
            "text\tlabel\na\tx,y\nb\ty\nc\tz\n",
            |config| {
                multi(config);
                config.drop = vec!["y".to_owned()];
            },
            Read(&["a", "b", "c"], &["x", "", "z"]),
        ),
        with(
            "one_left.csv",
            "text,label\na,4\nb,3\n",
            rename,
            Fails(
                "every example of `DIR/one_left.csv` has the label `positive`: a classifier needs at least two labels",
                "check `data.label`: it should name the column that holds the labels",
            ),
        ),
        with(
            "not_met.csv",
            "text,label\na,4\nb,5\n",
            rename,
            Fails(
                "`data.rename` names the label `3`, which no training example has: they have `4`, `5`",
                "remove it from `data.rename`",
            ),
        ),
        with(
            "misspelled.csv",
            "text,label\na,neutral\nb,x\nc,y\n",
            |config| config.drop = vec!["neutrl".to_owned()],
            Fails(
                "`data.drop` names the label `neutrl`, which no training example has: they have `neutral`, `x`, `y`",
                "did you mean `neutral`?",
            ),
        ),
        with(
            "all.csv",
            "text,label\na,x\nb,x\n",
            |config| config.drop = vec!["x".to_owned()],
            Fails(
                "no row of `DIR/all.csv` is left: 0 cannot be read, 2 have labels that `data.drop` leaves out",
                "look whether `data.format`, `data.encoding` and `data.drop` are right",
            ),
        ),
        with(
            "unmapped.csv",
            "text,label\na,4\nb,3\nc,2\n",
            |config| {
                rename(config);
                config.labels = [("1".to_owned(), "one".to_owned())].into();
            },
            Fails(
                "DIR/unmapped.csv:4: `data.labels` does not name the label `2`: it names `1`",
                "add the value to `data.labels`, or remove the rows that have it",
            ),
        ),
    ]);
}

#[test]
fn what_was_dropped_is_counted() {
    let folder = temp_dir::TempDir::new().unwrap();
    let path = folder.path().join("a.csv");
    fs::write(&path, "text,label\na,x\nb,z\nc,y\nd,z\n").unwrap();
    let config = DataConfig { train: path.into(), drop: vec!["z".to_owned()], ..DataConfig::default() };
    let record = load_corpus(&config, 1).unwrap().manifest.train;
    assert_eq!((record.from.dropped, record.from.files[0].rows, record.examples), (2, 4, 2));
    assert_eq!(record.labels.into_iter().collect::<Vec<_>>(), [("x".to_owned(), 1), ("y".to_owned(), 1)]);
}

#[test]
fn labels_that_only_another_split_has() {
    let folder = temp_dir::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.csv"), "text,label\na,negative\nb,positive\n").unwrap();
    fs::write(path("b.csv"), "text,label\na,negative\nb,postive\n").unwrap();
    let config = DataConfig { train: path("a.csv").into(), ..DataConfig::default() };
    for other in [
        DataConfig { test: Some(SplitSource::Files(path("b.csv").into())), ..config.clone() },
        DataConfig { validation: Some(SplitSource::Files(path("b.csv").into())), ..config },
    ] {
        let error = load_corpus(&other, 1).unwrap_err();
        let message = error.to_string().replace(&folder.path().display().to_string(), "DIR");
        assert_eq!(message, "DIR/b.csv:3: unknown label `postive`: the labels are `negative`, `positive`");
        assert_eq!(error.hint().unwrap(), "did you mean `positive`?");
    }
}

/// Of a file of three examples, two have labels that no training example has.
#[test]
fn labels_that_only_the_test_file_has_are_counted_and_left_out_on_request() {
    let folder = temp_dir::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.csv"), "text,label\na,negative\nb,positive\n").unwrap();
    fs::write(path("b.csv"), "text,label\na,mixed\nb,positive\nc,mixed\nd,spam\n").unwrap();
    let mut config = DataConfig {
        train: path("a.csv").into(),
        test: Some(SplitSource::Files(path("b.csv").into())),
        ..DataConfig::default()
    };
    let error = load_corpus(&config, 1).unwrap_err();
    let message = error.to_string().replace(&folder.path().display().to_string(), "DIR");
    assert_eq!(
        message,
        "DIR/b.csv:2: unknown label `mixed`: the labels are `negative`, `positive`; 3 examples have 2 such labels: `mixed`, `spam`"
    );
    assert!(error.hint().unwrap().contains("`data.unknown_labels = \"drop\"`"));

    config.unknown_labels = UnknownLabels::Drop;
    let corpus = load_corpus(&config, 1).unwrap();
    assert_eq!(corpus.test.unwrap().texts, ["b"]);
    let record = corpus.manifest.test.unwrap();
    assert_eq!((record.examples, record.from.files[0].rows, record.from.unknown.examples), (1, 4, 3));
    let counts: Vec<(&str, usize)> = record.from.unknown.labels.iter().map(|(label, n)| (label.as_str(), *n)).collect();
    assert_eq!(counts, [("mixed", 2), ("spam", 1)]);

    fs::write(path("b.csv"), "text,label\na,mixed\n").unwrap();
    let error = load_corpus(&config, 1).unwrap_err().to_string();
    assert!(error.ends_with("b.csv` has a label that a training example has"), "{error}");
}

/// With several labels the example stays, with the labels that are known.
#[test]
fn an_unknown_label_is_taken_from_an_example_of_several() {
    let folder = temp_dir::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.jsonl"), "{\"text\":\"a\",\"label\":[\"x\"]}\n{\"text\":\"b\",\"label\":[\"y\"]}\n").unwrap();
    fs::write(path("b.jsonl"), "{\"text\":\"c\",\"label\":[\"z\",\"y\",\"z\"]}\n{\"text\":\"d\",\"label\":[\"z\"]}\n")
        .unwrap();
    let config = DataConfig {
        train: path("a.jsonl").into(),
        validation: Some(SplitSource::Files(path("b.jsonl").into())),
        multi_label: true,
        unknown_labels: UnknownLabels::Drop,
        ..DataConfig::default()
    };
    let corpus = load_corpus(&config, 1).unwrap();
    let validation = corpus.validation.unwrap();
    assert_eq!(validation.texts, ["c", "d"]);
    assert_eq!(validation.targets.iter().map(<[u32]>::to_vec).collect::<Vec<_>>(), [vec![1], vec![]]);
    let unknown = corpus.manifest.validation.unwrap().from.unknown;
    assert_eq!((unknown.examples, unknown.labels["z"]), (2, 2));
}

#[test]
fn a_million_labels() {
    let rows: String = (0..1_000_000).map(|row| format!("a,{row}\n")).collect();
    let folder = temp_dir::TempDir::new().unwrap();
    let corpus = crate::load(&folder, "a.csv", format!("text,label\n{rows}").as_bytes(), |_| {}).unwrap();
    assert_eq!((corpus.labels.len(), corpus.train.targets.of(999_999)), (1_000_000, &[999_999][..]));
}
