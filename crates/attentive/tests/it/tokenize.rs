//! `tokenize`: what people and programs see of a tokenizer.

use serde_json::{Value, json};

use crate::directory::{Dir, setup, with_data};

/// Two examples whose words give a small vocabulary: the: 3, film: 2, and the others once.
fn small(name: &str) -> Dir {
    let dir = setup(name);
    dir.file("train.csv", "text,label\nthe film the best,good\nthe worst film,bad\n");
    dir.file("small.toml", "[data]\ntrain = \"train.csv\"\n\n[model]\nmax_length = 4\n");
    dir
}

#[test]
fn people_see_pieces_above_ids() {
    let dir = small("tokenize-people");
    let output =
        dir.command(["tokenize", "small.toml", "The film, the best 日本 film!\n", "", "worst"]).output().unwrap();
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let expected = "\
The film, the best 日本 film!\\n
  the  film  «,»  the  ✂  best  «日本»  film  «!»
  2    3     1    2       4     1       3     1
  8 tokens, 3 unknown, 4 beyond max_length 4


  0 tokens

worst
  worst
  5
  1 token

3 texts, 9 tokens, 33.3 % unknown, 33.3 % of the texts longer than max_length 4
";
    assert_eq!(stdout, expected);
    assert_eq!(stderr, "6 tokens, padding is 0 (`[PAD]`), what it lacks becomes 1 (`[UNK]`)\n\n");
}

#[test]
fn programs_get_an_object_for_each_text() {
    let dir = small("tokenize-json");
    let finished = dir.pipe("tokenize small.toml --json", "The Kid the best film\n\n").expect(0, "tokenize --json");
    assert_eq!(finished.stderr, "");
    let lines: Vec<Value> = finished.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let first = json!({
        "text": "The Kid the best film",
        "tokens": ["the", "[UNK]", "the", "best", "film"],
        "ids": [2, 1, 2, 4, 3],
        "shown": ["the", "Kid", "the", "best", "film"],
        "unknown": ["Kid"],
        "cut": 1,
    });
    let empty = json!({ "text": "", "tokens": [], "ids": [], "shown": [], "unknown": [], "cut": 0 });
    assert_eq!(lines, [first, empty]);
}

#[test]
fn bytes_and_pieces_are_readable() {
    let dir = small("tokenize-bytes");
    let text = "the filé";
    let see = |tokenizer: &str| {
        let set = format!("tokenizer.{tokenizer} = {{}}");
        let output = dir.command(["tokenize", "small.toml", text, "--set", &set, "-q"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let bpe = see("bpe");
    let expected = "\
the filé
  ␣the  ␣fi  l   \\xC3  ✂  \\xA9
  259   263  76  128      103
  5 tokens, 1 beyond max_length 4
";
    assert_eq!(bpe, expected);
    let wordpiece = see("wordpiece");
    assert!(wordpiece.contains("  the  «filé»\n"), "{wordpiece}");
}

/// A run and the file in it give what the config gives.
#[test]
fn a_run_has_the_tokenizer_it_was_trained_with() {
    let dir = with_data("tokenize-run", 2);
    dir.ok("train small.toml --set train.epochs=1");
    let text = "a great film, unheard of\n";
    let from_config = dir.pipe("tokenize small.toml --json", text).expect(0, "config").stdout;
    assert!(from_config.contains("\"unknown\":[\",\",\"unheard\",\"of\"]"), "{from_config}");
    assert_eq!(dir.pipe("tokenize runs/small --json", text).expect(0, "run").stdout, from_config);
    assert_eq!(dir.pipe("tokenize runs/small/tokenizer.json --json", text).expect(0, "file").stdout, from_config);
    let missing = dir.pipe("tokenize none.json", text).expect(66, "a missing file");
    assert_eq!(
        missing.error(),
        "error: `none.json` does not exist\n\nhint: paths are relative to the directory the command runs in\n"
    );
}

/// Subword tokenizers train a classifier end to end.
#[test]
fn a_classifier_trains_on_each_kind_of_piece() {
    let dir = with_data("tokenize-train", 2);
    for tokenizer in ["bpe={vocab_size=300}", "wordpiece={vocab_size=100}", "unigram={vocab_size=100}"] {
        dir.ok(&format!("train small.toml --overwrite --set train.epochs=6 --set tokenizer.{tokenizer}"));
        let answer = dir.pipe("predict runs/small", "a great lovely film\n").expect(0, tokenizer).stdout;
        assert!(answer.starts_with("good\t"), "{tokenizer}: {answer}");
    }
}
