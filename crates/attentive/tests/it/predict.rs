//! `predict`: every way in and out, the order kept, one row out for each row in.

use serde_json::{Value, json};

use crate::directory::{Dir, with_data};

/// A run to predict with.
fn trained(name: &str) -> Dir {
    let dir = with_data(name, 2);
    dir.ok("train small.toml --set train.epochs=6");
    dir
}

/// (label, probability) of each `label<TAB>probability` line.
fn answers(stdout: &str) -> Vec<(String, f64)> {
    let answer = |line: &str| {
        let (label, probability) = line.split_once('\t').unwrap();
        (label.to_string(), probability.parse().unwrap())
    };
    stdout.lines().map(answer).collect()
}

#[test]
fn from_arguments_and_stdin() {
    let dir = trained("predict-text");
    let output = dir.command(["predict", "runs/small", "a great film", "", "awful, so dull"]).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let from_arguments = answers(&stdout);
    assert_eq!(from_arguments.len(), 3);
    assert_eq!((from_arguments[0].0.as_str(), from_arguments[2].0.as_str()), ("good", "bad"));
    assert!(from_arguments.iter().all(|(_, probability)| (0.5..=1.0).contains(probability)), "{stdout}");
    for input in ["a great film\n\nawful, so dull\n", "a great film\r\n\r\nawful, so dull"] {
        let piped = dir.pipe("predict runs/small", input).expect(0, "predict");
        assert_eq!(piped.stdout, stdout);
    }
    assert_eq!(dir.pipe("predict runs/small", "").expect(0, "no text at all").stdout, "");
}

#[test]
fn json_tells_every_probability() {
    let dir = trained("predict-json");
    let finished = dir.pipe("predict runs/small --json", "great\nawful\n\n").expect(0, "predict --json");
    let lines: Vec<Value> = finished.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    for (line, text) in lines.iter().zip(["great", "awful", ""]) {
        assert_eq!(line["text"], text);
        let [bad, good] = ["bad", "good"].map(|label| line["probabilities"][label].as_f64().unwrap());
        assert!((bad + good - 1.0).abs() < 1e-6, "{line}");
        let (label, probability) = if good >= bad { ("good", good) } else { ("bad", bad) };
        assert_eq!((&line["predicted_label"], &line["probability"]), (&json!(label), &json!(probability)), "{line}");
    }
}

#[test]
fn a_csv_file_keeps_its_columns_and_its_order() {
    let dir = trained("predict-csv");
    // A text with a comma, quotes and a line end; an empty text; other columns before and behind.
    dir.file(
        "in.csv",
        "id,text,note\n7,great film,a\n8,\"awful, \"\"so\"\" dull\nand poor\",\n9,,c\n10,lovely,\"x,y\"\n",
    );
    dir.ok("predict runs/small --input in.csv --output out.csv");
    let written = dir.read("out.csv");
    let mut reader = csv::Reader::from_reader(written.as_slice());
    assert_eq!(reader.headers().unwrap(), vec!["id", "text", "note", "predicted_label", "probability"]);
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let columns = |from: usize, to: usize| -> Vec<Vec<&str>> {
        records.iter().map(|record| record.iter().skip(from).take(to - from).collect()).collect()
    };
    assert_eq!(
        columns(0, 3),
        [["7", "great film", "a"], ["8", "awful, \"so\" dull\nand poor", ""], ["9", "", "c"], ["10", "lovely", "x,y"],]
    );
    assert_eq!([&records[0][3], &records[1][3], &records[3][3]], ["good", "bad", "good"]);

    // The same rows as text lines, and as tab-separated values, which without quotes hold no line break.
    let refused = dir.run("predict runs/small --input in.csv --output out.tsv").expect(65, "a line break in a tsv");
    assert!(
        refused.error().starts_with("error: in.csv:3: the row cannot be written: it holds a line break"),
        "{}",
        refused.stderr
    );
    dir.file("short.csv", "id,text,note\n7,\"great, \"\"so\"\" film\",a\n");
    dir.ok("predict runs/small --input short.csv --output out.tsv");
    assert!(
        dir.text("out.tsv")
            .starts_with("id\ttext\tnote\tpredicted_label\tprobability\n7\tgreat, \"so\" film\ta\tgood\t")
    );
    let lines = answers(&dir.ok("predict runs/small --input in.csv"));
    let expected: Vec<(String, f64)> = records.iter().map(|r| (r[3].to_string(), r[4].parse().unwrap())).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_jsonl_file_keeps_its_keys_and_its_order() {
    let dir = trained("predict-jsonl");
    dir.file(
        "in.jsonl",
        "{\"id\": 2, \"text\": \"great\"}\n\n{\"text\": \"\", \"id\": 1}\n{\"text\": \"awful\\u0007\"}\n",
    );
    dir.ok("predict runs/small --input in.jsonl --output out.jsonl");
    let lines: Vec<Value> = dir.text("out.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().map(|line| line["id"].clone()).collect::<Vec<_>>(), [json!(2), json!(1), Value::Null]);
    assert_eq!((&lines[0]["predicted_label"], &lines[2]["predicted_label"]), (&json!("good"), &json!("bad")));
    assert_eq!(dir.ok("predict runs/small --input in.jsonl --json"), dir.text("out.jsonl"));
}

#[test]
fn a_text_file_has_one_text_on_each_line() {
    let dir = trained("predict-txt");
    dir.file("in.txt", "great, \"really\"\n\nawful\n");
    let from_file = dir.ok("predict runs/small --input in.txt");
    assert_eq!(answers(&from_file).len(), 3);
    dir.ok("predict runs/small --input in.txt --output out.txt");
    assert_eq!(dir.text("out.txt"), from_file);
    dir.ok("predict runs/small --input in.txt --output out.csv");
    assert!(dir.text("out.csv").starts_with("text,predicted_label,probability\n\"great, \"\"really\"\"\",good,"));
}

/// More texts than fit in a batch, of very different lengths: the answers are those of each text alone.
#[test]
fn a_prediction_does_not_depend_on_its_company() {
    let dir = trained("predict-company");
    let words = ["great", "awful", "film", "so", "unheard", "lovely", "dull"];
    let text = |i: usize| (0..i % 40).map(|j| words[(i * 7 + j * j) % words.len()]).collect::<Vec<_>>().join(" ");
    let texts: Vec<String> = (0..700).map(text).collect();
    let all = dir.pipe("predict runs/small", texts.join("\n") + "\n").expect(0, "all").stdout;
    let all: Vec<&str> = all.lines().collect();
    assert_eq!(all.len(), texts.len());
    let some: Vec<usize> = (0..texts.len()).step_by(97).collect();
    let alone = some.iter().map(|&i| dir.pipe("predict runs/small", format!("{}\n", texts[i])).stdout);
    for (i, alone) in some.iter().zip(alone) {
        assert_eq!(format!("{}\n", all[*i]), alone, "text {i}");
    }
}

/// More rows than are classified at once, and a row in the last line that is none.
#[test]
fn a_file_in_pieces_keeps_its_order_and_one_that_cannot_be_read_changes_nothing() {
    let dir = with_data("predict-pieces", 2);
    dir.ok("train small.toml --set train.epochs=6 --set train.evaluation_batch_size=2");
    let rows: String = (0..500).map(|i| format!("{i},{}\n", ["great", "awful", "fine"][i % 3])).collect();
    dir.file("in.csv", format!("id,text\n{rows}"));
    dir.ok("predict runs/small --input in.csv --output out.csv");
    let written = dir.text("out.csv");
    let found: Vec<&str> = written.lines().skip(1).collect();
    assert_eq!(found.len(), 500);
    for (i, row) in found.into_iter().enumerate() {
        let expected = [format!("{i},great,good,"), format!("{i},awful,bad,"), format!("{i},fine,good,")];
        assert!(row.starts_with(&expected[i % 3]), "{row}");
    }
    dir.file("bad.csv", format!("id,text\n{rows}lonely\n"));
    let failed = dir.run("predict runs/small --input bad.csv --output out.csv").expect(65, "a row without a text");
    assert!(failed.error().contains("bad.csv:502"), "{}", failed.stderr);
    assert_eq!(dir.text("out.csv"), written);
    let failed = dir.run("predict runs/small --input in.csv --output no/out.csv").expect(74, "no such folder");
    assert!(failed.error().contains("no/out.csv"), "{}", failed.stderr);
}
