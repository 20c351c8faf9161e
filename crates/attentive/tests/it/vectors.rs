//! Pretrained vectors, from a file to a run that can be resumed.

use crate::bad_input::refused;
use crate::directory::{CONFIG, Dir, with_data};

/// Vectors of width 4 for three words of the texts and one that is not in them.
const VECTORS: &str = "4 4\ngreat 1 0 0.5 -1\nawful -1 0 0.5 1\nfilm 0 0 0 1e-2\nabsent 1 1 1 1\n";

fn with_vectors(name: &str) -> Dir {
    let dir = with_data(name, 2);
    dir.file("words.vec", VECTORS);
    dir.file("small.toml", CONFIG.replace("{ dim = 8 }", "{ dim = 4, vectors = \"words.vec\", frozen = true }"));
    dir
}

#[test]
fn coverage_is_told_and_kept() {
    let dir = with_vectors("vectors");
    dir.file("train.csv", "text,label\ngreat film,good\nawful film,bad\nlovely film,good\ndull film,bad\n");
    let told = dir.run("train small.toml --set train.epochs=1").expect(0, "train").stderr;
    // Five words, [PAD] and [UNK]; six of eight tokens have a vector.
    let line = "  pretrained vectors of `words.vec`: 3 of 7 tokens of the vocabulary, 75.0 % of the tokens of the training texts\n";
    assert!(told.contains(line), "{told}");
    let vectors = &dir.json("runs/small/split.json")["vectors"];
    assert_eq!(
        (&vectors["in_file"], &vectors["found"], &vectors["vocab_size"], &vectors["of_tokens"]),
        (&4.into(), &3.into(), &7.into(), &0.75.into())
    );
    assert!(dir.ok("inspect runs/small").contains("Embedding (frozen)"));
}

#[test]
fn a_run_with_frozen_vectors_is_resumed() {
    let dir = with_vectors("vectors-resume");
    dir.ok("train small.toml --set train.epochs=3 --run-dir runs/whole");
    dir.ok("train small.toml --set train.epochs=1 --run-dir runs/cut");
    dir.ok("train small.toml --set train.epochs=3 --run-dir runs/cut --resume");
    assert_eq!(dir.text("runs/cut/report.json"), dir.text("runs/whole/report.json"));
    let file = "checkpoints/step-0000000018/model.safetensors";
    assert_eq!(dir.read(format!("runs/cut/{file}")), dir.read(format!("runs/whole/{file}")));
    // To predict the file is not needed: its vectors are among the weights.
    std::fs::remove_file(dir.path("words.vec")).unwrap();
    assert_eq!(dir.ok("evaluate runs/cut"), dir.ok("evaluate runs/whole"));
}

/// The lines of a report and the weights of two runs that are the same.
#[track_caller]
fn assert_same_end(dir: &Dir, run: &str, other: &str) {
    assert_eq!(dir.text(format!("{run}/report.json")), dir.text(format!("{other}/report.json")));
    let file = "checkpoints/step-0000000018/model.safetensors";
    assert!(dir.read(format!("{run}/{file}")) == dir.read(format!("{other}/{file}")));
}

/// Whatever becomes of the file, a checkpoint has the vectors; a replay from the start needs the same file.
#[test]
fn a_checkpoint_needs_no_vectors_beside_it() {
    let dir = with_vectors("vectors-held");
    dir.ok("train small.toml --set train.epochs=3 --run-dir runs/whole");
    let more = "train small.toml --set train.epochs=3 --resume --run-dir";
    for (run, then) in [("runs/swapped", Some(VECTORS.replace("great 1", "great 2"))), ("runs/gone", None)] {
        dir.file("words.vec", VECTORS);
        dir.ok(&format!("train small.toml --set train.epochs=1 --run-dir {run}"));
        let account = dir.json(format!("{run}/split.json"))["vectors"].clone();
        match then {
            Some(vectors) => dir.file("words.vec", vectors),
            None => std::fs::remove_file(dir.path("words.vec")).unwrap(),
        }
        dir.ok(&format!("{more} {run}"));
        assert_same_end(&dir, run, "runs/whole");
        assert_eq!(dir.json(format!("{run}/split.json"))["vectors"], account);
        let manifest = dir.text(format!("{run}/checkpoints/step-0000000018/MANIFEST.json"));
        assert!(manifest.contains(&format!("\"vectors\": {}", account["sha256"])), "{manifest}");
        if run == "runs/swapped" {
            let refused = dir.run(&format!("verify {run}")).expect(65, "verify");
            assert!(refused.error().contains("\n  vectors: not the same\n"), "{}", refused.error());
        }
    }
    // Another file, named as such, is another thing that the run is made from.
    dir.file("other.vec", VECTORS.replace("great 1", "great 2"));
    let other = format!("{more} runs/whole --set model.embedding.vectors=other.vec --set train.epochs=4");
    let refused = dir.run(&format!("{other} --allow-changed model.embedding.vectors")).expect(65, "another file");
    assert!(refused.error().contains("\n  vectors: not the same\n"), "{}", refused.error());
    dir.ok(&format!("{other} --allow-changed model.embedding.vectors --allow-changed vectors"));
}

/// Before there is a checkpoint, what a run is made from must be what it was when it began.
#[test]
fn what_changes_before_the_first_checkpoint_is_not_taken_silently() {
    let dir = with_vectors("vectors-start");
    dir.ok("train small.toml --set train.epochs=3 --run-dir runs/whole");
    let cut = || {
        dir.ok("train small.toml --set train.epochs=3 --run-dir runs/cut --overwrite");
        std::fs::remove_dir_all(dir.path("runs/cut/checkpoints")).unwrap();
        std::fs::remove_file(dir.path("runs/cut/report.json")).unwrap();
    };
    cut();
    dir.file("words.vec", VECTORS.replace("great 1", "great 2"));
    let refused = dir.run("resume runs/cut").expect(65, "swapped");
    assert!(refused.error().contains("has changed\n  vectors: not the same\n"), "{}", refused.error());
    std::fs::remove_file(dir.path("words.vec")).unwrap();
    assert!(dir.run("resume runs/cut").expect(66, "gone").error().contains("`words.vec` does not exist"));
    dir.file("words.vec", VECTORS);
    let train = dir.text("train.csv");
    dir.file("train.csv", train.replacen("great", "grand", 1));
    let refused = dir.run("resume runs/cut").expect(65, "other data");
    assert!(refused.error().contains("data.train.examples: not the same"), "{}", refused.error());
    dir.file("train.csv", train);
    dir.ok("resume runs/cut");
    assert_same_end(&dir, "runs/cut", "runs/whole");
    cut();
    dir.file("words.vec", VECTORS.replace("great 1", "great 2"));
    dir.ok("resume runs/cut --allow-changed vectors");
    assert!(dir.ok("verify runs/cut").contains("everything is as it should be"), "it began with the other vectors");
}

#[test]
fn files_that_cannot_be_used() {
    let dir = with_vectors("vectors-bad");
    let relative = "hint: paths are relative to the directory the command runs in";
    let set = |path: &str| format!("train small.toml --set model.embedding.vectors=\"{path}\"");
    refused(&dir, &set("none.vec"), 66, &format!("error: `none.vec` does not exist\n\n{relative}"));
    for (content, start) in [
        ("great 1 0 0 0\nawful 1 0 x 0\n", "error: bad.vec:2: "),
        ("great 1 0 0 0\nawful 1 0 0\n", "error: bad.vec:2: "),
        ("great 1 0 nan 0\n", "error: bad.vec:1: "),
        ("2 3\ngreat 1 0 0\n", "error: "),
        ("nothing 1 0 0 0\n", "error: "),
        ("", "error: `bad.vec` is empty"),
    ] {
        dir.file("bad.vec", content);
        let finished = dir.run(&set("bad.vec")).expect(65, content);
        assert!(finished.stderr.starts_with(start) && finished.stderr.contains("bad.vec"), "{}", finished.stderr);
        assert!(!dir.path("runs").exists());
    }
    dir.file("bad.vec", "2 3\ngreat 1 0 0\nawful 0 0 1\n");
    let error = dir.run(&set("bad.vec")).expect(65, "another width").stderr;
    assert!(error.contains("hint: set `model.embedding.dim = 3`"), "{error}");
}
