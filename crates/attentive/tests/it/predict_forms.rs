//! What `predict` reads and what it writes: one choice of reader, the dialect of the input, labels that stay what they are.

use std::io::Read;

use serde_json::{Value, json};

use crate::directory::{CONFIG, Dir, setup, with_data};

fn trained(name: &str) -> Dir {
    let dir = with_data(name, 2);
    dir.ok("train small.toml --set train.epochs=6");
    dir
}

/// A run that was trained on a file of this name and content, with these lines in `[data]`.
fn trained_on(name: &str, file: &str, content: impl AsRef<[u8]>, data: &str) -> Dir {
    let dir = setup(name);
    dir.file(file, content);
    let config = CONFIG.replace("validation = \"validation.csv\"\ntest = \"test.csv\"\n", &format!("{data}\n"));
    dir.file("small.toml", config.replace("train.csv", file).replace("epochs = 2", "epochs = 12"));
    dir.ok("train small.toml");
    dir
}

/// A table of great and awful films, its columns and fields given.
fn films(header: &str, row: impl Fn(&str, &str) -> String) -> String {
    let rows = (0..40).map(|i| if i % 2 == 0 { row("a great film", "good") } else { row("an awful film", "bad") });
    format!("{header}{}", rows.collect::<String>())
}

/// The labels of `label<TAB>probability` lines.
fn labels(stdout: &str) -> Vec<&str> {
    stdout.lines().map(|line| line.split('\t').next().unwrap()).collect()
}

/// `predict --input train.txt` once took every line of the table for a text, the header included.
#[test]
fn a_txt_table_is_read_as_training_read_it() {
    let table = films("text\tlabel\n", |text, label| format!("{text}\t{label}\n"));
    let dir = trained_on("forms-txt", "train.txt", &table, "");
    let answers = dir.ok("predict runs/small --input train.txt");
    assert_eq!(labels(&answers), ["good", "bad"].repeat(20));
    dir.ok("predict runs/small --input train.txt --output out.txt");
    assert!(dir.text("out.txt").starts_with("text\tlabel\tpredicted_label\tprobability\na great film\tgood\tgood\t"));
    let evaluated = |file: &str| dir.ok(&format!("evaluate runs/small --data {file} --json"));
    assert_eq!(evaluated("out.txt"), evaluated("train.txt"));
    // By stdin as well, which is laid out like the training file.
    assert_eq!(dir.pipe("predict runs/small --input -", &table).expect(0, "predict --input -").stdout, answers);
    let piped = dir.pipe("evaluate runs/small --data - --json", &table).expect(0, "evaluate --data -").stdout;
    assert_eq!(piped, evaluated("train.txt"));
    // A header that is misspelled is no text.
    dir.file("other.txt", "Text\tlabel\na great film\tgood\n");
    let refused = dir.run("predict runs/small --input other.txt").expect(65, "another header");
    assert!(refused.error().contains("`other.txt` has no column `text`"), "{}", refused.stderr);
    let lines = dir.ok("predict runs/small --input other.txt --format lines");
    assert_eq!(labels(&lines).len(), 2);
}

#[test]
fn the_format_of_the_config_is_that_of_every_file() {
    let table = films("text;label\n", |text, label| format!("\"{text}; {text}\";{label}\n"));
    let data = "format = \"csv\"\ndelimiter = \";\"";
    let dir = trained_on("forms-dat", "train.dat", &table, data);
    assert_eq!(labels(&dir.ok("predict runs/small --input train.dat")), ["good", "bad"].repeat(20));
    dir.ok("predict runs/small --input train.dat --output out.dat");
    assert!(
        dir.text("out.dat")
            .starts_with("text;label;predicted_label;probability\n\"a great film; a great film\";good;good;")
    );
    dir.ok("predict runs/small --input train.dat --output out.csv");
    assert_eq!(dir.text("out.csv"), dir.text("out.dat"));
    let stdout = dir.pipe("predict runs/small --input - --output -", &table).expect(0, "predict to stdout").stdout;
    assert_eq!(stdout, dir.text("out.dat"));
    // Another format has to be named.
    dir.file("in.jsonl", "{\"body\": \"an awful film\"}\n");
    let refused = dir.run("predict runs/small --input in.jsonl").expect(65, "jsonl as csv");
    assert!(refused.error().contains("`--format`"), "{}", refused.stderr);
    let named = dir.ok("predict runs/small --input in.jsonl --format jsonl --text body");
    assert_eq!(labels(&named), ["bad"]);
    let piped = dir.pipe("predict runs/small --format jsonl --text body --stream", "{\"body\": \"a great film\"}\n");
    assert_eq!(labels(&piped.expect(0, "JSON Lines on stdin").stdout), ["good"]);
    let refused = dir.run("predict runs/small --input in.jsonl --format cvs").expect(2, "no format");
    assert!(refused.stderr.contains("unknown variant `cvs`, expected one of `lines`"), "{}", refused.stderr);
}

#[test]
fn a_table_without_a_header_gets_none() {
    let table = films("", |text, label| format!("{label},{text}\n"));
    let dir = trained_on("forms-bare", "train.csv", &table, "header = false\ntext = 1\nlabel = 0");
    dir.ok("predict runs/small --input train.csv --output out.csv --probabilities");
    let written = dir.text("out.csv");
    assert!(written.starts_with("good,a great film,good,0.") && written.lines().count() == 40, "{written}");
    assert!(written.lines().all(|line| line.split(',').count() == 6), "{written}");
    assert_eq!(dir.ok("evaluate runs/small --data out.csv"), dir.ok("evaluate runs/small --data train.csv"));
    // In JSON the columns have their numbers.
    dir.ok("predict runs/small --input train.csv --output out.jsonl");
    let object: Value = serde_json::from_str(dir.text("out.jsonl").lines().next().unwrap()).unwrap();
    assert_eq!((&object["0"], &object["1"]), (&json!("good"), &json!("a great film")));
}

#[test]
fn a_row_is_copied_as_it_stands() {
    let table = films("id\ttext\tlabel\r\n", |text, label| format!("7\t\"{text}\t{label}\r\n"));
    let dir = trained_on("forms-copied", "train.tsv", &table, "");
    dir.ok("predict runs/small --input train.tsv --output out.tsv");
    let written = dir.text("out.tsv");
    assert!(
        written.starts_with("id\ttext\tlabel\tpredicted_label\tprobability\r\n7\t\"a great film\tgood\tgood\t"),
        "{written}"
    );
    assert!(written.ends_with("\r\n") && !written.contains("\"\""), "{written}");
    // In a csv the quote has to be doubled, and it is the same text.
    dir.ok("predict runs/small --input train.tsv --output out.csv");
    assert!(dir.text("out.csv").contains("7,\"\"\"a great film\",good,good,0."), "{}", dir.text("out.csv"));
}

#[test]
fn the_encoding_and_its_mark_are_kept() {
    let table = films("text,label\n", |text, label| format!("{text} café,{label}\n"));
    let latin = encoding_rs::WINDOWS_1252.encode(&table).0.into_owned();
    let dir = trained_on("forms-encoding", "train.csv", &latin, "encoding = \"windows-1252\"");
    let evaluated = |file: &str| dir.ok(&format!("evaluate runs/small --data {file} --json"));
    for output in ["out.csv", "out.tsv", "out.jsonl"] {
        dir.ok(&format!("predict runs/small --input train.csv --output {output}"));
        assert_eq!(evaluated(output), evaluated("train.csv"), "{output}");
    }
    assert!(dir.read("out.csv").windows(5).any(|bytes| bytes == b"caf\xE9,"));
    assert!(dir.text("out.jsonl").contains("a great film caf\\u00e9"), "{}", dir.text("out.jsonl"));
    let mut marked = b"\xEF\xBB\xBF".to_vec();
    marked.extend_from_slice(table.as_bytes());
    dir.file("marked.csv", &marked);
    dir.ok("predict runs/small --input marked.csv --output out.csv");
    assert!(dir.text("out.csv").starts_with("\u{feff}text,label,predicted_label"));
    // On the terminal the output is UTF-8.
    let line = dir.ok("predict runs/small --input train.csv --json");
    assert!(
        line.starts_with("{\"text\":\"a great film café\",\"label\":\"good\",\"predicted_label\":\"good\""),
        "{line}"
    );
}

#[test]
fn json_numbers_strings_and_nesting_stay_as_they_are() {
    let dir = trained("forms-json");
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let rows = [
        "{\"id\": 9007199254740993, \"text\": \"great\", \"x\": 1e999, \"y\": 1.10}".to_string(),
        format!("{{\"text\": \"awful\", \"deep\": {deep}, \"id\": 18446744073709551616}}"),
        "{\"half\": \"\\ud800\", \"text\": \"great\", \"n\": null}".to_string(),
    ];
    dir.file("in.jsonl", rows.join("\n"));
    dir.ok("predict runs/small --input in.jsonl --output out.jsonl");
    let written = dir.text("out.jsonl");
    for (line, row) in written.lines().zip(&rows) {
        let body = row.strip_suffix('}').unwrap();
        assert!(line.starts_with(&format!("{body},\"predicted_label\":")), "{line}");
    }
    // In one array, and as a table: what a field cannot hold is an error with a remedy.
    dir.ok("predict runs/small --input in.jsonl --output out.json");
    assert!(
        dir.text("out.json").starts_with("[\n{\"id\": 9007199254740993") && dir.text("out.json").ends_with("}\n]\n")
    );
    dir.file("table.jsonl", &rows[0]);
    dir.ok("predict runs/small --input table.jsonl --output out.csv");
    assert!(
        dir.text("out.csv")
            .starts_with("id,text,x,y,predicted_label,probability\n9007199254740993,great,1e999,1.10,good,")
    );
    let refused = dir.run("predict runs/small --input in.jsonl --output out.csv").expect(65, "another key");
    assert!(
        refused.error().contains("in.jsonl:2: the row cannot be written: it has the key `deep`"),
        "{}",
        refused.stderr
    );
    // The text, a label of several kinds, and all other columns from a table.
    dir.file("in.csv", "id,text,note\n007,great,\"a, \"\"b\"\"\"\n");
    for line in ["--output from-csv.jsonl", "--json"] {
        let stdout = dir.ok(&format!("predict runs/small --input in.csv {line}"));
        let text = if stdout.is_empty() { dir.text("from-csv.jsonl") } else { stdout };
        let object: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&object["id"], &object["text"], &object["note"]),
            (&json!("007"), &json!("great"), &json!("a, \"b\""))
        );
    }
}

#[test]
fn a_column_that_is_there_already_is_not_written_twice() {
    let dir = trained("forms-clash");
    dir.file("in.csv", "text,predicted_label\ngreat,x\n");
    let refused = dir.run("predict runs/small --input in.csv --output out.csv").expect(65, "a column twice");
    assert_eq!(
        refused.error(),
        "error: the input already has a column `predicted_label`, which the output adds\n\nhint: rename it in the input \
         first, for example to `predicted_label_before`, or leave it out\n"
    );
    assert!(!dir.path("out.csv").exists());
    dir.file("in.jsonl", "{\"text\": \"great\", \"probability\": 1}\n");
    dir.run("predict runs/small --input in.jsonl --json").expect(65, "a key twice");
    dir.run("predict runs/small --input in.csv --output out.jsonl").expect(65, "a column as a key");
    // Lines have no columns.
    assert_eq!(labels(&dir.ok("predict runs/small --input in.csv")), ["good"]);
    dir.file("in.csv", "text,probability_bad\ngreat,x\n");
    dir.ok("predict runs/small --input in.csv --output out.csv");
    dir.run("predict runs/small --input in.csv --output out.csv --probabilities").expect(65, "a column of a label");
}

#[test]
fn a_table_has_all_probabilities_on_request() {
    let dir = trained("forms-probabilities");
    dir.file("in.csv", "text\ngreat\nawful\n");
    dir.ok("predict runs/small --input in.csv --output out.csv --probabilities");
    let written = dir.text("out.csv");
    let rows: Vec<Vec<&str>> = written.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["text", "predicted_label", "probability", "probability_bad", "probability_good"]);
    for row in &rows[1..] {
        let [bad, good]: [f64; 2] = [3, 4].map(|column| row[column].parse().unwrap());
        assert!((bad + good - 1.0).abs() < 2e-6, "{row:?}");
        assert_eq!(row[2], if row[1] == "good" { row[4] } else { row[3] });
    }
    dir.run("predict runs/small --input in.csv --probabilities").expect(2, "lines have no columns");
}

#[test]
fn only_what_is_written_is_accepted() {
    let dir = trained("forms-extensions");
    dir.file("in.csv", "text\ngreat\n");
    for output in ["o.parquet", "o.xlsx", "o.ft", "o.md", "o.xlsx.gz"] {
        let refused = dir.run(&format!("predict runs/small --input in.csv --output {output}")).expect(2, output);
        let hint = "hint: .csv, .tsv, .jsonl, .json and .txt are written, each also with .gz or .zst behind it\n";
        assert!(refused.error().contains(output) && refused.error().ends_with(hint), "{}", refused.stderr);
        assert!(!dir.path(output).exists(), "{output}");
    }
    dir.run("predict runs/small --input in.csv --json --output o.csv").expect(2, "--json to a csv");
    assert!(!dir.path("o.csv").exists());
    dir.ok("predict runs/small --input in.csv --json --output o.jsonl");
    dir.run("predict runs/small --input -").expect(0, "stdin is empty");
}

#[test]
fn compressed_files_are_compressed() {
    let dir = trained("forms-compressed");
    let rows: String = (0..2000).map(|i| format!("{i},{}\n", ["great", "awful"][i % 2])).collect();
    dir.file("in.csv", format!("id,text\n{rows}"));
    dir.ok("predict runs/small --input in.csv --output out.csv");
    let plain = dir.read("out.csv");
    for output in ["out.csv.gz", "out.csv.zst"] {
        dir.ok(&format!("predict runs/small --input in.csv --output {output}"));
        let packed = dir.read(output);
        assert!(packed.len() < plain.len() / 2, "{output}: {} of {} bytes", packed.len(), plain.len());
        let mut unpacked = Vec::new();
        if output.ends_with("gz") {
            flate2::read::MultiGzDecoder::new(packed.as_slice()).read_to_end(&mut unpacked).unwrap();
        } else {
            let mut decoder = ruzstd::decoding::StreamingDecoder::new(packed.as_slice()).unwrap();
            decoder.read_to_end(&mut unpacked).unwrap();
        }
        assert!(unpacked == plain, "{output}");
    }
    // And they are read again.
    assert_eq!(dir.ok("predict runs/small --input out.csv.zst --text text").lines().count(), 2000);
}

/// The label `line1\nline2\t1.000000` once forged a row, and escape sequences reached the terminal.
#[test]
fn labels_stay_on_their_line_and_are_not_obeyed() {
    const LABELS: [&str; 2] = ["line1\nline2\t1.000000", "\u{1b}[31mred\\"];
    let row = |text: &str, label: &str| {
        let label = if label == "good" { LABELS[0] } else { LABELS[1] };
        format!("{}\n", json!({ "text": text, "label": label }))
    };
    let dir = trained_on("forms-labels", "train.jsonl", films("", row), "");
    let told = dir.ok("predict runs/small --input train.jsonl");
    let lines: Vec<Vec<&str>> = told.lines().map(|line| line.split('\t').collect()).collect();
    assert!(lines.len() == 40 && lines.iter().all(|fields| fields.len() == 2), "{told}");
    assert_eq!((lines[0][0], lines[1][0]), ("line1\\nline2\\t1.000000", "\\u{1b}[31mred\\\\"));
    // JSON and CSV hold them, TSV without quotes does not.
    for output in ["out.jsonl", "out.csv"] {
        dir.ok(&format!("predict runs/small --input train.jsonl --output {output}"));
        let [evaluated, expected] =
            [output, "train.jsonl"].map(|file| dir.ok(&format!("evaluate runs/small --data {file}")));
        assert_eq!(evaluated, expected, "{output}");
    }
    let written = dir.read("out.csv");
    let mut reader = csv::Reader::from_reader(written.as_slice());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!((&rows[0][2], &rows[1][2]), (LABELS[0], LABELS[1]));
    let refused = dir.run("predict runs/small --input train.jsonl --output out.tsv").expect(2, "a label with a tab");
    assert!(refused.error().contains("cannot be written: it holds the delimiter"), "{}", refused.stderr);
    for line in ["evaluate runs/small --data train.jsonl", "inspect runs/small", "check small.toml"] {
        let told = dir.ok(line);
        assert!(!told.contains('\u{1b}') && told.contains("\\u{1b}[31mred"), "{told}");
    }
}

#[test]
fn a_label_that_holds_the_separator_stays_one() {
    let rows = |labels: &[&str], text: &str| format!("{}\n", json!({ "text": text, "label": labels }));
    let table: String = (0..20).map(|_| rows(&["sad, angry"], "tears") + &rows(&["glad"], "laughter")).collect();
    let dir = trained_on("forms-separator", "train.jsonl", table, "multi_label = true");
    let refused = dir.run("predict runs/small --input train.jsonl --output out.csv").expect(2, "labels in one field");
    assert_eq!(
        refused.error(),
        "error: the label `sad, angry` holds `,`, which stands between the labels of one field\n\nhint: write a .jsonl \
         file, or to stdout with `--json`: JSON has lists of labels\n"
    );
    assert_eq!(labels(&dir.ok("predict runs/small tears laughter")), ["sad\\, angry", "glad"]);
    dir.ok("predict runs/small --input train.jsonl --output out.jsonl");
    let object: Value = serde_json::from_str(dir.text("out.jsonl").lines().next().unwrap()).unwrap();
    assert_eq!(object["predicted_labels"], json!(["sad, angry"]));
}

#[test]
fn a_list_of_labels_becomes_a_field_and_back() {
    let rows = |labels: &[&str], text: &str| format!("{}\n", json!({ "text": text, "label": labels }));
    let table: String = (0..20).map(|_| rows(&["a", "b"], "tears") + &rows(&[], "laughter")).collect();
    let dir = trained_on("forms-lists", "train.jsonl", table, "multi_label = true");
    dir.ok("predict runs/small --input train.jsonl --output out.csv");
    assert!(
        dir.text("out.csv").starts_with("text,label,predicted_label,probability\ntears,\"a,b\","),
        "{}",
        dir.text("out.csv")
    );
    let evaluated = |file: &str| dir.ok(&format!("evaluate runs/small --data {file} --json"));
    assert_eq!(evaluated("out.csv"), evaluated("train.jsonl"));
}

/// One bad row once ended everything.
#[test]
fn a_bad_row_has_its_error_in_its_place() {
    let dir = trained("forms-skip");
    dir.file("in.csv", "id,text\n1,great\n2\n3,awful\n");
    for line in ["", "--json", "--output out.csv", "--output out.jsonl"] {
        let failed = dir.run(&format!("predict runs/small --input in.csv {line}")).expect(65, line);
        assert!(failed.error().contains("in.csv:3"), "{}", failed.stderr);
    }
    assert!(!dir.path("out.csv").exists());
    let skipped = |line: &str| {
        let finished = dir.run(&format!("predict runs/small --on-error skip {line}")).expect(0, line);
        assert_eq!(finished.stderr, "1 row cannot be used: an error stands in its place\n", "{line}");
        finished.stdout
    };
    let message = "in.csv:3: the row has 1 field, the first line has 2: `2`";
    let lines = skipped("--input in.csv");
    assert_eq!(lines.lines().nth(1).unwrap(), format!("\t\t{message}"));
    assert_eq!(labels(&lines), ["good", "", "bad"]);
    skipped("--input in.csv --output out.csv");
    let written = dir.text("out.csv");
    let rows: Vec<&str> = written.lines().collect();
    assert_eq!(rows[0], "id,text,predicted_label,probability,error");
    assert!(rows[1].starts_with("1,great,good,0.") && rows[1].ends_with(','), "{written}");
    assert_eq!(rows[2], format!(",,,,\"{message}\""));
    let objects = skipped("--input in.csv --json");
    let second: Value = serde_json::from_str(objects.lines().nth(1).unwrap()).unwrap();
    assert_eq!(second, json!({ "error": message }));
    // An object keeps its keys; what is no object has none.
    dir.file("in.jsonl", "{\"id\": 1, \"text\": 5}\n{\"id\": 2, \"text\": \"great\"}\n");
    let objects = skipped("--input in.jsonl --json");
    let first: Value = serde_json::from_str(objects.lines().next().unwrap()).unwrap();
    assert_eq!(first, json!({ "id": 1, "text": 5, "error": "in.jsonl:1: `text` is a number, not a string" }));
    dir.file("in.jsonl", "nonsense\n{\"id\": 2, \"text\": \"great\"}\n");
    skipped("--input in.jsonl --output out.csv");
    let written = dir.text("out.csv");
    assert!(
        written.starts_with("id,text,predicted_label,probability,error\n,,,,in.jsonl:1:2: invalid JSON: "),
        "{written}"
    );
    // A row that cannot be written is one as well.
    dir.file("in.csv", "id,text\n1,\"a\ttab\"\n2,great\n");
    skipped("--input in.csv --output out.tsv");
    assert!(dir.text("out.tsv").contains("\n\t\t\t\tin.csv:2: the row cannot be written: it holds the delimiter"));
    // Stdin, in pieces and row by row.
    for line in ["", "--stream"] {
        let finished = dir.pipe(&format!("predict runs/small --on-error skip {line}"), b"great\ncaf\xE9\nawful\n");
        let finished = finished.expect(0, line);
        assert_eq!(labels(&finished.stdout), ["good", "", "bad"], "{line}");
        assert!(finished.stdout.contains("\t\tstdin:2: byte 0xE9 is not valid UTF-8\n"), "{}", finished.stdout);
    }
}
