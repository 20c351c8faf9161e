//! `attentive verify`: a run that is what it says, and one that is not.

use std::fs;

use crate::directory::{reviews, tree, with_data};

#[test]
fn a_run_is_what_it_says_and_is_not_written_to() {
    let dir = with_data("verify", 2);
    dir.ok("train small.toml");
    let before = tree(&dir.path("runs/small"));
    let cache = dir.path("cache");
    let mut command = dir.command("verify runs/small --steps 9".split(' '));
    let output = command.env("XDG_CACHE_HOME", &cache).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}");
    let rows: Vec<&str> = stdout.lines().map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(
        rows,
        [
            "file",
            "checkpoints/step-0000000006",
            "checkpoints/step-0000000012",
            "config.toml",
            "tokenizer.json",
            "labels.json",
            "split.json",
            "versions.json",
            "metrics.jsonl",
            "report.json",
            "",
            "step",
            "3",
            "6",
            "6",
            "9",
            "",
            "everything is as it should be",
        ]
    );
    // The lines of steps 3, 6 and 9, and that of the first epoch.
    assert_eq!(stdout.matches("  the same\n").count(), 4, "{stdout}");
    assert!(tree(&dir.path("runs/small")) == before);
    assert!(dir.list("cache/attentive").iter().all(|name| !name.contains("verify")), "the replay is gone");
}

#[test]
fn a_run_that_was_extended_and_changed_is_replayed_as_it_began() {
    let dir = with_data("verify-changed", 2);
    dir.ok("train small.toml --set train.epochs=1 --set train.schedule.cosine={}");
    let line = "train small.toml --set train.schedule.cosine={} --resume --set model.dropout=0.5";
    dir.ok(&format!("{line} --allow-changed model.dropout"));
    let stdout = dir.ok("verify runs/small --steps 6");
    assert!(stdout.ends_with("everything is as it should be\n"), "{stdout}");
}

#[test]
fn what_is_not_what_it_says_is_told() {
    let dir = with_data("verify-wrong", 2);
    dir.ok("train small.toml");
    let wrong = |file: &str, change: &dyn Fn(String) -> String, told: &str| {
        let path = format!("runs/small/{file}");
        let intact = dir.read(&path);
        dir.file(&path, change(String::from_utf8_lossy(&intact).into_owned()));
        let finished = dir.run("verify runs/small").expect(65, file);
        assert!(finished.stdout.contains(told), "{}", finished.stdout);
        assert!(finished.error().starts_with("error: `runs/small` is not what it should be: "), "{finished:?}");
        dir.file(&path, &intact);
    };
    let last = "checkpoints/step-0000000012";
    wrong(
        &format!("{last}/state.json"),
        &|text| text.replace("\"epoch\": 2", "\"epoch\": 3"),
        "its hash does not match",
    );
    wrong("config.toml", &|text| text.replace("seed = 7", "seed = 8"), "wrong: seed: was 7, is 8");
    wrong(
        "tokenizer.json",
        &|text| text.replace("film", "flim"),
        "wrong: `tokenizer.json` is not what the checkpoints",
    );
    wrong("labels.json", &|text| text.replace("good", "fine"), "wrong: `labels.json` is not what the checkpoints");
    wrong("versions.json", &|text| text.replace("flex", "flax"), "wrong: `versions.json` is not what the checkpoints");
    wrong(
        "report.json",
        &|text| text.replace("weights_sha256\": \"", "weights_sha256\": \"0"),
        "tells of other weights",
    );
    wrong("metrics.jsonl", &|text| text.replacen("loss", "lass", 1), "wrong: `metrics.jsonl` is not what the newest");
    let finger = |text: String| text.replace("\"fingerprint\": \"", "\"fingerprint\": \"0");
    wrong("split.json", &finger, "wrong: `split.json` is not what the checkpoints");
    dir.ok("verify runs/small");

    // Hashes are one thing; whether the steps come out the same is another.
    dir.file("train.csv", reviews(48, 2, 9));
    let finished = dir.run("verify runs/small").expect(65, "other data");
    assert!(finished.error().contains("  data.train.examples: not the same\n"), "{finished:?}");
    fs::remove_dir_all(dir.path("runs/small/checkpoints")).unwrap();
    dir.run("verify runs/small").expect(66, "no checkpoint");
}
