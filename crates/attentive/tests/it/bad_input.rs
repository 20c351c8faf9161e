//! What a person gets for each thing that can be wrong with config and data: the exact words on stderr, the exit code,
//! and no run directory.
//!
//! Every case runs in a directory of its own with good data and a good `small.toml`, paths are relative, and so the
//! words are the same on every machine.

use std::fs::File;
use std::io::Write;

use crate::directory::{CPU, Dir, with_data};

/// Runs a command that must fail before anything is created.
#[track_caller]
pub(crate) fn refused(dir: &Dir, line: &str, code: i32, stderr: &str) {
    let existed = dir.path("runs").exists();
    let finished = dir.run(line);
    assert_eq!(finished.stderr, format!("{stderr}\n"), "`{line}`");
    assert_eq!(finished.code, Some(code), "`{line}`");
    assert_eq!(finished.stdout, "", "`{line}`");
    assert_eq!(dir.path("runs").exists(), existed, "`{line}` left a run directory");
}

#[test]
fn configs_that_are_no_files() {
    let dir = with_data("config-files", 2);
    refused(
        &dir,
        "train missing.toml",
        66,
        "error: cannot read the config `missing.toml`
  caused by: No such file or directory (os error 2)

hint: `configs/` holds examples; `attentive schema` describes every key",
    );
    std::fs::create_dir(dir.path("folder")).unwrap();
    refused(
        &dir,
        "train folder",
        66,
        "error: cannot read the config `folder`
  caused by: Is a directory (os error 21)

hint: name a config file; if `folder` is a run, `attentive resume folder` continues it",
    );
    dir.file("latin.toml", b"# caf\xE9\n");
    refused(
        &dir,
        "train latin.toml",
        2,
        "error: the config `latin.toml` is not UTF-8 (at byte 5)

hint: save the file as UTF-8",
    );
    refused(
        &dir,
        "train /dev/zero",
        2,
        "error: `/dev/zero` is longer than 1048576 bytes; that is no config

hint: a config is a TOML file; `configs/` holds examples",
    );
    dir.file("empty.toml", "");
    refused(
        &dir,
        "train empty.toml",
        2,
        "error: the config is not valid

empty.toml:1:1: `data.train` is missing: name the file or folder that holds the training examples
  |
1 |
  | ^
  |
1 problem in empty.toml",
    );
}

/// A config with these lines in place of the good one.
#[track_caller]
fn invalid(text: &str, report: &str) {
    let dir = with_data("config", 2);
    dir.file("c.toml", text);
    refused(&dir, "train c.toml", 2, &format!("error: the config is not valid\n\n{}", report.trim()));
}

#[test]
fn an_unknown_key() {
    invalid(
        "[data]\ntrain = \"train.csv\"\n[train]\nepoch = 3\nmax_length = 10\n",
        "
c.toml:4:1: unknown key `epoch` in `[train]`
  |
4 | epoch = 3
  | ^^^^^ did you mean `epochs`?
  |
c.toml:5:1: unknown key `max_length` in `[train]`
  |
5 | max_length = 10
  | ^^^^^^^^^^ it belongs in `[model]`
  |
2 problems in c.toml",
    );
}

#[test]
fn several_problems_at_once() {
    invalid(
        "name = \"a b\"\n[data]\ntrain = 3\n[model]\ndropout = 1.0\nattention.dott = {}\n[train]\nepochs = 0\nbatch_size = \"32\"\n",
        "
c.toml:1:8: `name` holds ' ', but only the characters `A-Za-z0-9._-` are allowed
  |
1 | name = \"a b\"
  |        ^^^^^
  |
c.toml:3:9: `data.train` is an integer, but must be a string or an array of at least 1 items, each a string
  |
3 | train = 3
  |         ^ write `\"3\"`
  |
c.toml:5:11: `model.dropout` is 1.0, but must be at least 0 and below 1
  |
5 | dropout = 1.0
  |           ^^^
  |
c.toml:6:11: unknown kind `dott` for `model.attention`
  |
6 | attention.dott = {}
  |           ^^^^ did you mean `dot`?
  |
c.toml:8:10: `train.epochs` is 0, but must be from 1 to 100000
  |
8 | epochs = 0
  |          ^
  |
c.toml:9:14: `train.batch_size` is a string, but must be an integer from 1 to 1048576
  |
9 | batch_size = \"32\"
  |              ^^^^ write `32` without quotes
  |
6 problems in c.toml",
    );
}

#[test]
fn two_kinds_of_one_thing() {
    invalid(
        "[data]\ntrain = \"train.csv\"\n[train]\noptimizer.adam = {}\noptimizer.sgd = {}\n",
        "
c.toml:5:11: `train.optimizer` names two kinds, `adam` and `sgd`; keep one
  |
5 | optimizer.sgd = {}
  |           ^^^
  |
1 problem in c.toml",
    );
}

#[test]
fn options_that_exclude_each_other() {
    invalid(
        "name = \"..\"\n[data]\ntrain = \"a.csv\"\ntext = \"label\"\nencoding = \"utf-9\"\n[model]\nmasking = false\nembedding.dim = 6\nattention.transformer = { n_heads = 4 }\n[train]\nbatch_size = 2\naccumulation_steps = 4\nearly_stopping = {}\n",
        "
c.toml:1:8: `name` is `..`, which names no directory of its own
  |
1 | name = \"..\"
  |        ^^^^
  |
c.toml:2:1: `data.label` is the same column as `text`
  |
2 | [data]
  | ^^^^^^
  |
c.toml:5:12: `data.encoding` names an unknown encoding, `utf-9`
  |
5 | encoding = \"utf-9\"
  |            ^^^^^^^
  |
c.toml:7:11: `masking = false` needs `padding = \"max_length\"`: a prediction would otherwise depend on the other texts of its batch
  |
7 | masking = false
  |           ^^^^^
  |
c.toml:9:37: `n_heads` is 4, but must divide `embedding.dim`, which is 6: each head takes an equal share
  |
9 | attention.transformer = { n_heads = 4 }
  |                                     ^
  |
c.toml:12:22: a batch of 2 examples cannot be computed in 4 parts
   |
12 | accumulation_steps = 4
   |                      ^
   |
c.toml:13:18: early stopping needs `data.validation`, a file or `{ fraction = 0.1 }`
   |
13 | early_stopping = {}
   |                  ^^
   |
7 problems in c.toml",
    );
}

#[test]
fn overrides() {
    let dir = with_data("set", 2);
    refused(
        &dir,
        "train small.toml --set train.epochs --set =3 --set train..epochs=3 --set train.epochs=[1,",
        2,
        "error: the config is not valid

--set train.epochs: no value is given
   = write KEY=VALUE, such as `train.batch_size=64`
--set =3: `` is not a dotted key
   = write KEY=VALUE, such as `train.batch_size=64`
--set train..epochs=3: `train..epochs` is not a dotted key
   = write KEY=VALUE, such as `train.batch_size=64`
--set train.epochs=[1,: unclosed array
   = expected `]`
4 problems in --set",
    );
    refused(
        &dir,
        "check small.toml --set train.epochs=0 --set train.optimiser.adam={}",
        2,
        "error: the config is not valid

--set train.epochs=0: `train.epochs` is 0, but must be from 1 to 100000
--set train.optimiser.adam={}: unknown key `optimiser` in `[train]`
   = did you mean `optimizer`?
2 problems in --set",
    );
}

#[test]
fn backends() {
    let dir = with_data("backend", 2);
    refused(
        &dir,
        "train small.toml --set backend=cuda",
        2,
        "error: the config is not valid

--set backend=cuda: there is no backend `cuda`; choose `auto`, `flex`, `ndarray`, `wgpu`
1 problem in --set",
    );
    for line in ["train small.toml --backend cuda", "train small.toml --dry-run --backend cuda"] {
        refused(
            &dir,
            line,
            2,
            "error: there is no backend `cuda`

hint: choose `auto`, `flex`, `ndarray`, `wgpu`",
        );
    }
    if cfg!(feature = "wgpu") {
        eprintln!("skipped: this build holds every backend");
    } else {
        let cpu = match (cfg!(feature = "flex"), cfg!(feature = "ndarray")) {
            (true, true) => "`flex` or `ndarray`".to_string(),
            _ => format!("`{CPU}`"),
        };
        refused(
            &dir,
            "train small.toml --backend wgpu",
            69,
            &format!(
                "error: this build of attentive does not hold the backend `wgpu`

hint: build it with `cargo build --release --features wgpu`, or choose {cpu}"
            ),
        );
    }
}

/// Data files that cannot be used, as the training file; each case is (content, exit code, message).
#[test]
fn training_files() {
    let decode =
        "hint: set `data.encoding` to the encoding of the file, for example \"windows-1252\" for western European text";
    let cases: [(&[u8], &str); 8] = [
        (b"", "error: `bad.csv` is empty"),
        (
            b"text,label\n",
            "error: `bad.csv` has a header and no rows

hint: if the first line is data, set `data.header = false`",
        ),
        (
            b"text,label\na,good\nb,good\n",
            "error: every example of `bad.csv` has the label `good`: a classifier needs at least two labels

hint: check `data.label`: it should name the column that holds the labels",
        ),
        (
            b"text,label\na,good\nb\0,bad\n",
            "error: bad.csv:3: the text holds a NUL character

hint: no text holds it: take it out; if the file is full of them, it may be UTF-16: set `data.encoding = \"utf-16le\"`",
        ),
        (b"text,label\na,good\ncaf\xE9,bad\n", &format!("error: bad.csv:3: byte 0xE9 is not valid UTF-8\n\n{decode}")),
        (
            b"sentence,label\na,good\nb,bad\n",
            "error: `bad.csv` has no column `text`: its columns are `sentence`, `label`

hint: set `data.text` and `data.label`; if the first line is data, set `data.header = false` and give columns by number",
        ),
        (
            b"text,label\n\"a,good\nb,bad\n",
            "error: bad.csv:2: a quote opens here and is never closed: `\"a,good`

hint: close the quote; a TSV whose quotes are part of the text needs `data.quoting = false`",
        ),
        (
            b"text,label\na,good\nb,bad,3\n",
            "error: bad.csv:3: the row has 3 fields, the first line has 2: `b,bad,3`

hint: look for a delimiter inside a field, or a row that is cut short; a TSV whose fields are quoted needs `data.quoting = true`",
        ),
    ];
    let dir = with_data("training-files", 2);
    for (content, stderr) in cases {
        dir.file("bad.csv", content);
        refused(&dir, "train small.toml --set data.train=\"bad.csv\"", 65, stderr);
        refused(&dir, "check small.toml --set data.train=\"bad.csv\"", 65, stderr);
    }
}

#[test]
fn training_paths() {
    let dir = with_data("training-paths", 2);
    let relative = "hint: paths are relative to the directory the command runs in";
    for key in ["train", "validation", "test"] {
        refused(
            &dir,
            &format!("train small.toml --set data.{key}=\"nowhere/a.csv\""),
            66,
            &format!("error: `nowhere/a.csv` does not exist\n\n{relative}"),
        );
    }
    std::fs::create_dir(dir.path("folder.csv")).unwrap();
    refused(
        &dir,
        "train small.toml --set data.train=\"folder.csv\"",
        65,
        "error: `folder.csv` holds no folders: a folder of texts needs one folder per label

hint: lay the folder out as `LABEL/NAME`, or name a file",
    );
    refused(
        &dir,
        "train small.toml --set data.train=\"folder.csv\" --set data.format=\"csv\"",
        65,
        "error: `folder.csv` is a folder, not a file

hint: name a file; a folder is read only with `format = \"folder\"` or \"auto\", one folder of texts per label",
    );
    refused(
        &dir,
        "train small.toml --set data.train=\"/dev/zero\"",
        65,
        "error: `/dev/zero` has no extension that names a format

hint: set `data.format` to \"csv\", \"tsv\", \"jsonl\" or \"fasttext\"; of packed files .gz and .zst are read",
    );
    refused(
        &dir,
        "train small.toml --set data.train=\"/dev/zero\" --set data.format=\"csv\"",
        65,
        "error: /dev/zero:1: the text holds a NUL character

hint: no text holds it: take it out; if the file is full of them, it may be UTF-16: set `data.encoding = \"utf-16le\"`",
    );
    refused(
        &dir,
        "train small.toml --set tokenizer.file.path=\"train.csv\"",
        65,
        "error: `train.csv` cannot be used: invalid JSON: expected ident at line 1 column 2

hint: a tokenizer.json comes from the Hugging Face `tokenizers` library",
    );
}

#[test]
fn a_label_that_training_does_not_have() {
    let dir = with_data("label", 2);
    dir.file("test.csv", "text,label\na,good\nb,god\n");
    refused(
        &dir,
        "train small.toml",
        65,
        "error: test.csv:3: unknown label `god`: the labels are `bad`, `good`

hint: did you mean `good`?",
    );
}

/// Left out on request, counted and said by every command that looks at the file.
#[test]
fn labels_that_training_does_not_have_are_left_out_on_request() {
    let dir = with_data("unknown-labels", 2);
    dir.file("test.csv", "text,label\na,good\nb,mixed\nc,bad\nd,mixed\n");
    let refusal = dir.run("train small.toml").expect(65, "train").stderr;
    assert!(refusal.contains("; 2 examples have 1 such label: `mixed`"), "{refusal}");
    let told = "that no training example has are left out: 2 examples have 1 such label: `mixed`";
    let set = "--set data.unknown_labels=\"drop\"";
    let trained = dir.run(&format!("train small.toml --set train.epochs=1 {set}")).expect(0, "train").stderr;
    assert!(trained.contains(&format!("labels of test {told}")), "{trained}");
    let checked = dir.run(&format!("check small.toml {set}")).expect(0, "check").stdout;
    assert!(checked.split_whitespace().collect::<Vec<_>>().join(" ").contains(told), "{checked}");
    assert!(dir.run("evaluate runs/small").expect(0, "evaluate").stderr.contains(told));

    let figures: serde_json::Value =
        serde_json::from_str(&dir.ok("evaluate runs/small --data test.csv --unknown-labels drop --json")).unwrap();
    assert_eq!(
        (&figures["n"], &figures["unknown_labels"]["labels"]["mixed"]),
        (&serde_json::json!(2), &serde_json::json!(2))
    );
    dir.run("evaluate runs/small --data test.csv --unknown-labels fail").expect(65, "evaluate");
}

/// The line ends after 100 MB; it is given up after the first.
#[test]
fn a_line_of_a_hundred_megabytes() {
    let dir = with_data("long-line", 2);
    let mut file = File::create(dir.path("long.csv")).unwrap();
    file.write_all(b"text,label\nfine,good\n").unwrap();
    file.write_all(&vec![b'a'; 4_000_000]).unwrap();
    file.set_len(100_000_000).unwrap(); // the rest takes no space on the disk
    let message = |place: &str| {
        format!(
            "error: {place}: the line, field or text is longer than 1048576 bytes\n\n\
             hint: look for a quote that is never closed; if the text is really that long, raise `data.max_line_bytes`"
        )
    };
    refused(&dir, "train small.toml --set data.train=\"long.csv\"", 65, &message("long.csv:3"));

    dir.ok("train small.toml --set train.epochs=1");
    refused(&dir, "predict runs/small --input long.csv", 65, &message("long.csv:3"));
    let finished = dir.pipe("predict runs/small", vec![b'a'; 100_000_000]);
    assert_eq!((finished.code, finished.stderr.trim_end()), (Some(65), message("stdin:1").as_str()));
}

#[test]
fn commands_that_are_not_understood() {
    let dir = with_data("usage", 2);
    for line in [
        "train",
        "frobnicate",
        "train small.toml --resume --overwrite",
        "predict",
        "predict runs/small text --input a.csv",
        "evaluate runs/small --split dev",
        "evaluate runs/small --split test --data a.csv",
        "completions tcsh",
        "--quiet --verbose devices",
    ] {
        let finished = dir.run(line).expect(2, line);
        assert!(finished.stderr.starts_with("error: ") && finished.stderr.contains("--help"), "{}", finished.stderr);
    }
}

/// A file of data once was 504 lines of problems of a config.
#[test]
fn a_file_of_data_is_no_config() {
    let dir = with_data("data-as-config", 2);
    for command in ["train", "check", "inspect"] {
        let told = dir.run(&format!("{command} train.csv")).expect(2, command).stderr;
        let hint = "hint: `attentive init train.csv` writes a config for it, which `attentive train` takes\n";
        assert_eq!(told, format!("error: `train.csv` is data, not a config\n\n{hint}"), "{command}");
    }
}
