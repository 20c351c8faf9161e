//! `attentive init`: the config it writes for files of every kind, and that each trains as it is.

use crate::bad_input::refused;
use crate::directory::{CPU, Dir, Finished, reviews, setup, with_data};

/// The settings of a config without comments, and without what is the same in all of them.
fn settings(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.split(" #").next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_string)
        .collect()
}

/// Writes the config by these arguments, trains it for an epoch, and gives its settings.
#[track_caller]
fn trains(dir: &Dir, arguments: &str) -> Vec<String> {
    dir.ok(&format!("init {arguments} --output made.toml"));
    let line = format!("train made.toml --set backend=\"{CPU}\" --set train.epochs=1 --run-dir runs/made");
    dir.run(&line).expect(0, arguments);
    dir.run(&format!("check made.toml --set backend=\"{CPU}\"")).expect(0, "check made.toml");
    settings(&dir.text("made.toml"))
}

#[test]
fn the_config_is_commented_with_what_was_found() {
    let dir = with_data("init", 2);
    let finished = dir.run("init train.csv --test test.csv --name films").expect(0, "init");
    assert_eq!(finished.stdout, "attentive check films.toml\nattentive train films.toml\n");
    assert_eq!(finished.stderr, "films  48 examples, 2 labels, written to `films.toml`\n");
    let written = dir.text("films.toml");
    assert_eq!(written, include_str!("golden/init.toml"), "{written}");
    assert_eq!(dir.ok("init train.csv --test test.csv --name films --output -"), written);
    dir.ok(&format!("train films.toml --set backend=\"{CPU}\" --set train.epochs=1"));

    refused(
        &dir,
        "init train.csv --name films",
        73,
        "error: `films.toml` is there already

hint: remove it, or write elsewhere with `--output`",
    );
}

/// Names of files and columns may hold what a line of TOML may not.
#[test]
fn names_with_line_breaks_and_quotes_are_quoted() {
    let dir = setup("init-names");
    let name = "new\nline \"a\\b\".csv";
    let header = "\"the \"\"text\"\"\nitself\",label\n";
    dir.file(name, reviews(48, 2, 1).replacen("text,label\n", header, 1));
    dir.file("more\t\u{7f}.csv", reviews(18, 2, 2).replacen("text,label\n", header, 1));
    let run = |arguments: &[&str]| Finished::of(dir.command(arguments).output().unwrap());
    let text = "the \"text\"\nitself";
    let arguments = ["init", name, "--test", "more\t\u{7f}.csv", "--text", text, "--output", "a\nb.toml"];
    let made = run(&arguments).expect(0, "init");
    assert_eq!(made.stdout, "attentive check a\\nb.toml\nattentive train a\\nb.toml\n");
    let config: toml::Table = toml::from_str(&dir.text("a\nb.toml")).unwrap();
    assert_eq!(config["data"]["train"].as_str(), Some(name));
    assert_eq!(config["data"]["test"].as_str(), Some("more\t\u{7f}.csv"));
    assert_eq!(config["data"]["text"].as_str(), Some(text));
    let backend = format!("backend=\"{CPU}\"");
    run(&["train", "a\nb.toml", "--set", &backend, "--set", "train.epochs=1"]).expect(0, "train");
}

/// TOML is UTF-8: a config cannot hold such a name, and one that holds another in its place names no file.
#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let dir = setup("init-not-utf-8");
    let name = std::ffi::OsStr::from_bytes(b"\xff\xfe.csv");
    std::fs::write(dir.path("").join(name), reviews(48, 2, 1)).unwrap();
    let refused = Finished::of(dir.command(["init".as_ref(), name]).output().unwrap()).expect(2, "init");
    assert!(refused.stderr.contains("is not in UTF-8, as a config has to be"), "{}", refused.stderr);
}

#[test]
fn semicolons_latin_1_and_no_header() {
    let dir = setup("init-odd");
    let rows: String =
        (0..40).map(|i| format!("{};\"caf\u{e9} {i}; tr\u{e8}s {}\"\n", i % 2, ["bon", "cher"][i % 2])).collect();
    dir.file("notes.csv", rows.chars().map(|c| c as u8).collect::<Vec<_>>());
    let settings = trains(&dir, "notes.csv --text 1 --label 0");
    for setting in [
        "text = 1",
        "label = 0",
        "delimiter = \";\"",
        "header = false",
        "encoding = \"windows-1252\"",
        "name = \"notes\"",
    ] {
        assert!(settings.iter().any(|line| line == setting), "{setting}: {settings:?}");
    }
}

#[test]
fn json_with_lists_of_labels() {
    let dir = setup("init-json");
    let rows: String = (0..40)
        .map(|i| {
            let labels = ["[\"joy\"]", "[\"joy\",\"love\"]", "[]", "[\"love\"]"][i % 4];
            format!(
                "{{\"id\":{i},\"text\":\"note {i} of {}\",\"tags\":{labels}}}\n",
                ["joy", "joy love", "no", "love"][i % 4]
            )
        })
        .collect();
    dir.file("notes.data", rows);
    let settings = trains(&dir, "notes.data");
    for setting in [
        "format = \"jsonl\"",
        "label = \"tags\"",
        "multi_label = true",
        "threshold = \"shared\"",
        "monitor = \"micro_f1\"",
    ] {
        assert!(settings.iter().any(|line| line == setting), "{setting}: {settings:?}");
    }
}

#[test]
fn pairs_folders_and_characters() {
    let dir = setup("init-kinds");
    let pairs: String =
        (0..30).map(|i| format!("a man number {i} sleeps\ta {} is here\t{}\n", ["man", "dog"][i % 2], i % 2)).collect();
    dir.file("pairs.tsv", format!("a\tb\tsame\n{pairs}"));
    let settings = trains(&dir, "pairs.tsv --text a,b --label same");
    assert!(settings.contains(&"text = [\"a\", \"b\"]".to_string()), "{settings:?}");
    assert!(settings.iter().any(|line| line.starts_with("attention.bidirectional")), "{settings:?}");

    let dir = setup("init-folder");
    for i in 0..24 {
        let label = ["neg", "pos"][i % 2];
        std::fs::create_dir_all(dir.path(format!("films/train/{label}"))).unwrap();
        dir.file(&format!("films/train/{label}/{i}.txt"), format!("film {i} is {label}"));
    }
    let settings = trains(&dir, "films/train");
    assert_eq!(settings[..2], ["name = \"films\"", "seed = 42"]);
    assert!(!settings.iter().any(|line| line.starts_with("text =")), "{settings:?}");

    let dir = setup("init-chinese");
    let rows: String =
        (0..30).map(|i| format!("{}\t房间{}，下次{i}再来\n", ["坏", "好"][i % 2], ["很脏", "很好"][i % 2])).collect();
    dir.file("train.tsv", format!("label\treview\n{rows}"));
    let settings = trains(&dir, "train.tsv");
    assert!(settings.contains(&"[tokenizer.char]".to_string()), "{settings:?}");
}

/// Two columns that nothing names, in either order and with any delimiter; what was guessed is said.
#[test]
fn two_columns_without_a_header_are_told_apart() {
    let dir = setup("init-bare");
    for (name, delimiter, label_first) in
        [("a.csv", ',', true), ("b.tsv", '\t', false), ("c.txt", ';', false), ("d", '\t', true)]
    {
        let row = |i: usize| {
            let (label, text) = (["fair", "rain"][i % 2], format!("the {} over hill {i}", ["sun", "cloud"][i % 2]));
            if label_first { format!("{label}{delimiter}{text}\n") } else { format!("{text}{delimiter}{label}\n") }
        };
        dir.file(name, (0..40).map(row).collect::<String>());
        let settings = trains(&dir, name);
        let columns = if label_first { ["text = 1", "label = 0"] } else { ["text = 0", "label = 1"] };
        for setting in columns.into_iter().chain(["header = false"]) {
            assert!(settings.iter().any(|line| line == setting), "{name}: {setting}: {settings:?}");
        }
        let written = dir.text("made.toml");
        assert!(written.contains("guessed from 2 different values in 40 rows"), "{written}");
        std::fs::remove_dir_all(dir.path("runs")).unwrap();
        std::fs::remove_file(dir.path("made.toml")).unwrap();
    }
    let told = dir.run("init a.csv").expect(0, "init").stderr;
    let guess =
        "guessed from the values: the text is `1` (`--text` names another), the label is `0` (`--label` names another)";
    assert!(told.contains(guess), "{told}");
}

/// As the questions of TREC are stored. Texts to predict on have no label in front.
#[test]
fn lines_that_begin_with_their_label() {
    let dir = setup("init-label-text");
    let row = |i: usize| format!("{} {} is it at place {i} ?\n", ["NUM:date", "LOC"][i % 2], ["when", "where"][i % 2]);
    dir.file("train.label", (0..40).map(row).collect::<String>());
    let settings = trains(&dir, "train.label");
    assert!(settings.contains(&"format = \"label_text\"".to_string()), "{settings:?}");
    assert!(!settings.iter().any(|line| line.starts_with("text =")), "{settings:?}");
    dir.file("texts.label", "when is it ?\nwhere is it ?\n");
    let plain = dir.ok("predict runs/made --input texts.label");
    assert_eq!(plain.lines().count(), 2);
    dir.file("labelled.label", "LOC when is it ?\nLOC where is it ?\n");
    dir.ok("predict runs/made --input labelled.label --format label_text --output out.jsonl");
    let out = dir.text("out.jsonl");
    assert!(out.starts_with(r#"{"label":"LOC","text":"when is it ?""#), "{out}");
}

#[test]
fn labels_that_only_the_test_file_has_are_left_out_aloud() {
    let dir = with_data("init-unknown", 2);
    dir.file("test.csv", "text,label\na,good\nb,mixed\nc,bad\n");
    let settings = trains(&dir, "train.csv --test test.csv");
    assert!(settings.contains(&"unknown_labels = \"drop\"".to_string()), "{settings:?}");
    let written = dir.text("made.toml");
    assert!(written.contains("# `mixed` in 1 example, which train does not have"), "{written}");
}

/// No more than 1,000 tokens of a text are read unless somebody wants them to be.
#[test]
fn what_is_cut_off_is_said() {
    let dir = setup("init-cut");
    let row =
        |i: usize| format!("{}{},x,{}\n", "word ".repeat(if i < 3 { 2000 } else { 20 }), ["sun", "rain"][i % 2], i % 2);
    dir.file("long.csv", format!("text,other,label\n{}", (0..40).map(row).collect::<String>()));
    trains(&dir, "long.csv --text text,other --label label");
    let written = dir.text("made.toml");
    // 3 texts of 2,001 tokens, 37 of 21 and 40 of one: of 6,820 tokens 3,003 stand behind the thousandth of their text.
    assert!(written.contains("max_length = 1000"), "{written}");
    assert!(written.contains("# 44.0 % of all tokens are cut off: to read more, raise max_length\n"), "{written}");
    // A linear part reads all of a text.
    std::fs::remove_dir_all(dir.path("runs")).unwrap();
    std::fs::remove_file(dir.path("made.toml")).unwrap();
    trains(&dir, "long.csv --text text --label label");
    assert!(!dir.text("made.toml").contains("max_length"), "{}", dir.text("made.toml"));
}

/// Entities are decoded in training and prediction alike.
#[test]
fn entities_are_decoded_where_texts_hold_some() {
    let dir = setup("init-entities");
    let row = |i: usize| format!("Tom &amp; {} &#39;{i}&#39;,{}\n", ["Jerry", "Ann"][i % 2], i % 2);
    dir.file("pairs.csv", format!("text,label\n{}", (0..40).map(row).collect::<String>()));
    let settings = trains(&dir, "pairs.csv");
    assert!(settings.contains(&"unescape = \"html\"".to_string()), "{settings:?}");
    let written = dir.text("made.toml");
    assert!(written.contains("# 40 examples, 2 labels") && written.contains("# `0` 50.0 %, `1` 50.0 %"), "{written}");
    let vocabulary = dir.text("runs/made/tokenizer.json");
    assert!(!vocabulary.contains("\"amp\"") && vocabulary.contains("\"&\""), "{vocabulary}");
    dir.file("escaped.csv", "text\nTom &amp; Ann\n");
    dir.file("plain.csv", "text\nTom & Ann\n");
    let predicted = |arguments: &str| dir.ok(&format!("predict runs/made {arguments}"));
    assert_eq!(predicted("--input escaped.csv"), predicted("--input plain.csv"));
    let tokens = |text: &str| {
        let output = dir.command(["tokenize", "runs/made", text, "--json"]).output().unwrap();
        Finished::of(output).expect(0, "tokenize").stdout
    };
    assert_eq!(tokens("Tom &amp; Ann"), tokens("Tom & Ann"));
    let checked = dir.ok(&format!("check made.toml --set backend=\"{CPU}\""));
    assert!(!checked.contains("HTML entities"), "{checked}");
}

#[test]
fn what_has_no_layout_shows_how_it_begins() {
    let dir = setup("init-layout");
    dir.file("poem.txt", "shall I compare thee\nto a summer's day\n");
    dir.file("empty.csv", "\n");
    let shown = "begins with `shall I compare thee\\nto a summer's day\\n`, which is no layout that can be read";
    for (file, error) in [("poem.txt", shown), ("empty.csv", "is empty")] {
        let refused = dir.run(&format!("init {file}")).expect(65, file).stderr;
        assert!(
            refused.starts_with(&format!("error: `{file}` {error}\n\nhint: examples are rows of a table")),
            "{refused}"
        );
    }
}

#[test]
fn parquet_is_left_to_a_config() {
    let dir = setup("init-parquet");
    dir.file("x.parquet", "PAR1");
    refused(
        &dir,
        "init x.parquet",
        65,
        "error: `x.parquet` is a Parquet file, not text

hint: only the first rows of a text file or a sheet are looked at: name its columns in a config, as `data.text` and `data.label`",
    );
}

/// Where the name or the beginning says what it is, the hint says how it becomes a table.
#[test]
fn markup_is_named_as_what_it_is() {
    let dir = setup("init-markup");
    dir.file("reut2-000.sgm", "<!DOCTYPE lewis SYSTEM \"lewis.dtd\">\n<REUTERS><BODY>cocoa</BODY></REUTERS>\n");
    dir.file("posts", "<?xml version=\"1.0\"?>\n<posts><row Text=\"a\" Label=\"b\"/></posts>\n");
    dir.file("posts.csv", "<?xml version=\"1.0\"?>\n<posts><row Text=\"a\" Label=\"b\"/></posts>\n");
    for (file, content) in [("reut2-000.sgm", "SGML"), ("posts", "XML"), ("posts.csv", "XML")] {
        let refused = dir.run(&format!("init {file}")).expect(65, file).stderr;
        let error = format!("error: `{file}` is {content}, which cannot be read\n\nhint: only its own tags say");
        assert!(refused.starts_with(&error), "{refused}");
    }
    dir.file("c.toml", "data.train = \"reut2-000.sgm\"\n");
    let refused = dir.run("train c.toml").expect(65, "train").stderr;
    assert!(refused.starts_with("error: `reut2-000.sgm` is SGML, which cannot be read\n"), "{refused}");
    dir.file("c.toml", "data.train = \"posts.csv\"\n");
    let refused = dir.run("train c.toml").expect(65, "train").stderr;
    assert!(refused.contains("hint: the file is XML: only its own tags say"), "{refused}");
}

/// What unequal labels cost is told; whether small ones should count more is for a person to say.
#[test]
fn class_weights_are_a_comment() {
    let dir = setup("init-unequal");
    let uneven: String = reviews(60, 2, 5)
        .lines()
        .enumerate()
        .map(|(i, line)| if i % 10 == 2 { line.to_string() } else { line.replace(",good", ",bad") } + "\n")
        .collect();
    dir.file("train.csv", uneven);
    let settings = trains(&dir, "train.csv");
    assert!(!settings.iter().any(|line| line.contains("class_weights")), "{settings:?}");
    assert!(dir.text("made.toml").contains("# class_weights = \"balanced\""), "{}", dir.text("made.toml"));
}

/// `--overwrite` replaces configs that attentive wrote, never the data or what somebody else wrote.
#[test]
fn quick_never_writes_over_the_data() {
    let dir = with_data("quick-data", 2);
    dir.file("data.toml", dir.read("train.csv"));
    for line in [
        "quick train.csv -o train.csv --overwrite",
        "quick train.csv -o test.csv --test test.csv --overwrite",
        "quick train.csv -o small.toml --overwrite",
    ] {
        let before = crate::directory::tree(&dir.path(""));
        dir.run(line).expect(73, line);
        assert!(crate::directory::tree(&dir.path("")) == before, "{line}");
    }
    dir.file(
        "rows.toml",
        "{\"text\":\"a fine film\",\"label\":\"good\"}\n{\"text\":\"a dull film\",\"label\":\"bad\"}\n".repeat(12),
    );
    let before = dir.read("rows.toml");
    dir.run("quick rows.toml --overwrite").expect(73, "data that is called as its config would be");
    assert!(dir.read("rows.toml") == before);
}

/// Where nothing is named, a tenth each is held out: `evaluate` works next, and the figure is an honest one.
#[test]
fn a_test_split_is_cut_where_there_are_examples_enough() {
    let dir = setup("init-test");
    dir.file("train.csv", reviews(240, 2, 1));
    let settings = trains(&dir, "train.csv");
    assert!(settings.contains(&"test = { fraction = 0.1 }".to_string()), "{settings:?}");
    assert!(dir.ok("evaluate runs/made").contains("examples"));
    assert_eq!(dir.json("runs/made/report.json")["refit"]["examples"], 216);
}

#[test]
fn quick_writes_the_config_and_trains_by_it() {
    let dir = with_data("quick", 2);
    let finished = dir.run("quick train.csv --test test.csv --name films").expect(0, "quick");
    assert!(finished.stdout.contains("run `runs/films`"), "{}", finished.stdout);
    assert!(
        dir.text("films.toml").starts_with("# Written by `attentive quick train.csv --test test.csv --name films`")
    );
    assert_eq!(dir.json("runs/films/report.json")["splits"]["test"]["accuracy"], 1.0);
    dir.run("quick train.csv --name films").expect(73, "a run that is there");
    dir.ok("quick train.csv --test test.csv --name films --overwrite");
    std::fs::remove_dir_all(dir.path("runs")).unwrap();
    // Its own config, of a start that was cut off, is not in its own way; another is.
    dir.ok("quick train.csv --test test.csv --name films");
    std::fs::remove_dir_all(dir.path("runs")).unwrap();
    dir.run("quick train.csv --name films").expect(73, "another config is there");
    dir.run("quick train.csv --output -").expect(2, "a config on stdout");
    dir.run("quick none.csv").expect(66, "no data");
    assert!(!dir.path("none.toml").exists() && !dir.path("runs").exists());
}

#[test]
fn what_cannot_be_told_is_asked_for() {
    let dir = setup("init-unclear");
    dir.file("x.csv", "a,b\nfirst words,1\nother words,2\n");
    refused(
        &dir,
        "init x.csv --text a",
        65,
        "error: cannot tell which column of `x.csv` holds the label

hint: name it with `--label COLUMN`; there are
  `a`: 2 different values in 2 rows, such as `first words`
  `b`: 2 different values in 2 rows, such as `1`",
    );
    refused(
        &dir,
        "init x.csv --text a --label c",
        65,
        "error: `x.csv` has no column `c`: its columns are `a`, `b`

hint: name one of its columns with `--text` and `--label`",
    );
    refused(
        &dir,
        "init none.csv",
        66,
        "error: `none.csv` does not exist

hint: paths are relative to the directory the command runs in",
    );
    let ids: String = (0..30).map(|i| format!("text {i},{i}\n")).collect();
    dir.file("ids.csv", format!("text,id\n{ids}"));
    refused(
        &dir,
        "init ids.csv --label id",
        65,
        "error: the column `id` of `ids.csv` holds 30 different values in 30 examples, which are no labels

hint: ids or texts have that many: name another column with `--label`",
    );
    assert_eq!(dir.list(""), ["ids.csv", "x.csv"]);
}
