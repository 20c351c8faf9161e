//! `predict` where inputs are unusual: records over lines, empty files, rows whose keys clash, stdin that is the output.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::directory::{CONFIG, Dir, Finished, setup, with_data};

fn trained(name: &str) -> Dir {
    let dir = with_data(name, 2);
    dir.ok("train small.toml --set train.epochs=1");
    dir
}

fn trained_on(name: &str, file: &str, content: &str, data: &str) -> Dir {
    let dir = setup(name);
    dir.file(file, content);
    let config = CONFIG.replace("validation = \"validation.csv\"\ntest = \"test.csv\"\n", &format!("{data}\n"));
    dir.file("small.toml", config.replace("train.csv", file));
    dir.ok("train small.toml");
    dir
}

/// The first line of a quoted cell with a line break was once looked at alone: every line became a text.
#[test]
fn a_txt_table_whose_first_cell_spans_lines_is_a_table() {
    let rows = "\"bad\nmore\"\tneg\n\"good\nmore\"\tpos\n".repeat(30);
    let data = "header = false\nquoting = true\ntext = 0\nlabel = 1";
    let dir = trained_on("edges-record", "qt.txt", &rows, data);
    assert_eq!(dir.ok("predict runs/small --input qt.txt").lines().count(), 60);
}

#[test]
fn a_prediction_of_another_format_can_be_evaluated() {
    let rows: String = (0..40).map(|i| ["great;good\n", "awful;bad\n"][i % 2]).collect();
    let data = "format = \"csv\"\ndelimiter = \";\"";
    let dir = trained_on("edges-evaluate", "train.dat", &format!("text;label\n{rows}"), data);
    let expected = dir.ok("evaluate runs/small --data train.dat --json");
    for (output, format) in [("out.tsv", "tsv"), ("out.jsonl", "jsonl")] {
        dir.ok(&format!("predict runs/small --input train.dat --output {output}"));
        let found = dir.ok(&format!("evaluate runs/small --data {output} --format {format} --json"));
        assert_eq!(found, expected, "{output}");
    }
    dir.run("evaluate runs/small --format tsv").expect(2, "a format of nothing");
}

/// A program that waits for an answer once waited for ever.
#[test]
fn a_failure_ends_a_stream_that_goes_on() {
    let dir = trained("edges-stream");
    let line = "predict runs/small --format jsonl --stream --json";
    let mut command = dir.command(line.split_whitespace());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, b"{\"text\":\"great\",\"probability\":1}\n").unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < until, "it waits for more rows");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(stdin);
    Finished::of(child.wait_with_output().unwrap()).expect(65, "a key that is added");
}

#[test]
fn a_bad_object_keeps_its_keys() {
    let dir = trained("edges-keys");
    let rows =
        "{\"id\":5,\"text\":\"\\ud800\"}\n{\"id\":6,\"error\":\"old\"}\n{\"id\":7,\"text\":\"a\",\"probability\":1}\n";
    let line = "predict runs/small --format jsonl --on-error skip --json";
    let written = dir.pipe(line, rows).expect(0, line).stdout;
    let starts = [
        "{\"id\":5,\"text\":\"\\ud800\",\"error\":",
        "{\"id\": 6, \"error_before\": \"old\",\"error\":",
        "{\"id\":7,\"text\":\"a\",\"probability\":1,\"error\":",
    ];
    assert_eq!(written.lines().count(), 3);
    for (line, start) in written.lines().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
}

#[test]
fn a_table_of_an_unknown_extension_is_refused() {
    let dir = trained("edges-unknown");
    dir.file("in.dat", "id,text\n1,great\n");
    let refused = dir.run("predict runs/small --input in.dat").expect(65, "a table");
    assert!(refused.error().contains("`--format`"), "{}", refused.stderr);
    dir.ok("predict runs/small --input in.dat --format csv");
    dir.file("list", "great\nawful\n");
    assert_eq!(dir.ok("predict runs/small --input list").lines().count(), 2);
}

#[test]
fn stdin_is_never_the_output() {
    let dir = trained("edges-stdin");
    let before = dir.text("test.csv");
    for line in ["predict runs/small --input - --output test.csv", "predict runs/small --output test.csv"] {
        let file = std::fs::File::open(dir.path("test.csv")).unwrap();
        let output = dir.command(line.split_whitespace()).stdin(file).output().unwrap();
        Finished::of(output).expect(2, line);
        assert_eq!(dir.text("test.csv"), before);
    }
}

#[test]
fn an_empty_input_is_no_failure() {
    let dir = trained("edges-empty");
    let added = "predicted_label,probability\n";
    for (name, content, output, written) in [
        ("a.csv", "", "out.csv", added.to_string()),
        ("b.csv", "id,text\n", "out.csv", format!("id,text,{added}")),
        ("c.json", "[]", "out.json", "[\n]\n".to_string()),
    ] {
        dir.file(name, content);
        let line = format!("predict runs/small --input {name} --output {output}");
        let finished = dir.run(&line).expect(0, &line);
        assert!(finished.stderr.contains("nothing to classify"), "{}", finished.stderr);
        assert_eq!(dir.text(output), written, "{name}");
    }
}

/// A text that grows beyond all bounds once ended the command whatever `--on-error` said, and the row was not told.
#[test]
fn a_text_that_the_tokenizer_refuses_is_a_bad_row() {
    let dir = setup("edges-refused");
    let grows = format!(r#"{{"type":"Replace","pattern":{{"String":"q"}},"content":"{}"}}"#, "z".repeat(120));
    let model = r#"{"type":"WordLevel","vocab":{"[UNK]":0,"g":1,"b":2},"unk_token":"[UNK]"}"#;
    let words = r#""pre_tokenizer":{"type":"Whitespace"}"#;
    dir.file("tokenizer.json", format!(r#"{{"version":"1.0","normalizer":{grows},{words},"model":{model}}}"#));
    let rows: String = (0..40).map(|i| ["g g,good\n", "b b,bad\n"][i % 2]).collect();
    dir.file("train.csv", format!("text,label\n{rows}"));
    let config = CONFIG.replace("validation = \"validation.csv\"\ntest = \"test.csv\"\n", "");
    dir.file("small.toml", format!("{config}\n[tokenizer.file]\npath = \"tokenizer.json\"\n"));
    dir.ok("train small.toml");
    let long = "q".repeat(20_000);
    dir.file("in.csv", format!("id,text\n1,g g\n2,g {long}\n3,b\n4,\"b\n{long}\"\n5,g\n"));
    let refused = dir.run("predict runs/small --input in.csv --output out.csv").expect(65, "a refused text");
    let told = "in.csv:3: the tokenizer failed on the text `g qqq";
    assert!(refused.error().contains(told), "{}", refused.error());
    assert!(!dir.path("out.csv").exists());
    let skipped = dir.run("predict runs/small --input in.csv --output out.jsonl --on-error skip").expect(0, "skip");
    assert!(skipped.stderr.contains("2 rows cannot be used"), "{}", skipped.stderr);
    let written = dir.text("out.jsonl");
    let starts = [
        r#"{"id":"1""#,
        r#"{"error":"in.csv:3: the tokenizer failed on the text `g qqq"#,
        r#"{"id":"3""#,
        r#"{"error":"in.csv:5: the tokenizer failed on the text `b qqq"#,
        r#"{"id":"5""#,
    ];
    assert_eq!(written.lines().count(), starts.len());
    for (line, start) in written.lines().zip(starts) {
        assert!(line.starts_with(start), "{written}");
    }
    dir.file("in.json", format!("[{{\"id\":1,\"text\":\"g\"}}, {{\"id\":2,\"text\":\"{long}\"}}]"));
    let element = dir.run("predict runs/small --input in.json").expect(65, "an element");
    assert!(element.error().contains("in.json:1, element 2: the tokenizer failed"), "{}", element.error());
    // Which rows stand beside it changes no prediction.
    dir.file("good.csv", "id,text\n1,g g\n3,b\n5,g\n");
    dir.ok("predict runs/small --input good.csv --output good.jsonl");
    let good: Vec<&str> = written.lines().filter(|line| !line.contains("error")).collect();
    assert_eq!(dir.text("good.jsonl").lines().collect::<Vec<_>>(), good);
    let told = dir.run(&format!("predict runs/small g {long} b --on-error skip")).expect(0, "arguments");
    assert_eq!(told.stdout.lines().count(), 3);
    assert!(told.stdout.contains("argument:2: the tokenizer failed"), "{}", told.stdout);
    let rows = format!("{{\"id\":1,\"text\":\"{long}\"}}\n{{\"id\":2,\"text\":\"g\"}}\n");
    let line = "predict runs/small --format jsonl --on-error skip --json";
    let objects = dir.pipe(line, &rows).expect(0, line).stdout;
    assert!(objects.starts_with(&format!("{{\"id\":1,\"text\":\"{long}\",\"error\":")));
}

/// The hint once named settings of a config that is made, and not the option that says how the file is laid out.
#[test]
fn an_evaluation_of_other_columns_names_its_option() {
    let dir = trained("edges-labelled");
    dir.file("other.csv", "review;stars\ngreat;5\n");
    let told = dir.run("evaluate runs/small --data other.csv").expect(65, "other columns").stderr;
    assert!(told.ends_with("or say how the file is laid out with `--format`\n"), "{told}");
}

#[test]
fn arguments_that_are_no_pairs_are_skipped_on_request() {
    let dir = setup("edges-pairs");
    let rows: String = (0..40).map(|i| ["a,a,same\n", "a,b,other\n"][i % 2]).collect();
    dir.file("train.csv", format!("one,two,label\n{rows}"));
    let data = "text = [\"one\", \"two\"]\n";
    let config = CONFIG.replace("validation = \"validation.csv\"\ntest = \"test.csv\"\n", data);
    let model = "attention.bidirectional = {}\nembedding = { dim = 8 }";
    dir.file("small.toml", config.replace("embedding = { dim = 8 }", model));
    dir.ok("train small.toml");
    let predict = |texts: &[&str]| {
        let line = ["predict", "runs/small", "--on-error", "skip"].iter().chain(texts);
        Finished::of(dir.command(line).output().unwrap()).expect(0, "skip").stdout
    };
    let lines = predict(&["a\ta", "alone", "a\tb"]);
    let lines: Vec<&str> = lines.lines().collect();
    assert!(lines.len() == 3 && lines[1].contains("argument:2"), "{lines:?}");
    assert_eq!([lines[0], lines[2]].map(str::to_string).to_vec().join("\n") + "\n", predict(&["a\ta", "a\tb"]));
}
