//! A linear part beside the network or alone, calibration, and the second training on everything.

use std::fs;
use std::time::Duration;

use attentive_train::read_safetensors;
use serde_json::Value;

use crate::directory::{Dir, reviews, tree, with_data};

const LINEAR: &str = "--set features.linear={}";
const ALONE: &str = "--set features.linear={alone=true}";

/// Fields of some report.
fn weights(dir: &Dir, run: &str) -> String {
    dir.json(format!("{run}/report.json"))["weights_sha256"].as_str().unwrap().to_string()
}

/// The accuracy of every split, as the report tells it of the classifier and of the plain linear model beside it.
fn accuracies(report: &Value) -> (Vec<Value>, Vec<Value>) {
    let of = |section: &str| ["train", "validation", "test"].map(|split| report[section][split]["accuracy"].clone());
    (of("splits").to_vec(), of("baseline").to_vec())
}

/// The plain linear model that every training is shown beside is another path to the same figures.
#[test]
fn a_linear_part_alone_is_as_good_as_the_plain_linear_model() {
    for labels in [2, 3] {
        let dir = with_data("alone", labels);
        dir.ok(&format!("train small.toml {ALONE} --set features.linear.naive_bayes=\"never\""));
        let report = dir.json("runs/small/report.json");
        let (own, plain) = accuracies(&report);
        assert_eq!(own, plain, "{report}");
        assert!(own.iter().all(|accuracy| accuracy.as_f64().unwrap() > 0.9), "{own:?}");
        assert!(dir.ok("inspect runs/small").contains("Linear part alone"));
        dir.run("verify runs/small").expect(0, "verify");
    }
}

#[test]
fn evaluate_and_bundles_say_what_the_report_says_of_a_linear_part() {
    for (name, sets) in [
        ("both", LINEAR),
        ("alone", ALONE),
        ("windows", "--set features.linear={} --set model.windows={stride=4} --set model.max_length=8"),
    ] {
        for labels in [2, 3] {
            let dir = with_data("linear-evaluate", labels);
            dir.ok(&format!("train small.toml {sets} --set train.refit=true"));
            let report = dir.json("runs/small/report.json");
            let of = |line: &str| serde_json::from_str::<Value>(&dir.ok(line)).unwrap();
            let expected = &report["splits"]["test"];
            assert_eq!(&of("evaluate runs/small --json"), expected, "{name} {labels}");
            dir.ok("export runs/small --format bundle --output bundle");
            assert_eq!(&of("evaluate bundle --data test.csv --json"), expected, "{name} {labels}");
            dir.ok("verify bundle");
            dir.ok("verify runs/small");
        }
    }
}

#[test]
fn several_labels_a_text_have_a_linear_part_too() {
    let dir = with_data("linear-multi", 3);
    for name in ["train.csv", "validation.csv", "test.csv"] {
        dir.file(name, dir.text(name).replace(",mixed", ",\"bad,good\""));
    }
    for sets in [LINEAR, ALONE] {
        dir.ok(&format!("train small.toml {sets} --set data.multi_label=true --set train.threshold=\"tuned\" --set train.refit=true --overwrite"));
        let report = dir.json("runs/small/report.json");
        let again: Value = serde_json::from_str(&dir.ok("evaluate runs/small --json")).unwrap();
        assert_eq!(again, report["splits"]["test"]);
        assert!(again["micro_avg"]["f1"].as_f64().unwrap() > 0.9, "{sets} {again}");
    }
}

/// Everything is trained on from the same seed: what comes out is what a run of its own makes of the one file, bit by bit.
#[test]
fn a_refit_is_a_training_on_everything() {
    let dir = with_data("refit", 2);
    let body = |name: &str| dir.text(name).lines().skip(1).map(|line| format!("{line}\n")).collect::<String>();
    dir.file("both.csv", format!("text,label\n{}{}", body("train.csv"), body("validation.csv")));
    let sets = "--set features.linear={naive_bayes=\"never\"} --set train.epochs=1 --set model.dropout=0.2";
    dir.ok(&format!("train small.toml {sets} --set train.refit=true"));
    // The vocabulary is that of the training split.
    dir.file("tokenizer.json", dir.read("runs/small/tokenizer.json"));
    let everything =
        dir.text("small.toml").replace("train.csv", "both.csv").replace("validation = \"validation.csv\"\n", "");
    dir.file("both.toml", everything);
    dir.ok(&format!("train both.toml {sets} --set tokenizer.file={{path=\"tokenizer.json\"}}"));
    let checkpoint = format!("checkpoints/{}/model.safetensors", dir.list("runs/both/checkpoints")[0]);
    for file in [checkpoint.as_str(), "ngrams.json"] {
        assert!(dir.read(format!("runs/small/refit/{file}")) == dir.read(format!("runs/both/{file}")), "{file}");
    }
    // The same solution, times the share that the folds of the training split alone gave it.
    let solution = |run: &str| {
        let weights = read_safetensors(&dir.read(format!("{run}/linear.safetensors"))).unwrap();
        let share = dir.json(format!("runs/{}/split.json", if run.contains("small") { "small" } else { "both" }));
        let share = share["linear"]["shares"]["plain"].as_f64().unwrap();
        let of_ngrams = weights.into_iter().find(|weight| weight.name == "linear.weight").unwrap().values;
        of_ngrams.into_iter().map(|weight| f64::from(weight) / share).collect::<Vec<_>>()
    };
    let (ours, expected) = (solution("runs/small/refit"), solution("runs/both"));
    let largest = ours.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(ours.len() == expected.len() && largest < 1e-6, "{largest}");
    let report = dir.json("runs/small/report.json");
    assert_eq!(report["refit"]["examples"], 66);
    assert_eq!((&report["splits"]["train"]["n"], &report["splits"]["validation"]["n"]), (&66.into(), &18.into()));
}

/// Killed anywhere, the run ends with the same report and the same weights.
#[test]
fn a_refit_is_resumed_from_wherever_it_was_killed() {
    let dir = with_data("refit-killed", 2);
    dir.file("train.csv", reviews(320, 2, 1));
    let sets = format!(
        "{LINEAR} --set train.refit=true --set train.average_best=2 --set train.epochs=3 --set train.checkpoint_every=5"
    );
    dir.ok(&format!("train small.toml --run-dir whole {sets}"));
    let mut stages = std::collections::BTreeSet::new();
    for tenths in 1..12 {
        let line = format!("train small.toml --run-dir killed --overwrite {sets}");
        let mut child = dir.command(line.split_whitespace()).stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(60 * tenths));
        let _ = child.kill();
        child.wait().unwrap();
        if !dir.path("killed/config.toml").exists() {
            continue;
        }
        stages.insert((dir.path("killed/refit").exists(), dir.path("killed/report.json").exists()));
        dir.ok("resume killed");
        assert_eq!(dir.text("killed/report.json"), dir.text("whole/report.json"), "{tenths}");
        assert_eq!(dir.text("killed/refit/metrics.jsonl"), dir.text("whole/refit/metrics.jsonl"), "{tenths}");
        let left: Vec<_> =
            tree(&dir.path("killed")).into_keys().filter(|path| path.to_string_lossy().contains(".tmp")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
    assert!(!stages.is_empty(), "no run was there to be resumed");
}

#[test]
fn a_refit_interrupted_by_a_signal_says_how_to_go_on() {
    let dir = with_data("refit-signal", 2);
    dir.file("train.csv", reviews(320, 2, 1));
    let sets = "--set train.refit=true --set train.checkpoint_every=1 --set features.linear={}";
    dir.ok(&format!("train small.toml --run-dir whole {sets}"));
    // Two epochs of 40 steps, and some of the second training.
    let line = format!("train small.toml --run-dir stopped --verbose {sets}");
    let finished = crate::resume::interrupt(&dir, &line, 90, "INT");
    assert_eq!(finished.code, Some(130), "{}", finished.stderr);
    assert!(finished.stderr.contains("attentive resume stopped"), "{}", finished.stderr);
    dir.ok("predict stopped fine"); // by the first training, until the second is done
    dir.ok("resume stopped");
    assert_eq!(dir.text("stopped/report.json"), dir.text("whole/report.json"));
}

#[test]
fn a_finished_refit_is_not_trained_again() {
    let dir = with_data("refit-finished", 2);
    dir.ok(&format!("train small.toml {LINEAR} --set train.refit=true"));
    // The lock tells who had it last.
    let files =
        || tree(&dir.path("runs/small")).into_iter().filter(|(path, _)| !path.ends_with("lock")).collect::<Vec<_>>();
    let before = files();
    let resumed = dir.run("resume runs/small").expect(0, "resume");
    assert!(resumed.stderr.contains("this run was finished before: nothing was trained"), "{}", resumed.stderr);
    assert!(files() == before);
    dir.ok("train small.toml --overwrite");
    assert!(!dir.path("runs/small/refit").exists() && !dir.path("runs/small/ngrams.json").exists());
}

/// What predicts is made again, bit for bit, wherever it is damaged.
#[test]
fn a_damaged_refit_is_trained_again() {
    let dir = with_data("refit-damaged", 2);
    for sets in [LINEAR, ALONE] {
        dir.ok(&format!("train small.toml {sets} --set train.refit=true --overwrite"));
        let expected = (dir.text("runs/small/report.json"), dir.ok("predict runs/small fine --json"));
        let newest = dir.list("runs/small/refit/checkpoints").pop().unwrap();
        for file in
            ["linear.safetensors", "ngrams.json", &format!("checkpoints/{newest}/state.json"), "checkpoints", ""]
        {
            let path = dir.path("runs/small/refit").join(file);
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap()
            } else {
                fs::write(path, "x").unwrap()
            }
            assert_ne!(dir.run("predict runs/small fine").code, Some(0), "{file}");
            dir.ok("resume runs/small");
            assert_eq!(
                (dir.text("runs/small/report.json"), dir.ok("predict runs/small fine --json")),
                expected,
                "{file}"
            );
        }
    }
}

/// The figures of texts that were trained on are told as what they are.
#[test]
fn evaluate_says_that_a_refit_trained_on_validation() {
    let dir = with_data("refit-evaluate", 2);
    dir.ok(&format!("train small.toml {ALONE} --set train.refit=true"));
    let told = |line: &str| dir.run(line).expect(0, line).stderr.contains("these texts were trained on");
    assert!(told("evaluate runs/small --split validation") && !told("evaluate runs/small --split test"));
    assert!(!told("evaluate runs/small --data validation.csv"));
}

#[test]
fn the_linear_part_has_the_same_bits_on_any_number_of_threads() {
    let dir = with_data("linear-threads", 3);
    dir.file("train.csv", reviews(300, 3, 1));
    let with = |threads: &str| {
        let line = format!("train small.toml --overwrite {LINEAR} --set train.refit=true");
        let mut command = dir.command(line.split_whitespace());
        assert!(command.env("RAYON_NUM_THREADS", threads).output().unwrap().status.success());
        (weights(&dir, "runs/small"), dir.text("runs/small/report.json"))
    };
    assert_eq!(with("1"), with("3"));
}

/// The factor is part of the head's weights: decisions stay, and exports carry it.
#[test]
fn calibration_moves_probabilities_and_no_decision() {
    let dir = with_data("calibrate", 3);
    let train = |set: &str, run: &str| {
        dir.ok(&format!("train small.toml --run-dir {run} --set train.epochs=4 --set train.calibrate={set}"));
        dir.json(format!("{run}/report.json"))
    };
    let (before, after) = (train("false", "plain"), train("true", "calibrated"));
    let of = |report: &Value, figure: &str| report["splits"]["validation"][figure].as_f64().unwrap();
    assert_eq!(of(&before, "accuracy"), of(&after, "accuracy"));
    assert!(of(&after, "loss") <= of(&before, "loss"), "{} {}", of(&before, "loss"), of(&after, "loss"));
    assert!(before["balance"].is_null() && after["balance"]["network"].as_f64().unwrap() > 0.0);
    let (was, is) = (&before["splits"]["test"]["calibration_error"], &after["splits"]["test"]["calibration_error"]);
    let told = &after["calibration"];
    assert_eq!((&told["split"], &told["after"]), (&"test".into(), is));
    assert!((told["before"].as_f64().unwrap() - was.as_f64().unwrap()).abs() < 1e-5, "{told} {was}");
    dir.ok("export calibrated --format onnx --output model.onnx");
    let again: Value = serde_json::from_str(&dir.ok("evaluate calibrated --json")).unwrap();
    assert_eq!(again, after["splits"]["test"]);
}

#[test]
fn a_damaged_linear_part_is_told() {
    let dir = with_data("linear-damaged", 2);
    dir.ok(&format!("train small.toml {LINEAR}"));
    for name in ["ngrams.json", "linear.safetensors"] {
        let path = format!("runs/small/{name}");
        let sound = dir.read(&path);
        let mut bytes = sound.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        dir.file(&path, &bytes);
        let finished = dir.run("predict runs/small fine").expect(65, name);
        assert!(finished.error().contains("is not what the checkpoint was trained beside"), "{}", finished.stderr);
        dir.run("verify runs/small").expect(65, name);
        fs::remove_file(dir.path(&path)).unwrap();
        assert_ne!(dir.run("predict runs/small fine").code, Some(0), "{name} is not there");
        dir.file(&path, sound);
    }
    dir.ok("predict runs/small fine");
}

#[test]
fn options_that_a_linear_part_excludes_are_refused_together() {
    let dir = with_data("linear-config", 2);
    let sets = "--set features.linear={alone=true,words=0,characters=0} --set train.ema=0.9 --set train.average_best=2 \
                --set features.word_ngrams=2 --set train.refit=true --set train.schedule.plateau={}";
    let finished =
        dir.run(&format!("train small.toml {sets}")).expect(2, "a config of options that exclude each other");
    for key in ["features.linear.words", "train.ema", "train.average_best", "features.word_ngrams", "train.refit"] {
        assert!(finished.error().contains(key), "{key}: {}", finished.stderr);
    }
    let config = dir.text("small.toml").replace("validation = \"validation.csv\"\n", "");
    dir.file("no-validation.toml", config);
    for set in ["train.refit=true", "train.calibrate=true"] {
        let finished = dir.run(&format!("train no-validation.toml --set {set}")).expect(2, set);
        assert!(finished.error().contains("needs `data.validation`"), "{}", finished.stderr);
    }
    dir.ok(&format!("train no-validation.toml {LINEAR}"));
    dir.ok(&format!("train no-validation.toml {ALONE} --overwrite"));
}
