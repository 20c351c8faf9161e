//! `import`: what is told of a model that Keras trained, that the run goes on, and what is refused before anything is made.
//! The models are those of `scripts/keras_fixtures.py`; that what comes out is Keras' is for `scripts/check_import.py`.

use serde_json::Value;

use crate::directory::{CPU, Dir, repository, with_data};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(repository().join("crates/export/tests/data/keras").join(name)).unwrap()
}

/// Data of so many labels, and the models.
fn with_models(name: &str, labels: usize) -> Dir {
    let dir = with_data(name, labels);
    for file in ["text.keras", "reference.keras", "reference.weights.h5"] {
        dir.file(file, fixture(file));
    }
    let words = ["", "[UNK]", "film", "the", "a", "was", "it", "and", "awful", "dull", "great", "fine"];
    dir.file("vocabulary.txt", words.join("\n"));
    dir
}

#[test]
fn a_model_of_texts_is_told_and_goes_on() {
    let dir = with_models("import-text", 3);
    let line = format!("import text.keras --config small.toml --output run --backend {CPU}");
    let imported = dir.run(&line).expect(0, &line);
    assert_eq!(
        imported.stdout,
        "run `run`, goes on after 2 updates of its optimizer\nclasses in Keras: 0 = `bad`, 1 = `good`, 2 = `mixed`\n\
         next: `attentive evaluate run --split validation` measures it; `attentive resume run` trains 2 epochs\n"
    );
    for told in [
        "text.keras\n  Keras 3.15.1: embedding of 20 × 3; no attention; mean pooling; softmax of 3\n  TextVectorization of 13 \
         tokens, 4 a text: lower case, punctuation stripped\n  what the model decides, whatever the config says:\n",
        "    model.embedding.dim: was 8, is 3\n",
        "    model.masking: was true, is false\n",
        "    tokenizer.word: is `run/tokenizer.json`\n",
        "    train.optimizer.adam.learning_rate: was 0.05, is 0.001\n",
        "  starts from `text.keras` (weights ",
        "3 of 3 weights as they are\n",
        "    not used: the last 7 of 20 rows of the embedding, which no token has\n",
    ] {
        assert!(imported.stderr.contains(told), "{told}\n{}", imported.stderr);
    }
    // What it says of the fixture's texts is what Keras said.
    let expected: Value = serde_json::from_slice(&fixture("expected.json")).unwrap();
    let texts: Vec<String> = serde_json::from_value(expected["text"]["texts"].clone()).unwrap();
    let told = dir.pipe("predict run --json", texts.join("\n")).expect(0, "predict").stdout;
    for (line, row) in told.lines().zip(expected["text"]["probabilities"].as_array().unwrap()) {
        let found: Value = serde_json::from_str(line).unwrap();
        for (label, probability) in ["bad", "good", "mixed"].iter().zip(row.as_array().unwrap()) {
            let own = found["probabilities"][label].as_f64().unwrap();
            assert!((own - probability.as_f64().unwrap()).abs() < 1e-6, "{line}");
        }
    }
    dir.ok("evaluate run --split validation");
    dir.ok("export run --format bundle --output bundle");
    assert!(dir.run("verify run").expect(66, "verify").error().contains("hint:"));
    dir.ok("resume run");
    assert_eq!(dir.list("run/checkpoints"), ["step-0000000000", "step-0000000006", "step-0000000012"]);
    assert!(dir.ok("verify run").contains("everything is as it should be"));
    let state = dir.json("run/checkpoints/step-0000000012/state.json");
    assert_eq!((&state["updates_before"], &state["step"]), (&2.into(), &12.into()));
    let account = &dir.json("run/split.json")["start"];
    assert_eq!((&account["path"], &account["weights"]["head.bias"]), (&"text.keras".into(), &"whole".into()));
    // The count of Adam goes back to Keras as a whole.
    let back = dir.ok("export run --format keras --output back.keras");
    assert!(back.contains("with the state of Adam after 14 updates") || back.contains("after 8 updates"), "{back}");
}

#[test]
fn a_model_of_ids_takes_a_vocabulary_and_the_names_of_its_classes() {
    let dir = with_models("import-ids", 2);
    let line = "import reference.keras --config small.toml --tokenizer vocabulary.txt --output";
    let plain = dir.run(&format!("{line} plain")).expect(0, line);
    assert!(plain.stderr.contains("`Dropout` layer `dropout`: dropout of 0.5"), "{}", plain.stderr);
    assert!(plain.stdout.contains("goes on after 6 updates"), "{}", plain.stdout);
    let turned = dir.ok(&format!("{line} turned --classes good,bad"));
    assert!(turned.contains("classes in Keras: 0 = `good`, 1 = `bad`\n"), "{turned}");
    let probability = |run: &str, label: &str| {
        let told = dir.pipe(&format!("predict {run} --json"), "the film was great").expect(0, run).stdout;
        serde_json::from_str::<Value>(&told).unwrap()["probabilities"][label].as_f64().unwrap()
    };
    assert!((probability("plain", "good") - probability("turned", "bad")).abs() < 1e-6);
    dir.ok("resume turned");
    let weights = "import reference.weights.h5 --config small.toml --tokenizer plain/tokenizer.json --output weights --set \
                   model.embedding.dim=4 --set model.attention.dot.use_scale=true --set model.attention.dot.score_mode=\"concat\"";
    assert!(dir.ok(weights).contains("goes on after 6 updates"));
    assert!((probability("plain", "good") - probability("weights", "good")).abs() < 1e-6);
}

/// A run that is stopped and gone on with ends as one that is not.
#[test]
fn an_imported_run_is_resumed_exactly() {
    let dir = with_models("import-resume", 3);
    for (run, epochs) in [("whole", 3), ("halves", 1)] {
        dir.ok(&format!(
            "import text.keras --config small.toml --output {run} --backend {CPU} --set train.epochs={epochs} --set train.ema=0.9"
        ));
        dir.ok(&format!("resume {run}"));
    }
    dir.ok("train halves/config.toml --run-dir halves --resume --set train.epochs=3");
    let weights = |run: &str| dir.json(format!("{run}/report.json"))["weights_sha256"].clone();
    assert_eq!(weights("whole"), weights("halves"));
    assert_eq!(dir.json("halves/split.json")["start"]["path"], "text.keras");
}

/// Its config names the tokenizer where it was made; the run has it.
#[test]
fn an_imported_run_goes_on_wherever_it_is() {
    let dir = with_models("import-moved", 3);
    for run in ["stays", "made"] {
        dir.ok(&format!("import text.keras --config small.toml --output {run} --backend {CPU}"));
    }
    std::fs::create_dir(dir.path("elsewhere")).unwrap();
    std::fs::rename(dir.path("made"), dir.path("elsewhere/moved")).unwrap();
    std::fs::remove_file(dir.path("text.keras")).unwrap();
    dir.ok("resume elsewhere/moved");
    dir.ok("resume stays");
    let weights = |run: &str| dir.json(format!("{run}/report.json"))["weights_sha256"].clone();
    assert_eq!(weights("elsewhere/moved"), weights("stays"));
    assert!(dir.ok("verify elsewhere/moved").contains("everything is as it should be"));
    // A copy that is damaged is not used.
    let tokenizer = dir.text("elsewhere/moved/tokenizer.json");
    dir.file("elsewhere/moved/tokenizer.json", tokenizer.replace("film", "flim"));
    let refused = dir.run("resume elsewhere/moved").expect(66, "a damaged copy");
    assert!(refused.error().contains("`made/tokenizer.json` does not exist"), "{}", refused.error());
}

/// What an import leaves that was cut off is neither in the way of another nor taken for a run.
#[test]
fn an_import_that_was_cut_off_is_no_obstacle() {
    let dir = with_models("import-cut", 3);
    let import = "import text.keras --config small.toml --output run";
    let cut = |names: &[&str]| {
        dir.ok(import);
        names.iter().for_each(|name| std::fs::remove_file(dir.path("run").join(name)).unwrap());
        let told = dir.run("resume run").expect(66, "resume");
        let reason = "`run` is not a run directory: the command that was making it was cut off: run that command again";
        assert!(told.error().contains(reason), "{}", told.error());
    };
    cut(&["config.toml"]);
    cut(&["config.toml", "split.json", "labels.json", "tokenizer.json", "versions.json"]);
    dir.ok(&format!("train small.toml --run-dir run --overwrite --backend {CPU}"));
    std::fs::remove_dir_all(dir.path("run")).unwrap();
    cut(&["config.toml"]);
    dir.ok(&format!("train small.toml --run-dir run --backend {CPU}"));
    assert!(dir.run(import).expect(73, import).error().contains("`run` is there already"));
}

#[test]
fn what_cannot_be_imported_is_told_before_anything_is_made() {
    let dir = with_models("import-bad", 2);
    let whole = fixture("reference.keras");
    dir.file("cut.keras", &whole[..whole.len() / 2]);
    dir.file("empty.keras", "");
    dir.file("chunks.h5", fixture("foreign/chunks.h5"));
    dir.file("other.h5", fixture("foreign/other-files.h5"));
    dir.file("lambda.keras", fixture_with(&whole, "Dropout", "Lambda\0"));
    let config = "--config small.toml";
    let tokenizer = "--config small.toml --tokenizer vocabulary.txt";
    for (arguments, code, told, hint) in [
        ("gone.keras --config small.toml".to_string(), 66, "cannot read `gone.keras`", "look after the path"),
        (". --config small.toml".to_string(), 65, "`.` cannot be imported: the file: it is no file", "save it again"),
        (
            format!("empty.keras {config}"),
            65,
            "`empty.keras` cannot be imported: the file: it is no HDF5 file",
            "save it again",
        ),
        (
            format!("cut.keras {config}"),
            65,
            "`cut.keras` cannot be imported: the archive: it does not end as a ZIP archive: it is cut off, or something else",
            "load it with Keras 3 and save it again, by `model.save(\"model.keras\")`",
        ),
        (format!("lambda.keras {config}"), 65, "`lambda.keras` cannot be imported: config.json", "save it again"),
        (
            format!("chunks.h5 {tokenizer}"),
            65,
            "`chunks.h5` cannot be imported: the file: `layers/embedding/vars/0`: it is stored in chunks, where Keras stores \
             arrays as a whole",
            "save it again",
        ),
        (
            format!("other.h5 {tokenizer}"),
            65,
            "`layers/embedding/vars`: it is a group of the newer kind, as links to other files and kept orders make it",
            "save it again",
        ),
        (
            "reference.keras".to_string(),
            2,
            "`reference.keras` says neither what texts it was trained on nor what its labels are called",
            "`attentive init DATA` writes one",
        ),
        (
            format!("reference.keras {config}"),
            2,
            "`reference.keras` takes ids, and does not say which token each of its 12 is",
            "name its tokenizer by `--tokenizer`",
        ),
        (
            format!("text.keras {tokenizer}"),
            2,
            "`text.keras` has a vocabulary of its own, and another was given",
            "leave `--tokenizer` out",
        ),
        (
            format!("text.keras {config}"),
            2,
            "`text.keras` ends in a softmax of 3, which does not fit the 2 labels of the data",
            "name the data that the model was trained on",
        ),
        (
            format!("reference.keras {tokenizer} --classes yes,no"),
            2,
            "the classes are yes, no, and the labels of the data are bad, good",
            "name every label once",
        ),
        (
            format!("reference.keras {config} --tokenizer long.txt"),
            2,
            "the tokenizer has 15 tokens, and the embedding of `reference.keras` has 12 rows",
            "the tokenizer that the model was trained with",
        ),
        (format!("reference.keras {config} --tokenizer train.csv"), 65, "`train.csv` cannot be used: invalid JSON", ""),
        (
            format!("reference.keras {config} --tokenizer twice.txt"),
            65,
            "`twice.txt` cannot be imported: the vocabulary: it has the token `a` twice",
            "",
        ),
        (
            format!("reference.weights.h5 {tokenizer} --set model.embedding.dim=4"),
            65,
            "model.weights.h5: it has 5 weights, and the model of the config has 3",
            "",
        ),
        (
            format!("reference.weights.h5 {tokenizer} --set model.attention.multi_head.n_heads=2"),
            65,
            "the weight `attention.query.weight`, which the config has and Keras does not",
            "docs/export.md",
        ),
    ] {
        dir.file("long.txt", "\n[UNK]\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\n");
        dir.file("twice.txt", "\n[UNK]\na\na\n");
        let line = format!("import {arguments} --output run");
        let refused = dir.run(&line).expect(code, &line);
        assert!(refused.error().contains(told), "{line}\n{}", refused.error());
        assert!(refused.error().contains("hint:") && refused.error().contains(hint), "{line}\n{}", refused.error());
        assert!(!dir.path("run").exists(), "{line}");
    }
    let taken = "import reference.keras --config small.toml --tokenizer vocabulary.txt --output run";
    dir.ok(taken);
    assert!(dir.run(taken).expect(73, taken).error().contains("`--output`"));
}

/// An archive with a word of it replaced by one of the same length; the checksum is then wrong.
fn fixture_with(archive: &[u8], word: &str, other: &str) -> Vec<u8> {
    let at = archive.windows(word.len()).position(|window| window == word.as_bytes()).unwrap();
    [&archive[..at], other.as_bytes(), &archive[at + word.len()..]].concat()
}
